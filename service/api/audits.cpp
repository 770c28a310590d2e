// Audits, their policies, and incidents.
#include "service/api/context.hpp"
#include "service/api/work_kinds.hpp"
#include "store/audit/run.hpp"
#include "store/base/text.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

namespace keys = store::keys;

json::Object show_audit(const Context& context, const json::Object& record) {
  json::Object object;
  const std::string id = json::text_at(record, "id");
  object["id"] = id;
  object["job_id"] = id;
  object["state"] = json::text_at(record, "state");
  const json::Object& request = json::object_at(record, "request");
  object["scope"] = json::object_at(request, "scope");
  if (request.contains("policy")) object["policy_id"] = request.at("policy");
  object["agent"] = json::text_at(record, "agent");
  object["created_at"] = json::text_at(record, "created_at");
  if (const auto live = context.queue.live(id)) {
    object["state"] = live->state;
    if (!live->progress.empty()) object["progress"] = live->progress;
  }
  for (const std::string_view name : {"finished_at", "problem", "journal_index"}) {
    if (record.contains(name)) object[name] = record.at(name);
  }
  for (const auto& member : json::object_at(record, "result")) {
    object[member.key()] = member.value();
  }
  return object;
}

Result<json::Object> audit_record(const Context& context, const Call& call) {
  const std::string& id = call.parameter("audit_id");
  auto record = store::job_record(context.store, id);
  if (!record || json::text_at(*record, "kind") != kAuditKindName) {
    return Error(Code::not_found, "there is no audit '" + printable(id) + "'");
  }
  return record;
}

// Reads {"collection"?, "item"?}; faults go to the reader.
audit::Scope read_scope(const Context& context, json::Reader& in) {
  audit::Scope scope;
  const json::Object* const given = in.object("scope");
  if (given == nullptr) return scope;
  json::Reader from(*given, "/scope");
  scope.collection = from.text("collection").value_or("");
  scope.item = from.text("item").value_or("");
  if (!scope.collection.empty() && !store::collection_record(context.store, scope.collection)) {
    from.fault("collection", "unknown-collection", "there is no such collection");
  }
  if (!scope.item.empty() && !store::item_record(context.store, scope.item)) {
    from.fault("item", "unknown-item", "there is no such item");
  }
  in.take(std::move(from).faults());
  return scope;
}

Result<Response> create_audit(const Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  const audit::Scope scope = read_scope(context, in);
  if (auto response = faults_response(std::move(in).faults())) return *response;
  json::Object request;
  request["scope"] = scope.to_json();
  TRY_SET(const Uuid id,
          context.queue.submit(kAuditKindName, call.principal.name, std::move(request)));
  TRY_SET(const json::Object record, store::job_record(context.store, id.text()));
  Response response = http::json_response(202, show_audit(context, record));
  response.set("Location", "/v1/audits/" + id.text());
  response.set("Retry-After", "1");
  return response;
}

Result<Response> audit_evidence(const Context& context, const Call& call) {
  TRY_SET(const json::Object record, audit_record(context, call));
  const std::string digest = json::text_at(json::object_at(record, "result"), "evidence_digest");
  if (digest.empty()) {
    return Error(Code::conflict, "the audit has no evidence yet; wait until it has ended")
        .as("not-ready");
  }
  TRY(context.store.check_evidence(digest));
  const Path file = context.store.evidence_file(digest);
  TRY_SET(const FileInfo info, context.store.disk().info(file));
  TRY_SET(const Digest sha256, Digest::from_hex(Algorithm::sha256, digest));
  http::Representation representation;
  representation.source = std::make_shared<FileSource>(context.store.disk(), file, info.size_bytes);
  representation.etag = "\"" + digest + "\"";
  representation.media_type = "application/zstd";
  representation.file_name = digest + ".jsonl.zst";
  representation.digest = sha256;
  return http::respond(call.request, std::move(representation));
}

// -------------------------------------------------------------------------------- policies

json::Object without_revision(json::Object record) {
  record.erase("revision");
  return record;
}

Result<Response> create_policy(const Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  json::Object record;
  const std::string id = in.text("id", {.required = true, .bytes_max = 128}).value_or("");
  if (const auto slug = Slug::parse(id); !id.empty() && !slug) {
    in.fault("id", "bad-slug", slug.error().what());
  }
  record["id"] = id;
  const std::string interval = in.text("interval", {.required = true}).value_or("");
  if (const auto parsed = parse_duration(interval); !interval.empty() && !parsed) {
    in.fault("interval", "bad-duration", parsed.error().what());
  }
  record["interval"] = interval;
  if (const auto collection = in.text("collection")) {
    if (!store::collection_record(context.store, *collection)) {
      in.fault("collection", "unknown-collection", "there is no such collection");
    }
    record["collection"] = *collection;
  }
  record["enabled"] = in.flag("enabled").value_or(true);
  if (auto response = faults_response(std::move(in).faults())) return *response;
  TRY_SET(const auto claim, context.store.claim("policy " + id));
  TRY_SET(const auto there, context.store.index().get(keys::policy(id)));
  if (there) return Error(Code::exists, "there is a policy '" + id + "' already");
  journal::Event event = context.store.event(journal::type::kPolicyCreated, call.principal.name);
  event.objects["policy"] = id;
  event.detail["policy"] = std::move(record);
  TRY(context.store.append(std::move(event)));
  TRY_SET(const json::Object stored, context.store.index().record(keys::policy(id)));
  Response response = created("/v1/audit-policies/" + id, without_revision(stored));
  response.set("ETag", http::revision_etag(stored));
  return response;
}

Result<json::Object> policy_record(const Context& context, const Call& call) {
  const std::string& id = call.parameter("policy_id");
  auto record = context.store.index().record(keys::policy(id));
  if (!record && record.error().code() == Code::not_found) {
    return Error(Code::not_found, "there is no audit policy '" + printable(id) + "'");
  }
  return record;
}

