// Transfers: the handover, act by act, and the bag that is pulled.
#include "service/api/tables.hpp"
#include "service/api/work_kinds.hpp"
#include "service/transfer/seal.hpp"
#include "service/transfer/state.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

namespace keys = store::keys;
using transfer::Act;
using transfer::State;

// What one journal entry can hold.
constexpr std::size_t kAnomaliesMax = 100;
constexpr std::size_t kRefusedItemsMax = 200;
constexpr std::size_t kItemsOfOneCall = 10'000;
// Slugs have at most 128 characters: so many fit into one journal entry.
constexpr std::size_t kItemsOfOneEvent = 400;
constexpr std::size_t kReasonBytesMax = 4000;

State state_of(const json::Object& record) {
  return transfer::state_of_name(json::text_at(record, "state")).value_or(State::draft);
}

bool is_receiver(const Call& call) {
  return call.principal.role == http::Role::receiver;
}

json::Object show_transfer(const Call& call, const json::Object& record) {
  json::Object object = record;
  for (const std::string_view name : {"revision", "object", "seal_inventory_digest"}) {
    object.erase(name);
  }
  if (json::text_at(object, "last_anomaly").empty()) object.erase("last_anomaly");
  const State state = state_of(record);
  object["waiting_for"] = transfer::waiting_for(state);
  json::Array actions;
  const auto party = is_receiver(call) ? transfer::Party::receiver : transfer::Party::sender;
  for (const std::string& act : transfer::allowed_acts(state, party))
    actions.emplace_back(act);
  object["allowed_actions"] = std::move(actions);
  return object;
}

// The transfer that a path names, by id or reference, if the caller may see it.
// Errors: not_found, the same for what is not there and what may not be seen.
Result<json::Object> visible_transfer(const Context& context, const Call& call) {
  const std::string& name = call.parameter("transfer_id");
  const Error missing(Code::not_found,
                      "there is no transfer '" + printable(name.substr(0, 200)) + "'");
  auto record = context.store.index().record(keys::transfer(name));
  if (!record) {
    TRY_SET(const auto id, context.store.index().get(keys::reference(name)));
    if (!id) return missing;
    record = context.store.index().record(keys::transfer(*id));
  }
  if (!record) return missing;
  const bool hidden =
      is_receiver(call) && (json::text_at(*record, "agreement") != call.principal.agreement ||
                            !transfer::visible_to_receiver(*record));
  if (hidden) return missing;
  return record;
}

// Of an act of the transfer: who may see the transfer may prove what happened to it.
Result<Response> transfer_proof(const Context& context, const Call& call) {
  TRY_SET(const json::Object record, visible_transfer(context, call));
  const std::string asked = call.request.query_text("index");
  const auto wanted = parse_decimal(asked);
  std::optional<std::uint64_t> index;
  for (const json::Value& act : json::array_at(record, "history")) {
    const std::uint64_t at = json::number_at(act.as_object(), "journal_index");
    if (asked.empty() || at == wanted) index = at;
  }
  if (index) return entry_proof(context, *index);
  return Error(Code::invalid, "index must be the journal_index of an act of this transfer")
      .as("invalid-parameter");
}

Response refused(const Call& call, const json::Object& record, const Error& error) {
  if (error.reason() != "transition-not-allowed") return http::problem_of(error);
  http::ProblemDetail detail;
  detail.detail = error.what();
  detail.current_state = json::text_at(record, "state");
  detail.allowed_actions = transfer::allowed_acts(
      state_of(record), is_receiver(call) ? transfer::Party::receiver : transfer::Party::sender);
  return http::problem("transition-not-allowed", detail);
}

// Journals an act that sets fields of the transfer, and answers with its new state.
Result<Response> record_act(const Context& context,
                            const Call& call,
                            const json::Object& before,
                            Act act,
                            json::Object set,
                            json::Object detail,
                            std::string_view outcome = "success") {
  journal::Event event = context.store.event(journal::type::kTransferActed, call.principal.name);
  const std::string id = json::text_at(before, "id");
  event.objects["transfer"] = id;
  event.outcome = outcome;
  event.detail = std::move(detail);
  event.detail["action"] = transfer::act_name(act);
  event.detail["set"] = std::move(set);
  TRY(context.store.append(std::move(event)));
  TRY_SET(const json::Object after, store::transfer_record(context.store, id));
  return found(after, show_transfer(call, after));
}

// -------------------------------------------------------------------------------- draft

