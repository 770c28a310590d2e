#include "store/journal/verify.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <optional>
#include <set>

#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/journal/event.hpp"
#include "store/journal/evidence.hpp"
#include "store/journal/key_change.hpp"
#include "store/journal/merkle.hpp"
#include "store/journal/proof.hpp"
#include "store/journal/tail.hpp"
#include "store/journal/tile.hpp"

namespace versement::journal {
namespace {

constexpr int kAttempts = 5;
constexpr std::size_t kFindingsMax = 1000;

// Each version of an object is named once, one after the other, and an object is one thing's for
// ever: whoever has the key could else have the journal say something new of what it said before.
class NamedObjects {
 public:
  // What is wrong with an event that names a version; empty if nothing is.
  std::string take(const Event& event) {
    const bool sealed = event.type == type::kTransferSealed;
    const std::string object = json::text_at(event.objects, "object");
    const std::string owner = (sealed ? "transfer " : "item ") +
                              json::text_at(event.objects, sealed ? "transfer" : "item");
    const std::uint64_t version = json::number_at(event.objects, "version");
    const Named now{short_of(owner), short_of(json::text_at(event.detail, "inventory")), version};
    const Short name = short_of(object);
    if (const auto other = owners_.find(now.owner); other != owners_.end() && other->second != name)
      return printable(owner) + " is given another object: " + printable(object);
    const auto known = objects_.find(name);
    if (known == objects_.end()) {
      if (version != 1)
        return "the first version of " + printable(object) + " that is named is not 1";
      owners_.emplace(now.owner, name);
      objects_.emplace(name, now);
      return "";
    }
    if (known->second.owner != now.owner)
      return printable(object) + " is given to " + printable(owner) + " as well";
    if (known->second.version == version && known->second.inventory == now.inventory) return "";
    if (version != known->second.version + 1) {
      return "version " + std::to_string(version) + " of " + printable(object) +
             " is named, and the one before was " + std::to_string(known->second.version);
    }
    known->second = now;
    return "";
  }

 private:
  // A journal may name a million objects: a part of a digest stands for each text.
  using Short = std::array<std::byte, 16>;
  struct Named {
    Short owner;
    Short inventory;
    std::uint64_t version;
  };

  static Short short_of(std::string_view text) {
    const Digest digest = digest_of(Algorithm::sha256, text);
    Short part;
    std::copy_n(digest.bytes().begin(), part.size(), part.begin());
    return part;
  }

  std::map<Short, Named> objects_;
  std::map<Short, Short> owners_;
};

struct Kept {
  Checkpoint checkpoint;
  const KeptCheckpoint* source;
};

class Verifier {
 public:
  Verifier(Disk& disk,
           Path folder,
           const Trust& trust,
           const std::function<void(std::uint64_t, std::string_view)>& each,
           std::span<const Kept> known)
      : disk_(disk),
        folder_(std::move(folder)),
        trust_(trust),
        head_(trust.key),
        each_(each),
        known_(known) {}

  Result<JournalReport> run() {
    TRY_SET(const std::string note,
            read_file(disk_, folder_ / "checkpoint", limits::kCheckpointBytesMax));
    find_head_key(note);
    auto checkpoint = read_checkpoint(note, head_);
    if (!checkpoint) {
      find(checkpoint.error().reason().empty() ? "journal-checkpoint" : checkpoint.error().reason(),
           "checkpoint", checkpoint.error().what());
      return std::move(report_);
    }
    report_.origin = checkpoint->origin;
    report_.published = checkpoint->size;
    report_.root = base64_of(checkpoint->root);
    report_.key = head_.text();
    TRY_SET(tail_, find_tail(disk_, folder_));
    tail_first_ = parse_decimal(tail_.filename().native().substr(5)).value_or(0);
    TRY(bundles(checkpoint->size));
    if (tree_.size() == checkpoint->size && tree_.root() != checkpoint->root) {
      find("journal-root", "checkpoint",
           "the entries have the root hash " + base64_of(tree_.root()) + ", not the one signed");
    }
    report_.size = tree_.size();
    if (report_.good()) check_key(note, checkpoint->size);
    // The tail builds on the entries below it; with those in doubt it says nothing.
    if (report_.good()) TRY(tail(*checkpoint));
    if (report_.good()) check_succession();
    if (report_.good()) compare_known();
    if (report_.good()) compare_ids();
    return std::move(report_);
  }

 private:
  void find(std::string code, std::string file, std::string detail) {
    if (report_.findings.size() < kFindingsMax) {
      report_.findings.push_back({std::move(code), std::move(file), std::move(detail)});
    }
  }

