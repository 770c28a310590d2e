#include "service/gate.hpp"

#include <algorithm>

#include "service/api/health.hpp"
#include "service/http/problem.hpp"

namespace versement::service {

http::Service::Admission Gate::admit(const http::Request& head) {
  const Stage stage = stage_;
  if (stage == Stage::open) return api_.admit(head);
  const store::Starting starting = store_.starting().value_or(store::Starting());
  const bool reads = head.method == "GET" || head.method == "HEAD";
  Admission admission;
  if (reads && head.path == "/healthz") {
    admission.refusal = api::health();
  } else if (reads && head.path == "/readyz") {
    admission.refusal = api::readiness_at_start(starting);
  } else {
    if (stage == Stage::reading) admission = api_.admit(head);
    if (!admission.refusal && !(reads && stage == Stage::reading)) {
      admission.refusal = http::problem("starting", starting.text());
      admission.refusal->set("Retry-After", api::retry_after(starting));
    }
  }
  return admission;
}

http::Response Gate::handle(const http::Request& request, const Admission& admission) {
  return api_.handle(request, admission);
}

void Gate::done(const http::Request& request, const Admission& admission, const Done& done) {
  api_.done(request, admission, done);
}

}  // namespace versement::service
