#include "store/audit/outcome.hpp"

#include <numeric>

namespace versement::audit {
namespace {

constexpr std::array<std::string_view, kOutcomes> kNames{
    "verified",   "mismatch", "mismatch_transient", "missing", "unexpected",
    "unreadable", "offline",  "interrupted",        "skipped"};

}  // namespace

std::string_view outcome_name(Outcome outcome) {
  return kNames.at(static_cast<std::size_t>(outcome));
}

std::uint64_t Totals::all() const {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0});
}

std::string_view Totals::verdict() const {
  if (of(Outcome::mismatch) + of(Outcome::missing) + of(Outcome::unexpected) > 0) return "damaged";
  return of(Outcome::verified) == all() ? "clean" : "incomplete";
}

json::Object Totals::to_json() const {
  json::Object object;
  object["due"] = all();
  for (std::size_t i = 0; i < kOutcomes; ++i)
    object[kNames[i]] = counts[i];
  object["bytes_read"] = bytes_read;
  return object;
}

Totals Totals::from_json(const json::Object& object) {
  Totals totals;
  for (std::size_t i = 0; i < kOutcomes; ++i)
    totals.counts[i] = json::number_at(object, kNames[i]);
  totals.bytes_read = json::number_at(object, "bytes_read");
  return totals;
}

}  // namespace versement::audit
