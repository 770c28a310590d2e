// A tar archive that exists nowhere (see ArchiveSource).
//
// Serialisation 1 (recorded in each seal, never changed): POSIX.1-2001 pax; members in the order
// given; regular files, mode 0644, owner 0:0, all with the same time; folders, mode 0755, only
// where a bag must have an empty one; a pax header with `path` when the name is not ASCII or has
// more than 100 bytes, and with `size` from 8 GiB on; two zero blocks at the end.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "bagit/archive_source.hpp"
#include "store/base/time.hpp"

namespace versement::bagit {

inline constexpr std::uint64_t kTarSerialisation = 1;

class TarSource final : public ArchiveSource {
 public:
  TarSource(std::shared_ptr<const MemberList> members, Timestamp modified, OpenMember open);

 private:
  std::uint64_t header_bytes(const MemberList::Shape& shape) const override;
  std::string header(const MemberList::Shape& shape, std::string path) const override;
  std::uint64_t padding_bytes(std::uint64_t size_bytes) const override;
  std::size_t read_tail(std::uint64_t offset, std::span<std::byte> into) const override;

  Timestamp modified_;
};

struct TarMember {
  std::string path;  // from the top of the archive, its folder included
  std::uint64_t size_bytes = 0;
};

// The header blocks of one member.
std::string tar_header(const TarMember& member, Timestamp modified);
// The same of a folder, whose path ends in '/': an empty payload needs one to be there.
std::string tar_folder_header(std::string_view path, Timestamp modified);

}  // namespace versement::bagit
