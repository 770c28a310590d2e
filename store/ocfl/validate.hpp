// Checks an OCFL 1.0 or 1.1 storage root or object as a stranger would, without the journal.
//
// What is looked at: declarations, layout, inventories and sidecars of root and versions, every
// content file with its digests, files, folders and links that do not belong. The codes are those
// of codes.hpp. No link is followed, nothing but regular files is opened, and no path that an
// inventory names is opened unless it was met on the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"
#include "store/ocfl/findings.hpp"

namespace versement::ocfl {

// What was found of one object.
struct CheckedObject {
  std::string id;                // empty when no inventory could be read
  Path path;                     // from the root
  std::string inventory_digest;  // of the root inventory by its own algorithm, hexadecimal
  // SHA-512 of the inventory in the folder of each version that has one, hexadecimal.
  std::map<std::uint32_t, std::string> version_digests;
  std::vector<Problem> problems;  // sorted by path and code
  std::uint64_t files = 0;        // content files
  std::uint64_t bytes = 0;        // read of them
};

struct ObjectCheckOptions {
  bool content = true;      // false: no content byte is read, E092 and E093 only where files lack
  std::size_t threads = 1;  // files that are read at once
  std::stop_token stop;
};

// Checks one object. `path` is its folder; the layout is not judged.
CheckedObject check_one_object(Disk& disk, const Path& path, const ObjectCheckOptions& options);

struct RootCheckOptions {
  bool content = true;
  std::size_t threads = 1;  // objects, or files of one object, that are read at once
  std::stop_token stop;
  // Objects of which only the structure is looked at, because their content was read before.
  std::function<bool(const Path& path)> was_read;
  // Called once for each object, in the order of the walk, from any thread, one call at a time.
  std::function<void(const CheckedObject&)> each;
};

// Checks a whole root; problems that belong to no object are returned, sorted.
// Errors: not_found when there is no such folder; cancelled; io for the root folder itself.
Result<std::vector<Problem>> check_root_contents(Disk& disk,
                                                 const Path& root,
                                                 const RootCheckOptions& options);

}  // namespace versement::ocfl
