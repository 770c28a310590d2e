#include "service/net/feed.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>

#include <unistd.h>

#include "store/base/pool.hpp"

namespace versement::net {
namespace {

constexpr std::size_t kBufferBytes = 128 * 1024;
// With less room than this in the buffer, what is there is sent first.
constexpr std::size_t kRoomMin = 16 * 1024;
// Small files follow each other in one write.
constexpr std::size_t kEnoughBytes = 96 * 1024;

std::atomic<std::size_t> answers_under_way{0};

}  // namespace

Feed::Feed(Source& source, std::uint64_t offset, std::uint64_t length, Way way)
    : source_(source), way_(way), position_(offset), left_(length), part_end_(offset) {
  batch_.last = length == 0;
  ++answers_under_way;
}

Feed::~Feed() {
  --answers_under_way;
}

bool Feed::has_processor() {
  static const std::size_t processors = processor_count();
  return answers_under_way <= processors;
}

Result<void> Feed::take_run() {
  TRY_SET(run_, source_.run_at(position_));
  run_at_ = position_;
  part_end_ = position_ + std::min(run_.length, left_);
  pass_.reset();
  by_kernel_ = false;
  comparing_ = false;
  if (run_.length == 0 || !run_.guard) return {};
  pass_ = std::make_unique<Guard::Pass>(run_.guard);
  const std::uint64_t size = run_.guard->size_bytes();
  comparing_ = !pass_->is_trusted() && size <= kComparedFirstBytesMax &&
               (size > kBufferBytes || part_end_ - position_ < size);
  return {};
}

// The run as a piece for the kernel, where that is worth it and safe: its file was compared lately,
// and so much of the answer follows from memory that none of its pages is under way at the end.
std::optional<Feed::Piece> Feed::file_piece() const {
  if (way_ != Way::sendfile || !pass_ || !pass_->is_trusted()) return std::nullopt;
  if (run_.guard->size_bytes() < kSendfileFileMin || left_ <= kInFlightBytes) return std::nullopt;
  Piece piece;
  piece.fd = run_.fd;
  piece.file_offset = run_.offset + (position_ - run_at_);
  piece.length =
      std::min({std::uint64_t{kSendfileBytes}, part_end_ - position_, left_ - kInFlightBytes});
  piece.more = true;
  return piece;
}

Result<void> Feed::read_some() {
  batch_.bytes.resize(kBufferBytes);
  const auto room = std::span(batch_.bytes).subspan(batch_.end);
  if (run_.length == 0) {
    const auto into = room.first(std::min<std::uint64_t>(room.size(), left_));
    TRY_SET(const std::size_t count, source_.read_at(position_, into));
    if (count == 0) return Error(Code::corrupt, "the bytes end before their time");
    batch_.end += count;
    position_ += count;
    left_ -= count;
    part_end_ = position_;  // what comes next may be a file
    return {};
  }
  const auto into = room.first(std::min<std::uint64_t>(room.size(), part_end_ - position_));
  const std::uint64_t at = run_.offset + (position_ - run_at_);
  const auto count = ::pread(run_.fd, into.data(), into.size(), static_cast<off_t>(at));
  if (count < 0) return unreadable(Error::from_errno(errno, "a stored file could not be read"));
  if (count == 0) {
    return unreadable(Error(Code::corrupt, "a stored file became shorter while it was sent")
                          .as("content-corrupt"));
  }
  const auto bytes = into.first(static_cast<std::size_t>(count));
  if (pass_) pass_->take(at, bytes);
  batch_.end += bytes.size();
  position_ += bytes.size();
  left_ -= bytes.size();
  return {};
}

// The part is read to its end: is it what was stored? False: come again.
Result<bool> Feed::end_part() {
  if (!pass_) return true;
  TRY_SET(const bool settled, pass_->settle());
  if (!settled) return false;
  if (by_kernel_) watched_.push_back({std::move(pass_), position_});
  pass_.reset();
  return true;
}

// Looks once more at the files that the kernel sent and whose bytes have arrived by now.
Result<bool> Feed::release(std::uint64_t before) {
  while (!watched_.empty() && watched_.front().end <= before) {
    TRY_SET(const bool settled, watched_.front().pass->settle());
    if (!settled) return false;
    watched_.pop_front();
  }
  return true;
}

// Whether what is in the buffer goes out before anything is added to it.
bool Feed::is_better_alone() const {
  if (batch_.end == 0) return false;
  const std::size_t room = kBufferBytes - batch_.end;
  // What is compared in the buffer leaves it as a whole.
  const bool begins = pass_ && position_ == run_at_;
  if (begins && part_end_ - position_ > room) return true;
  return room < kRoomMin || comparing_ || file_piece();
}

// Goes on filling a batch. False: come again.
Result<bool> Feed::fill() {
  while (true) {
    if (position_ == part_end_) {
      TRY_SET(const bool settled, end_part());
      if (!settled) return false;
      const std::uint64_t arrived = position_ > kInFlightBytes ? position_ - kInFlightBytes : 0;
      TRY_SET(const bool released, release(left_ == 0 ? position_ : arrived));
      if (!released) return false;
      if (left_ == 0 || batch_.end >= kEnoughBytes) break;
      TRY(take_run());
    }
    if (is_better_alone()) break;
    if (comparing_) {
      TRY_SET(const bool compared, pass_->compare_first());
      if (!compared) return false;
      comparing_ = false;
    }
    batch_.file = file_piece();
    if (batch_.file) return true;
    TRY(read_some());
  }
  batch_.last = left_ == 0;
  return true;
}

Result<Feed::Piece> Feed::next() {
  if (batch_.file) return *batch_.file;
  if (pending_ || begin_ == batch_.end) {
    if (!pending_) batch_.end = begin_ = 0;
    TRY_SET(const bool filled, fill());
    pending_ = !filled;
    if (pending_) {
      Piece wait;
      wait.wait = true;
      return wait;
    }
    if (batch_.file) return *batch_.file;
  }
  Piece piece;
  piece.bytes = std::span(batch_.bytes).subspan(begin_, batch_.end - begin_);
  piece.length = piece.bytes.size();
  piece.more = !batch_.last;
  return piece;
}

void Feed::sent(std::uint64_t count) {
  if (!batch_.file) {
    begin_ += count;
    return;
  }
  pass_->take_unseen();
  by_kernel_ = true;
  position_ += count;
  left_ -= count;
  batch_.file.reset();
}

Error Feed::unreadable(Error what) {
  return run_.guard ? run_.guard->damaged(std::move(what)) : what;
}

}  // namespace versement::net
