#include "service/transfer/bag.hpp"

#include <algorithm>

#include "bagit/fetch_source.hpp"
#include "mets/package.hpp"
#include "service/transfer/stored_members.hpp"
#include "store/base/digest.hpp"
#include "store/base/text.hpp"
#include "store/query.hpp"

namespace versement::transfer {
namespace {

constexpr std::string_view kPayload = "data/";
// Holey archives kept, each of a transfer and an address. A client may call us as it likes.
constexpr std::size_t kHoleyKept = 4;
// Of the digest of an address, in the entity tag of what depends on it.
constexpr std::size_t kAddressDigits = 16;

// The place of a tag file in the archive.
int rank_of(std::string_view path) {
  if (path == "bagit.txt") return 0;
  if (path.starts_with("tagmanifest-")) return 1;
  if (path.starts_with("manifest-")) return 2;
  if (path.starts_with(kPayload)) return 4;
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

}  // namespace

std::string BagFile::owner(const json::Object& transfer) const {
  return item.empty() ? "transfer " + json::text_at(transfer, "id") : "item " + item;
}

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

Result<void> check_crcs(const bagit::MemberList& members) {
  const auto lacks = members.first_without_crc();
  if (!lacks) return {};
  return Error(Code::conflict, "a zip has the CRC-32 of every file, and the journal has none of '" +
                                   printable(members.path(*lacks)) +
                                   "'; the bag.tar of a transfer needs none")
      .as(kZipNotPossible);
}

Result<void> for_each_table_file(const store::Store& store,
                                 std::string_view slug,
                                 std::uint32_t version,
                                 const mets::TableItem::Each& each) {
  const std::string payload = mets::payload_folder();
  const std::string notice = "representations/" + std::string(mets::kNotice) + "/data/";
  std::string path = "data/" + std::string(slug) + "/";
  const std::size_t folder = path.size();
  return store::for_each_file_facts(
      store, slug, version, [&](const index::FileFacts& file) -> Result<void> {
        const bool data = file.path.starts_with(payload);
        if (!data && !file.path.starts_with(notice)) return {};
        path.resize(folder);
        path += file.path;
        return each({.filename = path,
                     .data_path = data ? file.path.substr(payload.size()) : std::string_view()});
      });
}

Result<void> check_bag_file(store::Store& store,
                            const json::Object& transfer,
                            const BagFile& file) {
  if (file.item.empty()) return store::check_seal_object(store, transfer);
  return store::check_item_object(store, file.item, file.version);
}

struct Bags::Plan {
  std::shared_ptr<StoredMembers> stored;
  std::size_t payload_first = 0;  // the member where it begins: all behind it is payload
  std::size_t top_bytes = 0;      // of the bag's folder in the members' names
  Timestamp sealed;
  std::shared_ptr<bagit::TarSource> tar;
  std::shared_ptr<bagit::ZipSource> zip;

