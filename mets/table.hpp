// Descriptions as tables: metadata.csv and rights.csv, which a deposit with the same files reads
// back as they were (docs/format/tables.md).
//
// A header must name every column before the first row is written, so items are shown twice: first
// all to add(), then each to rows().
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mets/description.hpp"
#include "store/base/result.hpp"

namespace versement::mets {

struct TableItem {
  std::string slug;
  Description description;
  Original original;
  // Of an item with files: what `filename` says of each, and its path below data/, in the order of
  // the latter. Of one without: at most one entry, with the folder or file that stands for it.
  struct File {
    std::string filename;
    std::string data_path;
  };
  std::vector<File> files;
};

class MetadataTable {
 public:
  // Learns the columns of an item. Errors: limit, when there would be more than a table may have.
  Result<void> add(const Description& description, const Original& original);

  std::string header() const;
  // A row for each file; the first one says everything, the others which item they belong to.
  // Errors: conflict, when the item has columns that add() has not seen.
  Result<std::string> rows(const TableItem& item) const;

 private:
  // Columns stand in groups, one for each member of a description; in a group in the order in which
  // the items need them.
  static constexpr std::size_t kGroups = 20;
  std::array<std::vector<std::string>, kGroups> columns_;
};

std::string rights_header();
// A row for each grant of each statement of each file. Items without files are named by their slug.
std::string rights_rows(const TableItem& item);

}  // namespace versement::mets
