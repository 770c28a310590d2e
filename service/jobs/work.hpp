// The work that jobs do on the store: audits, and the policies that start them.
#pragma once

#include <memory>
#include <string>

#include "service/jobs/queue.hpp"
#include "store/audit/run.hpp"
#include "store/store.hpp"

namespace versement::jobs {

inline constexpr std::string_view kAuditKind = "audit";

// Registers the audit's handler: runs it, opens an incident for each damage that has none yet, and
// journals the run.
void register_audits(Queue& queue, store::Store& store, std::size_t threads);

// Starts an audit whenever a policy has objects that were not verified within its interval. One
// thread; stopped by its destructor.
class Scheduler {
 public:
  Scheduler(Queue& queue, store::Store& store, std::chrono::milliseconds every);
  ~Scheduler();
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;

  // Looks at all policies once and submits what is due; returns how many runs that are.
  Result<std::size_t> look();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace versement::jobs
