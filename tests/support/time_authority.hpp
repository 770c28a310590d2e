// A time authority (RFC 3161) for tests, with a certificate of its own making.
#pragma once

#include <ctime>
#include <memory>
#include <string>
#include <string_view>

namespace versement::testing {

class TimeAuthority {
 public:
  // Its certificate holds from `valid_from` on, for `days`.
  explicit TimeAuthority(const std::string& name, std::time_t valid_from = 0, int days = 36500);
  ~TimeAuthority();
  TimeAuthority(const TimeAuthority&) = delete;
  TimeAuthority& operator=(const TimeAuthority&) = delete;

  std::string certificate() const;  // PEM
  // The reply, stamped at `now`; of a malformed request a refusal.
  std::string reply(std::string_view request, std::time_t now) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace versement::testing
