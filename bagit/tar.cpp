#include "bagit/tar.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

namespace versement::bagit {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kEndBytes = 2 * kBlock;
constexpr std::size_t kNameBytesMax = 100;
constexpr std::uint64_t kOctalSizeMax = 077777777777;  // eleven octal digits: 8 GiB - 1
constexpr std::int64_t kOctalTimeMax = 077777777777;   // likewise: the year 2242

std::uint64_t padded(std::uint64_t size) {
  return (size + kBlock - 1) / kBlock * kBlock;
}

bool is_plain(std::string_view path) {
  return path.size() <= kNameBytesMax && std::all_of(path.begin(), path.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x80;
         });
}

// A field of octal digits and a NUL, filling `width`.
void put_octal(std::uint64_t value, std::size_t at, int width, std::string* block) {
  std::array<char, 24> text{};
  (void)std::snprintf(text.data(), text.size(), "%0*llo", width - 1,
                      static_cast<unsigned long long>(value));
  block->replace(at, static_cast<std::size_t>(width) - 1, text.data());
}

std::string block_of(std::string_view name, std::uint64_t size, Timestamp modified, char kind) {
  std::string block(kBlock, '\0');
  block.replace(0, name.size(), name);
  put_octal(kind == '5' ? 0755 : 0644, 100, 8, &block);
  put_octal(0, 108, 8, &block);
  put_octal(0, 116, 8, &block);
  put_octal(size, 124, 12, &block);
  put_octal(
      static_cast<std::uint64_t>(std::clamp<std::int64_t>(modified.ms() / 1000, 0, kOctalTimeMax)),
      136, 12, &block);
  block.replace(148, 8, "        ");
  block[156] = kind;
  block.replace(257, 5, "ustar");
  block.replace(263, 2, "00");
  unsigned sum = 0;
  for (const char c : block)
    sum += static_cast<unsigned char>(c);
  put_octal(sum, 148, 7, &block);
  block[155] = ' ';
  return block;
}

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::string pax_record(std::string_view key, std::string_view value) {
  const std::string rest = " " + std::string(key) + "=" + std::string(value) + "\n";
  std::size_t length = rest.size();
  while (std::to_string(length).size() + rest.size() != length) {
    length = std::to_string(length).size() + rest.size();
  }
  return std::to_string(length) + rest;
}

}  // namespace

std::string tar_header(const TarMember& member, Timestamp modified) {
  std::string records;
  const bool plain = is_plain(member.path);
  if (!plain) records += pax_record("path", member.path);
  if (member.size_bytes > kOctalSizeMax) {
    records += pax_record("size", std::to_string(member.size_bytes));
  }
  std::string out;
  if (!records.empty()) {
    out = block_of("PaxHeader", records.size(), modified, 'x');
    out += records;
    out.resize(padded(out.size()), '\0');
  }
  // Readers that know no pax see a name that cannot be mistaken for a real one.
  out += block_of(plain ? std::string_view(member.path) : "long-name",
                  member.size_bytes > kOctalSizeMax ? 0 : member.size_bytes, modified, '0');
  return out;
}

std::string tar_folder_header(std::string_view path, Timestamp modified) {
  std::string out = tar_header({std::string(path), 0}, modified);
  const bool plain = is_plain(path);
  out.resize(out.size() - kBlock);
  return out + block_of(plain ? path : std::string_view("long-name"), 0, modified, '5');
}

TarSource::TarSource(std::vector<TarMember> members, Timestamp modified, Open open)
    : members_(std::move(members)), modified_(modified), open_(std::move(open)) {
  offsets_.reserve(members_.size() + 1);
  std::uint64_t offset = 0;
  for (const TarMember& member : members_) {
    offsets_.push_back(offset);
    offset += tar_header(member, modified_).size() + padded(member.size_bytes);
  }
  offsets_.push_back(offset);
  size_bytes_ = offset + kEndBytes;
}

TarSource::Place TarSource::place_of(std::uint64_t offset) const {
  if (offset >= offsets_.back()) {
    return {members_.size(), Place::Part::end, offset - offsets_.back()};
  }
  const auto next = std::upper_bound(offsets_.begin(), offsets_.end(), offset);
  Place place;
  place.member = static_cast<std::size_t>(next - offsets_.begin()) - 1;
  const std::uint64_t size = members_[place.member].size_bytes;
  const std::uint64_t header = offsets_[place.member + 1] - offsets_[place.member] - padded(size);
  place.offset = offset - offsets_[place.member];
  if (place.offset < header) return place;
  place.offset -= header;
  place.part = Place::Part::payload;
  if (place.offset < size) return place;
  place.offset -= size;
  place.part = Place::Part::padding;
  return place;
}

Result<std::size_t> TarSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= size_bytes_ || into.empty()) return std::size_t{0};
  const Place place = place_of(offset);
  switch (place.part) {
    case Place::Part::header: {
      const std::string header = tar_header(members_[place.member], modified_);
      const std::size_t count = std::min<std::uint64_t>(into.size(), header.size() - place.offset);
      std::memcpy(into.data(), header.data() + place.offset, count);
      return count;
    }
    case Place::Part::payload: {
      TRY_SET(const auto source, open_(place.member));
      const std::uint64_t left = members_[place.member].size_bytes - place.offset;
      return source->read_at(place.offset, into.first(std::min<std::uint64_t>(into.size(), left)));
    }
    case Place::Part::padding:
    case Place::Part::end: {
      const std::uint64_t end =
          place.part == Place::Part::end ? size_bytes_ : offsets_[place.member + 1];
      const std::size_t count = std::min<std::uint64_t>(into.size(), end - offset);
      std::memset(into.data(), 0, count);
      return count;
    }
  }
  return Error(Code::internal, "no such part of an archive");
}

Result<void> TarSource::check_at(std::uint64_t offset) const {
  const Place place = place_of(offset);
  if (place.part != Place::Part::end) TRY(open_(place.member));
  return {};
}

Result<FileRun> TarSource::run_at(std::uint64_t offset) {
  if (offset >= size_bytes_) return FileRun{};
  const Place place = place_of(offset);
  if (place.part != Place::Part::payload) return FileRun{};
  TRY_SET(const auto source, open_(place.member));
  TRY_SET(FileRun run, source->run_at(place.offset));
  run.length = std::min(run.length, members_[place.member].size_bytes - place.offset);
  return run;
}

}  // namespace versement::bagit
