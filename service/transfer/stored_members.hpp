// The members of an archive that lie in the store, and where: some 70 bytes each, so that the plan
// of a transfer of a million files stays below 100 MB.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "bagit/archive_source.hpp"
#include "store/base/text_list.hpp"
#include "store/store.hpp"

namespace versement::transfer {

// Thread safe once nothing is added any more. Requires: the store outlives it.
class StoredMembers {
 public:
  explicit StoredMembers(store::Store& store)
      : store_(store), members_(std::make_shared<bagit::MemberList>()) {}

  // What is added from here on lies in this object: a version of an item; or, with no item, the tag
  // files of a seal, which are checked when the archive is asked for (store::check_seal_object).
  void begin_object(const ObjectId& object, std::string_view item, std::uint32_t version);
  // A file of that object; `path` is its name in the archive, from the top.
  void add(std::string_view path, const index::FileRow& row);
  // To be called after the last one: gives back what was set aside for more.
  void shrink();

  // In the order in which they were added.
  std::shared_ptr<const bagit::MemberList> members() const { return members_; }
  std::size_t memory_bytes() const;

  // The bytes of a member. Nothing is opened before the first read, but the item's object is
  // compared with what the journal says (store::check_item_object), once a second at most.
  // Errors: corrupt ("content-corrupt"); io.
  Result<std::shared_ptr<Source>> open(std::size_t member);

 private:
  // Files of one object follow each other.
  struct Object {
    std::size_t first = 0;  // its first member
    Path folder;
    std::string item;
    std::uint32_t version = 1;
    std::atomic<std::int64_t> checked_ms{0};  // of the steady clock
  };
  Result<void> check_lately(Object& object);

  store::Store& store_;
  std::shared_ptr<bagit::MemberList> members_;
  TextList content_paths_;  // of each member, below its object
  std::deque<Object> objects_;
};

}  // namespace versement::transfer
