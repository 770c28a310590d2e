#include "service/net/session.hpp"

#include <algorithm>
#include <array>
#include <ctime>
#include <optional>

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "service/http/problem.hpp"
#include "service/net/offload.hpp"
#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/base/log.hpp"
#include "store/base/text.hpp"
#include "store/base/time.hpp"

namespace versement::net {
namespace {

namespace beast_http = boost::beast::http;
using Parser = beast_http::request_parser<beast_http::string_body>;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kReadBytes = 8 * 1024;
constexpr std::size_t kRequestIdBytesMax = 128;
// Longer work is a job; a handler that takes this long hangs.
constexpr std::chrono::minutes kHandlerMax{10};
// A body in chunks costs more bytes than it carries; twice that and a header's worth is an attack.
constexpr std::size_t kChunkOverheadBytes = 16 * 1024;

std::string_view view(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

Error bad(const std::string& what) {
  return Error(Code::invalid, what).as("malformed-request");
}

// The raw header as far as it has arrived: line ends, folding and characters that parsers differ
// about. Judged at once, so that who speaks another protocol is told and not waited for.
Result<void> check_raw(std::string_view head) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '\0') return bad("a NUL byte in the header");
    if (c == '\r' && i + 1 < head.size() && head[i + 1] != '\n')
      return bad("a lone CR in the header");
    if (c == '\n' && (i == 0 || head[i - 1] != '\r')) return bad("a lone LF in the header");
    if (c == '\n' && i + 1 < head.size() && (head[i + 1] == ' ' || head[i + 1] == '\t')) {
      return bad("a folded header line");
    }
  }
  return {};
}

std::size_t count_of(const Parser& parser, beast_http::field name) {
  const auto [first, last] = parser.get().equal_range(name);
  return static_cast<std::size_t>(std::distance(first, last));
}

std::size_t field_count(const Parser& parser) {
  return static_cast<std::size_t>(std::distance(parser.get().begin(), parser.get().end()));
}

Result<void> check_host(const Parser& parser) {
  const std::size_t hosts = count_of(parser, beast_http::field::host);
  if (hosts > 1 || (hosts == 0 && parser.get().version() == 11)) {
    return bad("there must be exactly one Host");
  }
  if (hosts == 0) return {};
  for (const char c : view(parser.get()[beast_http::field::host])) {
    const bool good = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      std::string_view("-._~:[]%").find(c) != std::string_view::npos;
    if (!good) return bad("the Host is malformed");
  }
  return {};
}

Result<void> check_framing(const Parser& parser) {
  const std::size_t lengths = count_of(parser, beast_http::field::content_length);
  const std::size_t codings = count_of(parser, beast_http::field::transfer_encoding);
  if (lengths > 1) return bad("there is more than one Content-Length");
  if (lengths == 1 && !parse_decimal(view(parser.get()[beast_http::field::content_length]))) {
    return bad("the Content-Length is no number");
  }
  if (codings == 0) return {};
  if (lengths > 0) return bad("both Content-Length and Transfer-Encoding");
  if (codings > 1 || !equal_ignoring_ascii_case(
                         view(parser.get()[beast_http::field::transfer_encoding]), "chunked")) {
    return bad("the only Transfer-Encoding accepted is 'chunked'");
  }
  if (parser.get().version() != 11) return bad("HTTP/1.0 has no Transfer-Encoding");
  return {};
}

// A request id from the client is taken when it is harmless in a log and a header.
std::string request_id_of(std::string_view given) {
  const bool good = !given.empty() && given.size() <= kRequestIdBytesMax &&
                    std::all_of(given.begin(), given.end(), [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || c == '-' || c == '_' || c == '.';
                    });
  if (good) return std::string(given);
  std::array<std::byte, 12> bytes{};
  random_bytes(bytes);
  return hex_of(bytes);
}

// RFC 9110 section 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
std::string imf_date(Timestamp time) {
  const time_t seconds = time.ms() / 1000;
  struct tm utc = {};
  (void)::gmtime_r(&seconds, &utc);
  std::array<char, 40> text{};
  const std::size_t length =
      std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
  return {text.data(), length};
}

std::string head_of(const http::Request& request, const http::Response& response, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " +
                     std::string(http::reason_phrase(response.status)) + "\r\n";
  for (const auto& [name, value] : response.fields)
    head += name + ": " + value + "\r\n";
  head += "Date: " + imf_date(real_clock().now()) + "\r\n";
  head += "Request-Id: " + request.request_id + "\r\n";
  if (response.status != 204 && response.status != 304 && !response.length_unknown) {
    head += "Content-Length: " + std::to_string(response.body_bytes()) + "\r\n";
  }
  if (!keep_alive) head += "Connection: close\r\n";
  head += "\r\n";
  return head;
}

}  // namespace

struct Session::Head {
  http::Request request;
  std::optional<Parser> parser;
  bool keep_alive = false;
  bool expects_continue = false;
};

Session::Session(std::unique_ptr<Transport> transport,
                 std::string peer,
                 http::Service& service,
                 Pool& pool,
                 const Timeouts& timeouts)
    : transport_(std::move(transport)),
      peer_(std::move(peer)),
      service_(service),
      pool_(pool),
      timeouts_(timeouts) {}

