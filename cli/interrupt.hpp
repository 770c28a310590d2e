// Ctrl-C for commands that work for long on local files.
#pragma once

#include <stop_token>

namespace versement::cli {

// From now on the first Ctrl-C asks for an end, the second ends the process.
void stop_on_interrupt();
std::stop_token interruption();

}  // namespace versement::cli
