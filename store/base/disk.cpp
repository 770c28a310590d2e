#include "store/base/disk.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/base/limits.hpp"

namespace versement {
namespace {

constexpr std::int64_t kNsOfSecond = 1'000'000'000;
// Anybody can give a file any time: what 64 bits of nanoseconds can hold ends in the year 2262.
constexpr std::int64_t kSecondsMax = 9'000'000'000;

// Calls until it is not interrupted.
template <class Call>
auto uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR)
    result = call();
  return result;
}

Error failed(std::string_view act, const Path& path) {
  const int number = errno;
  std::string what(act);
  what += ' ';
  what += path.native();
  return Error::from_errno(number, what);
}

// Of a descriptor with O_DIRECT: the file system has no such thing, or larger blocks.
Error failed_transfer(std::string_view act, const Path& path) {
  const bool refused = errno == EINVAL;
  Error error = failed(act, path);
  return refused ? Error(Code::unsupported, error.what()) : error;
}

FileKind kind_of_mode(mode_t mode) {
  if (S_ISREG(mode)) return FileKind::regular;
  if (S_ISDIR(mode)) return FileKind::folder;
  if (S_ISLNK(mode)) return FileKind::link;
  return FileKind::other;
}

FileInfo info_of_stat(const struct stat& found) {
  return {.kind = kind_of_mode(found.st_mode),
          .size_bytes = static_cast<std::uint64_t>(found.st_size),
          .links = found.st_nlink,
          .inode = found.st_ino,
          .device = found.st_dev,
          .modified_ms = found.st_mtim.tv_sec * 1000 + found.st_mtim.tv_nsec / 1'000'000,
          .modified_ns = std::clamp<std::int64_t>(found.st_mtim.tv_sec, -kSecondsMax, kSecondsMax) *
                             kNsOfSecond +
                         found.st_mtim.tv_nsec,
          .changed_ns = found.st_ctim.tv_sec * kNsOfSecond + found.st_ctim.tv_nsec,
          .mode = found.st_mode & 07777u};
}

Result<FileInfo> info_at(int folder, const std::string& name, const Path& shown) {
  struct stat found = {};
  const int looked =
      uninterrupted([&] { return ::fstatat(folder, name.c_str(), &found, AT_SYMLINK_NOFOLLOW); });
  if (looked < 0) return failed("look at", shown / name);
  return info_of_stat(found);
}

}  // namespace

Result<Fd> Disk::open(const Path& path, int flags, mode_t mode) {
  const int number = uninterrupted(
      [&] { return ::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode); });
  if (number < 0 && (flags & O_DIRECT) != 0) return failed_transfer("open", path);
  if (number < 0) return failed("open", path);
  return Fd(number);
}

Result<Fd> NoLinksDisk::open(const Path& path, int flags, mode_t mode) {
  open_how how = {};
  // openat2 refuses flags that O_PATH would ignore.
  const int careful = (flags & O_PATH) != 0 ? 0 : O_NONBLOCK;
  how.flags = static_cast<__u64>(flags | O_CLOEXEC | O_NOFOLLOW | careful);
  how.mode = (flags & O_CREAT) != 0 ? mode : 0;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long number = uninterrupted(
      [&] { return ::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof(how)); });
  if (number < 0 && errno == ENOSYS) return Disk::open(path, flags, mode);
  if (number < 0) return failed("open", path);
  return Fd(static_cast<int>(number));
}

namespace {

// One piece of a path, short enough for the kernel.
Result<Fd> open_piece(const Fd& folder, const std::string& piece, int flags, const Path& shown) {
  open_how how = {};
  const int all = flags | O_CLOEXEC | O_NOFOLLOW;
  how.flags = static_cast<__u64>((flags & O_PATH) != 0 ? all : all | O_NONBLOCK);
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const long number = uninterrupted(
      [&] { return ::syscall(SYS_openat2, folder.get(), piece.c_str(), &how, sizeof(how)); });
  if (number >= 0) return Fd(static_cast<int>(number));
  if (errno != ENOSYS) return failed("open", shown / piece);
  // Linux before 5.6: a link in the middle is met as the last part of a path of one name.
  const std::size_t slash = piece.find('/');
  const int step = slash == std::string::npos ? flags : O_PATH | O_DIRECTORY;
  const std::string name = piece.substr(0, slash);
  const int careful = (step & O_PATH) != 0 ? 0 : O_NONBLOCK;
  const int opened = uninterrupted([&] {
    return ::openat(folder.get(), name.c_str(), step | O_CLOEXEC | O_NOFOLLOW | careful);
  });
  if (opened < 0) return failed("open", shown / name);
  Fd fd(opened);
  if (slash == std::string::npos) return fd;
  return open_piece(fd, piece.substr(slash + 1), flags, shown / name);
}

}  // namespace

