#include "service/jobs/queue.hpp"

#include <cassert>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "store/base/log.hpp"
#include "store/base/text.hpp"
#include "store/query.hpp"

namespace versement::jobs {
namespace {

struct Entry {
  Job job;
  std::stop_source stop;
  bool cancelled = false;   // by a person; guarded by the queue's mutex
  bool running = false;     // likewise
  ProgressReader progress;  // likewise
};

struct Kind {
  std::string lane;
  Handler handler;
};

}  // namespace

struct Queue::State {
  explicit State(store::Store& store_in) : store(store_in) {}

  void work(const std::string& lane);
  void run(const std::shared_ptr<Entry>& entry);
  Result<void> finish(const Entry& entry, bool cancelled, Result<Ending> ended);
  void enqueue(Job job, bool cancelled);

  store::Store& store;
  std::map<std::string, Kind, std::less<>> kinds;  // Fixed before start().

  mutable std::mutex mutex;  // Guards all that follows.
  std::condition_variable changed;
  std::map<std::string, std::deque<std::shared_ptr<Entry>>> lanes;
  std::map<std::string, std::shared_ptr<Entry>, std::less<>> entries;  // by id
  bool stopping = false;
  std::vector<std::thread> threads;
};

Queue::Queue(store::Store& store) : state_(std::make_unique<State>(store)) {}
Queue::~Queue() {
  stop();
}

void Queue::handle(std::string kind, std::string lane, Handler handler) {
  state_->kinds[std::move(kind)] = {std::move(lane), std::move(handler)};
}

void Queue::State::enqueue(Job job, bool cancelled) {
  auto entry = std::make_shared<Entry>();
  entry->cancelled = cancelled;
  const std::string id = job.id.text();
  const std::string lane = kinds.find(job.kind)->second.lane;
  entry->job = std::move(job);
  {
    const std::scoped_lock lock(mutex);
    entries[id] = entry;
    lanes[lane].push_back(std::move(entry));
  }
  changed.notify_all();
}

Result<void> Queue::start() {
  const std::string prefix = store::keys::Key('J').get();
  std::multimap<std::uint64_t, std::string>
      unfinished;  // by the index of the entry that queued them
  TRY(state_->store.index().scan(prefix, "", [&](std::string_view key, std::string_view value) {
    unfinished.emplace(parse_decimal(value).value_or(0), store::keys::rest(key, prefix));
    return true;
  }));
  for (const auto& [queued, id] : unfinished) {
    TRY_SET(const json::Object record, state_->store.index().record(store::keys::job(id)));
    Job job;
    TRY_SET(job.id, Uuid::parse(id));
    job.kind = json::text_at(record, "kind");
    job.agent = json::text_at(record, "agent");
    job.request = json::object_at(record, "request");
    job.transfer = json::text_at(record, "transfer");
    if (!state_->kinds.contains(job.kind)) {
      log::warning("a job of a kind that this program does not know waits",
                   {{"job", id}, {"kind", job.kind}});
      continue;
    }
    const bool cancelled = json::flag_at(record, "cancelling");
    log::info(cancelled ? "a job that was being cancelled ends" : "a job goes on",
              {{"job", id}, {"kind", job.kind}});
    state_->enqueue(std::move(job), cancelled);
  }
  std::set<std::string> lanes;
  for (const auto& [kind, each] : state_->kinds)
    lanes.insert(each.lane);
  for (const std::string& lane : lanes) {
    state_->threads.emplace_back([state = state_.get(), lane] { state->work(lane); });
  }
  return {};
}

void Queue::stop() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
    for (const auto& [id, entry] : state_->entries)
      entry->stop.request_stop();
  }
  state_->changed.notify_all();
  for (std::thread& thread : state_->threads)
    thread.join();
  state_->threads.clear();
}

void Queue::State::work(const std::string& lane) {
  std::unique_lock lock(mutex);
  while (true) {
    changed.wait(lock, [&] { return stopping || !lanes[lane].empty(); });
    if (stopping) return;
    const std::shared_ptr<Entry> entry = lanes[lane].front();
    lanes[lane].pop_front();
    entry->running = true;
    lock.unlock();
    run(entry);
    lock.lock();
  }
}

void Queue::State::run(const std::shared_ptr<Entry>& entry) {
  const Job& job = entry->job;
  log::info("a job begins", {{"job", job.id.text()}, {"kind", job.kind}});
  const Running running{.job = job,
                        .stop = entry->stop.get_token(),
                        .show_progress = [this, entry](ProgressReader reader) {
                          const std::scoped_lock lock(mutex);
                          entry->progress = std::move(reader);
                        }};
  bool cancelled = false;
  {
    const std::scoped_lock lock(mutex);
    cancelled = entry->cancelled;
  }
  Result<Ending> ended = Error(Code::cancelled, "cancelled; it is not begun again");
  try {
    if (!cancelled) ended = kinds.find(job.kind)->second.handler(running);
  } catch (const std::exception& error) {
    ended = Error(Code::internal, error.what());
  }
  bool stopped = false;
  {
    const std::scoped_lock lock(mutex);
    entry->progress = nullptr;  // What it reads goes with the handler.
    cancelled = entry->cancelled;
    stopped = stopping;
  }
  if (!ended && ended.error().code() == Code::cancelled && stopped && !cancelled) {
    log::info("a job pauses until the next start", {{"job", job.id.text()}, {"kind", job.kind}});
    return;
  }
  if (auto done = finish(*entry, cancelled, std::move(ended)); !done) {
    log::error("the end of a job could not be journaled; it will be run again",
               {{"job", job.id.text()}, {"why", done.error().what()}});
  }
  const std::scoped_lock lock(mutex);
  entries.erase(job.id.text());
}

