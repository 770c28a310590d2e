// What an audit can say of one file: a closed list. An I/O error is never a mismatch.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "store/base/json.hpp"

namespace versement::audit {

enum class Outcome {
  verified,            // every byte was read, every digest is right
  mismatch,            // other bytes, and again when read anew
  mismatch_transient,  // other bytes once, the right ones when read anew
  missing,             //
  unexpected,          // there, and nothing says that it should be
  unreadable,          // the system would not give the bytes
  offline,             // the copy as a whole was not there
  interrupted,         // the run ended before
  skipped,             // asked for, and left out with a reason
};
inline constexpr std::size_t kOutcomes = 9;

std::string_view outcome_name(Outcome outcome);

struct FileOutcome {
  Outcome outcome = Outcome::verified;
  std::string path;  // in the object; of a stray file, from the root
  std::uint64_t size_bytes = 0;
  std::string expected;  // SHA-512 in hex
  std::string found;
  std::string detail;
};

// How many files had which outcome.
struct Totals {
  std::array<std::uint64_t, kOutcomes> counts{};
  std::uint64_t bytes_read = 0;

  void add(Outcome outcome) { ++counts[static_cast<std::size_t>(outcome)]; }
  std::uint64_t of(Outcome outcome) const { return counts[static_cast<std::size_t>(outcome)]; }
  std::uint64_t all() const;
  // "clean" only if every file due is verified; "damaged" as soon as one is not what was stored;
  // else "incomplete".
  std::string_view verdict() const;
  json::Object to_json() const;
  static Totals from_json(const json::Object& object);
};

}  // namespace versement::audit
