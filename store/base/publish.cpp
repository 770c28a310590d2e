#include "store/base/publish.hpp"

#include <atomic>
#include <string>

#include <fcntl.h>
#include <unistd.h>

namespace versement {
namespace {

constexpr std::string_view kTemporaryPrefix = ".tmp-";

Path temporary_beside(const Path& target) {
  static std::atomic<unsigned> counter{0};
  return target.parent_path() / (std::string(kTemporaryPrefix) + std::to_string(::getpid()) + "-" +
                                 std::to_string(counter.fetch_add(1)));
}

Result<void> write_synced(Disk& disk,
                          const Path& path,
                          std::span<const std::byte> bytes,
                          mode_t mode) {
  TRY_SET(Fd fd, disk.open(path, O_WRONLY | O_CREAT | O_EXCL, mode));
  TRY(write_all(disk, fd, bytes, path));
  TRY(disk.sync(fd, path));
  return disk.close(std::move(fd), path);
}

template <class Rename>
Result<void> write_and_rename(
    Disk& disk, const Path& target, std::span<const std::byte> bytes, mode_t mode, Rename rename) {
  const Path temporary = temporary_beside(target);
  auto done = write_synced(disk, temporary, bytes, mode);
  if (done) done = rename(temporary, target);
  if (!done) {
    (void)disk.remove_file(temporary);  // Best effort: the next start sweeps .tmp-*.
    return done;
  }
  return sync_folder(disk, target.parent_path());
}

}  // namespace

Result<void> publish_file(Disk& disk,
                          const Path& target,
                          std::span<const std::byte> bytes,
                          mode_t mode) {
  return write_and_rename(disk, target, bytes, mode, [&](const Path& from, const Path& to) {
    return disk.rename_new(from, to);
  });
}

Result<void> replace_file(Disk& disk,
                          const Path& target,
                          std::span<const std::byte> bytes,
                          mode_t mode) {
  return write_and_rename(disk, target, bytes, mode, [&](const Path& from, const Path& to) {
    return disk.rename_over(from, to);
  });
}

Result<void> sync_folder(Disk& disk, const Path& folder) {
  TRY_SET(const Fd fd, disk.open(folder.empty() ? Path(".") : folder, O_RDONLY | O_DIRECTORY));
  return disk.sync(fd, folder);
}

Result<void> publish_folders(Disk& disk, const Path& folder, mode_t mode) {
  TRY_SET(const bool there, path_exists(disk, folder));
  if (there) return {};
  const Path parent = folder.parent_path();
  if (!parent.empty() && parent != folder) TRY(publish_folders(disk, parent, mode));
  auto made = disk.make_folder(folder, mode);
  if (!made && made.error().code() != Code::exists) return made;
  return sync_folder(disk, parent);
}

Result<void> sweep_temporary_files(Disk& disk, const Path& folder) {
  TRY_SET(const auto entries, list_sorted(disk, folder));
  for (const DirEntry& entry : entries) {
    if (entry.name.starts_with(kTemporaryPrefix)) TRY(disk.remove_file(folder / entry.name));
  }
  return {};
}

}  // namespace versement
