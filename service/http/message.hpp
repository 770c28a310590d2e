// Requests and answers as plain values; no socket, no Asio.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "service/http/auth.hpp"
#include "store/base/json.hpp"
#include "store/base/source.hpp"

namespace versement::http {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;
  std::string path;                   // percent-coded, as it came, without the query
  std::vector<std::string> segments;  // of the path, decoded
  std::multimap<std::string, std::string, std::less<>> query;  // decoded
  Fields fields;
  std::string body;
  std::string peer;        // address of the client
  std::string request_id;  // the client's, or ours

  // The value of a field, by name in any case; empty when it is not there.
  std::string_view field(std::string_view name) const;
  // How often a field was sent.
  std::size_t field_count(std::string_view name) const;
  // The value of a list field: those of all its lines, with commas between (RFC 9110 section 5.3).
  std::string field_list(std::string_view name) const;
  // The last value of a query parameter; empty when it is not there.
  std::string query_text(std::string_view name) const;
};

// Splits and decodes a request target. Errors: invalid for bad percent-coding, NUL, a dot segment,
// or bytes that are not UTF-8.
Result<void> parse_target(std::string_view target, Request* request);

struct Response {
  int status = 200;
  Fields fields;
  std::string body;
  // In place of `body`: `length` bytes of a source from `offset` on.
  std::shared_ptr<Source> source;
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  // To HEAD, where the length will be known once the content was made (RFC 9110 section 9.3.2).
  bool length_unknown = false;
  // Called once, before the first byte of a source is sent; an error ends the connection instead.
  std::function<Result<void>()> before_first_byte;

  std::uint64_t body_bytes() const { return source ? length : body.size(); }
  void set(std::string_view name, std::string value);
};

Response json_response(int status, const json::Object& object);
Response text_response(int status, std::string_view media_type, std::string body);
// 204.
Response empty_response();

std::string_view reason_phrase(int status);

}  // namespace versement::http
