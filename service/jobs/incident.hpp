// Incidents: what is known of a loss, from the moment when it is found.
#pragma once

#include <optional>
#include <string>

#include "store/base/ids.hpp"
#include "store/base/result.hpp"
#include "store/store.hpp"

namespace versement::jobs {

struct NewIncident {
  std::string owner;  // "item SLUG", "transfer ID"
  std::string path;   // below the object
  std::string kind;   // an audit's outcome: "mismatch", "missing", "unreadable" …
  bool proven = false;
  std::string expected;
  std::string found;
  std::string detail;
  std::optional<Uuid> audit;  // that found it
};

// Journals an incident, unless one of this kind is open for this file. Thread safe.
Result<void> open_incident(store::Store& store, const NewIncident& incident);

// For Store::set_on_damage: opens an incident for what was found when a file was to be sent, or
// while it was.
void report_damage(store::Store& store,
                   const std::string& owner,
                   const std::string& path,
                   const Error& what);

}  // namespace versement::jobs
