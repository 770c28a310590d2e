// The tail: entries that are durable but not yet all in tiles, in one append-only file.
//
// A tile is rewritten as it grows; an acknowledged entry must be durable now. So each group of
// entries goes to the tail with one write and one fdatasync, followed by the signed checkpoint that
// covers it; the tiles follow within a second. What has no checkpoint behind it was never
// acknowledged and is cut off at the next start.
//
//   file:   "versement-tail-1" first index (u64)  CRC-32 of both (u32)  zero (u32)
//   frame:  length (u32)  CRC-32 of all that follows (u32)  index (u64)  kind (u8)  payload
//
// Numbers are little-endian. `index` is an entry's index, or a checkpoint's size. A length of 0
// ends the file: space is reserved in advance, and reserved space reads as zeros.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::journal {

enum class FrameKind : std::uint8_t { entry = 1, checkpoint = 2 };

struct Frame {
  FrameKind kind = FrameKind::entry;
  std::uint64_t index = 0;
  std::string_view payload;
  std::uint64_t payload_offset = 0;  // in the file
  std::uint64_t end_offset = 0;      // of the frame
};

inline constexpr std::uint64_t kTailHeaderBytes = 32;

std::string tail_name(std::uint64_t first_index);  // "tail-00000000000000000256"
std::string tail_header(std::uint64_t first_index);
void append_frame(FrameKind kind, std::uint64_t index, std::string_view payload, std::string* out);

struct TailScan {
  std::uint64_t first_index = 0;
  std::uint64_t end_offset = kTailHeaderBytes;  // behind the last whole frame
  bool torn = false;                            // bytes of a last, unfinished group lie behind it
  bool damaged = false;  // whole groups lie behind a damaged frame: no crash leaves that
};

// Reads the whole file and calls `each` for every frame up to the first that is not whole.
// Errors: corrupt when the header is not that of a tail; those of `each` and the disk.
Result<TailScan> scan_tail(Disk& disk,
                           const Path& path,
                           const std::function<Result<void>(const Frame&)>& each);

// The tail of a journal folder: the one that begins last. not_found when there is none.
Result<Path> find_tail(Disk& disk, const Path& folder);
// "tail-" and 20 digits; whatever else lies there is nobody's tail.
bool is_tail(const DirEntry& entry);

}  // namespace versement::journal