Result<void> Queue::State::finish(const Entry& entry, bool cancelled, Result<Ending> ended) {
  const Job& job = entry.job;
  Ending ending;
  std::string state = "succeeded";
  if (ended) {
    ending = std::move(*ended);
  } else {
    state = cancelled && ended.error().code() == Code::cancelled ? "cancelled" : "failed";
    ending.outcome = "failure";
  }
  journal::Event event = store.event(ending.event_type, job.agent);
  event.objects = std::move(ending.objects);
  event.objects["job"] = job.id.text();
  event.outcome = ending.outcome;
  event.detail["state"] = state;
  event.detail["kind"] = job.kind;
  if (!ending.result.empty()) event.detail["result"] = std::move(ending.result);
  if (!ended) {
    json::Object problem;
    problem["code"] = ended.error().reason().empty() ? std::string(code_name(ended.error().code()))
                                                     : ended.error().reason();
    problem["detail"] = ended.error().what();
    event.detail["problem"] = std::move(problem);
  }
  if (state == "failed") {
    log::error("a job failed",
               {{"job", job.id.text()}, {"kind", job.kind}, {"why", ended.error().what()}});
  } else {
    log::info("a job ended", {{"job", job.id.text()}, {"kind", job.kind}, {"state", state}});
  }
  TRY(store.append(std::move(event)));
  return {};
}

Result<Uuid> Queue::submit(std::string_view kind,
                           std::string agent,
                           json::Object request,
                           json::Object objects) {
  assert(state_->kinds.contains(std::string(kind)));
  journal::Event event = state_->store.event(journal::type::kJobQueued, agent);
  const Uuid id = Uuid::at(event.time);
  Job job;
  job.id = id;
  job.kind = kind;
  job.agent = std::move(agent);
  job.request = request;
  job.transfer = json::text_at(objects, "transfer");
  event.objects = std::move(objects);
  event.objects["job"] = id.text();
  event.detail["kind"] = kind;
  event.detail["request"] = std::move(request);
  TRY(state_->store.append(std::move(event)));
  state_->enqueue(std::move(job), false);
  return id;
}

Result<void> Queue::cancel(const Uuid& id, const std::string& agent) {
  const Error ended = Error(Code::conflict, "the job has ended").as("transition-not-allowed");
  std::shared_ptr<Entry> entry;
  {
    const std::scoped_lock lock(state_->mutex);
    const auto found = state_->entries.find(id.text());
    if (found == state_->entries.end()) return ended;
    entry = found->second;
    if (entry->cancelled) return {};  // Somebody else's wish is at work.
  }
  // First the journal: a wish that was answered must not be forgotten by a crash. Where the job
  // ends meanwhile, or another has the same wish, this entry says one thing more and does no harm.
  journal::Event event = state_->store.event(journal::type::kJobCancelling, agent);
  event.objects["job"] = id.text();
  event.detail["kind"] = entry->job.kind;
  TRY(state_->store.append(std::move(event)));
  bool waiting = false;
  {
    const std::scoped_lock lock(state_->mutex);
    if (!state_->entries.contains(id.text())) return ended;
    if (std::exchange(entry->cancelled, true)) return {};
    entry->stop.request_stop();
    waiting = !entry->running;
    if (waiting) {
      auto& lane = state_->lanes[state_->kinds.find(entry->job.kind)->second.lane];
      std::erase(lane, entry);
    }
  }
  if (!waiting) return {};
  TRY(state_->finish(*entry, true, Error(Code::cancelled, "cancelled before it began")));
  const std::scoped_lock lock(state_->mutex);
  state_->entries.erase(id.text());
  return {};
}

std::optional<Queue::Live> Queue::live(std::string_view id) const {
  const std::scoped_lock lock(state_->mutex);
  const auto found = state_->entries.find(id);
  if (found == state_->entries.end()) return std::nullopt;
  const Entry& entry = *found->second;
  Live live;
  live.state = entry.cancelled ? "cancelling" : entry.running ? "running" : "queued";
  if (entry.progress) live.progress = entry.progress();
  return live;
}

bool Queue::any(std::string_view kind, const std::function<bool(const Job&)>& same) const {
  const std::scoped_lock lock(state_->mutex);
  for (const auto& [id, entry] : state_->entries) {
    if (entry->job.kind == kind && same(entry->job)) return true;
  }
  return false;
}

std::size_t Queue::running() const {
  const std::scoped_lock lock(state_->mutex);
  std::size_t count = 0;
  for (const auto& [id, entry] : state_->entries)
    count += entry->running ? 1u : 0u;
  return count;
}

}  // namespace versement::jobs
