// A connection to a client: bytes in, bytes and files out, with a deadline. Plain TCP or TLS.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "service/net/asio.hpp"
#include "store/base/pool.hpp"
#include "store/base/source.hpp"

namespace versement::net {

// Used by one session, on the network thread. Every wait ends with Code::timeout at the deadline.
class Transport {
 public:
  Transport() = default;
  virtual ~Transport() = default;
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  // TLS handshake, where there is one.
  virtual Awaitable<void> handshake() = 0;
  // At least one byte; 0 when the client has closed its side.
  virtual Awaitable<std::size_t> read_some(std::span<std::byte> into) = 0;
  // `more` tells that further bytes follow at once.
  virtual Awaitable<void> write(std::string_view bytes, bool more) = 0;
  // Sends `length` bytes of a source from `offset` on; the disk is read on the pool. `stall` is how
  // long the client may take nothing. `sent` counts as it goes.
  virtual Awaitable<void> send(Source& source,
                               std::uint64_t offset,
                               std::uint64_t length,
                               std::chrono::milliseconds stall,
                               Pool& pool,
                               std::uint64_t& sent) = 0;
  // Says that no more bytes follow.
  virtual Awaitable<void> shutdown() = 0;

  virtual void deadline(std::chrono::milliseconds from_now) = 0;
  // Ends every wait at once.
  virtual void close() = 0;
  virtual bool encrypted() const = 0;
};

std::unique_ptr<Transport> make_plain(tcp::socket socket);

// Keys and settings of TLS, shared by all connections. 1.2 and 1.3, forward secrecy and
// authenticated ciphers only.
class TlsContext {
 public:
  // Reads a certificate chain and its key (PEM). Errors: invalid with OpenSSL's reason; denied.
  static Result<std::shared_ptr<TlsContext>> load(const std::string& certificate,
                                                  const std::string& key);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;
  void* native() const { return context_; }  // SSL_CTX*

 private:
  explicit TlsContext(void* context) : context_(context) {}
  void* context_;
};

std::unique_ptr<Transport> make_tls(tcp::socket socket, std::shared_ptr<TlsContext> context);

}  // namespace versement::net
