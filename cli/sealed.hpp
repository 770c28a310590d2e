// What a data folder's own store holds against its journal: each transfer was sealed with a
// checkpoint of the journal, which lies in the store.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "store/base/result.hpp"
#include "store/journal/event.hpp"
#include "store/journal/verify.hpp"

namespace versement::cli {

// Notes the object of an event that sealed a transfer.
void take_seal(const journal::Event& event, std::set<std::string>* objects);

// The checkpoints in these objects. One that is not there is left out: that the object is damaged
// is for the check of the store to say. Errors: io.
Result<std::vector<journal::KeptCheckpoint>> sealed_checkpoints(
    const Path& data, const std::set<std::string>& objects);

}  // namespace versement::cli
