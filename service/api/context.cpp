#include "service/api/context.hpp"

#include <algorithm>

#include "store/base/characters.hpp"
#include "store/base/text.hpp"

namespace versement::api {
namespace {

// RFC 4648 section 5, without padding: a cursor goes into an address as it is.
std::string url_alphabet(std::string text) {
  while (text.ends_with('='))
    text.pop_back();
  std::replace(text.begin(), text.end(), '+', '-');
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

std::string from_url_alphabet(std::string text) {
  std::replace(text.begin(), text.end(), '-', '+');
  std::replace(text.begin(), text.end(), '_', '/');
  while (text.size() % 4 != 0)
    text += '=';
  return text;
}

constexpr std::size_t kLimitMax = 1000;
// Long descriptions make a page shorter than its limit: many clients ask at once.
constexpr std::size_t kPageBytesMax = 1u << 20;
constexpr std::size_t kLanguagesMax = 20;

}  // namespace

Result<json::Object> body_object(const Call& call) {
  const std::string_view type = call.request.field("Content-Type");
  const std::string_view media = trim(type.substr(0, type.find(';')));
  if (!media.empty() && !equal_ignoring_ascii_case(media, "application/json")) {
    return Error(Code::invalid, "send application/json, not " + printable(media))
        .as("unsupported-media-type");
  }
  if (call.request.body.empty()) return json::Object();
  auto object = json::parse_object(call.request.body);
  if (!object) return std::move(object).error().during("body").as("malformed-request");
  return object;
}

std::optional<Response> faults_response(std::vector<json::Fault> faults) {
  if (faults.empty()) return std::nullopt;
  http::ProblemDetail detail;
  detail.detail = faults.size() == 1 ? faults.front().detail
                                     : std::to_string(faults.size()) + " faults were found";
  detail.errors = std::move(faults);
  return http::problem("validation-failed", detail);
}

json::Object localized_text(json::Reader& in, std::string_view name, bool required) {
  const json::Object* const object = in.object(name, required);
  if (object == nullptr) return {};
  if (object->size() > kLanguagesMax) {
    in.fault(name, "too-many", "at most 20 languages");
    return {};
  }
  if (required && object->empty()) in.fault(name, "missing", "a text in one language at least");
  for (const auto& member : *object) {
    const std::string_view language = member.key();
    bool good = language.size() >= 2 && language.size() <= 12 && member.value().is_string();
    for (const char c : language)
      good = good && ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-');
    if (!good) {
      in.fault(name, "bad-language", "texts stand by language: {\"fr\": \"…\"}");
      continue;
    }
    if (const auto control = first_control(std::string_view(member.value().get_string()))) {
      in.fault(name, "control-character",
               "the text '" + std::string(language) + "' has the control character " + *control);
    }
  }
  return *object;
}

Result<PageRequest> page_request(const Call& call, std::string_view prefix) {
  PageRequest page;
  if (const std::string text = call.request.query_text("limit"); !text.empty()) {
    const auto limit = parse_decimal(text);
    if (!limit || *limit == 0 || *limit > kLimitMax) {
      return Error(Code::invalid, "limit must be a number from 1 to 1000").as("invalid-parameter");
    }
    page.limit = *limit;
  }
  if (const std::string text = call.request.query_text("cursor"); !text.empty()) {
    auto key = bytes_of_base64(from_url_alphabet(text));
    if (!key || !key->starts_with(prefix)) {
      return Error(Code::invalid, "the cursor is not of this listing").as("invalid-cursor");
    }
    page.after = std::move(*key);
  }
  return page;
}

Response page_response(json::Array items, const std::string& next_key) {
  json::Object object;
  object["items"] = std::move(items);
  if (!next_key.empty())
    object["next_cursor"] = url_alphabet(base64_of(std::string_view(next_key)));
  return http::json_response(200, object);
}

Result<Response> list_records(const Context& context,
                              const Call& call,
                              const std::string& prefix,
                              const Show& show) {
  TRY_SET(const PageRequest page, page_request(call, prefix));
  json::Array items;
  std::string last;
  bool more = false;
  std::size_t bytes = 0;
  Result<void> failed;
  TRY(context.store.index().scan(prefix, page.after,
                                 [&](std::string_view key, std::string_view value) {
                                   if (items.size() == page.limit || bytes > kPageBytesMax) {
                                     more = true;
                                     return false;
                                   }
                                   auto shown = show(key, value);
                                   if (!shown) {
                                     failed = std::move(shown).error();
                                     return false;
                                   }
                                   last = key;
                                   if (!*shown) return true;
                                   bytes += json::write(**shown).size();
                                   items.emplace_back(std::move(**shown));
                                   return true;
                                 }));
  TRY(std::move(failed));
  return page_response(std::move(items), more ? last : std::string());
}

Result<std::optional<std::string>> single_parameter(const Call& call, std::string_view name) {
  const auto [first, last] = call.request.query.equal_range(name);
  if (first == last) return std::optional<std::string>();
  if (std::next(first) != last || first->second.empty()) {
    return Error(Code::invalid, std::string(name) + " has one value, or is left out")
        .as("invalid-parameter");
  }
  return std::optional(first->second);
}

bool flag_parameter(const Call& call, std::string_view name) {
  const std::string value = call.request.query_text(name);
  return value == "true" || value == "1";
}

Response created(const std::string& location, const json::Object& object) {
  Response response = http::json_response(201, object);
  response.set("Location", location);
  response.set("ETag", http::revision_etag(object));
  return response;
}

Response found(const json::Object& record, const json::Object& shown) {
  Response response = http::json_response(200, shown);
  response.set("ETag", http::revision_etag(record));
  return response;
}

}  // namespace versement::api
