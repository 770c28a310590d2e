// Errors as RFC 9457 problems: one table of codes, which the code itself uses.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "service/http/message.hpp"
#include "store/base/result.hpp"

namespace versement::http {

struct ProblemType {
  std::string_view code;
  int status;
  bool retryable;  // the same request may succeed later
  std::string_view title;
};

std::span<const ProblemType> problem_types();
// The type of a code; "internal-error" when there is none.
const ProblemType& problem_type(std::string_view code);

// What a problem says beside its type.
struct ProblemDetail {
  std::string detail;
  std::vector<json::Fault> errors;
  std::string current_state;
  std::vector<std::string> allowed_actions;
};

Response problem(std::string_view code, const ProblemDetail& detail);
inline Response problem(std::string_view code, std::string detail) {
  return problem(code, ProblemDetail{std::move(detail), {}, {}, {}});
}

// The answer to an error of ours: its reason() where that is a problem's code, else what its Code
// means. Details of internal errors stay in the log.
Response problem_of(const Error& error);

// Fills in what only the session knows: instance and request id.
void complete_problem(const Request& request, Response* response);

}  // namespace versement::http
