// The API as a whole: routes, tokens, log lines and metrics of requests.
#pragma once

#include "service/api/context.hpp"
#include "service/http/service.hpp"

namespace versement::api {

class Api : public http::Service {
 public:
  explicit Api(Context& context, bool access_log);

  Admission admit(const http::Request& head) override;
  http::Response handle(const http::Request& request, const Admission& admission) override;
  void done(const http::Request& request, const Admission& admission, const Done& done) override;

  const http::Router& router() const { return router_; }

 private:
  struct Ticket;
  Context& context_;
  const bool access_log_;
  http::Router router_;
};

}  // namespace versement::api
