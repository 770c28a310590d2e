// What was made for a request and will be wanted for the next ones: whoever pulls an archive in
// parts asks for it again and again.
#pragma once

#include <cstddef>
#include <iterator>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace versement::transfer {

// The values that were used last, up to so many bytes and so many of them. The newest one stays in
// any case. Thread safe.
template <class Value>
class Kept {
 public:
  explicit Kept(std::size_t bytes_max,
                std::size_t count_max = std::numeric_limits<std::size_t>::max())
      : bytes_max_(bytes_max), count_max_(count_max) {}

  // Nothing when there is none.
  std::shared_ptr<Value> find(const std::string& key) {
    const std::scoped_lock lock(mutex_);
    for (auto at = entries_.begin(); at != entries_.end(); ++at) {
      if (at->key != key) continue;
      entries_.splice(entries_.begin(), entries_, at);
      return at->value;
    }
    return nullptr;
  }

  void add(const std::string& key, std::shared_ptr<Value> value, std::size_t memory_bytes) {
    const std::scoped_lock lock(mutex_);
    entries_.push_front({key, std::move(value), memory_bytes});
    std::size_t bytes = 0;
    std::size_t count = 0;
    for (auto at = entries_.begin(); at != entries_.end(); ++at, ++count) {
      bytes += at->memory_bytes;
      if (count == 0 || (count < count_max_ && bytes <= bytes_max_)) continue;
      entries_.erase(at, entries_.end());
      return;
    }
  }

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<Value> value;
    std::size_t memory_bytes = 0;
  };
  const std::size_t bytes_max_;
  const std::size_t count_max_;
  std::mutex mutex_;
  std::list<Entry> entries_;  // Guarded by mutex_; the last used one first.
};

}  // namespace versement::transfer
