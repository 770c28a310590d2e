#include "store/base/direct.hpp"

#include <algorithm>
#include <new>

#include <fcntl.h>

#include "store/base/limits.hpp"

namespace versement {
namespace {

// Without direct writes the disk is kept busy while we hash; the sync comes later.
constexpr std::uint64_t kWritebackBytes = 4u << 20;

std::size_t whole_blocks(std::size_t bytes) {
  return bytes / kDirectBlockBytes * kDirectBlockBytes;
}

// An empty Fd where the file system refuses O_DIRECT.
Result<Fd> open_direct(Disk& disk, const Path& path, int flags) {
  auto fd = disk.open(path, flags | O_DIRECT);
  if (!fd && fd.error().code() == Code::unsupported) return Fd();
  return fd;
}

// What the kernel holds of the file in memory is dropped as far as it is clean.
Result<Fd> open_cached(Disk& disk, const Path& path) {
  TRY_SET(Fd fd, disk.open(path, O_RDONLY));
  disk.drop_cache(fd);
  return fd;
}

}  // namespace

DirectBuffer::DirectBuffer(std::size_t bytes)
    : size_(whole_blocks(std::max<std::size_t>(bytes, 1) + kDirectBlockBytes - 1)),
      bytes_(static_cast<std::byte*>(::operator new (size_, std::align_val_t{kDirectBlockBytes}))) {
}

void DirectBuffer::Free::operator()(std::byte* bytes) const {
  ::operator delete (bytes, std::align_val_t{kDirectBlockBytes});
}

Result<DirectWriter> DirectWriter::create(Disk& disk, const Path& path, mode_t mode) {
  DirectWriter writer(disk, path);
  // Writable for its owner until the second descriptor is there.
  TRY_SET(writer.cached_, disk.open(path, O_WRONLY | O_CREAT | O_EXCL, mode | 0200));
  TRY_SET(writer.direct_, open_direct(disk, path, O_WRONLY));
  if ((mode & 0200) == 0) TRY(disk.set_mode(path, mode));
  return writer;
}

Result<void> DirectWriter::write(std::span<const std::byte> bytes) {
  std::size_t blocks = whole_blocks(bytes.size());
  while (direct_ && blocks > 0) {
    auto count = disk_->write_at(direct_, bytes.first(blocks), offset_, path_);
    if (!count && count.error().code() == Code::unsupported) {
      direct_ = Fd();  // Its blocks are larger than ours.
      break;
    }
    if (!count) return std::move(count).error();
    // What is left of a block that was cut short goes through the page cache.
    const std::size_t done = whole_blocks(*count);
    if (done == 0) break;
    offset_ += done;
    bytes = bytes.subspan(done);
    blocks -= done;
  }
  return write_cached(bytes);
}

Result<void> DirectWriter::write_cached(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    TRY_SET(const std::size_t count, disk_->write_at(cached_, bytes, offset_, path_));
    if (count == 0) return Error(Code::io, "write " + path_.native() + ": the disk took no bytes");
    offset_ += count;
    bytes = bytes.subspan(count);
  }
  if (direct_ || offset_ - begun_ < kWritebackBytes) return {};
  disk_->begin_writeback(cached_, begun_, offset_ - begun_);
  begun_ = offset_;
  return {};
}

Result<void> DirectWriter::close() {
  if (direct_) TRY(disk_->close(std::move(direct_), path_));
  return disk_->close(std::move(cached_), path_);
}

Result<void> read_direct(Disk& disk,
                         const Path& path,
                         std::uint64_t size_bytes,
                         const std::function<Result<void>(std::span<const std::byte>)>& each) {
  TRY_SET(Fd fd, open_direct(disk, path, O_RDONLY));
  bool direct = static_cast<bool>(fd);
  if (!direct) {
    TRY_SET(fd, open_cached(disk, path));
  }
  DirectBuffer buffer(std::min<std::uint64_t>(limits::kDirectChunkBytes, size_bytes));
  for (std::uint64_t offset = 0; offset < size_bytes;) {
    auto read = disk.read_at(fd, buffer.all(), offset, path);
    // Its blocks are larger than ours, or the file ended within a block.
    if (!read && read.error().code() == Code::unsupported && direct) {
      TRY_SET(fd, open_cached(disk, path));
      direct = false;
      continue;
    }
    TRY_SET(const std::size_t count, std::move(read));
    if (count == 0) return {};
    const auto wanted = std::min<std::uint64_t>(count, size_bytes - offset);
    TRY(each(buffer.all().first(static_cast<std::size_t>(wanted))));
    offset += wanted;
  }
  return {};
}

}  // namespace versement