void Session::end() {
  ending_ = true;
  if (!busy_) transport_->close();
}

void Session::abort() {
  transport_->close();
}

asio::awaitable<void> Session::run() {
  try {
    transport_->deadline(timeouts_.header);
    const auto shaken = co_await transport_->handshake();
    bool more = static_cast<bool>(shaken);
    while (more && !ending_) {
      const auto served = co_await serve_one();
      more = served && *served;
    }
  } catch (const std::exception& error) {
    log::error("a session ended by an exception", {{"peer", peer_}, {"what", error.what()}});
  }
  transport_->close();
}

// Appends what the client sends. Returns 0 at its end. Errors: limit when the buffer is full.
Awaitable<std::size_t> Session::fill() {
  const std::size_t old = buffer_.size();
  if (old >= limits::kHttpBufferBytes) {
    co_return Error(Code::limit, "more than 16 KiB in one header, chunk line or trailer")
        .as("header-too-large");
  }
  buffer_.resize(std::min(old + kReadBytes, limits::kHttpBufferBytes));
  const auto into = std::as_writable_bytes(std::span(buffer_).subspan(old));
  const auto count = co_await transport_->read_some(into);
  buffer_.resize(old + (count ? *count : 0));
  co_return count;
}

// Reads one header. Returns false when the client has no further request.
Awaitable<bool> Session::read_head(Head* head) {
  std::size_t end = std::string::npos;
  while (true) {
    end = buffer_.find("\r\n\r\n");
    const auto checked = check_raw(std::string_view(buffer_).substr(0, end));
    if (!checked) co_return checked.error();
    if (end != std::string::npos) break;
    const bool first = buffer_.empty();
    const auto count = co_await fill();
    if (!count) co_return count.error();
    if (*count == 0) co_return false;
    // From its first byte on, the whole header has one deadline.
    if (first) transport_->deadline(timeouts_.header);
  }
  const std::string raw = buffer_.substr(0, end + 4);
  buffer_.erase(0, end + 4);

  Parser& parser = head->parser.emplace();
  parser.eager(false);
  parser.header_limit(static_cast<std::uint32_t>(limits::kHttpBufferBytes));
  parser.body_limit(boost::none);  // judged by the route, once it is known
  error_code code;
  const std::size_t consumed = parser.put(asio::buffer(raw), code);
  if (code || consumed != raw.size() || !parser.is_header_done()) {
    co_return bad("the header is malformed" + (code ? ": " + code.message() : std::string()));
  }
  const unsigned version = parser.get().version();
  if (version != 10 && version != 11) co_return bad("only HTTP/1.0 and 1.1 are spoken here");
  const auto host = check_host(parser);
  if (!host) co_return host.error();
  const auto framing = check_framing(parser);
  if (!framing) co_return framing.error();

  http::Request& request = head->request;
  request.method = view(parser.get().method_string());
  for (const auto& field : parser.get()) {
    request.fields.emplace_back(view(field.name_string()), view(field.value()));
  }
  request.request_id = request_id_of(request.field("Request-Id"));
  const auto target = http::parse_target(view(parser.get().target()), &request);
  if (!target) co_return target.error();
  head->keep_alive = parser.keep_alive();
  const std::string_view expect = request.field("Expect");
  head->expects_continue = equal_ignoring_ascii_case(expect, "100-continue");
  if (!expect.empty() && !head->expects_continue)
    co_return bad("an Expect that is not 100-continue");
  co_return true;
}

namespace {

Error too_large(std::size_t bytes_max) {
  return Error(Code::limit, bytes_max == 0 ? "this operation takes no body"
                                           : "the body may have at most " +
                                                 std::to_string(bytes_max) + " bytes here")
      .as("content-too-large");
}

// A body on its way through the parser.
struct BodyIntake {
  Parser& parser;
  std::size_t bytes_max;
  std::size_t fields;  // of the header: a trailer would add some
  std::size_t raw_bytes;

  // Gives the parser what has arrived. Returns true when it took some of it.
  Result<bool> take(std::string* buffer) {
    if (buffer->empty()) return false;
    error_code code;
    const std::size_t consumed = parser.put(asio::buffer(*buffer), code);
    buffer->erase(0, consumed);
    raw_bytes += consumed;
    if (code == beast_http::error::body_limit) return too_large(bytes_max);
    if (code && code != beast_http::error::need_more) {
      return bad("the body is malformed: " + code.message());
    }
    if (field_count(parser) != fields) return bad("trailer fields are not accepted");
    if (raw_bytes > 2 * bytes_max + kChunkOverheadBytes) return too_large(bytes_max);
    return consumed > 0;
  }
};

}  // namespace

