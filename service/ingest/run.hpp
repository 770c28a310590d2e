// Carries an ingest out: each planned item is stored whole or not at all.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>

#include "mets/package.hpp"
#include "service/ingest/plan.hpp"
#include "store/store.hpp"

namespace versement::ingest {

// How far it is. Thread safe.
struct IngestProgress {
  std::atomic<std::uint64_t> done_items{0}, total_items{0};
  std::atomic<std::uint64_t> done_bytes{0}, total_bytes{0};
};

struct IngestRequest {
  Uuid job;
  std::string agent;
  Path folder;
  Slug collection;
  std::string naan;  // of the collection; empty: object ids are UUIDs
  Defaults defaults;
  mets::Organisation archivist;
  bool dry_run = false;
  // What differs from the item that the store has becomes its next version; else it is refused.
  bool new_versions = false;
  std::size_t workers = 32;  // most of them wait for the disk, and share its syncs
};

struct IngestResult {
  std::uint64_t items_found = 0;
  std::uint64_t items_stored = 0;     // now, or by an earlier attempt of the same job
  std::uint64_t items_updated = 0;    // got a further version
  std::uint64_t items_unchanged = 0;  // were in the store with the same files and description
  std::uint64_t items_rejected = 0;
  std::uint64_t bytes_stored = 0;
  std::uint64_t errors = 0, warnings = 0, infos = 0;  // findings
  std::string evidence_digest;                        // one line an item, one a finding

  json::Object to_json() const;
};

// An ingest that was interrupted is run again with the same job: what it stored before stays and is
// counted. Errors: what keeps it from going on at all (no_space, unavailable, cancelled, io);
// what is wrong with the deposit stands in the result.
Result<IngestResult> run_ingest(store::Store& store,
                                const IngestRequest& request,
                                IngestProgress& progress,
                                const std::stop_token& stop);

}  // namespace versement::ingest
