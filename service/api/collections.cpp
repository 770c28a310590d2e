// Collections and agreements: what items share, and with whom they may be handed over.
#include <algorithm>

#include "mets/seda.hpp"
#include "service/api/context.hpp"
#include "service/api/tables.hpp"
#include "store/base/text.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

namespace keys = store::keys;

// A code of a receiver's referential.
constexpr std::size_t kTokenBytesMax = 200;

json::Object without_revision(json::Object record) {
  record.erase("revision");
  return record;
}

json::Object read_rights(json::Reader& in) {
  const json::Object* const given = in.object("rights");
  if (given == nullptr) return {};
  json::Reader rights(*given, in.pointer_of("rights"));
  json::Object out;
  for (const std::string_view name : {"credit_line", "owner", "conditions"}) {
    json::Object text = localized_text(rights, name, false);
    if (!text.empty()) out[name] = std::move(text);
  }
  if (const auto reproduction = rights.text("reproduction")) {
    if (*reproduction != "allowed" && *reproduction != "allowed_with_credit" &&
        *reproduction != "restricted" && *reproduction != "unknown") {
      rights.fault("reproduction", "unknown-value",
                   "reproduction is allowed, allowed_with_credit, restricted or unknown");
    }
    out["reproduction"] = *reproduction;
  }
  in.take(std::move(rights).faults());
  return out;
}

// {"id": …, "name": …}
json::Object read_party(json::Reader& in, std::string_view name, bool required) {
  const json::Object* const given = in.object(name, required);
  if (given == nullptr) return {};
  json::Reader party(*given, in.pointer_of(name));
  json::Object out;
  const auto id = party.text("id", {.required = true, .bytes_max = 128});
  const auto title = party.text("name", {.required = true, .bytes_max = 1000});
  if (id) {
    if (const auto slug = Slug::parse(*id); !slug)
      party.fault("id", "bad-slug", slug.error().what());
    out["id"] = *id;
  }
  if (title) out["name"] = *title;
  in.take(std::move(party).faults());
  return out;
}

bool is_naan(std::string_view text) {
  return text.size() >= 5 && text.size() <= 9 && parse_decimal(text).has_value();
}

std::string read_slug(json::Reader& in) {
  const auto id = in.text("id", {.required = true, .bytes_max = 128});
  if (!id) return {};
  if (const auto slug = Slug::parse(*id); !slug) in.fault("id", "bad-slug", slug.error().what());
  return *id;
}

void read_collection(json::Reader& in, bool fresh, json::Object* out) {
  json::Object title = localized_text(in, "title", fresh);
  if (!title.empty()) (*out)["title"] = std::move(title);
  json::Object rights = read_rights(in);
  if (!rights.empty()) (*out)["rights"] = std::move(rights);
  json::Object agency = read_party(in, "originating_agency", false);
  if (!agency.empty()) (*out)["originating_agency"] = std::move(agency);
  if (!fresh) return;
  if (const auto naan = in.text("naan")) {
    if (!is_naan(*naan)) in.fault("naan", "bad-naan", "a NAAN has 5 to 9 digits");
    (*out)["naan"] = *naan;
  }
}

Result<Response> create_collection(const Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  json::Object record;
  const std::string id = read_slug(in);
  record["id"] = id;
  read_collection(in, true, &record);
  if (auto response = faults_response(std::move(in).faults())) return *response;
  TRY_SET(const auto claim, context.store.claim("collection " + id));
  if (store::collection_record(context.store, id)) {
    return Error(Code::exists, "there is a collection '" + id + "' already").as("already-exists");
  }
  record["item_count"] = 0;
  record["size_bytes"] = 0;
  journal::Event event =
      context.store.event(journal::type::kCollectionCreated, call.principal.name);
  event.objects["collection"] = id;
  event.detail["collection"] = std::move(record);
  TRY(context.store.append(std::move(event)));
  TRY_SET(const json::Object stored, store::collection_record(context.store, id));
  Response response = created("/v1/collections/" + id, without_revision(stored));
  response.set("ETag", http::revision_etag(stored));
  return response;
}

