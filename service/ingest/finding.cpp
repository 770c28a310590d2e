#include "service/ingest/finding.hpp"

#include "store/base/limits.hpp"

namespace versement::ingest {

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::info:
      return "info";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
  }
  return "error";
}

json::Object to_json(const Finding& finding) {
  json::Object object;
  object["code"] = finding.code;
  object["severity"] = severity_name(finding.severity);
  object["detail"] = finding.detail;
  if (!finding.remedy.empty()) object["remedy"] = finding.remedy;
  if (!finding.path.empty()) object["path"] = finding.path;
  if (finding.row > 0) object["row"] = finding.row;
  if (finding.column > 0) object["column"] = finding.column;
  if (!finding.item.empty()) object["item_id"] = finding.item;
  return object;
}

void Findings::add(Finding finding) {
  ++counts_[static_cast<std::size_t>(finding.severity)];
  if (kept_.size() < limits::kFindingsMax) {
    kept_.push_back(std::move(finding));
  } else {
    ++left_out_;
  }
}

std::uint64_t Findings::count(Severity severity) const {
  return counts_[static_cast<std::size_t>(severity)];
}

}  // namespace versement::ingest
