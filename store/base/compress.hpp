// Zstandard, for evidence files: long records that are written once and read seldom.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement {

// Compresses what it is given and hands the frames on. Not thread safe.
class Compressor {
 public:
  using Sink = std::function<Result<void>(std::span<const std::byte>)>;
  explicit Compressor(Sink sink);
  ~Compressor();
  Compressor(const Compressor&) = delete;
  Compressor& operator=(const Compressor&) = delete;

  Result<void> write(std::string_view bytes);
  // Ends the frame; the sink has everything.
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Reads a compressed text line by line (without the line ends); stops early when `each` fails.
// A line has at most `line_bytes_max` bytes. Errors: corrupt; limit; those of `each` and the disk.
Result<void> for_each_compressed_line(Disk& disk,
                                      const Path& path,
                                      std::size_t line_bytes_max,
                                      const std::function<Result<void>(std::string_view)>& each);

}  // namespace versement
