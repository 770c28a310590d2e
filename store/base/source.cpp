#include "store/base/source.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>

#include <fcntl.h>

namespace versement {

Result<FileRun> Source::run_at(std::uint64_t /*offset*/) {
  return FileRun{};
}

Result<std::size_t> ViewSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= bytes_.size()) return std::size_t{0};
  const std::size_t count = std::min<std::size_t>(into.size(), bytes_.size() - offset);
  std::memcpy(into.data(), bytes_.data() + offset, count);
  return count;
}

Result<std::size_t> MemorySource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  return ViewSource(bytes_).read_at(offset, into);
}

struct FileSource::Opened {
  std::shared_ptr<Fd> fd;  // shared with the guard
  std::shared_ptr<Guard> guard;
};

struct FileSource::State {
  std::mutex mutex;
  std::shared_ptr<Opened> opened;  // Guarded by mutex.
};

FileSource::FileSource(Disk& disk, Path path, std::uint64_t size_bytes)
    : disk_(disk),
      path_(std::make_shared<const Path>(std::move(path))),
      size_bytes_(size_bytes),
      state_(std::make_unique<State>()) {}

FileSource::FileSource(Disk& disk, Path path, std::uint64_t size_bytes, Expected expected)
    : FileSource(disk, std::move(path), size_bytes) {
  expected_ = std::move(expected);
}

FileSource::~FileSource() = default;

Result<std::shared_ptr<FileSource::Opened>> FileSource::opened() {
  const std::scoped_lock lock(state_->mutex);
  if (state_->opened) return state_->opened;
  auto fd = disk_.open(*path_, O_RDONLY);
  if (!fd) return told(std::move(fd).error());
  auto made = std::make_shared<Opened>();
  made->fd = std::make_shared<Fd>(std::move(*fd));
  TRY_SET(const FileInfo info, disk_.info(*made->fd, *path_));
  if (info.kind != FileKind::regular || info.size_bytes != size_bytes_) {
    return told(Error(Code::corrupt, path_->native() + " has " + std::to_string(info.size_bytes) +
                                         " bytes, not the " + std::to_string(size_bytes_) +
                                         " that were stored")
                    .as("content-corrupt"));
  }
  if (expected_) made->guard = std::make_shared<Guard>(disk_, path_, made->fd, info, *expected_);
  state_->opened = std::move(made);
  return state_->opened;
}

// Damage of a stored file is told of to whoever wants to know, and is no lack of something that was
// asked for. Where the file lies is for the former alone.
Error FileSource::told(Error what) const {
  if (!expected_ || !is_damage(what)) return what;
  if (expected_->on_damage) expected_->on_damage(what);
  if (what.code() == Code::io) return what;
  return Error(Code::corrupt, "a stored file is damaged: it is missing, or another than was stored")
      .as("content-corrupt");
}

Result<std::size_t> FileSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= size_bytes_) return std::size_t{0};
  TRY_SET(const auto file, opened());
  const auto wanted = into.first(std::min<std::uint64_t>(into.size(), size_bytes_ - offset));
  TRY_SET(const std::size_t count, disk_.read_at(*file->fd, wanted, offset, *path_));
  if (count == 0) {
    return Error(Code::corrupt, path_->native() + " became shorter while it was read")
        .as("content-corrupt");
  }
  return count;
}

Result<FileRun> FileSource::run_at(std::uint64_t offset) {
  TRY_SET(auto file, opened());
  const int number = file->fd->get();
  return FileRun{.fd = number,
                 .offset = offset,
                 .length = size_bytes_ - std::min(offset, size_bytes_),
                 .keep = file,
                 .guard = file->guard};
}

Result<std::string> read_source(Source& source, std::size_t bytes_max) {
  if (source.size_bytes() > bytes_max) {
    return Error(Code::limit, std::to_string(source.size_bytes()) + " bytes are more than the " +
                                  std::to_string(bytes_max) + " permitted here");
  }
  std::string bytes(source.size_bytes(), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto rest = std::as_writable_bytes(std::span(bytes).subspan(done));
    TRY_SET(const std::size_t count, source.read_at(done, rest));
    if (count == 0) return Error(Code::corrupt, "the bytes end before their time");
    done += count;
  }
  return bytes;
}

}  // namespace versement
