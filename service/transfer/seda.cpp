#include "service/transfer/seda.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "mets/package.hpp"
#include "service/transfer/bag.hpp"
#include "service/transfer/stored_members.hpp"
#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/base/spool.hpp"
#include "store/base/text_list.hpp"
#include "store/query.hpp"

namespace versement::transfer {
namespace {

// Archives kept for the pulls that are under way: each holds a file open. Of large ones fewer.
constexpr std::size_t kArchivesKept = 4;
constexpr std::size_t kArchiveBytesKept = 96u << 20;
// Requests that wait, each on a thread that serves others otherwise, of which there are 16: for the
// manifest that is being made, and for the end of it to have another made.
constexpr std::size_t kWaitingForOneMax = 8;
constexpr std::size_t kWaitingMax = 4;
// A group that is part of a group …: deeper ones hang below the transfer itself. Receivers bound
// the depth of their trees.
constexpr std::size_t kNestMax = 16;
// What a manifest is expected to need; measured: 1.7 KiB for each of many files, 2.7 for an item.
constexpr std::uint64_t kBytesOfFile = 2048;
constexpr std::uint64_t kBytesOfItem = 6144;

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

// Some 35 bytes an item, its name included: a transfer may have a million.
struct Pinned {
  std::uint32_t version = 1;
  std::uint32_t files = 0;      // deposited ones
  std::uint32_t above = kNone;  // the item that it is a part of
};
using Edge = std::pair<std::uint32_t, std::uint32_t>;  // group and part

Result<std::string> read_stored(const store::Store& store,
                                const std::string& owner,
                                const ObjectId& object,
                                const index::FileRow& row) {
  TRY_SET(std::string bytes,
          read_source(*store.file(owner, object, row), limits::kXmlTreeBytesMax));
  if (digest_of(Algorithm::sha512, bytes) == row.sha512) return bytes;
  return Error(Code::corrupt, row.path + " of " + object.text() + " is not what was stored")
      .as("content-corrupt");
}

Error shutting_down() {
  return Error(Code::cancelled, "the service is shutting down; ask again when it is back")
      .as("shutting-down");
}

Error being_made() {
  return Error(Code::unavailable,
               "the manifest of this transfer, or of another, is being made; "
               "ask again")
      .as("being-made");
}

std::string key_of(const json::Object& transfer, mets::SedaVersion version) {
  return json::text_at(transfer, "id") + " " + std::string(mets::seda_version_text(version));
}

class Builder {
 public:
  Builder(store::Store& store,
          const json::Object& transfer,
          mets::SedaVersion version,
          std::stop_token stop)
      : store_(store),
        transfer_(transfer),
        version_(version),
        stop_(std::move(stop)),
        stored_(std::make_shared<StoredMembers>(store, json::text_at(transfer, "id"))) {}

  Result<SedaArchives::Archive> run() {
    TRY(read_items());
    TRY_SET(const Timestamp sealed, Timestamp::parse(json::text_at(transfer_, "sealed_at")));
    TRY_SET(const mets::SedaTransfer facts, facts_of(sealed));
    TRY_SET(const auto space,
            store_.reserve(json::number_at(transfer_, "file_count") * kBytesOfFile +
                               items_.size() * kBytesOfItem,
                           1));
    const auto file = std::make_shared<Spool>(store_.disk(), store_.work_name("seda"));
    std::uint32_t crc = 0;
    {
      mets::SedaManifest manifest(version_, facts, [&](std::string_view text) {
        crc = crc32_update(crc, as_bytes(text));
        return file->add(text);
      });
      TRY(write_objects(manifest));
      nest();
      manifest.begin_units(first_date_, last_date_);
      for (std::uint32_t number = 0; number < items_.size(); ++number) {
        if (items_[number].above == kNone) TRY(write_unit(manifest, number));
      }
      TRY(manifest.finish());
    }
    stored_->shrink();
    auto members = std::make_shared<bagit::MemberList>();
    members->add("manifest.xml", file->size_bytes(), crc);
    TRY(name_members(*members));
    TRY(check_crcs(*members));
    members->shrink();
    memory_bytes_ = members->memory_bytes() + stored_->memory_bytes() + file->memory_bytes();
    auto open = [stored = stored_, file](std::size_t member) -> Result<std::shared_ptr<Source>> {
      if (member == 0) return std::shared_ptr<Source>(file);
      return stored->open(member - 1);
    };
    auto zip = std::make_shared<bagit::ZipSource>(std::move(members), sealed, std::move(open));
    memory_bytes_ += zip->memory_bytes();
    return SedaArchives::Archive(std::move(zip));
  }

