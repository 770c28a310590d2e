// Health, readiness, metrics, status, the API's own description.
#include "service/api/context.hpp"
#include "service/api/health.hpp"
#include "service/api/openapi.hpp"
#include "store/base/version.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

namespace keys = store::keys;

// Counts records of a table by a field.
Result<std::map<std::string, std::uint64_t>> count_by(const Context& context,
                                                      char table,
                                                      std::string_view field) {
  std::map<std::string, std::uint64_t> counts;
  TRY(context.store.index().scan(keys::Key(table).get(), "",
                                 [&](std::string_view, std::string_view value) {
                                   if (auto record = json::parse_object(value)) {
                                     ++counts[json::text_at(*record, field)];
                                   }
                                   return true;
                                 }));
  return counts;
}

Result<json::Object> counters(const Context& context) {
  auto record = context.store.index().record(keys::counters());
  if (!record && record.error().code() == Code::not_found) return json::Object();
  return record;
}

Result<Response> status(const Context& context) {
  json::Object object;
  object["version"] = kVersion;
  object["started_at"] = context.started_at.text();
  TRY_SET(const json::Object counts, counters(context));
  for (const std::string_view name : {"items", "files", "bytes"}) {
    object[name] = json::number_at(counts, name);
  }
  TRY_SET(const auto fixity, count_by(context, 's', "state"));
  json::Object states;
  for (const auto& [state, count] : fixity)
    states[state] = count;
  object["objects_by_fixity"] = std::move(states);
  TRY_SET(const auto incidents, count_by(context, 'x', "state"));
  std::uint64_t open = 0;
  for (const auto& [state, count] : incidents) {
    open += state == "confirmed" || state == "suspected" ? count : 0;
  }
  object["incidents_open"] = open;
  TRY_SET(const auto transfers, count_by(context, 't', "state"));
  json::Object by_state;
  for (const auto& [state, count] : transfers)
    by_state[state] = count;
  object["transfers"] = std::move(by_state);
  object["jobs_running"] = context.queue.running();
  TRY_SET(const Space space, context.store.disk().space(context.store.layout().data));
  object["bytes_free"] = space.free_bytes;
  json::Object journal;
  journal["tree_size"] = context.store.journal().size();
  journal["published_size"] = context.store.journal().published();
  TRY_SET(const auto authorities, context.stamper.states());
  json::Array stamps;
  for (const stamps::AuthorityState& each : authorities) {
    json::Object stamp;
    stamp["authority"] = each.url;
    if (each.last) stamp["last_at"] = each.last->text();
    if (each.last) stamp["size"] = each.size;
    stamp["overdue"] = each.overdue;
    if (!each.failure.empty()) stamp["failure"] = each.failure;
    stamps.emplace_back(std::move(stamp));
  }
  if (!stamps.empty()) journal["stamps"] = std::move(stamps);
  object["journal"] = std::move(journal);
  if (const auto reason = context.store.read_only_reason()) object["read_only"] = *reason;
  return http::json_response(200, object);
}

Result<Response> metrics(const Context& context) {
  Metrics& m = context.metrics;
  TRY_SET(const json::Object counts, counters(context));
  for (const std::string_view name : {"items", "files", "bytes"}) {
    m.set("versement_store_" + std::string(name), {},
          static_cast<double>(json::number_at(counts, name)));
  }
  const bool writable = !context.store.read_only_reason();
  m.set("versement_store_writable", {}, writable ? 1 : 0);
  m.set("versement_ready", {{"check", "store"}}, writable ? 1 : 0);
  const auto starting = context.store.starting();
  const bool indexed = !starting || starting->indexed();
  m.set("versement_ready", {{"check", "index"}}, indexed ? 1 : 0);
  m.set("versement_index_entries_behind", {},
        indexed ? 0 : static_cast<double>(starting->target - starting->position));
  m.set("versement_jobs_running", {}, static_cast<double>(context.queue.running()));
  m.set("versement_journal_entries", {}, static_cast<double>(context.store.journal().size()));
  TRY_SET(const auto authorities, context.stamper.states());
  for (const stamps::AuthorityState& each : authorities) {
    m.set("versement_stamp_overdue", {{"authority", each.url}}, each.overdue ? 1 : 0);
    m.set("versement_stamp_last_seconds", {{"authority", each.url}},
          each.last ? static_cast<double>(each.last->ms()) / 1000 : 0);
  }
  m.set("versement_clock_seconds", {},
        static_cast<double>(context.store.clock().now().ms()) / 1000);
  TRY_SET(const Space space, context.store.disk().space(context.store.layout().data));
  m.set("versement_replica_free_bytes", {{"replica", "primary"}},
        static_cast<double>(space.free_bytes));
  TRY_SET(const auto transfers, count_by(context, 't', "state"));
  m.clear("versement_transfers");
  for (const auto& [state, count] : transfers) {
    m.set("versement_transfers", {{"state", state}}, static_cast<double>(count));
  }
  std::map<std::pair<std::string, std::string>, std::uint64_t> incidents;
  TRY(context.store.index().scan(
      keys::Key('x').get(), "", [&](std::string_view, std::string_view value) {
        if (auto record = json::parse_object(value)) {
          ++incidents[{json::text_at(*record, "kind"), json::text_at(*record, "state")}];
        }
        return true;
      }));
  m.clear("versement_incidents");
  for (const auto& [labels, count] : incidents) {
    m.set("versement_incidents",
          {{"kind", labels.first}, {"state", labels.second}, {"replica", "primary"}},
          static_cast<double>(count));
  }
  return http::text_response(200, "text/plain; version=0.0.4; charset=utf-8", m.render());
}