Result<Response> change_collection(const Context& context, const Call& call) {
  const std::string& id = call.parameter("collection_id");
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  json::Object changes;
  read_collection(in, false, &changes);
  if (auto response = faults_response(std::move(in).faults())) return *response;
  TRY_SET(const auto claim, context.store.claim("collection " + id));
  TRY_SET(const json::Object before, store::collection_record(context.store, id));
  TRY(http::check_if_match(call.request, http::revision_etag(before)));
  journal::Event event =
      context.store.event(journal::type::kCollectionChanged, call.principal.name);
  event.objects["collection"] = id;
  event.detail["collection"] = std::move(changes);
  TRY(context.store.append(std::move(event)));
  TRY_SET(const json::Object stored, store::collection_record(context.store, id));
  return found(stored, without_revision(stored));
}

Result<Response> collection_table(const Context& context, const Call& call, TableKind kind) {
  const std::string& id = call.parameter("collection_id");
  TRY(store::collection_record(context.store, id));
  TableOf table;
  table.kind = kind;
  table.file_name = kind == TableKind::metadata ? "metadata.csv" : "rights.csv";
  TRY(context.store.index().scan(keys::items_of_collection(id), "",
                                 [&](std::string_view, std::string_view slug) {
                                   table.items.emplace_back(slug, 0);
                                   return true;
                                 }));
  return table_response(context, call, std::move(table));
}

// One of a closed list of words, or nothing.
void read_word(json::Reader& in,
               std::string_view name,
               const std::vector<std::string_view>& words,
               json::Object* out) {
  const auto given = in.text(name);
  if (!given) return;
  if (std::find(words.begin(), words.end(), *given) == words.end()) {
    std::string all;
    for (const std::string_view word : words)
      all += (all.empty() ? "" : ", ") + std::string(word);
    in.fault(name, "unknown-value", std::string(name) + " is one of " + all);
  }
  (*out)[name] = *given;
}

// A token of SEDA: it stands in the manifest as it is here.
void read_token(json::Reader& in, std::string_view name, json::Object* out) {
  const auto given = in.text(name, {.required = false, .bytes_max = kTokenBytesMax});
  if (!given) return;
  if (trim(*given, " \t\r\n").size() != given->size() || given->empty() ||
      printable(*given) != *given) {
    in.fault(name, "bad-token", "a code has no blanks around it, and no control characters");
  }
  (*out)[name] = *given;
}

// Codes by the names that mets/seda knows.
void read_codes(json::Reader& in,
                std::string_view name,
                const std::vector<std::string_view>& names,
                json::Object* out) {
  const json::Object* const given = in.object(name);
  if (given == nullptr) return;
  json::Reader codes(*given, in.pointer_of(name));
  json::Object read;
  for (const std::string_view each : names)
    read_token(codes, each, &read);
  in.take(std::move(codes).faults());
  (*out)[name] = std::move(read);
}

// What the archive wants to find in the SEDA manifests of transfers under the agreement.
json::Object read_seda(json::Reader& in) {
  const json::Object* const given = in.object("seda");
  if (given == nullptr) return {};
  json::Reader seda(*given, in.pointer_of("seda"));
  json::Object out;
  for (const std::string_view name :
       {"originating_agency", "archival_profile", "service_level", "acquisition_information"}) {
    read_token(seda, name, &out);
  }
  read_word(seda, "legal_status", mets::kSedaLegalStatuses, &out);
  read_word(seda, "final_action", mets::kSedaFinalActions, &out);
  read_codes(seda, "rules", mets::kSedaRules, &out);
  read_codes(seda, "code_lists", mets::kSedaCodeLists, &out);
  in.take(std::move(seda).faults());
  return out;
}

