// What a storage root itself has: its declaration, its layout, its extensions. For validate.cpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "store/base/disk.hpp"
#include "store/ocfl/findings.hpp"
#include "store/ocfl/layouts.hpp"
#include "store/ocfl/strict_inventory.hpp"

namespace versement::ocfl {

struct RootFacts {
  std::optional<Spec> spec;
  std::optional<Layout> layout;
  std::string layout_unknown;  // why there is none
};

// Looks at everything in the root that is no part of the hierarchy. `entries` is what lies in it.
RootFacts check_root_files(Disk& disk,
                           const Path& root,
                           const std::vector<DirEntry>& entries,
                           Findings& findings);

}  // namespace versement::ocfl
