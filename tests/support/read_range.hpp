// A range of a source, read in steps as a client's requests fall.
#pragma once

#include <algorithm>
#include <span>
#include <string>

#include "store/base/source.hpp"
#include "tests/support/expect.hpp"

namespace versement::testing {

// What there is of the range; shorter where the source ends.
inline std::string read_range(Source& source,
                              std::uint64_t first,
                              std::uint64_t length,
                              std::size_t step = 1u << 16) {
  std::string out(length, '?');
  std::size_t done = 0;
  while (done < length) {
    const auto rest = std::as_writable_bytes(std::span(out).subspan(done));
    const auto count = source.read_at(first + done, rest.first(std::min(step, rest.size())));
    EXPECT_OK(count);
    if (!count || *count == 0) break;
    done += *count;
  }
  out.resize(done);
  return out;
}

}  // namespace versement::testing