Result<Response> create_transfer(Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  json::Object record;
  const std::string reference =
      in.text("reference", {.required = true, .bytes_max = 64}).value_or("");
  if (const auto slug = Slug::parse(reference); !reference.empty() && !slug) {
    in.fault("reference", "bad-slug", slug.error().what());
  }
  record["reference"] = reference;
  record["title"] = localized_text(in, "title", true);
  json::Object description = localized_text(in, "description", false);
  if (!description.empty()) record["description"] = std::move(description);
  const std::string agreement = in.text("agreement", {.required = true}).value_or("");
  if (!agreement.empty() && !store::agreement_record(context.store, agreement)) {
    in.fault("agreement", "unknown-agreement", "there is no such agreement");
  }
  record["agreement"] = agreement;
  if (auto response = faults_response(std::move(in).faults())) return *response;

  const std::scoped_lock lock(context.transfer_mutex);
  TRY_SET(const auto taken, context.store.index().get(keys::reference(reference)));
  if (taken) {
    return Error(Code::exists, "there is a transfer '" + reference + "' already")
        .as("already-exists");
  }
  journal::Event event = context.store.event(journal::type::kTransferCreated, call.principal.name);
  const std::string id = Uuid::at(event.time).text();
  record["id"] = id;
  record["state"] = transfer::state_name(State::draft);
  record["item_count"] = 0;
  event.objects["transfer"] = id;
  event.detail["transfer"] = std::move(record);
  TRY(context.store.append(std::move(event)));
  TRY_SET(const json::Object stored, store::transfer_record(context.store, id));
  Response response = created("/v1/transfers/" + id, show_transfer(call, stored));
  response.set("ETag", http::revision_etag(stored));
  return response;
}

// The slugs that a request adds: named one by one, or a whole collection.
Result<std::vector<std::string>> slugs_to_add(const Context& context, json::Reader& in) {
  std::vector<std::string> slugs;
  if (const json::Array* const items = in.array("items", kItemsOfOneCall)) {
    for (const json::Value& value : *items) {
      if (!value.is_string()) {
        in.fault("items", "wrong-type", "items are named by their ids");
        continue;
      }
      std::string slug(std::string_view(value.get_string()));
      if (!store::item_record(context.store, slug)) {
        in.fault("items", "unknown-item", "there is no item '" + printable(slug) + "'");
      }
      slugs.push_back(std::move(slug));
    }
  }
  if (const auto collection = in.text("collection")) {
    if (!store::collection_record(context.store, *collection)) {
      in.fault("collection", "unknown-collection", "there is no such collection");
    }
    TRY(context.store.index().scan(keys::items_of_collection(*collection), "",
                                   [&](std::string_view, std::string_view slug) {
                                     slugs.emplace_back(slug);
                                     return true;
                                   }));
  }
  return slugs;
}

// While a transfer is being sealed, or waits for it, it stays as it is: the seal is of what stood
// in it. Requires: transfer_mutex is held.
Result<void> refuse_while_sealing(const Context& context, const json::Object& transfer) {
  if (state_of(transfer) != State::draft) return {};  // Sealed: the job is only being closed.
  const std::string id = json::text_at(transfer, "id");
  const bool busy =
      context.queue.any(kSealKind, [&](const jobs::Job& job) { return job.transfer == id; });
  if (!busy) return {};
  return Error(Code::conflict,
               "the transfer is being sealed; wait for the end, or cancel the job first")
      .as("resource-busy");
}

Result<Response> add_items_to_transfer(Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  TRY_SET(const std::vector<std::string> slugs, slugs_to_add(context, in));
  if (auto response = faults_response(std::move(in).faults())) return *response;

  const std::scoped_lock lock(context.transfer_mutex);
  TRY_SET(const json::Object before, visible_transfer(context, call));
  TRY(http::check_if_match(call.request, http::revision_etag(before)));
  if (auto state = transfer::next_state(state_of(before), Act::edit); !state) {
    return refused(call, before, state.error());
  }
  TRY(refuse_while_sealing(context, before));
  const std::string id = json::text_at(before, "id");
  for (std::size_t first = 0; first < slugs.size(); first += kItemsOfOneEvent) {
    journal::Event event =
        context.store.event(journal::type::kTransferItemsAdded, call.principal.name);
    event.objects["transfer"] = id;
    json::Array items;
    for (std::size_t i = first; i < std::min(first + kItemsOfOneEvent, slugs.size()); ++i) {
      items.emplace_back(slugs[i]);
    }
    event.detail["items"] = std::move(items);
    TRY(context.store.append(std::move(event)));
  }
  TRY_SET(const json::Object after, store::transfer_record(context.store, id));
  return found(after, show_transfer(call, after));
}

