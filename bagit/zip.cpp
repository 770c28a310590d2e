#include "bagit/zip.hpp"

#include <algorithm>
#include <chrono>

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
  put(extra.empty() ? 0 : extra.size() + 4, 2, &out);
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

}  // namespace

std::string zip_header(const ZipMember& member) {
  const bool large = is_large(member.size_bytes);
  std::string out;
  put(0x04034b50, 4, &out);
  put(large ? kVersionZip64 : kVersionPlain, 2, &out);
  put_common(member, &out);
  put(large ? 20 : 0, 2, &out);
  out += member.path;
  if (large) {
    put(kZip64Extra, 2, &out);
    put(16, 2, &out);
    put(member.size_bytes, 8, &out);
    put(member.size_bytes, 8, &out);
  }
  return out;
}

std::string zip_end(const std::vector<ZipMember>& members, std::uint64_t at) {
  std::string out;
  for (const ZipMember& member : members)
    out += central_header(member);
  const std::uint64_t size = out.size();
  const std::uint64_t count = members.size();
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

}  // namespace versement::bagit