Awaitable<void> Session::read_body(Head* head, std::size_t bytes_max) {
  Parser& parser = *head->parser;
  const auto length = parse_decimal(head->request.field("Content-Length"));
  if (!parser.chunked() && length.value_or(0) == 0) co_return Result<void>();
  if (bytes_max == 0 || length.value_or(0) > bytes_max) co_return too_large(bytes_max);
  if (head->expects_continue) {
    CO_TRY(co_await transport_->write("HTTP/1.1 100 Continue\r\n\r\n", false));
  }
  transport_->deadline(timeouts_.body);
  parser.body_limit(bytes_max);
  parser.eager(true);
  BodyIntake intake{parser, bytes_max, field_count(parser), 0};
  while (!parser.is_done()) {
    const auto took = intake.take(&buffer_);
    if (!took) co_return took.error();
    if (*took || parser.is_done()) continue;
    const auto count = co_await fill();
    if (!count) co_return count.error();
    if (*count == 0) co_return Error(Code::network, "the client left in the middle of the body");
  }
  head->request.body = std::move(parser.get().body());
  co_return Result<void>();
}

Awaitable<void> Session::answer(const http::Request& request,
                                http::Response* response,
                                bool keep_alive,
                                std::uint64_t* sent) {
  const bool head_only = request.method == "HEAD" || response->status == 304;
  if (!head_only && response->before_first_byte) {
    std::function<Result<void>()> work = response->before_first_byte;
    const auto permitted = co_await offload(pool_, std::move(work));
    if (!permitted) {
      *response = http::problem_of(permitted.error());
      http::complete_problem(request, response);
    }
  }
  transport_->deadline(timeouts_.stall);
  const bool with_body = !head_only && response->body_bytes() > 0;
  std::string head = head_of(request, *response, keep_alive);
  if (with_body && !response->source) head += response->body;
  CO_TRY(co_await transport_->write(head, with_body && response->source));
  if (!with_body) co_return Result<void>();
  if (!response->source) {
    *sent = response->body.size();
    co_return Result<void>();
  }
  Source& source = *response->source;
  const auto done = co_await transport_->send(source, response->offset, response->length,
                                              timeouts_.stall, pool_, *sent);
  co_return done;
}

Awaitable<bool> Session::serve_one() {
  Head head;
  head.request.peer = peer_;
  busy_ = !buffer_.empty();
  const bool between = buffer_.empty() && std::exchange(served_, true);
  transport_->deadline(between ? timeouts_.idle : timeouts_.header);
  const auto read = co_await read_head(&head);
  if (!read && read.error().reason().empty()) co_return false;  // gone, or too slow
  if (read && !*read) co_return false;
  busy_ = true;
  const auto started = Clock::now();
  if (head.request.request_id.empty()) head.request.request_id = request_id_of("");
  if (!read) {
    auto response = http::problem_of(read.error());
    co_await refuse(&head.request, std::move(response));
    co_return false;
  }
  http::Service::Admission admission = service_.admit(head.request);
  http::Service::Done done;
  http::Response response;
  bool keep_alive = head.keep_alive;
  if (admission.refusal) {
    response = std::move(*admission.refusal);
    // The body was not read: what follows on this connection has no known beginning.
    const bool bodiless = !head.parser->chunked() &&
                          parse_decimal(head.request.field("Content-Length")).value_or(0) == 0;
    keep_alive = keep_alive && bodiless;
  } else {
    const auto body = co_await read_body(&head, admission.body_bytes_max);
    if (!body && body.error().reason().empty()) co_return false;
    if (!body) {
      response = http::problem_of(body.error());
      keep_alive = false;
    } else {
      // All of the request is here: now the client waits for us.
      transport_->deadline(kHandlerMax);
      std::function<http::Response()> work = [this, &head, &admission] {
        return service_.handle(head.request, admission);
      };
      response = co_await offload(pool_, std::move(work));
    }
  }
  http::complete_problem(head.request, &response);
  keep_alive = keep_alive && !ending_;
  const auto answered = co_await answer(head.request, &response, keep_alive, &done.bytes_sent);
  done.status = response.status;
  done.took = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - started);
  done.complete = static_cast<bool>(answered);
  if (!answered) done.error = answered.error().what();
  service_.done(head.request, admission, done);
  busy_ = false;
  if (answered && !keep_alive) co_await linger();
  co_return answered&& keep_alive;
}

// Answers a request that cannot be served and ends the connection.
asio::awaitable<void> Session::refuse(http::Request* request, http::Response response) {
  http::complete_problem(*request, &response);
  std::uint64_t sent = 0;
  const auto answered = co_await answer(*request, &response, false, &sent);
  http::Service::Done done;
  done.status = response.status;
  done.bytes_sent = sent;
  done.complete = static_cast<bool>(answered);
  const http::Service::Admission none;
  service_.done(*request, none, done);
  if (answered) co_await linger();
}

// Reads what the client still sends, for a moment: closing at once would reset the connection, and
// the client might never see the answer.
asio::awaitable<void> Session::linger() {
  constexpr std::size_t kLingerBytes = 256 * 1024;
  transport_->deadline(std::chrono::seconds(2));
  const auto told = co_await transport_->shutdown();
  std::size_t read = 0;
  std::array<std::byte, 4096> scratch{};
  bool more = static_cast<bool>(told);
  while (more && read < kLingerBytes) {
    const auto count = co_await transport_->read_some(scratch);
    more = count && *count > 0;
    if (more) read += *count;
  }
}

}  // namespace versement::net
