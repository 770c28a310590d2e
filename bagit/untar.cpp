#include "bagit/untar.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

constexpr std::size_t kBlock = 512;
// A pax header or long name: far above any path that a file system takes.
constexpr std::uint64_t kExtensionBytesMax = 1u << 20;

using Block = std::array<std::byte, kBlock>;

Error corrupt(const std::string& what) {
  return Error(Code::corrupt, "not a whole tar archive: " + what).as("archive-corrupt");
}

std::string_view field(const Block& block, std::size_t at, std::size_t width) {
  const std::string_view all(reinterpret_cast<const char*>(block.data()) + at, width);
  return all.substr(0, all.find('\0'));
}

std::optional<std::uint64_t> octal(std::string_view text) {
  text = trim(text, " ");
  if (text.empty() || text.size() > 21) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '7') return std::nullopt;
    value = value * 8 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// Octal digits, or GNU's base 256 when the first bit is set.
std::optional<std::uint64_t> number(const Block& block, std::size_t at, std::size_t width) {
  const auto first = std::to_integer<unsigned>(block.at(at));
  if ((first & 0x80u) == 0) {
    return octal(std::string_view(reinterpret_cast<const char*>(block.data()) + at, width)
                     .substr(0, field(block, at, width).size()));
  }
  std::uint64_t value = first & 0x3Fu;
  if ((first & 0x40u) != 0) return std::nullopt;  // negative
  for (std::size_t i = at + 1; i < at + width; ++i) {
    if (value >> 55 != 0) return std::nullopt;
    value = value << 8 | std::to_integer<std::uint64_t>(block.at(i));
  }
  return value;
}

bool is_zero(const Block& block) {
  return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

bool checksum_is_right(const Block& block) {
  const auto said = octal(field(block, 148, 8));
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < kBlock; ++i) {
    const bool in_field = i >= 148 && i < 156;
    sum += in_field ? std::uint64_t{' '} : std::to_integer<std::uint64_t>(block[i]);
  }
  return said == sum;
}

// What extension headers say of the member that follows them.
struct Extension {
  std::optional<std::string> path;
  std::optional<std::uint64_t> size;
  bool sparse = false;
};

