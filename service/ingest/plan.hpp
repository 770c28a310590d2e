// The plan of an ingest: what a folder holds, which items it makes, and everything that is wrong
// with it. Making a plan changes nothing.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "mets/description.hpp"
#include "mets/package.hpp"
#include "service/ingest/finding.hpp"
#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/ids.hpp"
#include "store/base/path.hpp"
#include "store/base/result.hpp"

namespace versement::ingest {

struct PlannedFile {
  std::string deposit_path;  // as the bytes are on disk, from the deposit's top
  LogicalPath data_path;     // below representations/master/data
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ms = 0;
  std::vector<Digest> supplied;
};

struct PlannedItem {
  Slug slug;
  std::string source_identifier;
  std::size_t row = 0;
  mets::Description description;
  mets::Original original;
  std::vector<PlannedFile> files;  // sorted by data path
  std::vector<std::string> parts;  // slugs of the items that this one only groups
  bool rejected = false;           // an error was found

  std::uint64_t size_bytes() const;
};

// What a collection gives to items that do not say it themselves.
struct Defaults {
  mets::Rights rights;
};

struct Plan {
  std::vector<PlannedItem> items;  // in the table's order
  Findings findings;
};

// Errors: only what keeps the folder from being looked at at all (not_found, denied, cancelled).
// A folder without a readable table makes a plan without items and an error among its findings.
Result<Plan> make_plan(Disk& disk,
                       const Path& folder,
                       const Defaults& defaults,
                       const std::stop_token& stop);

}  // namespace versement::ingest
