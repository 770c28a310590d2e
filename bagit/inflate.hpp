// Deflate through zlib: raw, as in zip, and gzip with as many members as there are. Whatever comes
// out is bounded by what went in.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "bagit/archive.hpp"

namespace versement::bagit {

// One deflate stream at a time. Not thread safe.
class Inflater {
 public:
  enum class Kind { raw, gzip };
  explicit Inflater(Kind kind);
  ~Inflater();
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  struct Step {
    std::size_t consumed = 0;
    std::size_t produced = 0;
    bool ended = false;  // the stream is whole; of gzip: CRC and length are right
  };
  // Errors: archive_fault with serialization.crc or .malformed.
  Result<Step> run(std::span<const std::byte> from, std::span<std::byte> into);
  // Begins another stream.
  void reset();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a gzip file unpacks to: several members, one after the other, are one. Zeros behind the last
// are padding. Faults: serialization.crc, .malformed, .truncated, .ratio.
class GzipInput : public ByteInput {
 public:
  GzipInput(std::unique_ptr<ByteInput> packed, const ArchiveLimits& limits);
  Result<std::size_t> read(std::span<std::byte> into) override;
  std::uint64_t offset() const override { return offset_; }
  std::uint64_t packed_bytes() const override { return packed_->packed_bytes(); }
  bool has_trailing_bytes() const override { return trailing_; }

 private:
  enum class Where { between, inside, end };
  Result<bool> refill();
  Result<void> look_for_member();

  std::unique_ptr<ByteInput> packed_;
  const ArchiveLimits limits_;
  Inflater inflater_{Inflater::Kind::gzip};
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;  // of what was read and not yet inflated
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;
  std::uint64_t members_ = 0;
  Where where_ = Where::between;
  bool trailing_ = false;
};

}  // namespace versement::bagit
