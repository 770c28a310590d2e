// An OCFL storage root (OCFL 1.1 section 4): made, recognised, walked.
#pragma once

#include <functional>
#include <string_view>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::ocfl {

inline constexpr std::string_view kRootDeclarationName = "0=ocfl_1.1";
inline constexpr std::string_view kRootDeclaration = "ocfl_1.1\n";

// Makes an empty root with our layout. Requires: the folder is there and empty.
Result<void> create_root(Disk& disk, const Path& root);

// Errors: not_found when this is no storage root; unsupported for another version or layout.
Result<void> check_root(Disk& disk, const Path& root);

struct Found {
  enum class Kind { object, stray_file, empty_folder };
  Kind kind = Kind::object;
  Path path;  // relative to the root
};

// Calls `each` for every object, and for every file or empty folder of the hierarchy that belongs
// to none, in the folders' sorted order. Files directly in the root are allowed and left out; links
// are never followed and count as stray.
// Stops at the first error of `each`.
Result<void> walk_root(Disk& disk,
                       const Path& root,
                       const std::function<Result<void>(const Found&)>& each);

}  // namespace versement::ocfl
