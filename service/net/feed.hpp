// What an answer sends next: bytes from memory, read and compared, or a run that the kernel may
// send. No byte that ends an answer is given out before all the bytes before it are known to be
// right.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "store/base/guard.hpp"
#include "store/base/source.hpp"

namespace versement::net {

// Bytes of one sendfile. Above 60 KiB its rate halves on the kernels that were measured
// (docs/decisions/serving.md).
inline constexpr std::size_t kSendfileBytes = 48 * 1024;
// A smaller file is read and sent from memory: that is no slower.
inline constexpr std::uint64_t kSendfileFileMin = 1u << 20;
// Larger files than the buffer are read and compared before their first byte leaves, up to this
// size: a disk needs some seconds for it. What has left cannot be called back.
inline constexpr std::uint64_t kComparedFirstBytesMax = 256u << 20;
// What the socket buffers of both ends hold at most: 4 MiB and 6 MiB as Linux has them by default.
// Pages that the kernel sends may still change while they wait there.
inline constexpr std::uint64_t kInFlightBytes = 16u << 20;

// Used by one answer, by one thread at a time.
class Feed {
 public:
  enum class Way { memory, sendfile };  // whether the socket takes files

  Feed(Source& source, std::uint64_t offset, std::uint64_t length, Way way);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  struct Piece {
    std::span<const std::byte> bytes;  // where this is empty, of a file:
    int fd = -1;
    std::uint64_t file_offset = 0;
    std::uint64_t length = 0;
    bool more = false;  // further bytes follow
    bool wait = false;  // nothing yet: files are being compared, which takes its time
  };
  // What comes next; the same until it was sent. Errors: corrupt, conflict, io: the answer must end
  // here.
  Result<Piece> next();
  void sent(std::uint64_t count);
  // The system could not read the file of the last piece.
  Error unreadable(Error what);
  // True while there are not more answers than processors.
  static bool has_processor();
  bool is_done() const { return batch_.last && !batch_.file && begin_ == batch_.end; }

 private:
  // A file that is being sent, or was and is watched until its bytes have arrived.
  struct Watched {
    std::unique_ptr<Guard::Pass> pass;
    std::uint64_t end = 0;  // of what was sent of it, in the source
  };
  // Bytes that were read and may be sent, or a piece of a file.
  struct Batch {
    std::vector<std::byte> bytes;
    std::size_t end = 0;
    std::optional<Piece> file;
    bool last = false;  // nothing follows
  };

  Result<bool> fill();
  Result<void> take_run();
  Result<void> read_some();
  Result<bool> end_part();
  Result<bool> release(std::uint64_t before);
  bool is_better_alone() const;
  std::optional<Piece> file_piece() const;

  Source& source_;
  const Way way_;
  std::uint64_t position_;  // in the source: what is read next
  std::uint64_t left_;      // to be read
  FileRun run_;             // that holds position_, when part_end_ lies behind it
  std::uint64_t run_at_ = 0;
  std::uint64_t part_end_ = 0;  // in the source: where the run, or the answer, ends
  std::unique_ptr<Guard::Pass> pass_;
  bool comparing_ = false;  // of the current part nothing may leave yet
  bool by_kernel_ = false;  // of the current part something was sent by the kernel
  std::deque<Watched> watched_;
  Batch batch_;
  std::size_t begin_ = 0;  // what was sent of it
  bool pending_ = false;   // it may not be given out yet
};

}  // namespace versement::net
