#include "store/query.hpp"

#include "store/base/text.hpp"

namespace versement::store {
namespace {

Result<json::Object> named(const Store& store,
                           const std::string& key,
                           std::string_view kind,
                           std::string_view id) {
  auto record = store.index().record(key);
  if (record || record.error().code() != Code::not_found) return record;
  return Error(Code::not_found,
               "there is no " + std::string(kind) + " '" + printable(id.substr(0, 200)) + "'");
}

}  // namespace

Result<json::Object> item_record(const Store& store, std::string_view slug) {
  return named(store, keys::item(slug), "item", slug);
}
Result<json::Object> collection_record(const Store& store, std::string_view id) {
  return named(store, keys::collection(id), "collection", id);
}
Result<json::Object> transfer_record(const Store& store, std::string_view id) {
  return named(store, keys::transfer(id), "transfer", id);
}
Result<json::Object> agreement_record(const Store& store, std::string_view id) {
  return named(store, keys::agreement(id), "agreement", id);
}
Result<json::Object> job_record(const Store& store, std::string_view id) {
  return named(store, keys::job(id), "job", id);
}

Result<json::Object> verification_record(const Store& store, std::string_view owner) {
  auto record = store.index().record(keys::verification(owner));
  if (!record && record.error().code() == Code::not_found) return json::Object();
  return record;
}

Result<std::vector<std::string>> inventories_of_item(const Store& store, std::string_view slug) {
  TRY_SET(const json::Object item, item_record(store, slug));
  const std::uint64_t head = json::number_at(item, "head_version");
  std::vector<std::string> inventories;
  for (std::uint32_t number = 1; number < head; ++number) {
    TRY_SET(const json::Object version, store.index().record(keys::version(slug, number)));
    inventories.push_back(json::text_at(version, "inventory_digest"));
  }
  inventories.push_back(json::text_at(item, "inventory_digest"));
  return inventories;
}

namespace {

// An object is not what the journal says: somebody is told, and no file of it leaves.
Error refused(const Store& store, const std::string& owner, const Store::WrongInventory& wrong) {
  store.tell_of_damage(owner, wrong.path, wrong.what);
  return Error(Code::corrupt,
               "the object is damaged in the store: an inventory is not the one that the journal "
               "names")
      .as("content-corrupt");
}

}  // namespace

Result<void> check_item_object(Store& store, std::string_view slug, std::uint32_t version) {
  // A further version is in the root before the index knows of it: then the inventory is another
  // than the record says until the deposit has settled.
  constexpr int kLooks = 3;
  for (int look = 1;; ++look) {
    TRY_SET(const json::Object item, item_record(store, slug));
    TRY_SET(const json::Object record, store.index().record(keys::version(slug, version)));
    TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(item, "object")));
    TRY_SET(const auto wrong,
            store.wrong_inventory(object, version, json::text_at(record, "inventory_digest"),
                                  json::text_at(item, "inventory_digest")));
    if (!wrong) return {};
    if (look == kLooks) return refused(store, "item " + std::string(slug), *wrong);
    store.settle();
  }
}

Result<void> check_seal_object(const Store& store, const json::Object& transfer) {
  TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(transfer, "object")));
  const std::string digest = json::text_at(transfer, "seal_inventory_digest");
  TRY_SET(const auto wrong, store.wrong_inventory(object, 1, digest, digest));
  if (!wrong) return {};
  return refused(store, "transfer " + json::text_at(transfer, "id"), *wrong);
}

namespace {

// What an incident of this kind is about is not what was stored.
bool is_about_content(const json::Object& incident) {
  const std::string kind = json::text_at(incident, "kind");
  return kind == "mismatch" || kind == "missing" || kind == "unreadable";
}

Error damaged(const json::Object& incident) {
  return Error(Code::corrupt, "incident " + json::text_at(incident, "id") +
                                  " is open: " + json::text_at(incident, "owner") + ", " +
                                  json::text_at(incident, "kind") +
                                  "; it is handed out again once it is repaired and the incident "
                                  "closed")
      .as("content-corrupt");
}

// The open incidents about content of an owner, or of all where it is empty.
Result<std::vector<json::Object>> open_incidents(const Store& store, std::string_view owner) {
  std::vector<std::string> ids;
  keys::Key prefix('X');
  if (!owner.empty()) prefix.text(owner);
  TRY(store.index().scan(prefix.get(), "", [&](std::string_view, std::string_view id) {
    ids.emplace_back(id);
    return true;
  }));
  std::vector<json::Object> incidents;
  for (const std::string& id : ids) {
    TRY_SET(json::Object incident, store.index().record(keys::incident(id)));
    if (is_about_content(incident)) incidents.push_back(std::move(incident));
  }
  return incidents;
}

}  // namespace

Result<void> refuse_damaged_file(const Store& store,
                                 std::string_view owner,
                                 std::string_view path) {
  TRY_SET(const auto incidents, open_incidents(store, owner));
  for (const json::Object& incident : incidents) {
    if (json::text_at(incident, "path") == path) return damaged(incident);
  }
  return {};
}

Result<void> refuse_damaged_item(const Store& store, std::string_view slug) {
  TRY_SET(const auto incidents, open_incidents(store, "item " + std::string(slug)));
  if (!incidents.empty()) return damaged(incidents.front());
  return {};
}

Result<void> refuse_damaged_transfer(const Store& store, const json::Object& transfer) {
  const std::string id = json::text_at(transfer, "id");
  TRY_SET(const auto incidents, open_incidents(store, ""));
  for (const json::Object& incident : incidents) {
    if (json::text_at(incident, "owner") == "transfer " + id) return damaged(incident);
    const std::string slug = json::text_at(incident, "item_id");
    if (slug.empty()) continue;
    TRY_SET(const auto there, store.index().get(keys::transfer_item(id, slug)));
    if (there) return damaged(incident);
  }
  return {};
}

Result<void> for_each_file(const Store& store,
                           std::string_view owner,
                           std::uint32_t version,
                           const std::function<bool(const index::FileRow&)>& each) {
  const std::string prefix = keys::files(owner, version);
  Result<void> decoded;
  TRY(store.index().scan(prefix, "", [&](std::string_view key, std::string_view value) {
    auto row = index::decode_file_row(keys::rest(key, prefix), value);
    if (!row) {
      decoded = std::move(row).error();
      return false;
    }
    return each(*row);
  }));
  return decoded;
}

Result<void> for_each_file_facts(const Store& store,
                                 std::string_view owner,
                                 std::uint32_t version,
                                 const std::function<Result<void>(const index::FileFacts&)>& each) {
  const std::string prefix = keys::files(owner, version);
  Result<void> went;
  TRY(store.index().scan(prefix, "", [&](std::string_view key, std::string_view value) {
    auto facts = index::decode_file_facts(keys::rest(key, prefix), value);
    went = facts ? each(*facts) : std::move(facts).error();
    return static_cast<bool>(went);
  }));
  return went;
}

}  // namespace versement::store
