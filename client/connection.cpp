#include "client/connection.hpp"

#include <sys/socket.h>
#include <sys/time.h>

#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "store/base/text.hpp"

namespace versement::client {

Result<Url> Url::parse(const std::string& text) {
  const Error wrong(Code::invalid, "'" + printable(text) +
                                       "' is no server address; write http://HOST:PORT or "
                                       "https://HOST[:PORT]");
  Url url;
  std::string_view rest = text;
  if (rest.starts_with("https://")) {
    url.tls = true;
    rest.remove_prefix(8);
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(7);
  } else {
    return wrong;
  }
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  url.path = trim(rest.substr(slash), "/");
  if (!url.path.empty()) url.path.insert(0, 1, '/');
  for (const char c : url.path) {
    if (c <= ' ' || c == 0x7F) return wrong;
  }
  std::string_view authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) return wrong;  // No secret in an address.
  const std::size_t colon = authority.rfind(':');
  const std::size_t bracket = authority.rfind(']');
  url.port = url.tls ? "443" : "80";
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    url.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[')) authority = authority.substr(1, authority.size() - 2);
  url.host = authority;
  if (url.host.empty() || !parse_decimal(url.port)) return wrong;
  return url;
}

void TlsContext::Free::operator()(ssl_ctx_st* context) const {
  SSL_CTX_free(context);
}
void Connection::Free::operator()(ssl_st* ssl) const {
  SSL_free(ssl);
}

Result<TlsContext> TlsContext::make(const std::string& ca_file) {
  TlsContext tls;
  tls.context_.reset(SSL_CTX_new(TLS_client_method()));
  SSL_CTX* const context = tls.context_.get();
  if (context == nullptr) return Error(Code::unavailable, "no memory for TLS");
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  const int loaded = ca_file.empty()
                         ? SSL_CTX_set_default_verify_paths(context)
                         : SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr);
  if (loaded == 1) return tls;
  return Error(Code::invalid, "the certificate authority " + ca_file + " cannot be read");
}

Result<std::unique_ptr<Connection>> Connection::open(const Url& url,
                                                     const Waits& waits,
                                                     const TlsContext& tls,
                                                     const Permit& permit) {
  auto connection = std::make_unique<Connection>();
  if (waits.all.count() > 0) connection->end_ = std::chrono::steady_clock::now() + waits.all;
  TRY(connection->connect(url, waits.each, permit));
  if (url.tls) TRY(connection->secure(url, tls.context_.get()));
  return connection;
}

Result<void> Connection::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = write_some(bytes);
    if (count <= 0) return Error(Code::network, "the connection to the server broke");
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

void Connection::abort() {
  (void)::shutdown(socket_.get(), SHUT_RDWR);
}

Result<void> Connection::connect(const Url& url,
                                 std::chrono::milliseconds wait_for,
                                 const Permit& permit) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int code = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &raw);
  if (code != 0) {
    return Error(Code::network,
                 "the server " + url.host + " is not known: " + ::gai_strerror(code));
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, ::freeaddrinfo);
  const timeval wait{.tv_sec = wait_for.count() / 1000, .tv_usec = wait_for.count() % 1000 * 1000};
  int last = ECONNREFUSED;
  for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
    if (permit) TRY(permit(peer_address(*each->ai_addr)));
    Fd socket(::socket(each->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
    if (::connect(socket.get(), each->ai_addr, each->ai_addrlen) == 0) {
      socket_ = std::move(socket);
      return {};
    }
    last = errno;
  }
  return Error(
      Code::network,
      Error::from_errno(last, "cannot reach the server at " + url.host + ":" + url.port).what());
}

Result<void> Connection::secure(const Url& url, ssl_ctx_st* context) {
  ssl_.reset(SSL_new(context));
  if (!ssl_) return Error(Code::unavailable, "no memory for TLS");
  SSL_set_fd(ssl_.get(), socket_.get());
  SSL_set_tlsext_host_name(ssl_.get(), url.host.c_str());
  SSL_set1_host(ssl_.get(), url.host.c_str());
  if (SSL_connect(ssl_.get()) == 1) return {};
  const long verify = SSL_get_verify_result(ssl_.get());
  if (verify != X509_V_OK) {
    return Error(Code::network, std::string("the server's certificate is not trusted: ") +
                                    X509_verify_cert_error_string(verify))
        .as("certificate-not-trusted");
  }
  return Error(Code::network, "the TLS handshake with the server failed");
}

// As recv: 0 at the end, -1 with errno.
ssize_t Connection::read_raw(void* into, std::size_t size) {
  while (true) {
    if (std::chrono::steady_clock::now() > end_) {
      errno = EAGAIN;
      return -1;
    }
    errno = 0;
    const ssize_t count = ssl_ ? SSL_read(ssl_.get(), into, static_cast<int>(size))
                               : ::recv(socket_.get(), into, size, 0);
    if (count > 0) return count;
    if (!ssl_) {
      if (count < 0 && errno == EINTR) continue;
      return count;
    }
    const int why = SSL_get_error(ssl_.get(), static_cast<int>(count));
    if (why == SSL_ERROR_ZERO_RETURN) return 0;
    if (why == SSL_ERROR_SYSCALL && errno == EINTR) continue;
    // An end without TLS' own goodbye may be a cut: never the end of an answer.
    if (why != SSL_ERROR_SYSCALL || errno == 0) errno = ECONNRESET;
    return -1;
  }
}

ssize_t Connection::write_some(std::string_view bytes) {
  return ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
              : ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

}  // namespace versement::client
