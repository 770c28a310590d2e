// Exit statuses of the command, the same everywhere; an unknown one is a failure.
#pragma once

#include "store/base/result.hpp"

namespace versement::cli {

inline constexpr int kOk = 0;         // all well, and everything was checked
inline constexpr int kDamage = 1;     // found damage, or something invalid
inline constexpr int kUnchecked = 2;  // could not check everything
inline constexpr int kUsage = 3;      // usage or configuration
inline constexpr int kServer = 4;     // server or network; trying again may help
inline constexpr int kRefused = 5;    // not permitted, or not in this state; trying again does not
inline constexpr int kInterrupted = 130;

// What an error of the API, or of reaching it, means for a script.
int exit_status(const Error& error);

}  // namespace versement::cli
