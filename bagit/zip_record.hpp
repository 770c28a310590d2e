// The records of zip (APPNOTE 6.3): decoding only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bagit/archive.hpp"

namespace versement::bagit {

// The directory of a zip, and all that follows it.
struct ZipEnd {
  std::uint64_t entries = 0;
  std::uint64_t directory_offset = 0;  // as it is written
  std::uint64_t directory_bytes = 0;
  std::uint64_t end_offset = 0;    // where the end records begin, zip64's before the old one
  std::uint64_t after_offset = 0;  // behind the comment
  bool ambiguous = false;          // a second end record could be meant as well
};

// Finds and reads the end records. nullopt when there is none.
// Errors: archive_fault with serialization.malformed; unsupported for split archives; io.
Result<std::optional<ZipEnd>> read_zip_end(const ArchiveFile& file);

// One member, by its central or its local header.
struct ZipHeader {
  unsigned made_by = 0;  // central only: the high byte is the system
  unsigned flags = 0;
  unsigned method = 0;
  std::uint32_t crc = 0;
  std::uint64_t packed_bytes = 0;
  std::uint64_t size_bytes = 0;
  std::uint32_t attributes = 0;    // central only
  std::uint64_t local_offset = 0;  // central only: as it is written
  std::string raw_name;
  std::string name;                 // as Unicode, in UTF-8, where that can be told
  bool unicode_name_stale = false;  // the Unicode name is of another name than the raw one
  std::uint64_t header_bytes = 0;   // with all that belongs to it

  bool is_encrypted() const { return (flags & 0x2041u) != 0; }
  bool has_descriptor() const { return (flags & 0x0008u) != 0; }
};

inline constexpr unsigned kZipStored = 0;
inline constexpr unsigned kZipDeflated = 8;

// Errors: archive_fault with serialization.malformed or .truncated; io.
Result<ZipHeader> read_zip_central(FileInput& input);
Result<ZipHeader> read_zip_local(FileInput& input);

// How many bytes of `bytes` are the data descriptor of this member; nullopt when none of the four
// forms holds what it should.
std::optional<std::size_t> zip_descriptor_bytes(std::string_view bytes, const ZipHeader& header);

}  // namespace versement::bagit
