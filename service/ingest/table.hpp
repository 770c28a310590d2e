// metadata.csv in Archivematica's convention, with our columns beside it.
//
//   filename             path from the deposit's top ("objects/…"); empty for an analogue original
//   identifier           names the item; rows with the same one are one item
//   dc.title, dc.title@en, dc.creator, dc.subject …    Dublin Core; the language behind the @ is
//                        French when none is given; a column may stand several times
//   credit, owner        the mandatory mention and the owner; also with a language
//   shelfmark, box, extent    of the analogue original
//
// Columns with other names are kept as they came, and reported.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mets/description.hpp"
#include "service/ingest/finding.hpp"
#include "store/base/result.hpp"

namespace versement::ingest {

struct TableRow {
  std::size_t line = 0;
  std::string filename;
  std::string identifier;       // of the column "identifier", else the first dc.identifier
  bool own_identifier = false;  // it came from the column "identifier"
  mets::Description description;
  mets::Original original;
};

struct Table {
  std::vector<TableRow> rows;
  std::vector<std::string> unmapped_columns;
};

// Errors: invalid ("metadata-csv") with line and column; limit.
Result<Table> read_table(std::string_view bytes);

// What kind of identifier it is, by its form: "ark", "uri", "local".
std::string identifier_type(std::string_view value);

// Adds what `into` does not say, member by member. Returns false where both say something, and not
// the same.
bool merge(const json::Object& from, json::Object* into);

}  // namespace versement::ingest
