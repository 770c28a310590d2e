// The bag of a sealed transfer as a view: where each of its files lies, and the whole as a tar that
// exists nowhere.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bagit/tar.hpp"
#include "store/base/json.hpp"
#include "store/store.hpp"

namespace versement::transfer {

struct BagFile {
  std::string path;  // in the bag: "data/SLUG/…", "manifest-sha512.txt"
  std::string item;  // slug; empty for tag files and the transfer's METS
  ObjectId object;
  std::uint32_t version = 1;
  index::FileRow row;

  // Whose file it is, as audits and incidents name it.
  std::string owner(const json::Object& transfer) const;
};

// Calls `each` for every file of the bag in the order of the tar: the declaration, tag manifests
// and manifests first, so that whoever reads the stream can check all that follows.
Result<void> for_each_bag_file(const store::Store& store,
                               const json::Object& transfer,
                               const std::function<bool(const BagFile&)>& each);

// Finds one file. Errors: not_found.
Result<BagFile> find_bag_file(const store::Store& store,
                              const json::Object& transfer,
                              std::string_view path);

// Whether the object that the file lies in is what the journal says (store::check_item_object).
Result<void> check_bag_file(store::Store& store, const json::Object& transfer, const BagFile& file);

// Bags as archives, the last few kept. Thread safe.
class Bags {
 public:
  explicit Bags(store::Store& store) : store_(store) {}
  // The tar of a sealed transfer; the same bytes at every call, for ever.
  Result<std::shared_ptr<bagit::TarSource>> tar(const json::Object& transfer);

 private:
  struct Plan;
  Result<std::shared_ptr<bagit::TarSource>> make(const json::Object& transfer);

  store::Store& store_;
  std::mutex mutex_;
  std::list<std::pair<std::string, std::shared_ptr<bagit::TarSource>>> kept_;  // Guarded by mutex_.
};

// The strong entity tag of the tar.
std::string tar_etag(const json::Object& transfer);

}  // namespace versement::transfer
