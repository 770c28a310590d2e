#include "service/net/server.hpp"

#include <list>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include "store/base/log.hpp"
#include "store/base/text.hpp"

namespace versement::net {
namespace {

Result<tcp::endpoint> parse_address(const std::string& text) {
  const Error wrong(Code::invalid, "'" + printable(text) +
                                       "' is no address to listen on; write 127.0.0.1:8480 or "
                                       "[::1]:8480");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return wrong;
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const auto port = parse_decimal(text.substr(colon + 1));
  error_code code;
  const auto address = asio::ip::make_address(host, code);
  if (code || !port || *port > 65535) return wrong;
  return tcp::endpoint(address, static_cast<std::uint16_t>(*port));
}

std::string text_of(const tcp::endpoint& endpoint) {
  const std::string host = endpoint.address().to_string();
  const std::string port = std::to_string(endpoint.port());
  return endpoint.address().is_v6() ? "[" + host + "]:" + port : host + ":" + port;
}

}  // namespace

struct Server::State {
  State(const ServerOptions& options_in, http::Service& service_in)
      : options(options_in),
        service(service_in),
        // No task waits for a place: each connection has at most one task.
        pool(options.pool_threads, options.connections_max + 64),
        grace(io) {}

  Result<void> bind(const std::string& address);
  asio::awaitable<void> accept_from(tcp::acceptor& acceptor);
  asio::awaitable<void> serve(tcp::socket socket);
  void stop_now();

  const ServerOptions options;
  http::Service& service;
  asio::io_context io{1};
  std::shared_ptr<TlsContext> tls;
  std::list<tcp::acceptor> acceptors;
  std::list<Session*> sessions;
  Pool pool;
  asio::steady_timer grace;
  bool stopping = false;
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() = default;

Result<void> Server::State::bind(const std::string& address) {
  TRY_SET(const tcp::endpoint endpoint, parse_address(address));
  tcp::acceptor acceptor(io);
  error_code code;
  (void)acceptor.open(endpoint.protocol(), code);
  if (!code) (void)acceptor.set_option(tcp::acceptor::reuse_address(true), code);
  if (!code) (void)acceptor.bind(endpoint, code);
  if (!code) (void)acceptor.listen(512, code);
  if (code) {
    const Code kind = code == asio::error::address_in_use  ? Code::exists
                      : code == asio::error::access_denied ? Code::denied
                                                           : Code::invalid;
    return Error(kind, "cannot listen on " + address + ": " + code.message());
  }
  acceptors.push_back(std::move(acceptor));
  return {};
}

asio::awaitable<void> Server::State::accept_from(tcp::acceptor& acceptor) {
  while (!stopping) {
    error_code code;
    auto token = asio::redirect_error(asio::use_awaitable, code);
    tcp::socket socket = co_await acceptor.async_accept(token);
    if (stopping) co_return;
    if (code) {
      // Out of descriptors, most likely: wait for some to come back.
      log::warning("a connection could not be accepted", {{"why", code.message()}});
      asio::steady_timer pause(io, std::chrono::milliseconds(100));
      co_await pause.async_wait(token);
      continue;
    }
    if (sessions.size() >= options.connections_max) continue;  // The socket closes as it goes.
    asio::co_spawn(io, serve(std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> Server::State::serve(tcp::socket socket) {
  error_code code;
  const tcp::endpoint peer = socket.remote_endpoint(code);
  const std::string address = code ? "unknown" : peer.address().to_string();
  auto transport = tls ? make_tls(std::move(socket), tls) : make_plain(std::move(socket));
  Session session(std::move(transport), address, service, pool, options.timeouts);
  sessions.push_back(&session);
  const auto at = std::prev(sessions.end());
  co_await session.run();
  sessions.erase(at);
  if (stopping && sessions.empty()) grace.cancel();
}

void Server::State::stop_now() {
  if (std::exchange(stopping, true)) return;
  for (tcp::acceptor& acceptor : acceptors) {
    error_code ignored;  // Closing is all that is wanted.
    (void)acceptor.close(ignored);
  }
  for (Session* const session : sessions)
    session->end();
  if (sessions.empty()) return;
  grace.expires_after(options.shutdown_grace);
  grace.async_wait([this](const error_code&) {
    for (Session* const session : sessions)
      session->abort();
  });
}

Result<std::unique_ptr<Server>> Server::listen(const ServerOptions& options,
                                               http::Service& service) {
  auto state = std::make_unique<State>(options, service);
  if (!options.tls_certificate.empty() || !options.tls_key.empty()) {
    TRY_SET(state->tls, TlsContext::load(options.tls_certificate, options.tls_key));
  }
  for (const std::string& address : options.listen)
    TRY(state->bind(address));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::vector<std::string> Server::addresses() const {
  std::vector<std::string> out;
  for (const tcp::acceptor& acceptor : state_->acceptors) {
    error_code code;
    const tcp::endpoint endpoint = acceptor.local_endpoint(code);
    if (!code) out.push_back(text_of(endpoint));
  }
  return out;
}

void Server::run() {
  for (tcp::acceptor& acceptor : state_->acceptors) {
    asio::co_spawn(state_->io, state_->accept_from(acceptor), asio::detached);
  }
  state_->io.run();
}

void Server::stop() {
  asio::post(state_->io, [state = state_.get()] { state->stop_now(); });
}

}  // namespace versement::net
