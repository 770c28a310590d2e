#include "cli/interrupt.hpp"

#include <csignal>

namespace versement::cli {
namespace {

std::stop_source& source() {
  static std::stop_source source;
  return source;
}

// The second one ends the program at once.
void on_interrupt(int number) {
  source().request_stop();
  (void)::signal(number, SIG_DFL);
}

}  // namespace

void stop_on_interrupt() {
  (void)source();  // Made before a signal handler asks for it.
  for (const int number : {SIGINT, SIGTERM, SIGHUP})
    (void)::signal(number, on_interrupt);
}

std::stop_token interruption() {
  return source().get_token();
}

}  // namespace versement::cli
