// Asio, compiled once in boost_impl.cpp, and how a coroutine of ours ends with an error.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "store/base/result.hpp"

namespace versement::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

template <class T>
using Awaitable = asio::awaitable<Result<T>>;

}  // namespace versement::net

// As TRY and TRY_SET, in a coroutine. The expression is one co_await.
#define CO_TRY(expression)                     \
  do {                                         \
    auto try_result = expression;              \
    if (!try_result) {                         \
      co_return std::move(try_result).error(); \
    }                                          \
  } while (false)

#define CO_TRY_SET(declaration, expression)                             \
  auto VERSEMENT_JOIN(try_result_, __LINE__) = expression;              \
  if (!VERSEMENT_JOIN(try_result_, __LINE__)) {                         \
    co_return std::move(VERSEMENT_JOIN(try_result_, __LINE__)).error(); \
  }                                                                     \
  declaration = *std::move(VERSEMENT_JOIN(try_result_, __LINE__))