Result<Response> remove_item(Context& context, const Call& call) {
  const std::scoped_lock lock(context.transfer_mutex);
  TRY_SET(const json::Object before, visible_transfer(context, call));
  if (auto state = transfer::next_state(state_of(before), Act::edit); !state) {
    return refused(call, before, state.error());
  }
  TRY(refuse_while_sealing(context, before));
  const std::string id = json::text_at(before, "id");
  const std::string& slug = call.parameter("item_id");
  TRY_SET(const auto there, context.store.index().get(keys::transfer_item(id, slug)));
  if (!there) return Error(Code::not_found, "the transfer has no such item");
  journal::Event event =
      context.store.event(journal::type::kTransferItemRemoved, call.principal.name);
  event.objects["transfer"] = id;
  event.objects["item"] = slug;
  TRY(context.store.append(std::move(event)));
  return http::empty_response();
}

Error not_offered(const json::Object& record) {
  const State state = state_of(record);
  const bool over = state == State::rejected || state == State::withdrawn;
  return Error(Code::conflict, "the transfer is " + json::text_at(record, "state") +
                                   (over ? "; what is in it can no longer be read"
                                         : "; its bag can be pulled once it is offered"))
      .as("transition-not-allowed");
}

// Of a transfer that was rejected or withdrawn a receiver sees that it is so, and may prove it;
// what is in it is read by whoever may read the bag.
Result<void> refuse_closed(const Call& call, const json::Object& record) {
  const bool closed = is_receiver(call) && !transfer::can_be_pulled(state_of(record));
  return closed ? Result<void>(not_offered(record)) : Result<void>();
}

Result<Response> list_transfer_items(const Context& context, const Call& call) {
  TRY_SET(const json::Object record, visible_transfer(context, call));
  TRY(refuse_closed(call, record));
  const State state = state_of(record);
  json::Object refused_items = json::object_at(record, "refused_items");
  return list_records(
      context, call, keys::transfer_items(json::text_at(record, "id")),
      [&](std::string_view, std::string_view value) -> Result<std::optional<json::Object>> {
        TRY_SET(json::Object row, json::parse_object(value));
        const std::string slug = json::text_at(row, "item_id");
        std::string outcome = "pending";
        if (state == State::received) outcome = "received";
        if (state == State::accepted || state == State::accepted_in_part) outcome = "accepted";
        if (refused_items.contains(slug)) outcome = "refused";
        row["outcome"] = outcome;
        if (state == State::draft) {  // Nothing is pinned yet: what the seal would take.
          if (const auto item = store::item_record(context.store, slug)) {
            row["version"] = json::number_at(*item, "head_version");
            row["file_count"] = json::number_at(*item, "package_file_count");
            row["size_bytes"] = json::number_at(*item, "package_size_bytes");
          }
        }
        row.erase("object");
        row.erase("inventory_digest");
        return std::optional(std::move(row));
      });
}

// -------------------------------------------------------------------------------- acts

Result<Response> seal_transfer(Context& context, const Call& call) {
  const std::scoped_lock lock(context.transfer_mutex);
  TRY_SET(const json::Object before, visible_transfer(context, call));
  TRY(http::check_if_match(call.request, http::revision_etag(before)));
  if (auto state = transfer::next_state(state_of(before), Act::seal); !state) {
    return refused(call, before, state.error());
  }
  const std::string id = json::text_at(before, "id");
  TRY(refuse_while_sealing(context, before));
  if (json::number_at(before, "item_count") == 0) {
    return Error(Code::conflict, "the transfer has no items; add some first").as("transfer-empty");
  }
  TRY_SET(const Uuid job,
          context.queue.submit(kSealKind, call.principal.name, {}, {{"transfer", id}}));
  json::Object shown;
  shown["id"] = job.text();
  shown["kind"] = kSealKind;
  shown["state"] = "queued";
  shown["agent"] = call.principal.name;
  shown["created_at"] = context.store.clock().now().text();
  shown["result_url"] = "/v1/transfers/" + id;
  Response response = http::json_response(202, shown);
  response.set("Location", "/v1/jobs/" + job.text());
  response.set("Retry-After", "1");
  return response;
}

// Acts that need no document: the state changes, or the refusal says what may be done.
Result<Response> plain_act(Context& context, const Call& call, Act act) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  const std::string note =
      in.text("note", {.required = false, .bytes_max = kReasonBytesMax}).value_or("");
  if (auto response = faults_response(std::move(in).faults())) return *response;
  const std::scoped_lock lock(context.transfer_mutex);
  TRY_SET(const json::Object before, visible_transfer(context, call));
  TRY(http::check_if_match(call.request, http::revision_etag(before)));
  auto next = transfer::next_state(state_of(before), act);
  if (!next) return refused(call, before, next.error());
  TRY(refuse_while_sealing(context, before));
  json::Object detail;
  if (!note.empty()) detail["note"] = note;
  json::Object set;
  set["state"] = transfer::state_name(*next);
  if (act == Act::offer) set["offered_at"] = context.store.clock().now().text();
  return record_act(context, call, before, act, std::move(set), std::move(detail));
}

