// Conditions and ranges (RFC 9110 sections 13 and 14) over a representation that never changes.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "service/http/message.hpp"
#include "store/base/digest.hpp"

namespace versement::http {

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};

// What a Range field means for a representation of this size.
struct RangeAnswer {
  enum class Kind { whole, part, unsatisfiable } kind = Kind::whole;
  ByteRange range;
};
// Other units, several ranges and malformed fields mean the whole, as RFC 9110 permits. Positions
// may have any number of digits: one that no file reaches is right, and lies behind the end.
RangeAnswer parse_range(std::string_view field, std::uint64_t size_bytes);

// True if the list of entity tags holds this one or is "*". The comparison is strong unless `weak`.
bool etag_listed(std::string_view field, std::string_view etag, bool weak);

struct Representation {
  std::shared_ptr<Source> source;  // nothing: not made yet, see respond_before_made
  std::string etag;                // strong, with its quotes
  std::string media_type;
  std::string file_name;         // for Content-Disposition; empty: none
  std::optional<Digest> digest;  // of the whole: Repr-Digest (RFC 9530)
  bool immutable = true;
};

// The answer to GET or HEAD: 200, 206, 304, 412 or 416. Of several Range fields none is taken, as
// of any other malformed one: the whole is right for whoever sent them. If-Range must be our entity
// tag, once; anything else means the whole, too.
Response respond(const Request& request, Representation representation);
// The answer as far as it needs no content, whose entity tag is known before it is made: 304, 412,
// and to HEAD 200 without the length. Nothing when the content must be made.
std::optional<Response> respond_before_made(const Request& request,
                                            const Representation& representation);

// The ETag of a record by its revision.
std::string revision_etag(const json::Object& record);
// Errors: conflict ("precondition-failed") when If-Match names another revision.
Result<void> check_if_match(const Request& request, std::string_view etag);

}  // namespace versement::http