Result<Fd> Disk::open_below(const Fd& folder,
                            std::string_view relative,
                            int flags,
                            const Path& shown) {
  // Names have at most 255 bytes: a slash stands within each piece.
  constexpr std::size_t kPieceBytesMax = 4000;
  Fd within;
  Path where = shown;
  while (relative.size() > kPieceBytesMax) {
    const std::size_t slash = relative.rfind('/', kPieceBytesMax);
    if (slash == std::string_view::npos || slash == 0) {
      return Error(Code::invalid, where.native() + " has a name longer than any file system takes");
    }
    const std::string piece(relative.substr(0, slash));
    TRY_SET(within, open_piece(within ? within : folder, piece, O_PATH | O_DIRECTORY, where));
    where /= piece;
    relative.remove_prefix(slash + 1);
  }
  return open_piece(within ? within : folder, std::string(relative), flags, where);
}

Result<FileInfo> Disk::info_in(const Fd& folder, const std::string& name, const Path& shown) {
  return info_at(folder.get(), name, shown);
}

Result<std::string> Disk::link_target_in(const Fd& folder,
                                         const std::string& name,
                                         const Path& shown) {
  std::string target(limits::kPathBytesMax + 100, '\0');
  const auto length = uninterrupted(
      [&] { return ::readlinkat(folder.get(), name.c_str(), target.data(), target.size()); });
  if (length < 0) return failed("read the link", shown / name);
  target.resize(static_cast<std::size_t>(length));
  return target;
}

Result<FileInfo> NoLinksDisk::info(const Path& path) {
  TRY_SET(const Fd fd, open(path, O_PATH));
  return Disk::info(fd, path);
}

Result<void> Disk::close(Fd fd, const Path& path) {
  // No loop: after EINTR the descriptor is gone on Linux.
  if (::close(fd.release()) < 0 && errno != EINTR) return failed("close", path);
  return {};
}

Result<std::size_t> Disk::read_at(const Fd& fd,
                                  std::span<std::byte> into,
                                  std::uint64_t offset,
                                  const Path& path) {
  const auto count = uninterrupted(
      [&] { return ::pread(fd.get(), into.data(), into.size(), static_cast<off_t>(offset)); });
  if (count < 0) return failed_transfer("read", path);
  return static_cast<std::size_t>(count);
}

Result<std::size_t> Disk::write(const Fd& fd, std::span<const std::byte> bytes, const Path& path) {
  const auto count = uninterrupted([&] { return ::write(fd.get(), bytes.data(), bytes.size()); });
  if (count < 0) return failed("write", path);
  return static_cast<std::size_t>(count);
}

Result<std::size_t> Disk::write_at(const Fd& fd,
                                   std::span<const std::byte> bytes,
                                   std::uint64_t offset,
                                   const Path& path) {
  const auto count = uninterrupted(
      [&] { return ::pwrite(fd.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset)); });
  if (count < 0) return failed_transfer("write", path);
  return static_cast<std::size_t>(count);
}

Result<void> Disk::sync(const Fd& fd, const Path& path) {
  if (uninterrupted([&] { return ::fsync(fd.get()); }) < 0) return failed("sync", path);
  return {};
}

Result<void> Disk::sync_data(const Fd& fd, const Path& path) {
  if (uninterrupted([&] { return ::fdatasync(fd.get()); }) < 0) return failed("sync", path);
  return {};
}

Result<void> Disk::sync_file_system(const Fd& fd, const Path& path) {
  if (uninterrupted([&] { return ::syncfs(fd.get()); }) < 0) {
    return failed("sync the file system of", path);
  }
  return {};
}

Result<void> Disk::allocate(const Fd& fd,
                            std::uint64_t offset,
                            std::uint64_t length,
                            const Path& path) {
  const int number =
      ::posix_fallocate(fd.get(), static_cast<off_t>(offset), static_cast<off_t>(length));
  if (number != 0) return Error::from_errno(number, "reserve space for " + path.native());
  return {};
}

Result<void> Disk::truncate(const Fd& fd, std::uint64_t size, const Path& path) {
  if (uninterrupted([&] { return ::ftruncate(fd.get(), static_cast<off_t>(size)); }) < 0) {
    return failed("truncate", path);
  }
  return {};
}

Result<void> Disk::rename_new(const Path& from, const Path& to) {
  const auto done = uninterrupted([&] {
    return ::syscall(SYS_renameat2, AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE);
  });
  if (done < 0) return failed("rename " + from.native() + " to", to);
  return {};
}

