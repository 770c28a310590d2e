// Time: an instant in UTC, and the clock that tells it (another one in tests).
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/result.hpp"

namespace versement {

// Milliseconds since 1970 in UTC.
class Timestamp {
 public:
  Timestamp() = default;
  explicit Timestamp(std::int64_t ms) : ms_(ms) {}
  // RFC 3339 with a zone and seconds. Errors: invalid, for 31 February too.
  static Result<Timestamp> parse(std::string_view text);

  std::int64_t ms() const { return ms_; }
  std::string text() const;          // "2026-01-15T09:30:00.123Z"
  std::string text_seconds() const;  // "2026-01-15T09:30:00Z"
  std::string date() const;          // "2026-01-15"
  std::string local_text() const;    // "2026-01-15 10:30:00 +01:00", in the zone of this machine
  friend auto operator<=>(const Timestamp&, const Timestamp&) = default;

  Timestamp operator+(std::chrono::milliseconds by) const { return Timestamp(ms_ + by.count()); }
  std::chrono::milliseconds operator-(Timestamp other) const {
    return std::chrono::milliseconds(ms_ - other.ms_);
  }

 private:
  std::int64_t ms_ = 0;
};

// Tells the time. Thread safe.
class Clock {
 public:
  Clock() = default;
  virtual ~Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual Timestamp now() const;
};

Clock& real_clock();

// ISO 8601 durations of days, hours, minutes and seconds: "P90D", "PT12H".
Result<std::chrono::seconds> parse_duration(std::string_view text);
std::string duration_text(std::chrono::seconds duration);

}  // namespace versement
