#include "cli/client.hpp"

#include <fcntl.h>

#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "client/connection.hpp"
#include "store/base/disk.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"

namespace versement::cli {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

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
  client::Url url;
  client::TlsContext tls;
  std::unique_ptr<client::Connection> connection;
  json::Object problem;

  Result<void> connect() {
    if (connection) return {};
    auto opened = client::Connection::open(url, {.each = address.timeout}, tls);
    if (!opened && opened.error().reason() == "certificate-not-trusted")
      return Error(Code::network, opened.error().what() + ". Give its authority with --ca");
    TRY_SET(connection, std::move(opened));
    return {};
  }

  std::string head(const std::string& method,
                   const std::string& path,
                   std::size_t body_bytes,
                   std::string_view media_type) const {
    std::string out = method + " " + url.path + path + " HTTP/1.1\r\nHost: " + url.host + ":" +
                      url.port + "\r\nUser-Agent: versement/" + kVersion +
                      "\r\nAccept: application/json\r\n";
    if (!address.token.empty()) out += "Authorization: Bearer " + address.token + "\r\n";
    if (!media_type.empty()) {
      out += "Content-Type: " + std::string(media_type) +
             "\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n";
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
  TRY_SET(state->url, client::Url::parse(address.url));
  if (state->url.tls) {
    TRY_SET(state->tls, client::TlsContext::make(address.ca_file));
  }
  state->address = std::move(address);
  return std::unique_ptr<Client>(new Client(std::move(state)));
}

Result<Reply> Client::call(const std::string& method,
                           const std::string& path,
                           const std::string& body,
                           std::string_view media_type) {
  State& s = *state_;
  s.problem = {};
  if (body.empty()) media_type = "";
  const std::string request = s.head(method, path, body.size(), media_type) + "\r\n" + body;
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
Result<Reply> Client::post_text(const std::string& path, const std::string& text) {
  return call("POST", path, text, "text/plain; charset=utf-8");
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
  std::string request = s.head("GET", path, 0, "");
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

Result<void> Client::fetch_file(const std::string& path, const std::string& to) {
  Disk& disk = real_disk();
  const Path target(to);
  std::uint64_t got = 0;
  std::uint64_t wanted = 0;
  Fd fd;
  auto fetched = download(
      path, 0, "",
      [&](const Download& download) -> Result<void> {
        wanted = download.total_bytes;
        TRY_SET(fd, disk.open(target, O_WRONLY | O_CREAT | O_EXCL, 0644));
        return {};
      },
      [&](std::span<const std::byte> bytes) -> Result<void> {
        got += bytes.size();
        return write_all(disk, fd, bytes, target);
      });
  if (!fetched && fd) (void)disk.remove_file(target);  // Half a file must not look like one.
  if (!fetched) return std::move(fetched).error();
  if (got == wanted) return disk.close(std::move(fd), target);
  (void)disk.remove_file(target);
  return Error(Code::network, printable(to) + " ended early; fetch it again");
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
