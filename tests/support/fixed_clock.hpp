// A clock that shows what the test wants; each look moves it on by a millisecond.
#pragma once

#include <atomic>
#include <cassert>
#include <string_view>

#include "store/base/time.hpp"

namespace versement::testing {

class FixedClock : public Clock {
 public:
  explicit FixedClock(std::string_view start = "2026-01-15T09:30:00Z") {
    auto parsed = Timestamp::parse(start);
    assert(parsed);
    ms_ = parsed->ms();
  }
  Timestamp now() const override { return Timestamp(ms_.fetch_add(1)); }
  void set(Timestamp time) { ms_ = time.ms(); }

 private:
  mutable std::atomic<std::int64_t> ms_;
};

}  // namespace versement::testing
