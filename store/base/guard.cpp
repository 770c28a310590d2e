#include "store/base/guard.hpp"

#include <algorithm>
#include <memory>

#include "store/base/digest.hpp"

namespace versement {
namespace {

constexpr std::size_t kKnownMax = 64 * 1024;
constexpr std::size_t kReadBytes = 256 * 1024;
// What one call of compare_first() or settle() reads at most, so that others get their turn.
constexpr std::uint64_t kStepBytes = 16u << 20;

bool is_same_state(const FileInfo& a, const FileInfo& b) {
  return a.device == b.device && a.inode == b.inode && a.size_bytes == b.size_bytes &&
         a.modified_ns == b.modified_ns && a.changed_ns == b.changed_ns;
}

// A file that was written to a moment ago may be written to again without its times showing it:
// they go by the kernel's tick.
bool is_settled(const FileInfo& info) {
  constexpr std::chrono::seconds kTick{1};
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::nanoseconds(info.changed_ns) + kTick < now;
}

}  // namespace

bool is_damage(const Error& what) {
  switch (what.code()) {
    case Code::not_found:
    case Code::corrupt:
    case Code::denied:
    case Code::io:
    case Code::invalid:
    case Code::limit:
      return true;
    default:
      return false;
  }
}

std::shared_ptr<Comparisons::Known> Comparisons::of(const FileInfo& info) {
  const Key key{info.device, info.inode};
  const std::scoped_lock lock(mutex_);
  const auto found = known_.find(key);
  if (found != known_.end()) return found->second;
  if (known_.size() >= kKnownMax) {
    known_.erase(order_.front());
    order_.pop_front();
  }
  order_.push_back(key);
  return known_.emplace(key, std::make_shared<Known>()).first->second;
}

Guard::Guard(Disk& disk,
             std::shared_ptr<const Path> path,
             std::shared_ptr<Fd> fd,
             const FileInfo& info,
             Expected expected)
    : disk_(disk),
      path_(std::move(path)),
      fd_(std::move(fd)),
      info_(info),
      expected_(std::move(expected)) {}

bool Guard::is_trusted() const {
  if (!expected_.crc32 || !expected_.comparisons) return false;
  const auto known = expected_.comparisons->of(info_);
  const std::unique_lock lock(known->mutex, std::try_to_lock);
  if (!lock) return false;  // Somebody is about to know.
  return known->compared_at && is_same_state(known->info, info_) &&
         Comparisons::Clock::now() - *known->compared_at < Comparisons::kTrusted;
}

Result<bool> Guard::is_unchanged() const {
  TRY_SET(const FileInfo now, disk_.info(*fd_, *path_));
  return is_same_state(now, info_);
}

Error Guard::damaged(Error what) const {
  if (expected_.on_damage) expected_.on_damage(what);
  return what;
}

Guard::Pass::Pass(std::shared_ptr<Guard> guard)
    : guard_(std::move(guard)), trusted_(guard_->is_trusted()) {}

Guard::Pass::~Pass() {
  if (trusted_ || unseen_ || changed_ || end_ == 0 || !guard_->expected_.comparisons) return;
  const auto known = guard_->expected_.comparisons->of(guard_->info_);
  const std::unique_lock lock(known->mutex, std::try_to_lock);
  if (lock) keep_seen(known.get(), guard_->info_);
}

// Requires: known->mutex is held.
void Guard::Pass::keep_seen(Comparisons::Known* known, const FileInfo& now) const {
  if (!is_same_state(known->info, now)) {
    known->info = now;
    known->end = 0;
    known->crc32 = 0;
    known->compared_at.reset();
  }
  // What was seen as it was sent need not be read again, if nobody has written since.
  const bool usable = !unseen_ && !trusted_ && !changed_ && is_same_state(now, guard_->info_);
  if (!usable || end_ <= known->end) return;
  known->end = end_;
  known->crc32 = crc32_;
}

void Guard::Pass::take(std::uint64_t offset, std::span<const std::byte> bytes) {
  if (trusted_ || !guard_->expected_.crc32) return;
  if (offset != end_ || bytes.empty()) {  // A part: what is missing is read by settle().
    unseen_ = true;
    return;
  }
  crc32_ = crc32_update(crc32_, bytes);
  end_ += bytes.size();
}

std::shared_ptr<Comparisons::Known> Guard::Pass::known() {
  if (guard_->expected_.comparisons) return guard_->expected_.comparisons->of(guard_->info_);
  if (!own_) own_ = std::make_shared<Comparisons::Known>();
  return own_;
}

Result<bool> Guard::Pass::compare_first() {
  if (trusted_ || !guard_->expected_.crc32) return true;
  const auto all = known();
  const std::scoped_lock lock(all->mutex);
  TRY_SET(const bool compared, read_on(*all));
  // A file that is too young to be trusted is compared once more as it leaves.
  trusted_ = compared && is_settled(guard_->info_);
  return compared;
}

Result<bool> Guard::Pass::settle() {
  if (!changed_) {
    // All bytes were seen as they left: nothing that happens to the file matters to the receiver.
    const bool seen = !unseen_ && !trusted_ && end_ == guard_->info_.size_bytes;
    if (seen && guard_->expected_.crc32) {
      TRY(judge(crc32_));
      if (!guard_->expected_.comparisons || !is_settled(guard_->info_)) return true;
      const auto all = known();
      const std::scoped_lock lock(all->mutex);
      keep_seen(all.get(), guard_->info_);
      all->compared_at = Comparisons::Clock::now();
      return true;
    }
    TRY_SET(const bool unchanged, guard_->is_unchanged());
    if (unchanged && (trusted_ || !guard_->expected_.crc32)) return true;
    changed_ = !unchanged;
  }
  if (!guard_->expected_.crc32) {
    return Error(Code::conflict, guard_->path_->native() + " was written to while it was sent")
        .as("content-changed");
  }
  const auto all = known();
  const std::scoped_lock lock(all->mutex);
  return read_on(*all);
}

// Requires: known.mutex is held.
Result<bool> Guard::Pass::read_on(Comparisons::Known& known) {
  TRY_SET(const FileInfo now, guard_->disk_.info(*guard_->fd_, *guard_->path_));
  keep_seen(&known, now);
  // Not filled with zeros before: that would cost as much as a small file.
  const std::unique_ptr<std::byte[]> buffer(new std::byte[kReadBytes]);
  const std::uint64_t stop = std::min(known.end + kStepBytes, guard_->info_.size_bytes);
  while (known.end < stop) {
    const auto into =
        std::span(buffer.get(), std::min<std::uint64_t>(kReadBytes, stop - known.end));
    auto count = guard_->disk_.read_at(*guard_->fd_, into, known.end, *guard_->path_);
    if (!count) return guard_->damaged(std::move(count).error());
    if (*count == 0) {
      return guard_->damaged(
          Error(Code::corrupt, guard_->path_->native() + " became shorter while it was sent")
              .as("content-corrupt"));
    }
    known.crc32 = crc32_update(known.crc32, into.first(*count));
    known.end += *count;
  }
  if (known.end < guard_->info_.size_bytes) return false;
  TRY(judge(known.crc32));
  TRY_SET(const FileInfo after, guard_->disk_.info(*guard_->fd_, *guard_->path_));
  const bool quiet = is_same_state(after, known.info);
  if (quiet && is_settled(after)) known.compared_at = Comparisons::Clock::now();
  if (!quiet || changed_ || !is_same_state(after, guard_->info_)) {
    return Error(Code::conflict, guard_->path_->native() +
                                     " was written to while it was sent; ask for the rest again")
        .as("content-changed");
  }
  return true;
}

Result<bool> Guard::Pass::judge(std::uint32_t crc32) {
  if (crc32 == *guard_->expected_.crc32) return true;
  return guard_->damaged(
      Error(Code::corrupt, guard_->path_->native() + " is not what was stored: its CRC-32 differs")
          .as("content-corrupt"));
}

}  // namespace versement
