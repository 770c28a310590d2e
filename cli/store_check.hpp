// versement store check: an OCFL root, object or data folder, checked without a daemon.
#pragma once

#include <string>

#include "cli/command.hpp"

namespace versement::cli {

struct StoreCheckFlags {
  std::string dir;     // data folder, storage root or object
  bool fast = false;   // no content is read
  bool full = false;   // it is; what is done without a flag
  unsigned jobs = 0;   // files read at once; 0 for what suits the machine
  std::string resume;  // cursor file; empty for none
};

// Returns the exit status.
int check_store(Session& session, const StoreCheckFlags& flags);

}  // namespace versement::cli