json::Object show_problem_type(const http::ProblemType& type) {
  json::Object object;
  object["code"] = type.code;
  object["status"] = type.status;
  object["title"] = type.title;
  object["retryable"] = type.retryable;
  return object;
}

}  // namespace

void add_system(http::Router& router, Context& context) {
  using Kind = Metrics::Kind;
  Metrics& m = context.metrics;
  m.describe("versement_http_requests_total", Kind::counter,
             "Requests answered, by status and route.");
  m.describe("versement_http_sent_bytes_total", Kind::counter, "Bytes of answers sent.");
  m.describe("versement_store_items", Kind::gauge, "Items in the store.");
  m.describe("versement_store_files", Kind::gauge, "Payload files in the store.");
  m.describe("versement_store_bytes", Kind::gauge, "Payload bytes in the store.");
  m.describe("versement_store_writable", Kind::gauge, "1 while the store takes deposits.");
  m.describe("versement_ready", Kind::gauge, "1 while the named check passes.");
  m.describe("versement_index_entries_behind", Kind::gauge,
             "Entries of the journal that the index being made does not reflect yet.");
  m.describe("versement_jobs_running", Kind::gauge, "Jobs that run now.");
  m.describe("versement_journal_entries", Kind::gauge, "Durable entries of the journal.");
  m.describe("versement_stamp_overdue", Kind::gauge, "1 while a time authority owes a stamp.");
  m.describe("versement_stamp_last_seconds", Kind::gauge,
             "When the last stamp of a time authority came; 0: none came.");
  m.describe("versement_clock_seconds", Kind::gauge, "The service's clock.");
  m.describe("versement_replica_free_bytes", Kind::gauge, "Free bytes of the file system.");
  m.describe("versement_transfers", Kind::gauge, "Transfers by state.");
  m.describe("versement_incidents", Kind::gauge, "Incidents by kind and state.");

  router.add({"GET", "/healthz", Scope::none, 0,
              [](const Call& /*call*/) -> Result<Response> { return health(); }});
  router.add(
      {"GET", "/readyz", Scope::none, 0,
       [&context](const Call& /*call*/) -> Result<Response> { return readiness(context.store); }});
  router.add({"GET", "/metrics", Scope::status_read, 0,
              [&context](const Call& /*call*/) { return metrics(context); }});
  router.add({"GET", "/v1/status", Scope::status_read, 0,
              [&context](const Call& /*call*/) { return status(context); }});
  router.add(
      {"GET", "/v1/openapi.json", Scope::none, 0, [](const Call& /*call*/) -> Result<Response> {
         return http::text_response(200, "application/json", std::string(openapi_json()));
       }});
  router.add({"GET", "/problems", Scope::none, 0, [](const Call& /*call*/) -> Result<Response> {
                json::Array items;
                for (const http::ProblemType& type : http::problem_types()) {
                  items.emplace_back(show_problem_type(type));
                }
                return http::json_response(200, {{"items", std::move(items)}});
              }});
  router.add({"GET", "/problems/{code}", Scope::none, 0, [](const Call& call) -> Result<Response> {
                const http::ProblemType& type = http::problem_type(call.parameter("code"));
                if (type.code != call.parameter("code")) {
                  return Error(Code::not_found, "there is no such problem");
                }
                return http::json_response(200, show_problem_type(type));
              }});
}

}  // namespace versement::api
