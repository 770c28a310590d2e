// The files of the journal as C2SP tlog-tiles names and fills them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.hpp"
#include "store/journal/merkle.hpp"

namespace versement::journal {

inline constexpr std::uint64_t kTileWidth = 256;

// "x001/x234/067" for 1234067; ".p/W" behind it when the tile holds only `width` of 256.
std::string tile_index_text(std::uint64_t index, std::uint64_t width = kTileWidth);
// "tile/<level>/<index>" and "tile/entries/<index>".
std::string tile_path(unsigned level, std::uint64_t index, std::uint64_t width = kTileWidth);
std::string bundle_path(std::uint64_t index, std::uint64_t width = kTileWidth);

// A hash tile: the hashes side by side.
std::string tile_bytes(std::span<const Hash> hashes);
Result<std::vector<Hash>> hashes_of_tile(std::string_view bytes);

// An entry bundle: each entry behind its length in 16 bits, big-endian.
void append_to_bundle(std::string_view entry, std::string* bundle);
Result<std::vector<std::string_view>> entries_of_bundle(std::string_view bytes);

}  // namespace versement::journal
