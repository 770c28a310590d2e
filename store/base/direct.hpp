// Direct: bytes to and from the medium past the page cache (O_DIRECT). A copy in memory would cost
// as much as the hashing, and a check that reads the copy proves nothing of the disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "store/base/disk.hpp"

namespace versement {

// Offsets, lengths and addresses of direct reads and writes are multiples of it.
inline constexpr std::size_t kDirectBlockBytes = 4096;

// Memory that starts at such an address.
class DirectBuffer {
 public:
  // `bytes` is rounded up to whole blocks.
  explicit DirectBuffer(std::size_t bytes);
  std::span<std::byte> all() { return {bytes_.get(), size_}; }

 private:
  struct Free {
    void operator()(std::byte* bytes) const;
  };
  std::size_t size_;
  std::unique_ptr<std::byte, Free> bytes_;
};

// A new file, written from its start to its end. Where the file system has no direct writes, and
// for what is left over after the last block, it writes through the page cache. Not thread safe.
class DirectWriter {
 public:
  // Errors: exists; no_space; io.
  static Result<DirectWriter> create(Disk& disk, const Path& path, mode_t mode);

  // `bytes` begins at a block's address. All calls but the last bring whole blocks.
  Result<void> write(std::span<const std::byte> bytes);
  Result<void> close();

 private:
  DirectWriter(Disk& disk, Path path) : disk_(&disk), path_(std::move(path)) {}
  Result<void> write_cached(std::span<const std::byte> bytes);

  Disk* disk_;
  Path path_;
  Fd cached_;
  Fd direct_;  // none where the file system has no such thing
  std::uint64_t offset_ = 0;
  std::uint64_t begun_ = 0;  // written back up to here, when there is no direct_
};

// Reads the first `size_bytes` of a file from the medium, in order. Ends early where the file does,
// or when `each` fails. Where the file system has no direct reads, clean pages are dropped first.
Result<void> read_direct(Disk& disk,
                         const Path& path,
                         std::uint64_t size_bytes,
                         const std::function<Result<void>(std::span<const std::byte>)>& each);

}  // namespace versement
