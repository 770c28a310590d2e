// The plan of an ingest: what a folder holds, which items it makes, and everything that is wrong
// with it. Making a plan changes nothing.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "mets/package.hpp"
#include "service/ingest/finding.hpp"
#include "service/ingest/notice.hpp"
#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/ids.hpp"
#include "store/base/path.hpp"
#include "store/base/result.hpp"

namespace versement::ingest {

struct PlannedFile {
  std::string deposit_path;  // as the bytes are on disk, from the deposit's top; in an archive, too
  LogicalPath data_path;     // below representations/master/data; of documentation, documentation/
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ms = 0;
  std::uint32_t member = 0;  // of an archive: its number there
  std::vector<Digest> supplied;
};

// Below documentation/: where the tag files of a bag are kept.
inline constexpr std::string_view kBagFolder = "bag/";

// The bag that an item came in.
struct ReceivedBag {
  std::string label;    // one sentence for PREMIS
  json::Object facts;   // for the journal
  std::string sender;   // its Source-Organization
  bool packed = false;  // it is an archive; what is below is of that only
  Path archive;
  FileInfo archive_info;  // when it was judged
  std::string base;       // what stands before a path of the bag in the archive, with a slash
};

// A deposit may have a hundred thousand of them, so each is small.
struct PlannedItem {
  Slug slug;
  std::string source_identifier;
  std::size_t row = 0;
  Notice notice;
  std::vector<PlannedFile> files;          // sorted by data path
  std::vector<PlannedFile> documentation;  // likewise
  std::unique_ptr<ReceivedBag> bag;        // few items have one
  std::vector<std::string> parts;          // slugs of the items that this one only groups
  std::string folder;                      // of the deposit, that holds these
  bool rejected = false;                   // an error was found

  std::uint64_t size_bytes() const;  // of its files
  std::uint64_t documentation_bytes() const;
};

// What a collection gives to items that do not say it themselves.
struct Defaults {
  mets::Rights rights;
};

struct Plan {
  std::deque<PlannedItem> items;  // in the table's order
  Findings findings;
};

// How many bytes have been looked at, and of how many; called from any thread, one at a time.
using Looked = std::function<void(std::uint64_t done, std::uint64_t total)>;

// `deposit` is a folder, or an archive with a bag in it.
// Errors: only what keeps it from being looked at at all (not_found, denied, cancelled).
// A folder without a readable table makes a plan without items and an error among its findings.
Result<Plan> make_plan(Disk& disk,
                       const Path& deposit,
                       const Defaults& defaults,
                       const std::stop_token& stop,
                       const Looked& looked = {});

}  // namespace versement::ingest
