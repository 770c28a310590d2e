// One request to another service: sent, answered, done.
#pragma once

#include <stop_token>
#include <string>
#include <string_view>

#include "client/connection.hpp"

namespace versement::client {

struct PostAnswer {
  int status = 0;
  std::string media_type;
  std::string body;
};

// Sends `body` and returns the answer, of at most `body_max` bytes. No redirection is followed.
// Errors: network; timeout; cancelled when `stop` asks for it; limit.
Result<PostAnswer> post(const Url& url,
                        const TlsContext& tls,
                        std::string_view media_type,
                        std::string_view body,
                        std::size_t body_max,
                        const Waits& waits,
                        const std::stop_token& stop);

}  // namespace versement::client
