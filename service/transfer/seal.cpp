#include "service/transfer/seal.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "bagit/plan_tree.hpp"
#include "bagit/tagfile.hpp"
#include "bagit/tar.hpp"
#include "bagit/validate.hpp"
#include "mets/bordereau.hpp"
#include "mets/package.hpp"
#include "service/transfer/bag.hpp"
#include "service/transfer/state.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"
#include "store/query.hpp"

namespace versement::transfer {
namespace {

namespace keys = store::keys;

constexpr std::chrono::hours kDefaultFixityAge{7 * 24};

struct Pinned {
  std::string slug;
  std::uint32_t version = 1;
  std::string object;
  std::string inventory;
  std::uint64_t package_files = 0;
  std::uint64_t package_bytes = 0;
  std::uint64_t payload_files = 0;
  std::uint64_t payload_bytes = 0;
  mets::Description description;
  mets::Original original;
};

struct TagFile {
  std::string path;
  std::string bytes;
  std::string media_type;
  std::string role;
};

mets::Organisation organisation_of(const json::Object& agreement, std::string_view name) {
  const json::Object& party = json::object_at(agreement, name);
  return {.id = json::text_at(party, "id"), .name = json::text_at(party, "name")};
}

class Sealer {
 public:
  Sealer(store::Store& store,
         const SealOptions& options,
         SealProgress& progress,
         const std::stop_token& stop)
      : store_(store), options_(options), progress_(progress), stop_(stop) {}

  Result<json::Object> run(const std::string& id) {
    TRY_SET(const auto claim, store_.claim("transfer " + id));
    TRY_SET(transfer_, store::transfer_record(store_, id));
    const auto state = state_of_name(json::text_at(transfer_, "state"));
    if (state && *state == State::sealed) return result();  // An earlier attempt got there.
    if (!state) return Error(Code::internal, "a transfer without a state");
    TRY(next_state(*state, Act::seal));
    TRY_SET(agreement_, store::agreement_record(store_, json::text_at(transfer_, "agreement")));
    event_ = store_.event(journal::type::kTransferSealed, options_.agent);
    TRY(pin_items());
    TRY(verify_items());
    TRY(collect_manifests());
    TRY(render_tag_files());
    TRY(judge());
    TRY(store_tag_files());
    TRY_SET(transfer_, store::transfer_record(store_, id));
    return result();
  }

 private:
  json::Object result() const {
    json::Object object;
    object["transfer"] = json::text_at(transfer_, "id");
    object["seal_digest"] = json::text_at(transfer_, "seal_digest");
    object["item_count"] = json::number_at(transfer_, "item_count");
    object["file_count"] = json::number_at(transfer_, "file_count");
    object["size_bytes"] = json::number_at(transfer_, "size_bytes");
    return object;
  }

  Result<void> pin_items() {
    std::vector<std::string> slugs;
    const std::string prefix = keys::transfer_items(json::text_at(transfer_, "id"));
    TRY(store_.index().scan(prefix, "", [&](std::string_view key, std::string_view) {
      slugs.emplace_back(keys::rest(key, prefix));
      return true;
    }));
    if (slugs.empty()) {
      return Error(Code::conflict, "the transfer has no items; add some before it is sealed")
          .as("transfer-empty");
    }
    progress_.total_items = slugs.size();
    for (const std::string& slug : slugs) {
      TRY_SET(const json::Object item, store::item_record(store_, slug));
      Pinned pinned;
      pinned.slug = slug;
      pinned.version = static_cast<std::uint32_t>(json::number_at(item, "head_version"));
      pinned.object = json::text_at(item, "object");
      pinned.inventory = json::text_at(item, "inventory_digest");
      pinned.package_files = json::number_at(item, "package_file_count");
      pinned.package_bytes = json::number_at(item, "package_size_bytes");
      pinned.payload_files = json::number_at(item, "file_count");
      pinned.payload_bytes = json::number_at(item, "size_bytes");
      pinned.description = mets::description_of(json::object_at(item, "metadata"));
      pinned.original = mets::original_of(json::object_at(item, "original"));
      items_.push_back(std::move(pinned));
    }
    return {};
  }

