#include "store/inventory_digests.hpp"

#include <chrono>

#include "store/base/digest.hpp"
#include "store/base/limits.hpp"

namespace versement::store {
namespace {

// About a megabyte; a pull of many items passes through it, and a reader of few stays in it.
constexpr std::size_t kKnownMax = 4096;
// Times of files are as fine as the kernel's clock tick, so a change right after this look might
// not show: what was changed lately is read again.
constexpr std::chrono::seconds kSettled{2};

bool is_settled(std::int64_t changed_ns) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::nanoseconds(changed_ns) + kSettled < now;
}

}  // namespace

InventoryDigests::Stamp InventoryDigests::stamp_of(const FileInfo& info) {
  return {info.device, info.inode, info.size_bytes, info.modified_ms, info.changed_ns};
}

Result<std::string> InventoryDigests::of(const Path& file) {
  TRY_SET(const FileInfo before, disk_.info(file));
  const Stamp stamp = stamp_of(before);
  {
    const std::scoped_lock lock(mutex_);
    const auto place = places_.find(file.native());
    if (place != places_.end() && place->second->stamp == stamp) {
      known_.splice(known_.begin(), known_, place->second);
      return place->second->digest;
    }
  }
  TRY_SET(const std::string bytes, read_file(disk_, file, limits::kInventoryBytesMax));
  std::string digest = digest_of(Algorithm::sha512, bytes).hex();
  TRY_SET(const FileInfo after, disk_.info(file));
  if (stamp_of(after) == stamp && is_settled(stamp.changed_ns)) {
    remember({file.native(), stamp, digest});
  }
  return digest;
}

void InventoryDigests::remember(Known known) {
  const std::scoped_lock lock(mutex_);
  if (const auto place = places_.find(known.file); place != places_.end()) {
    known_.erase(place->second);
    places_.erase(place);
  }
  known_.push_front(std::move(known));
  places_[known_.front().file] = known_.begin();
  if (known_.size() <= kKnownMax) return;
  places_.erase(known_.back().file);
  known_.pop_back();
}

}  // namespace versement::store
