// Durable jobs: what was accepted is carried out, however often the daemon ends meanwhile.
//
// A job is an event ("job queued") and, in the end, another; between the two it is run, and run
// again after a restart, by the handler of its kind. A handler must therefore be able to go on
// where an earlier attempt was cut off.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "store/base/ids.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"
#include "store/store.hpp"

namespace versement::jobs {

struct Job {
  Uuid id;
  std::string kind;
  std::string agent;
  json::Object request;
  std::string transfer;  // that it works on, if any
};

// How a job ended: what its last event says besides the job's id.
struct Ending {
  std::string event_type{journal::type::kJobFinished};
  std::string outcome = "success";
  json::Object objects;  // beside "job"
  json::Object result;
};

// Tells how far a job is, as the API shows it: {"phase", "done_bytes", "total_bytes" …}.
using ProgressReader = std::function<json::Object()>;

// What a handler works with.
struct Running {
  const Job& job;
  std::stop_token stop;                               // a shutdown, or a person's wish
  std::function<void(ProgressReader)> show_progress;  // called once, early
};

// Errors end the job as failed, but for `cancelled`: after a shutdown the job is run again, after a
// person's wish it ends as cancelled. `no_space` and `unavailable` end it as failed too; nothing
// that was stored is lost.
using Handler = std::function<Result<Ending>(const Running&)>;

// Thread safe.
class Queue {
 public:
  explicit Queue(store::Store& store);
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  // Before start(). Kinds with the same lane run one after another; lanes run side by side.
  void handle(std::string kind, std::string lane, Handler handler);

  // Takes up what is unfinished in the index, oldest first. Errors: io.
  Result<void> start();
  // Asks all running jobs to stop and waits for them; they go on at the next start.
  void stop();

  // Journals a new job and returns once it is durable. `objects` beside "job" (transfer, policy).
  Result<Uuid> submit(std::string_view kind,
                      std::string agent,
                      json::Object request,
                      json::Object objects = {});
  // Asks a job to end, and returns once the wish is durable: after a restart the job is not begun
  // again. Errors: conflict when it has ended already; those of the journal.
  Result<void> cancel(const Uuid& id, const std::string& agent);
  // "queued", "running" or "cancelling", and its progress; nothing for a job that has ended.
  struct Live {
    std::string state;
    json::Object progress;
  };
  std::optional<Live> live(std::string_view id) const;
  // True if a job of this kind waits or runs for which `same` holds.
  bool any(std::string_view kind, const std::function<bool(const Job&)>& same) const;
  std::size_t running() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace versement::jobs