Result<Response> create_agreement(const Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  json::Object record;
  const std::string id = read_slug(in);
  record["id"] = id;
  record["title"] = localized_text(in, "title", true);
  record["reference"] = in.text("reference").value_or("");
  record["transferring_agency"] = read_party(in, "transferring_agency", true);
  record["archival_agency"] = read_party(in, "archival_agency", true);
  const std::string age = in.text("max_fixity_age").value_or("P7D");
  if (const auto parsed = parse_duration(age); !parsed) {
    in.fault("max_fixity_age", "bad-duration", parsed.error().what());
  }
  record["max_fixity_age"] = age;
  json::Array algorithms;
  if (const json::Array* const given = in.array("digest_algorithms", 2)) {
    for (const json::Value& value : *given) {
      const bool known =
          value.is_string() && (value.get_string() == "sha512" || value.get_string() == "sha256");
      if (!known) in.fault("digest_algorithms", "unknown-algorithm", "sha512 or sha256");
      algorithms.push_back(value);
    }
  } else {
    algorithms.emplace_back("sha512");
  }
  record["digest_algorithms"] = std::move(algorithms);
  if (json::Object seda = read_seda(in); !seda.empty()) record["seda"] = std::move(seda);
  if (auto response = faults_response(std::move(in).faults())) return *response;
  TRY_SET(const auto claim, context.store.claim("agreement " + id));
  if (store::agreement_record(context.store, id)) {
    return Error(Code::exists, "there is an agreement '" + id + "' already").as("already-exists");
  }
  journal::Event event = context.store.event(journal::type::kAgreementCreated, call.principal.name);
  event.objects["agreement"] = id;
  event.detail["agreement"] = std::move(record);
  TRY(context.store.append(std::move(event)));
  TRY_SET(const json::Object stored, store::agreement_record(context.store, id));
  Response response = created("/v1/agreements/" + id, without_revision(stored));
  response.set("ETag", http::revision_etag(stored));
  return response;
}

Result<std::optional<json::Object>> show_record(std::string_view /*key*/, std::string_view value) {
  TRY_SET(json::Object record, json::parse_object(value));
  return std::optional(without_revision(std::move(record)));
}

}  // namespace

void add_collections(http::Router& router, Context& context) {
  router.add({"GET", "/v1/collections", Scope::items_read, 0, [&context](const Call& call) {
                return list_records(context, call, keys::Key('c').get(), show_record);
              }});
  router.add({"POST", "/v1/collections", Scope::items_write, kSmallBody,
              [&context](const Call& call) { return create_collection(context, call); }});
  router.add({"GET", "/v1/collections/{collection_id}", Scope::items_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record,
                        store::collection_record(context.store, call.parameter("collection_id")));
                return found(record, without_revision(record));
              }});
  router.add({"GET", "/v1/collections/{collection_id}/metadata.csv", Scope::items_read, 0,
              [&context](const Call& call) {
                return collection_table(context, call, TableKind::metadata);
              }});
  router.add({"GET", "/v1/collections/{collection_id}/rights.csv", Scope::items_read, 0,
              [&context](const Call& call) {
                return collection_table(context, call, TableKind::rights);
              }});
  router.add({"PATCH", "/v1/collections/{collection_id}", Scope::items_write, kSmallBody,
              [&context](const Call& call) { return change_collection(context, call); }});
}

void add_agreements(http::Router& router, Context& context) {
  router.add({"GET", "/v1/agreements", Scope::transfers_read, 0, [&context](const Call& call) {
                return list_records(
                    context, call, keys::Key('g').get(),
                    [&](std::string_view key,
                        std::string_view value) -> Result<std::optional<json::Object>> {
                      TRY_SET(auto record, show_record(key, value));
                      const bool other = call.principal.role == http::Role::receiver &&
                                         json::text_at(*record, "id") != call.principal.agreement;
                      if (other) return std::optional<json::Object>();
                      return record;
                    });
              }});
  router.add({"POST", "/v1/agreements", Scope::agreements_admin, kSmallBody,
              [&context](const Call& call) { return create_agreement(context, call); }});
  router.add({"GET", "/v1/agreements/{agreement_id}", Scope::transfers_read, 0,
              [&context](const Call& call) -> Result<Response> {
                const std::string& id = call.parameter("agreement_id");
                if (call.principal.role == http::Role::receiver && id != call.principal.agreement) {
                  return Error(Code::not_found, "there is no agreement '" + id + "'");
                }
                TRY_SET(const json::Object record, store::agreement_record(context.store, id));
                return found(record, without_revision(record));
              }});
}

}  // namespace versement::api
