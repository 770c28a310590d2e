#include "service/transfer/seal.hpp"

#include <algorithm>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <vector>

#include "bagit/plan_tree.hpp"
#include "bagit/tagfile.hpp"
#include "bagit/tar.hpp"
#include "bagit/validate.hpp"
#include "mets/bordereau.hpp"
#include "mets/package.hpp"
#include "mets/table.hpp"
#include "service/transfer/bag.hpp"
#include "service/transfer/state.hpp"
#include "store/base/limits.hpp"
#include "store/base/spool.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"
#include "store/query.hpp"

namespace versement::transfer {
namespace {

namespace keys = store::keys;

constexpr std::chrono::hours kDefaultFixityAge{7 * 24};
constexpr std::uint64_t kPathBytes = 128;   // for the books: of a path in the bag
constexpr std::uint64_t kTagFilesMax = 24;  // with what OCFL adds to them

// What is kept of each item while the transfer is sealed: a hundred thousand of them are 50 MB.
struct Pinned {
  std::string slug;
  std::string label;
  std::string object;
  std::string inventory;
  std::uint32_t version = 1;
  std::uint64_t package_files = 0;
  std::uint64_t package_bytes = 0;
  Digest mets_sha512;  // of the package's METS.xml
  std::uint64_t mets_bytes = 0;
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
    TRY_SET(const auto space, store_.reserve(expected_bytes(), kTagFilesMax));
    TRY_SET(const Uuid uuid, Uuid::parse(id));
    TRY_SET(deposit_, store_.begin(ObjectId::of_uuid(uuid)));
    // Neither needs the other, and both read all rows of the index.
    auto tables = std::async(std::launch::async, [this] { return make_tables(); });
    auto lists = add_payload_lists();
    auto made = tables.get();
    TRY(std::move(lists));
    TRY(std::move(made));
    TRY(add_bordereau());
    TRY(add_tables());
    TRY(add_tag_files());
    TRY(judge());
    TRY(commit());
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
    for (const mets::BordereauForm& form : mets::bordereau_forms()) {
      rows_.emplace_back(store_.disk(), store_.work_name(form.file_name));
    }
    described_.emplace(store_.disk(), store_.work_name("described"));
    items_.reserve(slugs.size());
    for (std::string& slug : slugs)
      TRY(pin(std::move(slug)));
    return {};
  }

  // Reads the item once: what is said of it is that of one version, whatever is deposited
  // meanwhile.
  Result<void> pin(std::string slug) {
    if (stop_.stop_requested()) return Error(Code::cancelled, "the sealing was stopped");
    TRY_SET(const json::Object item, store::item_record(store_, slug));
    mets::BordereauRow row;
    row.slug = slug;
    row.version = static_cast<std::uint32_t>(json::number_at(item, "head_version"));
    row.description = mets::description_of(json::object_at(item, "metadata"));
    row.original = mets::original_of(json::object_at(item, "original"));
    row.files = json::number_at(item, "file_count");
    row.bytes = json::number_at(item, "size_bytes");
    totals_.add(row);
    const auto forms = mets::bordereau_forms();
    for (std::size_t i = 0; i < forms.size(); ++i)
      TRY(rows_[i].add(forms[i].row(row)));
    TRY(describe(item, row));

    auto package_mets = store_.file_row(slug, row.version, "METS.xml");
    if (!package_mets && package_mets.error().code() == Code::not_found) return not_whole(slug);
    if (!package_mets) return std::move(package_mets).error();
    items_.push_back({.slug = std::move(slug),
                      .label = mets::any_of(row.description.title),
                      .object = json::text_at(item, "object"),
                      .inventory = json::text_at(item, "inventory_digest"),
                      .version = row.version,
                      .package_files = json::number_at(item, "package_file_count"),
                      .package_bytes = json::number_at(item, "package_size_bytes"),
                      .mets_sha512 = package_mets->sha512,
                      .mets_bytes = package_mets->size_bytes});
    return {};
  }

