// TCP in the clear: payload goes from the page cache to the socket by sendfile.
#include <cerrno>

#include <sys/sendfile.h>
#include <sys/socket.h>

#include "service/net/socket.hpp"

namespace versement::net {
namespace {

class PlainTransport : public SocketTransport {
 public:
  using SocketTransport::SocketTransport;

  Awaitable<void> handshake() override { co_return Result<void>(); }

  Awaitable<std::size_t> read_some(std::span<std::byte> into) override {
    while (true) {
      const auto count = ::recv(fd(), into.data(), into.size(), 0);
      if (count >= 0) co_return static_cast<std::size_t>(count);
      const int number = errno;
      if (number == EINTR) continue;
      if (number != EAGAIN) co_return gone(number);
      CO_TRY(co_await ready(Wait::read));
    }
  }

  Awaitable<void> write(std::string_view bytes, bool more) override {
    while (!bytes.empty()) {
      const auto count =
          ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | (more ? MSG_MORE : 0));
      if (count >= 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
        continue;
      }
      const int number = errno;
      if (number == EINTR) continue;
      if (number != EAGAIN) co_return gone(number);
      CO_TRY(co_await ready(Wait::write));
    }
    co_return Result<void>();
  }

  Awaitable<void> shutdown() override {
    (void)::shutdown(fd(), SHUT_WR);  // A client that is gone needs no goodbye.
    co_return Result<void>();
  }

  bool encrypted() const override { return false; }

 protected:
  Feed::Way way() const override { return Feed::Way::sendfile; }

  Result<Slice> send_slice(Feed& feed) override {
    Slice slice;
    while (slice.sent < kSliceBytes && !feed.is_done()) {
      TRY_SET(const Feed::Piece piece, feed.next());
      if (piece.wait) return slice;
      TRY_SET(const std::uint64_t count,
              piece.bytes.empty() ? send_file(feed, piece) : send_bytes(piece));
      if (count == 0) {
        if (is_writable_soon()) continue;
        slice.wait = Wait::write;
        return slice;
      }
      feed.sent(count);
      slice.sent += count;
    }
    return slice;
  }

 private:
  // Returns 0 when the socket takes no more now.
  Result<std::uint64_t> send_file(Feed& feed, const Feed::Piece& piece) {
    auto offset = static_cast<off_t>(piece.file_offset);
    while (true) {
      const auto sent = ::sendfile(fd(), piece.fd, &offset, piece.length);
      if (sent > 0) return static_cast<std::uint64_t>(sent);
      if (sent == 0) {
        return feed.unreadable(
            Error(Code::corrupt, "a stored file became shorter while it was sent")
                .as("content-corrupt"));
      }
      const int number = errno;
      if (number == EAGAIN) return std::uint64_t{0};
      if (number == EINTR) continue;
      if (number == EIO) {
        return feed.unreadable(Error::from_errno(number, "a stored file could not be read"));
      }
      return gone(number);
    }
  }

  Result<std::uint64_t> send_bytes(const Feed::Piece& piece) {
    const int flags = MSG_NOSIGNAL | (piece.more ? MSG_MORE : 0);
    while (true) {
      const auto sent = ::send(fd(), piece.bytes.data(), piece.bytes.size(), flags);
      if (sent >= 0) return static_cast<std::uint64_t>(sent);
      const int number = errno;
      if (number == EAGAIN) return std::uint64_t{0};
      if (number != EINTR) return gone(number);
    }
  }
};

}  // namespace

std::unique_ptr<Transport> make_plain(tcp::socket socket) {
  return std::make_unique<PlainTransport>(std::move(socket));
}

}  // namespace versement::net
