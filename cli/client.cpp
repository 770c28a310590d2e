#include "cli/client.hpp"

#include <cerrno>

#include <sys/socket.h>
#include <sys/time.h>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "store/base/fd.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"

namespace versement::cli {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

struct Url {
  bool tls = false;
  std::string host;
  std::string port;
  std::string base;  // path before /v1, without a slash at its end
};

Result<Url> parse_url(const std::string& text) {
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
  url.base = trim(rest.substr(slash), "/");
  if (!url.base.empty()) url.base.insert(0, 1, '/');
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

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

// A blocking connection that Beast can read from.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const Url& url,
                                                  const ServerAddress& address,
                                                  SSL_CTX* context) {
    auto connection = std::make_unique<Connection>();
    TRY(connection->connect(url, address.timeout));
    if (url.tls) TRY(connection->secure(url, context));
    return connection;
  }

  Result<void> send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = write_some(bytes);
      if (count <= 0) return Error(Code::network, "the connection to the server broke");
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
  }

  // Beast's SyncReadStream.
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers, error_code& code) {
    const auto into = *boost::asio::buffer_sequence_begin(buffers);
    const auto count = read_raw(into.data(), into.size());
    if (count > 0) {
      code = {};
      return static_cast<std::size_t>(count);
    }
    if (count == 0) {
      code = boost::asio::error::eof;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      code = boost::asio::error::timed_out;
    } else {
      code = error_code(errno, boost::system::system_category());
    }
    return 0;
  }
  template <class Buffers>
  std::size_t read_some(const Buffers& buffers) {
    error_code code;
    const std::size_t count = read_some(buffers, code);
    if (code) throw boost::system::system_error(code);
    return count;
  }

  boost::beast::flat_buffer buffer{limits::kChunkBytes};

 private:
  Result<void> connect(const Url& url, std::chrono::milliseconds timeout) {
    addrinfo hints = {};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* raw = nullptr;
    const int code = ::getaddrinfo(url.host.c_str(), url.port.c_str(), &hints, &raw);
    if (code != 0) {
      return Error(Code::network,
                   "the server " + url.host + " is not known: " + ::gai_strerror(code));
    }
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> found(raw, ::freeaddrinfo);
    const timeval wait{.tv_sec = timeout.count() / 1000, .tv_usec = timeout.count() % 1000 * 1000};
    int last = ECONNREFUSED;
    for (const addrinfo* each = found.get(); each != nullptr; each = each->ai_next) {
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

  Result<void> secure(const Url& url, SSL_CTX* context) {
    ssl_.reset(SSL_new(context));
    if (!ssl_) return Error(Code::unavailable, "no memory for TLS");
    SSL_set_fd(ssl_.get(), socket_.get());
    SSL_set_tlsext_host_name(ssl_.get(), url.host.c_str());
    SSL_set1_host(ssl_.get(), url.host.c_str());
    if (SSL_connect(ssl_.get()) == 1) return {};
    const long verify = SSL_get_verify_result(ssl_.get());
    if (verify != X509_V_OK) {
      return Error(Code::network, std::string("the server's certificate is not trusted: ") +
                                      X509_verify_cert_error_string(verify) +
                                      ". Give its authority with --ca");
    }
    return Error(Code::network, "the TLS handshake with the server failed");
  }

  // As recv: 0 at the end, -1 with errno.
  ssize_t read_raw(void* into, std::size_t size) {
    while (true) {
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

  ssize_t write_some(std::string_view bytes) {
    return ssl_ ? SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()))
                : ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  Fd socket_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
};

// What a refusal of the server means.
Error error_of_status(int status, const json::Object& problem) {
  // The detail often builds on the title.
  const std::string detail = json::text_at(problem, "detail");
  std::string what = json::text_at(problem, "title");
  if (!what.empty() && !detail.empty()) what += ": ";
  what += detail;
  if (what.empty()) what = "the server answered " + std::to_string(status);
  const Code code = status == 401 || status == 403   ? Code::denied
                    : status == 404                  ? Code::not_found
                    : status == 409 || status == 412 ? Code::conflict
                    : status == 429 || status >= 500 ? Code::unavailable
                                                     : Code::invalid;
  return Error(code, what).as(json::text_at(problem, "code"));
}

}  // namespace

struct Client::State {
  ServerAddress address;
  Url url;
  std::unique_ptr<SSL_CTX, FreeContext> context;
  std::unique_ptr<Connection> connection;
  json::Object problem;

  Result<void> connect() {
    if (connection) return {};
    TRY_SET(connection, Connection::open(url, address, context.get()));
    return {};
  }

  std::string head(const std::string& method,
                   const std::string& path,
                   std::size_t body_bytes,
                   bool with_body) const {
    std::string out = method + " " + url.base + path + " HTTP/1.1\r\nHost: " + url.host + ":" +
                      url.port + "\r\nUser-Agent: versement/" + kVersion +
                      "\r\nAccept: application/json\r\n";
    if (!address.token.empty()) out += "Authorization: Bearer " + address.token + "\r\n";
    if (with_body) {
      out += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body_bytes) +
             "\r\n";
    }
    return out;
  }
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::~Client() = default;

const json::Object& Client::problem() const {
  return state_->problem;
}

Result<std::unique_ptr<Client>> Client::make(ServerAddress address) {
  auto state = std::make_unique<State>();
  TRY_SET(state->url, parse_url(address.url));
  if (state->url.tls) {
    state->context.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX* const context = state->context.get();
    if (context == nullptr) return Error(Code::unavailable, "no memory for TLS");
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    const int loaded = address.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                               : SSL_CTX_load_verify_locations(
                                                     context, address.ca_file.c_str(), nullptr);
    if (loaded != 1) {
      return Error(Code::invalid,
                   "the certificate authority " + address.ca_file + " cannot be read");
    }
  }
  state->address = std::move(address);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

Result<Reply> Client::call(const std::string& method,
                           const std::string& path,
                           const std::string& body) {
  State& s = *state_;
  s.problem = {};
  const bool with_body = !body.empty();
  const std::string request = s.head(method, path, body.size(), with_body) + "\r\n" + body;
  beast_http::response_parser<beast_http::string_body> parser;
  parser.body_limit(64u << 20);
  // A connection that was kept may have been closed meanwhile; a GET may be said again then.
  const bool kept = s.connection != nullptr;
  for (int attempt = 0;; ++attempt) {
    TRY(s.connect());
    error_code code;
    Result<void> sent = s.connection->send(request);
    if (sent) beast_http::read(*s.connection, s.connection->buffer, parser, code);
    if (sent && !code) break;
    s.connection.reset();
    if (kept && attempt == 0 && !parser.got_some() && method == "GET") continue;
    if (!sent) return std::move(sent).error();
    return Error(code == boost::asio::error::timed_out ? Code::timeout : Code::network,
                 "no answer from the server: " + code.message());
  }
  const auto& answer = parser.get();
  Reply reply;
  reply.status = static_cast<int>(answer.result_int());
  reply.etag = std::string_view(answer[beast_http::field::etag].data(),
                                answer[beast_http::field::etag].size());
  if (!answer.body().empty()) {
    auto object = json::parse_object(answer.body(), 64u << 20);
    if (object) reply.body = std::move(*object);
  }
  if (!parser.keep_alive()) s.connection.reset();
  if (reply.status >= 400) {
    s.problem = reply.body;
    return error_of_status(reply.status, s.problem);
  }
  return reply;
}

Result<Reply> Client::get(const std::string& path) {
  return call("GET", path, "");
}
Result<Reply> Client::post(const std::string& path, const json::Object& body) {
  return call("POST", path, json::write(body));
}
Result<Reply> Client::patch(const std::string& path, const json::Object& body) {
  return call("PATCH", path, json::write(body));
}
Result<Reply> Client::remove(const std::string& path) {
  return call("DELETE", path, "");
}

Result<Download> Client::download(
    const std::string& path,
    std::uint64_t offset,
    const std::string& etag,
    const std::function<Result<void>(const Download&)>& begin,
    const std::function<Result<void>(std::span<const std::byte>)>& data) {
  State& s = *state_;
  s.problem = {};
  s.connection.reset();
  TRY(s.connect());
  std::string request = s.head("GET", path, 0, false);
  if (offset > 0) {
    request += "Range: bytes=" + std::to_string(offset) + "-\r\nIf-Range: " + etag + "\r\n";
  }
  TRY(s.connection->send(request + "\r\n"));

  beast_http::response_parser<beast_http::buffer_body> parser;
  parser.body_limit(boost::none);
  error_code code;
  beast_http::read_header(*s.connection, s.connection->buffer, parser, code);
  if (code) return Error(Code::network, "no answer from the server: " + code.message());
  const auto& head = parser.get();
  Download download;
  download.status = static_cast<int>(head.result_int());
  const auto field = [&](beast_http::field name) {
    return std::string(head[name].data(), head[name].size());
  };
  download.etag = field(beast_http::field::etag);
  const std::uint64_t length = parser.content_length().value_or(0);
  download.total_bytes = length;
  if (download.status == 206) {
    const std::string range = field(beast_http::field::content_range);  // "bytes F-L/T"
    const std::size_t blank = range.find(' ');
    const std::size_t dash = range.find('-');
    const std::size_t slash = range.find('/');
    const auto first =
        blank < dash ? parse_decimal(range.substr(blank + 1, dash - blank - 1)) : std::nullopt;
    const auto total =
        slash != std::string::npos ? parse_decimal(range.substr(slash + 1)) : std::nullopt;
    if (!first || !total) return Error(Code::network, "the server sent a malformed range");
    download.first = *first;
    download.total_bytes = *total;
  }

  const bool good = download.status == 200 || download.status == 206;
  if (good) TRY(begin(download));
  std::string refusal;
  std::vector<std::byte> chunk(limits::kChunkBytes);
  s.connection->buffer.reserve(limits::kChunkBytes);  // Beast reads 512 bytes at a time else
  while (!parser.is_done()) {
    parser.get().body().data = chunk.data();
    parser.get().body().size = chunk.size();
    beast_http::read_some(*s.connection, s.connection->buffer, parser, code);
    if (code == beast_http::error::need_buffer) code = {};
    const std::size_t count = chunk.size() - parser.get().body().size;
    const auto bytes = std::span<const std::byte>(chunk).first(count);
    if (good && count > 0) TRY(data(bytes));
    if (!good && refusal.size() < limits::kChunkBytes) {
      refusal.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    if (code) {
      s.connection.reset();
      return Error(Code::network, "the connection was cut: " + code.message());
    }
  }
  s.connection.reset();
  if (good) return download;
  if (auto object = json::parse_object(refusal)) s.problem = std::move(*object);
  return error_of_status(download.status, s.problem);
}

Result<void> Client::list(const std::string& path,
                          const std::function<bool(const json::Object&)>& each) {
  std::string cursor;
  while (true) {
    std::string page = path;
    if (!cursor.empty()) {
      page +=
          (page.find('?') == std::string::npos ? "?cursor=" : "&cursor=") + percent_encode(cursor);
    }
    TRY_SET(const Reply reply, get(page));
    for (const json::Value& entry : json::array_at(reply.body, "items")) {
      if (entry.is_object() && !each(entry.get_object())) return {};
    }
    cursor = json::text_at(reply.body, "next_cursor");
    if (cursor.empty()) return {};
  }
}

}  // namespace versement::cli