  // Keeps what the tables will say of the item, and learns which columns they need.
  Result<void> describe(const json::Object& item, const mets::BordereauRow& row) {
    auto known = metadata_.add(row.description, row.original);
    if (!known && known.error().code() == Code::limit) {
      return Error(Code::limit, "the items have more than " +
                                    std::to_string(limits::kCsvColumnsMax) +
                                    " columns of metadata.csv between them; make several transfers "
                                    "of them")
          .as("table-limit");
    }
    TRY(std::move(known));
    if (!row.description.rights.statements.empty()) {
      const mets::TableItem alone{.slug = row.slug,
                                  .description = row.description,
                                  .original = {},
                                  .files = [](const auto&) -> Result<void> { return {}; }};
      TRY(mets::rights_rows(alone, [&](std::string_view rows) -> Result<void> {
        rights_bytes_ += (rows.size() + kPathBytes) * std::max<std::uint64_t>(row.files, 1);
        return {};
      }));
    }
    return described_->add(
        json::write(json::Object{{"metadata", json::object_at(item, "metadata")},
                                 {"original", json::object_at(item, "original")}}) +
        "\n");
  }

  static Error not_whole(const std::string& slug) {
    return Error(Code::corrupt, "item '" + slug + "' is not whole in the store")
        .as("payload-not-verified");
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

  // For the books: a line of a manifest, and of the small files what an item adds to each.
  std::uint64_t expected_bytes() const {
    constexpr std::uint64_t kDigestBytes = 128;
    constexpr std::uint64_t kItemBytes = 2048;
    const std::uint64_t lists = wants_sha256() ? 2 : 1;
    std::uint64_t bytes = (1u << 20) + described_->size_bytes() + rights_bytes_;
    for (const Pinned& item : items_) {
      bytes += kItemBytes;
      bytes += item.package_files * (lists * (kDigestBytes + kPathBytes) + kPathBytes);
    }
    for (const Spool& rows : rows_)
      bytes += rows.size_bytes();
    return bytes;
  }

  Result<index::FileRow> add(std::string_view path,
                             std::string_view media_type,
                             std::string_view role,
                             const Produce& bytes) {
    index::FileRow row;
    row.role = role;
    row.media_type = media_type;
    return deposit_->add(LogicalPath::literal(path), bytes, std::move(row));
  }

  Result<void> add_text(std::string_view path,
                        std::string_view media_type,
                        const std::string& text) {
    TRY(add(path, media_type, "metadata", [&](const Sink& sink) { return sink(text); }));
    return {};
  }

  // The transfer METS, and the manifests, of which it is the last line.
  Result<void> add_payload_lists() {
    const auto entries = [this](const mets::TransferMets::Each& each) -> Result<void> {
      for (const Pinned& item : items_) {
        TRY(each({.slug = item.slug,
                  .label = item.label,
                  .mets_sha512 = item.mets_sha512,
                  .mets_size_bytes = item.mets_bytes}));
      }
      return {};
    };
    const mets::TransferMets mets{.objid = json::text_at(transfer_, "reference"),
                                  .label = title(),
                                  .created = event_.time,
                                  .archivist = organisation_of(agreement_, "transferring_agency"),
                                  .preservation = organisation_of(agreement_, "archival_agency"),
                                  .entries = entries};
    TRY_SET(const index::FileRow mets_row,
            add("data/METS.xml", "application/xml", "metadata",
                [&](const Sink& sink) { return mets::render_transfer_mets(mets, sink); }));
    TRY_SET(const index::FileRow manifest,
            add("manifest-sha512.txt", "text/plain", "metadata", [&](const Sink& sink) {
              return write_manifest(Algorithm::sha512, mets_row, sink);
            }));
    manifest_sha512_ = manifest.sha512;
    if (!wants_sha256()) return {};
    TRY(add("manifest-sha256.txt", "text/plain", "metadata",
            [&](const Sink& sink) { return write_manifest(Algorithm::sha256, mets_row, sink); }));
    return {};
  }

  Result<void> write_manifest(Algorithm algorithm, const index::FileRow& mets, const Sink& sink) {
    octets_ = 0;
    streams_ = 0;
    std::string lines;
    std::string path;
    const auto list = [&](std::string_view folder, const index::FileFacts& file) -> Result<void> {
      path.assign(folder).append(file.path);
      bagit::append_manifest_line(algorithm == Algorithm::sha512 ? file.sha512 : file.sha256, path,
                                  &lines);
      octets_ += file.size_bytes;
      ++streams_;
      if (lines.size() < limits::kChunkBytes) return {};
      auto written = sink(lines);
      lines.clear();
      return written;
    };
    for (const Pinned& item : items_) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "the sealing was stopped");
      const std::string folder = "data/" + item.slug + "/";
      TRY(store::for_each_file_facts(store_, item.slug, item.version,
                                     [&](const index::FileFacts& file) -> Result<void> {
                                       if (!file.whole) return not_whole(item.slug);
                                       return list(folder, file);
                                     }));
    }
    TRY(list("", {.path = mets.path,
                  .size_bytes = mets.size_bytes,
                  .sha512 = mets.sha512,
                  .sha256 = mets.sha256}));
    return sink(lines);
  }

