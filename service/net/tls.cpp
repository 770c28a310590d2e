// TLS: OpenSSL straight on the socket; its BIO pairs, as Asio uses them, cost a tenth of the rate.
#include <cerrno>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "service/net/offload.hpp"
#include "service/net/socket.hpp"

namespace versement::net {
namespace {

constexpr const char* kCiphers12 =
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256:"
    "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

std::string openssl_reason() {
  char text[256];
  const unsigned long code = ERR_get_error();
  ERR_error_string_n(code, text, sizeof(text));
  ERR_clear_error();
  return code != 0 ? text : "no reason given";
}

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsTransport : public SocketTransport {
 public:
  TlsTransport(tcp::socket socket, std::shared_ptr<TlsContext> context)
      : SocketTransport(std::move(socket)),
        context_(std::move(context)),
        ssl_(SSL_new(static_cast<SSL_CTX*>(context_->native()))) {
    if (ssl_) SSL_set_fd(ssl_.get(), fd());
  }

  Awaitable<void> handshake() override {
    if (!ssl_) co_return Error(Code::unavailable, "no memory for a TLS connection");
    while (true) {
      ERR_clear_error();
      const int code = SSL_accept(ssl_.get());
      if (code == 1) co_return Result<void>();
      const auto wait = wait_of(code);
      if (!wait) co_return wait.error();
      CO_TRY(co_await ready(*wait));
    }
  }

  Awaitable<std::size_t> read_some(std::span<std::byte> into) override {
    while (true) {
      ERR_clear_error();
      const int count = SSL_read(ssl_.get(), into.data(), static_cast<int>(into.size()));
      if (count > 0) co_return static_cast<std::size_t>(count);
      if (SSL_get_error(ssl_.get(), count) == SSL_ERROR_ZERO_RETURN) co_return std::size_t{0};
      const auto wait = wait_of(count);
      if (!wait) co_return wait.error();
      CO_TRY(co_await ready(*wait));
    }
  }

  Awaitable<void> write(std::string_view bytes, bool /*more*/) override {
    while (!bytes.empty()) {
      ERR_clear_error();
      const int count = SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
      if (count > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
        continue;
      }
      const auto wait = wait_of(count);
      if (!wait) co_return wait.error();
      CO_TRY(co_await ready(*wait));
    }
    co_return Result<void>();
  }

  Awaitable<void> shutdown() override {
    ERR_clear_error();
    (void)SSL_shutdown(ssl_.get());  // One try: a client that is gone needs no goodbye.
    co_return Result<void>();
  }

  bool encrypted() const override { return true; }

 protected:
  Feed::Way way() const override { return Feed::Way::memory; }

  Result<Slice> send_slice(Feed& feed) override {
    Slice slice;
    while (slice.sent < kSliceBytes && !feed.is_done()) {
      // A write that was refused must be repeated with the same bytes: the feed keeps them.
      TRY_SET(const Feed::Piece piece, feed.next());
      if (piece.wait) return slice;
      ERR_clear_error();
      const int count =
          SSL_write(ssl_.get(), piece.bytes.data(), static_cast<int>(piece.bytes.size()));
      if (count <= 0) {
        TRY_SET(slice.wait, wait_of(count));
        if (slice.wait == Wait::write && is_writable_soon()) continue;
        return slice;
      }
      slice.wait = Wait::none;
      feed.sent(static_cast<std::uint64_t>(count));
      slice.sent += static_cast<std::uint64_t>(count);
    }
    return slice;
  }

 private:
  // What OpenSSL waits for. Errors: network.
  Result<Wait> wait_of(int code) {
    switch (SSL_get_error(ssl_.get(), code)) {
      case SSL_ERROR_WANT_READ:
        return Wait::read;
      case SSL_ERROR_WANT_WRITE:
        return Wait::write;
      case SSL_ERROR_SYSCALL:
        return gone(errno != 0 ? errno : ECONNRESET);
      default:
        return Error(Code::network, "TLS: " + openssl_reason());
    }
  }

  std::shared_ptr<TlsContext> context_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::load(const std::string& certificate,
                                                     const std::string& key) {
  SSL_CTX* const raw = SSL_CTX_new(TLS_server_method());
  if (raw == nullptr) return Error(Code::unavailable, "TLS: " + openssl_reason());
  std::shared_ptr<TlsContext> context(new TlsContext(raw));
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_options(
      raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                            SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_cipher_list(raw, kCiphers12) != 1) {
    return Error(Code::invalid, "TLS: " + openssl_reason());
  }
  if (SSL_CTX_use_certificate_chain_file(raw, certificate.c_str()) != 1) {
    return Error(Code::invalid,
                 "the TLS certificate " + certificate + " cannot be used: " + openssl_reason());
  }
  if (SSL_CTX_use_PrivateKey_file(raw, key.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(raw) != 1) {
    return Error(Code::invalid, "the TLS key " + key +
                                    " cannot be used with the certificate: " + openssl_reason());
  }
  return context;
}

TlsContext::~TlsContext() {
  SSL_CTX_free(static_cast<SSL_CTX*>(context_));
}

std::unique_ptr<Transport> make_tls(tcp::socket socket, std::shared_ptr<TlsContext> context) {
  return std::make_unique<TlsTransport>(std::move(socket), std::move(context));
}

}  // namespace versement::net