  // Every byte was verified recently enough, or is now.
  Result<void> verify_items() {
    std::chrono::milliseconds age = kDefaultFixityAge;
    if (const std::string text = json::text_at(agreement_, "max_fixity_age"); !text.empty()) {
      TRY_SET(age, parse_duration(text));
    }
    const Timestamp oldest = event_.time + (-age);
    for (const Pinned& item : items_) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "the sealing was stopped");
      TRY(refuse_open_incident(item.slug));
      TRY_SET(const json::Object state, store::verification_record(store_, "item " + item.slug));
      const auto last = Timestamp::parse(json::text_at(state, "last_verified_at"));
      const bool fresh = json::text_at(state, "state") == "verified" && last && *last >= oldest;
      if (!fresh) {
        auto verified = options_.verify(item.slug);
        if (!verified && verified.error().code() == Code::cancelled) return verified;
        if (!verified) {
          return std::move(verified).error().during("item " + item.slug).as("payload-not-verified");
        }
        ++verified_now_;
      }
      ++progress_.done_items;
    }
    return {};
  }

  Result<void> refuse_open_incident(const std::string& slug) {
    bool open = false;
    TRY(store_.index().scan(keys::Key('X').text("item " + slug).get(), "",
                            [&](std::string_view, std::string_view) {
                              open = true;
                              return false;
                            }));
    if (!open) return {};
    return Error(Code::conflict, "item '" + slug +
                                     "' has an open incident; repair or close it before it is "
                                     "handed over")
        .as("open-incident");
  }

  bool wants_sha256() const {
    for (const json::Value& value : json::array_at(agreement_, "digest_algorithms")) {
      if (value.is_string() && value.get_string() == "sha256") return true;
    }
    return false;
  }

  void list_payload(const std::string& path,
                    const Digest& sha512,
                    const Digest& sha256,
                    std::uint64_t size_bytes) {
    bagit::append_manifest_line(sha512, path, &manifest_sha512_);
    if (wants_sha256()) bagit::append_manifest_line(sha256, path, &manifest_sha256_);
    octets_ += size_bytes;
    ++streams_;
  }

