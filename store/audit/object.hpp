// Reads one object again: every byte of every file, and nothing beside them.
#pragma once

#include <atomic>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "store/audit/outcome.hpp"
#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::audit {

struct ObjectToCheck {
  Path folder;
  // SHA-512 of the inventory of each version, as the journal says, the first one first; the last is
  // the object's own.
  std::vector<std::string> inventories;
};

// Calls `each` once for every file that the object has or should have: payload, inventories,
// sidecars, declaration. Links and special files are unexpected and never opened. A file that does
// not match is read twice more past the page cache before it is a mismatch.
// Errors: cancelled.
Result<void> check_object(Disk& disk,
                          const ObjectToCheck& object,
                          const std::stop_token& stop,
                          std::atomic<std::uint64_t>& bytes_read,
                          const std::function<void(FileOutcome&&)>& each);

}  // namespace versement::audit
