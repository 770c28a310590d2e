// Copying a storage root out, whole: for another disk, another archive, another tool.
#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"
#include "store/ocfl/validate.hpp"

namespace versement::ocfl {

struct ExportProgress {
  std::atomic<std::uint64_t> done_files{0}, done_bytes{0};
};

struct Exported {
  std::uint64_t objects = 0;
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  // The copy is valid: only then it stands under its name.
  bool good = false;
  // What the validator found in the copy, warnings too.
  std::vector<std::pair<std::string, Problem>> problems;  // object, problem
};

// Copies the root `from` to `to`, which must not exist, makes the copy durable, then reads all of
// it back past the page cache and validates it. Only then it gets its name; until then it is called
// `to`.part and a later call begins anew. Nobody may write to `from` meanwhile.
// Errors: exists; not_found when `from` is no root; cancelled; no_space; io.
Result<Exported> export_root(Disk& disk,
                             const Path& from,
                             const Path& to,
                             std::size_t threads,
                             ExportProgress& progress,
                             const std::stop_token& stop);

}  // namespace versement::ocfl
