// Group: many callers, one costly act for all of them.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

namespace versement::store {

// While one group is being served, the callers that arrive gather; the first of them then serves
// all. So a quiet disk answers at once, and a slow one is asked less often. Thread safe.
template <class Item>
class Group {
 public:
  // `serve` gets at most `count_max` items and must leave an outcome in each of them.
  Group(std::size_t count_max, std::function<void(std::span<Item* const>)> serve)
      : count_max_(count_max), serve_(std::move(serve)) {}

  // Returns when `item` has been served, by this thread or another.
  void run(Item* item) {
    std::unique_lock lock(mutex_);
    waiting_.push_back({item, false});
    const std::size_t ticket = first_ticket_ + waiting_.size() - 1;
    while (!served(ticket)) {
      if (busy_) {
        changed_.wait(lock);
      } else {
        serve_some(&lock);
      }
    }
    drop_served();
  }

 private:
  struct Waiting {
    Item* item;
    bool served;
  };

  bool served(std::size_t ticket) const {
    return ticket < first_ticket_ || waiting_[ticket - first_ticket_].served;
  }

  void serve_some(std::unique_lock<std::mutex>* lock) {
    std::vector<Item*> items;
    std::vector<std::size_t> tickets;
    for (std::size_t i = 0; i < waiting_.size() && items.size() < count_max_; ++i) {
      if (waiting_[i].served) continue;
      items.push_back(waiting_[i].item);
      tickets.push_back(first_ticket_ + i);
    }
    busy_ = true;
    lock->unlock();
    serve_(items);
    lock->lock();
    busy_ = false;
    for (const std::size_t ticket : tickets)
      waiting_[ticket - first_ticket_].served = true;
    changed_.notify_all();
  }

  void drop_served() {
    std::size_t count = 0;
    while (count < waiting_.size() && waiting_[count].served)
      ++count;
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
    first_ticket_ += count;
  }

  const std::size_t count_max_;
  const std::function<void(std::span<Item* const>)> serve_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Waiting> waiting_;  // Guarded by mutex_.
  std::size_t first_ticket_ = 0;  // of waiting_[0]; guarded by mutex_.
  bool busy_ = false;             // Guarded by mutex_.
};

}  // namespace versement::store
