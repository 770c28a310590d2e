#include "store/base/compress.hpp"

#include <vector>

#include <fcntl.h>

#include <zstd.h>

namespace versement {
namespace {

constexpr int kLevel = 3;
// Frames with a larger window are refused, so that reading needs little memory.
constexpr int kWindowLogMax = 23;

Error zstd_failed(std::string_view act, std::size_t code) {
  return {Code::corrupt, std::string(act) + ": " + ZSTD_getErrorName(code)};
}

}  // namespace

struct Compressor::State {
  Sink sink;
  std::unique_ptr<ZSTD_CCtx, std::size_t (*)(ZSTD_CCtx*)> context{ZSTD_createCCtx(), ZSTD_freeCCtx};
  std::vector<std::byte> out = std::vector<std::byte>(ZSTD_CStreamOutSize());

  Result<void> push(std::string_view bytes, ZSTD_EndDirective end) {
    ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
    while (true) {
      ZSTD_outBuffer room{out.data(), out.size(), 0};
      const std::size_t left = ZSTD_compressStream2(context.get(), &room, &in, end);
      if (ZSTD_isError(left) != 0) return zstd_failed("compress", left);
      if (room.pos > 0) TRY(sink(std::span<const std::byte>(out).first(room.pos)));
      const bool done = end == ZSTD_e_continue ? in.pos == in.size : left == 0;
      if (done) return {};
    }
  }
};

Compressor::Compressor(Sink sink) : state_(std::make_unique<State>()) {
  state_->sink = std::move(sink);
  (void)ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_compressionLevel, kLevel);
  (void)ZSTD_CCtx_setParameter(state_->context.get(), ZSTD_c_checksumFlag, 1);
}

Compressor::~Compressor() = default;

Result<void> Compressor::write(std::string_view bytes) {
  return state_->push(bytes, ZSTD_e_continue);
}

Result<void> Compressor::finish() {
  return state_->push({}, ZSTD_e_end);
}

namespace {

// Cuts a stream of bytes into lines.
class LineCutter {
 public:
  LineCutter(std::size_t bytes_max, const std::function<Result<void>(std::string_view)>& each)
      : bytes_max_(bytes_max), each_(each) {}

  Result<void> push(std::string_view bytes) {
    while (!bytes.empty()) {
      const std::size_t end = bytes.find('\n');
      const std::string_view part = bytes.substr(0, end);
      if (line_.size() + part.size() > bytes_max_) {
        return Error(Code::limit, "a line of more than " + std::to_string(bytes_max_) + " bytes");
      }
      line_ += part;
      if (end == std::string_view::npos) return {};
      TRY(each_(line_));
      line_.clear();
      bytes.remove_prefix(end + 1);
    }
    return {};
  }

  Result<void> finish() {
    if (line_.empty()) return {};
    return Error(Code::corrupt, "the last line has no end");
  }

 private:
  std::size_t bytes_max_;
  const std::function<Result<void>(std::string_view)>& each_;
  std::string line_;
};

}  // namespace

Result<void> for_each_compressed_line(Disk& disk,
                                      const Path& path,
                                      std::size_t line_bytes_max,
                                      const std::function<Result<void>(std::string_view)>& each) {
  const std::unique_ptr<ZSTD_DCtx, std::size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(),
                                                                        ZSTD_freeDCtx);
  (void)ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLogMax);
  TRY_SET(const Fd fd, disk.open(path, O_RDONLY));
  std::vector<std::byte> in(ZSTD_DStreamInSize());
  std::string out(ZSTD_DStreamOutSize(), '\0');
  LineCutter cutter(line_bytes_max, each);
  std::uint64_t offset = 0;
  std::size_t wanted = 0;
  while (true) {
    TRY_SET(const std::size_t count, disk.read_at(fd, in, offset, path));
    if (count == 0) break;
    offset += count;
    ZSTD_inBuffer input{in.data(), count, 0};
    while (input.pos < input.size) {
      ZSTD_outBuffer room{out.data(), out.size(), 0};
      wanted = ZSTD_decompressStream(context.get(), &room, &input);
      if (ZSTD_isError(wanted) != 0) return zstd_failed("decompress " + path.native(), wanted);
      TRY(cutter.push(std::string_view(out.data(), room.pos)));
    }
  }
  if (wanted != 0) return Error(Code::corrupt, path.native() + " ends in the middle of a frame");
  auto finished = cutter.finish();
  if (!finished) return std::move(finished).error().during(path.native());
  return {};
}

}  // namespace versement