  std::size_t memory_bytes() const {
    return stored->memory_bytes() + tar->memory_bytes() + zip->memory_bytes();
  }
};

Bags::Bags(store::Store& store, std::size_t plan_bytes_kept)
    : store_(store), kept_(plan_bytes_kept), holey_(plan_bytes_kept, kHoleyKept) {}

Result<std::shared_ptr<Bags::Plan>> Bags::make(const json::Object& transfer) {
  auto plan = std::make_shared<Plan>();
  plan->stored = std::make_shared<StoredMembers>(store_, json::text_at(transfer, "id"));
  StoredMembers& stored = *plan->stored;
  const std::string top = json::text_at(transfer, "bag_name") + "/";
  plan->top_bytes = top.size();
  TRY_SET(plan->sealed, Timestamp::parse(json::text_at(transfer, "sealed_at")));
  ObjectId last;
  bool payload = false;
  std::size_t number = 0;
  TRY(for_each_bag_file(store_, transfer, [&](const BagFile& file) {
    if (number == 0 || file.object != last) {
      last = file.object;
      stored.begin_object(file.object, file.item, file.version);
    }
    if (!payload && file.path.starts_with(kPayload)) {
      payload = true;
      plan->payload_first = number;
    }
    stored.add(top + file.path, file.row);
    ++number;
    return true;
  }));
  stored.shrink();
  const auto open = [all = plan->stored](std::size_t member) { return all->open(member); };
  plan->tar = std::make_shared<bagit::TarSource>(stored.members(), plan->sealed, open);
  plan->zip = std::make_shared<bagit::ZipSource>(stored.members(), plan->sealed, open);
  return plan;
}

Result<std::shared_ptr<Bags::Plan>> Bags::plan(const json::Object& transfer) {
  const std::string id = json::text_at(transfer, "id");
  if (auto there = kept_.find(id)) return there;
  const std::scoped_lock making(making_);
  if (auto there = kept_.find(id)) return there;
  TRY_SET(auto made, make(transfer));
  kept_.add(id, made, made->memory_bytes());
  return made;
}

Result<std::shared_ptr<bagit::ArchiveSource>> Bags::tar(const json::Object& transfer) {
  TRY_SET(const auto made, plan(transfer));
  return std::shared_ptr<bagit::ArchiveSource>(made->tar);
}

Result<std::shared_ptr<bagit::ArchiveSource>> Bags::zip(const json::Object& transfer) {
  TRY_SET(const auto made, plan(transfer));
  TRY(check_crcs(*made->stored->members()));
  return std::shared_ptr<bagit::ArchiveSource>(made->zip);
}

Result<std::shared_ptr<bagit::ArchiveSource>> Bags::holey_tar(const json::Object& transfer,
                                                              const std::string& files_url) {
  TRY_SET(const auto made, plan(transfer));
  const std::string key = json::text_at(transfer, "id") + "\n" + files_url;
  if (auto there = holey_.find(key)) return there;
  const std::scoped_lock making(making_);
  if (auto there = holey_.find(key)) return there;
  const Holey laid_out = lay_out_holey(*made, transfer, files_url);
  holey_.add(key, laid_out.tar, laid_out.memory_bytes);
  return laid_out.tar;
}

Bags::Holey Bags::lay_out_holey(const Plan& plan,
                                const json::Object& transfer,
                                const std::string& files_url) {
  const auto all = plan.stored->members();
  const auto fetch =
      std::make_shared<bagit::FetchSource>(all, plan.payload_first, plan.top_bytes, files_url);
  // The tag files have the same numbers in both lists.
  auto members = std::make_shared<bagit::MemberList>();
  for (std::size_t member = 0; member < plan.payload_first; ++member)
    members->add(all->path(member), all->shape(member).size_bytes, all->shape(member).known_crc());
  const std::string top = json::text_at(transfer, "bag_name") + "/";
  members->add(top + "fetch.txt", fetch->size_bytes());
  // A bag without this folder is none, whatever it still lacks (RFC 8493 section 2.1.2).
  members->add(top + std::string(kPayload), 0);
  members->shrink();
  auto open = [stored = plan.stored, fetch,
               own = plan.payload_first](std::size_t member) -> Result<std::shared_ptr<Source>> {
    if (member < own) return stored->open(member);
    return std::shared_ptr<Source>(fetch);
  };
  Holey holey;
  // The plan may be let go of before.
  holey.memory_bytes = plan.memory_bytes() + fetch->memory_bytes() + members->memory_bytes();
  const auto tar =
      std::make_shared<bagit::TarSource>(std::move(members), plan.sealed, std::move(open));
  holey.memory_bytes += tar->memory_bytes();
  holey.tar = tar;
  return holey;
}

std::uint64_t serialisation_of(Archive form, const json::Object& transfer) {
  switch (form) {
    case Archive::tar:
      return json::number_at(transfer, "serialisation");
    case Archive::zip:
      return bagit::kZipSerialisation;
    case Archive::holey_tar:
      return kHoleySerialisation;
  }
  return 0;
}

std::string archive_etag(Archive form, const json::Object& transfer, std::string_view files_url) {
  std::string tag = json::text_at(transfer, "seal_digest").substr(0, 32);
  tag += form == Archive::tar ? "-tar" : form == Archive::zip ? "-zip" : "-holey";
  tag += std::to_string(serialisation_of(form, transfer));
  if (form == Archive::holey_tar) {
    tag += "-" + digest_of(Algorithm::sha256, files_url).hex().substr(0, kAddressDigits);
  }
  return "\"" + tag + "\"";
}

}  // namespace versement::transfer
