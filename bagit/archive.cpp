#include "bagit/archive.hpp"

#include <algorithm>
#include <cstring>

#include <fcntl.h>

#include "bagit/rules.hpp"
#include "store/base/digest.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

constexpr std::size_t kAheadBytes = 16 * 1024;
constexpr std::string_view kFamily = "serialization.";

}  // namespace

bool is_within_members(std::uint64_t members, const ArchiveLimits& limits) {
  return members <= std::min<std::uint64_t>(limits.members_max, ~std::uint32_t{0} - 1);
}

bool is_within_ratio(std::uint64_t unpacked, std::uint64_t packed, const ArchiveLimits& limits) {
  if (unpacked <= limits.ratio_slack_bytes) return true;
  return (unpacked - limits.ratio_slack_bytes) / std::max<std::uint64_t>(limits.ratio_max, 1) <=
         packed;
}

Error archive_fault(std::string_view code, std::string what) {
  // The three of the table that say "not examined" are no proof that bytes are wrong.
  Code kind = Code::corrupt;
  if (code == "serialization.limit" || code == "serialization.ratio") kind = Code::limit;
  if (code == "serialization.method" || code == "serialization.encrypted") {
    kind = Code::unsupported;
  }
  return Error(kind, std::move(what)).as(rule(code).code);
}

bool is_archive_fault(const Error& error) {
  return error.reason().starts_with(kFamily);
}

std::string_view plain_member_name(std::string_view name) {
  while (name.starts_with("./")) {
    name.remove_prefix(2);
    name.remove_prefix(std::min(name.find_first_not_of('/'), name.size()));
  }
  while (name.size() > 1 && name.ends_with('/'))
    name.remove_suffix(1);
  return name == "." ? std::string_view() : name;
}

std::string member_place(std::string_view name) {
  std::string place;
  for (const std::string_view part : split(name, '/')) {
    if (part.empty() || part == ".") continue;
    if (!place.empty()) place += '/';
    place += part;
  }
  return place;
}

bool has_idle_part(std::string_view name) {
  return name.find("//") != std::string_view::npos || name.find("/./") != std::string_view::npos ||
         name.ends_with("/.");
}

Result<std::uint64_t> ByteInput::skip(std::uint64_t count) {
  std::vector<std::byte> waste(std::min<std::uint64_t>(count, limits::kChunkBytes));
  std::uint64_t done = 0;
  while (done < count) {
    const auto into = std::span(waste).first(std::min<std::uint64_t>(count - done, waste.size()));
    TRY_SET(const std::size_t got, read(into));
    if (got == 0) break;
    done += got;
  }
  return done;
}

Result<std::size_t> ByteInput::fill(std::span<std::byte> into) {
  std::size_t done = 0;
  while (done < into.size()) {
    TRY_SET(const std::size_t got, read(into.subspan(done)));
    if (got == 0) break;
    done += got;
  }
  return done;
}

Result<std::size_t> FunctionInput::read(std::span<std::byte> into) {
  TRY_SET(const std::size_t got, source_(into));
  offset_ += got;
  return got;
}

Result<std::shared_ptr<ArchiveFile>> ArchiveFile::open(Disk& disk, const Path& path) {
  // A FIFO must not make us wait for its writer before we see that it is one.
  TRY_SET(auto fd, disk.open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  TRY_SET(const FileInfo info, disk.info(fd, path));
  if (info.kind != FileKind::regular) {
    return Error(Code::invalid, "'" + printable(path.string()) + "' is no regular file");
  }
  return std::make_shared<ArchiveFile>(disk, std::move(fd), path, info.size_bytes);
}

Result<std::size_t> ArchiveFile::read_at(std::uint64_t offset, std::span<std::byte> into) const {
  // Bytes that grow at the end while we read belong to no archive that we looked at.
  if (offset >= size_bytes_) return std::size_t{0};
  const auto wanted = into.first(std::min<std::uint64_t>(into.size(), size_bytes_ - offset));
  return disk_.read_at(fd_, wanted, offset, path_);
}

Result<std::size_t> FileInput::read(std::span<std::byte> into) {
  if (into.size() >= kAheadBytes) {
    TRY_SET(const std::size_t got, file_->read_at(offset_, into));
    offset_ += got;
    return got;
  }
  if (offset_ < ahead_offset_ || offset_ >= ahead_offset_ + ahead_bytes_) {
    ahead_.resize(kAheadBytes);
    ahead_bytes_ = 0;
    TRY_SET(ahead_bytes_, file_->read_at(offset_, ahead_));
    ahead_offset_ = offset_;
  }
  const std::size_t at = offset_ - ahead_offset_;
  const std::size_t got = std::min(into.size(), ahead_bytes_ - at);
  std::copy_n(ahead_.begin() + static_cast<std::ptrdiff_t>(at), got, into.begin());
  offset_ += got;
  return got;
}

Result<std::uint64_t> FileInput::skip(std::uint64_t count) {
  const std::uint64_t left = file_->size_bytes() - std::min(offset_, file_->size_bytes());
  const std::uint64_t done = std::min(count, left);
  offset_ += done;
  return done;
}

NameSet::NameSet() : salt_(16, '\0'), slots_(1024) {
  random_bytes(std::as_writable_bytes(std::span(salt_)));
}

NameSet::Slot NameSet::key_of(std::string_view name) const {
  const Digest digest = digest_of(Algorithm::sha256, salt_ + std::string(name));
  Slot key;
  std::memcpy(&key.key, digest.bytes().data(), sizeof(key.key));
  return key;
}

std::size_t NameSet::place_of(const Slot& key) const {
  std::size_t at = key.key[0] & (slots_.size() - 1);
  while (slots_[at].number != kFree && !std::ranges::equal(slots_[at].key, key.key))
    at = (at + 1) & (slots_.size() - 1);
  return at;
}

void NameSet::grow() {
  std::vector<Slot> old(slots_.size() * 2);
  old.swap(slots_);
  for (const Slot& each : old) {
    if (each.number != kFree) slots_[place_of(each)] = each;
  }
}

std::optional<std::uint32_t> NameSet::put(std::string_view name, std::uint32_t number) {
  assert(number != kFree);
  // At most three quarters full: the runs stay short.
  if (used_ >= slots_.size() / 4 * 3) grow();
  Slot key = key_of(name);
  Slot& slot = slots_[place_of(key)];
  std::optional<std::uint32_t> before;
  if (slot.number == kFree) {
    ++used_;
  } else {
    before = slot.number;
  }
  key.number = number;
  slot = key;
  return before;
}

std::optional<std::uint32_t> NameSet::put_folders_above(std::string_view place,
                                                        std::uint64_t* bytes) {
  for (std::size_t slash = place.rfind('/'); slash != std::string_view::npos;
       slash = place.rfind('/')) {
    place = place.substr(0, slash);
    if (const auto before = find(place)) return before;
    *bytes += place.size();
    put(place, kImplied);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> NameSet::find(std::string_view name) const {
  const Slot& slot = slots_[place_of(key_of(name))];
  if (slot.number == kFree) return std::nullopt;
  return slot.number;
}

}  // namespace versement::bagit
