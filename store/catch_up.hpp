// Brings the index up to the journal. Loading what the entries name (the objects' inventories) is
// most of the work and is done on several threads; one thread applies, in the journal's order, so
// that the rows are the same whatever the number of threads.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>

#include "store/base/result.hpp"
#include "store/index/index.hpp"
#include "store/journal/log.hpp"

namespace versement::store {

struct CatchUp {
  const journal::Log& log;
  index::Index& index;
  index::Sources& sources;
  std::size_t threads = 1;             // that load, beside the one that applies
  std::function<void()> tell = [] {};  // called after each write of the index
};

// Applies the entries from the index' position up to `end`, in bulk where there are many. Whatever
// ends it, what was applied is on the disk, and the next call goes on behind it.
// Errors: cancelled; corrupt for what is no entry; io.
Result<void> catch_up(const CatchUp& work, std::uint64_t end, const std::stop_token& stop);

}  // namespace versement::store
