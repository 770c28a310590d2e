#include "service/http/conditional.hpp"

#include "service/http/problem.hpp"
#include "store/base/text.hpp"

namespace versement::http {

RangeAnswer parse_range(std::string_view field, std::uint64_t size_bytes) {
  RangeAnswer answer;
  constexpr std::string_view kUnit = "bytes=";
  if (field.size() < kUnit.size() || lower_ascii(field.substr(0, kUnit.size())) != kUnit)
    return answer;
  field.remove_prefix(kUnit.size());
  field = trim(field);
  if (field.find(',') != std::string_view::npos) return answer;
  const std::size_t dash = field.find('-');
  if (dash == std::string_view::npos) return answer;
  const std::string_view first_text = field.substr(0, dash);
  const std::string_view last_text = field.substr(dash + 1);
  const auto first = parse_decimal(first_text);
  const auto last = parse_decimal(last_text);
  if ((!first && !first_text.empty()) || (!last && !last_text.empty()) || (!first && !last)) {
    return answer;
  }
  if (!first) {  // "-N": the last N bytes
    const std::uint64_t length = std::min(*last, size_bytes);
    answer.kind = length == 0 ? RangeAnswer::Kind::unsatisfiable : RangeAnswer::Kind::part;
    answer.range = {size_bytes - length, length};
    return answer;
  }
  if (last && *last < *first) return answer;
  if (*first >= size_bytes) {
    answer.kind = RangeAnswer::Kind::unsatisfiable;
    return answer;
  }
  const std::uint64_t end = last ? std::min(*last, size_bytes - 1) : size_bytes - 1;
  answer.kind = RangeAnswer::Kind::part;
  answer.range = {*first, end - *first + 1};
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

Response respond(const Request& request, Representation representation) {
  const std::uint64_t size = representation.source->size_bytes();
  const std::string_view if_match = request.field("If-Match");
  if (!if_match.empty() && !etag_listed(if_match, representation.etag, false)) {
    return problem("precondition-failed", "The representation has the tag " + representation.etag);
  }
  Response response;
  response.set("ETag", representation.etag);
  response.set("Accept-Ranges", "bytes");
  response.set("Cache-Control", representation.immutable ? "private, max-age=31536000, immutable"
                                                         : "private, no-cache");
  response.set("X-Content-Type-Options", "nosniff");
  const std::string_view if_none_match = request.field("If-None-Match");
  if (!if_none_match.empty() && etag_listed(if_none_match, representation.etag, true)) {
    response.status = 304;
    return response;
  }
  response.set("Content-Type", representation.media_type);
  if (!representation.file_name.empty()) {
    std::string plain = representation.file_name;  // for clients that know only this (curl -J)
    for (char& c : plain) {
      const bool safe = c > ' ' && c < 0x7F && c != '"' && c != '\\' && c != '/' && c != '%';
      if (!safe) c = '_';
    }
    response.set("Content-Disposition", "attachment; filename=\"" + plain +
                                            "\"; filename*=UTF-8''" +
                                            percent_encode(representation.file_name));
  }
  if (representation.digest) {
    const std::string name =
        representation.digest->algorithm() == Algorithm::sha512 ? "sha-512" : "sha-256";
    response.set("Repr-Digest", name + "=:" + base64_of(representation.digest->bytes()) + ":");
  }
  response.source = std::move(representation.source);
  response.length = size;
  const std::string_view range_field = request.field("Range");
  const std::string_view if_range = request.field("If-Range");
  if (range_field.empty() || request.method != "GET" ||
      (!if_range.empty() && if_range != representation.etag)) {
    return response;
  }
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
  const std::string_view field = request.field("If-Match");
  if (field.empty() || etag_listed(field, etag, false)) return {};
  return Error(Code::conflict, "it was changed meanwhile: its tag is " + std::string(etag) +
                                   "; read it again before you change it")
      .as("precondition-failed");
}

}  // namespace versement::http
