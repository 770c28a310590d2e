// The composition root: everything is built in order here, and stopped in the opposite one.
#pragma once

#include "service/settings.hpp"

namespace versement::service {

// Makes a new data folder and its first administrator's token, which is left in
// secrets/admin-token (0600) and shown nowhere.
Result<Path> init(Disk& disk, Clock& clock, const Settings& settings);

// Serves until SIGTERM or SIGINT. Requires: these signals are blocked in all threads.
Result<void> serve(Disk& disk, Clock& clock, const Settings& settings);

}  // namespace versement::service