void check_seal_digest(json::Reader& in, const json::Object& transfer) {
  const auto digest = in.text("seal_digest", {.required = true, .bytes_max = 128});
  if (digest && *digest != json::text_at(transfer, "seal_digest")) {
    in.fault("seal_digest", "seal-digest-mismatch",
             "this is not the digest of the seal; read the bag that was offered");
  }
}

// A fault about the seal has a problem of its own: it means another bag, not a slip of the pen.
Response act_faults(std::vector<json::Fault> faults) {
  const bool seal = faults.size() == 1 && faults.front().code == "seal-digest-mismatch";
  if (!seal) return *faults_response(std::move(faults));
  http::ProblemDetail detail;
  detail.detail = faults.front().detail;
  detail.errors = std::move(faults);
  return http::problem("seal-digest-mismatch", detail);
}

Result<Response> acknowledge(Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  const std::scoped_lock lock(context.transfer_mutex);
  TRY_SET(const json::Object before, visible_transfer(context, call));
  json::Reader in(body, "");
  check_seal_digest(in, before);
  const auto files_ok = in.number("files_ok", 1ull << 53, true);
  const std::string validator =
      in.text("validator", {.required = false, .bytes_max = 200}).value_or("");
  json::Array anomalies;
  if (const json::Array* const given = in.array("anomalies", kAnomaliesMax)) {
    for (const json::Value& value : *given) {
      if (!value.is_object()) {
        in.fault("anomalies", "wrong-type", "each entry is {\"code\": …, \"path\": …}");
        continue;
      }
      json::Reader entry(value.get_object(), "/anomalies");
      json::Object anomaly;
      anomaly["code"] = entry.text("code", {.required = true, .bytes_max = 64}).value_or("");
      anomaly["path"] = entry.text("path", {.required = false, .bytes_max = 300}).value_or("");
      in.take(std::move(entry).faults());
      anomalies.emplace_back(std::move(anomaly));
    }
  }
  auto faults = std::move(in).faults();
  if (!faults.empty()) return act_faults(std::move(faults));
  TRY(http::check_if_match(call.request, http::revision_etag(before)));
  auto next = transfer::next_state(state_of(before), Act::acknowledge);
  if (!next) return refused(call, before, next.error());

  json::Object detail;
  detail["files_ok"] = *files_ok;
  if (!validator.empty()) detail["validator"] = validator;
  const bool whole = anomalies.empty() && *files_ok == json::number_at(before, "file_count");
  if (!whole) {
    // Said and kept, but nothing moves: what is not there was not received.
    detail["anomalies"] = anomalies;
    json::Object set;
    set["last_anomaly"] = "the receiver counted " + std::to_string(*files_ok) + " right files of " +
                          std::to_string(json::number_at(before, "file_count")) + " and " +
                          std::to_string(anomalies.size()) + " anomalies";
    return record_act(context, call, before, Act::acknowledge, std::move(set), std::move(detail),
                      "failure");
  }
  json::Object set;
  set["state"] = transfer::state_name(*next);
  set["received_at"] = context.store.clock().now().text();
  if (before.contains("last_anomaly")) set["last_anomaly"] = "";
  return record_act(context, call, before, Act::acknowledge, std::move(set), std::move(detail));
}

// {"item_id", "reason"} for each item that the receiver does not take.
json::Object read_refused_items(const Context& context,
                                json::Reader& in,
                                const json::Object& transfer) {
  json::Object out;
  const json::Array* const given = in.array("refused_items", kRefusedItemsMax);
  if (given == nullptr) return out;
  for (const json::Value& value : *given) {
    if (!value.is_object()) {
      in.fault("refused_items", "wrong-type", "each entry is {\"item_id\": …, \"reason\": …}");
      continue;
    }
    json::Reader entry(value.get_object(), "/refused_items");
    const std::string slug = entry.text("item_id", {.required = true}).value_or("");
    const std::string reason =
        entry.text("reason", {.required = true, .bytes_max = 100}).value_or("");
    in.take(std::move(entry).faults());
    const auto there =
        context.store.index().get(keys::transfer_item(json::text_at(transfer, "id"), slug));
    if (!there || !*there) {
      in.fault("refused_items", "unknown-item",
               "the transfer has no item '" + printable(slug) + "'");
    }
    out[slug] = reason;
  }
  return out;
}

