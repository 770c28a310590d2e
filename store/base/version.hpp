// The version of this program; a test compares it with CMakeLists.txt.
#pragma once

namespace versement {

inline constexpr const char* kProgramName = "Versement";
inline constexpr const char* kVersion = "0.1.0";

}  // namespace versement