Result<void> Disk::rename_over(const Path& from, const Path& to) {
  if (uninterrupted([&] { return ::rename(from.c_str(), to.c_str()); }) < 0) {
    return failed("rename " + from.native() + " to", to);
  }
  return {};
}

Result<void> Disk::link_new(const Path& from, const Path& to) {
  const auto done =
      uninterrupted([&] { return ::linkat(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), 0); });
  if (done == 0) return {};
  const int number = errno;
  // EPERM is what file systems without hard links say, and the kernel of files of others.
  if (number == EXDEV || number == EPERM || number == EOPNOTSUPP || number == EMLINK) {
    return Error(Code::unsupported,
                 "cannot give " + from.native() + " a second name: " + std::strerror(number));
  }
  errno = number;
  return failed("link " + from.native() + " to", to);
}

Result<void> Disk::make_folder(const Path& path, mode_t mode) {
  if (uninterrupted([&] { return ::mkdir(path.c_str(), mode); }) < 0) {
    return failed("make folder", path);
  }
  return {};
}

Result<void> Disk::remove_file(const Path& path) {
  if (uninterrupted([&] { return ::unlink(path.c_str()); }) < 0) return failed("remove", path);
  return {};
}

Result<void> Disk::remove_folder(const Path& path) {
  if (uninterrupted([&] { return ::rmdir(path.c_str()); }) < 0) {
    return failed("remove folder", path);
  }
  return {};
}

Result<void> Disk::set_mode(const Path& path, mode_t mode) {
  if (uninterrupted([&] { return ::chmod(path.c_str(), mode); }) < 0) {
    return failed("set permissions of", path);
  }
  return {};
}

Result<void> Disk::set_modified(const Fd& fd, std::int64_t modified_ns, const Path& path) {
  // Rounded down, as the part below a second must not be negative before 1970.
  std::int64_t seconds = modified_ns / kNsOfSecond;
  std::int64_t rest = modified_ns % kNsOfSecond;
  if (rest < 0) {
    --seconds;
    rest += kNsOfSecond;
  }
  const std::array<timespec, 2> times{timespec{.tv_sec = 0, .tv_nsec = UTIME_NOW},
                                      timespec{.tv_sec = seconds, .tv_nsec = rest}};
  if (uninterrupted([&] { return ::futimens(fd.get(), times.data()); }) < 0) {
    return failed("set the time of", path);
  }
  return {};
}

Result<FileInfo> Disk::info(const Path& path) {
  struct stat found = {};
  if (uninterrupted([&] { return ::lstat(path.c_str(), &found); }) < 0) {
    return failed("look at", path);
  }
  return info_of_stat(found);
}

Result<FileInfo> Disk::info(const Fd& fd, const Path& path) {
  struct stat found = {};
  if (uninterrupted([&] { return ::fstat(fd.get(), &found); }) < 0) return failed("look at", path);
  return info_of_stat(found);
}

Result<void> Disk::list(const Path& path, const std::function<bool(const DirEntry&)>& each) {
  TRY_SET(Fd fd, open(path, O_RDONLY | O_DIRECTORY));
  return list_open(std::move(fd), path, each);
}

Result<void> Disk::list_open(Fd opened,
                             const Path& shown,
                             const std::function<bool(const DirEntry&)>& each) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::fdopendir(opened.get()), ::closedir);
  if (!folder) return failed("list", shown);
  (void)opened.release();  // closedir closes it.
  while (true) {
    errno = 0;
    const dirent* const entry = ::readdir(folder.get());
    if (entry == nullptr) {
      if (errno != 0) return failed("list", shown);
      return {};
    }
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    DirEntry found{.name = std::string(name), .inode = entry->d_ino};
    switch (entry->d_type) {
      case DT_REG:
        found.kind = FileKind::regular;
        break;
      case DT_DIR:
        found.kind = FileKind::folder;
        break;
      case DT_LNK:
        found.kind = FileKind::link;
        break;
      case DT_UNKNOWN: {  // Some file systems do not tell.
        TRY_SET(const FileInfo looked, info_at(::dirfd(folder.get()), found.name, shown));
        found.kind = looked.kind;
        break;
      }
      default:
        found.kind = FileKind::other;
    }
    if (!each(found)) return {};
  }
}

Result<Space> Disk::space(const Path& path) {
  struct statvfs found = {};
  if (uninterrupted([&] { return ::statvfs(path.c_str(), &found); }) < 0) {
    return failed("look at the free space of", path);
  }
  return Space{.free_bytes = found.f_bavail * found.f_frsize,
               .free_inodes = found.f_favail,
               .total_bytes = found.f_blocks * found.f_frsize,
               .total_inodes = found.f_files};
}

