#include "store/base/spool.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include <fcntl.h>

#include "store/base/limits.hpp"

namespace versement {
namespace {

constexpr std::size_t kHeldBytesMax = limits::kChunkBytes;

}  // namespace

Result<void> Spool::add(std::string_view text) {
  held_ += text;
  return held_.size() < kHeldBytesMax ? Result<void>() : write();
}

Result<void> Spool::write() {
  if (!file_) {
    TRY_SET(Fd file, disk_.open(path_, O_RDWR | O_CREAT | O_EXCL, 0600));
    TRY(disk_.remove_file(path_));
    file_ = std::make_shared<Fd>(std::move(file));
  }
  TRY(write_all(disk_, *file_, as_bytes(held_), path_));
  written_ += held_.size();
  held_.clear();
  return {};
}

Result<void> Spool::send(const Sink& sink) const {
  std::vector<std::byte> buffer(
      static_cast<std::size_t>(std::min<std::uint64_t>(written_, limits::kChunkBytes)));
  for (std::uint64_t offset = 0; offset < written_;) {
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), written_ - offset));
    const auto piece = std::span(buffer).first(count);
    TRY(read_exactly(disk_, *file_, piece, offset, path_));
    TRY(sink({reinterpret_cast<const char*>(piece.data()), piece.size()}));
    offset += count;
  }
  return held_.empty() ? Result<void>() : sink(held_);
}

Result<std::size_t> Spool::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= written_) return ViewSource(held_).read_at(offset - written_, into);
  const auto wanted = into.first(std::min<std::uint64_t>(into.size(), written_ - offset));
  TRY_SET(const std::size_t count, disk_.read_at(*file_, wanted, offset, path_));
  if (count > 0) return count;
  return Error(Code::corrupt, path_.native() + " became shorter while it was read");
}

Result<FileRun> Spool::run_at(std::uint64_t offset) {
  if (offset >= written_) return FileRun{};
  return FileRun{.fd = file_->get(),
                 .offset = offset,
                 .length = written_ - offset,
                 .keep = file_,
                 .guard = nullptr};
}

}  // namespace versement
