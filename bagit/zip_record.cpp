#include "bagit/zip_record.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "store/base/digest.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

using namespace std::string_view_literals;

constexpr auto kCentral = "PK\1\2"sv;
constexpr auto kLocal = "PK\3\4"sv;
constexpr auto kEnd = "PK\5\6"sv;
constexpr auto kEnd64 = "PK\6\6"sv;
constexpr auto kLocator64 = "PK\6\7"sv;
constexpr auto kDescriptor = "PK\7\10"sv;

constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kLocator64Bytes = 20;
constexpr std::uint64_t kFull16 = 0xFFFF;
constexpr std::uint64_t kFull32 = 0xFFFFFFFF;

// The upper half of code page 437, which names without any mark are in.
constexpr std::u32string_view kCodePage437 =
    U"ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒáíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐└┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄"
    U"▌▐▀"
    U"αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u00A0";
static_assert(kCodePage437.size() == 128);

Error malformed(const std::string& what) {
  return archive_fault("serialization.malformed", "not a whole zip archive: " + what);
}

std::uint64_t little(std::string_view bytes, std::size_t at, std::size_t width) {
  std::uint64_t value = 0;
  for (std::size_t i = width; i > 0; --i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i - 1]);
  return value;
}

unsigned little16(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned>(little(bytes, at, 2));
}

std::uint32_t little32(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint32_t>(little(bytes, at, 4));
}

// Shorter only at the end of the file.
Result<std::string> slice(const ArchiveFile& file, std::uint64_t offset, std::size_t length) {
  std::string bytes(length, '\0');
  std::size_t done = 0;
  while (done < length) {
    const auto into = std::as_writable_bytes(std::span(bytes).subspan(done));
    TRY_SET(const std::size_t got, file.read_at(offset + done, into));
    if (got == 0) break;
    done += got;
  }
  bytes.resize(done);
  return bytes;
}

Result<std::string> take(FileInput& input, std::size_t length) {
  std::string bytes(length, '\0');
  TRY_SET(const std::size_t got, input.fill(std::as_writable_bytes(std::span(bytes))));
  if (got < length) {
    return archive_fault("serialization.truncated", "not a whole zip archive: it ends early");
  }
  return bytes;
}

void append_utf8(std::string* out, char32_t c) {
  if (c < 0x80) {
    *out += static_cast<char>(c);
  } else if (c < 0x800) {
    *out += static_cast<char>(0xC0u | (c >> 6));
    *out += static_cast<char>(0x80u | (c & 0x3Fu));
  } else {
    *out += static_cast<char>(0xE0u | (c >> 12));
    *out += static_cast<char>(0x80u | ((c >> 6) & 0x3Fu));
    *out += static_cast<char>(0x80u | (c & 0x3Fu));
  }
}

std::string of_code_page_437(std::string_view bytes) {
  std::string text;
  for (const char each : bytes) {
    const auto byte = static_cast<unsigned char>(each);
    append_utf8(&text, byte < 0x80 ? char32_t{byte} : kCodePage437[byte - 0x80u]);
  }
  return text;
}

