// rights.csv in Archivematica's convention: a row says on which basis a file may be used, and one
// act that is allowed or not. docs/ingest.md has the columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mets/rights.hpp"
#include "service/ingest/finding.hpp"

namespace versement::ingest {

// A row holds numbers, for tables say the same few things of many files.
struct RightsRow {
  static constexpr std::uint32_t kNoGrant = ~0u;

  std::size_t line = 0;
  std::string file;                // a file, a folder, or the identifier of an item
  std::uint32_t statement = 0;     // of RightsTable::statements
  std::uint32_t grant = kNoGrant;  // of RightsTable::grants
  bool faulty = false;             // a finding says why; the item is not stored
};

struct RightsTable {
  std::vector<RightsRow> rows;
  std::vector<mets::RightsStatement> statements;  // without grants and files; no two are equal
  std::vector<mets::Grant> grants;                // no two are equal
  std::vector<Finding> findings;
  bool faulty = false;  // no row can be trusted to mean what it seems to
};

RightsTable read_rights(std::string_view bytes, std::string_view path = "metadata/rights.csv");

}  // namespace versement::ingest