Result<Response> accept(Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  const std::scoped_lock lock(context.transfer_mutex);
  TRY_SET(const json::Object before, visible_transfer(context, call));
  json::Reader in(body, "");
  check_seal_digest(in, before);
  const std::string accession =
      in.text("accession_number", {.required = false, .bytes_max = 200}).value_or("");
  const std::string message =
      in.text("message", {.required = false, .bytes_max = kReasonBytesMax}).value_or("");
  const auto granted = in.time("custody_granted_at");
  json::Object refused_items = read_refused_items(context, in, before);
  auto faults = std::move(in).faults();
  if (!faults.empty()) return act_faults(std::move(faults));
  TRY(http::check_if_match(call.request, http::revision_etag(before)));
  auto next = transfer::next_state(state_of(before), Act::accept);
  if (!next) return refused(call, before, next.error());
  if (!refused_items.empty()) {
    if (refused_items.size() == json::number_at(before, "item_count")) {
      http::ProblemDetail detail;
      detail.detail = "every item is refused: reject the transfer instead";
      return http::problem("validation-failed", detail);
    }
    next = State::accepted_in_part;
  }
  json::Object set;
  set["state"] = transfer::state_name(*next);
  set["accepted_at"] = context.store.clock().now().text();
  if (!accession.empty()) set["accession_number"] = accession;
  if (granted) set["custody_granted_at"] = granted->text();
  if (!refused_items.empty()) set["refused_items"] = std::move(refused_items);
  json::Object detail;
  if (!message.empty()) detail["message"] = message;
  return record_act(context, call, before, Act::accept, std::move(set), std::move(detail));
}

Result<Response> reject(Context& context, const Call& call) {
  TRY_SET(const json::Object body, body_object(call));
  json::Reader in(body, "");
  const std::string reason =
      in.text("reason", {.required = true, .bytes_max = kReasonBytesMax}).value_or("");
  if (auto response = faults_response(std::move(in).faults())) return *response;
  const std::scoped_lock lock(context.transfer_mutex);
  TRY_SET(const json::Object before, visible_transfer(context, call));
  TRY(http::check_if_match(call.request, http::revision_etag(before)));
  auto next = transfer::next_state(state_of(before), Act::reject);
  if (!next) return refused(call, before, next.error());
  return record_act(context, call, before, Act::reject,
                    {{"state", transfer::state_name(*next)}, {"reject_reason", reason}}, {});
}

// -------------------------------------------------------------------------------- the bag

// A receiver may pull from "offered" on; the sender may look at what was sealed.
Result<json::Object> bag_transfer(const Context& context, const Call& call) {
  TRY_SET(const json::Object record, visible_transfer(context, call));
  TRY(refuse_closed(call, record));
  if (json::text_at(record, "seal_digest").empty()) return not_offered(record);
  return record;
}

// Journals that the receiver collects, before its first byte leaves.
std::function<Result<void>()> collecting(Context& context,
                                         const Call& call,
                                         const json::Object& record) {
  if (!is_receiver(call) || state_of(record) != State::offered) return nullptr;
  const std::string id = json::text_at(record, "id");
  const std::string agent = call.principal.name;
  return [&context, id, agent]() -> Result<void> {
    const std::scoped_lock lock(context.transfer_mutex);
    TRY_SET(const json::Object before, store::transfer_record(context.store, id));
    const State state = state_of(before);
    if (state != State::offered) {
      return transfer::can_be_pulled(state) ? Result<void>() : Result<void>(not_offered(before));
    }
    journal::Event event = context.store.event(journal::type::kTransferActed, agent);
    event.objects["transfer"] = id;
    event.detail["action"] = transfer::act_name(Act::collect);
    event.detail["set"] = json::Object{{"state", transfer::state_name(State::collecting)}};
    TRY(context.store.append(std::move(event)));
    return {};
  };
}

// A file whose address we would refuse could not be fetched into a holey bag.
constexpr std::size_t kFilesAddressBytesMax =
    std::string_view("/v1/transfers/01a20268-8660-72e3-bdc7-a6d86a78f03f/bag/files/data//").size() +
    128 + 3 * limits::kPathBytesMax;  // a slug, and a path of bytes that are percent-coded
static_assert(kFilesAddressBytesMax <= limits::kHttpTargetBytesMax);

// Where the files of a transfer's bag are to be had, for who is told elsewhere: the address that
// the settings give, or the one that this client used.
// Errors: invalid ("malformed-request") when neither is known.
Result<std::string> files_url(const Context& context,
                              const Call& call,
                              const json::Object& record) {
  std::string base = context.public_url;
  if (base.empty()) {
    const std::string_view host = call.request.field("Host");
    if (host.empty()) {
      return Error(Code::invalid,
                   "fetch.txt needs the address of this server: send a Host field, or have "
                   "server.public_url set")
          .as("malformed-request");
    }
    base = (context.encrypted ? "https://" : "http://") + std::string(host);
  }
  return base + "/v1/transfers/" + json::text_at(record, "id") + "/bag/files/";
}

