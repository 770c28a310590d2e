#include "store/journal/tail.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdio>
#include <cstring>
#include <optional>

#include <fcntl.h>

#include "store/base/digest.hpp"
#include "store/base/limits.hpp"

static_assert(std::endian::native == std::endian::little,
              "the tail is little-endian, and so are the machines that we know");

namespace versement::journal {
namespace {

constexpr std::string_view kMagic = "versement-tail-1";
constexpr std::string_view kNamePrefix = "tail-";
constexpr std::size_t kFrameHeaderBytes = 17;
constexpr std::size_t kPayloadBytesMax =
    std::max(limits::kEntryBytesMax, limits::kCheckpointBytesMax);

template <class Number>
void put(Number value, std::string* out) {
  out->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

template <class Number>
Number get(std::string_view bytes, std::size_t at) {
  Number value{};
  std::memcpy(&value, bytes.data() + at, sizeof(value));
  return value;
}

// The frame at `at`, if it is whole.
std::optional<Frame> frame_at(std::string_view bytes, std::size_t at) {
  if (bytes.size() - at < kFrameHeaderBytes) return std::nullopt;
  const auto length = get<std::uint32_t>(bytes, at);
  if (length == 0 || length > kPayloadBytesMax) return std::nullopt;
  if (bytes.size() - at - kFrameHeaderBytes < length) return std::nullopt;
  const std::string_view checked = bytes.substr(at + 8, kFrameHeaderBytes - 8 + length);
  if (crc32_update(0, as_bytes(checked)) != get<std::uint32_t>(bytes, at + 4)) return std::nullopt;
  const auto kind = static_cast<FrameKind>(bytes[at + 16]);
  if (kind != FrameKind::entry && kind != FrameKind::checkpoint) return std::nullopt;
  return Frame{.kind = kind,
               .index = get<std::uint64_t>(bytes, at + 8),
               .payload = bytes.substr(at + kFrameHeaderBytes, length),
               .payload_offset = at + kFrameHeaderBytes,
               .end_offset = at + kFrameHeaderBytes + length};
}

// Checkpoints that are whole somewhere behind `at`. One may be the end of a group whose beginning
// the power cut took; two cannot be.
std::size_t checkpoints_behind(std::string_view bytes, std::size_t at) {
  std::size_t count = 0;
  while (at + kFrameHeaderBytes < bytes.size() && count < 2) {
    const auto frame = frame_at(bytes, at);
    if (frame) {
      if (frame->kind == FrameKind::checkpoint) ++count;
      at = frame->end_offset;
    } else {
      ++at;
    }
  }
  return count;
}

}  // namespace

std::string tail_name(std::uint64_t first_index) {
  std::array<char, 32> digits{};
  (void)std::snprintf(digits.data(), digits.size(), "%020llu",
                      static_cast<unsigned long long>(first_index));
  return std::string(kNamePrefix) + digits.data();
}

std::string tail_header(std::uint64_t first_index) {
  std::string header(kMagic);
  put(first_index, &header);
  put(crc32_update(0, as_bytes(header)), &header);
  put(std::uint32_t{0}, &header);
  return header;
}

void append_frame(FrameKind kind, std::uint64_t index, std::string_view payload, std::string* out) {
  std::string checked;
  checked.reserve(9 + payload.size());
  put(index, &checked);
  checked += static_cast<char>(kind);
  checked += payload;
  put(static_cast<std::uint32_t>(payload.size()), out);
  put(crc32_update(0, as_bytes(checked)), out);
  *out += checked;
}

Result<TailScan> scan_tail(Disk& disk,
                           const Path& path,
                           const std::function<Result<void>(const Frame&)>& each) {
  TRY_SET(const std::string bytes, read_file(disk, path, limits::kTailBytesMax));
  TailScan scan;
  if (bytes.size() < kTailHeaderBytes || !bytes.starts_with(kMagic) ||
      bytes.substr(0, kTailHeaderBytes) != tail_header(get<std::uint64_t>(bytes, kMagic.size()))) {
    return Error(Code::corrupt, path.native() + " does not begin as the tail of a journal does");
  }
  scan.first_index = get<std::uint64_t>(bytes, kMagic.size());
  while (const auto frame = frame_at(bytes, scan.end_offset)) {
    TRY(each(*frame));
    scan.end_offset = frame->end_offset;
  }
  const std::string_view rest = std::string_view(bytes).substr(scan.end_offset);
  scan.torn = rest.find_first_not_of('\0') != std::string_view::npos;
  scan.damaged = scan.torn && checkpoints_behind(bytes, scan.end_offset) > 1;
  return scan;
}

bool is_tail(const DirEntry& entry) {
  const std::string_view number =
      std::string_view(entry.name).substr(std::min(kNamePrefix.size(), entry.name.size()));
  return entry.kind == FileKind::regular && entry.name.starts_with(kNamePrefix) &&
         number.size() == 20 && number.find_first_not_of("0123456789") == std::string_view::npos;
}

Result<Path> find_tail(Disk& disk, const Path& folder) {
  TRY_SET(const auto entries, list_sorted(disk, folder));
  const auto newest = std::find_if(entries.rbegin(), entries.rend(),
                                   [](const DirEntry& entry) { return is_tail(entry); });
  if (newest != entries.rend()) return folder / newest->name;
  return Error(Code::not_found, "there is no tail in " + folder.native());
}

}  // namespace versement::journal
