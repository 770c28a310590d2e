#include "service/ingest/run.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <optional>

#include <malloc.h>

#include "bagit/tagfile.hpp"
#include "service/ingest/bag_deposit.hpp"
#include "service/ingest/identify.hpp"
#include "service/ingest/unpack.hpp"
#include "store/base/limits.hpp"
#include "store/base/log.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"
#include "store/query.hpp"

namespace versement::ingest {
namespace {

constexpr std::size_t kIdentifyBytes = 64 * 1024;
// Of items that are stored: 2 MiB of their plans. Giving it back takes milliseconds.
constexpr std::uint64_t kItemsATrim = 4096;

enum class Outcome { stored, updated, unchanged, rejected };

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::stored:
      return "stored";
    case Outcome::updated:
      return "updated";
    case Outcome::unchanged:
      return "unchanged";
    case Outcome::rejected:
      return "rejected";
  }
  return "rejected";
}

// Where the bytes of a deposited file lie.
struct Place {
  Disk& disk;
  Path path;
  bool ours = false;  // unpacked by us: nobody else changes it
};

// Reads a deposited file and notices when it changes meanwhile.
class DepositSource : public Source {
 public:
  DepositSource(Place place, const PlannedFile& file, std::atomic<std::uint64_t>& counter)
      : place_(std::move(place)),
        planned_(file),
        file_(place_.disk, place_.path, file.size_bytes),
        counter_(counter) {}

  std::uint64_t size_bytes() const override { return planned_.size_bytes; }

  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
    auto count = file_.read_at(offset, into);
    if (!count && count.error().code() == Code::corrupt) return changed();
    if (!count) return count;
    if (offset < kIdentifyBytes) {
      const auto* const bytes = reinterpret_cast<const char*>(into.data());
      beginning_.append(bytes, std::min(*count, kIdentifyBytes - beginning_.size()));
    }
    counter_ += *count;
    return count;
  }

  // Errors: conflict ("file-changed").
  Result<void> check_unchanged() {
    TRY_SET(const FileInfo info, place_.disk.info(place_.path));
    const bool touched = !place_.ours && info.modified_ms != planned_.modified_ms;
    if (info.size_bytes != planned_.size_bytes || touched) return changed();
    return {};
  }

  mets::Format format() const { return identify(as_bytes(beginning_)); }

 private:
  Error changed() const {
    return Error(Code::conflict, planned_.deposit_path + " changed while it was read")
        .as("file-changed");
  }

  const Place place_;
  const PlannedFile& planned_;
  FileSource file_;
  std::atomic<std::uint64_t>& counter_;
  std::string beginning_;
};

// SHA-512 of each file of an item, in the plan's order.
struct ItemDigests {
  std::vector<Digest> files;
  std::vector<Digest> documentation;
};

// By the number of the file in the plan.
using DigestAt = std::function<const Digest&(std::size_t)>;

DigestAt digests_at(const std::vector<Digest>& digests) {
  return [&digests](std::size_t i) -> const Digest& { return digests[i]; };
}

// What makes two deposits of an item the same: description, original, and the digest of each file.
// It is the SHA-256 of the canonical JSON text of an object with these members, which is never in
// memory as a whole.
std::string fingerprint_of(const PlannedItem& item,
                           const DigestAt& of_file,
                           const DigestAt& of_doc) {
  Hasher hasher{Algorithm::sha256};
  const auto add = [&](std::string_view text) { hasher.update(as_bytes(text)); };
  const auto list = [&](const std::vector<PlannedFile>& files, const DigestAt& of) {
    std::string text = "[";
    for (std::size_t i = 0; i < files.size(); ++i) {
      if (i > 0) text += ',';
      text += json::write(json::Array{files[i].data_path.text(), of(i).hex()});
      if (text.size() < limits::kChunkBytes) continue;
      add(text);
      text.clear();
    }
    add(text + "]");
  };
  add("{");
  if (!item.documentation.empty()) {
    add("\"documentation\":");
    list(item.documentation, of_doc);
    add(",");
  }
  add("\"files\":");
  list(item.files, of_file);
  add(",\"metadata\":" + json::write(mets::to_json(item.notice.description())));
  add(",\"original\":" + json::write(mets::to_json(item.notice.original())));
  if (!item.parts.empty()) {
    json::Array parts;
    for (const std::string& part : item.parts)
      parts.emplace_back(part);
    add(",\"parts\":" + json::write(parts));
  }
  add("}");
  return hasher.finish().front().hex();
}

