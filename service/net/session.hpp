// One client's connection: requests in, answers out, one after another.
//
// Beast's parser reads; what it lets through is refused here (docs/decisions/http.md has the list,
// measured): the header is checked as raw bytes and as fields before any of the body is read, the
// connection buffer bounds header, chunk headers and trailers, and a trailer of any kind ends the
// connection.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "service/http/service.hpp"
#include "service/net/transport.hpp"

namespace versement::net {

struct Timeouts {
  std::chrono::milliseconds header{10'000};  // from the first byte (or connection) to the last
  std::chrono::milliseconds body{60'000};    // for the whole body
  std::chrono::milliseconds idle{75'000};    // between requests
  std::chrono::milliseconds stall{60'000};   // an answer of which the client takes nothing
};

class Session {
 public:
  Session(std::unique_ptr<Transport> transport,
          std::string peer,
          http::Service& service,
          Pool& pool,
          const Timeouts& timeouts);

  // Serves until the client or a timeout or end() is done with it. Nothing is thrown out of it.
  asio::awaitable<void> run();
  // Lets the current answer go out, then closes; at once when none is under way.
  void end();
  // Closes now.
  void abort();

 private:
  struct Head;
  Awaitable<bool> serve_one();
  Awaitable<bool> read_head(Head* head);
  Awaitable<void> read_body(Head* head, std::size_t bytes_max);
  Awaitable<std::size_t> fill();
  Awaitable<void> answer(const http::Request& request,
                         http::Response* response,
                         bool keep_alive,
                         std::uint64_t* sent);
  asio::awaitable<void> refuse(http::Request* request, http::Response response);
  asio::awaitable<void> linger();

  std::unique_ptr<Transport> transport_;
  const std::string peer_;
  http::Service& service_;
  Pool& pool_;
  const Timeouts timeouts_;
  std::string buffer_;   // read and not yet parsed; at most kHttpBufferBytes
  bool served_ = false;  // at least one request was waited for
  bool busy_ = false;
  bool ending_ = false;
};

}  // namespace versement::net
