// Reads a tar stream from a stranger, without unpacking it anywhere.
//
// Ours and not libarchive's, because libarchive turns names into NFC on the way (in a UTF-8
// locale): a manifest that lists a name in NFD would then miss its file. See
// docs/decisions/untar.md. Read: POSIX ustar and pax (path, size), GNU long names and base-256
// sizes. Refused: anything but regular files and folders, sparse files, names that are no
// LogicalPath.
#pragma once

#include <cstdint>
#include <span>

#include "bagit/archive.hpp"
#include "store/base/path.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

struct ArchiveMember {
  LogicalPath path;
  std::uint64_t size_bytes = 0;
  std::uint64_t header_offset = 0;  // in the stream, where its headers begin
};

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

// Reads up to the end of the archive (two blocks of zeros).
// Errors: corrupt ("archive-corrupt") for a damaged header or a stream that ends early; invalid
// ("archive-special-file", "archive-path", "archive-sparse"); limit; those of the functions.
Result<void> read_tar(const ReadBytes& read, const ArchiveLimits& limits, MemberSink& sink);

}  // namespace versement::bagit
