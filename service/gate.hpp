// What clients meet while the store is being brought up: the index may have to be made, which takes
// minutes for a large store. Until it is done everything is answered with 503 and an estimate; or,
// where an index serves already, everything that changes something.
#pragma once

#include <atomic>

#include "service/http/service.hpp"
#include "store/store.hpp"

namespace versement::service {

// Thread safe.
class Gate : public http::Service {
 public:
  Gate(http::Service& api, const store::Store& store) : api_(api), store_(store) {}

  // From here on requests that only read reach the API.
  void let_read() { stage_ = Stage::reading; }
  // From here on all do.
  void open() { stage_ = Stage::open; }

  Admission admit(const http::Request& head) override;
  http::Response handle(const http::Request& request, const Admission& admission) override;
  void done(const http::Request& request, const Admission& admission, const Done& done) override;

 private:
  enum class Stage { closed, reading, open };

  http::Service& api_;
  const store::Store& store_;
  std::atomic<Stage> stage_{Stage::closed};
};

}  // namespace versement::service
