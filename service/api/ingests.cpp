// Ingests and jobs.
#include <cstdlib>
#include <memory>

#include "service/api/context.hpp"
#include "service/api/work_kinds.hpp"
#include "store/base/text.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

namespace keys = store::keys;

// The folder without links and dots. Errors: not_found.
Result<Path> real_path(const Path& path) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(path.c_str(), nullptr), ::free);
  if (!real) {
    return Error(Code::not_found, "there is no folder or file " + printable(path.native()));
  }
  return Path(real.get());
}

bool lies_below(const Path& path, const Path& folder) {
  const std::string& inner = path.native();
  const std::string& outer = folder.native();
  return inner == outer || (inner.starts_with(outer) && inner[outer.size()] == '/');
}

// The folder that a request means, if it lies below an inbox.
Result<Path> deposit_folder(const Context& context, const std::string& text) {
  std::vector<Path> candidates;
  if (text.starts_with('/')) {
    candidates.emplace_back(text);
  } else {
    for (const Path& inbox : context.inboxes)
      candidates.push_back(inbox / text);
  }
  for (const Path& candidate : candidates) {
    const auto real = real_path(candidate);
    if (!real || !is_utf8(real->native())) continue;
    for (const Path& inbox : context.inboxes) {
      if (lies_below(*real, inbox)) return *real;
    }
  }
  std::string inboxes;  // for people
  for (const Path& inbox : context.inboxes)
    inboxes += (inboxes.empty() ? "" : ", ") + inbox.native();
  return Error(Code::invalid, "'" + printable(text) +
                                  "' is no folder or archive below an inbox of the service (" +
                                  (inboxes.empty() ? "it has none" : inboxes) +
                                  "). Put it there, or start versementd with --inbox")
      .as("inbox-refused");
}

json::Object show_job(const Context& context, const json::Object& record) {
  json::Object object;
  const std::string id = json::text_at(record, "id");
  const std::string kind = json::text_at(record, "kind");
  object["id"] = id;
  object["kind"] = kind;
  object["state"] = json::text_at(record, "state");
  object["agent"] = json::text_at(record, "agent");
  object["created_at"] = json::text_at(record, "created_at");
  if (const auto live = context.queue.live(id)) {
    object["state"] = live->state;
    if (!live->progress.empty()) object["progress"] = live->progress;
  }
  if (record.contains("finished_at")) object["finished_at"] = record.at("finished_at");
  if (record.contains("problem")) object["problem"] = record.at("problem");
  if (kind == kIngestKind) object["result_url"] = "/v1/ingests/" + id;
  if (kind == kAuditKindName) object["result_url"] = "/v1/audits/" + id;
  if (kind == kSealKind)
    object["result_url"] = "/v1/transfers/" + json::text_at(record, "transfer");
  return object;
}

json::Object show_ingest(const Context& context, const json::Object& record) {
  json::Object object = show_job(context, record);
  object.erase("kind");
  object.erase("result_url");
  object["job_id"] = json::text_at(record, "id");
  const json::Object& request = json::object_at(record, "request");
  object["dry_run"] = json::flag_at(request, "dry_run");
  object["collection"] = json::text_at(request, "collection");
  object["folder"] = json::text_at(request, "folder");
  const json::Object& result = json::object_at(record, "result");
  if (result.empty()) return object;
  for (const auto& member : result)
    object[member.key()] = member.value();
  if (json::number_at(result, "items_rejected") > 0) object["state"] = "succeeded_with_rejections";
  return object;
}

Result<json::Object> ingest_record(const Context& context, const Call& call) {
  const std::string& id = call.parameter("ingest_id");
  auto record = store::job_record(context.store, id);
  if (!record || json::text_at(*record, "kind") != kIngestKind) {
    return Error(Code::not_found, "there is no ingest '" + printable(id) + "'");
  }
  return record;
}