  std::string title() const {
    return mets::any_of(mets::localized_of(json::object_at(transfer_, "title")));
  }

  Result<void> add_bordereau() {
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
    b.manifest_sha512 = manifest_sha512_.hex();
    b.totals = totals_;
    const auto forms = mets::bordereau_forms();
    for (std::size_t i = 0; i < forms.size(); ++i) {
      TRY(add(forms[i].file_name, forms[i].media_type, "documentation",
              [&](const Sink& sink) -> Result<void> {
                if (auto begun = sink(forms[i].begin(b)); !begun) return begun;
                if (auto sent = rows_[i].send(sink); !sent) return sent;
                return sink(forms[i].end());
              }));
    }
    rows_.clear();
    return {};
  }

  // Both at once: so each item's description is taken apart once. Runs beside add_payload_lists().
  Result<void> make_tables() {
    TRY(metadata_rows_.add(metadata_.header()));
    TRY(rights_rows_.add(mets::rights_header()));
    TRY(for_each_described([&](const mets::TableItem& item) -> Result<void> {
      const auto add = [](Spool& spool) {
        return [&spool](std::string_view rows) { return spool.add(rows); };
      };
      if (auto made = metadata_.rows(item, add(metadata_rows_)); !made) return made;
      return mets::rights_rows(item, add(rights_rows_));
    }));
    described_.reset();
    return {};
  }

  Result<void> add_tables() {
    TRY(add("metadata/metadata.csv", "text/csv", "metadata",
            [&](const Sink& sink) { return metadata_rows_.send(sink); }));
    TRY(add("metadata/rights.csv", "text/csv", "metadata",
            [&](const Sink& sink) { return rights_rows_.send(sink); }));
    return {};
  }

