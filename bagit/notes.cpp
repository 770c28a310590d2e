#include "bagit/notes.hpp"

#include <algorithm>

#include "store/base/limits.hpp"

namespace versement::bagit {

void Notes::say(std::string_view code, std::string path, std::string detail, About about) {
  const Rule& known = rule(code);
  Severity severity = known.in(mode_);
  if (about.at_most == Severity::warning && severity != Severity::none) severity = about.at_most;
  add({.code = std::string(code),
       .severity = severity,
       .section = std::string(known.section),
       .path = std::move(path),
       .line = about.line,
       .algorithm = std::move(about.algorithm),
       .expected = std::move(about.expected),
       .found = std::move(about.found),
       .detail = detail.empty() ? std::string(known.meaning) : std::move(detail)});
}

void Notes::add(Finding finding) {
  if (finding.severity == Severity::none) return;
  const std::scoped_lock lock(mutex_);
  errors_ = errors_ || finding.severity == Severity::error;
  unread_ = unread_ || finding.severity == Severity::unread;
  bytes_ += finding.path.size() + finding.detail.size();
  if (findings_.size() < limits::kBagFindingsMax && bytes_ < limits::kBagFindingsBytesMax) {
    findings_.push_back(std::move(finding));
  } else {
    ++left_out_;
  }
}

bool Notes::has_errors() const {
  const std::scoped_lock lock(mutex_);
  return errors_;
}

bool Notes::is_full() const {
  const std::scoped_lock lock(mutex_);
  return left_out_ > 0;
}

bool Notes::has_unread() const {
  const std::scoped_lock lock(mutex_);
  return unread_;
}

std::vector<Finding> Notes::take() {
  const std::scoped_lock lock(mutex_);
  std::sort(findings_.begin(), findings_.end());
  const auto same = [](const Finding& a, const Finding& b) { return !(a < b) && !(b < a); };
  findings_.erase(std::unique(findings_.begin(), findings_.end(), same), findings_.end());
  return std::move(findings_);
}

}  // namespace versement::bagit
