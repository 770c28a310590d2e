#include "service/jobs/work.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

#include "service/jobs/incident.hpp"
#include "store/base/log.hpp"
#include "store/base/version.hpp"
#include "store/query.hpp"

namespace versement::jobs {
namespace {

namespace keys = store::keys;

// A damage that needs a person. Others (interrupted, skipped) are the run's own matter.
bool needs_incident(audit::Outcome outcome) {
  switch (outcome) {
    case audit::Outcome::mismatch:
    case audit::Outcome::mismatch_transient:
    case audit::Outcome::missing:
    case audit::Outcome::unexpected:
    case audit::Outcome::unreadable:
      return true;
    default:
      return false;
  }
}

Result<void> open_incident_of(store::Store& store, const Uuid& run, const audit::Damage& damage) {
  NewIncident incident;
  incident.owner = damage.owner;
  incident.path = damage.outcome.path;
  incident.kind = audit::outcome_name(damage.outcome.outcome);
  // What was read only once as wrong, or not at all, is not proven.
  incident.proven = damage.outcome.outcome == audit::Outcome::mismatch ||
                    damage.outcome.outcome == audit::Outcome::missing ||
                    damage.outcome.outcome == audit::Outcome::unexpected;
  incident.expected = damage.outcome.expected;
  incident.found = damage.outcome.found;
  incident.detail = damage.outcome.detail;
  incident.audit = run;
  return open_incident(store, incident);
}

Result<Ending> run_one(store::Store& store, std::size_t threads, const Running& running) {
  auto progress = std::make_shared<audit::AuditProgress>();
  running.show_progress([progress] {
    json::Object object;
    object["phase"] = "reading";
    object["done_files"] = progress->done_files.load();
    object["done_items"] = progress->done_items.load();
    object["done_bytes"] = progress->done_bytes.load();
    return object;
  });
  const audit::Scope scope = audit::Scope::from_json(json::object_at(running.job.request, "scope"));
  auto result = audit::run_audit(store, running.job.id, scope, threads, *progress, running.stop);
  if (!result) {
    if (result.error().code() != Code::cancelled) audit::abandon_audit(store, running.job.id);
    return std::move(result).error();
  }
  // Before the run's own event: when it is there, its incidents are.
  for (const audit::Damage& damage : result->damage) {
    if (needs_incident(damage.outcome.outcome))
      TRY(open_incident_of(store, running.job.id, damage));
  }
  Ending ending;
  ending.event_type = journal::type::kFixityCheck;
  ending.outcome = result->totals.verdict() == "clean" ? "success" : "failure";
  ending.result = result->to_json();
  return ending;
}

}  // namespace

void register_audits(Queue& queue, store::Store& store, std::size_t threads) {
  queue.handle(std::string(kAuditKind), "audit", [&store, threads](const Running& running) {
    return run_one(store, threads, running);
  });
}

struct Scheduler::State {
  State(Queue& queue_in, store::Store& store_in) : queue(queue_in), store(store_in) {}

  Result<bool> anything_due(const std::string& collection, Timestamp before) const;
  Result<std::size_t> look();

  Queue& queue;
  store::Store& store;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::jthread thread;
};

// True if an object of the scope was read last before this time, whatever came out: damage that is
// known is not looked for again before its time.
Result<bool> Scheduler::State::anything_due(const std::string& collection, Timestamp before) const {
  bool due = false;
  Result<void> failed;
  const std::string prefix = keys::Key('i').get();
  const Timestamp now = store.clock().now();
  TRY(store.index().scan(prefix, "", [&](std::string_view key, std::string_view value) {
    if (!collection.empty()) {
      const auto item = json::parse_object(value);
      if (!item || json::text_at(*item, "collection") != collection) return true;
    }
    const auto state =
        store.index().record(keys::verification("item " + std::string(keys::rest(key, prefix))));
    if (!state && state.error().code() != Code::not_found) {
      failed = state.error();
      return false;
    }
    const auto last = state ? Timestamp::parse(json::text_at(*state, "last_checked_at"))
                            : Result<Timestamp>(state.error());
    // A check in the future is of a clock that was wrong.
    due = !last || *last < before || *last > now;
    return !due;
  }));
  TRY(std::move(failed));
  return due;
}

Result<std::size_t> Scheduler::State::look() {
  std::vector<json::Object> policies;
  TRY(store.index().scan(keys::Key('p').get(), "", [&](std::string_view, std::string_view value) {
    if (auto policy = json::parse_object(value)) policies.push_back(std::move(*policy));
    return true;
  }));
  std::size_t submitted = 0;
  for (const json::Object& policy : policies) {
    if (policy.contains("enabled") && !json::flag_at(policy, "enabled")) continue;
    const std::string id = json::text_at(policy, "id");
    const std::string collection = json::text_at(policy, "collection");
    TRY_SET(const auto interval, parse_duration(json::text_at(policy, "interval")));
    const Timestamp before = store.clock().now() + (-interval);
    const bool busy = queue.any(
        kAuditKind, [&](const Job& job) { return json::text_at(job.request, "policy") == id; });
    if (busy) continue;
    TRY_SET(const bool due, anything_due(collection, before));
    if (!due) continue;
    audit::Scope scope;
    scope.collection = collection;
    scope.due_before = before;
    json::Object request;
    request["scope"] = scope.to_json();
    request["policy"] = id;
    TRY(queue.submit(kAuditKind, kProgramName, std::move(request), {{"policy", id}}));
    ++submitted;
  }
  return submitted;
}

Scheduler::Scheduler(Queue& queue, store::Store& store, std::chrono::milliseconds every)
    : state_(std::make_unique<State>(queue, store)) {
  state_->thread = std::jthread([state = state_.get(), every](const std::stop_token& stop) {
    std::unique_lock lock(state->mutex);
    while (!stop.stop_requested()) {
      if (auto looked = state->look(); !looked) {
        log::error("the audit policies could not be looked at", {{"why", looked.error().what()}});
      }
      state->wake.wait_for(lock, stop, every, [] { return false; });
    }
  });
}

Scheduler::~Scheduler() = default;

Result<std::size_t> Scheduler::look() {
  return state_->look();
}

}  // namespace versement::jobs