Result<Response> create_ingest(const Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  const std::string collection = in.text("collection", {.required = true}).value_or("");
  std::string folder;
  if (const json::Object* const source = in.object("source", true)) {
    json::Reader from(*source, "/source");
    const std::string type = from.text("type", {.required = true}).value_or("");
    if (!type.empty() && type != "inbox")
      from.fault("type", "unknown-source", "only 'inbox' is known");
    folder = from.text("path", {.required = true}).value_or("");
    in.take(std::move(from).faults());
  }
  const std::string existing = in.text("existing").value_or("refuse");
  if (existing != "refuse" && existing != "new_version")
    in.fault("existing", "unknown-value", "existing is refuse or new_version");
  if (auto response = faults_response(std::move(in).faults())) return *response;
  if (!store::collection_record(context.store, collection)) {
    return Error(Code::invalid, "there is no collection '" + printable(collection) +
                                    "'; create it first: versement collection create")
        .as("unknown-collection");
  }
  TRY_SET(const Path real, deposit_folder(context, folder));
  json::Object request;
  request["collection"] = collection;
  request["folder"] = real.native();
  request["dry_run"] = flag_parameter(call, "dry_run");
  request["new_versions"] = existing == "new_version";
  TRY_SET(const Uuid id,
          context.queue.submit(kIngestKind, call.principal.name, std::move(request)));
  TRY_SET(const json::Object record, store::job_record(context.store, id.text()));
  Response response = http::json_response(202, show_ingest(context, record));
  response.set("Location", "/v1/ingests/" + id.text());
  response.set("Retry-After", "1");
  return response;
}

// Lines of a kind from an ingest's evidence, paged by their number.
Result<Response> list_evidence(const Context& context, const Call& call, std::string_view kind) {
  TRY_SET(const json::Object record, ingest_record(context, call));
  const std::string digest = json::text_at(json::object_at(record, "result"), "evidence_digest");
  TRY_SET(const PageRequest page, page_request(call, "n"));
  const std::uint64_t first =
      page.after.empty() ? 0 : parse_decimal(page.after.substr(1)).value_or(0);
  json::Array items;
  std::uint64_t number = 0;
  if (!digest.empty()) {
    TRY(context.store.read_evidence(digest, [&](const json::Object& line) -> Result<void> {
      if (json::text_at(line, "kind") != kind) return {};
      if (number++ < first || items.size() > page.limit) return {};
      json::Object shown = line;
      shown.erase("kind");
      items.emplace_back(std::move(shown));
      return {};
    }));
  }
  const bool more = items.size() > page.limit;
  if (more) items.pop_back();
  return page_response(std::move(items),
                       more ? "n" + std::to_string(first + page.limit) : std::string());
}

Result<Response> list_jobs(const Context& context, const Call& call, std::string_view kind) {
  return list_records(
      context, call, keys::Key('j').get(),
      [&](std::string_view, std::string_view value) -> Result<std::optional<json::Object>> {
        TRY_SET(const json::Object record, json::parse_object(value));
        if (kind.empty()) return std::optional(show_job(context, record));
        if (json::text_at(record, "kind") != kind) return std::optional<json::Object>();
        return std::optional(show_ingest(context, record));
      });
}

}  // namespace

void add_ingests(http::Router& router, Context& context) {
  router.add({"GET", "/v1/ingests", Scope::items_read, 0,
              [&context](const Call& call) { return list_jobs(context, call, kIngestKind); }});
  router.add({"POST", "/v1/ingests", Scope::items_write, kSmallBody,
              [&context](const Call& call) { return create_ingest(context, call); }});
  router.add({"GET", "/v1/ingests/{ingest_id}", Scope::items_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record, ingest_record(context, call));
                return http::json_response(200, show_ingest(context, record));
              }});
  router.add({"GET", "/v1/ingests/{ingest_id}/findings", Scope::items_read, 0,
              [&context](const Call& call) { return list_evidence(context, call, "finding"); }});
  router.add({"GET", "/v1/ingests/{ingest_id}/items", Scope::items_read, 0,
              [&context](const Call& call) { return list_evidence(context, call, "item"); }});
}

void add_jobs(http::Router& router, Context& context) {
  router.add({"GET", "/v1/jobs", Scope::jobs_read, 0,
              [&context](const Call& call) { return list_jobs(context, call, ""); }});
  router.add({"GET", "/v1/jobs/{job_id}", Scope::jobs_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record,
                        store::job_record(context.store, call.parameter("job_id")));
                return http::json_response(200, show_job(context, record));
              }});
  router.add({"POST", "/v1/jobs/{job_id}/cancel", Scope::jobs_write, kSmallBody,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record,
                        store::job_record(context.store, call.parameter("job_id")));
                TRY_SET(const Uuid id, Uuid::parse(json::text_at(record, "id")));
                TRY(context.queue.cancel(id, call.principal.name));
                TRY_SET(const json::Object after,
                        store::job_record(context.store, call.parameter("job_id")));
                return http::json_response(202, show_job(context, after));
              }});
}

}  // namespace versement::api
