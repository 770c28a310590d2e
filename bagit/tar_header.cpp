#include "bagit/tar_header.hpp"

#include <algorithm>
#include <span>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

// Offsets and sizes stay below, so that their sums do not overflow.
constexpr std::uint64_t kSizeMax = std::uint64_t{1} << 60;

Error malformed(const std::string& what) {
  return archive_fault("serialization.malformed", "not a whole tar archive: " + what);
}

Error truncated(const std::string& what) {
  return archive_fault("serialization.truncated", "not a whole tar archive: " + what);
}

std::string_view field(const TarBlock& block, std::size_t at, std::size_t width) {
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
std::optional<std::uint64_t> number(const TarBlock& block, std::size_t at, std::size_t width) {
  const auto first = std::to_integer<unsigned>(block.at(at));
  if ((first & 0x80u) == 0) return octal(field(block, at, width));
  std::uint64_t value = first & 0x3Fu;
  if ((first & 0x40u) != 0) return std::nullopt;  // negative
  for (std::size_t i = at + 1; i < at + width; ++i) {
    if (value >> 55 != 0) return std::nullopt;
    value = value << 8 | std::to_integer<std::uint64_t>(block.at(i));
  }
  return value;
}

bool is_zero(const TarBlock& block) {
  return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

std::string ustar_name(const TarBlock& block) {
  const std::string name(field(block, 0, 100));
  const bool ustar = field(block, 257, 5) == "ustar" && field(block, 257, 8) != "ustar  ";
  const std::string_view prefix = ustar ? field(block, 345, 155) : std::string_view();
  return prefix.empty() ? name : std::string(prefix) + "/" + name;
}

// The runs must rise, not overlap, lie in the file and be as long together as what is stored.
Result<void> check_map(const TarItem& item) {
  std::uint64_t end = 0;
  std::uint64_t sum = 0;
  for (const TarExtent& each : item.extents) {
    if (each.offset < end || each.offset > kSizeMax || each.length > kSizeMax) {
      return malformed("the map of a sparse file does not rise");
    }
    end = each.offset + each.length;
    sum += each.length;
  }
  if (end > item.size_bytes || sum != item.stored_bytes) {
    return malformed("the map of a sparse file is not that of its data");
  }
  return {};
}

Error too_many_runs() {
  return archive_fault(
      "serialization.limit",
      "a sparse file of more than " + std::to_string(limits::kTarExtentsMax) + " runs of data");
}

Result<void> add_extent(TarItem* item, std::uint64_t offset, std::uint64_t length) {
  if (item->extents.size() >= limits::kTarExtentsMax) {
    return archive_fault(
        "serialization.limit",
        "a sparse file of more than " + std::to_string(limits::kTarExtentsMax) + " runs of data");
  }
  item->extents.push_back({offset, length});
  return {};
}

// Of two records for one thing some readers take the first, others the last; and of pax and GNU
// that which they know.
template <typename T>
Result<void> set_once(std::optional<T>* into, T value, std::string_view what) {
  if (*into && **into != value) {
    return malformed("two extension headers that differ in a member's " + std::string(what));
  }
  *into = std::move(value);
  return {};
}

}  // namespace

// What extension headers say of the member that follows them.
struct TarHeaders::Extension {
  bool any = false;
  std::optional<std::string> path;
  std::optional<std::string> link;
  std::optional<std::uint64_t> size;
  std::optional<std::string> sparse_name;
  std::optional<std::uint64_t> sparse_size;
  bool sparse = false;
  bool map_in_payload = false;
  std::vector<std::uint64_t> map;  // offset, length, offset, length …

  Result<void> read_pax(std::string_view records, bool global);

 private:
  Result<void> take(std::string_view key, std::string_view value);
  Result<void> take_number(std::string_view key, std::uint64_t value);
  Result<void> take_map(std::string_view text);
};

bool is_tar_header(const TarBlock& block) {
  const auto said = octal(field(block, 148, 8));
  std::uint64_t sum = 0;
  std::int64_t signed_sum = 0;  // of some makers of long ago, whose chars had a sign
  for (std::size_t i = 0; i < kTarBlock; ++i) {
    const bool in_field = i >= 148 && i < 156;
    const auto byte = in_field ? std::uint8_t{' '} : std::to_integer<std::uint8_t>(block[i]);
    sum += byte;
    signed_sum += static_cast<std::int8_t>(byte);
  }
  return said && (*said == sum || static_cast<std::int64_t>(*said) == signed_sum);
}

// Lines of "LENGTH KEY=VALUE", whose length counts all of them.
Result<void> TarHeaders::Extension::read_pax(std::string_view records, bool global) {
  while (!records.empty()) {
    const std::size_t blank = records.find(' ');
    const auto length = parse_decimal(records.substr(0, blank));
    if (!length || blank == std::string_view::npos || *length > records.size() ||
        *length < blank + 3 || records[*length - 1] != '\n') {
      return malformed("a malformed pax header");
    }
    const std::string_view record = records.substr(blank + 1, *length - blank - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) return malformed("a malformed pax record");
    records.remove_prefix(*length);

    const std::string_view key = record.substr(0, equals);
    const bool of_sparse = key.starts_with("GNU.sparse.");
    if (!of_sparse && key != "path" && key != "linkpath" && key != "size") continue;
    if (global) {
      // One name or size for all members makes no sense, and readers do not agree what it does.
      return malformed("a global pax header with '" + printable(key) + "'");
    }
    sparse |= of_sparse;
    TRY(take(key, record.substr(equals + 1)));
  }
  return {};
}

Result<void> TarHeaders::Extension::take(std::string_view key, std::string_view value) {
  if (key == "GNU.sparse.map") return take_map(value);
  if (key == "path") return set_once(&path, std::string(value), "name");
  if (key == "linkpath") return set_once(&link, std::string(value), "target");
  if (key == "GNU.sparse.name") return set_once(&sparse_name, std::string(value), "name");
  const auto number_of = parse_decimal(value);
  if (!number_of) return malformed("a malformed '" + printable(key) + "' in a pax header");
  return take_number(key, *number_of);
}

Result<void> TarHeaders::Extension::take_number(std::string_view key, std::uint64_t value) {
  if (key == "size") return set_once(&size, value, "size");
  if (key == "GNU.sparse.size" || key == "GNU.sparse.realsize") {
    return set_once(&sparse_size, value, "size");
  }
  if (key == "GNU.sparse.major") {
    if (value > 1) return malformed("a sparse file of an unknown version");
    map_in_payload = value == 1;
  }
  if (key != "GNU.sparse.offset" && key != "GNU.sparse.numbytes") return {};
  // They take turns.
  if ((map.size() % 2 == 0) != (key == "GNU.sparse.offset")) {
    return malformed("a malformed map of a sparse file");
  }
  if (map.size() >= 2 * limits::kTarExtentsMax) return too_many_runs();
  map.push_back(value);
  return {};
}

Result<void> TarHeaders::Extension::take_map(std::string_view text) {
  map.clear();
  if (text.empty()) return {};
  for (const std::string_view each : split(text, ',')) {
    const auto number_of = parse_decimal(each);
    if (!number_of) return malformed("a malformed map of a sparse file");
    map.push_back(*number_of);
  }
  return {};
}

Result<std::string> TarHeaders::extension_bytes(std::uint64_t size) {
  if (size > limits::kTarExtensionBytesMax) {
    return archive_fault("serialization.limit", "an extension header of over " +
                                                    human_bytes(limits::kTarExtensionBytesMax));
  }
  std::string bytes((size + kTarBlock - 1) / kTarBlock * kTarBlock, '\0');
  TRY_SET(const std::size_t got, input_.fill(std::as_writable_bytes(std::span(bytes))));
  if (got < bytes.size()) return truncated("it ends early, in an extension header");
  bytes.resize(size);
  return bytes;
}

Result<TarHeaders::Got> TarHeaders::next(TarItem* item) {
  *item = {};
  item->header_offset = input_.offset();
  Extension extension;
  while (true) {
    TRY_SET(const std::size_t got, input_.fill(block_));
    if (got == 0 && !extension.any) return Got::end;
    if (got < kTarBlock) return truncated("it ends early, in a header");
    if (is_zero(block_)) {
      if (extension.any) return malformed("an extension header of no member");
      return Got::zeros;
    }
    if (!is_tar_header(block_)) {
      return malformed("a header with a wrong checksum at byte " +
                       std::to_string(input_.offset() - kTarBlock));
    }
    const auto size = number(block_, 124, 12);
    if (!size || *size > kSizeMax) return malformed("a malformed size");
    item->kind = std::to_integer<char>(block_[156]);
    TRY_SET(const bool extends, read_extension(item->kind, *size, &extension));
    if (extends) continue;
    TRY(set(*size, std::move(extension), item));
    return Got::item;
  }
}

Result<bool> TarHeaders::read_extension(char kind, std::uint64_t size, Extension* extension) {
  if (kind != 'x' && kind != 'g' && kind != 'L' && kind != 'K') return false;
  TRY_SET(std::string bytes, extension_bytes(size));
  // A global header may stand before the end, and be all that there is.
  extension->any |= kind != 'g';
  if (kind == 'x' || kind == 'g') {
    TRY(extension->read_pax(bytes, kind == 'g'));
    return true;
  }
  bytes.resize(std::min(bytes.size(), bytes.find('\0')));
  if (kind == 'L') {
    TRY(set_once(&extension->path, std::move(bytes), "name"));
  } else {
    TRY(set_once(&extension->link, std::move(bytes), "target"));
  }
  return true;
}

// What the last block and the extensions before it say together.
Result<void> TarHeaders::set(std::uint64_t size, Extension&& extension, TarItem* item) {
  if (item->kind == '\0') item->kind = '0';
  item->name = extension.path ? std::move(*extension.path) : ustar_name(block_);
  item->link = extension.link ? std::move(*extension.link) : std::string(field(block_, 157, 100));
  item->stored_bytes = extension.size.value_or(size);
  if (item->stored_bytes > kSizeMax) return malformed("a malformed size");
  item->size_bytes = item->stored_bytes;
  if (item->kind == 'S') item->sparse = TarSparse::old_gnu;
  if (!extension.sparse) return {};
  if (!item->is_file()) return malformed("a sparse file that is no file");
  item->sparse = extension.map_in_payload ? TarSparse::in_payload : TarSparse::in_pax;
  if (extension.sparse_name) item->name = std::move(*extension.sparse_name);
  sparse_size_ = extension.sparse_size;
  map_ = std::move(extension.map);
  return {};
}

Result<void> TarHeaders::read_sparse_map(TarItem* item) {
  switch (item->sparse) {
    case TarSparse::none:
      return {};
    case TarSparse::old_gnu:
      TRY(read_old_map(item));
      break;
    case TarSparse::in_pax:
      if (!sparse_size_ || map_.size() % 2 != 0) {
        return malformed("a malformed map of a sparse file");
      }
      for (std::size_t i = 0; i + 1 < map_.size(); i += 2)
        TRY(add_extent(item, map_[i], map_[i + 1]));
      item->size_bytes = *sparse_size_;
      break;
    case TarSparse::in_payload:
      if (!sparse_size_) return malformed("a sparse file without its size");
      map_block_at_ = kTarBlock;
      TRY(read_payload_map(item));
      item->size_bytes = *sparse_size_;
      break;
  }
  map_.clear();
  if (item->size_bytes > kSizeMax) return malformed("a malformed size");
  return check_map(*item);
}

// Four runs in the header, then 21 a block as long as the one before says so.
Result<void> TarHeaders::read_old_map(TarItem* item) {
  const auto size = number(block_, 483, 12);
  if (!size) return malformed("a sparse file without its size");
  item->size_bytes = *size;
  std::size_t at = 386;
  std::size_t runs = 4;
  std::size_t more = 482;
  while (true) {
    for (std::size_t i = 0; i < runs; ++i) {
      const std::size_t run = at + i * 24;
      if (block_.at(run + 12) == std::byte{0}) break;  // a free place
      const auto offset = number(block_, run, 12);
      const auto length = number(block_, run + 12, 12);
      if (!offset || !length) return malformed("a malformed map of a sparse file");
      TRY(add_extent(item, *offset, *length));
    }
    if (block_.at(more) == std::byte{0}) return {};
    TRY_SET(const std::size_t got, input_.fill(block_));
    if (got < kTarBlock) return truncated("it ends early, in the map of a sparse file");
    at = 0;
    runs = 21;
    more = 504;
  }
}

// Decimal numbers, a line each, before the data: how many runs, then offset and length of each.
Result<void> TarHeaders::read_payload_map(TarItem* item) {
  TRY_SET(const std::uint64_t runs, next_number(item));
  for (std::uint64_t i = 0; i < runs; ++i) {
    TRY_SET(const std::uint64_t offset, next_number(item));
    TRY_SET(const std::uint64_t length, next_number(item));
    TRY(add_extent(item, offset, length));
  }
  return {};
}

Result<std::uint64_t> TarHeaders::next_number(TarItem* item) {
  std::string digits;
  while (true) {
    if (map_block_at_ == kTarBlock) {
      if (item->stored_bytes < kTarBlock) return malformed("the map of a sparse file is cut");
      TRY_SET(const std::size_t got, input_.fill(block_));
      if (got < kTarBlock) return truncated("it ends early, in the map of a sparse file");
      item->stored_bytes -= kTarBlock;
      map_block_at_ = 0;
    }
    const char c = std::to_integer<char>(block_.at(map_block_at_++));
    if (c == '\n') break;
    if (digits.size() >= 20) return malformed("a malformed map of a sparse file");
    digits += c;
  }
  const auto value = parse_decimal(digits);
  if (!value) return malformed("a malformed map of a sparse file");
  return *value;
}

}  // namespace versement::bagit
