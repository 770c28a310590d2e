// What plain and TLS connections share: a non-blocking socket and its deadline.
#pragma once

#include <memory>

#include "service/net/transport.hpp"

namespace versement::net {

// How much one visit to the pool may send before another connection gets its turn.
inline constexpr std::uint64_t kSliceBytes = 4u << 20;
// Bytes of one sendfile. Above 60 KiB its rate halves on the kernels that were measured
// (docs/decisions/serving.md).
inline constexpr std::size_t kSendfileBytes = 48 * 1024;
// Bytes read at once where sendfile cannot serve.
inline constexpr std::size_t kCopyBytes = 64 * 1024;

class SocketTransport : public Transport {
 public:
  explicit SocketTransport(tcp::socket socket);
  ~SocketTransport() override;
  SocketTransport(const SocketTransport&) = delete;
  SocketTransport& operator=(const SocketTransport&) = delete;

  Awaitable<void> send(Source& source,
                       std::uint64_t offset,
                       std::uint64_t length,
                       std::chrono::milliseconds stall,
                       Pool& pool,
                       std::uint64_t& sent) override;
  void deadline(std::chrono::milliseconds from_now) override;
  void close() override;

 protected:
  enum class Wait { none, read, write };

  // What one visit to the pool achieved.
  struct Slice {
    std::uint64_t sent = 0;
    Wait wait = Wait::none;  // what the socket must be ready for, before more can be sent
  };
  // Sends some of source[offset, offset + length); called on the pool, one call at a time.
  virtual Result<Slice> send_slice(Source& source, std::uint64_t offset, std::uint64_t length) = 0;

  // Waits until the socket is ready. Errors: timeout; network.
  Awaitable<void> ready(Wait wait);
  int fd() { return socket_.native_handle(); }
  // Errors that a peer's going away explains.
  static Error gone(int number);

  // Takes the run of the source at `offset` if the current one does not hold it.
  Result<void> take_run(Source& source, std::uint64_t offset);
  FileRun run_;                   // of the source that is being sent
  std::uint64_t run_offset_ = 0;  // where in the source the run begins
  bool run_known_ = false;

 private:
  struct Alive;
  tcp::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<bool> alive_;  // false once this object is gone
  bool timed_out_ = false;
  bool closed_ = false;
};

}  // namespace versement::net