  // Where the trusted key is an older one, the one beside the journal is taken until the entries
  // have said whether it was handed over to.
  void find_head_key(std::string_view note) {
    if (trust_.key.verifies(note)) return;
    auto beside = key_beside(disk_, folder_);
    if (beside && beside->verifies(note)) head_ = *std::move(beside);
  }

  const VerifierKey& key_of(std::uint64_t size) const {
    const VerifierKey* const key = keys_.in_force(size);
    return key == nullptr ? head_ : *key;
  }

  void check_key(std::string_view note, std::uint64_t published) {
    const VerifierKey& now = key_of(published);
    if (now.verifies(note)) return;
    find("journal-key", "checkpoint",
         "it is signed by " + head_.text() + "; the key that the entries name is " + now.text());
  }

  void check_succession() {
    if (head_ == trust_.key || keys_.has(trust_.key)) return;
    find("journal-key", "vkey",
         "the journal is signed by " + head_.text() + ", and no entry hands it over from " +
             trust_.key.text());
  }

  Result<void> take(std::string_view entry, const std::string& file) {
    const std::string at = "entry " + std::to_string(tree_.size()) + ": ";
    if (const auto event = event_of(entry); !event) {
      find("journal-entry", file, at + event.error().what());
    } else {
      take_id(event->id);
      TRY(take_event(*event, file, at));
    }
    each_(tree_.size(), entry);
    const Hash leaf = leaf_hash(entry);
    if (tree_.size() == tail_first_) tail_first_root_ = tree_.root();
    if (tree_.size() >= tail_first_) in_tail_.push_back(leaf);
    tree_.append(leaf);
    if (tree_.size() > tail_first_) tail_roots_.push_back(tree_.root());
    for (const Kept& known : known_) {
      if (known.checkpoint.size == tree_.size() && known.checkpoint.root != tree_.root())
        forked_.push_back(&known);
    }
    return {};
  }

  void take_id(const Uuid& id) {
    const Digest digest = digest_of(Algorithm::sha256, id.text());
    std::uint64_t part = 0;
    std::memcpy(&part, digest.bytes().data(), sizeof(part));
    ids_.emplace_back(part, tree_.size());
  }

  // An event happened once. Sorted at the end: a journal of a million entries needs 16 MB for it.
  void compare_ids() {
    std::sort(ids_.begin(), ids_.end());
    for (std::size_t i = 1; i < ids_.size(); ++i) {
      if (ids_[i - 1].first != ids_[i].first) continue;
      find("journal-contradiction", file_of(ids_[i].second),
           "entry " + std::to_string(ids_[i].second) + " is the event of entry " +
               std::to_string(ids_[i - 1].second) + " once more");
    }
  }

  // Where an entry stands.
  std::string file_of(std::uint64_t index) const {
    if (index >= report_.published) return tail_.filename().native();
    const std::uint64_t start = index / kTileWidth * kTileWidth;
    return bundle_path(index / kTileWidth, std::min(kTileWidth, report_.published - start));
  }

  // What an entry says of the journal itself.
  Result<void> take_event(const Event& event, const std::string& file, const std::string& at) {
    if (event.type == type::kKeyReplaced || event.type == type::kStoreCreated) {
      auto taken = keys_.take(event, {report_.origin, tree_.size(), tree_.root()});
      if (!taken) find("journal-key", file, at + taken.error().what());
      return {};
    }
    if (event.type == type::kIngestion || event.type == type::kTransferSealed) {
      const std::string said = objects_.take(event);
      if (!said.empty()) find("journal-contradiction", file, at + said);
      return {};
    }
    const bool stamp = event.type == type::kTimestamped;
    if (!stamp && event.type != type::kCosigned) return {};
    const std::string note = json::text_at(event.detail, "checkpoint");
    TRY_SET(const std::string wrong, wrong_in_seen(note));
    std::string said = wrong;
    if (said.empty()) said = stamp ? take_stamp(event, note) : take_cosignature(event, note);
    if (!said.empty()) find(stamp ? "journal-stamp" : "journal-cosignature", file, at + said);
    return {};
  }

  // Why somebody cannot have seen this checkpoint of this journal; empty if all is well.
  Result<std::string> wrong_in_seen(std::string_view note) {
    const auto seen = parse_checkpoint(note);
    if (!seen) return seen.error().what();
    if (seen->origin != report_.origin || seen->size > tree_.size())
      return std::string("its checkpoint is not of the journal before it");
    if (!key_of(seen->size).verifies(note))
      return std::string("its checkpoint bears no right signature of the journal's key");
    TRY_SET(const Hash root, root_at(seen->size));
    return root == seen->root ? std::string() : std::string("its checkpoint is of another history");
  }

