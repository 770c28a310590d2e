#include "service/net/feed.hpp"

#include <algorithm>
#include <cerrno>

#include <unistd.h>

namespace versement::net {
namespace {

constexpr std::size_t kBufferBytes = 128 * 1024;
// With less room than this in the buffer, what is there is sent first.
constexpr std::size_t kRoomMin = 16 * 1024;
// Small files follow each other in one write: to the kernel it costs a call, to TLS a record.
constexpr std::size_t kEnoughPlain = 16 * 1024;
constexpr std::size_t kEnoughTls = 48 * 1024;

}  // namespace

Feed::Feed(Source& source, std::uint64_t offset, std::uint64_t length, Way way)
    : source_(source), way_(way), position_(offset), left_(length), part_end_(offset) {}

Result<void> Feed::take_run() {
  TRY_SET(run_, source_.run_at(position_));
  run_at_ = position_;
  part_end_ = position_ + std::min(run_.length, left_);
  pass_.reset();
  by_kernel_ = false;
  if (run_.length > 0 && run_.guard) pass_ = std::make_unique<Guard::Pass>(run_.guard);
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
  buffer_.resize(kBufferBytes);
  const auto room = std::span(buffer_).subspan(end_);
  if (run_.length == 0) {
    const auto into = room.first(std::min<std::uint64_t>(room.size(), left_));
    TRY_SET(const std::size_t count, source_.read_at(position_, into));
    if (count == 0) return Error(Code::corrupt, "the bytes end before their time");
    end_ += count;
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
  end_ += bytes.size();
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

Feed::Piece Feed::memory_piece() const {
  Piece piece;
  piece.bytes = std::span(buffer_).subspan(begin_, end_ - begin_);
  piece.length = piece.bytes.size();
  piece.more = left_ > 0;
  return piece;
}

Result<Feed::Piece> Feed::next() {
  if (begin_ < end_ && !pending_) return memory_piece();
  Piece wait;
  wait.wait = true;
  pending_ = true;  // what is in the buffer by now has not been judged
  const std::size_t enough = way_ == Way::sendfile ? kEnoughPlain : kEnoughTls;
  while (true) {
    if (position_ == part_end_) {
      TRY_SET(const bool settled, end_part());
      if (!settled) return wait;
      const std::uint64_t arrived = position_ > kInFlightBytes ? position_ - kInFlightBytes : 0;
      TRY_SET(const bool released, release(left_ == 0 ? position_ : arrived));
      if (!released) return wait;
      if (left_ == 0 || end_ >= enough) break;
      TRY(take_run());
    }
    if (end_ == 0) {
      if (auto piece = file_piece()) {
        pending_ = false;
        return *piece;
      }
    } else if (kBufferBytes - end_ < kRoomMin || file_piece()) {
      break;
    }
    TRY(read_some());
  }
  pending_ = false;
  return memory_piece();
}

void Feed::sent(std::uint64_t count) {
  if (begin_ < end_) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
    return;
  }
  pass_->take_unseen();
  by_kernel_ = true;
  position_ += count;
  left_ -= count;
}

Error Feed::unreadable(Error what) {
  return run_.guard ? run_.guard->damaged(std::move(what)) : what;
}

}  // namespace versement::net
