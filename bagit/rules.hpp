// The rules of BagIt as one table: a code for each, the section of RFC 8493 it follows from, and
// how heavily breaking it weighs. The same codes stand in every report, whatever kind of bag it is
// of.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/json.hpp"

namespace versement::bagit {

enum class Severity {
  none,     // nothing to say in this mode
  warning,  // the bag is accepted all the same
  error,    // it is not
  unread,   // something could not be examined: neither valid nor invalid is proven
};

enum class Mode {
  lenient,   // legacy bags: faults of form that leave no doubt what is meant only warn
  standard,  //
  strict,    // every MUST of RFC 8493 to the letter
};

struct Rule {
  std::string_view code;     // "payload.unlisted"
  std::string_view section;  // of RFC 8493, "2.1.3"; empty where the rule is ours
  Severity lenient;
  Severity standard;
  Severity strict;
  std::string_view meaning;  // one sentence

  Severity in(Mode mode) const;
};

// All of them, by code.
std::span<const Rule> rules();
// Requires: a code of the table.
const Rule& rule(std::string_view code);

struct Finding {
  std::string code;  // of a rule
  Severity severity = Severity::error;
  std::string section;    // of RFC 8493
  std::string path;       // in the bag, raw bytes; empty for the bag itself
  std::size_t line = 0;   // of the tag file that `path` or `detail` names; from 1
  std::string algorithm;  // of a checksum
  std::string expected;
  std::string found;
  std::string detail;
};

// Orders by path, line, code, algorithm and detail: the same bag has the same report.
bool operator<(const Finding& a, const Finding& b);

// {"code", "severity", …}; what is empty is left out. A path that is no UTF-8 has its bytes as
// \xNN.
json::Object to_json(const Finding& finding);
// One line for people: "error  payload.unlisted  data/a.tif  is in no manifest".
std::string to_text(const Finding& finding);

}  // namespace versement::bagit
