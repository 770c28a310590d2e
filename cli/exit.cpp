#include "cli/exit.hpp"

namespace versement::cli {

int exit_status(const Error& error) {
  switch (error.code()) {
    case Code::denied:
    case Code::not_found:
    case Code::exists:
    case Code::conflict:
    case Code::invalid:
    case Code::limit:
    case Code::unsupported:
      return kRefused;
    case Code::corrupt:
      return kDamage;
    case Code::io:
      return kUnchecked;
    case Code::cancelled:
      return kInterrupted;
    case Code::network:
    case Code::timeout:
    case Code::unavailable:
    case Code::no_space:
    case Code::internal:
      return kServer;
  }
  return kServer;
}

}  // namespace versement::cli
