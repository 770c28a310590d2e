#include "service/transfer/stored_members.hpp"

#include <algorithm>
#include <cassert>
#include <chrono>

#include "store/query.hpp"

namespace versement::transfer {
namespace {

// An item's files follow each other at once: one look at its inventories is enough for them.
constexpr std::chrono::milliseconds kCheckEvery{1000};

}  // namespace

void StoredMembers::begin_object(const ObjectId& object,
                                 std::string_view item,
                                 std::uint32_t version) {
  Object& added = objects_.emplace_back();
  added.first = members_->size();
  added.folder = store_.object_folder(object);
  added.item = item;
  added.owner = item.empty() ? seal_ : "item " + added.item;
  added.version = version;
}

void StoredMembers::add(std::string_view path, const index::FileRow& row) {
  assert(!objects_.empty());
  members_->add(path, row.size_bytes, row.crc32);
  content_paths_.add(row.content_path);
}

void StoredMembers::shrink() {
  members_->shrink();
  content_paths_.shrink();
}

std::size_t StoredMembers::memory_bytes() const {
  std::size_t bytes = members_->memory_bytes() + content_paths_.memory_bytes();
  for (const Object& object : objects_)
    bytes += sizeof(Object) + object.folder.native().capacity() + object.item.capacity() +
             object.owner.capacity();
  return bytes;
}

Result<void> StoredMembers::check_lately(Object& object) {
  if (object.item.empty()) return {};
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  if (object.checked_ms != 0 && now.count() - object.checked_ms < kCheckEvery.count()) return {};
  TRY(store::check_item_object(store_, object.item, object.version));
  object.checked_ms = now.count();
  return {};
}

Result<std::shared_ptr<Source>> StoredMembers::open(std::size_t member) {
  const auto next = std::upper_bound(
      objects_.begin(), objects_.end(), member,
      [](std::size_t number, const Object& object) { return number < object.first; });
  Object& object = *std::prev(next);
  TRY(check_lately(object));
  const auto& shape = members_->shape(member);
  const std::string content_path = content_paths_.at(member);
  return store_.file(
      object.owner, object.folder,
      {.content_path = content_path, .size_bytes = shape.size_bytes, .crc32 = shape.known_crc()});
}

}  // namespace versement::transfer