struct ArchiveForm {
  transfer::Archive archive;
  const char* name;  // in the address, and of the file behind the bag's name
  const char* media_type;
  const char* member;  // of the bag's summary
};
constexpr ArchiveForm kTar{transfer::Archive::tar, "bag.tar", "application/x-tar", "tar"};
constexpr ArchiveForm kZip{transfer::Archive::zip, "bag.zip", "application/zip", "zip"};
constexpr ArchiveForm kHoley{transfer::Archive::holey_tar, "holey.tar", "application/x-tar",
                             "holey"};

Result<std::shared_ptr<bagit::ArchiveSource>> archive_of(const Context& context,
                                                         const ArchiveForm& form,
                                                         const json::Object& record,
                                                         const std::string& files) {
  switch (form.archive) {
    case transfer::Archive::tar:
      return context.bags.tar(record);
    case transfer::Archive::zip:
      return context.bags.zip(record);
    case transfer::Archive::holey_tar:
      return context.bags.holey_tar(record, files);
  }
  return Error(Code::internal, "no such archive");
}

Result<Response> bag_summary(const Context& context, const Call& call) {
  TRY_SET(const json::Object record, bag_transfer(context, call));
  json::Object object;
  const std::string base = "/v1/transfers/" + json::text_at(record, "id") + "/";
  object["name"] = json::text_at(record, "bag_name");
  object["seal_digest"] = json::text_at(record, "seal_digest");
  object["payload_oxum"] = json::text_at(record, "payload_oxum");
  object["file_count"] = json::number_at(record, "file_count");
  const auto files = files_url(context, call, record);
  bool zips = true;  // Adopted files may lack what a zip needs of each.
  for (const ArchiveForm& form : {kTar, kZip, kHoley}) {
    const bool holey = form.archive == transfer::Archive::holey_tar;
    if (holey && !files) continue;  // Who does not tell what he calls us cannot have it.
    const std::string url = holey ? *files : std::string();
    const auto source = archive_of(context, form, record, url);
    if (!source && source.error().reason() == transfer::kZipNotPossible) {
      zips = false;
      continue;
    }
    if (!source) return source.error();
    json::Object archive;
    archive["url"] = base + form.name;
    archive["size_bytes"] = (*source)->size_bytes();
    archive["etag"] = transfer::archive_etag(form.archive, record, url);
    archive["serialisation"] = transfer::serialisation_of(form.archive, record);
    object[form.member] = std::move(archive);
  }
  if (zips) {
    // Its size is not told: the manifest would have to be made for it.
    json::Array versions;
    for (const mets::SedaVersion version : mets::kSedaVersions)
      versions.emplace_back(mets::seda_version_text(version));
    object["seda"] = json::Object{{"url", base + "seda.zip"}, {"versions", std::move(versions)}};
  }
  object["files_url"] = base + "bag/files";
  return http::json_response(200, object);
}

// Answers with bytes of the bag. That the receiver collects is journaled only where some of them
// leave: not for HEAD, nor for 304, 412 and 416.
Response bag_response(Context& context,
                      const Call& call,
                      const json::Object& record,
                      http::Representation representation) {
  Response response = http::respond(call.request, std::move(representation));
  if (response.source && call.request.method != "HEAD") {
    response.before_first_byte = collecting(context, call, record);
  }
  return response;
}

Result<Response> bag_archive(Context& context, const Call& call, const ArchiveForm& form) {
  TRY_SET(const json::Object record, bag_transfer(context, call));
  std::string files;
  if (form.archive == transfer::Archive::holey_tar) {
    TRY_SET(files, files_url(context, call, record));
  }
  TRY(store::check_seal_object(context.store, record));
  TRY(store::refuse_damaged_transfer(context.store, record));
  TRY_SET(const auto source, archive_of(context, form, record, files));
  http::Representation representation;
  representation.source = source;
  representation.etag = transfer::archive_etag(form.archive, record, files);
  representation.media_type = form.media_type;
  const std::string_view name = form.name;
  representation.file_name =
      json::text_at(record, "bag_name") + std::string(name.substr(name.find('.')));
  Response response = bag_response(context, call, record, std::move(representation));
  // Whoever goes on where the stream was cut because of a damaged item hears why.
  if (response.source && call.request.method != "HEAD") TRY(source->check_at(response.offset));
  return response;
}

