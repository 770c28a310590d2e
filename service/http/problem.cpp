#include "service/http/problem.hpp"

#include <array>

#include "store/base/log.hpp"

namespace versement::http {
namespace {

constexpr auto kTypes = std::to_array<ProblemType>({
    {"malformed-request", 400, false, "The request is malformed"},
    {"invalid-parameter", 400, false, "A parameter is invalid"},
    {"invalid-cursor", 400, false, "The cursor is not of this listing"},
    {"token-missing", 401, false, "A token is needed"},
    {"token-invalid", 401, false, "The token is not known or was revoked"},
    {"token-expired", 401, false, "The token has expired"},
    {"scope-missing", 403, false, "The token's role does not permit this"},
    {"not-found", 404, false, "There is no such thing"},
    {"method-not-allowed", 405, false, "The resource has no such method"},
    {"request-timeout", 408, true, "The request took too long"},
    {"transition-not-allowed", 409, false, "The state does not permit this"},
    {"already-exists", 409, false, "It exists already"},
    {"last-administrator", 409, false, "It is the last administrator's token"},
    {"resource-busy", 409, true, "It is being worked on"},
    {"not-ready", 409, true, "It is not ready yet"},
    {"open-incident", 409, false, "An incident is open"},
    {"precondition-failed", 412, false, "It was changed meanwhile"},
    {"content-too-large", 413, false, "The content is too large"},
    {"unsupported-media-type", 415, false, "The media type is not accepted here"},
    {"range-not-satisfiable", 416, false, "The range lies outside"},
    {"validation-failed", 422, false, "The content is not acceptable"},
    {"digest-mismatch", 422, false, "A digest does not match"},
    {"unknown-item", 422, false, "An item is not known"},
    {"unknown-collection", 422, false, "The collection is not known"},
    {"unknown-agreement", 422, false, "The agreement is not known"},
    {"seal-digest-mismatch", 422, false, "The seal digest is another"},
    {"inbox-refused", 422, false, "The folder is not below an inbox"},
    {"header-too-large", 431, false, "The header is too large"},
    {"internal-error", 500, false, "The service failed"},
    {"read-only", 503, true, "The service takes no changes now"},
    {"content-corrupt", 503, true, "Stored bytes are damaged"},
    {"starting", 503, true, "The service is starting"},
    {"shutting-down", 503, true, "The service is shutting down"},
    {"insufficient-storage", 507, true, "There is no space left"},
    {"transfer-empty", 409, false, "The transfer has no items"},
    {"zip-not-possible", 409, false, "No zip can be made of this bag"},
    {"table-outdated", 409, false, "Items were described anew since"},
    {"out-of-resources", 503, true, "The system gives the service nothing more now"},
    {"being-made", 503, true, "What was asked for is being made"},
    {"payload-not-verified", 409, true, "Bytes could not be verified before sealing"},
    {"checkpoint-mismatch", 409, false, "The checkpoint is not of this journal"},
    {"witness-unknown", 422, false, "No witness of this journal has signed"},
    {"deposit-not-a-folder", 422, false, "The deposit is neither a folder nor an archive"},
});

// What a Code means when the error brings no problem's code of its own.
std::string_view code_of(Code code) {
  switch (code) {
    case Code::invalid:
      return "validation-failed";
    case Code::not_found:
      return "not-found";
    case Code::exists:
      return "already-exists";
    case Code::denied:
      return "scope-missing";
    case Code::conflict:
      return "transition-not-allowed";
    case Code::limit:
      return "content-too-large";
    case Code::corrupt:
      return "content-corrupt";
    case Code::no_space:
      return "insufficient-storage";
    case Code::unavailable:
      return "out-of-resources";
    case Code::cancelled:
      return "shutting-down";
    case Code::timeout:
      return "request-timeout";
    case Code::io:
    case Code::unsupported:
    case Code::network:
    case Code::internal:
      return "internal-error";
  }
  return "internal-error";
}

}  // namespace

std::span<const ProblemType> problem_types() {
  return kTypes;
}

const ProblemType& problem_type(std::string_view code) {
  for (const ProblemType& type : kTypes) {
    if (type.code == code) return type;
  }
  return problem_type("internal-error");
}

Response problem(std::string_view code, const ProblemDetail& detail) {
  const ProblemType& type = problem_type(code);
  json::Object object;
  object["type"] = "/problems/" + std::string(type.code);
  object["title"] = type.title;
  object["status"] = type.status;
  object["code"] = type.code;
  object["retryable"] = type.retryable;
  if (!detail.detail.empty()) object["detail"] = detail.detail;
  json::Array errors;
  for (const json::Fault& fault : detail.errors) {
    json::Object error;
    error["pointer"] = fault.pointer;
    error["code"] = fault.code;
    error["detail"] = fault.detail;
    errors.emplace_back(std::move(error));
  }
  if (!errors.empty()) object["errors"] = std::move(errors);
  if (!detail.current_state.empty()) {
    object["current_state"] = detail.current_state;
    json::Array actions;
    for (const std::string& action : detail.allowed_actions)
      actions.emplace_back(action);
    object["allowed_actions"] = std::move(actions);
  }
  Response response = json_response(type.status, object);
  response.set("Content-Type", "application/problem+json");
  if (type.status == 401) response.set("WWW-Authenticate", "Bearer realm=\"versement\"");
  if (type.status == 503 || type.status == 429) response.set("Retry-After", "5");
  return response;
}

Response problem_of(const Error& error) {
  const bool known = problem_type(error.reason()).code == error.reason();
  const std::string_view code = known ? std::string_view(error.reason()) : code_of(error.code());
  // What the system says names files of ours.
  if (problem_type(code).status == 500 || code == "out-of-resources") {
    log::error("a request failed", {{"why", error.what()}});
    return problem(code, "The log of the service tells more; quote the request id.");
  }
  return problem(code, error.what());
}

void complete_problem(const Request& request, Response* response) {
  for (const auto& [name, value] : response->fields) {
    if (name != "Content-Type" || value != "application/problem+json") continue;
    auto object = json::parse_object(response->body);
    if (!object) return;
    (*object)["instance"] = request.path;
    (*object)["request_id"] = request.request_id;
    response->body = json::write(*object) + "\n";
    return;
  }
}

}  // namespace versement::http
