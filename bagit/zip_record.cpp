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
// there.
bool read_zip64(std::string_view field, bool central, ZipHeader* header) {
  const auto next = [&](std::uint64_t* value) {
    if (*value != kFull32) return true;
    if (field.size() < 8) return false;
    *value = little(field, 0, 8);
    field.remove_prefix(8);
    return true;
  };
  return next(&header->size_bytes) && next(&header->packed_bytes) &&
         (!central || next(&header->local_offset));
}

Result<void> read_extra(std::string_view extra, bool central, ZipHeader* header) {
  std::optional<std::string> unicode;
  bool zip64 = false;
  // Some programs pad with less than a field's head.
  while (extra.size() >= 4) {
    const unsigned id = little16(extra, 0);
    const std::size_t length = little16(extra, 2);
    if (length > extra.size() - 4) return malformed("a malformed extra field");
    const std::string_view field = extra.substr(4, length);
    extra.remove_prefix(4 + length);
    if (id == 0x0001) {
      if (zip64) return malformed("two zip64 fields in one header");
      zip64 = true;
      if (!read_zip64(field, central, header)) return malformed("a zip64 field that is too short");
    }
    // The name in Unicode, and the CRC of the name that it is of.
    if (id != 0x7075 || field.size() < 5 || field[0] != 1) continue;
    if (unicode) return malformed("two Unicode names in one header");
    unicode = field.substr(5);
    header->unicode_name_stale = little32(field, 1) != crc32_update(0, as_bytes(header->raw_name));
  }
  if (unicode && !header->unicode_name_stale) {
    if (!is_utf8(*unicode)) return malformed("a Unicode name that is no UTF-8");
    header->name = std::move(*unicode);
  } else if ((header->flags & 0x0800u) != 0 || is_utf8(header->raw_name)) {
    header->name = header->raw_name;
  } else {
    header->name = of_code_page_437(header->raw_name);
  }
  return {};
}

struct EndRecord {
  std::uint64_t offset = 0;  // in the file
  std::string bytes;         // to the end of the file
  bool ambiguous = false;
};

// The one whose comment ends with the file is meant; else the last. One that could be found in the
// comment of another makes two archives of one: readers that look from behind, or from the front,
// each take theirs.
Result<std::optional<EndRecord>> find_end(const ArchiveFile& file) {
  const std::uint64_t size = file.size_bytes();
  const std::uint64_t window = std::min<std::uint64_t>(size, kEndBytes + kFull16);
  TRY_SET(const std::string tail, slice(file, size - window, window));
  std::optional<std::size_t> exact;
  std::optional<std::size_t> last;
  bool ambiguous = false;
  for (std::size_t at = tail.find(kEnd); at != std::string::npos; at = tail.find(kEnd, at + 1)) {
    if (tail.size() - at < kEndBytes) break;
    // Before the first lie members, which may well be archives.
    ambiguous |= exact.has_value();
    const std::size_t length = kEndBytes + little16(tail, at + 20);
    if (length == tail.size() - at) {
      exact = at;
    } else if (length < tail.size() - at) {
      last = at;
    }
  }
  if (!exact) exact = last;
  if (!exact) return std::optional<EndRecord>();
  return std::optional(EndRecord{size - window + *exact, tail.substr(*exact), ambiguous});
}

Error split_archive() {
  return {Code::unsupported,
          "a part of a split zip archive: join its parts into one archive first"};
}

// The end record of zip64 is told by a locator before the old one, and must agree with it.
Result<void> read_end64(const ArchiveFile& file, std::string_view locator, ZipEnd* end) {
  if (little(locator, 4, 4) != 0 || little(locator, 16, 4) > 1) return split_archive();
  const std::uint64_t locator_offset = end->end_offset - kLocator64Bytes;
  std::uint64_t offset = little(locator, 8, 8);
  TRY_SET(std::string record, slice(file, offset, kEnd64Bytes));
  if (!record.starts_with(kEnd64) && locator_offset >= kEnd64Bytes) {
    // Something stands before the archive that its offsets do not count.
    offset = locator_offset - kEnd64Bytes;
    TRY_SET(record, slice(file, offset, kEnd64Bytes));
  }
  if (record.size() < kEnd64Bytes || !record.starts_with(kEnd64)) {
    return malformed("no zip64 end record where it should be");
  }
  if (offset > locator_offset || little(record, 4, 8) != locator_offset - offset - 12) {
    return malformed("a zip64 end record of a wrong length");
  }
  const std::uint64_t entries = little(record, 32, 8);
  if (little(record, 16, 8) != 0 || little(record, 24, 8) != entries) return split_archive();
  const auto disagree = [](std::uint64_t old, std::uint64_t full, std::uint64_t value) {
    return old != full && old != value;
  };
  if (disagree(end->entries, kFull16, entries) ||
      disagree(end->directory_bytes, kFull32, little(record, 40, 8)) ||
      disagree(end->directory_offset, kFull32, little(record, 48, 8))) {
    return malformed("the two end records do not agree");
  }
  end->entries = entries;
  end->directory_bytes = little(record, 40, 8);
  end->directory_offset = little(record, 48, 8);
  end->end_offset = offset;
  return {};
}

}  // namespace

Result<std::optional<ZipEnd>> read_zip_end(const ArchiveFile& file) {
  TRY_SET(const auto found, find_end(file));
  if (!found) return std::optional<ZipEnd>();
  const std::string& record = found->bytes;
  ZipEnd end;
  end.ambiguous = found->ambiguous;
  end.end_offset = found->offset;
  end.after_offset = found->offset + kEndBytes + little16(record, 20);
  end.entries = little(record, 10, 2);
  end.directory_bytes = little(record, 12, 4);
  end.directory_offset = little(record, 16, 4);
  std::string locator;
  if (end.end_offset >= kLocator64Bytes) {
    TRY_SET(locator, slice(file, end.end_offset - kLocator64Bytes, kLocator64Bytes));
  }
  if (locator.starts_with(kLocator64)) {
    TRY(read_end64(file, locator, &end));
  } else if (little(record, 4, 4) != 0 || little(record, 8, 2) != end.entries) {
    return split_archive();
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
