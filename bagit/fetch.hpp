// What a holey bag lacks and fetch.txt names (RFC 8493 section 2.2.3), judged before anything is
// asked of anybody: nothing here touches the net.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "bagit/validate.hpp"
#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

struct FetchItem {
  std::string path;               // "data/…": safe, and of no file that is there
  std::vector<std::string> urls;  // tried in this order
  std::optional<std::uint64_t> length;
  std::vector<Digest> digests;  // what every manifest says of it; never empty
};

struct FetchPlan {
  Report report;                 // of the bag as it is now, without its content
  std::vector<FetchItem> items;  // by path
};

// Plans for a bag in a folder. When report.verdict is neither `incomplete` nor `complete`, the bag
// has other faults than missing files: there are no items, and nothing should be fetched for it.
// Errors: what keeps it from looking at all; limit; invalid for fetch.txt with lengths that
// contradict each other.
Result<FetchPlan> plan_fetch(Disk& disk, const Path& bag, const std::stop_token& stop);

}  // namespace versement::bagit