  std::size_t memory_bytes() const { return memory_bytes_; }

 private:
  Result<void> read_items() {
    const std::string prefix = store::keys::transfer_items(json::text_at(transfer_, "id"));
    Result<void> read;
    TRY(store_.index().scan(prefix, "", [&](std::string_view, std::string_view value) {
      if (stop_.stop_requested()) {
        read = shutting_down();
        return false;
      }
      auto row = json::parse_object(value);
      if (!row) {
        read = std::move(row).error();
        return false;
      }
      slugs_.add(json::text_at(*row, "item_id"));
      items_.push_back({.version = static_cast<std::uint32_t>(json::number_at(*row, "version"))});
      return true;
    }));
    slugs_.shrink();
    return read;
  }

  Result<ObjectId> object_of(const std::string& slug) const {
    TRY_SET(const json::Object row, store_.index().record(store::keys::transfer_item(
                                        json::text_at(transfer_, "id"), slug)));
    return ObjectId::parse(json::text_at(row, "object"));
  }

  // The agreement as it was sealed: the record may have become another since.
  Result<mets::SedaTransfer> facts_of(Timestamp sealed) const {
    TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(transfer_, "object")));
    TRY_SET(const index::FileRow row, store_.file_row("transfer/" + json::text_at(transfer_, "id"),
                                                      1, "versement/agreement.json"));
    TRY_SET(const std::string text,
            read_stored(store_, "transfer " + json::text_at(transfer_, "id"), object, row));
    TRY_SET(const json::Object agreement, json::parse_object(text));
    mets::SedaTransfer facts;
    facts.reference = json::text_at(transfer_, "reference");
    facts.title = mets::localized_of(json::object_at(transfer_, "title"));
    facts.description = mets::localized_of(json::object_at(transfer_, "description"));
    facts.sealed_at = sealed;
    facts.terms = mets::seda_terms_of(agreement);
    return facts;
  }

  Result<mets::SedaItem> record_of(std::size_t number) const {
    const std::string slug = slugs_.at(number);
    const std::uint32_t version = items_[number].version;
    TRY_SET(const ObjectId object, object_of(slug));
    std::string texts[2];
    constexpr const char* kPaths[2] = {"metadata/descriptive/dc.xml",
                                       "metadata/preservation/premis.xml"};
    for (std::size_t i = 0; i < 2; ++i) {
      TRY_SET(const index::FileRow row, store_.file_row(slug, version, kPaths[i]));
      TRY_SET(texts[i], read_stored(store_, "item " + slug, object, row));
    }
    return mets::read_seda_item(slug, version, texts[0], texts[1]);
  }

  // What was deposited. The package's own files are the sender's: a receiver of SEDA gets what they
  // say in the manifest.
  Result<void> each_object(
      std::size_t number,
      const std::function<void(const mets::SedaObject&, const index::FileRow&)>& each) const {
    const std::string folder = mets::payload_folder();
    const std::string slug = slugs_.at(number);
    TRY(store::for_each_file(store_, slug, items_[number].version, [&](const index::FileRow& row) {
      if (stop_.stop_requested()) return false;
      if (row.role != "payload") return true;
      mets::SedaObject object;
      object.id = mets::file_uuid(slug, row.path);
      object.path = row.path.starts_with(folder) ? row.path.substr(folder.size()) : row.path;
      object.size_bytes = row.size_bytes;
      object.sha512 = row.sha512;
      object.media_type = row.media_type;
      object.format_name = row.format_name;
      object.format_version = row.format_version;
      object.puid = row.puid;
      each(object, row);
      return true;
    }));
    return stop_.stop_requested() ? Result<void>(shutting_down()) : Result<void>();
  }

