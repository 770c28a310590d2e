// What the readers of archives share: the limits that are put to a stranger's archive, forward
// bytes, the open file, and the set of names that have been seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/limits.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

struct ArchiveLimits {
  // Above 2^32 - 2 there is no effect: members are numbered in 32 bits.
  std::uint64_t members_max = limits::kArchiveMembersMax;
  std::uint64_t total_bytes_max = ~std::uint64_t{0};  // of all members, unpacked
  std::size_t name_bytes_max = limits::kArchiveNameBytesMax;
  // Unpacked bytes may be this many times those of the archive, and this much on top.
  std::uint64_t ratio_max = limits::kArchiveRatioMax;
  std::uint64_t ratio_slack_bytes = limits::kArchiveRatioSlackBytes;
  // What lists the members: names and what is kept of each; of a zip its central directory.
  std::uint64_t directory_bytes_max = limits::kArchiveDirectoryBytesMax;
};

// False when so many members are more than may be.
bool is_within_members(std::uint64_t members, const ArchiveLimits& limits);

// False when `unpacked` is more than `packed` bytes may become.
bool is_within_ratio(std::uint64_t unpacked, std::uint64_t packed, const ArchiveLimits& limits);

// Fills `into` and returns how much; 0 at the end.
using ReadBytes = std::function<Result<std::size_t>(std::span<std::byte> into)>;

// What an archive has wrong. `code` is a rule's code and becomes the reason of the error.
Error archive_fault(std::string_view code, std::string what);
// True for the errors that archive_fault makes: outside data is wrong, not the world.
bool is_archive_fault(const Error& error);

// A member's name without "./" in front and '/' at the end; empty for the top itself. All else
// stays as it is.
std::string_view plain_member_name(std::string_view name);

// Where a member goes on disk: its name without the parts "" and ".", which systems pass over.
// Two members of one place are one file to whoever unpacks them.
std::string member_place(std::string_view name);

// True when a name from plain_member_name has a part "" or "." that is not at its beginning: such
// a name looks like another than the file that it becomes.
bool has_idle_part(std::string_view name);

// Forward bytes: of a file, a pipe or a compressed stream. Not thread safe.
class ByteInput {
 public:
  ByteInput() = default;
  virtual ~ByteInput() = default;
  ByteInput(const ByteInput&) = delete;
  ByteInput& operator=(const ByteInput&) = delete;

  // At least one byte; 0 only at the end. Errors: those of archive_fault; of the file or pipe.
  virtual Result<std::size_t> read(std::span<std::byte> into) = 0;
  // Passes over bytes; returns how many there were.
  virtual Result<std::uint64_t> skip(std::uint64_t count);
  // How many were read and passed over.
  virtual std::uint64_t offset() const = 0;
  // How many bytes the archive itself has, as far as is known by now.
  virtual std::uint64_t packed_bytes() const = 0;
  // True when something other than padding follows what was compressed; known at the end.
  virtual bool has_trailing_bytes() const { return false; }

  // Reads until `into` is full or the end is there.
  Result<std::size_t> fill(std::span<std::byte> into);
};

class FunctionInput : public ByteInput {
 public:
  explicit FunctionInput(ReadBytes source) : source_(std::move(source)) {}
  Result<std::size_t> read(std::span<std::byte> into) override;
  std::uint64_t offset() const override { return offset_; }
  std::uint64_t packed_bytes() const override { return offset_; }

 private:
  ReadBytes source_;
  std::uint64_t offset_ = 0;
};

// A regular file, opened once for all who read from it. Thread safe.
class ArchiveFile {
 public:
  // Errors: invalid when it is no regular file; not_found, denied, io.
  static Result<std::shared_ptr<ArchiveFile>> open(Disk& disk, const Path& path);
  ArchiveFile(Disk& disk, Fd fd, Path path, std::uint64_t size_bytes)
      : disk_(disk), fd_(std::move(fd)), path_(std::move(path)), size_bytes_(size_bytes) {}

  // 0 at the end.
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const;
  std::uint64_t size_bytes() const { return size_bytes_; }
  std::string name() const { return path_.filename().string(); }

 private:
  Disk& disk_;
  Fd fd_;
  Path path_;
  std::uint64_t size_bytes_;
};

// Reads ahead a little: headers lie close together where files are small.
class FileInput : public ByteInput {
 public:
  explicit FileInput(std::shared_ptr<ArchiveFile> file, std::uint64_t offset = 0)
      : file_(std::move(file)), offset_(offset) {}
  Result<std::size_t> read(std::span<std::byte> into) override;
  Result<std::uint64_t> skip(std::uint64_t count) override;
  std::uint64_t offset() const override { return offset_; }
  std::uint64_t packed_bytes() const override { return file_->size_bytes(); }
  void seek(std::uint64_t offset) { offset_ = offset; }

 private:
  std::shared_ptr<ArchiveFile> file_;
  std::uint64_t offset_;
  std::vector<std::byte> ahead_;
  std::uint64_t ahead_offset_ = 0;
  std::size_t ahead_bytes_ = 0;
};

// Which names have been seen, at 16 bytes a place: 96 bits of a digest that is keyed anew each
// time, so that nobody can prepare two names that look like one, and the member's number.
class NameSet {
 public:
  NameSet();
  // Remembers `number` for `name`; returns the number that it had before.
  std::optional<std::uint32_t> put(std::string_view name, std::uint32_t number);
  std::optional<std::uint32_t> find(std::string_view name) const;

  // The number of a folder that only the names of its members tell of.
  static constexpr std::uint32_t kImplied = ~std::uint32_t{0} - 1;
  // Remembers the folders above `place` (of member_place) as kImplied. Returns the number of one
  // that had another; what is above that one is there, if this is called for each name.
  // `bytes` counts the names that were new: the caller's bound for deep names.
  std::optional<std::uint32_t> put_folders_above(std::string_view place, std::uint64_t* bytes);

 private:
  static constexpr std::uint32_t kFree = ~std::uint32_t{0};
  struct Slot {
    std::uint32_t key[3] = {0, 0, 0};  // NOLINT(modernize-avoid-c-arrays): 12 bytes, no padding.
    std::uint32_t number = kFree;
  };
  Slot key_of(std::string_view name) const;
  std::size_t place_of(const Slot& key) const;
  void grow();

  std::string salt_;
  std::vector<Slot> slots_;
  std::size_t used_ = 0;
};

}  // namespace versement::bagit
