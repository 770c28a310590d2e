// The answers about the service itself that need no index.
#pragma once

#include <string>

#include "service/http/message.hpp"
#include "store/store.hpp"

namespace versement::api {

// Alive.
http::Response health();
// Whether the store takes deposits, and else why not.
http::Response readiness(const store::Store& store);
http::Response readiness_at_start(const store::Starting& starting);
// Seconds after which a client may ask again, as the field says it.
std::string retry_after(const store::Starting& starting);

}  // namespace versement::api
