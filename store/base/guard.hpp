// Keeps a wrong byte of a stored file from ending up in a complete answer: while the file is sent,
// its CRC-32 is compared with that of the deposit, and every write to it is noticed.
//
// CRC-32 finds each single error of up to 32 bits in a row and misses other damage once in four
// thousand million times. It is fast enough for every answer; SHA-512 is what audits compare.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>

#include "store/base/disk.hpp"
#include "store/base/fd.hpp"
#include "store/base/result.hpp"

namespace versement {

// True when a stored file of which this was said is not as it was stored: it is missing, other
// bytes or a link stand in its place, or the disk keeps them back. That the process has no
// descriptors or memory left says nothing about it.
bool is_damage(const Error& what);

// Which files were compared lately, and how far. Bounded: the oldest are forgotten. Thread safe.
class Comparisons {
 public:
  using Clock = std::chrono::steady_clock;
  // For how long a file that nobody wrote to meanwhile need not be compared again.
  static constexpr std::chrono::minutes kTrusted{15};

  // What is known of one file.
  struct Known {
    std::mutex mutex;  // held while somebody reads on
    FileInfo info;     // Guarded by mutex, all of them. Of another state of the file: worthless
    std::uint64_t end = 0;
    std::uint32_t crc32 = 0;                       // of the bytes before `end`
    std::optional<Clock::time_point> compared_at;  // the whole was right
  };
  std::shared_ptr<Known> of(const FileInfo& info);

 private:
  struct Key {
    std::uint64_t device, inode;
    bool operator==(const Key& other) const {
      return device == other.device && inode == other.inode;
    }
  };
  struct HashKey {
    std::size_t operator()(const Key& key) const {
      return std::hash<std::uint64_t>()(key.inode * 31 + key.device);
    }
  };
  std::mutex mutex_;
  std::unordered_map<Key, std::shared_ptr<Known>, HashKey> known_;  // Guarded by mutex_.
  std::list<Key> order_;                                            // likewise; the oldest first
};

// What a stored file must be, and who is told when it is not.
struct Expected {
  std::optional<std::uint32_t> crc32;
  std::shared_ptr<Comparisons> comparisons;
  // Called at most once a sending, on the thread that found it, with the reason.
  std::function<void(const Error& what)> on_damage;
};

// An open file that is compared while it is sent. Thread safe.
class Guard {
 public:
  // `info` is of `fd`, taken when it was opened.
  Guard(Disk& disk,
        std::shared_ptr<const Path> path,
        std::shared_ptr<Fd> fd,
        const FileInfo& info,
        Expected expected);

  // True when all of it was compared lately and nobody wrote to it since: it may be sent as it is,
  // if is_unchanged() holds afterwards.
  bool is_trusted() const;
  // True when nobody wrote to the file since it was opened. Errors: io.
  Result<bool> is_unchanged() const;
  std::uint64_t size_bytes() const { return info_.size_bytes; }
  // Tells of damage that somebody else found.
  Error damaged(Error what) const;

  // One sending of a part of the file: not thread safe.
  class Pass {
   public:
    explicit Pass(std::shared_ptr<Guard> guard);
    // Keeps what was compared: who was cut off goes on from there.
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    bool is_trusted() const { return trusted_; }
    // Reads and compares the whole file before a byte of it leaves, a piece at a time, until it
    // returns true. Errors: those of settle().
    Result<bool> compare_first();
    // These bytes of the file are about to be sent; in rising order.
    void take(std::uint64_t offset, std::span<const std::byte> bytes);
    // Bytes are sent by the kernel, unseen.
    void take_unseen() { unseen_ = true; }
    // To be called before the last byte leaves, until it returns true: what was not sent is read
    // and compared, a piece at a time. Errors: corrupt ("content-corrupt"), after on_damage was
    // told; conflict ("content-changed") when the file was written to meanwhile, though its bytes
    // are the right ones again; io.
    Result<bool> settle();

   private:
    void keep_seen(Comparisons::Known* known, const FileInfo& now) const;
    Result<bool> read_on(Comparisons::Known& known);
    Result<bool> judge(std::uint32_t crc32);
    std::shared_ptr<Comparisons::Known> known();

    std::shared_ptr<Guard> guard_;
    std::shared_ptr<Comparisons::Known> own_;  // of a file that is not remembered
    bool trusted_ = false;
    bool unseen_ = false;
    bool changed_ = false;
    std::uint64_t end_ = 0;  // the bytes before it were taken, all of them
    std::uint32_t crc32_ = 0;
  };

 private:
  Disk& disk_;
  const std::shared_ptr<const Path> path_;
  const std::shared_ptr<Fd> fd_;
  const FileInfo info_;
  const Expected expected_;
};

}  // namespace versement
