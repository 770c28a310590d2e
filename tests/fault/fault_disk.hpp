// A disk whose N-th call fails: once, or from then on (which is how the world looks to a process
// that is killed there).
#pragma once

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <string>

#include <fcntl.h>

#include "store/base/disk.hpp"

namespace versement::testing {

enum class Fault {
  io,           // EIO, once
  no_space,     // ENOSPC, once, of calls that may need space
  descriptors,  // EMFILE, once, of open
  short_write,  // a write takes one byte, once
  dead,         // every call fails from then on
};

inline const char* fault_name(Fault fault) {
  switch (fault) {
    case Fault::io:
      return "EIO";
    case Fault::no_space:
      return "ENOSPC";
    case Fault::descriptors:
      return "EMFILE";
    case Fault::short_write:
      return "short write";
    case Fault::dead:
      return "killed";
  }
  return "";
}

class FaultDisk : public Disk {
 public:
  // Counts from now on; the `at`-th call that the fault concerns fails (1 is the first).
  void arm(Fault fault, std::uint64_t at) {
    fault_ = fault;
    at_ = at;
    calls_ = 0;
    armed_ = true;
  }
  // True if the fault happened.
  bool disarm() {
    armed_ = false;
    return calls_ >= at_;
  }
  // The call that failed first.
  const std::string& failed_call() const { return failed_call_; }

  Result<Fd> open(const Path& path, int flags, mode_t mode) override {
    TRY(gate((flags & O_CREAT) != 0 ? Kind::create : Kind::open, "open", path));
    return Disk::open(path, flags, mode);
  }
  Result<void> close(Fd fd, const Path& path) override {
    TRY(gate(Kind::space, "close", path));
    return Disk::close(std::move(fd), path);
  }
  Result<std::size_t> read_at(const Fd& fd,
                              std::span<std::byte> into,
                              std::uint64_t offset,
                              const Path& path) override {
    TRY(gate(Kind::other, "read", path));
    return Disk::read_at(fd, into, offset, path);
  }
  Result<std::size_t> write(const Fd& fd,
                            std::span<const std::byte> bytes,
                            const Path& path) override {
    TRY(gate(Kind::write, "write", path));
    return Disk::write(fd, shortened(bytes), path);
  }
  Result<std::size_t> write_at(const Fd& fd,
                               std::span<const std::byte> bytes,
                               std::uint64_t offset,
                               const Path& path) override {
    TRY(gate(Kind::write, "write", path));
    return Disk::write_at(fd, shortened(bytes), offset, path);
  }
  Result<void> sync(const Fd& fd, const Path& path) override {
    TRY(gate(Kind::other, "sync", path));
    return Disk::sync(fd, path);
  }
  Result<void> sync_data(const Fd& fd, const Path& path) override {
    TRY(gate(Kind::other, "sync", path));
    return Disk::sync_data(fd, path);
  }
  Result<void> sync_file_system(const Fd& fd, const Path& path) override {
    TRY(gate(Kind::other, "syncfs", path));
    return Disk::sync_file_system(fd, path);
  }
  Result<void> allocate(const Fd& fd,
                        std::uint64_t offset,
                        std::uint64_t length,
                        const Path& path) override {
    TRY(gate(Kind::space, "allocate", path));
    return Disk::allocate(fd, offset, length, path);
  }
  Result<void> truncate(const Fd& fd, std::uint64_t size, const Path& path) override {
    TRY(gate(Kind::other, "truncate", path));
    return Disk::truncate(fd, size, path);
  }
  Result<void> rename_new(const Path& from, const Path& to) override {
    TRY(gate(Kind::space, "rename", to));
    return Disk::rename_new(from, to);
  }
  Result<void> rename_over(const Path& from, const Path& to) override {
    TRY(gate(Kind::space, "rename", to));
    return Disk::rename_over(from, to);
  }
  Result<void> make_folder(const Path& path, mode_t mode) override {
    TRY(gate(Kind::space, "mkdir", path));
    return Disk::make_folder(path, mode);
  }
  Result<void> remove_file(const Path& path) override {
    TRY(gate(Kind::other, "unlink", path));
    return Disk::remove_file(path);
  }
  Result<void> remove_folder(const Path& path) override {
    TRY(gate(Kind::other, "rmdir", path));
    return Disk::remove_folder(path);
  }
  Result<void> set_mode(const Path& path, mode_t mode) override {
    TRY(gate(Kind::other, "chmod", path));
    return Disk::set_mode(path, mode);
  }
  Result<FileInfo> info(const Path& path) override {
    TRY(gate(Kind::other, "stat", path));
    return Disk::info(path);
  }
  Result<FileInfo> info(const Fd& fd, const Path& path) override {
    TRY(gate(Kind::other, "stat", path));
    return Disk::info(fd, path);
  }
  Result<Space> space(const Path& path) override {
    TRY(gate(Kind::other, "statvfs", path));
    return Disk::space(path);
  }

 private:
  enum class Kind { open, create, write, space, other };

  bool concerns(Kind kind) const {
    switch (fault_) {
      case Fault::io:
      case Fault::dead:
        return true;
      case Fault::no_space:
        return kind != Kind::other && kind != Kind::open;
      case Fault::descriptors:
        return kind == Kind::open || kind == Kind::create;
      case Fault::short_write:
        return kind == Kind::write;
    }
    return false;
  }

  Result<void> gate(Kind kind, const char* call, const Path& path) {
    shorten_ = false;
    if (!armed_ || !concerns(kind)) return {};
    const std::uint64_t number = ++calls_;
    const bool hit = fault_ == Fault::dead ? number >= at_ : number == at_;
    if (!hit) return {};
    if (number == at_) failed_call_ = std::string(call) + " " + path.native();
    if (fault_ == Fault::short_write) {
      shorten_ = true;
      return {};
    }
    const int code = fault_ == Fault::no_space      ? ENOSPC
                     : fault_ == Fault::descriptors ? EMFILE
                                                    : EIO;
    return Error::from_errno(code, std::string(call) + " " + path.native());
  }

  std::span<const std::byte> shortened(std::span<const std::byte> bytes) {
    return shorten_ && bytes.size() > 1 ? bytes.first(1) : bytes;
  }

  Fault fault_ = Fault::io;
  std::atomic<std::uint64_t> at_{0};
  std::atomic<std::uint64_t> calls_{0};
  std::atomic<bool> armed_{false};
  static inline thread_local bool shorten_ = false;  // the call that gate() has let through
  std::string failed_call_;
};

}  // namespace versement::testing
