// Disk: every call that touches the file system, in one place, so that a test can make call N fail.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "store/base/fd.hpp"
#include "store/base/result.hpp"

namespace versement {

using Path = std::filesystem::path;

enum class FileKind { regular, folder, link, other };

struct FileInfo {
  FileKind kind = FileKind::other;
  std::uint64_t size_bytes = 0;
  std::uint64_t links = 1;
  std::uint64_t inode = 0;
  std::uint64_t device = 0;
  std::int64_t modified_ms = 0;  // since 1970, UTC
  std::int64_t modified_ns = 0;  // the same, as fine as the file system keeps it
  std::int64_t changed_ns = 0;   // likewise; by the kernel, whenever bytes, mode or names change
  unsigned mode = 0;             // permission bits
};

struct DirEntry {
  std::string name;
  FileKind kind = FileKind::other;
  std::uint64_t inode = 0;
};

struct Space {
  std::uint64_t free_bytes = 0;   // for this user
  std::uint64_t free_inodes = 0;  // 0 and total_inodes 0 on file systems that have none
  std::uint64_t total_bytes = 0;
  std::uint64_t total_inodes = 0;
};

// The file system. Thread safe: no state of its own. Every error names the act and the path.
//
// EINTR is handled here once. `write` and `read` may be short, as the system's are; the helpers
// below loop.
class Disk {
 public:
  Disk() = default;
  virtual ~Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // O_CLOEXEC and O_NOFOLLOW are always added. With O_DIRECT, here and in reads and writes:
  // unsupported when the file system has no such thing or asks for larger blocks.
  virtual Result<Fd> open(const Path& path, int flags, mode_t mode = 0);
  // Reports what the kernel kept back until now (NFS, quotas). The descriptor is gone either way.
  virtual Result<void> close(Fd fd, const Path& path);
  virtual Result<std::size_t> read_at(const Fd& fd,
                                      std::span<std::byte> into,
                                      std::uint64_t offset,
                                      const Path& path);
  virtual Result<std::size_t> write(const Fd& fd,
                                    std::span<const std::byte> bytes,
                                    const Path& path);
  virtual Result<std::size_t> write_at(const Fd& fd,
                                       std::span<const std::byte> bytes,
                                       std::uint64_t offset,
                                       const Path& path);
  // A failed sync is final: the pages are marked clean, and a second call would lie.
  virtual Result<void> sync(const Fd& fd, const Path& path);
  virtual Result<void> sync_data(const Fd& fd, const Path& path);
  virtual Result<void> sync_file_system(const Fd& fd, const Path& path);
  virtual Result<void> allocate(const Fd& fd,
                                std::uint64_t offset,
                                std::uint64_t length,
                                const Path& path);
  virtual Result<void> truncate(const Fd& fd, std::uint64_t size, const Path& path);

  // Renames and never replaces: Code::exists when `to` is there.
  virtual Result<void> rename_new(const Path& from, const Path& to);
  virtual Result<void> rename_over(const Path& from, const Path& to);
  // Gives a file a second name; a symbolic link gets one itself. Code::exists when `to` is there;
  // unsupported where the file system has no such thing, or the file lies on another one.
  virtual Result<void> link_new(const Path& from, const Path& to);
  virtual Result<void> make_folder(const Path& path, mode_t mode = 0755);
  virtual Result<void> remove_file(const Path& path);
  virtual Result<void> remove_folder(const Path& path);
  virtual Result<void> set_mode(const Path& path, mode_t mode);
  // Since 1970, UTC. The time of the last access becomes the present.
  virtual Result<void> set_modified(const Fd& fd, std::int64_t modified_ns, const Path& path);

  // Of the link itself, never of what it points at.
  virtual Result<FileInfo> info(const Path& path);
  virtual Result<FileInfo> info(const Fd& fd, const Path& path);
  // In the folder's own order, without "." and "..". Stops early when `each` returns false.
  virtual Result<void> list(const Path& path, const std::function<bool(const DirEntry&)>& each);
  virtual Result<Space> space(const Path& path);

  // The same below a folder that is open already: what a path names can neither leave the folder
  // nor lead through a link, whoever changes the tree meanwhile (openat2 with RESOLVE_BENEATH,
  // Linux 5.6; name by name before that). `relative` has names between single slashes, none of them
  // ".." or ".", and may be longer than PATH_MAX; `shown` is the folder's path, for errors.
  virtual Result<Fd> open_below(const Fd& folder,
                                std::string_view relative,
                                int flags,
                                const Path& shown);
  // Of an entry of the folder itself; `name` has no slash.
  virtual Result<FileInfo> info_in(const Fd& folder, const std::string& name, const Path& shown);
  virtual Result<std::string> link_target_in(const Fd& folder,
                                             const std::string& name,
                                             const Path& shown);
  // The entries of an open folder, which is used up.
  virtual Result<void> list_open(Fd opened,
                                 const Path& shown,
                                 const std::function<bool(const DirEntry&)>& each);

  // Asks the kernel to begin writing these bytes to the disk, and does not wait: a sync to come has
  // less to do. A hint; what fails is found by that sync.
  virtual void begin_writeback(const Fd& fd, std::uint64_t offset, std::uint64_t length);
  // Asks the kernel to forget clean pages of this file, so that the next read meets the medium.
  virtual void drop_cache(const Fd& fd);
};

// The disk of this machine.
Disk& real_disk();

// The same for folders that strangers can change: it follows no link, in no part of a path (openat2
// with RESOLVE_NO_SYMLINKS, Linux 5.6; before that only the last part is guarded). Paths must be
// real ones. Only open, info and list are such; nothing is written through it.
class NoLinksDisk : public Disk {
 public:
  using Disk::info;
  Result<Fd> open(const Path& path, int flags, mode_t mode = 0) override;
  Result<FileInfo> info(const Path& path) override;
};

// Reads exactly `into.size()` bytes. Errors: corrupt when the file ends before; io.
Result<void> read_exactly(
    Disk& disk, const Fd& fd, std::span<std::byte> into, std::uint64_t offset, const Path& path);
Result<void> write_all(Disk& disk,
                       const Fd& fd,
                       std::span<const std::byte> bytes,
                       const Path& path);

// Reads a whole file of at most `bytes_max`. Errors: not_found; limit; invalid when it is no
// regular file; io.
Result<std::string> read_file(Disk& disk, const Path& path, std::size_t bytes_max);

// All entries, sorted by name as bytes. For folders whose size we bound ourselves.
Result<std::vector<DirEntry>> list_sorted(Disk& disk, const Path& path);

// True if something of this name is there; errors other than "not found" are errors.
Result<bool> path_exists(Disk& disk, const Path& path);

// Makes the folder and those above it as far as they lack. Nothing is synced.
Result<void> make_folders(Disk& disk, const Path& path, mode_t mode = 0755);

// Removes a folder and all below it, read-only folders too; never follows a link.
// `not_found` is success.
Result<void> remove_tree(Disk& disk, const Path& path);

inline std::span<const std::byte> as_bytes(std::string_view text) {
  return std::as_bytes(std::span<const char>(text.data(), text.size()));
}

}  // namespace versement
