#include "bagit/inflate.hpp"

#include <algorithm>
#include <new>
#include <string>

#include <zlib.h>

#include "store/base/limits.hpp"

namespace versement::bagit {
namespace {

constexpr std::size_t kPackedChunkBytes = 64 * 1024;

}  // namespace

struct Inflater::State {
  z_stream stream{};
};

Inflater::Inflater(Kind kind) : state_(std::make_unique<State>()) {
  // 15 bits of window; 16 on top make zlib read the frame of gzip, a minus none at all.
  const int bits = kind == Kind::raw ? -15 : 15 + 16;
  if (inflateInit2(&state_->stream, bits) != Z_OK) throw std::bad_alloc();
}

Inflater::~Inflater() {
  (void)inflateEnd(&state_->stream);  // Fails only for a stream that never began.
}

void Inflater::reset() {
  const int done = inflateReset(&state_->stream);
  assert(done == Z_OK);
  (void)done;
}

Result<Inflater::Step> Inflater::run(std::span<const std::byte> from, std::span<std::byte> into) {
  z_stream& stream = state_->stream;
  const auto in = from.first(std::min<std::size_t>(from.size(), 1u << 30));
  const auto out = into.first(std::min<std::size_t>(into.size(), 1u << 30));
  // zlib does not write there; its interface is older than const.
  stream.next_in =
      const_cast<Bytef*>(reinterpret_cast<const Bytef*>(in.data()));  // NOLINT(*-const-cast)
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const int state = inflate(&stream, Z_NO_FLUSH);
  Step step;
  step.consumed = in.size() - stream.avail_in;
  step.produced = out.size() - stream.avail_out;
  step.ended = state == Z_STREAM_END;
  if (state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR) return step;
  if (state == Z_MEM_ERROR) throw std::bad_alloc();
  const std::string said = stream.msg == nullptr ? "no deflate stream" : stream.msg;
  // The two that the frame of gzip has behind its data.
  const bool proof = said == "incorrect data check" || said == "incorrect length check";
  return archive_fault(proof ? "serialization.crc" : "serialization.malformed",
                       "the compressed bytes are damaged: " + said);
}

GzipInput::GzipInput(std::unique_ptr<ByteInput> packed, const ArchiveLimits& limits)
    : packed_(std::move(packed)), limits_(limits), buffer_(kPackedChunkBytes) {}

// False at the end of the file.
Result<bool> GzipInput::refill() {
  if (begin_ == end_) begin_ = end_ = 0;
  if (begin_ > 0) {
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(begin_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(end_), buffer_.begin());
    end_ -= begin_;
    begin_ = 0;
  }
  TRY_SET(const std::size_t got, packed_->read(std::span(buffer_).subspan(end_)));
  end_ += got;
  return got > 0;
}

// Another member, padding, or something that is neither.
Result<void> GzipInput::look_for_member() {
  while (end_ - begin_ < 2) {
    TRY_SET(const bool more, refill());
    if (!more) break;
  }
  if (members_ > 0 && begin_ == end_) {
    where_ = Where::end;
    return {};
  }
  if (end_ - begin_ >= 2 && buffer_[begin_] == std::byte{0x1F} &&
      buffer_[begin_ + 1] == std::byte{0x8B}) {
    if (++members_ > 1) inflater_.reset();
    where_ = Where::inside;
    return {};
  }
  if (members_ == 0) return archive_fault("serialization.malformed", "not in the format of gzip");
  where_ = Where::end;
  std::uint64_t padding = 0;
  while (true) {
    const auto rest = std::span(buffer_).subspan(begin_, end_ - begin_);
    padding += rest.size();
    if (padding > limits::kTarPaddingBytesMax ||
        std::any_of(rest.begin(), rest.end(), [](std::byte b) { return b != std::byte{0}; })) {
      trailing_ = true;
      return {};
    }
    begin_ = end_;
    TRY_SET(const bool more, refill());
    if (!more) return {};
  }
}

Result<std::size_t> GzipInput::read(std::span<std::byte> into) {
  while (where_ != Where::end) {
    if (where_ == Where::between) {
      TRY(look_for_member());
      continue;
    }
    // zlib may hold output back for which it needs no input, so it is asked before more is read.
    TRY_SET(const auto step,
            inflater_.run(std::span(buffer_).subspan(begin_, end_ - begin_), into));
    begin_ += step.consumed;
    offset_ += step.produced;
    if (step.ended) where_ = Where::between;
    if (!is_within_ratio(offset_, packed_->offset(), limits_)) {
      return archive_fault("serialization.ratio",
                           "it unpacks to more than " + std::to_string(limits_.ratio_max) +
                               " times its size: raise the limit (--max-ratio) if that is meant");
    }
    if (step.produced > 0) return step.produced;
    if (step.ended || step.consumed > 0) continue;
    TRY_SET(const bool more, refill());
    if (!more) {
      return archive_fault("serialization.truncated", "the compressed bytes end early");
    }
  }
  return std::size_t{0};
}

}  // namespace versement::bagit
