// versement bag validate.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/command.hpp"

namespace versement::cli {

struct BagValidateFlags {
  std::vector<std::string> bags;  // folders, archives, or "-" for an archive on standard input
  bool strict = false;
  bool lenient = false;
  bool complete_only = false;
  bool fast = false;
  unsigned jobs = 0;
  std::vector<std::string> profiles;  // files that must hold, folders to look them up in
  bool no_profile_identifier = false;
  std::vector<std::string> algorithms;
  std::string resume;
  std::string report;
  std::uint64_t members_max = 0;  // 0: as it is by itself, here and below
  std::uint64_t bytes_max = 0;
  std::uint64_t ratio_max = 0;
};

// Adds `bag validate` below `bag`.
void add_bag_validate(Tree& tree, CLI::App* bag);

}  // namespace versement::cli