// The files of a deposit, for whoever reads its METS.
class StagedFiles {
 public:
  explicit StagedFiles(const store::Deposit& deposit) : deposit_(deposit) {}

  std::optional<mets::Found> find(const std::string& path) {
    const auto& rows = deposit_.rows();
    for (std::size_t i = by_path_.size(); i < rows.size(); ++i)
      by_path_.push_back(i);
    const auto before = [&](std::size_t a, std::size_t b) { return rows[a].path < rows[b].path; };
    if (sorted_ < by_path_.size()) std::sort(by_path_.begin(), by_path_.end(), before);
    sorted_ = by_path_.size();
    const auto at = std::lower_bound(
        by_path_.begin(), by_path_.end(), path,
        [&](std::size_t number, const std::string& wanted) { return rows[number].path < wanted; });
    if (at == by_path_.end() || rows[*at].path != path) return std::nullopt;
    return mets::Found{.held = {.size_bytes = rows[*at].size_bytes, .sha512 = rows[*at].sha512},
                       .number = *at};
  }

 private:
  const store::Deposit& deposit_;
  std::vector<std::size_t> by_path_;
  std::size_t sorted_ = 0;  // rows that were there when it was sorted
};

class Ingest {
 public:
  Ingest(store::Store& store,
         const IngestRequest& request,
         IngestProgress& progress,
         const std::stop_token& stop)
      : store_(store), request_(request), progress_(progress), stop_(stop) {}

  Result<IngestResult> run() {
    const Looked looked = [this](std::uint64_t done, std::uint64_t total) {
      progress_.done_bytes = done;
      progress_.total_bytes = total;
    };
    TRY_SET(Plan plan, make_plan(deposit_disk_, request_.folder, request_.defaults, stop_, looked));
    // What the plan was made from is free now, but in the arena of this thread: others would take
    // as much again.
    (void)::malloc_trim(0);
    progress_.done_bytes = 0;
    progress_.total_bytes = 0;
    findings_ = std::move(plan.findings);
    result_.items_found = plan.items.size();
    progress_.total_items = plan.items.size();
    for (const PlannedItem& item : plan.items)
      progress_.total_bytes += item.size_bytes();
    done_.resize(plan.items.size());
    {
      Pool pool(request_.workers, request_.workers * 2);
      for (std::size_t i = 0; i < plan.items.size() && !fatal(); ++i) {
        pool.run([this, &item = plan.items[i], i] {
          one(item, i);
          forget(&item);
        });
      }
    }
    if (fatal_) return std::move(*fatal_);
    // One that has no outcome ended by an exception, of which the log has a line.
    if (std::any_of(done_.begin(), done_.end(), [](const Done& done) { return !done.outcome; })) {
      return Error(Code::internal, "not every item could be looked at; the log says why");
    }
    return finish(plan);
  }

 private:
  bool fatal() {
    const std::scoped_lock lock(mutex_);
    if (!fatal_ && stop_.stop_requested())
      fatal_ = Error(Code::cancelled, "the ingest was stopped");
    return fatal_.has_value();
  }

  // Failures of the machine end the ingest; failures of one item do not.
  static bool is_fatal(const Error& error) {
    switch (error.code()) {
      case Code::no_space:
      case Code::unavailable:
      case Code::cancelled:
      case Code::internal:
      case Code::io:
        return true;
      default:
        return error.reason() == "read-back-mismatch";
    }
  }

  void one(const PlannedItem& item, std::size_t index) {
    if (fatal()) return;
    auto outcome = item.rejected ? Result<Outcome>(Outcome::rejected) : store_item(item);
    if (!outcome && is_fatal(outcome.error())) {
      const std::scoped_lock lock(mutex_);
      if (!fatal_) fatal_ = std::move(outcome).error().during(item.slug.text());
      return;
    }
    if (!outcome) {
      const Error& error = outcome.error();
      add_finding({.code = error.reason().empty() ? "item-rejected" : error.reason(),
                   .severity = Severity::error,
                   .detail = error.what(),
                   .remedy = "",
                   .path = item.files.empty() ? std::string() : item.files.front().deposit_path,
                   .row = item.row,
                   .item = item.slug.text()});
    }
    done_[index] = {.outcome = outcome ? *outcome : Outcome::rejected,
                    .file_count = item.files.size(),
                    .size_bytes = item.size_bytes()};
    ++progress_.done_items;
  }

