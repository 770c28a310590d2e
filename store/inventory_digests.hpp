// Digests of inventories as they lie on the disk. Whoever serves a stored file compares the
// inventory that names it with the journal first; as long as the file is the same one, its bytes
// need no second look.
#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <unordered_map>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::store {

// Thread safe.
class InventoryDigests {
 public:
  explicit InventoryDigests(Disk& disk) : disk_(disk) {}

  // The SHA-512 of the file's bytes, in hexadecimal. Errors: not_found; invalid when it is no
  // regular file; limit; io.
  Result<std::string> of(const Path& file);

 private:
  // What cannot stay the same when somebody writes to the file or replaces it: the time of its last
  // change (ctime) is the kernel's alone.
  struct Stamp {
    std::uint64_t device = 0, inode = 0, size_bytes = 0;
    std::int64_t modified_ms = 0, changed_ns = 0;
    bool operator==(const Stamp&) const = default;
  };
  struct Known {
    std::string file;
    Stamp stamp;
    std::string digest;
  };
  static Stamp stamp_of(const FileInfo& info);
  void remember(Known known);

  Disk& disk_;
  std::mutex mutex_;
  std::list<Known> known_;                                              // Newest first; guarded.
  std::unordered_map<std::string, std::list<Known>::iterator> places_;  // Guarded by mutex_.
};

}  // namespace versement::store