void Disk::begin_writeback(const Fd& fd, std::uint64_t offset, std::uint64_t length) {
  (void)::sync_file_range(fd.get(), static_cast<off_t>(offset), static_cast<off_t>(length),
                          SYNC_FILE_RANGE_WRITE);
}

void Disk::drop_cache(const Fd& fd) {
  // Only advice: where the kernel does not take it, the read is served from memory.
  (void)::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_DONTNEED);
}

Disk& real_disk() {
  static Disk disk;
  return disk;
}

Result<void> read_exactly(
    Disk& disk, const Fd& fd, std::span<std::byte> into, std::uint64_t offset, const Path& path) {
  std::size_t done = 0;
  while (done < into.size()) {
    TRY_SET(const std::size_t count, disk.read_at(fd, into.subspan(done), offset + done, path));
    if (count == 0) {
      return Error(Code::corrupt, path.native() + " ends at byte " + std::to_string(offset + done) +
                                      ", before its time");
    }
    done += count;
  }
  return {};
}

Result<void> write_all(Disk& disk,
                       const Fd& fd,
                       std::span<const std::byte> bytes,
                       const Path& path) {
  while (!bytes.empty()) {
    TRY_SET(const std::size_t count, disk.write(fd, bytes, path));
    if (count == 0) return Error(Code::io, "write " + path.native() + ": the disk took no bytes");
    bytes = bytes.subspan(count);
  }
  return {};
}

Result<std::string> read_file(Disk& disk, const Path& path, std::size_t bytes_max) {
  TRY_SET(const Fd fd, disk.open(path, O_RDONLY));
  TRY_SET(const FileInfo info, disk.info(fd, path));
  if (info.kind != FileKind::regular) {
    return Error(Code::invalid, path.native() + " is no regular file");
  }
  if (info.size_bytes > bytes_max) {
    return Error(Code::limit, path.native() + " has " + std::to_string(info.size_bytes) +
                                  " bytes; at most " + std::to_string(bytes_max) + " are read");
  }
  // The size is a hint: files below /proc say 0 and hold more. One byte more meets the end without
  // another, larger buffer.
  std::string bytes(std::max<std::size_t>(info.size_bytes + 1, 4096), '\0');
  std::size_t done = 0;
  while (true) {
    if (done == bytes.size()) {
      if (done > bytes_max) return Error(Code::limit, path.native() + " grew while it was read");
      bytes.resize(done * 2);
    }
    const auto rest = std::as_writable_bytes(std::span(bytes).subspan(done));
    TRY_SET(const std::size_t count, disk.read_at(fd, rest, done, path));
    if (count == 0) break;
    done += count;
  }
  if (done > bytes_max) return Error(Code::limit, path.native() + " grew while it was read");
  bytes.resize(done);
  return bytes;
}

Result<std::vector<DirEntry>> list_sorted(Disk& disk, const Path& path) {
  std::vector<DirEntry> entries;
  TRY(disk.list(path, [&](const DirEntry& entry) {
    entries.push_back(entry);
    return true;
  }));
  std::sort(entries.begin(), entries.end(),
            [](const DirEntry& a, const DirEntry& b) { return a.name < b.name; });
  return entries;
}

Result<bool> path_exists(Disk& disk, const Path& path) {
  auto info = disk.info(path);
  if (info) return true;
  if (info.error().code() == Code::not_found) return false;
  return std::move(info).error();
}

Result<void> make_folders(Disk& disk, const Path& path, mode_t mode) {
  auto made = disk.make_folder(path, mode);
  if (made || made.error().code() == Code::exists) return {};
  if (made.error().code() != Code::not_found || !path.has_parent_path()) return made;
  TRY(make_folders(disk, path.parent_path(), mode));
  made = disk.make_folder(path, mode);
  if (!made && made.error().code() == Code::exists) return {};
  return made;
}

Result<void> remove_tree(Disk& disk, const Path& path) {
  auto info = disk.info(path);
  if (!info) {
    if (info.error().code() == Code::not_found) return {};
    return std::move(info).error();
  }
  if (info->kind != FileKind::folder) return disk.remove_file(path);
  if ((info->mode & 0700u) != 0700u) TRY(disk.set_mode(path, 0755));
  TRY_SET(const auto entries, list_sorted(disk, path));
  for (const DirEntry& entry : entries)
    TRY(remove_tree(disk, path / entry.name));
  return disk.remove_folder(path);
}

}  // namespace versement
