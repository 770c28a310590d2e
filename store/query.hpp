// Reading the index through the store: keys, and the look-ups that many need.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/index/keys.hpp"
#include "store/store.hpp"

namespace versement::store {

namespace keys = index::keys;

// The record of a thing, by kind. Errors: not_found, which names the thing.
Result<json::Object> item_record(const Store& store, std::string_view slug);
Result<json::Object> collection_record(const Store& store, std::string_view id);
Result<json::Object> transfer_record(const Store& store, std::string_view id);
Result<json::Object> agreement_record(const Store& store, std::string_view id);
Result<json::Object> job_record(const Store& store, std::string_view id);

// The state of verification of an owner ("item SLUG", "transfer ID"); empty when there is none.
Result<json::Object> verification_record(const Store& store, std::string_view owner);

// The SHA-512 of the inventory of each version that the journal has of an item, the first one
// first.
Result<std::vector<std::string>> inventories_of_item(const Store& store, std::string_view slug);

// Compares what lies in the store with what the journal says, before files of it are served: of a
// version of an item, and of the tag files of a sealed transfer. It needs no time where it was done
// lately and nothing was changed. Damage is told of (Store::set_on_damage).
// Errors: not_found; corrupt ("content-corrupt"); io, and what says nothing about them.
Result<void> check_item_object(Store& store, std::string_view slug, std::uint32_t version);
Result<void> check_seal_object(const Store& store, const json::Object& transfer);

// Refuses to hand out what an open incident says is damaged: a file of an item or seal (`path`
// below the object), and whatever holds all files of an item or of a sealed transfer. Errors:
// corrupt ("content-corrupt"), until it is repaired and the incident closed.
Result<void> refuse_damaged_file(const Store& store, std::string_view owner, std::string_view path);
Result<void> refuse_damaged_item(const Store& store, std::string_view slug);
Result<void> refuse_damaged_transfer(const Store& store, const json::Object& transfer);

// Calls `each` for the files of a version, by path, until it returns false. The owner is an item's
// slug, or "transfer/ID" for the tag files of a seal.
Result<void> for_each_file(const Store& store,
                           std::string_view owner,
                           std::uint32_t version,
                           const std::function<bool(const index::FileRow&)>& each);

// The same for whoever writes or judges a manifest, until `each` fails.
Result<void> for_each_file_facts(const Store& store,
                                 std::string_view owner,
                                 std::uint32_t version,
                                 const std::function<Result<void>(const index::FileFacts&)>& each);

}  // namespace versement::store
