// A pool of threads for disk and hashing, and a gate that bounds what runs at once.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace versement {

// Runs tasks on a fixed number of threads, first come first served. A task must not throw; what
// escapes it is logged and ends the task, never the thread. Thread safe.
class Pool {
 public:
  Pool(std::size_t threads, std::size_t queue_max);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  // Runs what is queued, then joins.
  ~Pool();

  // Queues a task; waits while the queue is full. Never call it from a task of the same pool.
  void run(std::function<void()> task);
  // Queues a task, or returns false when the queue is full.
  bool try_run(std::function<void()> task);
  // Waits until nothing is queued and nothing runs.
  void drain();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The number of processors this process may use, at least 1.
std::size_t processor_count();

}  // namespace versement