// The sizes and the offset that do not fit the header, in this order, only those that are full
// there; and the name in Unicode, with the CRC of the name that it is of.
Result<void> read_extra(std::string_view extra, bool central, ZipHeader* header) {
  std::optional<std::string> unicode;
  bool seen64 = false;
  // Some programs pad with less than a field's head.
  while (extra.size() >= 4) {
    const unsigned id = little16(extra, 0);
    const std::size_t length = little16(extra, 2);
    if (length > extra.size() - 4) return malformed("a malformed extra field");
    std::string_view field = extra.substr(4, length);
    extra.remove_prefix(4 + length);
    if (id == 0x0001) {
      if (seen64) return malformed("two zip64 fields in one header");
      seen64 = true;
      const auto next = [&](std::uint64_t* value) {
        if (*value != kFull32) return true;
        if (field.size() < 8) return false;
        *value = little(field, 0, 8);
        field.remove_prefix(8);
        header->zip64 = true;
        return true;
      };
      bool good = next(&header->size_bytes) && next(&header->packed_bytes);
      if (central) good = good && next(&header->local_offset);
      if (!good) return malformed("a zip64 field that is too short");
    }
    if (id == 0x7075 && field.size() >= 5 && field[0] == 1) {
      if (unicode) return malformed("two Unicode names in one header");
      if (little32(field, 1) == crc32_update(0, as_bytes(header->raw_name))) {
        unicode = field.substr(5);
      } else {
        header->unicode_name_stale = true;
      }
    }
  }
  if (unicode) {
    if (!is_utf8(*unicode)) return malformed("a Unicode name that is no UTF-8");
    header->name = std::move(*unicode);
  } else if ((header->flags & 0x0800u) != 0 || is_utf8(header->raw_name)) {
    header->name = header->raw_name;
  } else {
    header->name = of_code_page_437(header->raw_name);
  }
  return {};
}

}  // namespace

Result<std::optional<ZipEnd>> read_zip_end(const ArchiveFile& file) {
  const std::uint64_t size = file.size_bytes();
  const std::uint64_t window = std::min<std::uint64_t>(size, kEndBytes + kFull16);
  TRY_SET(const std::string tail, slice(file, size - window, window));
  // The one whose comment ends with the file is meant; else the last.
  std::optional<std::size_t> exact;
  std::optional<std::size_t> last;
  bool ambiguous = false;
  for (std::size_t at = tail.find(kEnd); at != std::string::npos; at = tail.find(kEnd, at + 1)) {
    if (tail.size() - at < kEndBytes) break;
    const std::size_t length = kEndBytes + little16(tail, at + 20);
    if (length == tail.size() - at) {
      ambiguous |= exact.has_value();
      exact = at;
    } else if (length < tail.size() - at) {
      last = at;
    }
  }
  if (!exact && !last) return std::optional<ZipEnd>();
  const std::size_t at = exact ? *exact : *last;
  const std::string_view record = std::string_view(tail).substr(at);
  ZipEnd end;
  end.ambiguous = ambiguous;
  end.end_offset = size - window + at;
  end.after_offset = end.end_offset + kEndBytes + little16(record, 20);
  const std::uint64_t disk = little(record, 4, 2);
  const std::uint64_t directory_disk = little(record, 6, 2);
  const std::uint64_t disk_entries = little(record, 8, 2);
  const std::uint64_t entries = little(record, 10, 2);
  const std::uint64_t bytes = little(record, 12, 4);
  const std::uint64_t offset = little(record, 16, 4);
  end.entries = entries;
  end.directory_bytes = bytes;
  end.directory_offset = offset;
  const Error split(Code::unsupported,
                    "a part of a split zip archive: join its parts into one archive first");

  std::string locator;
  if (end.end_offset >= kLocator64Bytes) {
    TRY_SET(locator, slice(file, end.end_offset - kLocator64Bytes, kLocator64Bytes));
  }
  if (!locator.starts_with(kLocator64)) {
    if (disk != 0 || directory_disk != 0 || disk_entries != entries) return split;
    return std::optional(end);
  }
  if (little(locator, 4, 4) != 0 || little(locator, 16, 4) > 1) return split;
  const std::uint64_t locator_offset = end.end_offset - kLocator64Bytes;
  std::uint64_t record_offset = little(locator, 8, 8);
  TRY_SET(std::string record64, slice(file, record_offset, kEnd64Bytes));
  if (!record64.starts_with(kEnd64) && locator_offset >= kEnd64Bytes) {
    // Something stands before the archive that its offsets do not count.
    record_offset = locator_offset - kEnd64Bytes;
    TRY_SET(record64, slice(file, record_offset, kEnd64Bytes));
  }
  if (record64.size() < kEnd64Bytes || !record64.starts_with(kEnd64)) {
    return malformed("no zip64 end record where it should be");
  }
  const std::uint64_t length = little(record64, 4, 8);
  if (record_offset > locator_offset || length != locator_offset - record_offset - 12) {
    return malformed("a zip64 end record of a wrong length");
  }
  if (little(record64, 16, 4) != 0 || little(record64, 20, 4) != 0 ||
      little(record64, 24, 8) != little(record64, 32, 8)) {
    return split;
  }
  end.entries = little(record64, 32, 8);
  end.directory_bytes = little(record64, 40, 8);
  end.directory_offset = little(record64, 48, 8);
  end.end_offset = record_offset;
  if ((entries != kFull16 && entries != end.entries) ||
      (bytes != kFull32 && bytes != end.directory_bytes) ||
      (offset != kFull32 && offset != end.directory_offset)) {
    return malformed("the two end records do not agree");
  }
  return std::optional(end);
}

