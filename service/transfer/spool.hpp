// Spool: text that is made now and wanted later, in memory while it is short.
#pragma once

#include <string>
#include <string_view>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"
#include "store/base/source.hpp"

namespace versement::transfer {

// Beyond a bound it lies in a file without a name, which goes with the spool or the process. Not
// thread safe.
class Spool {
 public:
  // `path` is where that file may stand for a moment: a crash then leaves it there, empty.
  Spool(Disk& disk, Path path) : disk_(&disk), path_(std::move(path)) {}

  Result<void> add(std::string_view text);
  // All that was added, in its order.
  Result<void> send(const Sink& sink) const;
  std::uint64_t size_bytes() const { return written_ + held_.size(); }

 private:
  Result<void> write();

  Disk* disk_;
  Path path_;
  Fd file_;
  std::uint64_t written_ = 0;
  std::string held_;
};

}  // namespace versement::transfer
