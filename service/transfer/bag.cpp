#include "service/transfer/bag.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>

#include "store/query.hpp"

namespace versement::transfer {
namespace {

// Plans kept for the pulls that are under way; one of 100 000 files takes some 25 MB.
constexpr std::size_t kPlansKept = 4;

// The place of a tag file in the archive.
int rank_of(std::string_view path) {
  if (path == "bagit.txt") return 0;
  if (path.starts_with("tagmanifest-")) return 1;
  if (path.starts_with("manifest-")) return 2;
  if (path.starts_with("data/")) return 4;
  return 3;
}

std::string owner_of(const json::Object& transfer) {
  return "transfer/" + json::text_at(transfer, "id");
}

Result<std::vector<BagFile>> tag_files(const store::Store& store, const json::Object& transfer) {
  TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(transfer, "object")));
  std::vector<BagFile> files;
  TRY(store::for_each_file(store, owner_of(transfer), 1, [&](const index::FileRow& row) {
    files.push_back({.path = row.path, .item = {}, .object = object, .version = 1, .row = row});
    return true;
  }));
  std::stable_sort(files.begin(), files.end(), [](const BagFile& a, const BagFile& b) {
    return rank_of(a.path) < rank_of(b.path);
  });
  return files;
}

// An object whose files are members of an archive.
struct Object {
  Path folder;
  std::string item;  // empty for the tag files, which are checked when the archive is asked for
  std::uint32_t version = 1;
  std::atomic<std::int64_t> checked_ms{0};  // of the steady clock
};

// An item's files follow each other at once: one look at its inventories is enough for them.
constexpr std::chrono::milliseconds kCheckEvery{1000};

Result<void> check_lately(store::Store& store, Object& object) {
  if (object.item.empty()) return {};
  const auto now = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::steady_clock::now().time_since_epoch());
  if (object.checked_ms != 0 && now.count() - object.checked_ms < kCheckEvery.count()) return {};
  TRY(store::check_item_object(store, object.item, object.version));
  object.checked_ms = now.count();
  return {};
}

}  // namespace

Result<void> for_each_bag_file(const store::Store& store,
                               const json::Object& transfer,
                               const std::function<bool(const BagFile&)>& each) {
  TRY_SET(const auto tags, tag_files(store, transfer));
  for (const BagFile& file : tags) {
    if (!each(file)) return {};
  }
  const std::string prefix = store::keys::transfer_items(json::text_at(transfer, "id"));
  std::vector<json::Object> items;
  TRY(store.index().scan(prefix, "", [&](std::string_view, std::string_view value) {
    if (auto item = json::parse_object(value)) items.push_back(std::move(*item));
    return true;
  }));
  bool more = true;
  for (const json::Object& item : items) {
    const std::string slug = json::text_at(item, "item_id");
    const auto version = static_cast<std::uint32_t>(json::number_at(item, "version"));
    TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(item, "object")));
    TRY(store::for_each_file(store, slug, version, [&](const index::FileRow& row) {
      more = each({.path = "data/" + slug + "/" + row.path,
                   .item = slug,
                   .object = object,
                   .version = version,
                   .row = row});
      return more;
    }));
    if (!more) return {};
  }
  return {};
}

Result<BagFile> find_bag_file(const store::Store& store,
                              const json::Object& transfer,
                              std::string_view path) {
  const Error missing(Code::not_found, "the bag has no such file");
  auto tag = store.file_row(owner_of(transfer), 1, path);
  if (tag) {
    TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(transfer, "object")));
    return BagFile{std::string(path), {}, object, 1, *tag};
  }
  if (!path.starts_with("data/")) return missing;
  const std::string_view below = path.substr(5);
  const std::size_t slash = below.find('/');
  if (slash == std::string_view::npos) return missing;
  const std::string slug(below.substr(0, slash));
  auto item = store.index().record(store::keys::transfer_item(json::text_at(transfer, "id"), slug));
  if (!item) return missing;
  const auto version = static_cast<std::uint32_t>(json::number_at(*item, "version"));
  auto row = store.file_row(slug, version, below.substr(slash + 1));
  if (!row) return missing;
  TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(*item, "object")));
  return BagFile{std::string(path), slug, object, version, *row};
}

Result<void> check_bag_file(store::Store& store,
                            const json::Object& transfer,
                            const BagFile& file) {
  if (file.item.empty()) return store::check_seal_object(store, transfer);
  return store::check_item_object(store, file.item, file.version);
}

Result<std::shared_ptr<bagit::TarSource>> Bags::make(const json::Object& transfer) {
  struct Place {
    std::shared_ptr<Object> object;  // shared by its files
    std::string content_path;
  };
  auto places = std::make_shared<std::vector<Place>>();
  auto members = std::make_shared<bagit::MemberList>();
  const std::string top = json::text_at(transfer, "bag_name") + "/";
  std::shared_ptr<Object> object;
  ObjectId last;
  TRY(for_each_bag_file(store_, transfer, [&](const BagFile& file) {
    if (file.object != last || !object) {
      last = file.object;
      object = std::make_shared<Object>();
      object->folder = store_.object_folder(file.object);
      object->item = file.item;
      object->version = file.version;
    }
    members->add(top + file.path, file.row.size_bytes, file.row.crc32);
    places->push_back({object, file.row.content_path});
    return true;
  }));
  TRY_SET(const Timestamp sealed, Timestamp::parse(json::text_at(transfer, "sealed_at")));
  members->shrink();
  auto open = [store = &store_, places,
               members](std::size_t member) -> Result<std::shared_ptr<Source>> {
    const Place& place = places->at(member);
    TRY(check_lately(*store, *place.object));
    return std::shared_ptr<Source>(
        std::make_shared<FileSource>(store->disk(), place.object->folder / place.content_path,
                                     members->shape(member).size_bytes));
  };
  return std::make_shared<bagit::TarSource>(std::move(members), sealed, std::move(open));
}

Result<std::shared_ptr<bagit::TarSource>> Bags::tar(const json::Object& transfer) {
  const std::string id = json::text_at(transfer, "id");
  {
    const std::scoped_lock lock(mutex_);
    for (auto at = kept_.begin(); at != kept_.end(); ++at) {
      if (at->first != id) continue;
      kept_.splice(kept_.begin(), kept_, at);
      return kept_.front().second;
    }
  }
  TRY_SET(auto made, make(transfer));
  const std::scoped_lock lock(mutex_);
  kept_.emplace_front(id, made);
  if (kept_.size() > kPlansKept) kept_.pop_back();
  return made;
}

std::string tar_etag(const json::Object& transfer) {
  return "\"" + json::text_at(transfer, "seal_digest").substr(0, 32) + "-tar" +
         std::to_string(json::number_at(transfer, "serialisation")) + "\"";
}

}  // namespace versement::transfer