  // What nobody asks for once the item is stored: of a hundred thousand it adds up, and the room is
  // wanted elsewhere, by the index above all.
  void forget(PlannedItem* item) {
    item->notice = {};
    item->files = {};
    item->documentation = {};
    item->bag.reset();
    item->parts = {};
    if (++forgotten_ % kItemsATrim == 0) (void)::malloc_trim(0);
  }

  void add_finding(Finding finding) {
    const std::scoped_lock lock(mutex_);
    findings_.add(std::move(finding));
  }

  // The bytes of one item: where the deposit has them, or unpacked when they are first asked for.
  class Bytes {
   public:
    Bytes(Ingest& ingest, const PlannedItem& item) : ingest_(ingest), item_(item) {}

    // Errors: as those of Unpacked::make; no_space.
    Result<Place> place(const PlannedFile& file) {
      const IngestRequest& request = ingest_.request_;
      if (!item_.bag || !item_.bag->packed) {
        return Place{ingest_.deposit_disk_, request.folder / file.deposit_path};
      }
      if (!unpacked_) TRY(unpack());
      return Place{ingest_.store_.disk(), unpacked_->file(file.member), true};
    }

   private:
    Result<void> unpack() {
      const ReceivedBag& bag = *item_.bag;
      turn_ = std::unique_lock(ingest_.unpacking_);
      std::vector<Member> members;
      std::uint64_t bytes = 0;
      for (const auto* const files : {&item_.files, &item_.documentation}) {
        for (const PlannedFile& file : *files) {
          // The path in the deposit ends with the path in the bag.
          const bool payload = files == &item_.files;
          const std::string inside = payload ? "data/" + file.data_path.text()
                                             : file.data_path.text().substr(kBagFolder.size());
          members.push_back({file.member, bag.base + inside, file.size_bytes});
          bytes += file.size_bytes;
        }
      }
      std::sort(members.begin(), members.end(),
                [](const Member& a, const Member& b) { return a.number < b.number; });
      // Held until the bytes are there, when the disk itself says what is left.
      TRY_SET(const auto space, ingest_.store_.reserve(bytes, members.size()));
      const Path folder =
          ingest_.store_.layout().work / (std::string(store::kUnpackedPrefix) + item_.slug.text());
      TRY_SET(unpacked_, Unpacked::make({.disk = ingest_.deposit_disk_,
                                         .archive = bag.archive,
                                         .info = bag.archive_info,
                                         .limits = archive_limits()},
                                        ingest_.store_.disk(), folder, members, ingest_.stop_));
      return {};
    }

    Ingest& ingest_;
    const PlannedItem& item_;
    std::unique_lock<std::mutex> turn_;  // given back when what was unpacked is gone
    std::unique_ptr<Unpacked> unpacked_;
  };

  Result<Outcome> store_item(const PlannedItem& item) {
    const std::string slug = item.slug.text();
    TRY_SET(const auto claim, store_.claim("item " + lower_ascii(slug)));
    TRY(refuse_other_case(slug));
    Bytes bytes(*this, item);
    auto existing = store_.index().record(store::keys::item(slug));
    if (existing) return compare_existing(item, *existing, bytes);
    if (existing.error().code() != Code::not_found) return std::move(existing).error();
    if (request_.dry_run) {
      TRY(compare_supplied(item, bytes));
      return Outcome::stored;
    }
    return deposit(item, nullptr, bytes);
  }

  // Names that differ in case only cannot lie side by side everywhere a bag is unpacked.
  Result<void> refuse_other_case(const std::string& slug) {
    std::string other;
    const std::string prefix = store::keys::identifiers(search_key(slug));
    TRY(store_.index().scan(prefix, "", [&](std::string_view key, std::string_view) {
      const std::string_view found = store::keys::rest(key, prefix);
      if (found != slug && equal_ignoring_ascii_case(found, slug)) other = found;
      return other.empty();
    }));
    if (other.empty()) return {};
    return Error(Code::conflict, "the store has an item '" + other +
                                     "', whose name differs in case only; give one of them another "
                                     "identifier")
        .as("identifier-collision");
  }

