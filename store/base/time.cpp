#include "store/base/time.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <optional>

#include <date/date.h>

#include "store/base/text.hpp"

namespace versement {
namespace {

using Instant = std::chrono::sys_time<std::chrono::milliseconds>;

Error not_a_time(std::string_view text) {
  return {Code::invalid, "'" + printable(text.substr(0, 64)) +
                             "' is not a time as RFC 3339 writes it, such as 2026-01-15T09:30:00Z"};
}

struct Fields {
  unsigned year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

// Reads exactly two or four digits.
std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  unsigned value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (i >= text.size() || text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return value;
}

std::optional<Fields> fields_of(std::string_view text) {
  constexpr std::string_view kShape = "dddd-dd-ddTdd:dd:dd";
  if (text.size() < kShape.size()) return std::nullopt;
  for (std::size_t i = 0; i < kShape.size(); ++i) {
    const char c = text[i];
    const char wanted = kShape[i];
    const bool fits = wanted == 'd'   ? c >= '0' && c <= '9'
                      : wanted == 'T' ? c == 'T' || c == 't'
                                      : c == wanted;
    if (!fits) return std::nullopt;
  }
  return Fields{*digits(text, 0, 4),  *digits(text, 5, 2),  *digits(text, 8, 2),
                *digits(text, 11, 2), *digits(text, 14, 2), *digits(text, 17, 2)};
}

// The zone at the end, in minutes east of UTC.
std::optional<int> zone_of(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() != 6 || text[3] != ':' || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, 4, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  const int east = static_cast<int>(*hours * 60 + *minutes);
  return text[0] == '-' ? -east : east;
}

// Splits off ".123…" and returns its milliseconds.
std::optional<int> fraction_of(std::string_view* rest) {
  if (rest->empty() || rest->front() != '.') return 0;
  std::size_t end = 1;
  int ms = 0;
  while (end < rest->size() && (*rest)[end] >= '0' && (*rest)[end] <= '9') {
    if (end <= 3) ms = ms * 10 + ((*rest)[end] - '0');
    ++end;
  }
  if (end == 1) return std::nullopt;
  for (std::size_t i = end; i < 4; ++i)
    ms *= 10;
  rest->remove_prefix(end);
  return ms;
}

}  // namespace

Result<Timestamp> Timestamp::parse(std::string_view text) {
  const auto fields = fields_of(text);
  if (!fields) return not_a_time(text);
  std::string_view rest = text.substr(19);
  const auto ms = fraction_of(&rest);
  const auto zone = ms ? zone_of(rest) : std::nullopt;
  const date::year_month_day day{date::year(static_cast<int>(fields->year)),
                                 date::month(fields->month), date::day(fields->day)};
  // A leap second is written :60; it counts as the next second.
  if (!zone || !day.ok() || fields->hour > 23 || fields->minute > 59 || fields->second > 60) {
    return not_a_time(text);
  }
  const auto at = date::sys_days(day) + std::chrono::hours(fields->hour) +
                  std::chrono::minutes(static_cast<int>(fields->minute) - *zone) +
                  std::chrono::seconds(fields->second) + std::chrono::milliseconds(*ms);
  return Timestamp(at.time_since_epoch().count());
}

std::string Timestamp::text() const {
  return date::format("%FT%TZ", Instant(std::chrono::milliseconds(ms_)));
}

std::string Timestamp::text_seconds() const {
  return date::format("%FT%TZ",
                      date::floor<std::chrono::seconds>(Instant(std::chrono::milliseconds(ms_))));
}

std::string Timestamp::date() const {
  return text().substr(0, 10);
}

std::string Timestamp::local_text() const {
  const time_t seconds = ms_ / 1000;
  struct tm local = {};
  (void)::localtime_r(&seconds, &local);
  std::array<char, 40> buffer{};
  const std::size_t length =
      std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M:%S %z", &local);
  std::string out(buffer.data(), length);
  if (length > 2) out.insert(length - 2, 1, ':');
  return out;
}

Timestamp Clock::now() const {
  return Timestamp(std::chrono::duration_cast<std::chrono::milliseconds>(
                       std::chrono::system_clock::now().time_since_epoch())
                       .count());
}

Clock& real_clock() {
  static Clock clock;
  return clock;
}

namespace {

// Seconds of a unit: D and W before the T, H, M and S behind it; 0 for any other letter.
std::uint64_t seconds_of_unit(char unit, bool in_time) {
  switch (unit) {
    case 'W':
      return in_time ? 0 : 604'800;
    case 'D':
      return in_time ? 0 : 86'400;
    case 'H':
      return in_time ? 3600 : 0;
    case 'M':
      return in_time ? 60 : 0;
    case 'S':
      return in_time ? 1 : 0;
    default:
      return 0;
  }
}

}  // namespace

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  const Error wrong(Code::invalid,
                    "'" + printable(text.substr(0, 64)) +
                        "' is not a duration such as P90D (90 days), PT12H (12 hours) or PT30M");
  // Ten thousand years are more than any policy and far from overflow.
  constexpr std::uint64_t kSecondsMax = 10'000ull * 366 * 86'400;
  if (text.size() < 3 || text.front() != 'P' || text.back() == 'T') return wrong;
  std::uint64_t seconds = 0;
  bool in_time = false;
  for (std::string_view rest = text.substr(1); !rest.empty();) {
    if (rest.front() == 'T' && !in_time) {
      in_time = true;
      rest.remove_prefix(1);
      continue;
    }
    const std::size_t end = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const auto value = parse_decimal(rest.substr(0, end));
    const std::uint64_t unit = end < rest.size() ? seconds_of_unit(rest[end], in_time) : 0;
    if (!value || unit == 0 || *value > kSecondsMax / unit) return wrong;
    seconds += *value * unit;
    if (seconds > kSecondsMax) return wrong;
    rest.remove_prefix(end + 1);
  }
  return std::chrono::seconds(seconds);
}

std::string duration_text(std::chrono::seconds duration) {
  const auto total = duration.count();
  if (total % 86'400 == 0) return "P" + std::to_string(total / 86'400) + "D";
  if (total % 3600 == 0) return "PT" + std::to_string(total / 3600) + "H";
  return "PT" + std::to_string(total) + "S";
}

}  // namespace versement
