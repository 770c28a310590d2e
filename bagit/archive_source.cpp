#include "bagit/archive_source.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace versement::bagit {
namespace {

// Of members, for each of which it is kept where it begins.
constexpr std::size_t kBlock = TextList::kBlock;
constexpr std::size_t kNameBytesMax = 0xFFFF;

}  // namespace

void MemberList::add(std::string_view path,
                     std::uint64_t size_bytes,
                     std::optional<std::uint32_t> crc) {
  assert(path.size() <= kNameBytesMax);
  const bool ascii = std::all_of(path.begin(), path.end(),
                                 [](char c) { return static_cast<unsigned char>(c) < 0x80; });
  Shape shape;
  shape.size_bytes = size_bytes;
  if (!crc && size_bytes == 0) crc = 0;
  shape.crc = crc.value_or(0);
  shape.crc_known = crc ? 1 : 0;
  if (!crc && !without_crc_) without_crc_ = shapes_.size();
  shape.name_bytes = static_cast<std::uint32_t>(path.size()) & 0x3FFFFFFFu;
  shape.ascii = ascii ? 1 : 0;
  names_.add(path);
  shapes_.push_back(shape);
}

void MemberList::shrink() {
  names_.shrink();
  shapes_.shrink_to_fit();
}

std::size_t MemberList::memory_bytes() const {
  return names_.memory_bytes() + shapes_.capacity() * sizeof(shapes_[0]);
}

std::uint64_t ArchiveSource::member_bytes(const MemberList::Shape& shape) const {
  return header_bytes(shape) + shape.size_bytes + padding_bytes(shape.size_bytes);
}

void ArchiveSource::lay_out() {
  first_.reserve(members_->size() / kBlock + 1);
  std::uint64_t offset = 0;
  for (std::size_t member = 0; member < members_->size(); ++member) {
    if (member % kBlock == 0) first_.push_back(offset);
    offset += member_bytes(members_->shape(member));
  }
  tail_at_ = offset;
}

std::uint64_t ArchiveSource::offset_of(std::size_t member) const {
  std::uint64_t offset = first_.at(member / kBlock);
  for (std::size_t each = member - member % kBlock; each < member; ++each)
    offset += member_bytes(members_->shape(each));
  return offset;
}

ArchiveSource::Place ArchiveSource::place_of(std::uint64_t offset) const {
  if (offset >= tail_at_) return {members_->size(), Place::Part::tail, offset - tail_at_};
  const auto next = std::upper_bound(first_.begin(), first_.end(), offset);
  const auto block = static_cast<std::size_t>(next - first_.begin()) - 1;
  Place place;
  place.member = block * kBlock;
  place.offset = offset - first_[block];
  for (;; ++place.member) {
    const MemberList::Shape& shape = members_->shape(place.member);
    const std::uint64_t all = member_bytes(shape);
    if (place.offset >= all) {
      place.offset -= all;
      continue;
    }
    const std::uint64_t header = header_bytes(shape);
    if (place.offset < header) return place;
    place.offset -= header;
    place.part = Place::Part::payload;
    if (place.offset < shape.size_bytes) return place;
    place.offset -= shape.size_bytes;
    place.part = Place::Part::padding;
    return place;
  }
}

std::size_t ArchiveSource::read_header(std::size_t member,
                                       std::uint64_t offset,
                                       std::span<std::byte> into) const {
  const std::string bytes = header(members_->shape(member), members_->path(member));
  const std::size_t count = std::min<std::uint64_t>(into.size(), bytes.size() - offset);
  std::memcpy(into.data(), bytes.data() + offset, count);
  return count;
}

Result<std::size_t> ArchiveSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= size_bytes() || into.empty()) return std::size_t{0};
  const Place place = place_of(offset);
  switch (place.part) {
    case Place::Part::header:
      return read_header(place.member, place.offset, into);
    case Place::Part::payload: {
      TRY_SET(const auto source, open_(place.member));
      const std::uint64_t left = members_->shape(place.member).size_bytes - place.offset;
      return source->read_at(place.offset, into.first(std::min<std::uint64_t>(into.size(), left)));
    }
    case Place::Part::padding: {
      const std::uint64_t all = padding_bytes(members_->shape(place.member).size_bytes);
      const std::size_t count = std::min<std::uint64_t>(into.size(), all - place.offset);
      std::memset(into.data(), 0, count);
      // What stands between two files comes at once: small ones are most of many archives.
      if (count == into.size() || place.member + 1 == members_->size()) return count;
      return count + read_header(place.member + 1, 0, into.subspan(count));
    }
    case Place::Part::tail:
      return read_tail(place.offset, into);
  }
  return Error(Code::internal, "no such part of an archive");
}

Result<void> ArchiveSource::check_at(std::uint64_t offset) const {
  const Place place = place_of(offset);
  if (place.part != Place::Part::tail) TRY(open_(place.member));
  return {};
}

Result<FileRun> ArchiveSource::run_at(std::uint64_t offset) {
  if (offset >= size_bytes()) return FileRun{};
  const Place place = place_of(offset);
  if (place.part != Place::Part::payload) return FileRun{};
  TRY_SET(const auto source, open_(place.member));
  TRY_SET(FileRun run, source->run_at(place.offset));
  run.length = std::min(run.length, members_->shape(place.member).size_bytes - place.offset);
  return run;
}

}  // namespace versement::bagit
