// Asks a running daemon for its health; for HEALTHCHECK, where no curl is at hand.
#pragma once

#include <string>

#include "store/base/result.hpp"

namespace versement::net {

// GET of `path` at ADDRESS:PORT. Returns the status. With TLS the certificate is not checked: this
// asks the machine itself whether it is alive, and sends no secret.
// Errors: network; timeout; invalid for an address.
Result<int> probe(const std::string& address, const std::string& path, bool tls);

}  // namespace versement::net
