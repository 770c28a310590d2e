// What a session serves: implemented by the API, called by the network.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "service/http/message.hpp"

namespace versement::http {

class Service {
 public:
  Service() = default;
  virtual ~Service() = default;
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // What was decided on the head alone, before a byte of the body is read.
  struct Admission {
    std::optional<Response> refusal;
    std::size_t body_bytes_max = 0;
    std::shared_ptr<const void> ticket;  // handed on to handle()
  };
  // On the network thread: must not touch the disk.
  virtual Admission admit(const Request& head) = 0;
  // On the pool.
  virtual Response handle(const Request& request, const Admission& admission) = 0;
  // After the answer has gone out, or has not: for log and metrics.
  struct Done {
    int status = 0;
    std::uint64_t bytes_sent = 0;
    std::chrono::milliseconds took{0};
    bool complete = true;
    std::string error;
  };
  virtual void done(const Request& request, const Admission& admission, const Done& done) = 0;
};

}  // namespace versement::http
