#include "service/api/api.hpp"

#include "store/base/log.hpp"
#include "store/base/text.hpp"

namespace versement::api {

// What was found out before the body was read.
struct Api::Ticket {
  http::Router::Match match;
  http::Principal principal;
};

Api::Api(Context& context, bool access_log) : context_(context), access_log_(access_log) {
  add_items(router_, context_);
  add_collections(router_, context_);
  add_ingests(router_, context_);
  add_audits(router_, context_);
  add_incidents(router_, context_);
  add_agreements(router_, context_);
  add_transfers(router_, context_);
  add_jobs(router_, context_);
  add_journal(router_, context_);
  add_tokens(router_, context_);
  add_system(router_, context_);
}

http::Service::Admission Api::admit(const http::Request& head) {
  Admission admission;
  auto ticket = std::make_shared<Ticket>();
  ticket->match = router_.find(head);
  const bool open = ticket->match.route != nullptr && ticket->match.route->scope == Scope::none;
  const Tokens::Checked checked = context_.tokens.check(head.field("Authorization"));
  if (checked.principal) ticket->principal = *checked.principal;
  // Who has no token learns nothing, not even which addresses there are.
  if (!checked.principal && !open) {
    switch (checked.refusal) {
      case Tokens::Refusal::missing:
        admission.refusal = http::problem("token-missing", "Send Authorization: Bearer TOKEN.");
        break;
      case Tokens::Refusal::invalid:
        admission.refusal = http::problem("token-invalid", "Ask an administrator for a new one.");
        break;
      case Tokens::Refusal::expired:
        admission.refusal = http::problem("token-expired", "Ask an administrator for a new one.");
        break;
    }
  } else if (ticket->match.route == nullptr && ticket->match.methods.empty()) {
    admission.refusal = http::problem("not-found", "There is nothing at this address.");
  } else if (ticket->match.route == nullptr) {
    admission.refusal = http::problem("method-not-allowed", "The address has other methods.");
    admission.refusal->set("Allow", join(ticket->match.methods, ", "));
  } else if (!open && !http::role_has(ticket->principal.role, ticket->match.route->scope)) {
    admission.refusal = http::problem(
        "scope-missing", "The role " + std::string(http::role_name(ticket->principal.role)) +
                             " has not the scope " +
                             std::string(http::scope_name(ticket->match.route->scope)) + ".");
  } else {
    admission.body_bytes_max = ticket->match.route->body_bytes_max;
  }
  admission.ticket = std::move(ticket);
  return admission;
}

http::Response Api::handle(const http::Request& request, const Admission& admission) {
  const auto& ticket = *static_cast<const Ticket*>(admission.ticket.get());
  const http::Call call{request, ticket.principal, ticket.match.parameters};
  try {
    auto response = ticket.match.route->handler(call);
    return response ? std::move(*response) : http::problem_of(response.error());
  } catch (const std::exception& error) {
    log::error("a handler threw", {{"request_id", request.request_id}, {"what", error.what()}});
    return http::problem("internal-error", "Quote the request id.");
  }
}

void Api::done(const http::Request& request, const Admission& admission, const Done& done) {
  const auto* const ticket = static_cast<const Ticket*>(admission.ticket.get());
  const bool routed = ticket != nullptr && ticket->match.route != nullptr;
  const std::string route = routed ? ticket->match.route->path : "none";
  context_.metrics.add("versement_http_requests_total",
                       {{"code", std::to_string(done.status)}, {"route", route}});
  context_.metrics.add("versement_http_sent_bytes_total", {}, static_cast<double>(done.bytes_sent));
  if (!access_log_) return;
  log::info("request", {{"request_id", request.request_id},
                        {"method", request.method},
                        {"path", request.path},
                        {"status", std::to_string(done.status)},
                        {"agent", ticket != nullptr ? ticket->principal.name : ""},
                        {"peer", request.peer},
                        {"range", std::string(request.field("Range"))},
                        {"bytes", std::to_string(done.bytes_sent)},
                        {"ms", std::to_string(done.took.count())},
                        {"complete", done.complete ? "yes" : "no: " + done.error}});
}

}  // namespace versement::api