  // Of the first `size` entries, all of which were seen. What the tiles hold is compared with the
  // entries anyway.
  Result<Hash> root_at(std::uint64_t size) {
    if (size == tree_.size()) return tree_.root();
    if (size > tail_first_) return tail_roots_[size - tail_first_ - 1];
    auto root = TileTree(disk_, folder_, size).root();
    if (root || root.error().code() == Code::io) return root;
    return empty_root();  // A tile is missing: that is found as such, and this differs.
  }

  std::string take_stamp(const Event& event, std::string_view note) {
    const auto token = bytes_of_base64(json::text_at(event.detail, "token"));
    if (!token) return "its token is malformed";
    const auto stamp = read_stamp(*token, note);
    if (!stamp) return stamp.error().what();
    if (stamp->time.text() != json::text_at(event.detail, "time"))
      return "the stamp is of another time than the entry says: " + stamp->time.text();
    ++report_.stamps.count;
    if (trust_.authorities == nullptr || !verify_stamp(*token, note, *trust_.authorities))
      return "";
    take_seen(&report_.stamps, note, stamp->authority, stamp->time);
    return "";
  }

  std::string take_cosignature(const Event& event, std::string_view note) {
    ++report_.cosignatures.count;
    const std::string name = json::text_at(event.detail, "witness");
    for (const VerifierKey& witness : trust_.witnesses) {
      if (witness.name() != name) continue;
      const auto seconds = witness.signed_at(note);
      if (!seconds) return "the cosignature of " + printable(name) + " is not right";
      take_seen(&report_.cosignatures, note, name,
                Timestamp(static_cast<std::int64_t>(*seconds) * 1000));
    }
    return "";
  }

  static void take_seen(Seen* seen, std::string_view note, std::string by, Timestamp time) {
    ++seen->verified;
    const auto checkpoint = parse_checkpoint(note);
    if (!checkpoint || checkpoint->size < seen->size) return;
    seen->size = checkpoint->size;
    seen->by = std::move(by);
    seen->time = time.text();
  }

  // Of a journal that is whole in itself; one that is not has no right root anyway.
  void compare_known() {
    for (const Kept& known : known_) {
      const Checkpoint& checkpoint = known.checkpoint;
      if (checkpoint.origin != report_.origin) {
        find("journal-origin", known.source->file,
             "this checkpoint is of " + printable(checkpoint.origin));
      } else if (!key_of(checkpoint.size).verifies(known.source->note)) {
        find("journal-key", known.source->file,
             "this checkpoint bears no right signature of the key that the journal had then: " +
                 key_of(checkpoint.size).text());
      } else if (checkpoint.size > tree_.size()) {
        find("journal-rolled-back", known.source->file,
             "this checkpoint has " + std::to_string(checkpoint.size) + " entries; only " +
                 std::to_string(tree_.size()) + " are there");
      } else if (std::find(forked_.begin(), forked_.end(), &known) != forked_.end()) {
        find("journal-forked", known.source->file,
             "the first " + std::to_string(checkpoint.size) +
                 " entries are others than those of this checkpoint");
      }
    }
  }

  Result<void> bundles(std::uint64_t size) {
    std::vector<std::vector<Hash>> rows(1);
    for (std::uint64_t start = 0; start < size; start += kTileWidth) {
      const std::uint64_t width = std::min(kTileWidth, size - start);
      const std::string name = bundle_path(start / kTileWidth, width);
      auto bytes = read_file(disk_, folder_ / name, kTileWidth * (limits::kEntryBytesMax + 2));
      if (!bytes && bytes.error().code() != Code::not_found) return std::move(bytes).error();
      const auto entries = bytes ? entries_of_bundle(*bytes) : Error(bytes.error());
      if (!entries || entries->size() != width) {
        find("journal-bundle", name,
             entries ? "has " + std::to_string(entries->size()) + " entries, not " +
                           std::to_string(width)
                     : entries.error().what());
        return {};  // All hashes behind it would be wrong as well; one finding tells more.
      }
      for (const std::string_view entry : *entries) {
        rows[0].push_back(leaf_hash(entry));
        TRY(take(entry, name));
      }
      TRY(whole_tiles(start / kTileWidth, &rows));
    }
    return last_tiles(size, rows);
  }

  // Compares each tile that has just become whole, and goes up a level.
  Result<void> whole_tiles(std::uint64_t index, std::vector<std::vector<Hash>>* rows) {
    for (unsigned level = 0; level < rows->size() && (*rows)[level].size() == kTileWidth; ++level) {
      TRY(compare(tile_path(level, index), (*rows)[level]));
      const Hash node = root_of((*rows)[level]);
      (*rows)[level].clear();
      if (level + 1 == rows->size()) rows->emplace_back();
      (*rows)[level + 1].push_back(node);
      index /= kTileWidth;
    }
    return {};
  }

