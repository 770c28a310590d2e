// Source: sized bytes which can be read at an offset. What bags and answers are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "store/base/disk.hpp"
#include "store/base/guard.hpp"
#include "store/base/result.hpp"

namespace versement {

// A run of bytes of an open file, for sendfile. `fd` stays open as long as `keep` lives.
struct FileRun {
  int fd = -1;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  std::shared_ptr<void> keep;
  std::shared_ptr<Guard> guard;  // of a file of the store: to be asked while it is sent
};

// Sized bytes. Reading is thread safe; the same bytes come every time.
class Source {
 public:
  Source() = default;
  virtual ~Source() = default;
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  virtual std::uint64_t size_bytes() const = 0;

  // Fills as much of `into` as it likes, at least one byte. Returns 0 only at the end.
  // Errors: corrupt when bytes that were promised are not there; io.
  virtual Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) = 0;

  // The file that holds the byte at `offset`, and how far it goes; `fd` is -1 where the bytes come
  // from memory. `length` 0 means: ask read_at.
  virtual Result<FileRun> run_at(std::uint64_t offset);
};

// Bytes in memory.
class MemorySource : public Source {
 public:
  explicit MemorySource(std::string bytes) : bytes_(std::move(bytes)) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;

 private:
  std::string bytes_;
};

// Bytes that somebody else keeps for as long as this is used.
class ViewSource : public Source {
 public:
  explicit ViewSource(std::string_view bytes) : bytes_(bytes) {}
  std::uint64_t size_bytes() const override { return bytes_.size(); }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;

 private:
  const std::string_view bytes_;
};

// A file, opened at its first use. Its size was promised by whoever made the source; a file of
// another size is an error, not another size.
class FileSource : public Source {
 public:
  FileSource(Disk& disk, Path path, std::uint64_t size_bytes);
  // Of the store: its runs have a guard, and who is to be told of damage is.
  FileSource(Disk& disk, Path path, std::uint64_t size_bytes, Expected expected);
  ~FileSource() override;
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  std::uint64_t size_bytes() const override { return size_bytes_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;
  Result<FileRun> run_at(std::uint64_t offset) override;

 private:
  struct Opened;
  Result<std::shared_ptr<Opened>> opened();
  Error told(Error what) const;

  Disk& disk_;
  const std::shared_ptr<const Path> path_;  // shared with the guard: a copy costs a dozen strings
  std::uint64_t size_bytes_;
  std::optional<Expected> expected_;
  struct State;
  std::unique_ptr<State> state_;
};

// Takes bytes as they come; what it is called with lasts as long as the call.
using Sink = std::function<Result<void>(std::string_view bytes)>;
// Hands bytes to a sink, from the first to the last; they need not be anywhere as a whole.
using Produce = std::function<Result<void>(const Sink& sink)>;

// Reads a whole source of at most `bytes_max` into memory.
Result<std::string> read_source(Source& source, std::size_t bytes_max);

}  // namespace versement
