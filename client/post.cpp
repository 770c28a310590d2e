#include "client/post.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include "store/base/version.hpp"

namespace versement::client {
namespace {

namespace beast_http = boost::beast::http;

}  // namespace

Result<PostAnswer> post(const Url& url,
                        const TlsContext& tls,
                        std::string_view media_type,
                        std::string_view body,
                        std::size_t body_max,
                        const Waits& waits,
                        const std::stop_token& stop) {
  const std::string server = url.host + ":" + url.port;
  TRY_SET(const auto connection, Connection::open(url, waits, tls));
  const std::stop_callback aborting(stop, [&] { connection->abort(); });
  std::string request = "POST " + (url.path.empty() ? "/" : url.path) +
                        " HTTP/1.1\r\nHost: " + server + "\r\nUser-Agent: versement/" + kVersion +
                        "\r\nContent-Type: ";
  request += media_type;
  request += "\r\nContent-Length: " + std::to_string(body.size()) + "\r\nConnection: close\r\n\r\n";
  request += body;
  auto sent = connection->send(request);
  beast_http::response_parser<beast_http::string_body> parser;
  parser.body_limit(body_max);
  boost::system::error_code code;
  if (sent) beast_http::read(*connection, connection->buffer, parser, code);
  if (stop.stop_requested()) return Error(Code::cancelled, "the request was given up");
  if (!sent) return std::move(sent).error().during(server);
  if (code == beast_http::error::body_limit)
    return Error(Code::limit, "the answer of " + server + " is too long");
  if (code) {
    return Error(code == boost::asio::error::timed_out ? Code::timeout : Code::network,
                 "no answer from " + server + ": " + code.message());
  }
  const auto& answer = parser.get();
  PostAnswer out;
  out.status = static_cast<int>(answer.result_int());
  const auto type = answer[beast_http::field::content_type];
  out.media_type = std::string_view(type.data(), type.size());
  out.body = answer.body();
  return out;
}

}  // namespace versement::client