// -------------------------------------------------------------------------------- incidents

Result<json::Object> incident_record(const Context& context, const Call& call) {
  const std::string& id = call.parameter("incident_id");
  auto record = context.store.index().record(keys::incident(id));
  if (!record && record.error().code() == Code::not_found) {
    return Error(Code::not_found, "there is no incident '" + printable(id) + "'");
  }
  return record;
}

Result<Response> resolve_incident(const Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  const std::string resolution = in.text("resolution", {.required = true}).value_or("");
  const std::string note = in.text("note", {.required = true, .bytes_max = 4000}).value_or("");
  const bool known =
      resolution == "repaired" || resolution == "accepted_loss" || resolution == "false_alarm";
  if (!resolution.empty() && !known) {
    in.fault("resolution", "unknown-value", "repaired, accepted_loss or false_alarm");
  }
  if (auto response = faults_response(std::move(in).faults())) return *response;
  TRY_SET(const auto claim, context.store.claim("incident " + call.parameter("incident_id")));
  TRY_SET(const json::Object before, incident_record(context, call));
  if (before.contains("closed_at")) {
    http::ProblemDetail detail;
    detail.detail = "the incident is closed";
    detail.current_state = json::text_at(before, "state");
    return http::problem("transition-not-allowed", detail);
  }
  journal::Event event = context.store.event(journal::type::kIncidentChanged, call.principal.name);
  event.objects["incident"] = json::text_at(before, "id");
  json::Object changes;
  changes["state"] = resolution;
  changes["note"] = note;
  changes["closed_at"] = event.time.text();
  changes["closed_by"] = call.principal.name;
  event.detail["incident"] = std::move(changes);
  TRY(context.store.append(std::move(event)));
  TRY_SET(const json::Object after, incident_record(context, call));
  return found(after, without_revision(after));
}

}  // namespace

void add_audits(http::Router& router, Context& context) {
  router.add(
      {"GET", "/v1/audits", Scope::audits_read, 0, [&context](const Call& call) {
         return list_records(
             context, call, keys::Key('j').get(),
             [&](std::string_view, std::string_view value) -> Result<std::optional<json::Object>> {
               TRY_SET(const json::Object record, json::parse_object(value));
               if (json::text_at(record, "kind") != kAuditKindName) {
                 return std::optional<json::Object>();
               }
               return std::optional(show_audit(context, record));
             });
       }});
  router.add({"POST", "/v1/audits", Scope::audits_write, kSmallBody,
              [&context](const Call& call) { return create_audit(context, call); }});
  router.add({"GET", "/v1/audits/{audit_id}", Scope::audits_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record, audit_record(context, call));
                return http::json_response(200, show_audit(context, record));
              }});
  router.add(
      {"GET", "/v1/audits/{audit_id}/outcomes", Scope::audits_read, 0,
       [&context](const Call& call) -> Result<Response> {
         TRY_SET(const json::Object record, audit_record(context, call));
         return list_records(
             context, call, keys::outcomes(json::text_at(record, "id")),
             [](std::string_view, std::string_view value) -> Result<std::optional<json::Object>> {
               TRY_SET(json::Object line, json::parse_object(value));
               line.erase("kind");
               return std::optional(std::move(line));
             });
       }});
  router.add({"GET", "/v1/audits/{audit_id}/evidence", Scope::audits_read, 0,
              [&context](const Call& call) { return audit_evidence(context, call); }});
  router.add(
      {"GET", "/v1/audit-policies", Scope::audits_read, 0, [&context](const Call& call) {
         return list_records(
             context, call, keys::Key('p').get(),
             [](std::string_view, std::string_view value) -> Result<std::optional<json::Object>> {
               TRY_SET(json::Object record, json::parse_object(value));
               return std::optional(without_revision(std::move(record)));
             });
       }});
  router.add({"POST", "/v1/audit-policies", Scope::audits_write, kSmallBody,
              [&context](const Call& call) { return create_policy(context, call); }});
  router.add({"GET", "/v1/audit-policies/{policy_id}", Scope::audits_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record, policy_record(context, call));
                return found(record, without_revision(record));
              }});
  router.add({"DELETE", "/v1/audit-policies/{policy_id}", Scope::audits_write, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record, policy_record(context, call));
                TRY(http::check_if_match(call.request, http::revision_etag(record)));
                journal::Event event =
                    context.store.event(journal::type::kPolicyRemoved, call.principal.name);
                event.objects["policy"] = json::text_at(record, "id");
                TRY(context.store.append(std::move(event)));
                return http::empty_response();
              }});
}

void add_incidents(http::Router& router, Context& context) {
  router.add(
      {"GET", "/v1/incidents", Scope::audits_read, 0, [&context](const Call& call) {
         const std::string state = call.request.query_text("state");
         return list_records(
             context, call, keys::Key('x').get(),
             [&](std::string_view, std::string_view value) -> Result<std::optional<json::Object>> {
               TRY_SET(json::Object record, json::parse_object(value));
               const bool closed = record.contains("closed_at");
               const bool wanted = state.empty() || (state == "open" && !closed) ||
                                   state == json::text_at(record, "state");
               if (!wanted) return std::optional<json::Object>();
               return std::optional(without_revision(std::move(record)));
             });
       }});
  router.add({"GET", "/v1/incidents/{incident_id}", Scope::audits_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record, incident_record(context, call));
                return found(record, without_revision(record));
              }});
  router.add({"POST", "/v1/incidents/{incident_id}/resolve", Scope::audits_write, kSmallBody,
              [&context](const Call& call) { return resolve_incident(context, call); }});
}

}  // namespace versement::api
