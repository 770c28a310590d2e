#include "service/http/conditional.hpp"

#include <algorithm>
#include <limits>

#include "service/http/problem.hpp"
#include "store/base/text.hpp"

namespace versement::http {
namespace {

// A position as RFC 9110 section 14.1.1 has it: digits, as many as the client likes.
struct Position {
  std::string_view digits;  // without leading zeros; empty: 0

  std::uint64_t capped() const {
    return digits.empty()
               ? 0
               : parse_decimal(digits).value_or(std::numeric_limits<std::uint64_t>::max());
  }
  friend bool operator<(const Position& left, const Position& right) {
    return left.digits.size() != right.digits.size() ? left.digits.size() < right.digits.size()
                                                     : left.digits < right.digits;
  }
};

std::optional<Position> position_of(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos)
    return std::nullopt;
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size()));
  return Position{text};
}

}  // namespace

RangeAnswer parse_range(std::string_view field, std::uint64_t size_bytes) {
  RangeAnswer answer;
  constexpr std::string_view kUnit = "bytes=";
  if (field.size() < kUnit.size() || lower_ascii(field.substr(0, kUnit.size())) != kUnit)
    return answer;
  field.remove_prefix(kUnit.size());
  const std::size_t dash = field.find('-');
  if (dash == std::string_view::npos) return answer;
  const std::string_view first_text = field.substr(0, dash);
  const std::string_view last_text = field.substr(dash + 1);
  const auto first = position_of(first_text);
  const auto last = position_of(last_text);
  if ((!first && !first_text.empty()) || (!last && !last_text.empty()) || (!first && !last)) {
    return answer;
  }
  if (!first) {  // "-N": the last N bytes
    const std::uint64_t length = std::min(last->capped(), size_bytes);
    answer.range = {size_bytes - length, length};
    if (length > 0) {
      answer.kind = RangeAnswer::Kind::part;
    } else if (last->digits.empty()) {
      answer.kind = RangeAnswer::Kind::unsatisfiable;
    }  // Else there are no bytes at all: all of them is the whole, as no Content-Range can say it.
    return answer;
  }
  if (last && *last < *first) return answer;
  if (first->capped() >= size_bytes) {
    answer.kind = RangeAnswer::Kind::unsatisfiable;
    return answer;
  }
  const std::uint64_t end = last ? std::min(last->capped(), size_bytes - 1) : size_bytes - 1;
  answer.kind = RangeAnswer::Kind::part;
  answer.range = {first->capped(), end - first->capped() + 1};
  return answer;
}

bool etag_listed(std::string_view field, std::string_view etag, bool weak) {
  if (trim(field) == "*") return true;
  // Our tags hold no comma.
  for (std::string_view each : split(field, ',')) {
    each = trim(each);
    if (weak && each.starts_with("W/")) each.remove_prefix(2);
    if (each == etag) return true;
  }
  return false;
}

namespace {

// What stands in 304, too.
Response begin(const Representation& representation) {
  Response response;
  response.set("ETag", representation.etag);
  response.set("Accept-Ranges", "bytes");
  response.set("Cache-Control", representation.immutable ? "private, max-age=31536000, immutable"
                                                         : "private, no-cache");
  response.set("X-Content-Type-Options", "nosniff");
  return response;
}

// What tells of the content, but its length.
void describe_content(const Representation& representation, Response* response) {
  response->set("Content-Type", representation.media_type);
  if (!representation.file_name.empty()) {
    std::string plain = representation.file_name;  // for clients that know only this (curl -J)
    for (char& c : plain) {
      const bool safe = c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '/' && c != '%';
      if (!safe) c = '_';
    }
    response->set("Content-Disposition", "attachment; filename=\"" + plain +
                                             "\"; filename*=UTF-8''" +
                                             percent_encode(representation.file_name));
  }
  if (representation.digest) {
    const std::string name =
        representation.digest->algorithm() == Algorithm::sha512 ? "sha-512" : "sha-256";
    response->set("Repr-Digest", name + "=:" + base64_of(representation.digest->bytes()) + ":");
  }
}

// 412 or 304, if a condition says so.
std::optional<Response> condition_answer(const Request& request,
                                         const Representation& representation) {
  if (request.field_count("If-Match") > 0 &&
      !etag_listed(request.field_list("If-Match"), representation.etag, false)) {
    return problem("precondition-failed", "The representation has the tag " + representation.etag);
  }
  if (!etag_listed(request.field_list("If-None-Match"), representation.etag, true))
    return std::nullopt;
  Response response = begin(representation);
  response.status = 304;
  return response;
}

}  // namespace

std::optional<Response> respond_before_made(const Request& request,
                                            const Representation& representation) {
  if (auto answer = condition_answer(request, representation)) return answer;
  if (request.method != "HEAD") return std::nullopt;
  Response response = begin(representation);
  describe_content(representation, &response);
  response.length_unknown = true;
  return response;
}

Response respond(const Request& request, Representation representation) {
  if (auto answer = condition_answer(request, representation)) return *std::move(answer);
  const std::uint64_t size = representation.source->size_bytes();
  Response response = begin(representation);
  describe_content(representation, &response);
  response.source = std::move(representation.source);
  response.length = size;
  const std::string_view range_field = request.field("Range");
  const std::size_t if_ranges = request.field_count("If-Range");
  const bool same =
      if_ranges == 0 || (if_ranges == 1 && request.field("If-Range") == representation.etag);
  if (request.method != "GET" || request.field_count("Range") != 1 || !same) return response;
  const RangeAnswer answer = parse_range(range_field, size);
  switch (answer.kind) {
    case RangeAnswer::Kind::whole:
      return response;
    case RangeAnswer::Kind::unsatisfiable: {
      Response refused =
          problem("range-not-satisfiable", "There are " + std::to_string(size) + " bytes.");
      refused.set("Content-Range", "bytes */" + std::to_string(size));
      return refused;
    }
    case RangeAnswer::Kind::part:
      break;
  }
  response.status = 206;
  response.offset = answer.range.first;
  response.length = answer.range.length;
  response.set("Content-Range", "bytes " + std::to_string(answer.range.first) + "-" +
                                    std::to_string(answer.range.first + answer.range.length - 1) +
                                    "/" + std::to_string(size));
  return response;
}

std::string revision_etag(const json::Object& record) {
  return "\"r" + std::to_string(json::number_at(record, "revision")) + "\"";
}

Result<void> check_if_match(const Request& request, std::string_view etag) {
  if (request.field_count("If-Match") == 0 ||
      etag_listed(request.field_list("If-Match"), etag, false)) {
    return {};
  }
  return Error(Code::conflict, "it was changed meanwhile: its tag is " + std::string(etag) +
                                   "; read it again before you change it")
      .as("precondition-failed");
}

}  // namespace versement::http
