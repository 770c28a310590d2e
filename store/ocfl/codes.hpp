// The validation codes of OCFL 1.0 and 1.1, and of what this program says besides: the one table of
// them.
#pragma once

#include <span>
#include <string_view>

namespace versement::ocfl {

// error: a MUST is broken. warning: a SHOULD is broken. unread: the system did not give the bytes,
// which is no verdict about them. note: nothing is wrong, but something could not be judged.
enum class Severity { error, warning, unread, note };

struct CodeInfo {
  std::string_view code;     // "E092"
  std::string_view section;  // of the specification; the numbers are the same in 1.0 and 1.1
  std::string_view meaning;  // what is wrong, in one line
};

// E001 to E112 and W001 to W016, sorted, then our own.
std::span<const CodeInfo> all_codes();

// The line of this code; nullptr for one that is not in the table.
const CodeInfo* code_info(std::string_view code);

Severity severity_of(std::string_view code);
std::string_view severity_name(Severity severity);

}  // namespace versement::ocfl
