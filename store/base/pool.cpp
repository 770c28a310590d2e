#include "store/base/pool.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "store/base/log.hpp"

namespace versement {

struct Pool::State {
  std::mutex mutex;
  std::condition_variable wake;             // A task was queued, or the end was called.
  std::condition_variable space;            // A task was taken or has ended.
  std::deque<std::function<void()>> queue;  // Guarded by mutex.
  std::size_t queue_max = 0;
  std::size_t running = 0;  // Guarded by mutex.
  bool stopping = false;    // Guarded by mutex.
  std::vector<std::thread> threads;

  void work() {
    std::unique_lock lock(mutex);
    while (true) {
      wake.wait(lock, [this] { return stopping || !queue.empty(); });
      if (queue.empty()) return;
      auto task = std::move(queue.front());
      queue.pop_front();
      ++running;
      lock.unlock();
      space.notify_all();
      try {
        task();
      } catch (const std::exception& error) {
        log::error("a task ended by an exception", {{"what", error.what()}});
      }
      task = nullptr;  // What it captured goes before anybody hears that it has ended.
      lock.lock();
      --running;
      space.notify_all();
    }
  }
};

Pool::Pool(std::size_t threads, std::size_t queue_max) : state_(std::make_unique<State>()) {
  state_->queue_max = queue_max;
  const std::size_t count = std::max<std::size_t>(threads, 1);
  state_->threads.reserve(count);
  while (state_->threads.size() < count) {
    try {
      state_->threads.emplace_back([state = state_.get()] { state->work(); });
    } catch (const std::system_error& error) {
      if (state_->threads.empty()) throw;
      log::warning("the system gives no more threads",
                   {{"wanted", std::to_string(count)},
                    {"there", std::to_string(state_->threads.size())},
                    {"why", error.what()}});
      return;  // Fewer do the same, only later.
    }
  }
}

Pool::~Pool() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (std::thread& thread : state_->threads)
    thread.join();
}

void Pool::run(std::function<void()> task) {
  {
    std::unique_lock lock(state_->mutex);
    state_->space.wait(lock, [this] { return state_->queue.size() < state_->queue_max; });
    state_->queue.push_back(std::move(task));
  }
  state_->wake.notify_one();
}

bool Pool::try_run(std::function<void()> task) {
  {
    const std::scoped_lock lock(state_->mutex);
    if (state_->queue.size() >= state_->queue_max) return false;
    state_->queue.push_back(std::move(task));
  }
  state_->wake.notify_one();
  return true;
}

void Pool::drain() {
  std::unique_lock lock(state_->mutex);
  state_->space.wait(lock, [this] { return state_->queue.empty() && state_->running == 0; });
}

std::size_t processor_count() {
  return std::max<std::size_t>(1, std::thread::hardware_concurrency());
}

}  // namespace versement
