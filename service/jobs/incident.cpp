#include "service/jobs/incident.hpp"

#include <utility>

#include "store/base/log.hpp"
#include "store/base/version.hpp"
#include "store/query.hpp"

namespace versement::jobs {
namespace {

std::string kind_of(const Error& what) {
  switch (what.code()) {
    case Code::not_found:
      return "missing";
    case Code::corrupt:
      return "mismatch";
    default:
      return "unreadable";
  }
}

}  // namespace

Result<void> open_incident(store::Store& store, const NewIncident& incident) {
  // Several readers meet the same damage at once: one of them opens it.
  const auto name = "incident of " + incident.owner + " " + incident.path;
  auto claim = store.claim(name);
  if (!claim && claim.error().code() == Code::conflict) return {};
  if (!claim) return std::move(claim).error();
  TRY_SET(const auto open, store.index().get(store::keys::open_incident(
                               incident.owner, incident.path, incident.kind)));
  if (open) return {};  // Known, and not closed yet.
  journal::Event event = store.event(journal::type::kIncidentOpened, kProgramName);
  const Uuid id = Uuid::at(event.time);
  event.outcome = "failure";
  event.objects["incident"] = id.text();
  json::Object record;
  record["id"] = id.text();
  record["kind"] = incident.kind;
  record["state"] = incident.proven ? "confirmed" : "suspected";
  record["owner"] = incident.owner;
  constexpr std::string_view kItem = "item ";
  if (incident.owner.starts_with(kItem)) {
    record["item_id"] = incident.owner.substr(kItem.size());
    event.objects["item"] = incident.owner.substr(kItem.size());
  }
  record["path"] = incident.path;
  record["expected"] = incident.expected;
  record["found"] = incident.found;
  record["detail"] = incident.detail;
  if (incident.audit) {
    record["audit_id"] = incident.audit->text();
    event.objects["job"] = incident.audit->text();
  }
  record["opened_at"] = event.time.text();
  event.detail["incident"] = std::move(record);
  TRY(store.append(std::move(event)));
  return {};
}

void report_damage(store::Store& store,
                   const std::string& owner,
                   const std::string& path,
                   const Error& what) {
  NewIncident incident;
  incident.owner = owner;
  incident.path = path;
  incident.kind = kind_of(what);
  incident.detail = "found when it was to be sent: " + std::string(what.what());
  const auto opened = open_incident(store, incident);
  log::error("a stored file is damaged",
             {{"owner", owner}, {"path", path}, {"what", std::string(what.what())}});
  if (opened) return;
  log::error("the incident could not be journaled",
             {{"owner", owner}, {"path", path}, {"what", std::string(opened.error().what())}});
}

}  // namespace versement::jobs