// A file of the bag, after it was compared with what the journal says of it.
Result<http::Representation> bag_file_content(Context& context,
                                              const json::Object& record,
                                              const transfer::BagFile& file) {
  TRY(transfer::check_bag_file(context.store, record, file));
  TRY(store::refuse_damaged_file(context.store, file.owner(record), file.row.content_path));
  http::Representation representation;
  representation.source = context.store.file(file.owner(record), file.object, file.row);
  representation.etag = "\"" + file.row.sha512.hex().substr(0, 64) + "\"";
  representation.media_type =
      file.row.media_type.empty() ? "application/octet-stream" : file.row.media_type;
  representation.file_name = file.path.substr(file.path.rfind('/') + 1);
  representation.digest = file.row.sha512;
  return representation;
}

Result<Response> bag_file(Context& context, const Call& call) {
  TRY_SET(const json::Object record, bag_transfer(context, call));
  TRY_SET(const transfer::BagFile file,
          transfer::find_bag_file(context.store, record, call.parameter("bag_path")));
  TRY_SET(auto representation, bag_file_content(context, record, file));
  return bag_response(context, call, record, std::move(representation));
}

// Of a sealed transfer the table that was sealed, a file of its bag. Of a draft, and of a transfer
// whose seal is older than these tables, one of the descriptions as they are.
Result<Response> transfer_table(Context& context, const Call& call, TableKind kind) {
  TRY_SET(const json::Object record, visible_transfer(context, call));
  TRY(refuse_closed(call, record));
  TableOf table;
  table.kind = kind;
  table.in_bag = true;
  table.file_name = kind == TableKind::metadata ? "metadata.csv" : "rights.csv";
  const bool sealed = !json::text_at(record, "seal_digest").empty();
  if (sealed) {
    const auto file = transfer::find_bag_file(context.store, record, "metadata/" + table.file_name);
    if (!file && file.error().code() != Code::not_found) return file.error();
    if (file) {
      TRY_SET(auto representation, bag_file_content(context, record, *file));
      representation.media_type = kTableMediaType;
      return bag_response(context, call, record, std::move(representation));
    }
  }
  const std::string prefix = keys::transfer_items(json::text_at(record, "id"));
  Result<void> parsed;
  TRY(context.store.index().scan(prefix, "", [&](std::string_view key, std::string_view value) {
    const auto row = json::parse_object(value);
    if (!row) {
      parsed = row.error();
      return false;
    }
    const std::uint64_t version = sealed ? json::number_at(*row, "version") : 0;
    table.items.emplace_back(keys::rest(key, prefix), static_cast<std::uint32_t>(version));
    return true;
  }));
  TRY(std::move(parsed));
  return table_response(context, call, std::move(table));
}

// The same transfer for receivers that run a SEDA system.
Result<Response> seda_zip(Context& context, const Call& call) {
  TRY_SET(const json::Object record, bag_transfer(context, call));
  TRY_SET(const auto asked, single_parameter(call, "version"));
  const auto version = asked ? mets::seda_version_of(*asked) : mets::kSedaDefault;
  if (!version) {
    return Error(Code::invalid, "version is 2.1, 2.2 or 2.3").as("invalid-parameter");
  }
  TRY(store::check_seal_object(context.store, record));
  TRY(store::refuse_damaged_transfer(context.store, record));
  auto archive = context.seda.made(record, *version);
  http::Representation representation;
  representation.etag = transfer::seda_etag(record, *version);
  representation.media_type = "application/zip";
  representation.file_name = json::text_at(record, "bag_name") + ".seda.zip";
  if (!archive) {
    TRY(context.bags.zip(record));  // HEAD says of what no zip can be made, too.
    if (auto answer = http::respond_before_made(call.request, representation))
      return *std::move(answer);
    TRY_SET(archive, context.seda.archive(record, *version));
  }
  representation.source = archive;
  Response response = bag_response(context, call, record, std::move(representation));
  if (response.source && call.request.method != "HEAD") TRY(archive->check_at(response.offset));
  return response;
}

