#include "service/http/message.hpp"

#include <algorithm>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::http {
namespace {

Error malformed(const std::string& what) {
  return Error(Code::invalid, what).as("malformed-request");
}

Result<std::string> decode(std::string_view text) {
  auto decoded = percent_decode(text);
  if (!decoded) return malformed(decoded.error().what());
  if (decoded->find('\0') != std::string::npos || !is_utf8(*decoded)) {
    return malformed("the address holds bytes that are no text");
  }
  return decoded;
}

// '+' means a blank in a query, and only there.
Result<std::string> decode_query(std::string_view text) {
  std::string plain(text);
  for (char& c : plain) {
    if (c == '+') c = ' ';
  }
  return decode(plain);
}

Result<void> parse_query(std::string_view query, Request* request) {
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    TRY_SET(std::string name, decode_query(part.substr(0, equals)));
    std::string value;
    if (equals != std::string_view::npos) {
      TRY_SET(value, decode_query(part.substr(equals + 1)));
    }
    request->query.emplace(std::move(name), std::move(value));
  }
  return {};
}

}  // namespace

std::string_view Request::field(std::string_view name) const {
  for (const auto& [key, value] : fields) {
    if (equal_ignoring_ascii_case(key, name)) return value;
  }
  return {};
}

std::size_t Request::field_count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      fields.begin(), fields.end(),
      [&](const auto& field) { return equal_ignoring_ascii_case(field.first, name); }));
}

std::string Request::field_list(std::string_view name) const {
  std::string values;
  for (const auto& [key, value] : fields) {
    if (!equal_ignoring_ascii_case(key, name)) continue;
    if (!values.empty()) values += ", ";
    values += value;
  }
  return values;
}

std::string Request::query_text(std::string_view name) const {
  std::string value;
  const auto [first, last] = query.equal_range(name);
  for (auto at = first; at != last; ++at)
    value = at->second;
  return value;
}

Result<void> parse_target(std::string_view target, Request* request) {
  if (target.size() > limits::kHttpTargetBytesMax) return malformed("the address is too long");
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;  // RFC 9112 section 3.2.2: the absolute form
    const std::size_t slash = target.find('/', scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  if (!target.starts_with('/')) return malformed("the request target must begin with '/'");
  const std::size_t question = target.find('?');
  request->path = target.substr(0, question);
  for (const char c : target) {
    if (static_cast<unsigned char>(c) <= ' ' || c == 0x7F)
      return malformed("a blank or control character in the address");
  }
  for (const std::string_view part : split(std::string_view(request->path).substr(1), '/')) {
    TRY_SET(std::string segment, decode(part));
    if (segment == "." || segment == "..") return malformed("a dot segment in the address");
    request->segments.push_back(std::move(segment));
  }
  if (request->segments.size() > 1 && request->segments.back().empty()) {
    request->segments.pop_back();  // "/v1/items/" means "/v1/items".
  }
  if (question == std::string_view::npos) return {};
  return parse_query(target.substr(question + 1), request);
}

void Response::set(std::string_view name, std::string value) {
  for (auto& [key, old] : fields) {
    if (equal_ignoring_ascii_case(key, name)) {
      old = std::move(value);
      return;
    }
  }
  fields.emplace_back(name, std::move(value));
}

Response json_response(int status, const json::Object& object) {
  Response response;
  response.status = status;
  response.body = json::write(object) + "\n";
  response.set("Content-Type", "application/json");
  return response;
}

Response text_response(int status, std::string_view media_type, std::string body) {
  Response response;
  response.status = status;
  response.body = std::move(body);
  response.set("Content-Type", std::string(media_type));
  return response;
}

Response empty_response() {
  Response response;
  response.status = 204;
  return response;
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 422:
      return "Unprocessable Content";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

}  // namespace versement::http
