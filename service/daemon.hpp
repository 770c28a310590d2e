// The composition root: everything is built in order here, and stopped in the opposite one.
#pragma once

#include "service/settings.hpp"

namespace versement::service {

// True for a data folder that is whole, but whose first administrator's token was never made.
Result<bool> lacks_first_token(Disk& disk, const Settings& settings);

// Makes a new data folder and its first administrator's token, which is left in
// secrets/admin-token (0600) and shown nowhere. What an earlier attempt left half-way is completed.
Result<Path> init(Disk& disk, Clock& clock, const Settings& settings);

// Public keys, as notes name them.
struct KeysReplaced {
  std::string before;
  std::string after;
};

// Hands the journal over to a new signing key. Errors: those of opening the store; unavailable when
// the journal is in doubt.
Result<KeysReplaced> replace_journal_key(Disk& disk, Clock& clock, const Settings& settings);

// Serves until SIGTERM or SIGINT. Requires: these signals are blocked in all threads.
Result<void> serve(Disk& disk, Clock& clock, const Settings& settings);

}  // namespace versement::service
