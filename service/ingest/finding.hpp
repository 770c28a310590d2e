// What an ingest has to say of a deposit: a code for programs, a sentence and a remedy for people.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/json.hpp"

namespace versement::ingest {

enum class Severity { info, warning, error };

struct Finding {
  std::string code;  // "row-without-file", "rights-missing" …
  Severity severity = Severity::error;
  std::string detail;
  std::string remedy;
  std::string path;        // in the deposit
  std::size_t row = 0;     // line of the table or list at `path`; 0 when it concerns none
  std::size_t column = 0;  // of the row: number of the cell, from 1; 0 when it concerns none
  std::string item;        // slug, when it concerns one item only
};

std::string_view severity_name(Severity severity);
json::Object to_json(const Finding& finding);

// Keeps at most kFindingsMax findings and counts the rest, so that a deposit of a million faults
// cannot fill the memory.
class Findings {
 public:
  void add(Finding finding);
  const std::vector<Finding>& kept() const { return kept_; }
  std::uint64_t count(Severity severity) const;
  std::uint64_t left_out() const { return left_out_; }

 private:
  std::vector<Finding> kept_;
  std::uint64_t counts_[3] = {0, 0, 0};
  std::uint64_t left_out_ = 0;
};

}  // namespace versement::ingest
