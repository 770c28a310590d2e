#include "store/journal/tile.hpp"

#include <array>
#include <cassert>
#include <cstdio>
#include <cstring>

#include "store/base/limits.hpp"

namespace versement::journal {

std::string tile_index_text(std::uint64_t index, std::uint64_t width) {
  std::array<char, 8> group{};
  (void)std::snprintf(group.data(), group.size(), "%03u", static_cast<unsigned>(index % 1000));
  std::string text = group.data();
  for (index /= 1000; index > 0; index /= 1000) {
    (void)std::snprintf(group.data(), group.size(), "x%03u/", static_cast<unsigned>(index % 1000));
    text.insert(0, group.data());
  }
  if (width < kTileWidth) text += ".p/" + std::to_string(width);
  return text;
}

std::string tile_path(unsigned level, std::uint64_t index, std::uint64_t width) {
  return "tile/" + std::to_string(level) + "/" + tile_index_text(index, width);
}

std::string bundle_path(std::uint64_t index, std::uint64_t width) {
  return "tile/entries/" + tile_index_text(index, width);
}

std::string tile_bytes(std::span<const Hash> hashes) {
  std::string bytes;
  bytes.reserve(hashes.size() * sizeof(Hash));
  for (const Hash& hash : hashes) {
    bytes.append(reinterpret_cast<const char*>(hash.data()), hash.size());
  }
  return bytes;
}

Result<std::vector<Hash>> hashes_of_tile(std::string_view bytes) {
  if (bytes.size() % sizeof(Hash) != 0 || bytes.size() > kTileWidth * sizeof(Hash)) {
    return Error(Code::corrupt, "a tile of " + std::to_string(bytes.size()) +
                                    " bytes: not up to 256 hashes of 32");
  }
  std::vector<Hash> hashes(bytes.size() / sizeof(Hash));
  if (!hashes.empty()) std::memcpy(hashes.data(), bytes.data(), bytes.size());
  return hashes;
}

void append_to_bundle(std::string_view entry, std::string* bundle) {
  assert(entry.size() <= limits::kEntryBytesMax);
  *bundle += static_cast<char>(entry.size() >> 8);
  *bundle += static_cast<char>(entry.size() & 0xFFu);
  *bundle += entry;
}

Result<std::vector<std::string_view>> entries_of_bundle(std::string_view bytes) {
  std::vector<std::string_view> entries;
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (at + 2 > bytes.size()) return Error(Code::corrupt, "an entry bundle ends inside a length");
    const std::size_t length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[at]))
                                   << 8 |
                               static_cast<unsigned char>(bytes[at + 1]);
    at += 2;
    if (at + length > bytes.size())
      return Error(Code::corrupt, "an entry bundle ends inside an entry");
    entries.push_back(bytes.substr(at, length));
    at += length;
    if (entries.size() > kTileWidth)
      return Error(Code::corrupt, "an entry bundle of more than 256");
  }
  return entries;
}

}  // namespace versement::journal