  Result<Outcome> compare_existing(const PlannedItem& item,
                                   const json::Object& existing,
                                   Bytes& bytes) {
    const std::string slug = item.slug.text();
    TRY_SET(const json::Object version,
            store_.index().record(store::keys::version(
                slug, static_cast<std::uint32_t>(json::number_at(existing, "head_version")))));
    if (json::text_at(version, "ingest_id") == request_.job.text()) {
      return json::number_at(version, "number") > 1 ? Outcome::updated : Outcome::stored;
    }
    TRY_SET(const auto digests, digests_of_files(item, bytes));
    const std::string fingerprint =
        fingerprint_of(item, digests_at(digests.files), digests_at(digests.documentation));
    if (fingerprint == json::text_at(existing, "fingerprint")) {
      return Outcome::unchanged;
    }
    if (!request_.new_versions) {
      return Error(Code::exists,
                   "the store has an item '" + slug +
                       "' with other files or another description. To store this as its next "
                       "version: --new-versions; if it is another item, give it another identifier")
          .as("already-exists");
    }
    if (json::text_at(existing, "collection") != request_.collection.text()) {
      return Error(Code::conflict, "the item '" + slug + "' belongs to the collection '" +
                                       json::text_at(existing, "collection") +
                                       "'; a version does not move it to another")
          .as("other-collection");
    }
    TRY(tell_difference(item, existing, digests.files));
    if (request_.dry_run) {
      TRY(compare_supplied(item, bytes));
      return Outcome::updated;
    }
    return deposit(item, &existing, bytes);
  }

  // The finding that says what the next version changes.
  Result<void> tell_difference(const PlannedItem& item,
                               const json::Object& existing,
                               const std::vector<Digest>& digests) {
    std::map<std::string, Digest> before;
    TRY(store::for_each_file(store_, item.slug.text(),
                             static_cast<std::uint32_t>(json::number_at(existing, "head_version")),
                             [&](const index::FileRow& row) {
                               if (row.role == "payload") before[row.path] = row.sha512;
                               return true;
                             }));
    std::size_t added = 0;
    std::size_t replaced = 0;
    for (std::size_t i = 0; i < item.files.size(); ++i) {
      const auto found = before.find(mets::payload_folder() + item.files[i].data_path.text());
      if (found == before.end()) {
        ++added;
        continue;
      }
      if (found->second != digests[i]) ++replaced;
      before.erase(found);
    }
    std::string detail = "version " + std::to_string(json::number_at(existing, "head_version") + 1);
    detail += " of the item: files " + std::to_string(added) + " added, " +
              std::to_string(replaced) + " replaced, " + std::to_string(before.size()) +
              " left out";
    if (added + replaced + before.size() == 0)
      detail += "; another description or other documentation";
    add_finding({.code = "new-version",
                 .severity = Severity::info,
                 .detail = std::move(detail),
                 .remedy = "",
                 .path = item.files.empty() ? std::string() : item.files.front().deposit_path,
                 .row = item.row,
                 .item = item.slug.text()});
    return {};
  }

  // Finds in a dry run what the real one would find while it stores the bytes.
  Result<void> compare_supplied(const PlannedItem& item, Bytes& bytes) {
    if (item.bag) return {};  // Every byte was compared when the bag was judged.
    for (const PlannedFile& file : item.files) {
      std::vector<Algorithm> algorithms;
      for (const Digest& digest : file.supplied)
        algorithms.push_back(digest.algorithm());
      if (algorithms.empty()) algorithms.push_back(Algorithm::sha512);  // It can be read, at least.
      TRY_SET(const std::vector<Digest> found, read_digests(file, algorithms, bytes));
      for (std::size_t i = 0; i < file.supplied.size(); ++i) {
        if (found[i] == file.supplied[i]) continue;
        return Error(Code::invalid, file.deposit_path + ": the supplied " +
                                        std::string(algorithm_name(found[i].algorithm())) + " is " +
                                        file.supplied[i].hex() + ", but the file has " +
                                        found[i].hex())
            .as("digest-mismatch");
      }
    }
    return {};
  }