  Result<void> for_each_described(const std::function<Result<void>(const mets::TableItem&)>& each) {
    auto pinned = items_.begin();
    std::string begun;  // a line that goes on in the next piece
    return described_->send([&](std::string_view text) -> Result<void> {
      for (std::size_t end = text.find('\n'); end != std::string_view::npos;
           end = text.find('\n')) {
        begun += text.substr(0, end);
        text.remove_prefix(end + 1);
        if (stop_.stop_requested()) return Error(Code::cancelled, "the sealing was stopped");
        TRY_SET(const json::Object line, json::parse_object(begun));
        begun.clear();
        const Pinned& item = *pinned++;
        TRY(each({.slug = item.slug,
                  .description = mets::description_of(json::object_at(line, "metadata")),
                  .original = mets::original_of(json::object_at(line, "original")),
                  .files = [&](const mets::TableItem::Each& file) {
                    return for_each_table_file(store_, item.slug, item.version, file);
                  }}));
      }
      begun += text;
      return {};
    });
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

  Result<void> add_tag_files() {
    const json::Object agreement = agreement_;
    TRY(add_text("versement/agreement.json", "application/json",
                 json::write_pretty(agreement) + "\n"));
    // What the journal said when the transfer was sealed, signed: it covers the ingestion of every
    // item, and the receiver can hold us to it.
    TRY(add_text("versement/checkpoint.txt", "text/plain", store_.journal().checkpoint()));
    TRY(add_text("versement/vkey.txt", "text/plain", store_.journal().key().text() + "\n"));
    TRY(add("versement/seal.json", "application/json", "metadata",
            [&](const Sink& sink) { return write_seal(sink); }));
    TRY(add_text("bagit.txt", "text/plain", bagit::write_bagit_txt()));
    TRY(add_text("bag-info.txt", "text/plain", bagit::write_bag_info(bag_info())));

    std::vector<const index::FileRow*> rows;
    for (const index::FileRow& row : deposit_->rows()) {
      if (!row.path.starts_with("data/")) rows.push_back(&row);
    }
    std::sort(rows.begin(), rows.end(),
              [](const auto* left, const auto* right) { return left->path < right->path; });
    std::string tag_manifest;
    for (const index::FileRow* const row : rows)
      bagit::append_manifest_line(row->sha512, row->path, &tag_manifest);
    seal_digest_ = digest_of(Algorithm::sha512, tag_manifest).hex();
    return add_text(kSealedFile, "text/plain", tag_manifest);
  }

  Result<void> write_seal(const Sink& sink) const {
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
    bool first = true;
    for (const Pinned& item : items_) {
      if (!first) text += ',';
      first = false;
      text += "\n" + json::write(item_line(item));
      if (text.size() < limits::kChunkBytes) continue;
      TRY(sink(text));
      text.clear();
    }
    return sink(text + "]}\n");
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
      std::string path;
      for (const index::FileRow& row : deposit_->rows())
        TRY(each(row.path, row.size_bytes));
      for (const Pinned& item : items_) {
        path.assign("data/").append(item.slug).append("/");
        const std::size_t folder = path.size();
        TRY(store::for_each_file_facts(store_, item.slug, item.version,
                                       [&](const index::FileFacts& file) -> Result<void> {
                                         path.resize(folder);
                                         path.append(file.path);
                                         return each(path, file.size_bytes);
                                       }));
      }
      return {};
    };
    const auto open = [this](std::size_t number) -> Result<std::shared_ptr<Source>> {
      const auto& rows = deposit_->rows();
      if (number >= rows.size()) return Error(Code::internal, "payload is not read to seal it");
      return deposit_->file(rows[number]);
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
    if (report.verdict == bagit::Verdict::unexaminable) {
      return Error(Code::io, "the bag's own files could not be read back, and it was not sealed: " +
                                 first + "; see to the disk, then seal it again");
    }
    return Error(Code::internal,
                 "the bag of the transfer would not be valid, and was not sealed: " + first +
                     "; please report this as a defect");
  }

  Result<void> commit() {
    TRY_SET(const auto evidence, store_.begin_evidence());
    for (const Pinned& item : items_)
      TRY(evidence->line(item_line(item)));
    TRY_SET(const std::string items_evidence, evidence->finish());

    event_.objects["transfer"] = json::text_at(transfer_, "id");
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
    set["file_count"] = streams_ + deposit_->rows().size() - 1;  // The METS counts once.
    set["size_bytes"] = octets_;
    set["serialisation"] = bagit::kTarSerialisation;
    event_.detail["set"] = std::move(set);
    const ocfl::VersionNote note{
        .created = event_.time,
        .message = "Seal of transfer " + bag_name(),
        .user_name = options_.agent,
        .user_address = "urn:versement:agent:" + percent_encode(options_.agent)};
    TRY(store_.commit(std::move(deposit_), note, std::move(event_)));
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
  std::deque<Spool> rows_;     // of each form of the bordereau
  mets::BordereauTotals totals_;
  mets::MetadataTable metadata_;    // its columns
  std::optional<Spool> described_;  // a line of each item: its description and its original
  Spool metadata_rows_{store_.disk(), store_.work_name("metadata.csv")};
  Spool rights_rows_{store_.disk(), store_.work_name("rights.csv")};
  std::uint64_t rights_bytes_ = 0;  // about what the rows of rights.csv will have
  std::unique_ptr<store::Deposit> deposit_;
  Digest manifest_sha512_;
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