  Result<void> last_tiles(std::uint64_t size, const std::vector<std::vector<Hash>>& rows) {
    for (unsigned level = 0; level < rows.size(); ++level) {
      if (rows[level].empty()) continue;
      const std::uint64_t index = (size >> (8 * level)) / kTileWidth;
      TRY(compare(tile_path(level, index, rows[level].size()), rows[level]));
    }
    return {};
  }

  Result<void> compare(const std::string& name, std::span<const Hash> hashes) {
    auto bytes = read_file(disk_, folder_ / name, kTileWidth * sizeof(Hash));
    if (!bytes && bytes.error().code() == Code::io) return std::move(bytes).error();
    if (!bytes) {
      find("journal-tile", name, bytes.error().what());
    } else if (*bytes != tile_bytes(hashes)) {
      find("journal-tile", name, "holds other hashes than the entries have");
    }
    return {};
  }

  Result<void> tail(const Checkpoint& published) {
    const std::string name = tail_.filename().native();
    tail_next_ = tail_first_;
    auto scan = scan_tail(disk_, tail_, [&](const Frame& frame) -> Result<void> {
      if (frame.kind == FrameKind::checkpoint) return tail_checkpoint(frame, published, name);
      if (frame.index != tail_next_) find("journal-tail", name, "entries out of order");
      ++tail_next_;
      if (frame.index >= tree_.size()) {
        pending_.emplace_back(frame.payload);
      } else if (frame.index < tail_first_ ||
                 in_tail_[frame.index - tail_first_] != leaf_hash(frame.payload)) {
        find("journal-tail", name,
             "entry " + std::to_string(frame.index) + " is another than the one published");
      }
      return {};
    });
    if (!scan) {
      find("journal-tail", name, scan.error().what());
    } else if (scan->damaged) {
      find("journal-tail", name, "whole entries lie behind a damaged one");
    } else if (covered_ < published.size) {
      find("journal-tail", name,
           "its last checkpoint covers " + std::to_string(covered_) + " entries, but " +
               std::to_string(published.size) + " are published");
    }
    report_.size = tree_.size();
    return {};
  }

  // Entries count once a right checkpoint stands behind them.
  Result<void> tail_checkpoint(const Frame& frame,
                               const Checkpoint& published,
                               const std::string& name) {
    for (const std::string& entry : pending_)
      TRY(take(entry, name));
    pending_.clear();
    const auto checkpoint = read_checkpoint(frame.payload, key_of(frame.index));
    if (!checkpoint) {
      find("journal-signature", name, checkpoint.error().what());
    } else if (!is_beginning(*checkpoint) ||
               (checkpoint->size > published.size && checkpoint->size != tree_.size())) {
      find("journal-root", name,
           "the checkpoint of size " + std::to_string(checkpoint->size) + " is of another tree");
    } else if (checkpoint->size != tail_next_ || checkpoint->size != frame.index) {
      find("journal-tail", name,
           "the checkpoint of size " + std::to_string(checkpoint->size) + " stands behind entry " +
               std::to_string(tail_next_));
    } else {
      covered_ = checkpoint->size;
    }
    return {};
  }

  // Of the sizes that a checkpoint in the tail can have.
  bool is_beginning(const Checkpoint& checkpoint) const {
    if (checkpoint.size < tail_first_ || checkpoint.size > tree_.size()) return false;
    if (checkpoint.size == tail_first_) return checkpoint.root == tail_first_root_;
    return checkpoint.root == tail_roots_[checkpoint.size - tail_first_ - 1];
  }

