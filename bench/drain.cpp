// A client that takes what a server gives and throws it away: how much passes through N connections
// within some seconds. For bench/pull.py.
//
//   drain HOST PORT PATH CONNECTIONS SECONDS plain|tls [TOKEN_FILE]
//
// One thread. Every connection asks again when an answer is complete; with 0 seconds it ends there.
// Prints JSON: bytes, seconds, the seconds to the first byte of the first answer, complete answers,
// own processor time.
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <netdb.h>
#include <openssl/ssl.h>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const std::string& what) {
  std::fprintf(stderr, "drain: %s\n", what.c_str());
  std::exit(1);
}

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Connection {
  int fd = -1;
  SSL* ssl = nullptr;
  std::string head;        // of the answer, until it is whole
  std::uint64_t left = 0;  // of the body
  bool in_body = false;
};

class Drain {
 public:
  Drain(std::string request, SSL_CTX* tls) : request_(std::move(request)), tls_(tls) {}

  void open(const addrinfo& address, std::size_t count) {
    epoll_ = ::epoll_create1(0);
    for (std::size_t i = 0; i < count; ++i) {
      auto made = std::make_unique<Connection>();
      made->fd = ::socket(address.ai_family, SOCK_STREAM, 0);
      if (::connect(made->fd, address.ai_addr, address.ai_addrlen) != 0) fail("cannot connect");
      const int one = 1;
      (void)::setsockopt(made->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
      if (tls_ != nullptr) {
        made->ssl = SSL_new(tls_);
        SSL_set_fd(made->ssl, made->fd);
        if (SSL_connect(made->ssl) != 1) fail("no TLS");
      }
      (void)::fcntl(made->fd, F_SETFL, O_NONBLOCK);
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = made.get();
      (void)::epoll_ctl(epoll_, EPOLL_CTL_ADD, made->fd, &event);
      connections_.push_back(std::move(made));
    }
  }

  void run(double seconds) {
    started_ = Clock::now();
    for (const auto& each : connections_)
      ask(*each);
    std::vector<epoll_event> events(connections_.size());
    while (seconds > 0 ? seconds_since(started_) < seconds : answers_ < connections_.size()) {
      const int ready = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < ready; ++i)
        take(*static_cast<Connection*>(events[static_cast<std::size_t>(i)].data.ptr));
    }
    timespec cpu{};
    (void)::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
    std::printf(
        "{\"bytes\": %llu, \"seconds\": %.4f, \"first_byte\": %.4f, \"answers\": %llu, "
        "\"cpu\": %.3f}\n",
        static_cast<unsigned long long>(bytes_), seconds_since(started_), first_byte_,
        static_cast<unsigned long long>(answers_),
        static_cast<double>(cpu.tv_sec) + static_cast<double>(cpu.tv_nsec) * 1e-9);
  }

 private:
  void ask(Connection& to) {
    const auto sent = to.ssl != nullptr
                          ? SSL_write(to.ssl, request_.data(), static_cast<int>(request_.size()))
                          : ::send(to.fd, request_.data(), request_.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request_.size())) fail("the request was not taken");
    to.in_body = false;
    to.head.clear();
  }

  // At most a few reads, so that each connection has its turn.
  void take(Connection& from) {
    for (int turn = 0; turn < 8; ++turn) {
      ssize_t count = 0;
      if (from.ssl != nullptr) {
        count = SSL_read(from.ssl, buffer_.data(), static_cast<int>(buffer_.size()));
        if (count <= 0 && SSL_get_error(from.ssl, static_cast<int>(count)) == SSL_ERROR_WANT_READ)
          return;
      } else {
        count = ::recv(from.fd, buffer_.data(), buffer_.size(), 0);
        if (count < 0 && errno == EAGAIN) return;
      }
      if (count <= 0) fail("the server closed the connection");
      consume(from, std::string_view(buffer_.data(), static_cast<std::size_t>(count)));
    }
  }

  void consume(Connection& from, std::string_view bytes) {
    if (!from.in_body) {
      from.head += bytes;
      const std::size_t end = from.head.find("\r\n\r\n");
      if (end == std::string::npos) return;
      if (from.head.compare(0, 12, "HTTP/1.1 200") != 0) fail(from.head.substr(0, end));
      const std::size_t length = from.head.find("ontent-Length: ");
      if (length == std::string::npos) fail("no Content-Length");
      from.left = std::strtoull(from.head.c_str() + length + 15, nullptr, 10);
      from.in_body = true;
      if (first_byte_ == 0) first_byte_ = seconds_since(started_);
      const std::size_t rest = from.head.size() - end - 4;
      from.left -= rest;
      bytes_ += rest;
    } else {
      from.left -= bytes.size();
      bytes_ += bytes.size();
    }
    if (from.left > 0) return;
    ++answers_;
    ask(from);
  }

  const std::string request_;
  SSL_CTX* const tls_;
  int epoll_ = -1;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
  Clock::time_point started_;
  std::uint64_t bytes_ = 0;
  std::uint64_t answers_ = 0;
  double first_byte_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 7) fail("HOST PORT PATH CONNECTIONS SECONDS plain|tls [TOKEN_FILE]");
  std::string request = "GET " + std::string(argv[3]) + " HTTP/1.1\r\nHost: " + argv[1] + "\r\n";
  if (argc > 7) {
    std::string token;
    std::ifstream(argv[7]) >> token;
    request += "Authorization: Bearer " + token + "\r\n";
  }
  request += "\r\n";
  SSL_CTX* tls = nullptr;
  if (std::string_view(argv[6]) == "tls") tls = SSL_CTX_new(TLS_client_method());
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* address = nullptr;
  if (::getaddrinfo(argv[1], argv[2], &hints, &address) != 0) fail("no such host");
  Drain drain(std::move(request), tls);
  drain.open(*address, std::strtoul(argv[4], nullptr, 10));
  drain.run(std::strtod(argv[5], nullptr));
  ::freeaddrinfo(address);
  return 0;
}
