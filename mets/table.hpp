// Descriptions as tables: metadata.csv and rights.csv, which a deposit with the same files reads
// back as they were (docs/format/tables.md).
//
// A header must name every column before the first row is written, so items are shown twice: first
// all to add(), then each to rows().
#pragma once

#include <array>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mets/description.hpp"
#include "store/base/result.hpp"
#include "store/base/source.hpp"

namespace versement::mets {

struct TableItem {
  struct File {
    std::string_view filename;   // what the column says
    std::string_view data_path;  // below data/; empty where a folder or file stands for the item
  };
  using Each = std::function<Result<void>(const File& file)>;

  std::string slug;
  Description description;
  Original original;
  // Names the files in the order of their paths below data/. Of an item without files at most the
  // one that stands for it. There may be any number: they are asked for again, and never kept.
  std::function<Result<void>(const Each& each)> files;
};

class MetadataTable {
 public:
  // Learns the columns of an item. Errors: limit, when there would be more than a table may have.
  Result<void> add(const Description& description, const Original& original);

  std::string header() const;
  // A row for each file; the first one says everything, the others which item they belong to.
  // Errors: conflict, when the item has columns that add() has not seen; those of files and `sink`.
  Result<void> rows(const TableItem& item, const Sink& sink) const;

 private:
  // Columns stand in groups, one for each member of a description; in a group in the order in which
  // the items need them.
  static constexpr std::size_t kGroups = 20;
  std::array<std::vector<std::string>, kGroups> columns_;
};

std::string rights_header();
// A row for each grant of each statement of each file. Items without files are named by their slug.
// Errors: those of files and `sink`.
Result<void> rights_rows(const TableItem& item, const Sink& sink);

}  // namespace versement::mets
