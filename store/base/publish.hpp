// Durable, atomic appearance of a file or a folder.
#pragma once

#include <span>

#include "store/base/disk.hpp"

namespace versement {

// Creates `target` holding exactly `bytes`, or leaves no trace of it.
//
// After success the file and its name survive a power cut. A crash leaves no `target` or the whole
// of it; at worst a `.tmp-*` stays beside it, which the next start removes.
// Requires: the folder exists; nobody else writes `target`.  Errors: exists, denied, no_space, io.
Result<void> publish_file(Disk& disk,
                          const Path& target,
                          std::span<const std::byte> bytes,
                          mode_t mode = 0644);

// The same, and takes the place of what is there: a reader sees the old file or the new one.
Result<void> replace_file(Disk& disk,
                          const Path& target,
                          std::span<const std::byte> bytes,
                          mode_t mode = 0644);

// Makes the names in a folder durable.
Result<void> sync_folder(Disk& disk, const Path& folder);

// Makes the folder and those above it as far as they lack, each name durable.
Result<void> publish_folders(Disk& disk, const Path& folder, mode_t mode = 0755);

// Removes what an interrupted publish left in this folder.
Result<void> sweep_temporary_files(Disk& disk, const Path& folder);

}  // namespace versement