  // Says what lies in the archive, and learns on the way which items are parts of others, and
  // between which dates all is.
  Result<void> write_objects(mets::SedaManifest& manifest) {
    for (std::uint32_t number = 0; number < items_.size(); ++number) {
      Pinned& item = items_[number];
      const std::string slug = slugs_.at(number);
      TRY_SET(const ObjectId object, object_of(slug));
      stored_->begin_object(object, slug, item.version);
      TRY(each_object(number, [&](const mets::SedaObject& file, const index::FileRow& row) {
        manifest.object(file);
        stored_->add("", row);  // The archive has names of its own.
        ++item.files;
      }));
      TRY_SET(const mets::SedaItem record, record_of(number));
      for (const std::string& part : record.parts) {
        const std::uint32_t below = number_of(part);
        if (below != kNone) edges_.emplace_back(number, below);
      }
      for (const std::string& date : record.dates)
        widen(mets::seda_dates_of(date));
    }
    return {};
  }

  void widen(const mets::SedaDates& dates) {
    const std::string& first = dates.start.empty() ? dates.created : dates.start;
    const std::string& last = dates.end.empty() ? dates.created : dates.end;
    if (first.empty()) return;
    // A year begins before its months, and ends behind them.
    if (first_date_.empty() || first < first_date_) first_date_ = first;
    if (last_date_.empty() || last + "~" > last_date_ + "~") last_date_ = last;
  }

  std::uint32_t number_of(const std::string& slug) const {
    std::size_t first = 0;
    std::size_t last = slugs_.size();
    while (first < last) {
      const std::size_t middle = first + (last - first) / 2;
      if (slugs_.at(middle) < slug) {
        first = middle + 1;
      } else {
        last = middle;
      }
    }
    const bool found = first < slugs_.size() && slugs_.at(first) == slug;
    return found ? static_cast<std::uint32_t>(first) : kNone;
  }

  // An item stands below one other at most, and a group below none of its parts. What is left of
  // the edges is the tree, by group, parts in the order that the group names them.
  void nest() {
    heights_.assign(items_.size(), 1);
    std::vector<Edge> tree;
    for (const auto& [group, part] : edges_) {
      if (items_[part].above != kNone || !may_hang(group, part)) continue;
      items_[part].above = group;
      tree.emplace_back(group, part);
    }
    edges_ = std::move(tree);
    std::stable_sort(edges_.begin(), edges_.end(),
                     [](const Edge& a, const Edge& b) { return a.first < b.first; });
  }

  bool may_hang(std::uint32_t group, std::uint32_t part) {
    std::size_t levels = heights_[part];
    for (std::uint32_t at = group; at != kNone; at = items_[at].above) {
      if (at == part || ++levels > kNestMax) return false;
    }
    levels = heights_[part];
    for (std::uint32_t at = group; at != kNone; at = items_[at].above) {
      heights_[at] = std::max<std::uint8_t>(heights_[at], static_cast<std::uint8_t>(++levels));
    }
    return true;
  }

  // NOLINTNEXTLINE(misc-no-recursion): as deep as kNestMax.
  Result<void> write_unit(mets::SedaManifest& manifest, std::uint32_t number) {
    TRY_SET(const mets::SedaItem record, record_of(number));
    auto part = std::lower_bound(edges_.begin(), edges_.end(), Edge{number, 0},
                                 [](const Edge& a, const Edge& b) { return a.first < b.first; });
    const bool group = part != edges_.end() && part->first == number;
    manifest.open_item(record, group);
    TRY(each_object(number, [&](const mets::SedaObject& file, const index::FileRow&) {
      manifest.file(record, file, items_[number].files == 1);
    }));
    for (; part != edges_.end() && part->first == number; ++part)
      TRY(write_unit(manifest, part->second));
    manifest.close_item();
    return {};
  }

