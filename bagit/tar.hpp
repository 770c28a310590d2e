// A tar archive that exists nowhere: headers are made when they are asked for, payload comes from
// where it lies. The size is known beforehand and any range can be read without what lies before.
//
// Serialisation 1 (recorded in each seal, never changed): POSIX.1-2001 pax; members in the order
// given; regular files only, mode 0644, owner 0:0, all with the same time; a pax header with `path`
// when the name is not ASCII or has more than 100 bytes, and with `size` from 8 GiB on; two zero
// blocks at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/source.hpp"
#include "store/base/time.hpp"

namespace versement::bagit {

inline constexpr std::uint64_t kTarSerialisation = 1;

struct TarMember {
  std::string path;  // from the top of the archive, its folder included
  std::uint64_t size_bytes = 0;
};

// Thread safe. Its memory is what the members' paths need, and 8 bytes each.
class TarSource : public Source {
 public:
  // Opens the bytes of a member; called when they are first read.
  using Open = std::function<Result<std::shared_ptr<Source>>(std::size_t member)>;

  TarSource(std::vector<TarMember> members, Timestamp modified, Open open);

  std::uint64_t size_bytes() const override { return size_bytes_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;
  Result<FileRun> run_at(std::uint64_t offset) override;

  // Opens the member that this offset lies in, and lets go of it: what cannot be opened is better
  // told before the first byte than by a stream that ends in the middle.
  Result<void> check_at(std::uint64_t offset) const;

  // Where the header of a member begins.
  std::uint64_t offset_of(std::size_t member) const { return offsets_.at(member); }
  const std::vector<TarMember>& members() const { return members_; }

 private:
  struct Place {
    std::size_t member = 0;
    enum class Part { header, payload, padding, end } part = Part::header;
    std::uint64_t offset = 0;  // within the part
  };
  Place place_of(std::uint64_t offset) const;

  std::vector<TarMember> members_;
  std::vector<std::uint64_t> offsets_;
  std::uint64_t size_bytes_ = 0;
  Timestamp modified_;
  Open open_;
};

// The header blocks of one member.
std::string tar_header(const TarMember& member, Timestamp modified);
// The same of a folder, which TarSource has none of: an empty payload needs one to be there.
std::string tar_folder_header(std::string_view path, Timestamp modified);

}  // namespace versement::bagit