  Result<std::vector<Digest>> read_digests(const PlannedFile& file,
                                           std::span<const Algorithm> algorithms,
                                           Bytes& bytes) {
    TRY_SET(Place place, bytes.place(file));
    DepositSource source(std::move(place), file, progress_.done_bytes);
    std::vector<std::byte> buffer(limits::kChunkBytes);
    Hasher hasher(algorithms);
    for (std::uint64_t offset = 0; offset < file.size_bytes;) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "the ingest was stopped");
      TRY_SET(const std::size_t count, source.read_at(offset, buffer));
      hasher.update(std::span<const std::byte>(buffer).first(count));
      offset += count;
    }
    return hasher.finish();
  }

  // Reads the deposit's files without storing them.
  Result<ItemDigests> digests_of_files(const PlannedItem& item, Bytes& bytes) {
    ItemDigests digests;
    TRY_SET(digests.files, digests_of_files(item.files, bytes));
    TRY_SET(digests.documentation, digests_of_files(item.documentation, bytes));
    return digests;
  }

  Result<std::vector<Digest>> digests_of_files(const std::vector<PlannedFile>& files,
                                               Bytes& bytes) {
    std::vector<Digest> digests;
    constexpr std::array kAlgorithms{Algorithm::sha512};
    for (const PlannedFile& file : files) {
      TRY_SET(const std::vector<Digest> found, read_digests(file, kAlgorithms, bytes));
      digests.push_back(found.front());
    }
    return digests;
  }

  Result<ObjectId> new_object_id(const PlannedItem& item) {
    if (request_.naan.empty()) return ObjectId::of_uuid(Uuid::at(store_.clock().now()));
    return ObjectId::parse("ark:/" + request_.naan + "/" + item.slug.text());
  }

  // When the versions of an item were made, the first one first.
  Result<std::vector<Timestamp>> versions_of(const PlannedItem& item, std::uint64_t head) {
    std::vector<Timestamp> times;
    for (std::uint32_t number = 1; number <= head; ++number) {
      TRY_SET(const json::Object version,
              store_.index().record(store::keys::version(item.slug.text(), number)));
      TRY_SET(const Timestamp time, Timestamp::parse(json::text_at(version, "created_at")));
      times.push_back(time);
    }
    return times;
  }

  // What audits found since the newest version of an item.
  Result<mets::FixityChecks> checks_of(const PlannedItem& item) {
    TRY_SET(const json::Object state,
            store::verification_record(store_, "item " + item.slug.text()));
    const json::Object& counted = json::object_at(state, "checks");
    mets::FixityChecks checks;
    checks.count = json::number_at(counted, "count");
    if (checks.count == 0) return checks;
    checks.damaged = json::number_at(counted, "damaged");
    checks.last_damaged = json::flag_at(counted, "last_damaged");
    TRY_SET(checks.first, Timestamp::parse(json::text_at(counted, "first_at")));
    TRY_SET(checks.last, Timestamp::parse(json::text_at(counted, "last_at")));
    return checks;
  }

  Result<std::unique_ptr<store::Deposit>> begin(const PlannedItem& item,
                                                const json::Object* existing) {
    if (existing == nullptr) {
      TRY_SET(const ObjectId object, new_object_id(item));
      return store_.begin(object);
    }
    TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(*existing, "object")));
    return store_.begin_version(object, json::text_at(*existing, "inventory_digest"));
  }

  // Stores a new item, or the next version of an existing one.
  Result<Outcome> deposit(const PlannedItem& item, const json::Object* existing, Bytes& bytes) {
    // Metadata, inventories and folders come on top of the payload.
    constexpr std::uint64_t kPackageBytes = 128 * 1024;
    const std::size_t count = item.files.size() + item.documentation.size();
    // What is unpacked lies there before this asks for room.
    if (count > 0) {
      TRY(bytes.place(item.files.empty() ? item.documentation.front() : item.files.front()));
    }
    TRY_SET(
        const auto space,
        store_.reserve(item.size_bytes() + item.documentation_bytes() + kPackageBytes, count + 16));
    TRY_SET(auto deposit, begin(item, existing));
    deposit->expect(count + 16);

    journal::Event event = store_.event(journal::type::kIngestion, request_.agent);
    mets::PackageInput package;
    package.objid = item.slug.text();
    package.description = item.notice.description();
    package.original = item.notice.original();
    package.archivist = request_.archivist;
    if (item.bag) {
      package.received = item.bag->label;
      if (package.archivist.empty()) package.archivist.name = item.bag->sender;
    }
    package.created = event.time;
    package.parts = item.parts;
    package.read_back = store_.verifies_after_write();
    if (existing != nullptr) {
      TRY_SET(package.earlier, versions_of(item, json::number_at(*existing, "head_version")));
      TRY_SET(package.checks, checks_of(item));
    }
    for (const PlannedFile& file : item.files) {
      TRY(add_file(*deposit, file, mets::payload_folder() + file.data_path.text(), "payload",
                   bytes));
    }
    std::vector<Digest> documentation;
    for (const PlannedFile& file : item.documentation) {
      TRY_SET(const index::FileRow row,
              add_file(*deposit, file, mets::documentation_folder() + file.data_path.text(),
                       "documentation", bytes));
      documentation.push_back(row.sha512);
      package.documentation.push_back({.path = file.data_path.text(),
                                       .size_bytes = row.size_bytes,
                                       .sha512 = row.sha512,
                                       .media_type = row.media_type});
    }
    package.files = payload_of(item, *deposit);
    TRY(add_package_files(package, *deposit));

    event.objects["item"] = item.slug.text();
    event.objects["collection"] = request_.collection.text();
    event.objects["job"] = request_.job.text();
    event.detail["metadata"] = mets::to_json(package.description);
    if (!package.original.empty()) {
      event.detail["original"] = mets::to_json(package.original);
    }
    event.detail["source_identifier"] = item.source_identifier;
    if (!item.folder.empty()) event.detail["folder"] = item.folder;
    // The payload was added first: the rows have its digests, in the plan's order.
    const DigestAt payload = [&](std::size_t i) -> const Digest& {
      return deposit->rows()[i].sha512;
    };
    event.detail["fingerprint"] = fingerprint_of(item, payload, digests_at(documentation));
    if (item.bag) event.detail["bag"] = facts_of(item, documentation);
    event.detail["message"] = kMessage;
    event.detail["read_back"] = package.read_back;
    const ocfl::VersionNote note{
        .created = event.time,
        .message = std::string(kMessage),
        .user_name = request_.agent,
        .user_address = "urn:versement:agent:" + percent_encode(request_.agent)};
    TRY(store_.commit(std::move(deposit), note, std::move(event)));
    bytes_stored_ += item.size_bytes();
    return existing == nullptr ? Outcome::stored : Outcome::updated;
  }

  // With the digests of its tag manifests everything that came in can be proven later: they list
  // the manifests. A bag without has only these.
  static json::Object facts_of(const PlannedItem& item, const std::vector<Digest>& documentation) {
    json::Object facts = item.bag->facts;
    json::Object manifests;
    json::Object tag_manifests;
    for (std::size_t i = 0; i < documentation.size(); ++i) {
      const std::string& path = item.documentation[i].data_path.text();
      const std::string_view name = std::string_view(path).substr(kBagFolder.size());
      const auto manifest = bagit::parse_manifest_name(name);
      if (manifest) (manifest->tag ? tag_manifests : manifests)[name] = documentation[i].hex();
    }
    facts["manifests_sha512"] = tag_manifests.empty() ? manifests : tag_manifests;
    return facts;
  }

  // Stores one file of the deposit; tells its format.
  Result<index::FileRow> add_file(store::Deposit& deposit,
                                  const PlannedFile& file,
                                  const std::string& path,
                                  std::string role,
                                  Bytes& bytes) {
    TRY_SET(Place place, bytes.place(file));
    DepositSource source(std::move(place), file, progress_.done_bytes);
    // The format is known once the beginning has been read, which add() does.
    index::FileRow row;
    row.role = std::move(role);
    row.original_name = file.deposit_path;
    TRY_SET(row,
            deposit.add(LogicalPath::literal(path), source, file.supplied, std::move(row), stop_));
    TRY(source.check_unchanged());
    mets::Format format = source.format();
    row.media_type = std::move(format.media_type);
    row.puid = std::move(format.puid);
    row.format_name = std::move(format.name);
    row.format_version = std::move(format.version);
    deposit.describe(row);
    return row;
  }

  // The deposit's rows are the only list of the files: the payload is what was added first.
  static mets::Payload payload_of(const PlannedItem& item, const store::Deposit& deposit) {
    return {.count = item.files.size(),
            .for_each = [&](const mets::Payload::Each& each) -> Result<void> {
              for (std::size_t i = 0; i < item.files.size(); ++i) {
                const PlannedFile& file = item.files[i];
                const index::FileRow& row = deposit.rows()[i];
                TRY(each({.path = file.data_path.text(),
                          .size_bytes = row.size_bytes,
                          .sha512 = row.sha512,
                          .format = {.media_type = row.media_type,
                                     .name = row.format_name,
                                     .version = row.format_version,
                                     .puid = row.puid},
                          .original_name = file.deposit_path,
                          .digest_supplied = !file.supplied.empty()}));
              }
              return {};
            }};
  }

  // Writes METS, PREMIS and the rest into the deposit while they are rendered, and reads each METS
  // as it comes.
  static Result<void> add_package_files(const mets::PackageInput& package,
                                        store::Deposit& deposit) {
    StagedFiles files(deposit);
    mets::PackageCheck check([&](const std::string& path) { return files.find(path); });
    TRY(mets::render_package(
        package, [&](const mets::GeneratedFile& file, const Produce& bytes) -> Result<mets::Held> {
          index::FileRow row;
          row.role = file.role;
          row.media_type = file.media_type;
          TRY_SET(row, deposit.add(LogicalPath::literal(file.path), check.reading(file.path, bytes),
                                   std::move(row)));
          return mets::Held{.size_bytes = row.size_bytes, .sha512 = row.sha512};
        }));
    return check.finish(deposit.rows().size());
  }

  Result<IngestResult> finish(const Plan& plan) {
    TRY_SET(const auto evidence, store_.begin_evidence());
    json::Object header;
    header["kind"] = "ingest";
    header["job"] = request_.job.text();
    header["folder"] = request_.folder.native();
    header["collection"] = request_.collection.text();
    header["dry_run"] = request_.dry_run;
    TRY(evidence->line(header));
    for (std::size_t i = 0; i < plan.items.size(); ++i) {
      const Outcome outcome = *done_[i].outcome;
      result_.items_stored += outcome == Outcome::stored ? 1 : 0;
      result_.items_updated += outcome == Outcome::updated ? 1 : 0;
      result_.items_unchanged += outcome == Outcome::unchanged ? 1 : 0;
      result_.items_rejected += outcome == Outcome::rejected ? 1 : 0;
      json::Object line;
      line["kind"] = "item";
      line["item_id"] = plan.items[i].slug.text();
      line["outcome"] = outcome_name(outcome);
      line["row"] = plan.items[i].row;
      line["file_count"] = done_[i].file_count;
      line["size_bytes"] = done_[i].size_bytes;
      TRY(evidence->line(line));
    }
    for (const Finding& finding : findings_.kept()) {
      json::Object line = to_json(finding);
      line["kind"] = "finding";
      TRY(evidence->line(line));
    }
    if (findings_.left_out() > 0) {
      json::Object line;
      line["kind"] = "findings-left-out";
      line["count"] = findings_.left_out();
      TRY(evidence->line(line));
    }
    TRY_SET(result_.evidence_digest, evidence->finish());
    result_.errors = findings_.count(Severity::error);
    result_.warnings = findings_.count(Severity::warning);
    result_.infos = findings_.count(Severity::info);
    result_.bytes_stored = bytes_stored_;
    return result_;
  }

  static constexpr std::string_view kMessage = "Ingest";

  store::Store& store_;
  NoLinksDisk deposit_disk_;
  const IngestRequest& request_;
  IngestProgress& progress_;
  const std::stop_token& stop_;
  // What became of an item of the plan.
  struct Done {
    std::optional<Outcome> outcome;
    std::size_t file_count = 0;
    std::uint64_t size_bytes = 0;
  };
  std::vector<Done> done_;  // each written by one task
  std::atomic<std::uint64_t> bytes_stored_{0};
  std::atomic<std::uint64_t> forgotten_{0};  // items
  // One archive at a time is unpacked: they need twice their room.
  std::mutex unpacking_;
  std::mutex mutex_;
  Findings findings_;           // Guarded by mutex_ while items are stored.
  std::optional<Error> fatal_;  // likewise
  IngestResult result_;
};

}  // namespace

json::Object IngestResult::to_json() const {
  json::Object object;
  object["items_found"] = items_found;
  object["items_stored"] = items_stored;
  object["items_updated"] = items_updated;
  object["items_unchanged"] = items_unchanged;
  object["items_rejected"] = items_rejected;
  object["bytes_stored"] = bytes_stored;
  object["errors"] = errors;
  object["warnings"] = warnings;
  object["infos"] = infos;
  object["evidence_digest"] = evidence_digest;
  return object;
}

Result<IngestResult> run_ingest(store::Store& store,
                                const IngestRequest& request,
                                IngestProgress& progress,
                                const std::stop_token& stop) {
  return Ingest(store, request, progress, stop).run();
}

}  // namespace versement::ingest
