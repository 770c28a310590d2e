// Spool: text that is made now and wanted later, in memory while it is short.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"
#include "store/base/source.hpp"

namespace versement {

// Beyond a bound it lies in a file without a name, which goes with the spool and the runs that were
// taken of it, or with the process. Thread safe once nothing is added any more.
class Spool : public Source {
 public:
  // `path` is where that file may stand for a moment: a crash then leaves it there, empty.
  Spool(Disk& disk, Path path) : disk_(disk), path_(std::move(path)) {}

  Result<void> add(std::string_view text);
  // All that was added, in its order.
  Result<void> send(const Sink& sink) const;

  std::uint64_t size_bytes() const override { return written_ + held_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;
  Result<FileRun> run_at(std::uint64_t offset) override;
  std::size_t memory_bytes() const { return held_.capacity(); }

 private:
  Result<void> write();

  Disk& disk_;
  Path path_;
  std::shared_ptr<Fd> file_;
  std::uint64_t written_ = 0;  // the beginning, which lies in the file
  std::string held_;           // what follows it
};

}  // namespace versement
