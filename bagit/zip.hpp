// A zip archive whose members are stored as they are (APPNOTE 6.3): its parts, and one that exists
// nowhere (see ArchiveSource). No compression: whoever verifies it need not unpack, and the place
// of every member follows from the names and sizes. Zip64 only where a number needs it, as older
// readers do not know it.
//
// Serialisation 1 (recorded in each seal, never changed): members in the order given, each behind
// its local header, which has size and CRC-32; regular files only, mode 0644, all with the same
// time; names UTF-8 and flagged so; then the central directory. No data descriptors, no comments.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bagit/archive_source.hpp"
#include "store/base/time.hpp"

namespace versement::bagit {

inline constexpr std::uint64_t kZipSerialisation = 1;

struct ZipMember {
  std::string path;  // UTF-8; with '/' at its end: a folder
  std::uint64_t size_bytes = 0;
  std::uint32_t crc = 0;
  std::uint64_t header_at = 0;  // where its local header begins
  Timestamp modified;           // kept in UTC, in steps of two seconds, from 1980 on
};

// What stands before the bytes of a member; its length does not depend on the CRC.
std::string zip_header(const ZipMember& member);
// The central directory and what ends the archive. `at` is where it begins.
std::string zip_end(const std::vector<ZipMember>& members, std::uint64_t at);

// Requires: the CRC-32 of every member is known. The central directory is made piece by piece
// where it is read; where it begins is kept for every sixteenth member.
class ZipSource final : public ArchiveSource {
 public:
  ZipSource(std::shared_ptr<const MemberList> members, Timestamp modified, OpenMember open);

  std::size_t memory_bytes() const override;

 private:
  std::uint64_t header_bytes(const MemberList::Shape& shape) const override;
  std::string header(const MemberList::Shape& shape, std::string path) const override;
  std::uint64_t padding_bytes(std::uint64_t size_bytes) const override;
  std::size_t read_tail(std::uint64_t offset, std::span<std::byte> into) const override;
  std::size_t read_directory(std::uint64_t offset, std::span<std::byte> into) const;

  Timestamp modified_;
  std::vector<std::uint64_t> directory_;  // where each block of members begins in the directory
  std::uint64_t directory_bytes_ = 0;
  std::string ending_;  // what follows the directory
};

}  // namespace versement::bagit
