// What plain and TLS connections share: a non-blocking socket and its deadline.
#pragma once

#include <memory>

#include "service/net/feed.hpp"
#include "service/net/transport.hpp"

namespace versement::net {

// How much one visit to the pool may send before another connection gets its turn.
inline constexpr std::uint64_t kSliceBytes = 4u << 20;

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
  // Sends some of what the feed gives; called on the pool, one call at a time.
  virtual Result<Slice> send_slice(Feed& feed) = 0;
  virtual Feed::Way way() const = 0;

  // Waits a moment on this thread, where few answers are under way: the client empties its buffer
  // sooner than another thread would wake.
  bool is_writable_soon();
  // Waits until the socket is ready. Errors: timeout; network.
  Awaitable<void> ready(Wait wait);
  int fd() { return socket_.native_handle(); }
  // Errors that a peer's going away explains.
  static Error gone(int number);

 private:
  tcp::socket socket_;
  asio::steady_timer timer_;
  std::shared_ptr<bool> alive_;  // false once this object is gone
  bool timed_out_ = false;
  bool closed_ = false;
};

}  // namespace versement::net