  Result<void> name_members(bagit::MemberList& members) const {
    for (std::size_t number = 0; number < items_.size(); ++number) {
      TRY(each_object(number, [&](const mets::SedaObject& file, const index::FileRow& row) {
        members.add(mets::seda_content_name(file.id, file.path), row.size_bytes, row.crc32);
      }));
    }
    return {};
  }

  store::Store& store_;
  const json::Object& transfer_;
  const mets::SedaVersion version_;
  const std::stop_token stop_;
  std::shared_ptr<StoredMembers> stored_;
  TextList slugs_;             // in their order as bytes
  std::vector<Pinned> items_;  // likewise
  std::vector<Edge> edges_;
  std::vector<std::uint8_t> heights_;  // levels of each item and what hangs below it
  std::string first_date_, last_date_;
  std::size_t memory_bytes_ = 0;
};

}  // namespace

struct SedaArchives::Making {
  std::string key;
  std::size_t waiting = 0;  // Guarded by the archives' mutex, as is the result.
  bool done = false;
  Result<Archive> result = Error(Code::internal, "the making of a manifest ended early");
};

std::string seda_etag(const json::Object& transfer, mets::SedaVersion version) {
  return "\"" + json::text_at(transfer, "seal_digest").substr(0, 32) + "-seda" +
         std::string(mets::seda_version_text(version)) + "-" + std::to_string(kSedaSerialisation) +
         "\"";
}

SedaArchives::SedaArchives(store::Store& store, std::chrono::milliseconds wait_max)
    : store_(store), wait_max_(wait_max), kept_(kArchiveBytesKept, kArchivesKept) {}

SedaArchives::Archive SedaArchives::made(const json::Object& transfer, mets::SedaVersion version) {
  return kept_.find(key_of(transfer, version));
}

void SedaArchives::stop() {
  const std::scoped_lock lock(mutex_);
  stop_.request_stop();
  changed_.notify_all();
}

Result<SedaArchives::Archive> SedaArchives::archive(const json::Object& transfer,
                                                    mets::SedaVersion version) {
  const std::string key = key_of(transfer, version);
  const auto deadline = std::chrono::steady_clock::now() + wait_max_;
  std::unique_lock lock(mutex_);
  while (true) {
    if (auto there = kept_.find(key)) return there;
    if (stop_.stop_requested()) return shutting_down();
    if (!making_) break;
    const auto other = making_;
    const bool same = other->key == key;
    std::size_t& waiting = same ? other->waiting : waiting_;
    if (waiting >= (same ? kWaitingForOneMax : kWaitingMax)) return being_made();
    ++waiting;
    const bool in_time =
        changed_.wait_until(lock, deadline, [&] { return other->done || stop_.stop_requested(); });
    --waiting;
    if (same && other->done) return other->result;
    if (!in_time) return being_made();
  }
  const auto making = std::make_shared<Making>();
  making->key = key;
  making_ = making;
  lock.unlock();
  return make(making, transfer, version);
}

Result<SedaArchives::Archive> SedaArchives::make(const std::shared_ptr<Making>& making,
                                                 const json::Object& transfer,
                                                 mets::SedaVersion version) {
  // Also where memory runs out: those who wait must not wait for ever.
  const std::shared_ptr<void> leave(nullptr, [this, making](void*) {
    const std::scoped_lock lock(mutex_);
    making->done = true;
    making_ = nullptr;
    changed_.notify_all();
  });
  Builder builder(store_, transfer, version, stop_.get_token());
  auto built = builder.run();
  const std::scoped_lock lock(mutex_);
  making->result = built;
  if (built) kept_.add(making->key, *built, builder.memory_bytes());
  return built;
}

}  // namespace versement::transfer