Result<void> read_pax(std::string_view records, Extension* extension) {
  while (!records.empty()) {
    const std::size_t blank = records.find(' ');
    const auto length = parse_decimal(records.substr(0, blank));
    if (!length || blank == std::string_view::npos || *length > records.size() ||
        *length < blank + 3 || records[*length - 1] != '\n') {
      return corrupt("a malformed pax header");
    }
    const std::string_view record = records.substr(blank + 1, *length - blank - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return corrupt("a malformed pax record");
    const std::string_view key = record.substr(0, equals);
    const std::string_view value = record.substr(equals + 1);
    if (key == "path") extension->path = value;
    if (key.starts_with("GNU.sparse.")) extension->sparse = true;
    if (key == "size") {
      extension->size = parse_decimal(value);
      if (!extension->size) return corrupt("a malformed size in a pax header");
    }
    records.remove_prefix(*length);
  }
  return {};
}

class TarReader {
 public:
  TarReader(const ReadBytes& read, const ArchiveLimits& bounds, MemberSink& sink)
      : read_(read), bounds_(bounds), sink_(sink) {}

  Result<void> run() {
    std::uint64_t begun = 0;  // where the headers of the next member begin
    Extension extension;
    while (true) {
      Block block{};
      TRY(fill(block));
      if (is_zero(block)) {
        TRY(fill(block));
        if (is_zero(block)) return {};
        return corrupt("a single block of zeros inside");
      }
      if (!checksum_is_right(block)) return corrupt("a header with a wrong checksum");
      TRY_SET(const bool member, header(block, begun, &extension));
      if (member) {
        begun = offset_;
        extension = {};
      }
    }
  }

 private:
  Result<void> fill(std::span<std::byte> into) {
    std::size_t done = 0;
    while (done < into.size()) {
      TRY_SET(const std::size_t count, read_(into.subspan(done)));
      if (count == 0) return corrupt("it ends early");
      done += count;
      offset_ += count;
    }
    return {};
  }

  // Returns true when a member was read, false for an extension of the next one.
  Result<bool> header(const Block& block, std::uint64_t begun, Extension* extension) {
    const char kind = std::to_integer<char>(block[156]);
    auto size = number(block, 124, 12);
    if (!size) return corrupt("a malformed size");
    switch (kind) {
      case 'x': {
        TRY_SET(const std::string records, extension_bytes(*size));
        TRY(read_pax(records, extension));
        return false;
      }
      case 'g': {  // Of the whole archive: comments and the like; names cannot be global.
        TRY(extension_bytes(*size));
        return false;
      }
      case 'L': {
        TRY_SET(std::string name, extension_bytes(*size));
        extension->path = name.substr(0, name.find('\0'));
        return false;
      }
      default:
        break;
    }
    if (extension->size) size = extension->size;
    std::string name = extension->path ? *extension->path : ustar_name(block);
    if (kind == '5') {
      if (*size != 0) return corrupt("a folder with content");
      return true;
    }
    if (extension->sparse || kind == 'S') {
      return Error(Code::invalid, "'" + printable(name) + "' is sparse").as("archive-sparse");
    }
    if (kind != '0' && kind != '\0' && kind != '7') {
      return Error(Code::invalid, "'" + printable(name) + "' is no regular file")
          .as("archive-special-file");
    }
    // Some programs write folders as files whose name ends with a slash.
    if (name.ends_with('/') && *size == 0) return true;
    auto path = LogicalPath::parse(name);
    if (!path) return std::move(path).error().as("archive-path");
    TRY(member({.path = std::move(*path), .size_bytes = *size, .header_offset = begun}));
    return true;
  }

  static std::string ustar_name(const Block& block) {
    const std::string name(field(block, 0, 100));
    const bool ustar = field(block, 257, 5) == "ustar" && field(block, 257, 8) != "ustar  ";
    const std::string_view prefix = ustar ? field(block, 345, 155) : std::string_view();
    return prefix.empty() ? name : std::string(prefix) + "/" + name;
  }

  Result<std::string> extension_bytes(std::uint64_t size) {
    if (size > kExtensionBytesMax) return Error(Code::limit, "an extension header of over 1 MiB");
    std::string bytes((size + kBlock - 1) / kBlock * kBlock, '\0');
    TRY(fill(std::as_writable_bytes(std::span(bytes))));
    bytes.resize(size);
    return bytes;
  }

  Result<void> member(const ArchiveMember& found) {
    if (++members_ > bounds_.members_max) {
      return Error(Code::limit,
                   "the archive has more than " + std::to_string(bounds_.members_max) + " members");
    }
    if (found.size_bytes > bounds_.total_bytes_max - total_) {
      return Error(Code::limit,
                   "the archive holds more than " + human_bytes(bounds_.total_bytes_max));
    }
    total_ += found.size_bytes;
    TRY(sink_.begin(found));
    std::uint64_t left = found.size_bytes;
    while (left > 0) {
      const auto into = std::span(buffer_).first(std::min<std::uint64_t>(left, buffer_.size()));
      TRY_SET(const std::size_t count, read_(into));
      if (count == 0) return corrupt("'" + found.path.text() + "' ends early");
      offset_ += count;
      left -= count;
      TRY(sink_.data(into.first(count)));
    }
    Block padding{};
    const std::size_t over = found.size_bytes % kBlock;
    if (over > 0) TRY(fill(std::span(padding).first(kBlock - over)));
    return sink_.end();
  }

  const ReadBytes& read_;
  const ArchiveLimits& bounds_;
  MemberSink& sink_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(limits::kChunkBytes);
  std::uint64_t offset_ = 0;
  std::uint64_t members_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

Result<void> read_tar(const ReadBytes& read, const ArchiveLimits& limits, MemberSink& sink) {
  return TarReader(read, limits, sink).run();
}

}  // namespace versement::bagit
