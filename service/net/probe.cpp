#include "service/net/probe.hpp"

#include <cerrno>
#include <memory>

#include <sys/socket.h>
#include <sys/time.h>

#include <netdb.h>
#include <openssl/ssl.h>

#include "store/base/fd.hpp"
#include "store/base/text.hpp"

namespace versement::net {
namespace {

constexpr time_t kTimeoutSeconds = 5;

Result<Fd> connect_to(const std::string& host, const std::string& port) {
  addrinfo hints = {};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (::getaddrinfo(host.c_str(), port.c_str(), &hints, &raw) != 0) {
    return Error(Code::invalid, "'" + host + ":" + port + "' is no address");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, ::freeaddrinfo);
  Fd socket(::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const timeval timeout{.tv_sec = kTimeoutSeconds, .tv_usec = 0};
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
  (void)::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
  if (::connect(socket.get(), found->ai_addr, found->ai_addrlen) != 0) {
    return Error::from_errno(errno, "connect to " + host + ":" + port);
  }
  return socket;
}

// "HTTP/1.1 200 OK…" to 200.
Result<int> status_of(std::string_view answer) {
  const auto status = answer.size() >= 12 ? parse_decimal(answer.substr(9, 3)) : std::nullopt;
  if (!answer.starts_with("HTTP/1.") || !status) {
    return Error(Code::network, "no HTTP answer");
  }
  return static_cast<int>(*status);
}

Result<int> ask_tls(const Fd& socket, const std::string& request) {
  const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()),
                                                             SSL_CTX_free);
  const std::unique_ptr<SSL, void (*)(SSL*)> ssl(SSL_new(context.get()), SSL_free);
  if (!ssl) return Error(Code::unavailable, "no memory for TLS");
  SSL_set_fd(ssl.get(), socket.get());
  if (SSL_connect(ssl.get()) != 1) return Error(Code::network, "the TLS handshake failed");
  std::string answer(64, '\0');
  if (SSL_write(ssl.get(), request.data(), static_cast<int>(request.size())) <= 0) {
    return Error(Code::network, "the request could not be sent");
  }
  const int count = SSL_read(ssl.get(), answer.data(), static_cast<int>(answer.size()));
  answer.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return status_of(answer);
}

}  // namespace

Result<int> probe(const std::string& address, const std::string& path, bool tls) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string::npos) return Error(Code::invalid, "'" + address + "' has no port");
  std::string host = address.substr(0, colon);
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  if (host == "0.0.0.0") host = "127.0.0.1";
  if (host == "::") host = "::1";
  TRY_SET(const Fd socket, connect_to(host, address.substr(colon + 1)));
  const std::string request =
      "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
  if (tls) return ask_tls(socket, request);
  if (::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL) < 0) {
    return Error::from_errno(errno, "send");
  }
  std::string answer(64, '\0');
  const auto count = ::recv(socket.get(), answer.data(), answer.size(), 0);
  if (count < 0) return Error(Code::timeout, "no answer from " + address);
  answer.resize(static_cast<std::size_t>(count));
  return status_of(answer);
}

}  // namespace versement::net