Result<ZipHeader> read_zip_central(FileInput& input) {
  TRY_SET(const std::string fixed, take(input, kCentralBytes));
  if (!fixed.starts_with(kCentral)) return malformed("its directory has something else in it");
  ZipHeader header;
  header.made_by = little16(fixed, 4);
  header.flags = little16(fixed, 8);
  header.method = little16(fixed, 10);
  header.crc = little32(fixed, 16);
  header.packed_bytes = little(fixed, 20, 4);
  header.size_bytes = little(fixed, 24, 4);
  header.attributes = little32(fixed, 38);
  header.local_offset = little(fixed, 42, 4);
  const std::size_t name_bytes = little16(fixed, 28);
  const std::size_t extra_bytes = little16(fixed, 30);
  const std::size_t comment_bytes = little16(fixed, 32);
  const unsigned disk = little16(fixed, 34);
  if (disk != 0 && disk != kFull16) return malformed("a member on another disk");
  TRY_SET(header.raw_name, take(input, name_bytes));
  TRY_SET(const std::string extra, take(input, extra_bytes));
  TRY_SET(const std::uint64_t comment, input.skip(comment_bytes));
  if (comment < comment_bytes) {
    return archive_fault("serialization.truncated", "not a whole zip archive: it ends early");
  }
  header.header_bytes = kCentralBytes + name_bytes + extra_bytes + comment_bytes;
  TRY(read_extra(extra, true, &header));
  return header;
}

Result<ZipHeader> read_zip_local(FileInput& input) {
  TRY_SET(const std::string fixed, take(input, kLocalBytes));
  if (!fixed.starts_with(kLocal)) return malformed("a member without its local header");
  ZipHeader header;
  header.flags = little16(fixed, 6);
  header.method = little16(fixed, 8);
  header.crc = little32(fixed, 14);
  header.packed_bytes = little(fixed, 18, 4);
  header.size_bytes = little(fixed, 22, 4);
  const std::size_t name_bytes = little16(fixed, 26);
  const std::size_t extra_bytes = little16(fixed, 28);
  TRY_SET(header.raw_name, take(input, name_bytes));
  TRY_SET(const std::string extra, take(input, extra_bytes));
  header.header_bytes = kLocalBytes + name_bytes + extra_bytes;
  TRY(read_extra(extra, false, &header));
  return header;
}

std::optional<std::size_t> zip_descriptor_bytes(std::string_view bytes, const ZipHeader& header) {
  // With its signature or without, sizes of 4 bytes or of 8.
  for (const bool signature : {true, false}) {
    for (const std::size_t width : {std::size_t{4}, std::size_t{8}}) {
      const std::size_t begin = signature ? 4 : 0;
      const std::size_t length = begin + 4 + 2 * width;
      if (bytes.size() < length || (signature && !bytes.starts_with(kDescriptor))) continue;
      if (little32(bytes, begin) == header.crc &&
          little(bytes, begin + 4, width) == header.packed_bytes &&
          little(bytes, begin + 4 + width, width) == header.size_bytes) {
        return length;
      }
    }
  }
  return std::nullopt;
}

}  // namespace versement::bagit
