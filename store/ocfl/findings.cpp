#include "store/ocfl/findings.hpp"

#include <algorithm>
#include <tuple>

#include "store/base/limits.hpp"

namespace versement::ocfl {

bool any_fault(const std::vector<Problem>& problems) {
  return std::any_of(problems.begin(), problems.end(), [](const Problem& each) {
    return each.severity() == Severity::error || each.severity() == Severity::unread;
  });
}

void Findings::say(std::string_view code,
                   std::string path,
                   std::string detail,
                   std::string pointer) {
  const bool fresh = codes_.emplace(code).second;
  if (problems_.size() >= limits::kFindingsMax && !fresh) {
    ++left_out_;
    return;
  }
  problems_.push_back({std::string(code), std::move(path), std::move(detail), std::move(pointer)});
}

void Findings::say(const Error& error, std::string_view code, std::string path) {
  const bool unread = is_unanswered(error) || error.code() == Code::limit;
  say(unread ? "unreadable" : code, std::move(path), error.what());
}

std::vector<Problem> Findings::take() {
  if (left_out_ > 0 && !problems_.empty()) {
    problems_.back().detail += " (and " + std::to_string(left_out_) + " more of such findings)";
  }
  std::sort(problems_.begin(), problems_.end(), [](const Problem& a, const Problem& b) {
    return std::tie(a.path, a.code, a.pointer, a.detail) <
           std::tie(b.path, b.code, b.pointer, b.detail);
  });
  return std::move(problems_);
}

std::string pointer_step(std::string_view name) {
  std::string step = "/";
  for (const char c : name) {
    if (c == '~') {
      step += "~0";
    } else if (c == '/') {
      step += "~1";
    } else {
      step += c;
    }
  }
  return step;
}

}  // namespace versement::ocfl
