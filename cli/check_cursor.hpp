// How far a check of a root came, in a file: so that one that was cut off goes on.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"
#include "store/ocfl/findings.hpp"

namespace versement::cli {

struct CheckCursor {
  std::string root;  // the absolute path of what is checked
  std::string last;  // the last object that was read, in the order of the walk; from the root
  std::uint64_t objects = 0, files = 0, bytes = 0;  // read until then
  // What the reading of content found, by the object's folder.
  std::map<std::string, std::vector<ocfl::Problem>> problems;

  // True for the last object and those before it in the walk.
  bool has_read(const Path& object) const { return !last.empty() && object <= Path(last); }
};

// Nothing when there is no such file. Errors: invalid when it is no cursor; io.
Result<std::optional<CheckCursor>> load_cursor(Disk& disk, const Path& file);

// Replaces the file by this cursor: a crash leaves the old one or the new one.
Result<void> save_cursor(Disk& disk, const Path& file, const CheckCursor& cursor);

}  // namespace versement::cli