  Result<void> collect_manifests() {
    std::vector<mets::TransferEntry> entries;
    for (const Pinned& item : items_) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "the sealing was stopped");
      mets::TransferEntry entry;
      entry.slug = item.slug;
      entry.label = mets::any_of(item.description.title);
      bool whole = true;
      TRY(store::for_each_file(store_, item.slug, item.version, [&](const index::FileRow& row) {
        if (row.path == "METS.xml") {
          entry.mets_sha512 = row.sha512;
          entry.mets_size_bytes = row.size_bytes;
        }
        // A row without a content path is one whose object was damaged when the index was made.
        whole = whole && !row.content_path.empty();
        list_payload("data/" + item.slug + "/" + row.path, row.sha512, row.sha256, row.size_bytes);
        return true;
      }));
      if (!whole || entry.mets_size_bytes == 0) {
        return Error(Code::corrupt, "item '" + item.slug + "' is not whole in the store")
            .as("payload-not-verified");
      }
      entries.push_back(std::move(entry));
    }
    std::string mets;
    const auto rendered = mets::render_transfer_mets(
        {.objid = json::text_at(transfer_, "reference"),
         .label = title(),
         .created = event_.time,
         .archivist = organisation_of(agreement_, "transferring_agency"),
         .preservation = organisation_of(agreement_, "archival_agency"),
         .entries = [&](const mets::TransferMets::Each& each) -> Result<void> {
           for (const mets::TransferEntry& entry : entries)
             TRY(each(entry));
           return {};
         }},
        [&](std::string_view piece) -> Result<void> {
          mets += piece;
          return {};
        });
    TRY(rendered);
    add("data/METS.xml", mets, "application/xml", "metadata");
    list_payload("data/METS.xml", digest_of(Algorithm::sha512, mets),
                 digest_of(Algorithm::sha256, mets), mets.size());
    return {};
  }

  std::string title() const {
    return mets::any_of(mets::localized_of(json::object_at(transfer_, "title")));
  }

  void add(std::string path, std::string bytes, std::string media_type, std::string role) {
    files_.push_back({std::move(path), std::move(bytes), std::move(media_type), std::move(role)});
  }

  mets::Bordereau bordereau() const {
    mets::Bordereau b;
    b.reference = json::text_at(transfer_, "reference");
    b.operation = json::text_at(transfer_, "id");
    b.title = mets::localized_of(json::object_at(transfer_, "title"));
    b.description = mets::localized_of(json::object_at(transfer_, "description"));
    b.agreement = json::text_at(agreement_, "reference");
    if (b.agreement.empty()) b.agreement = json::text_at(agreement_, "id");
    b.transferring_agency = organisation_of(agreement_, "transferring_agency");
    b.archival_agency = organisation_of(agreement_, "archival_agency");
    b.sealed_at = event_.time;
    b.manifest_sha512 = digest_of(Algorithm::sha512, manifest_sha512_).hex();
    return b;
  }

  // Takes the descriptions: nothing else needs them.
  void add_bordereau() {
    mets::Bordereau head = bordereau();
    std::vector<mets::BordereauRow> rows;
    for (Pinned& item : items_) {
      rows.push_back({.slug = item.slug,
                      .version = item.version,
                      .description = std::move(item.description),
                      .original = std::move(item.original),
                      .files = item.payload_files,
                      .bytes = item.payload_bytes});
      head.totals.add(rows.back());
    }
    for (const mets::BordereauForm& form : mets::bordereau_forms()) {
      std::string text = form.begin(head);
      for (const mets::BordereauRow& row : rows)
        text += form.row(row);
      add(std::string(form.file_name), text + form.end(), std::string(form.media_type),
          "documentation");
    }
  }

  std::string bag_name() const { return json::text_at(transfer_, "reference"); }

  bagit::BagInfo bag_info() const {
    return {{"Source-Organization", organisation_of(agreement_, "transferring_agency").name},
            {"External-Identifier", json::text_at(transfer_, "reference")},
            {"External-Description", title()},
            {"Bagging-Date", event_.time.date()},
            {"Bag-Size", human_bytes(octets_)},
            {"Payload-Oxum", std::to_string(octets_) + "." + std::to_string(streams_)},
            {"Bag-Software-Agent", std::string(kProgramName) + " " + kVersion},
            {"BagIt-Profile-Identifier", "urn:versement:bagit-profile:transfer:1"},
            {"E-ARK-Package-Type", "AIP"},
            {"E-ARK-Specification-Version", "2.2.0"},
            {"Versement-Transfer", json::text_at(transfer_, "id")}};
  }

  Result<void> render_tag_files() {
    add_bordereau();
    json::Object agreement = agreement_;
    add("versement/agreement.json", json::write_pretty(agreement) + "\n", "application/json",
        "metadata");
    // What the journal said when the transfer was sealed, signed: it covers the ingestion of every
    // item, and the receiver can hold us to it.
    add("versement/checkpoint.txt", store_.journal().checkpoint(), "text/plain", "metadata");
    add("versement/vkey.txt", store_.journal().key().text() + "\n", "text/plain", "metadata");
    add("versement/seal.json", seal_json(), "application/json", "metadata");

    add("bagit.txt", bagit::write_bagit_txt(), "text/plain", "metadata");
    add("bag-info.txt", bagit::write_bag_info(bag_info()), "text/plain", "metadata");
    add("manifest-sha512.txt", std::move(manifest_sha512_), "text/plain", "metadata");
    if (wants_sha256()) {
      add("manifest-sha256.txt", std::move(manifest_sha256_), "text/plain", "metadata");
    }
    std::sort(files_.begin(), files_.end(),
              [](const auto& left, const auto& right) { return left.path < right.path; });
    std::string tag_manifest;
    for (const TagFile& file : files_) {
      if (file.path.starts_with("data/")) continue;
      bagit::append_manifest_line(digest_of(Algorithm::sha512, file.bytes), file.path,
                                  &tag_manifest);
    }
    seal_digest_ = digest_of(Algorithm::sha512, tag_manifest).hex();
    add(std::string(kSealedFile), tag_manifest, "text/plain", "metadata");
    return {};
  }

  std::string seal_json() const {
    json::Object object;
    object["transfer"] = json::text_at(transfer_, "id");
    object["reference"] = json::text_at(transfer_, "reference");
    object["agreement"] = json::text_at(transfer_, "agreement");
    object["sealed_at"] = event_.time.text();
    object["serialisation"] = json::Object{{"tar", bagit::kTarSerialisation},
                                           {"zip", bagit::kZipSerialisation},
                                           {"holey", kHoleySerialisation}};
    // One line an item: a hundred thousand of them need no tree in memory.
    std::string text = json::write(object);
    text.back() = ',';
    text += "\n\"items\":[";
    for (const Pinned& item : items_) {
      if (text.back() != '[') text += ',';
      text += "\n" + json::write(item_line(item));
    }
    return text + "]}\n";
  }

  static json::Object item_line(const Pinned& item) {
    json::Object line;
    line["item_id"] = item.slug;
    line["version"] = item.version;
    line["object"] = item.object;
    line["inventory_digest"] = item.inventory;
    line["bag_directory"] = "data/" + item.slug;
    line["file_count"] = item.package_files;
    line["size_bytes"] = item.package_bytes;
    return line;
  }

  // The bag is judged as any receiver will judge it, before anything of it is stored: by its rules,
  // not by what this program meant to write. Content was verified item by item.
  Result<void> judge() {
    const auto list = [this](const bagit::PlanTree::Each& each) -> Result<void> {
      for (const TagFile& file : files_)
        TRY(each(file.path, file.bytes.size()));
      for (const Pinned& item : items_) {
        Result<void> named;
        TRY(store::for_each_file(store_, item.slug, item.version, [&](const index::FileRow& row) {
          named = each("data/" + item.slug + "/" + row.path, row.size_bytes);
          return static_cast<bool>(named);
        }));
        TRY(std::move(named));
      }
      return {};
    };
    const auto open = [this](std::size_t number) -> Result<std::shared_ptr<Source>> {
      if (number >= files_.size()) return Error(Code::internal, "payload is not read to seal it");
      return std::shared_ptr<Source>(std::make_shared<ViewSource>(files_[number].bytes));
    };
    bagit::PlanTree bag(bag_name(), list, open);
    bagit::ValidateOptions options;
    options.depth = bagit::Depth::complete;
    options.stop = stop_;
    TRY_SET(const bagit::Report report, bagit::validate(bag, options));
    if (report.verdict == bagit::Verdict::complete) return {};
    std::string first;
    for (const bagit::Finding& finding : report.findings) {
      if (first.empty() && finding.severity != bagit::Severity::warning) first = to_text(finding);
    }
    return Error(Code::internal,
                 "the bag of the transfer would not be valid, and was not sealed: " + first +
                     "; please report this as a defect");
  }

  Result<void> store_tag_files() {
    std::uint64_t bytes = 0;
    for (const TagFile& file : files_)
      bytes += file.bytes.size();
    TRY_SET(const auto space, store_.reserve(bytes, files_.size()));
    TRY_SET(const Uuid id, Uuid::parse(json::text_at(transfer_, "id")));
    TRY_SET(auto deposit, store_.begin(ObjectId::of_uuid(id)));
    for (TagFile& file : files_) {
      index::FileRow row;
      row.role = file.role;
      row.media_type = file.media_type;
      TRY(deposit->add(LogicalPath::literal(file.path), file.bytes, std::move(row)));
      file.bytes = std::string();  // Written: what comes next can have the memory.
    }
    TRY_SET(const auto evidence, store_.begin_evidence());
    for (const Pinned& item : items_)
      TRY(evidence->line(item_line(item)));
    TRY_SET(const std::string items_evidence, evidence->finish());

    event_.objects["transfer"] = id.text();
    event_.objects["job"] = options_.job;
    event_.detail["action"] = act_name(Act::seal);
    event_.detail["items_evidence"] = items_evidence;
    event_.detail["verified_now"] = verified_now_;
    json::Object set;
    set["state"] = state_name(State::sealed);
    set["sealed_at"] = event_.time.text();
    set["seal_digest"] = seal_digest_;
    set["bag_name"] = bag_name();
    set["payload_oxum"] = std::to_string(octets_) + "." + std::to_string(streams_);
    set["file_count"] = streams_ + files_.size() - 1;  // The METS counts once.
    set["size_bytes"] = octets_;
    set["serialisation"] = bagit::kTarSerialisation;
    event_.detail["set"] = std::move(set);
    const ocfl::VersionNote note{
        .created = event_.time,
        .message = "Seal of transfer " + bag_name(),
        .user_name = options_.agent,
        .user_address = "urn:versement:agent:" + percent_encode(options_.agent)};
    TRY(store_.commit(std::move(deposit), note, std::move(event_)));
    return {};
  }

  store::Store& store_;
  const SealOptions& options_;
  SealProgress& progress_;
  const std::stop_token& stop_;
  json::Object transfer_;
  json::Object agreement_;
  journal::Event event_;
  std::vector<Pinned> items_;  // by slug
  std::vector<TagFile> files_;
  std::string manifest_sha512_;
  std::string manifest_sha256_;
  std::string seal_digest_;
  std::uint64_t octets_ = 0;
  std::uint64_t streams_ = 0;
  std::uint64_t verified_now_ = 0;
};

}  // namespace

Result<json::Object> seal(store::Store& store,
                          const std::string& transfer_id,
                          const SealOptions& options,
                          SealProgress& progress,
                          const std::stop_token& stop) {
  return Sealer(store, options, progress, stop).run(transfer_id);
}

}  // namespace versement::transfer
