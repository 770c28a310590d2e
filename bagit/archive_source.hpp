// An archive that exists nowhere: a list of spans. What stands before, between and behind its
// members is made when it is asked for, the members' bytes come from where they lie. The size is
// known beforehand and any range can be read without what lies before it.
//
// A million members need some 40 bytes each: their names share what they have in common
// (TextList), and where a member begins is kept for every sixteenth.
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

#include "store/base/source.hpp"
#include "store/base/text_list.hpp"

namespace versement::bagit {

// The members of an archive, in their order. Thread safe once nothing is added any more.
class MemberList {
 public:
  // All but the name; the length of a member's header follows from it.
  struct Shape {
    std::uint64_t size_bytes = 0;
    std::uint32_t crc = 0;
    std::uint32_t name_bytes : 30 = 0;
    std::uint32_t ascii : 1 = 1;
    std::uint32_t crc_known : 1 = 0;

    std::optional<std::uint32_t> known_crc() const {
      return crc_known != 0 ? std::optional(crc) : std::nullopt;
    }
  };

  // `path` is UTF-8, from the top of the archive, its folder included, and has at most 65 535
  // bytes; with '/' at its end it is a folder, of no bytes. A tar needs no CRC-32.
  void add(std::string_view path, std::uint64_t size_bytes, std::optional<std::uint32_t> crc = {});
  // To be called after the last one: gives back what was set aside for more.
  void shrink();

  std::size_t size() const { return shapes_.size(); }
  const Shape& shape(std::size_t member) const { return shapes_[member]; }
  std::string path(std::size_t member) const { return names_.at(member); }
  const TextList& names() const { return names_; }
  // The first member whose CRC-32 is not known: of such a list no zip can be made. No bytes have a
  // CRC-32, 0.
  std::optional<std::size_t> first_without_crc() const { return without_crc_; }
  std::size_t memory_bytes() const;

 private:
  TextList names_;
  std::vector<Shape> shapes_;
  std::optional<std::size_t> without_crc_;
};

// Opens the bytes of a member; called when they are read.
using OpenMember = std::function<Result<std::shared_ptr<Source>>(std::size_t member)>;

// Thread safe.
class ArchiveSource : public Source {
 public:
  std::uint64_t size_bytes() const override { return tail_at_ + tail_bytes_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;
  Result<FileRun> run_at(std::uint64_t offset) override;

  // Opens the member that this offset lies in, and lets go of it: what cannot be opened is better
  // told before the first byte than by a stream that ends in the middle.
  Result<void> check_at(std::uint64_t offset) const;

  // Where the header of a member begins.
  std::uint64_t offset_of(std::size_t member) const;
  const MemberList& members() const { return *members_; }
  // Without the list of members, which others may share.
  virtual std::size_t memory_bytes() const { return first_.capacity() * sizeof(first_[0]); }

 protected:
  ArchiveSource(std::shared_ptr<const MemberList> members, OpenMember open)
      : members_(std::move(members)), open_(std::move(open)) {}
  // To be called by the constructor of a form, which knows what its tail needs.
  void lay_out();
  void set_tail_bytes(std::uint64_t bytes) { tail_bytes_ = bytes; }
  std::uint64_t tail_at() const { return tail_at_; }
  // All that a member takes, its header and what fills it up.
  std::uint64_t member_bytes(const MemberList::Shape& shape) const;

  // What stands before a member, and how long it is.
  virtual std::uint64_t header_bytes(const MemberList::Shape& shape) const = 0;
  virtual std::string header(const MemberList::Shape& shape, std::string path) const = 0;
  // How many NUL follow a member of this size.
  virtual std::uint64_t padding_bytes(std::uint64_t size_bytes) const = 0;
  // What follows the last member, from `offset` on, which is below the tail's length: at least one
  // byte.
  virtual std::size_t read_tail(std::uint64_t offset, std::span<std::byte> into) const = 0;

 private:
  struct Place {
    std::size_t member = 0;
    enum class Part { header, payload, padding, tail } part = Part::header;
    std::uint64_t offset = 0;  // within the part
  };
  Place place_of(std::uint64_t offset) const;
  std::size_t read_header(std::size_t member,
                          std::uint64_t offset,
                          std::span<std::byte> into) const;

  std::shared_ptr<const MemberList> members_;
  OpenMember open_;
  std::vector<std::uint64_t> first_;  // where each block of members begins
  std::uint64_t tail_at_ = 0;
  std::uint64_t tail_bytes_ = 0;
};

}  // namespace versement::bagit
