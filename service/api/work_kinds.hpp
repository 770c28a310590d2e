// The kinds of jobs that the API submits; the daemon registers their handlers.
#pragma once

#include <string_view>

namespace versement::api {

inline constexpr std::string_view kIngestKind = "ingest";
inline constexpr std::string_view kAuditKindName = "audit";
inline constexpr std::string_view kSealKind = "seal";

}  // namespace versement::api