  Disk& disk_;
  const Path folder_;
  const Trust& trust_;
  VerifierKey head_;  // signed the published checkpoint
  KeySuccession keys_;
  NamedObjects objects_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ids_;  // part of a digest, entry
  const std::function<void(std::uint64_t, std::string_view)>& each_;
  const std::span<const Kept> known_;
  std::vector<const Kept*> forked_;
  JournalReport report_;
  Path tail_;
  std::uint64_t tail_first_ = 0;
  Hash tail_first_root_ = empty_root();  // of the tree before the tail's first entry
  std::vector<Hash> in_tail_;            // leaves of the entries that the tail has
  std::vector<Hash> tail_roots_;         // of the trees that end with each of them
  std::uint64_t tail_next_ = 0;          // index of the entry that the tail has next
  std::uint64_t covered_ = 0;            // entries under the tail's last checkpoint
  Frontier tree_;
  std::vector<std::string> pending_;
};

}  // namespace

Result<JournalReport> verify_journal(
    Disk& disk,
    const Path& folder,
    const Trust& trust,
    const std::function<void(std::uint64_t index, std::string_view entry)>& each,
    std::span<const KeptCheckpoint> known) {
  std::vector<Kept> kept;
  for (const KeptCheckpoint& one : known) {
    auto checkpoint = parse_checkpoint(one.note);
    if (!checkpoint) return std::move(checkpoint).error().during(one.file);
    kept.push_back({*std::move(checkpoint), &one});
  }
  // A daemon may publish meanwhile: it then removes the partial tiles of older checkpoints. What is
  // missing beside a checkpoint that has changed says nothing.
  for (int attempt = 1;; ++attempt) {
    const auto before = read_file(disk, folder / "checkpoint", limits::kCheckpointBytesMax);
    auto report = Verifier(disk, folder, trust, each, kept).run();
    if (!report || report->good() || attempt == kAttempts) return report;
    const auto after = read_file(disk, folder / "checkpoint", limits::kCheckpointBytesMax);
    if (!before || !after || *before == *after) return report;
  }
}

namespace {

void take_evidence(std::string_view entry, std::set<std::string>* digests) {
  if (entry.find("evidence") == std::string_view::npos) return;  // Most have none.
  const auto event = event_of(entry);
  if (!event) return;
  for (const json::Object* const in : {&event->detail, &json::object_at(event->detail, "result")}) {
    for (const char* const name : {"evidence_digest", "files_evidence", "items_evidence"}) {
      std::string digest = json::text_at(*in, name);
      if (!digest.empty()) digests->insert(std::move(digest));
    }
  }
}

// One that cannot be read is a finding as well: it must not hide what else there is to say.
void compare_evidence(Disk& disk,
                      const Path& folder,
                      const std::set<std::string>& digests,
                      JournalReport* report) {
  for (const std::string& digest : digests) {
    const auto good = check_evidence(disk, folder, digest);
    if (good) continue;
    const Code code = good.error().code();
    const bool altered = code == Code::corrupt || code == Code::invalid;
    report->findings.push_back({code == Code::not_found ? "evidence-missing"
                                : altered               ? "evidence-altered"
                                                        : "evidence-unreadable",
                                "evidence/" + evidence_path(digest).native(), good.error().what()});
  }
}

}  // namespace

Result<JournalReport> verify_data_folder(
    Disk& disk,
    const Path& data,
    const Trust& trust,
    const std::function<void(std::uint64_t index, std::string_view entry)>& each,
    std::span<const KeptCheckpoint> known) {
  // Before the journal: a daemon that publishes meanwhile writes the copy last.
  auto note = read_file(disk, data / kHeadCopy, limits::kCheckpointBytesMax);
  if (!note && note.error().code() != Code::not_found) return std::move(note).error();
  std::vector<KeptCheckpoint> all(known.begin(), known.end());
  std::optional<JournalFinding> wrong;
  if (note) {
    if (const auto head = parse_checkpoint(*note); !head) {
      wrong = {"journal-head", std::string(kHeadCopy), head.error().what()};
    } else {
      all.push_back({*std::move(note), std::string(kHeadCopy)});
    }
  }
  std::set<std::string> evidence;  // that the entries name
  const auto look = [&](std::uint64_t index, std::string_view entry) {
    take_evidence(entry, &evidence);
    each(index, entry);
  };
  TRY_SET(JournalReport report, verify_journal(disk, data / "journal", trust, look, all));
  compare_evidence(disk, data / "evidence", evidence, &report);
  for (JournalFinding& finding : report.findings) {
    if (finding.file == kHeadCopy && finding.code == "journal-key") finding.code = "journal-head";
  }
  if (wrong) report.findings.push_back(*std::move(wrong));
  TRY_SET(const std::string marker,
          read_file(disk, data / "versement.json", limits::kConfigBytesMax));
  const auto members = json::parse_object(marker);
  const std::string origin = members ? json::text_at(*members, "origin") : std::string();
  if (origin != report.origin && !report.origin.empty()) {
    report.findings.push_back(
        {"journal-origin", "versement.json",
         "the data folder is of '" + printable(origin) + "', its journal of " + report.origin});
  }
  return report;
}

Result<VerifierKey> key_beside(Disk& disk, const Path& folder) {
  TRY_SET(const std::string text, read_file(disk, folder / "vkey", limits::kConfigBytesMax));
  return VerifierKey::parse(trim(text, " \r\n"));
}

}  // namespace versement::journal
