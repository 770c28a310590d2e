// An audit run: one pass over what its scope names. It survives the daemon: what was checked is
// kept in work/ as it goes, and a run that was cut short goes on behind it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "store/audit/outcome.hpp"
#include "store/base/ids.hpp"
#include "store/base/time.hpp"
#include "store/store.hpp"

namespace versement::audit {

struct Scope {
  std::string collection;               // empty: all
  std::string item;                     // empty: all
  std::optional<Timestamp> due_before;  // only objects that were read last before this
  // What belongs to no object is looked for as well.
  bool whole_store() const { return collection.empty() && item.empty(); }
  json::Object to_json() const;
  static Scope from_json(const json::Object& object);
};

struct AuditProgress {
  std::atomic<std::uint64_t> done_files{0};
  std::atomic<std::uint64_t> done_items{0};
  std::atomic<std::uint64_t> done_bytes{0};
};

// One file that is not what it should be.
struct Damage {
  std::string owner;  // "item SLUG", "transfer ID", or empty for what belongs to none
  FileOutcome outcome;
};

struct AuditResult {
  Totals totals;
  std::uint64_t objects = 0;
  std::string evidence_digest;
  std::vector<Damage> damage;  // at most kDamageMax; the evidence has all
  static constexpr std::size_t kDamageMax = 10'000;
  json::Object to_json() const;
};

// Checks every object of the scope, and, for the whole store, that nothing else lies in the root.
// Errors: cancelled (what was done is kept for the next attempt of the same run); io; no_space.
Result<AuditResult> run_audit(store::Store& store,
                              const Uuid& run,
                              const Scope& scope,
                              std::size_t threads,
                              AuditProgress& progress,
                              const std::stop_token& stop);

// Forgets what an unfinished run has kept.
void abandon_audit(store::Store& store, const Uuid& run);

}  // namespace versement::audit
