// metadata.csv in Archivematica's convention, with our columns beside it.
//
//   filename             path from the deposit's top ("objects/…"); empty for an analogue original
//   identifier           names the item; rows with the same one are one item
//   dc.title, dc.title@en, dc.creator, dc.subject …    Dublin Core; the language behind the @ is
//                        French when none is given; a column may stand several times
//   credit, owner        the mandatory mention and the owner; also with a language
//   shelfmark, box, extent    of the analogue original
//   reproduction         allowed, allowed_with_credit, restricted, unknown
//   versement.item       the item's id; in tables that Versement wrote (mets/table.hpp)
//
// An apostrophe before = + - @ (also behind further apostrophes) is taken away: it kept a
// spreadsheet from running the cell. Columns with other names are kept as they came, and reported.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mets/description.hpp"
#include "service/ingest/finding.hpp"
#include "store/base/csv.hpp"

namespace versement::ingest {

struct TableRow {
  std::size_t line = 0;
  std::string filename;
  std::string identifier;       // "versement.item", else "identifier", else the first dc.identifier
  bool own_identifier = false;  // it came from one of the first two
  bool faulty = false;          // a finding says why; its item is not stored
  mets::Description description;
  mets::Original original;
};

struct Table {
  std::vector<TableRow> rows;
  std::vector<std::string> unmapped_columns;
  std::vector<Finding> findings;  // of lines and columns, in the order of the table
  // What is wrong is not in one row: no row can be trusted to mean what it seems to.
  bool faulty = false;
};

// Reads metadata.csv; all that is wrong is among the findings, whose path is `path`.
Table read_table(std::string_view bytes, std::string_view path = "metadata/metadata.csv");
// The same, but rows are handed out while they are read and not kept: a hundred thousand take more
// memory than all else of a plan. `each` returns false to stop.
Table read_table(std::string_view bytes,
                 std::string_view path,
                 const std::function<bool(TableRow)>& each);

// The column of metadata.csv that a name without meaning may be a slip for: "dc.titel", "title",
// "dcterms.title". Empty when none is near.
std::string near_column(std::string_view written);

// The fault of a cell that has a character which neither a table nor METS should hold
// (first_control). Not for names of files: these are kept as they are.
std::optional<csv::Fault> control_fault(std::string_view cell,
                                        std::size_t line,
                                        std::size_t column);

// The finding of a fault in a table.
Finding finding_of(const csv::Fault& fault, std::string_view path);

// When the first line of a table has no column `wanted` as its bytes are split at commas, but has
// one when they are split otherwise: what to do. Else nothing.
std::optional<csv::Fault> wrong_delimiter(const csv::Row& header, std::string_view wanted);

// What kind of identifier it is, by its form: "ark", "uri", "local".
std::string identifier_type(std::string_view value);

// A description for merge(): to_json() without a reproduction that nobody has said.
json::Object said(const mets::Description& description);

// Adds what `into` does not say, member by member. Returns the names of the members ("title.en") of
// which both say something, and not the same.
std::vector<std::string> merge(const json::Object& from, json::Object* into);

}  // namespace versement::ingest
