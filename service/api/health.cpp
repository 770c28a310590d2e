#include "service/api/health.hpp"

#include <algorithm>

#include "store/base/version.hpp"

namespace versement::api {
namespace {

json::Object check(std::string_view name, bool passes, std::string detail) {
  return {{"name", name}, {"status", passes ? "ok" : "failed"}, {"detail", std::move(detail)}};
}

// Whoever asks need not know where the data lie.
std::string without_place(std::string reason, const Path& data) {
  const std::string place = data.native() + "/";
  for (std::size_t at = reason.find(place); at != std::string::npos; at = reason.find(place))
    reason.erase(at, place.size());
  return reason;
}

http::Response answer(bool ready, json::Array checks) {
  http::Response response = http::json_response(
      ready ? 200 : 503, {{"status", ready ? "ok" : "failed"}, {"checks", std::move(checks)}});
  response.set("Cache-Control", "no-store");
  return response;
}

}  // namespace

http::Response health() {
  return http::json_response(200, {{"status", "ok"}, {"version", kVersion}});
}

http::Response readiness(const store::Store& store) {
  if (const auto starting = store.starting()) return readiness_at_start(*starting);
  auto reason = store.read_only_reason();
  if (reason) reason = without_place(*reason, store.layout().data);
  return answer(!reason, {check("index", true, "reflects the journal"),
                          check("store", !reason, reason.value_or("takes deposits"))});
}

http::Response readiness_at_start(const store::Starting& starting) {
  http::Response response =
      answer(false, {check("index", starting.indexed(), starting.text()),
                     check("store", false, "takes deposits once the service has started")});
  response.set("Retry-After", retry_after(starting));
  return response;
}

std::string retry_after(const store::Starting& starting) {
  constexpr std::int64_t kUnknown = 5;
  constexpr std::int64_t kLongest = 3600;
  const std::int64_t left = starting.left ? starting.left->count() : kUnknown;
  return std::to_string(std::clamp<std::int64_t>(left, 1, kLongest));
}

}  // namespace versement::api
