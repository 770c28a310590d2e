#include "store/index/project.hpp"

#include <algorithm>
#include <array>

#include "store/base/text.hpp"
#include "store/index/keys.hpp"
#include "store/journal/event.hpp"

namespace versement::index {

Result<std::optional<std::string>> Overlay::get(const std::string& key) const {
  const auto found = changes_.find(key);
  if (found != changes_.end()) return found->second;
  return stored_(key);
}

Result<json::Object> Overlay::record(const std::string& key) const {
  TRY_SET(const auto value, get(key));
  if (!value) return json::Object();
  return json::parse_object(*value);
}

void Overlay::put(const std::string& key, std::string value) {
  changes_[key] = std::move(value);
}
void Overlay::put(const std::string& key, const json::Object& record) {
  changes_[key] = json::write(record);
}
void Overlay::remove(const std::string& key) {
  changes_[key] = std::nullopt;
}

namespace {

namespace type = journal::type;

// One event being applied.
struct Act {
  std::uint64_t index;
  const journal::Event& event;
  const journal::Attachment* attachment;
  Sources& sources;
  Overlay& rows;

  std::string object(std::string_view name) const { return json::text_at(event.objects, name); }
};

void merge(const json::Object& from, json::Object* into) {
  for (const auto& member : from)
    (*into)[member.key()] = member.value();
}

void add_to(json::Object* record, std::string_view name, std::uint64_t by) {
  (*record)[name] = json::number_at(*record, name) + by;
}

// A record that an event carries whole: created, or changed with its revision counted up.
Result<void> put_record(const Act& act, const std::string& key, std::string_view name) {
  TRY_SET(json::Object record, act.rows.record(key));
  const bool fresh = record.empty();
  merge(json::object_at(act.event.detail, name), &record);
  if (fresh) record["created_at"] = act.event.time.text();
  record["updated_at"] = act.event.time.text();
  add_to(&record, "revision", 1);
  act.rows.put(key, record);
  return {};
}

Result<void> collection(const Act& act) {
  return put_record(act, keys::collection(act.object("collection")), "collection");
}

Result<void> agreement(const Act& act) {
  return put_record(act, keys::agreement(act.object("agreement")), "agreement");
}

Result<void> token(const Act& act) {
  return put_record(act, keys::token(act.object("token")), "token");
}

Result<void> token_revoked(const Act& act) {
  const std::string key = keys::token(act.object("token"));
  TRY_SET(json::Object record, act.rows.record(key));
  record["revoked_at"] = act.event.time.text();
  act.rows.put(key, record);
  return {};
}

Result<void> policy(const Act& act) {
  return put_record(act, keys::policy(act.object("policy")), "policy");
}

Result<void> policy_removed(const Act& act) {
  act.rows.remove(keys::policy(act.object("policy")));
  return {};
}

// -------------------------------------------------------------------------------- items

struct Totals {
  std::uint64_t payload_files = 0, payload_bytes = 0, files = 0, bytes = 0;
};

Totals totals_of(const std::vector<FileRow>& rows) {
  Totals totals;
  for (const FileRow& row : rows) {
    const bool payload = row.role == "payload";
    totals.files += 1;
    totals.bytes += row.size_bytes;
    totals.payload_files += payload ? 1 : 0;
    totals.payload_bytes += payload ? row.size_bytes : 0;
  }
  return totals;
}

// The rows that came along with the event, else those that the sources find, kept in `found`.
Result<const std::vector<FileRow>*> rows_of(const Act& act, std::vector<FileRow>* found) {
  if (const auto* attached = dynamic_cast<const FileRows*>(act.attachment)) return &attached->rows;
  TRY_SET(*found, act.sources.rows_of(act.event));
  return found;
}

void put_files(const Act& act,
               std::string_view owner,
               std::uint32_t version,
               const std::vector<FileRow>& files) {
  for (const FileRow& row : files) {
    act.rows.write(keys::file(owner, version, row.path), encode(row));
    act.rows.write(keys::file_id(owner, version, file_id(owner, row.path)), row.path);
  }
}

void put_verified(const Act& act, const std::string& owner) {
  json::Object state;
  state["state"] = "verified";
  state["last_verified_at"] = act.event.time.text();
  state["last_checked_at"] = act.event.time.text();
  act.rows.put(keys::verification(owner), state);
}

// The state of verification with a version of an item. Verified is what was read back from the
// disk; a further version reads nothing of the earlier ones again. The checks that the version
// after this one tells of are counted from here on.
Result<void> put_verification(const Act& act, const std::string& slug, bool fresh) {
  const std::string owner = "item " + slug;
  if (!json::flag_at(act.event.detail, "read_back")) {
    act.rows.remove(keys::verification(owner));
  } else if (fresh) {
    put_verified(act, owner);
  }
  TRY_SET(json::Object state, act.rows.record(keys::verification(owner)));
  state["checks"] = json::Object{{"since", act.event.time.text()}};
  act.rows.put(keys::verification(owner), state);
  return {};
}

// Counts a check of an item. One that was begun before the newest version is no check since it;
// what came to no end is none at all. All times have one form and one zone: they sort as text.
void count_check(std::string_view at, std::string_view outcome, json::Object* state) {
  const bool damaged = outcome == "damaged";
  if (!state->contains("checks") || (!damaged && outcome != "verified")) return;
  json::Object checks = json::object_at(*state, "checks");
  if (at < json::text_at(checks, "since")) return;
  if (!checks.contains("first_at")) checks["first_at"] = at;
  checks["last_at"] = at;
  checks["last_damaged"] = damaged;
  add_to(&checks, "count", 1);
  if (damaged) add_to(&checks, "damaged", 1);
  (*state)["checks"] = std::move(checks);
}

// Counts an item in; a further version of it instead of the one before.
Result<void> count(const Act& act, const json::Object& before, const Totals& totals) {
  const std::uint64_t items = before.empty() ? 1 : 0;
  // Unsigned arithmetic wraps: what is less is subtracted.
  const std::uint64_t files = totals.payload_files - json::number_at(before, "file_count");
  const std::uint64_t bytes = totals.payload_bytes - json::number_at(before, "size_bytes");
  TRY_SET(json::Object counters, act.rows.record(keys::counters()));
  add_to(&counters, "items", items);
  add_to(&counters, "files", files);
  add_to(&counters, "bytes", bytes);
  act.rows.put(keys::counters(), counters);

  const std::string key = keys::collection(act.object("collection"));
  TRY_SET(json::Object record, act.rows.record(key));
  if (record.empty()) return {};
  add_to(&record, "item_count", items);
  add_to(&record, "size_bytes", bytes);
  act.rows.put(key, record);
  return {};
}

void put_identifiers(const Act& act, const std::string& slug, const json::Object& metadata) {
  act.rows.put(keys::identifier(search_key(slug), slug), std::string());
  for (const json::Value& entry : json::array_at(metadata, "identifiers")) {
    if (!entry.is_object()) continue;
    const std::string value = json::text_at(entry.get_object(), "value");
    if (!value.empty()) act.rows.put(keys::identifier(search_key(value), slug), std::string());
  }
}

Result<void> ingestion(const Act& act) {
  const std::string slug = act.object("item");
  const auto version = static_cast<std::uint32_t>(json::number_at(act.event.objects, "version"));
  const json::Object& detail = act.event.detail;
  std::vector<FileRow> found;
  TRY_SET(const std::vector<FileRow>* const rows, rows_of(act, &found));
  const std::vector<FileRow>& files = *rows;
  const Totals totals = totals_of(files);

  TRY_SET(json::Object record, act.rows.record(keys::item(slug)));
  const json::Object before = record;
  if (before.empty()) {
    record["id"] = slug;
    record["created_at"] = act.event.time.text();
    record["sequence"] = act.index;
    act.rows.put(keys::item_at(act.index), slug);
    act.rows.put(keys::item_of_collection(act.object("collection"), act.index), slug);
  }
  record["collection"] = act.object("collection");
  record["object"] = act.object("object");
  record["head_version"] = version;
  record["updated_at"] = act.event.time.text();
  record["inventory_digest"] = json::text_at(detail, "inventory");
  record["metadata"] = json::object_at(detail, "metadata");
  record.erase("original");
  if (detail.contains("original")) record["original"] = json::object_at(detail, "original");
  record["source_identifier"] = json::text_at(detail, "source_identifier");
  record.erase("folder");
  if (detail.contains("folder")) record["folder"] = json::text_at(detail, "folder");
  record["fingerprint"] = json::text_at(detail, "fingerprint");
  record["file_count"] = totals.payload_files;
  record["size_bytes"] = totals.payload_bytes;
  record["package_file_count"] = totals.files;
  record["package_size_bytes"] = totals.bytes;
  act.rows.put(keys::item(slug), record);

  json::Object version_record;
  version_record["item_id"] = slug;
  version_record["number"] = version;
  version_record["created_at"] = act.event.time.text();
  version_record["message"] = json::text_at(detail, "message");
  version_record["agent"] = act.event.agent;
  version_record["file_count"] = totals.payload_files;
  version_record["size_bytes"] = totals.payload_bytes;
  version_record["inventory_digest"] = json::text_at(detail, "inventory");
  if (const std::string ingest = act.object("job"); !ingest.empty()) {
    version_record["ingest_id"] = ingest;
  }
  act.rows.put(keys::version(slug, version), version_record);

  put_files(act, slug, version, files);
  act.rows.put(keys::object(act.object("object")), "item " + slug);
  put_identifiers(act, slug, json::object_at(detail, "metadata"));
  for (const std::string& other :
       {json::text_at(json::object_at(detail, "original"), "shelfmark"), act.object("object")}) {
    if (!other.empty()) act.rows.put(keys::identifier(search_key(other), slug), std::string());
  }
  TRY(put_verification(act, slug, before.empty()));
  return count(act, before, totals);
}

// -------------------------------------------------------------------------------- jobs

Result<void> job_queued(const Act& act) {
  const std::string id = act.object("job");
  json::Object record;
  record["id"] = id;
  record["kind"] = json::text_at(act.event.detail, "kind");
  record["state"] = "queued";
  record["agent"] = act.event.agent;
  record["created_at"] = act.event.time.text();
  record["request"] = json::object_at(act.event.detail, "request");
  for (const std::string_view name : {"transfer", "policy"}) {
    if (const std::string value = act.object(name); !value.empty()) record[name] = value;
  }
  act.rows.put(keys::job(id), record);
  // Jobs go on in the order in which they were journaled; their ids follow a clock.
  act.rows.put(keys::unfinished_job(id), std::to_string(act.index));
  return {};
}

// Its state stays until it has ended: then "job finished" says how.
Result<void> job_cancelling(const Act& act) {
  const std::string key = keys::job(act.object("job"));
  TRY_SET(json::Object record, act.rows.record(key));
  if (record.empty()) return {};
  record["cancelling"] = true;
  act.rows.put(key, record);
  return {};
}

Result<void> job_finished(const Act& act) {
  const std::string id = act.object("job");
  TRY_SET(json::Object record, act.rows.record(keys::job(id)));
  if (record.empty()) return {};
  record["state"] = json::text_at(act.event.detail, "state");
  record["finished_at"] = act.event.time.text();
  record["journal_index"] = act.index;
  if (act.event.detail.contains("result")) record["result"] = act.event.detail.at("result");
  if (act.event.detail.contains("problem")) record["problem"] = act.event.detail.at("problem");
  act.rows.put(keys::job(id), record);
  act.rows.remove(keys::unfinished_job(id));
  return {};
}

// -------------------------------------------------------------------------------- audits

// Takes the state of each object, and each outcome that is not "verified", from the evidence.
Result<void> fixity_check(const Act& act) {
  const std::string run = act.object("job");
  const std::string digest =
      json::text_at(json::object_at(act.event.detail, "result"), "evidence_digest");
  std::uint64_t sequence = 0;
  TRY(act.sources.evidence(digest, [&](const json::Object& line) -> Result<void> {
    const std::string kind = json::text_at(line, "kind");
    const std::string owner = json::text_at(line, "owner");
    const std::string outcome = json::text_at(line, "outcome");
    if (kind == "object" && !owner.empty()) {
      TRY_SET(json::Object state, act.rows.record(keys::verification(owner)));
      state["state"] = outcome;
      state["audit_id"] = run;
      state["last_checked_at"] = json::text_at(line, "at");
      if (outcome == "verified") state["last_verified_at"] = json::text_at(line, "at");
      count_check(json::text_at(line, "at"), outcome, &state);
      act.rows.put(keys::verification(owner), state);
    }
    if (kind == "file" && outcome != "verified") {
      act.rows.put(keys::outcome(run, sequence++), json::write(line));
    }
    return {};
  }));
  return job_finished(act);
}

std::string open_incident_key(const json::Object& incident) {
  return keys::open_incident(json::text_at(incident, "owner"), json::text_at(incident, "path"),
                             json::text_at(incident, "kind"));
}

Result<void> incident(const Act& act) {
  const std::string key = keys::incident(act.object("incident"));
  TRY(put_record(act, key, "incident"));
  TRY_SET(const json::Object record, act.rows.record(key));
  const std::string state = json::text_at(record, "state");
  const bool open = state == "suspected" || state == "confirmed" || state == "acknowledged";
  if (open) {
    act.rows.put(open_incident_key(record), act.object("incident"));
  } else {
    act.rows.remove(open_incident_key(record));
  }
  return {};
}

// -------------------------------------------------------------------------------- transfers

void note_history(const Act& act, std::string_view act_name, json::Object* record) {
  json::Object entry;
  entry["state"] = json::text_at(*record, "state");
  entry["at"] = act.event.time.text();
  entry["agent"] = act.event.agent;
  entry["action"] = act_name;
  entry["journal_index"] = act.index;
  json::Array history = json::array_at(*record, "history");
  history.emplace_back(std::move(entry));
  (*record)["history"] = std::move(history);
}

Result<void> transfer_created(const Act& act) {
  const std::string id = act.object("transfer");
  const std::string key = keys::transfer(id);
  TRY(put_record(act, key, "transfer"));
  TRY_SET(json::Object record, act.rows.record(key));
  note_history(act, "create", &record);
  act.rows.put(key, record);
  act.rows.put(keys::reference(json::text_at(record, "reference")), id);
  return {};
}

Result<void> touch_transfer(const Act& act, const std::function<void(json::Object*)>& change) {
  const std::string key = keys::transfer(act.object("transfer"));
  TRY_SET(json::Object record, act.rows.record(key));
  change(&record);
  record["updated_at"] = act.event.time.text();
  add_to(&record, "revision", 1);
  act.rows.put(key, record);
  return {};
}

Result<void> transfer_items_added(const Act& act) {
  const std::string id = act.object("transfer");
  std::uint64_t added = 0;
  for (const json::Value& entry : json::array_at(act.event.detail, "items")) {
    if (!entry.is_string()) continue;
    const std::string slug(std::string_view(entry.get_string()));
    const std::string key = keys::transfer_item(id, slug);
    TRY_SET(const auto there, act.rows.get(key));
    if (there) continue;
    json::Object row;
    row["item_id"] = slug;
    act.rows.put(key, row);
    act.rows.put(keys::transfer_of_item(slug, id), std::string());
    ++added;
  }
  return touch_transfer(act, [&](json::Object* record) { add_to(record, "item_count", added); });
}

Result<void> transfer_item_removed(const Act& act) {
  const std::string id = act.object("transfer");
  const std::string slug = act.object("item");
  act.rows.remove(keys::transfer_item(id, slug));
  act.rows.remove(keys::transfer_of_item(slug, id));
  return touch_transfer(act, [](json::Object* record) {
    (*record)["item_count"] = json::number_at(*record, "item_count") - 1;
  });
}

Result<void> transfer_acted(const Act& act) {
  return touch_transfer(act, [&](json::Object* record) {
    merge(json::object_at(act.event.detail, "set"), record);
    note_history(act, json::text_at(act.event.detail, "action"), record);
  });
}

Result<void> transfer_sealed(const Act& act) {
  const std::string id = act.object("transfer");
  std::vector<FileRow> found;
  TRY_SET(const std::vector<FileRow>* const rows, rows_of(act, &found));
  const std::vector<FileRow>& files = *rows;
  put_files(act, "transfer/" + id, 1, files);
  act.rows.put(keys::object(act.object("object")), "transfer " + id);
  put_verified(act, "transfer " + id);
  TRY(act.sources.evidence(json::text_at(act.event.detail, "items_evidence"),
                           [&](const json::Object& line) -> Result<void> {
                             act.rows.put(keys::transfer_item(id, json::text_at(line, "item_id")),
                                          line);
                             return {};
                           }));
  TRY(transfer_acted(act));
  const std::string key = keys::transfer(id);
  TRY_SET(json::Object record, act.rows.record(key));
  record["object"] = act.object("object");
  record["seal_inventory_digest"] = json::text_at(act.event.detail, "inventory");
  act.rows.put(key, record);
  return {};
}

// -------------------------------------------------------------------------------- the journal

// Who has seen how much of the journal, and when.
json::Object seen(const Act& act) {
  json::Object record;
  record["at"] = act.event.time.text();
  record["time"] = json::text_at(act.event.detail, "time");
  record["size"] = json::number_at(act.event.detail, "size");
  record["index"] = act.index;
  return record;
}

Result<void> timestamped(const Act& act) {
  act.rows.put(keys::stamp(json::text_at(act.event.detail, "authority")), seen(act));
  return {};
}

Result<void> cosigned(const Act& act) {
  act.rows.put(keys::cosignature(json::text_at(act.event.detail, "witness")), seen(act));
  return {};
}

Result<void> key_replaced(const Act& act) {
  json::Object record;
  record["at"] = act.event.time.text();
  record["statement"] = json::text_at(act.event.detail, "statement");
  act.rows.put(keys::key_change(act.index), record);
  return {};
}

using Projector = Result<void> (*)(const Act&);

constexpr auto kProjectors = std::to_array<std::pair<std::string_view, Projector>>({
    {type::kCollectionCreated, collection},
    {type::kCollectionChanged, collection},
    {type::kAgreementCreated, agreement},
    {type::kTokenCreated, token},
    {type::kTokenRevoked, token_revoked},
    {type::kPolicyCreated, policy},
    {type::kPolicyRemoved, policy_removed},
    {type::kIngestion, ingestion},
    {type::kJobQueued, job_queued},
    {type::kJobCancelling, job_cancelling},
    {type::kJobFinished, job_finished},
    {type::kIngestFinished, job_finished},
    {type::kFixityCheck, fixity_check},
    {type::kIncidentOpened, incident},
    {type::kIncidentChanged, incident},
    {type::kTransferCreated, transfer_created},
    {type::kTransferItemsAdded, transfer_items_added},
    {type::kTransferItemRemoved, transfer_item_removed},
    {type::kTransferSealed, transfer_sealed},
    {type::kTransferActed, transfer_acted},
    {type::kTimestamped, timestamped},
    {type::kCosigned, cosigned},
    {type::kKeyReplaced, key_replaced},
});

}  // namespace

Result<void> project(std::uint64_t index,
                     const journal::Entry& entry,
                     Sources& sources,
                     Overlay* rows) {
  const Act act{index, entry.event, entry.attachment.get(), sources, *rows};
  for (const auto& [kind, projector] : kProjectors) {
    if (kind != entry.event.type) continue;
    auto done = projector(act);
    if (!done) {
      return std::move(done).error().during("journal entry " + std::to_string(index) + " (" +
                                            entry.event.type + ")");
    }
  }
  return {};
}

}  // namespace versement::index
