// Receives the bag of a transfer: every file is checked while it arrives, a cut connection goes on
// where it broke, and the bag appears whole or not at all.
#pragma once

#include <functional>
#include <string>

#include "cli/client.hpp"
#include "store/base/disk.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"

namespace versement::cli {

struct PullOptions {
  Path to = ".";
  unsigned retries = 10;  // in a row without any progress
  // Called now and then with {"done_bytes", "total_bytes", "done_files"}.
  std::function<void(const json::Object&)> progress;
  // Told of each retry.
  std::function<void(const std::string&)> note;
};

struct Pulled {
  Path bag;                 // the folder, complete and validated
  std::string seal_digest;  // computed from what arrived
  std::uint64_t files = 0;  // all of the bag's files
  std::uint64_t bytes = 0;
};

// Errors: exists when the bag's folder is there; corrupt ("checksum-mismatch", "bag-invalid") when
// what arrived is not what was sealed; those of the client and the disk.
Result<Pulled> pull(Client& client, const std::string& transfer, const PullOptions& options);

}  // namespace versement::cli
