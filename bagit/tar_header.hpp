// The headers of tar: the only code that decodes them. Knows v7, POSIX ustar and pax, and GNU: long
// names and links, base-256 numbers, sparse files (its own kind, and pax 0.0, 0.1 and 1.0).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bagit/archive.hpp"

namespace versement::bagit {

inline constexpr std::size_t kTarBlock = 512;
using TarBlock = std::array<std::byte, kTarBlock>;

// Whether a header's checksum holds.
bool is_tar_header(const TarBlock& block);

// A run of data in a sparse file; what lies between runs is zeros.
struct TarExtent {
  std::uint64_t offset = 0;  // in the file
  std::uint64_t length = 0;
};

enum class TarSparse { none, old_gnu, in_pax, in_payload };

struct TarItem {
  std::string name;                 // raw
  std::string link;                 // likewise: the target of a hard or symbolic link
  char kind = '0';                  // '\0' of v7 is '0'
  std::uint64_t stored_bytes = 0;   // in the archive, without the padding to whole blocks
  std::uint64_t size_bytes = 0;     // of the file; above stored_bytes when it is sparse
  std::uint64_t header_offset = 0;  // where the first of its headers begins
  TarSparse sparse = TarSparse::none;
  std::vector<TarExtent> extents;  // of a sparse file, after read_sparse_map

  bool is_file() const { return kind == '0' || kind == '7' || kind == 'S'; }
  std::uint64_t padding_bytes() const { return (kTarBlock - stored_bytes % kTarBlock) % kTarBlock; }
};

// Not thread safe.
class TarHeaders {
 public:
  explicit TarHeaders(ByteInput& input) : input_(input) {}

  enum class Got {
    item,
    zeros,  // a block of zeros
    end,    // not one byte is left
  };

  // Reads the headers of the next member; the input stands at its payload then.
  // Errors: archive_fault with serialization.malformed, .truncated or .limit; the input's.
  Result<Got> next(TarItem* item);

  // Reads where the data of a sparse file lies, which may be part of the payload, and sets size and
  // extents. Requires: nothing was read since next(). Errors: like those of next().
  Result<void> read_sparse_map(TarItem* item);

 private:
  struct Extension;

  Result<std::string> extension_bytes(std::uint64_t size);
  static Result<void> read_pax(std::string_view records, bool global, Extension* extension);
  Result<void> read_old_map(TarItem* item);
  Result<void> read_payload_map(TarItem* item);

  ByteInput& input_;
  TarBlock block_{};
  std::vector<std::uint64_t> map_;  // of the pax header: offset, length, offset, length …
  std::optional<std::uint64_t> sparse_size_;
};

}  // namespace versement::bagit
