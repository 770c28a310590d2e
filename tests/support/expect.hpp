// Assertions over Result that print the error.
#pragma once

#include <gtest/gtest.h>

#include "store/base/result.hpp"

#define ASSERT_OK(result)                                                      \
  do {                                                                         \
    const auto& asserted_result = (result);                                    \
    ASSERT_TRUE(static_cast<bool>(asserted_result))                            \
        << (asserted_result ? std::string() : asserted_result.error().what()); \
  } while (false)

#define EXPECT_OK(result)                                                      \
  do {                                                                         \
    const auto& expected_result = (result);                                    \
    EXPECT_TRUE(static_cast<bool>(expected_result))                            \
        << (expected_result ? std::string() : expected_result.error().what()); \
  } while (false)

#define EXPECT_FAILS(result, expected_code)                                                 \
  do {                                                                                      \
    const auto& failed_result = (result);                                                   \
    ASSERT_FALSE(static_cast<bool>(failed_result)) << "it succeeded";                       \
    EXPECT_EQ(failed_result.error().code(), expected_code) << failed_result.error().what(); \
  } while (false)
