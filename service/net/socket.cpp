#include "service/net/socket.hpp"

#include <cerrno>

#include <sys/socket.h>

#include <poll.h>

#include "service/net/offload.hpp"

namespace versement::net {

SocketTransport::SocketTransport(tcp::socket socket)
    : socket_(std::move(socket)),
      timer_(socket_.get_executor()),
      alive_(std::make_shared<bool>(true)) {
  error_code ignored;  // A socket that cannot be set up fails at its first use.
  (void)socket_.native_non_blocking(true, ignored);
  (void)socket_.set_option(tcp::no_delay(true), ignored);
}

SocketTransport::~SocketTransport() {
  *alive_ = false;
}

Error SocketTransport::gone(int number) {
  return Error(Code::network, Error::from_errno(number, "the client is gone").what());
}

void SocketTransport::deadline(std::chrono::milliseconds from_now) {
  timer_.expires_after(from_now);
  timer_.async_wait([this, alive = alive_](const error_code& code) {
    if (code || !*alive) return;
    timed_out_ = true;
    close();
  });
}

void SocketTransport::close() {
  if (std::exchange(closed_, true)) return;
  error_code ignored;  // Closing is all that is wanted.
  (void)socket_.cancel(ignored);
  (void)socket_.shutdown(tcp::socket::shutdown_both, ignored);
}

Awaitable<void> SocketTransport::ready(Wait wait) {
  const Error ended(timed_out_ ? Code::timeout : Code::network, "the connection was closed");
  if (closed_) co_return ended;
  error_code code;
  auto token = asio::redirect_error(asio::use_awaitable, code);
  const auto kind = wait == Wait::read ? tcp::socket::wait_read : tcp::socket::wait_write;
  co_await socket_.async_wait(kind, token);
  if (closed_)
    co_return Error(timed_out_ ? Code::timeout : Code::network, "the connection was closed");
  if (code) co_return Error(Code::network, code.message());
  co_return Result<void>();
}

bool SocketTransport::is_writable_soon() {
  constexpr int kMomentMs = 2;
  if (!Feed::has_processor()) return false;
  pollfd wanted{};
  wanted.fd = fd();
  wanted.events = POLLOUT;
  return ::poll(&wanted, 1, kMomentMs) == 1 && (wanted.revents & POLLOUT) != 0;
}

Awaitable<void> SocketTransport::send(Source& source,
                                      std::uint64_t offset,
                                      std::uint64_t length,
                                      std::chrono::milliseconds stall,
                                      Pool& pool,
                                      std::uint64_t& sent) {
  Feed feed(source, offset, length, way());
  while (!feed.is_done()) {
    deadline(stall);
    std::function<Result<Slice>()> work = [this, &feed] { return send_slice(feed); };
    CO_TRY_SET(const Slice slice, co_await offload(pool, std::move(work)));
    sent += slice.sent;
    if (slice.wait == Wait::none) continue;
    CO_TRY(co_await ready(slice.wait));
  }
  co_return Result<void>();
}

}  // namespace versement::net
