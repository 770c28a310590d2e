// What a start does about deposits that a crash left half-way.
#pragma once

#include "store/index/index.hpp"
#include "store/journal/log.hpp"
#include "store/store.hpp"

namespace versement::store {

// Looks at the open intents in work/ and at nothing else. An object that is in the root with the
// inventory that its intent names, and whole, gets its event; what never got there is dropped; what
// fits neither goes to quarantine with an incident. Each step can be repeated.
Result<Recovered> recover(
    Disk& disk, Clock& clock, const Layout& layout, journal::Log& log, const index::Index& index);

}  // namespace versement::store
