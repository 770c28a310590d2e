// TCP in the clear: payload goes from the page cache to the socket by sendfile.
#include <cerrno>
#include <vector>

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
  Result<Slice> send_slice(Source& source, std::uint64_t offset, std::uint64_t length) override {
    Slice slice;
    const std::uint64_t budget = std::min(length, kSliceBytes);
    while (slice.sent < budget) {
      const std::uint64_t at = offset + slice.sent;
      const std::uint64_t left = length - slice.sent;
      TRY(take_run(source, at));
      TRY_SET(const std::uint64_t count,
              run_known_ ? send_file(at, left) : send_bytes(source, at, left));
      if (count == 0) {
        slice.wait = Wait::write;
        return slice;
      }
      slice.sent += count;
    }
    return slice;
  }

 private:
  // Returns 0 when the socket takes no more now.
  Result<std::uint64_t> send_file(std::uint64_t at, std::uint64_t left) {
    const std::uint64_t within = at - run_offset_;
    auto file_offset = static_cast<off_t>(run_.offset + within);
    const std::size_t count = std::min<std::uint64_t>({kSendfileBytes, run_.length - within, left});
    while (true) {
      const auto sent = ::sendfile(fd(), run_.fd, &file_offset, count);
      if (sent > 0) return static_cast<std::uint64_t>(sent);
      if (sent == 0) {
        return Error(Code::corrupt, "a stored file became shorter while it was sent");
      }
      const int number = errno;
      if (number == EAGAIN) return std::uint64_t{0};
      if (number == EINTR) continue;
      if (number == EIO) return Error::from_errno(number, "a stored file could not be read");
      return gone(number);
    }
  }

  Result<std::uint64_t> send_bytes(Source& source, std::uint64_t at, std::uint64_t left) {
    std::vector<std::byte> buffer(std::min<std::uint64_t>(kCopyBytes, left));
    TRY_SET(const std::size_t filled, source.read_at(at, buffer));
    if (filled == 0) return Error(Code::corrupt, "the bytes end before their time");
    const int flags = MSG_NOSIGNAL | (filled < left ? MSG_MORE : 0);
    while (true) {
      const auto sent = ::send(fd(), buffer.data(), filled, flags);
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
