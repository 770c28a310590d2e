#include "bagit/tar.hpp"

#include <algorithm>
#include <cstring>

namespace versement::bagit {
namespace {

constexpr std::uint64_t kBlock = 512;
constexpr std::uint64_t kEndBytes = 2 * kBlock;
constexpr std::size_t kNameBytesMax = 100;
constexpr std::uint64_t kOctalSizeMax = 077777777777;  // eleven octal digits: 8 GiB - 1
constexpr std::int64_t kOctalTimeMax = 077777777777;   // likewise: the year 2242
constexpr std::string_view kPath = "path";
constexpr std::string_view kSize = "size";

std::uint64_t padded(std::uint64_t size) {
  return (size + kBlock - 1) / kBlock * kBlock;
}

// Whether a name stands in the header itself.
bool is_plain(std::size_t name_bytes, bool ascii) {
  return ascii && name_bytes <= kNameBytesMax;
}

bool is_plain(std::string_view path) {
  return is_plain(path.size(), std::all_of(path.begin(), path.end(), [](char c) {
                    return static_cast<unsigned char>(c) < 0x80;
                  }));
}

// A field of octal digits and a NUL, filling `width`.
void put_octal(std::uint64_t value, std::size_t at, int width, std::string* block) {
  for (std::size_t digit = at + static_cast<std::size_t>(width) - 1; digit > at; value >>= 3u)
    (*block)[--digit] = static_cast<char>('0' + (value & 7u));
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

std::size_t decimal_digits(std::uint64_t value) {
  std::size_t digits = 1;
  for (; value > 9; value /= 10)
    ++digits;
  return digits;
}

// "LENGTH KEY=VALUE\n", where LENGTH counts itself.
std::size_t pax_record_bytes(std::size_t key_bytes, std::size_t value_bytes) {
  const std::size_t rest = key_bytes + value_bytes + 3;
  std::size_t length = rest + 1;
  while (decimal_digits(length) + rest != length)
    length = decimal_digits(length) + rest;
  return length;
}

std::string pax_record(std::string_view key, std::string_view value) {
  return std::to_string(pax_record_bytes(key.size(), value.size())) + " " + std::string(key) + "=" +
         std::string(value) + "\n";
}

}  // namespace

std::string tar_header(const TarMember& member, Timestamp modified) {
  std::string records;
  const bool plain = is_plain(member.path);
  if (!plain) records += pax_record(kPath, member.path);
  if (member.size_bytes > kOctalSizeMax) {
    records += pax_record(kSize, std::to_string(member.size_bytes));
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

TarSource::TarSource(std::shared_ptr<const MemberList> members, Timestamp modified, OpenMember open)
    : ArchiveSource(std::move(members), std::move(open)), modified_(modified) {
  lay_out();
  set_tail_bytes(kEndBytes);
}

std::uint64_t TarSource::header_bytes(const MemberList::Shape& shape) const {
  std::uint64_t records = 0;
  if (!is_plain(shape.name_bytes, shape.ascii != 0)) {
    records += pax_record_bytes(kPath.size(), shape.name_bytes);
  }
  if (shape.size_bytes > kOctalSizeMax) {
    records += pax_record_bytes(kSize.size(), decimal_digits(shape.size_bytes));
  }
  return records == 0 ? kBlock : 2 * kBlock + padded(records);
}

std::string TarSource::header(const MemberList::Shape& shape, std::string path) const {
  if (path.ends_with('/')) return tar_folder_header(path, modified_);
  return tar_header({std::move(path), shape.size_bytes}, modified_);
}

std::uint64_t TarSource::padding_bytes(std::uint64_t size_bytes) const {
  return padded(size_bytes) - size_bytes;
}

std::size_t TarSource::read_tail(std::uint64_t offset, std::span<std::byte> into) const {
  const std::size_t count = std::min<std::uint64_t>(into.size(), kEndBytes - offset);
  std::memset(into.data(), 0, count);
  return count;
}

}  // namespace versement::bagit
