// What rights.csv says of each item: the rows of its files and of the folders above them become
// statements, each limited to the files that have it.
//
// A row for a folder stands once, at the folder, however many files that has. What a row costs does
// not depend on the files, nor a file on the rows that do not concern it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "mets/rights.hpp"
#include "service/ingest/rights_table.hpp"
#include "store/base/csv.hpp"
#include "store/base/result.hpp"

namespace versement::ingest {

struct ItemRights {
  std::vector<mets::RightsStatement> statements;
  // Why nothing can be said: more rows for a file than kRightsRowsOfFileMax ("rights-too-many"), or
  // more text than a description holds ("rights-too-long").
  std::optional<csv::Fault> refused;
};

class RightsMatch {
 public:
  // The table must outlive it; rows are numbers in `table.rows`.
  explicit RightsMatch(const RightsTable& table) : table_(table) {}

  // The row holds for the file or folder at `path`.
  void add(const std::string& path, std::uint32_t row);
  // The row holds for an item as a whole.
  void add_to_item(std::size_t item, std::uint32_t row);

  // `paths` are the item's files in the order in which they are listed; without the first `cut`
  // bytes they are the names in the statements. Errors: cancelled.
  Result<ItemRights> of_item(std::size_t item,
                             std::span<const std::string> paths,
                             std::size_t cut,
                             const std::stop_token& stop) const;

 private:
  class Gatherer;
  using Rows = std::vector<std::uint32_t>;

  void add_to(Rows* rows, std::uint32_t row) const;
  bool says_the_same(std::uint32_t a, std::uint32_t b) const;
  Rows rows_of(std::string_view path) const;

  const RightsTable& table_;
  std::unordered_map<std::string, Rows> by_path_;
  std::map<std::size_t, Rows> by_item_;
};

}  // namespace versement::ingest