// The files in the tar's order, paged by their number.
Result<Response> bag_files(const Context& context, const Call& call) {
  TRY_SET(const json::Object record, bag_transfer(context, call));
  TRY_SET(const PageRequest page, page_request(call, "n"));
  const std::uint64_t first =
      page.after.empty() ? 0 : parse_decimal(page.after.substr(1)).value_or(0);
  TRY_SET(const auto tar, context.bags.tar(record));
  const std::string base = "/v1/transfers/" + json::text_at(record, "id") + "/bag/files/";
  json::Array items;
  std::uint64_t number = 0;
  bool more = false;
  TRY(transfer::for_each_bag_file(context.store, record, [&](const transfer::BagFile& file) {
    const std::uint64_t at = number++;
    if (at < first) return true;
    if (items.size() == page.limit) {
      more = true;
      return false;
    }
    json::Object entry;
    entry["path"] = file.path;
    entry["kind"] = file.path.starts_with("data/") ? "payload" : "tag";
    if (!file.item.empty()) entry["item_id"] = file.item;
    entry["size_bytes"] = file.row.size_bytes;
    entry["digests"] =
        json::Object{{"sha512", file.row.sha512.hex()}, {"sha256", file.row.sha256.hex()}};
    entry["url"] = base + percent_encode(file.path, "-._~/");
    entry["tar_offset"] = tar->offset_of(at);
    items.emplace_back(std::move(entry));
    return true;
  }));
  return page_response(std::move(items),
                       more ? "n" + std::to_string(first + page.limit) : std::string());
}

}  // namespace

void add_transfers(http::Router& router, Context& context) {
  const std::string one = "/v1/transfers/{transfer_id}";
  const auto act = [&](std::string_view name, Scope scope,
                       const std::function<Result<Response>(const Call&)>& handler) {
    router.add({"POST", one + "/" + std::string(name), scope, kSmallBody, handler});
  };
  router.add(
      {"GET", "/v1/transfers", Scope::transfers_read, 0, [&context](const Call& call) {
         return list_records(
             context, call, keys::Key('t').get(),
             [&](std::string_view, std::string_view value) -> Result<std::optional<json::Object>> {
               TRY_SET(const json::Object record, json::parse_object(value));
               const bool hidden = is_receiver(call) && (json::text_at(record, "agreement") !=
                                                             call.principal.agreement ||
                                                         !transfer::visible_to_receiver(record));
               if (hidden) return std::optional<json::Object>();
               return std::optional(show_transfer(call, record));
             });
       }});
  router.add({"POST", "/v1/transfers", Scope::transfers_write, kSmallBody,
              [&context](const Call& call) { return create_transfer(context, call); }});
  router.add(
      {"GET", one, Scope::transfers_read, 0, [&context](const Call& call) -> Result<Response> {
         TRY_SET(const json::Object record, visible_transfer(context, call));
         return found(record, show_transfer(call, record));
       }});
  router.add({"GET", one + "/items", Scope::transfers_read, 0,
              [&context](const Call& call) { return list_transfer_items(context, call); }});
  router.add({"POST", one + "/items", Scope::transfers_write, 2u << 20,
              [&context](const Call& call) { return add_items_to_transfer(context, call); }});
  router.add({"DELETE", one + "/items/{item_id}", Scope::transfers_write, 0,
              [&context](const Call& call) { return remove_item(context, call); }});
  act("seal", Scope::transfers_write,
      [&context](const Call& call) { return seal_transfer(context, call); });
  act("offer", Scope::transfers_write,
      [&context](const Call& call) { return plain_act(context, call, Act::offer); });
  act("withdraw", Scope::transfers_write,
      [&context](const Call& call) { return plain_act(context, call, Act::withdraw); });
  act("acknowledge", Scope::transfers_receive,
      [&context](const Call& call) { return acknowledge(context, call); });
  act("accept", Scope::transfers_receive,
      [&context](const Call& call) { return accept(context, call); });
  act("reject", Scope::transfers_receive,
      [&context](const Call& call) { return reject(context, call); });
  router.add({"GET", one + "/proof", Scope::transfers_read, 0,
              [&context](const Call& call) { return transfer_proof(context, call); }});
  router.add({"GET", one + "/metadata.csv", Scope::transfers_read, 0, [&context](const Call& call) {
                return transfer_table(context, call, TableKind::metadata);
              }});
  router.add({"GET", one + "/rights.csv", Scope::transfers_read, 0, [&context](const Call& call) {
                return transfer_table(context, call, TableKind::rights);
              }});
  router.add({"GET", one + "/bag", Scope::transfers_read, 0,
              [&context](const Call& call) { return bag_summary(context, call); }});
  for (const ArchiveForm& form : {kTar, kZip, kHoley}) {
    router.add({"GET", one + "/" + form.name, Scope::transfers_read, 0,
                [&context, form](const Call& call) { return bag_archive(context, call, form); }});
  }
  router.add({"GET", one + "/seda.zip", Scope::transfers_read, 0,
              [&context](const Call& call) { return seda_zip(context, call); }});
  router.add({"GET", one + "/bag/files", Scope::transfers_read, 0,
              [&context](const Call& call) { return bag_files(context, call); }});
  router.add({"GET", one + "/bag/files/{bag_path...}", Scope::transfers_read, 0,
              [&context](const Call& call) { return bag_file(context, call); }});
}

}  // namespace versement::api
