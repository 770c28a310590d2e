#include "bagit/zip.hpp"

#include <algorithm>
#include <chrono>
#include <cstring>

namespace versement::bagit {
namespace {

constexpr std::uint64_t kSmallMax = 0xFFFFFFFF;  // from here on a number needs zip64
constexpr std::uint64_t kCountMax = 0xFFFF;
constexpr std::uint64_t kVersionPlain = 20;
constexpr std::uint64_t kVersionZip64 = 45;
constexpr std::uint64_t kMadeOnUnix = 3u << 8u;
constexpr std::uint64_t kNamesAreUtf8 = 1u << 11u;
constexpr std::uint64_t kFileMode = 0100644u;
constexpr std::uint64_t kFolderMode = 040755u;
constexpr std::uint64_t kZip64Extra = 0x0001;
constexpr std::uint64_t kLocalBytes = 30;
constexpr std::uint64_t kCentralBytes = 46;
constexpr std::uint64_t kExtraHeadBytes = 4;
constexpr std::uint64_t kLocalExtraBytes = 16;
constexpr std::size_t kBlock = TextList::kBlock;

void put(std::uint64_t value, unsigned bytes, std::string* out) {
  for (unsigned i = 0; i < bytes; ++i)
    *out += static_cast<char>((value >> (8u * i)) & 0xFFu);
}

std::uint64_t capped(std::uint64_t value) {
  return std::min(value, kSmallMax);
}

bool is_large(std::uint64_t value) {
  return value >= kSmallMax;
}

// The time and date of MS-DOS, in UTC, from 1980 on and in steps of two seconds.
void put_time(Timestamp time, std::string* out) {
  namespace chrono = std::chrono;
  const chrono::sys_time<chrono::milliseconds> instant{chrono::milliseconds(time.ms())};
  const auto day = chrono::floor<chrono::days>(instant);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(chrono::floor<chrono::seconds>(instant - day));
  const int year = static_cast<int>(date.year());
  if (year < 1980 || year > 2107) {
    put(0, 2, out);
    put(0x21, 2, out);  // 1 January 1980
    return;
  }
  put((static_cast<std::uint64_t>(clock.hours().count()) << 11u) |
          (static_cast<std::uint64_t>(clock.minutes().count()) << 5u) |
          (static_cast<std::uint64_t>(clock.seconds().count()) / 2),
      2, out);
  put((static_cast<std::uint64_t>(year - 1980) << 9u) |
          (static_cast<std::uint64_t>(static_cast<unsigned>(date.month())) << 5u) |
          static_cast<unsigned>(date.day()),
      2, out);
}

// From the general purpose flag to the length of the name: alike in both headers.
void put_common(const ZipMember& member, std::string* out) {
  put(kNamesAreUtf8, 2, out);
  put(0, 2, out);  // stored
  put_time(member.modified, out);
  put(member.crc, 4, out);
  put(capped(member.size_bytes), 4, out);
  put(capped(member.size_bytes), 4, out);
  put(member.path.size(), 2, out);
}

// How long central_header is.
std::uint64_t central_bytes(const MemberList::Shape& shape, std::uint64_t header_at) {
  const std::uint64_t extra =
      (is_large(shape.size_bytes) ? 16u : 0u) + (is_large(header_at) ? 8u : 0u);
  return kCentralBytes + shape.name_bytes + (extra == 0 ? 0 : kExtraHeadBytes + extra);
}

std::string central_header(const ZipMember& member) {
  std::string extra;
  if (is_large(member.size_bytes)) {
    put(member.size_bytes, 8, &extra);
    put(member.size_bytes, 8, &extra);
  }
  if (is_large(member.header_at)) put(member.header_at, 8, &extra);
  const std::uint64_t version = extra.empty() ? kVersionPlain : kVersionZip64;
  const bool folder = member.path.ends_with('/');
  std::string out;
  put(0x02014b50, 4, &out);
  put(kMadeOnUnix | version, 2, &out);
  put(version, 2, &out);
  put_common(member, &out);
  put(extra.empty() ? 0 : kExtraHeadBytes + extra.size(), 2, &out);
  put(0, 2, &out);  // comment
  put(0, 2, &out);  // disk
  put(0, 2, &out);  // internal attributes
  put(((folder ? kFolderMode : kFileMode) << 16u) | (folder ? 0x10u : 0u), 4, &out);
  put(capped(member.header_at), 4, &out);
  out += member.path;
  if (!extra.empty()) {
    put(kZip64Extra, 2, &out);
    put(extra.size(), 2, &out);
    out += extra;
  }
  return out;
}

// What follows the central directory, which begins at `at`.
std::string ending_of(std::uint64_t count, std::uint64_t size, std::uint64_t at) {
  std::string out;
  if (count >= kCountMax || is_large(size) || is_large(at)) {
    put(0x06064b50, 4, &out);
    put(44, 8, &out);  // what follows of this record
    put(kMadeOnUnix | kVersionZip64, 2, &out);
    put(kVersionZip64, 2, &out);
    put(0, 4, &out);
    put(0, 4, &out);
    put(count, 8, &out);
    put(count, 8, &out);
    put(size, 8, &out);
    put(at, 8, &out);
    put(0x07064b50, 4, &out);
    put(0, 4, &out);
    put(at + size, 8, &out);
    put(1, 4, &out);
  }
  put(0x06054b50, 4, &out);
  put(0, 2, &out);
  put(0, 2, &out);
  put(std::min(count, kCountMax), 2, &out);
  put(std::min(count, kCountMax), 2, &out);
  put(capped(size), 4, &out);
  put(capped(at), 4, &out);
  put(0, 2, &out);
  return out;
}

}  // namespace

std::string zip_header(const ZipMember& member) {
  const bool large = is_large(member.size_bytes);
  std::string out;
  put(0x04034b50, 4, &out);
  put(large ? kVersionZip64 : kVersionPlain, 2, &out);
  put_common(member, &out);
  put(large ? kExtraHeadBytes + kLocalExtraBytes : 0, 2, &out);
  out += member.path;
  if (large) {
    put(kZip64Extra, 2, &out);
    put(kLocalExtraBytes, 2, &out);
    put(member.size_bytes, 8, &out);
    put(member.size_bytes, 8, &out);
  }
  return out;
}

std::string zip_end(const std::vector<ZipMember>& members, std::uint64_t at) {
  std::string out;
  for (const ZipMember& member : members)
    out += central_header(member);
  return out + ending_of(members.size(), out.size(), at);
}

ZipSource::ZipSource(std::shared_ptr<const MemberList> list, Timestamp modified, OpenMember open)
    : ArchiveSource(std::move(list), std::move(open)), modified_(modified) {
  lay_out();
  directory_.reserve(members().size() / kBlock + 1);
  std::uint64_t at = 0;
  for (std::size_t member = 0; member < members().size(); ++member) {
    if (member % kBlock == 0) directory_.push_back(directory_bytes_);
    const MemberList::Shape& shape = members().shape(member);
    directory_bytes_ += central_bytes(shape, at);
    at += member_bytes(shape);
  }
  ending_ = ending_of(members().size(), directory_bytes_, tail_at());
  set_tail_bytes(directory_bytes_ + ending_.size());
}

std::size_t ZipSource::memory_bytes() const {
  return ArchiveSource::memory_bytes() + directory_.capacity() * sizeof(directory_[0]);
}

std::uint64_t ZipSource::header_bytes(const MemberList::Shape& shape) const {
  return kLocalBytes + shape.name_bytes +
         (is_large(shape.size_bytes) ? kExtraHeadBytes + kLocalExtraBytes : 0);
}

std::string ZipSource::header(const MemberList::Shape& shape, std::string path) const {
  return zip_header({std::move(path), shape.size_bytes, shape.crc, 0, modified_});
}

std::uint64_t ZipSource::padding_bytes(std::uint64_t /*size_bytes*/) const {
  return 0;
}

std::size_t ZipSource::read_tail(std::uint64_t offset, std::span<std::byte> into) const {
  if (offset < directory_bytes_) return read_directory(offset, into);
  offset -= directory_bytes_;
  const std::size_t count = std::min<std::uint64_t>(into.size(), ending_.size() - offset);
  std::memcpy(into.data(), ending_.data() + offset, count);
  return count;
}

std::size_t ZipSource::read_directory(std::uint64_t offset, std::span<std::byte> into) const {
  const auto next = std::upper_bound(directory_.begin(), directory_.end(), offset);
  const auto block = static_cast<std::size_t>(next - directory_.begin()) - 1;
  std::size_t member = block * kBlock;
  std::uint64_t skip = offset - directory_[block];
  std::uint64_t at = offset_of(member);
  TextList::Cursor name(members().names(), member);
  std::size_t done = 0;
  while (true) {
    const MemberList::Shape& shape = members().shape(member);
    const std::string entry =
        central_header({name.text(), shape.size_bytes, shape.crc, at, modified_});
    if (skip < entry.size()) {
      const std::size_t count = std::min<std::size_t>(into.size() - done, entry.size() - skip);
      std::memcpy(into.data() + done, entry.data() + skip, count);
      done += count;
      skip = 0;
    } else {
      skip -= entry.size();
    }
    at += member_bytes(shape);
    if (done == into.size() || ++member == members().size()) return done;
    name.next();
  }
}

}  // namespace versement::bagit
