// Archives from strangers, read as a stream through libarchive and never trusted.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "store/base/path.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

struct ArchiveMember {
  LogicalPath path;
  std::uint64_t size_bytes = 0;
  std::uint64_t header_offset = 0;  // in the stream, where its headers begin
};

struct UnpackLimits {
  std::uint64_t members_max = 10'000'000;
  std::uint64_t total_bytes_max = ~std::uint64_t{0};
};

// Fills `into` and returns how much; 0 at the end.
using ReadBytes = std::function<Result<std::size_t>(std::span<std::byte> into)>;

class MemberSink {
 public:
  MemberSink() = default;
  virtual ~MemberSink() = default;
  MemberSink(const MemberSink&) = delete;
  MemberSink& operator=(const MemberSink&) = delete;
  virtual Result<void> begin(const ArchiveMember& member) = 0;
  virtual Result<void> data(std::span<const std::byte> bytes) = 0;
  virtual Result<void> end() = 0;
};

// Reads a tar stream. Folders are passed over; anything else but a regular file is refused
// ("archive-special-file"), and so is a path that is no LogicalPath ("archive-path").
// Errors: invalid; corrupt when the stream is no tar or ends early; limit; those of the functions.
Result<void> read_tar(const ReadBytes& read, const UnpackLimits& limits, MemberSink& sink);

}  // namespace versement::bagit
