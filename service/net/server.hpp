// Listens, accepts, and runs the sessions on one network thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "service/http/service.hpp"
#include "service/net/session.hpp"

namespace versement::net {

struct ServerOptions {
  std::vector<std::string> listen{"127.0.0.1:8480"};  // ADDRESS:PORT, [ADDRESS]:PORT; port 0: any
  std::string tls_certificate;                        // PEM files; both or none
  std::string tls_key;
  std::size_t connections_max = 1024;
  std::size_t pool_threads = 16;
  Timeouts timeouts;
  std::chrono::milliseconds shutdown_grace{30'000};
};

class Server {
 public:
  // Binds all addresses. Errors: invalid for an address; exists when one is taken; denied.
  static Result<std::unique_ptr<Server>> listen(const ServerOptions& options,
                                                http::Service& service);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The addresses as bound, with their ports.
  std::vector<std::string> addresses() const;

  // Serves on this thread until stop().
  void run();
  // From any thread or signal-waiting thread: no new connections, idle ones close, answers under
  // way may finish within the grace period.
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace versement::net
