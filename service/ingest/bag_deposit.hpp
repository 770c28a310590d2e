// A bag as a deposit: judged whole, then planned as one item with its payload as material and its
// tag files as documentation.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>

#include "bagit/archive.hpp"
#include "service/ingest/plan.hpp"

namespace versement::ingest {

// How far a stranger's archive is read (docs/ingest.md).
bagit::ArchiveLimits archive_limits();

// True for what is an archive by its bytes, and for what is called like one: that it cannot be read
// as such must be said. Errors: denied, io.
Result<bool> is_archive(Disk& disk, const Path& file);
// True when a bag's declaration is among the first members; also when they were too many to tell.
// Errors: cancelled, io.
Result<bool> may_hold_bag(Disk& disk, const Path& archive, const std::stop_token& stop);

// The name without what tells that it is an archive: "one" of "one.tar.gz".
std::string name_of_archive(const std::string& file);

// Errors: invalid when a name cannot be written in XML 1.0.
Result<void> check_writable(std::string_view name);

// The finding of a name with a character that is not seen ("U+202E").
std::string hidden_text(std::string_view character);
inline constexpr std::string_view kHiddenRemedy =
    "nothing, if the name is meant so; else rename it before it is ingested";

// A path that a file may have in a package and, later, in a bag of ours. Errors: invalid, limit.
Result<LogicalPath> parse_deposit_path(const std::string& path);

struct BagToTake {
  Path place;
  std::string below;  // its path from the deposit's top; empty when it is the deposit
  std::string name;   // its item's, where the bag does not give one
  bool packed = false;
};

// What all bags of a deposit share.
struct BagContext {
  Disk& disk;
  const std::stop_token& stop;
  const Looked& looked;
  Findings& findings;
  bagit::ArchiveLimits limits = archive_limits();
  std::size_t files = 0;    // of all items so far
  std::uint64_t bytes = 0;  // judged so far
};

// Plans the bag's item; what is wrong with the bag is a finding, and the item is rejected.
// Errors: what ends the whole ingest: cancelled, io, unavailable; limit ("deposit-too-large").
Result<PlannedItem> plan_bag(BagContext& context, const BagToTake& bag);

}  // namespace versement::ingest
