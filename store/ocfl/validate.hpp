// Checks an OCFL 1.1 storage root or object as a stranger would, without the journal.
//
// What is looked at: declarations, layout, inventories and sidecars of root and versions, every
// content file with its size and digests, files and folders that do not belong. The codes are those
// of OCFL 1.1; docs/format/store.md lists which are covered.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::ocfl {

struct Problem {
  std::string code;  // "E092"; "unreadable" when the system would not give the bytes
  std::string path;  // from the root
  std::string detail;
};

// What was found of one object.
struct CheckedObject {
  std::string id;                // empty when no inventory could be read
  Path path;                     // from the root
  std::string inventory_digest;  // of the root inventory, hexadecimal
  std::vector<Problem> problems;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

struct RootCheckOptions {
  std::size_t threads = 1;
  std::stop_token stop;
  // Called once for each object, from any thread, one call at a time.
  std::function<void(const CheckedObject&)> each;
};

// Checks a whole root; problems that belong to no object are returned.
// Errors: not_found when it is no storage root; cancelled; io for the root folder itself.
Result<std::vector<Problem>> check_root_contents(Disk& disk,
                                                 const Path& root,
                                                 const RootCheckOptions& options);

// Checks one object. `path` is its folder; the layout is not judged.
CheckedObject check_one_object(Disk& disk, const Path& path, const std::stop_token& stop);

}  // namespace versement::ocfl
