#include "store/store.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <map>
#include <mutex>
#include <set>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/base/limits.hpp"
#include "store/base/log.hpp"
#include "store/base/pool.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"
#include "store/catch_up.hpp"
#include "store/commit.hpp"
#include "store/index/keys.hpp"
#include "store/inventory_digests.hpp"
#include "store/journal/proof.hpp"
#include "store/journal/verify.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/layout.hpp"
#include "store/ocfl/root.hpp"
#include "store/recover.hpp"
#include "store/sources.hpp"

namespace versement::store {
namespace {

constexpr std::uint64_t kDataFormat = 1;
// So many entries are worth a line in the log when the index catches up.
constexpr std::uint64_t kTellEntries = 256;
constexpr auto kTellEvery = std::chrono::seconds(2);

Result<void> check_marker(Disk& disk, const Layout& layout) {
  auto text = read_file(disk, layout.marker, limits::kConfigBytesMax);
  if (!text && text.error().code() == Code::not_found) {
    return Error(Code::not_found,
                 layout.data.native() +
                     " is not a Versement data folder (there is no versement.json in it). Is the "
                     "disk mounted? To make a new one: versementd --init --data " +
                     layout.data.native());
  }
  if (!text) return std::move(text).error();
  TRY_SET(const json::Object marker, json::parse_object(*text));
  if (json::number_at(marker, "format") != kDataFormat) {
    return Error(Code::unsupported, layout.data.native() + " has format " +
                                        std::to_string(json::number_at(marker, "format")) +
                                        "; this program knows format 1");
  }
  return {};
}

Result<Fd> take_lock(Disk& disk, const Layout& layout) {
  TRY_SET(Fd fd, disk.open(layout.lock, O_RDWR | O_CREAT, 0644));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error(Code::conflict, layout.data.native() +
                                     " is in use by another versementd (it holds " +
                                     layout.lock.native() + ")");
  }
  return fd;
}

Result<void> check_same_file_system(Disk& disk, const Layout& layout) {
  TRY_SET(const FileInfo root, disk.info(layout.root));
  TRY_SET(const FileInfo work, disk.info(layout.work));
  if (root.device == work.device) return {};
  return Error(Code::invalid, layout.work.native() + " and " + layout.root.native() +
                                  " lie on two file systems; objects are renamed from one to the "
                                  "other, so they must share one");
}

// The folders of a data folder, but for the index, which is made anew.
std::vector<Path> parts_of(const Layout& layout) {
  return {layout.root, layout.journal,    layout.evidence,
          layout.work, layout.quarantine, layout.secrets};
}

// Without one of its folders the data folder is a torn-off part of itself.
Result<void> check_parts(Disk& disk, const Layout& layout) {
  auto parts = parts_of(layout);
  parts.push_back(layout.journal_key);
  for (const Path& part : parts) {
    TRY_SET(const bool there, path_exists(disk, part));
    if (there) continue;
    const bool emptied = part == layout.work || part == layout.quarantine;
    return Error(Code::not_found,
                 part.native() + ", a part of the data folder, is missing. Is its disk mounted? " +
                     (emptied ? "If it was empty and was left out of a copy: mkdir "
                              : "Otherwise bring it back from a copy: ") +
                     part.native());
  }
  return {};
}

Error not_empty(const Layout& layout, const std::string& name) {
  return Error(Code::exists, layout.data.native() + " is not empty (there is '" + name +
                                 "'); a new data folder needs an empty one");
}

// Nothing is there but what an interrupted creation leaves: folders of ours without the marker and
// without any object, entry or evidence.
Result<void> expect_new(Disk& disk, const Layout& layout) {
  auto marker = read_file(disk, layout.marker, limits::kConfigBytesMax);
  if (!marker && marker.error().code() != Code::not_found) return std::move(marker).error();
  if (marker) {
    const auto known = json::parse_object(*marker);
    return Error(Code::exists,
                 layout.data.native() + " is a data folder already" +
                     (known ? ", of " + printable(json::text_at(*known, "origin")) : "") +
                     "; to serve it, start without --init");
  }
  const auto parts = parts_of(layout);
  TRY_SET(const auto entries, list_sorted(disk, layout.data));
  for (const DirEntry& entry : entries) {
    const bool ours = std::any_of(parts.begin(), parts.end(), [&](const Path& path) {
      return path.filename() == entry.name && entry.kind == FileKind::folder;
    });
    const bool harmless = entry.name == "lost+found" ||  // The root of a fresh file system.
                          entry.name == layout.lock.filename() || entry.name.starts_with(".tmp-");
    if (!ours && !harmless) return not_empty(layout, entry.name);
  }
  for (const Path& folder : {layout.evidence, layout.work, layout.quarantine}) {
    const auto inside = list_sorted(disk, folder);
    if (inside && !inside->empty()) return not_empty(layout, folder.filename());
  }
  const auto root = list_sorted(disk, layout.root);
  if (root && std::any_of(root->begin(), root->end(), [](const DirEntry& entry) {
        return entry.kind == FileKind::folder && entry.name != "extensions";
      })) {
    return not_empty(layout, layout.root.filename());
  }
  const auto note = read_file(disk, layout.journal / "checkpoint", limits::kCheckpointBytesMax);
  if (note && note->find("\n0\n") == std::string::npos) {
    return not_empty(layout, layout.journal.filename());  // It has entries.
  }
  return {};
}

}  // namespace

Layout::Layout(const Path& data_in)
    : data(data_in),
      root(data / "store"),
      journal(data / "journal"),
      evidence(data / "evidence"),
      index(data / "index"),
      work(data / "work"),
      quarantine(data / "quarantine"),
      secrets(data / "secrets"),
      marker(data / "versement.json"),
      lock(data / "LOCK"),
      journal_key(secrets / "journal.key"),
      next_journal_key(secrets / "journal.key.next"),
      index_old(data / "index.old") {}

std::string Starting::text() const {
  if (indexed()) return "the service is starting; the index is there";
  std::string out = "the index is being built: " + std::to_string(position) + " of " +
                    std::to_string(target) + " journal entries";
  if (left) out += "; about " + std::to_string(left->count()) + " s are left";
  return out;
}

// ---------------------------------------------------------------------------- Deposit

Deposit::Deposit(Disk& disk, Path folder, ObjectId object, ocfl::ObjectWriter writer)
    : disk_(disk),
      folder_(std::move(folder)),
      object_(std::move(object)),
      writer_(std::move(writer)) {}

Deposit::~Deposit() {
  if (keep_) return;
  if (auto removed = remove_tree(disk_, folder_); !removed) {
    log::warning("staging could not be removed; the next start sweeps it",
                 {{"folder", folder_.native()}, {"why", removed.error().what()}});
  }
}

Result<index::FileRow> Deposit::add(const LogicalPath& path,
                                    Source& source,
                                    std::span<const Digest> supplied,
                                    index::FileRow row,
                                    const std::stop_token& stop) {
  TRY_SET(const ocfl::StagedFile staged, writer_.add(path, source, supplied, stop));
  return added(staged, std::move(row));
}

Result<index::FileRow> Deposit::add(const LogicalPath& path,
                                    const Produce& produce,
                                    index::FileRow row) {
  TRY_SET(const ocfl::StagedFile staged, writer_.add(path, produce));
  return added(staged, std::move(row));
}

index::FileRow Deposit::added(const ocfl::StagedFile& staged, index::FileRow row) {
  row.path = staged.path.text();
  row.size_bytes = staged.size_bytes;
  row.crc32 = staged.crc32;
  row.sha512 = staged.sha512;
  row.sha256 = staged.sha256;
  row.content_path = staged.content_path;
  rows_.push_back(row);
  return row;
}

Result<index::FileRow> Deposit::add(const LogicalPath& path,
                                    std::string_view bytes,
                                    index::FileRow row) {
  ViewSource source(bytes);
  return add(path, source, {}, std::move(row), {});
}

std::shared_ptr<Source> Deposit::file(const index::FileRow& row) const {
  return std::make_shared<FileSource>(disk_, writer_.folder() / row.content_path, row.size_bytes);
}

Result<void> Deposit::keep(const index::FileRow& row) {
  const ocfl::StagedFile known{.path = LogicalPath::literal(row.path),
                               .content_path = {},
                               .size_bytes = row.size_bytes,
                               .crc32 = row.crc32,
                               .sha512 = row.sha512,
                               .sha256 = row.sha256};
  TRY_SET(const ocfl::StagedFile kept, writer_.keep(known));
  rows_.push_back(row);
  rows_.back().content_path = kept.content_path;
  return {};
}

void Deposit::describe(const index::FileRow& row) {
  // Nearly always the one added last.
  const auto found = std::find_if(rows_.rbegin(), rows_.rend(), [&](const index::FileRow& each) {
    return each.path == row.path;
  });
  if (found != rows_.rend()) *found = row;
}

Claim::Claim(Claim&& other) noexcept : release_(std::exchange(other.release_, nullptr)) {}
Claim::~Claim() {
  if (release_) release_();
}

// ---------------------------------------------------------------------------- Store

class Store::State {
 public:
  State(Disk& disk_in, Clock& clock_in, StoreOptions options_in)
      : disk(disk_in),
        clock(clock_in),
        options(std::move(options_in)),
        layout(options.data),
        sources(disk, layout.root, layout.evidence),
        inventories(disk) {}

  ~State() {
    // The log's threads use the index: they end first.
    log.reset();
  }

  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> open_journal();
  Result<void> finish_key();
  Result<void> install_key();
  Result<void> check_key() const;
  Result<void> replace_key();
  std::string remedy() const;
  Result<void> check_head() const;
  Result<void> set_index_aside();
  Result<void> open_indexes(bool may_rebuild);
  Result<void> check_positions() const;
  Result<void> check_entries(std::uint64_t first,
                             std::uint64_t end,
                             const std::stop_token& stop) const;
  Result<void> complete_index(const std::stop_token& stop);
  Result<void> apply_up_to(std::uint64_t end, const std::stop_token& stop);
  Result<void> compare_indexes(const std::stop_token& stop) const;
  void drop_old_index();
  Starting how_far() const;
  Result<void> refuse(const Error& why);
  Result<Path> make_staging();
  std::optional<std::string> failure() const;

  Disk& disk;
  Clock& clock;
  const StoreOptions options;
  const Layout layout;
  Fd lock;
  ObjectSources sources;
  InventoryDigests inventories;
  const std::shared_ptr<Comparisons> comparisons = std::make_shared<Comparisons>();
  OnDamage on_damage;
  std::unique_ptr<index::Index> index;
  std::unique_ptr<index::Index> old_index;  // Kept to the end: somebody may be reading it.
  std::unique_ptr<journal::Log> log;
  std::unique_ptr<journal::Log> doubted_log;  // Likewise.
  std::unique_ptr<Committer> committer;
  Recovered recovered;
  bool refused = false;

  // What others may use while bring_up() is at work: they are set when it is fit for use.
  std::atomic<const index::Index*> serving{nullptr};
  std::atomic<journal::Log*> journal{nullptr};
  std::atomic<bool> up{false};  // the committer, too
  std::atomic<std::uint64_t> work_names{0};
  std::atomic<std::uint64_t> target{0};
  std::atomic<std::uint64_t> began_at{0};  // index position, and when
  std::atomic<std::chrono::steady_clock::time_point> began{};

  std::mutex mutex;
  std::set<std::string> claimed;      // Guarded by mutex.
  std::uint64_t reserved_bytes = 0;   // Guarded by mutex.
  std::uint64_t reserved_inodes = 0;  // Guarded by mutex.
};

Result<void> Store::State::open_journal() {
  TRY_SET(journal::Signer signer, journal::Signer::open(disk, layout.journal_key));
  journal::LogOptions log_options;
  log_options.publish_delay = options.publish_delay;
  log_options.apply = [this](std::uint64_t first, std::span<const journal::Entry> entries) {
    return index->apply(first, entries, sources);
  };
  log_options.published = [this](const std::string& note) {
    // A copy for whoever finds the store alone; the journal's own is what counts.
    if (auto done = replace_file(disk, layout.data / journal::kHeadCopy, as_bytes(note)); !done) {
      log::warning("the journal's head could not be copied into the store",
                   {{"why", done.error().what()}});
    }
  };
  TRY_SET(log, journal::Log::open(disk, layout.journal, std::move(signer), std::move(log_options)));
  TRY(finish_key());
  TRY(check_key());
  return check_head();
}

// A replacement of the key that was cut short: completed if the journal has it, else forgotten.
Result<void> Store::State::finish_key() {
  TRY_SET(const bool there, path_exists(disk, layout.next_journal_key));
  if (!there) return {};
  TRY_SET(const journal::Signer next, journal::Signer::open(disk, layout.next_journal_key));
  TRY_SET(const bool handed_over, log->finish_key(next));
  if (handed_over) return install_key();
  log::info("a new key for the journal, which never came into force, is removed",
            {{"file", layout.next_journal_key.native()}});
  return disk.remove_file(layout.next_journal_key);
}

// The public key first: with the private one in its place nothing is left to do.
Result<void> Store::State::install_key() {
  TRY(replace_file(disk, layout.journal / "vkey", as_bytes(log->key().text() + "\n"), 0444));
  TRY(disk.rename_over(layout.next_journal_key, layout.journal_key));
  return sync_folder(disk, layout.secrets);
}

// What says whose journal this is must agree: public key, private key, marker.
Result<void> Store::State::check_key() const {
  const Path path = layout.journal / "vkey";
  const auto beside = journal::key_beside(disk, layout.journal);
  if (!beside && beside.error().code() == Code::not_found) {
    log::warning("the journal's public key was missing and is written anew",
                 {{"file", path.native()}});
    return publish_file(disk, path, as_bytes(log->key().text() + "\n"), 0444);
  }
  if (!beside && beside.error().code() != Code::invalid) return beside.error();
  if (!beside || !(*beside == log->key())) {
    return Error(Code::corrupt, path.native() + " is not the public key of " +
                                    layout.journal_key.native() +
                                    ". Restore it from a copy, or delete it: it is written anew")
        .as("journal-key");
  }
  TRY_SET(const std::string text, read_file(disk, layout.marker, limits::kConfigBytesMax));
  TRY_SET(const json::Object marker, json::parse_object(text));
  if (json::text_at(marker, "origin") == log->key().name()) return {};
  return Error(Code::corrupt, layout.marker.native() + " is of '" +
                                  printable(json::text_at(marker, "origin")) +
                                  "', but the journal is of " + log->key().name() +
                                  ": parts of two data folders are mixed. Restore them from a copy")
      .as("journal-origin");
}

Result<void> Store::State::replace_key() {
  TRY_SET(const journal::Signer next,
          journal::Signer::create(disk, layout.next_journal_key, log->key().name()));
  journal::Event event;
  event.time = clock.now();
  event.id = Uuid::at(event.time);
  event.type = journal::type::kKeyReplaced;
  event.agent = kProgramName;
  TRY(log->replace_key(next, std::move(event)));
  return install_key();
}

std::string Store::State::remedy() const {
  return "Restore the journal from a copy; if the loss is accepted, delete " +
         layout.index.native() + (old_index ? ", " + layout.index_old.native() : std::string()) +
         " and " + (layout.data / journal::kHeadCopy).native() + " and start again";
}

// The store keeps a copy of the last published checkpoint: a journal that was exchanged for an
// older one, or for another's, does not have it as its beginning.
Result<void> Store::State::check_head() const {
  const Path path = layout.data / journal::kHeadCopy;
  auto note = read_file(disk, path, limits::kCheckpointBytesMax);
  if (!note && note.error().code() == Code::not_found) return {};  // None was published yet.
  if (!note) return std::move(note).error();
  const auto tampered = [&](const std::string& what) {
    return Error(Code::corrupt, "the journal is not the one that the store was written with: " +
                                    path.native() + " " + what + ". " + remedy())
        .as("journal-tampered");
  };
  const auto head = journal::read_checkpoint(*note, log->key());
  if (!head) return tampered("is no checkpoint of its key");
  if (head->size > log->size()) {
    return tampered("has " + std::to_string(head->size) + " entries, the journal only " +
                    std::to_string(log->size()));
  }
  if (head->size > log->published()) return {};  // Covered by the tail, which was checked.
  journal::TileTree tree(disk, layout.journal, head->size);
  auto root = tree.root();
  if (!root && root.error().code() != Code::not_found && root.error().code() != Code::corrupt)
    return std::move(root).error();  // It could not be looked at; that says nothing against it.
  if (!root) {
    return Error(Code::corrupt, "the journal's hash tiles are damaged: " + root.error().what() +
                                    ". Restore them from a copy; versement journal verify says "
                                    "which")
        .as("journal-tampered");
  }
  if (*root != head->root) return tampered("has another beginning");
  return {};
}

bool is_tampering(const Error& error) {
  return error.code() == Code::corrupt && error.reason().starts_with("journal-");
}

// With a journal in doubt nothing is written any more; what the index knew before is still served.
Result<void> Store::State::refuse(const Error& why) {
  const bool older = old_index && old_index->position() > index->position();
  const index::Index& best = older ? *old_index : *index;
  if (best.position() == 0) return why;  // There is nothing to serve.
  log::error("the journal was tampered with; the service is read-only until that is cleared up",
             {{"why", why.what()}});
  TRY_SET(journal::Signer signer, journal::Signer::open(disk, layout.journal_key));
  doubted_log = std::move(log);
  log = journal::Log::open_refusing(disk, layout.journal, std::move(signer), best.position(),
                                    why.what());
  refused = true;
  journal = log.get();
  serving = &best;
  return {};
}

// The index that is there becomes index.old, unless an earlier start has done so, which was cut
// short: then the new one has begun already.
Result<void> Store::State::set_index_aside() {
  TRY_SET(const bool begun, path_exists(disk, layout.index_old));
  if (begun) return {};
  auto there = index::Index::open_to_read(disk, layout.index, options.index);
  if (!there && there.error().code() == Code::not_found) return {};
  if (!there) {
    log::warning("the index cannot be read and is made anew without it",
                 {{"why", there.error().what()}});
    return remove_tree(disk, layout.index);
  }
  // What has seen more than the journal has is evidence; it stays where it is.
  if ((*there)->position() > log->size()) return {};
  there->reset();
  TRY(disk.rename_new(layout.index, layout.index_old));
  return sync_folder(disk, layout.data);
}

Result<void> Store::State::open_indexes(bool may_rebuild) {
  if (options.rebuild_index && may_rebuild) TRY(set_index_aside());
  index::IndexOptions half = options.index;
  half.cache_bytes /= 2;
  auto old = index::Index::open_to_read(disk, layout.index_old, half);
  if (old) {
    old_index = std::move(*old);
  } else if (old.error().code() != Code::not_found) {
    log::warning("the old index cannot be read and is dropped", {{"why", old.error().what()}});
    TRY(remove_tree(disk, layout.index_old));
  }
  TRY_SET(index, index::Index::open(disk, layout.index, options.index));
  return {};
}

Result<void> Store::State::check_positions() const {
  for (const auto* each : {&index, &old_index}) {
    if (!*each || (*each)->position() <= log->size()) continue;
    return Error(Code::corrupt, "the journal has " + std::to_string(log->size()) +
                                    " entries, but the index has seen " +
                                    std::to_string((*each)->position()) +
                                    ": the journal was cut back. " + remedy())
        .as("journal-tampered");
  }
  return {};
}

// The bundles below the tail are not read when the journal is opened: before the index believes
// entries of theirs, these must lead to the signed root.
Result<void> Store::State::check_entries(std::uint64_t first,
                                         std::uint64_t end,
                                         const std::stop_token& stop) const {
  if (first >= log->published()) return {};  // The tail was checked.
  journal::TileTree tiles(disk, layout.journal, log->published());
  std::vector<journal::Hash> nodes;
  for (std::uint64_t begin = 0, power = std::bit_floor(first); power > 0; power /= 2) {
    if ((first & power) == 0) continue;
    auto node = tiles.range(begin, begin + power);
    if (!node && node.error().code() == Code::not_found)
      return Error(Code::corrupt, node.error().what()).as("journal-tampered");
    if (!node) return std::move(node).error().as("journal-tampered");
    nodes.push_back(*node);
    begin += power;
  }
  journal::Frontier tree(first, std::move(nodes));
  TRY(log->for_each(first, end, [&](std::uint64_t, std::string_view text) -> Result<void> {
    if (stop.stop_requested()) return Error(Code::cancelled, "the journal was not checked");
    tree.append(journal::leaf_hash(text));
    return {};
  }));
  TRY_SET(const journal::Checkpoint signed_tree,
          journal::read_checkpoint(log->checkpoint(), log->key()));
  if (signed_tree.size == tree.size() && signed_tree.root == tree.root()) return {};
  return Error(Code::corrupt,
               "the journal's entries do not lead to the root that was signed; "
               "versement journal verify says which file is wrong")
      .as("journal-tampered");
}

Result<void> Store::State::apply_up_to(std::uint64_t end, const std::stop_token& stop) {
  auto told = std::chrono::steady_clock::now();
  const auto tell = [&] {
    const auto now = std::chrono::steady_clock::now();
    if (now - told < kTellEvery) return;
    told = now;
    const Starting far = how_far();
    log::info("the index catches up with the journal",
              {{"at", std::to_string(far.position)},
               {"to", std::to_string(far.target)},
               {"seconds_left", far.left ? std::to_string(far.left->count()) : ""}});
  };
  return store::catch_up({.log = *log,
                          .index = *index,
                          .sources = sources,
                          .threads = processor_count(),
                          .tell = tell},
                         end, stop);
}

Result<void> Store::State::complete_index(const std::stop_token& stop) {
  const std::uint64_t end = target;
  if (end - index->position() > kTellEntries) {
    log::info("the index catches up with the journal",
              {{"from", std::to_string(index->position())}, {"to", std::to_string(end)}});
  }
  TRY(check_entries(index->position(), end, stop));
  began = std::chrono::steady_clock::now();
  if (old_index) {
    TRY(apply_up_to(old_index->position(), stop));
    TRY(compare_indexes(stop));
  }
  TRY(apply_up_to(end, stop));
  serving = index.get();
  drop_old_index();
  return {};
}

// The same entries give the same rows. Where they do not, an object or an evidence file is not what
// it was, or the old index was wrong; the new one is what the journal says.
Result<void> Store::State::compare_indexes(const std::stop_token& stop) const {
  if (index->position() != old_index->position()) return {};  // It was compared before.
  const std::string position = std::to_string(index->position());
  TRY_SET(const auto difference, index->difference(*old_index, stop));
  if (!difference) {
    log::info("the new index equals the old one", {{"position", position}});
  } else {
    log::warning("the new index differs from the old one and takes its place",
                 {{"position", position}, {"first_difference", printable(*difference)}});
  }
  return {};
}

void Store::State::drop_old_index() {
  if (!old_index) return;
  if (auto removed = remove_tree(disk, layout.index_old); !removed) {
    log::warning("the old index could not be removed; the next start tries again",
                 {{"folder", layout.index_old.native()}, {"why", removed.error().what()}});
  }
}

Result<void> Store::create(Disk& disk, Clock& clock, const Path& data, std::string_view origin) {
  TRY(journal::check_origin(origin));
  const Layout layout(data);
  TRY(publish_folders(disk, data, 0750));
  TRY(expect_new(disk, layout));
  TRY_SET(Fd lock, take_lock(disk, layout));
  TRY(expect_new(disk, layout));  // Another one may have been quicker.
  for (const Path& folder : parts_of(layout))
    TRY(remove_tree(disk, folder));
  TRY(sweep_temporary_files(disk, layout.data));
  // What is below is readable for everyone who gets here: 0444 files, 0555 folders.
  if (auto closed = disk.set_mode(data, 0750); !closed) {
    log::warning("the data folder could not be closed to other users",
                 {{"folder", data.native()}, {"why", closed.error().what()}});
  }
  TRY(publish_folders(disk, layout.secrets, 0700));
  for (const Path& folder : {layout.root, layout.evidence, layout.work, layout.quarantine}) {
    TRY(publish_folders(disk, folder, 0755));
  }
  TRY(ocfl::create_root(disk, layout.root));
  TRY(journal::Log::create(disk, layout.journal, layout.journal_key, origin));
  json::Object marker;
  marker["format"] = kDataFormat;
  marker["created_at"] = clock.now().text();
  marker["origin"] = origin;
  // Last: what has the marker is whole.
  TRY(publish_file(disk, layout.marker, as_bytes(json::write_pretty(marker) + "\n")));
  StoreOptions options;
  options.data = data;
  TRY_SET(const auto store, prepare(disk, clock, std::move(options), std::move(lock)));
  TRY(store->bring_up());
  journal::Event created = store->event(journal::type::kStoreCreated, kProgramName);
  created.detail["journal_key"] = store->journal().key().text();
  TRY(store->append(std::move(created)));
  return {};
}

Result<std::unique_ptr<Store>> Store::open(Disk& disk, Clock& clock, StoreOptions options) {
  TRY_SET(auto store, prepare(disk, clock, std::move(options)));
  TRY(store->bring_up());
  return store;
}

Result<std::unique_ptr<Store>> Store::prepare(Disk& disk, Clock& clock, StoreOptions options) {
  const Layout layout(options.data);
  TRY(check_marker(disk, layout));
  TRY(check_parts(disk, layout));
  TRY(ocfl::check_root(disk, layout.root));
  TRY(check_same_file_system(disk, layout));
  // A start that refuses until here has not touched anything.
  TRY_SET(Fd lock, take_lock(disk, layout));
  return prepare(disk, clock, std::move(options), std::move(lock));
}

Result<std::unique_ptr<Store>> Store::prepare(Disk& disk,
                                              Clock& clock,
                                              StoreOptions options,
                                              Fd lock) {
  auto state = std::make_unique<State>(disk, clock, std::move(options));
  state->lock = std::move(lock);
  TRY(sweep_temporary_files(disk, state->layout.root));
  TRY(sweep_temporary_files(disk, state->layout.evidence));
  TRY(sweep_temporary_files(disk, state->layout.work));
  auto opened = state->open_journal();
  if (!opened && !is_tampering(opened.error())) return std::move(opened).error();
  TRY(state->open_indexes(static_cast<bool>(opened)));
  if (opened) opened = state->check_positions();
  if (!opened) {
    TRY(state->refuse(opened.error()));
  } else {
    state->journal = state->log.get();
    state->target = state->log->size();
    state->began_at = state->index->position();
    // An index that is behind knows nothing of what was revoked since: it serves nobody.
    for (const auto* each : {&state->old_index, &state->index}) {
      if (*each && (*each)->position() == state->target) state->serving = each->get();
    }
  }
  return std::unique_ptr<Store>(new Store(std::move(state)));
}

Result<void> Store::bring_up(const std::stop_token& stop) {
  State& state = *state_;
  if (!state.refused) {
    auto done = state.complete_index(stop);
    if (!done && !is_tampering(done.error())) return std::move(done).error();
    if (!done) TRY(state.refuse(done.error()));
  }
  if (!state.refused && state.options.replace_key) TRY(state.replace_key());
  state.log->start();
  state.committer = std::make_unique<Committer>(
      state.disk, state.layout, *state.log,
      CommitterOptions{.verify_after_write = state.options.verify_after_write});
  if (!state.refused) {
    TRY_SET(state.recovered,
            recover(state.disk, state.clock, state.layout, *state.log, *state.index));
  }
  state.up = true;
  return {};
}

Starting Store::State::how_far() const {
  Starting starting;
  starting.position = index->position();
  starting.target = target;
  const std::uint64_t done = starting.position - began_at;
  const auto when = began.load();
  if (done == 0 || when == std::chrono::steady_clock::time_point()) return starting;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - when;
  const double rest = static_cast<double>(starting.target - starting.position);
  starting.left = std::chrono::seconds(
      1 + static_cast<std::int64_t>(took.count() * rest / static_cast<double>(done)));
  return starting;
}

std::optional<Starting> Store::starting() const {
  if (state_->up) return std::nullopt;
  return state_->how_far();
}

bool Store::answers_reads() const {
  return state_->serving.load() != nullptr;
}

std::optional<std::string> Store::State::failure() const {
  if (!up) return how_far().text();
  if (auto why = log->failure()) return why;
  return committer->failure();
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}
Store::~Store() = default;

journal::Event Store::event(std::string_view type, std::string_view agent) const {
  journal::Event event;
  event.time = state_->clock.now();
  event.id = Uuid::at(event.time);
  event.type = type;
  event.agent = agent;
  return event;
}

Result<std::uint64_t> Store::append(journal::Event event) {
  return state_->journal.load()->append(std::move(event));
}

Result<Claim> Store::reserve(std::uint64_t bytes, std::uint64_t files) {
  TRY_SET(const Space space, state_->disk.space(state_->layout.data));
  const std::scoped_lock lock(state_->mutex);
  const std::uint64_t bytes_needed =
      bytes + state_->reserved_bytes + state_->options.min_free_bytes;
  // A folder or two come with each file at the worst.
  const std::uint64_t inodes = files * 3;
  const std::uint64_t inodes_needed =
      inodes + state_->reserved_inodes + state_->options.min_free_inodes;
  if (space.free_bytes < bytes_needed) {
    return Error(Code::no_space, state_->layout.data.native() + " has " +
                                     human_bytes(space.free_bytes) + " free; " +
                                     human_bytes(bytes) + " are needed and " +
                                     human_bytes(state_->options.min_free_bytes) + " kept free")
        .as("insufficient-storage");
  }
  if (space.total_inodes > 0 && space.free_inodes < inodes_needed) {
    return Error(Code::no_space, state_->layout.data.native() + " has only " +
                                     std::to_string(space.free_inodes) + " free inodes")
        .as("insufficient-storage");
  }
  state_->reserved_bytes += bytes;
  state_->reserved_inodes += inodes;
  return Claim([state = state_.get(), bytes, inodes] {
    const std::scoped_lock inner(state->mutex);
    state->reserved_bytes -= bytes;
    state->reserved_inodes -= inodes;
  });
}

Result<Claim> Store::claim(const std::string& name) {
  const std::scoped_lock lock(state_->mutex);
  if (!state_->claimed.insert(name).second) {
    return Error(Code::conflict, "'" + name + "' is being worked on; try again")
        .as("resource-busy");
  }
  return Claim([state = state_.get(), name] {
    const std::scoped_lock inner(state->mutex);
    state->claimed.erase(name);
  });
}

Result<Path> Store::State::make_staging() {
  if (!up) return Error(Code::unavailable, how_far().text()).as("starting");
  if (auto why = failure()) return Error(Code::unavailable, "read-only: " + *why).as("read-only");
  Path folder = layout.work / ("tx-" + Uuid::at(clock.now()).text());
  TRY(disk.make_folder(folder, 0755));
  return folder;
}

Result<std::unique_ptr<Deposit>> Store::begin(const ObjectId& object) {
  TRY_SET(const Path folder, state_->make_staging());
  auto writer = ocfl::ObjectWriter::begin(state_->disk, folder / "object", object);
  if (!writer) {
    (void)remove_tree(state_->disk, folder);  // Else the next start sweeps it.
    return std::move(writer).error();
  }
  return std::unique_ptr<Deposit>(new Deposit(state_->disk, folder, object, std::move(*writer)));
}

Result<std::unique_ptr<Deposit>> Store::begin_version(const ObjectId& object,
                                                      std::string_view base) {
  TRY_SET(const Path folder, state_->make_staging());
  const auto make = [&]() -> Result<ocfl::ObjectWriter> {
    TRY_SET(ocfl::LoadedInventory current,
            ocfl::load_inventory(state_->disk, object_folder(object)));
    if (current.digest.hex() != base) return other_version(object);
    return ocfl::ObjectWriter::begin_version(state_->disk, folder / "object", std::move(current));
  };
  auto writer = make();
  if (!writer) {
    (void)remove_tree(state_->disk, folder);
    return std::move(writer).error();
  }
  return std::unique_ptr<Deposit>(new Deposit(state_->disk, folder, object, std::move(*writer)));
}

Result<Committed> Store::commit(std::unique_ptr<Deposit> deposit,
                                const ocfl::VersionNote& note,
                                journal::Event event) {
  TRY_SET(ocfl::StagedObject staged, deposit->writer_.finish(note));
  event.objects["object"] = deposit->object_.text();
  event.objects["version"] = staged.version;
  event.detail["inventory"] = staged.inventory_digest.hex();
  std::sort(deposit->rows_.begin(), deposit->rows_.end(),
            [](const auto& a, const auto& b) { return a.path < b.path; });
  TRY(list_files(deposit->rows_, *this, &event));
  Transaction transaction;
  transaction.folder = deposit->folder_;
  transaction.staged = std::move(staged);
  transaction.target = object_folder(deposit->object_);
  transaction.event = std::move(event);
  auto rows = std::make_shared<index::FileRows>();
  rows->rows = std::move(deposit->rows_);
  transaction.rows = std::move(rows);
  auto committed = state_->committer->commit(&transaction);
  deposit->keep_ = transaction.keep;
  if (!committed) return std::move(committed).error();
  return Committed{transaction.staged.inventory_digest, *committed};
}

void Store::settle() {
  if (state_->up) state_->committer->settle();
}

Path Store::object_folder(const ObjectId& object) const {
  return state_->layout.root / ocfl::object_path(object);
}

Result<std::optional<Store::WrongInventory>> Store::wrong_inventory(const ObjectId& object,
                                                                    std::uint32_t version,
                                                                    std::string_view wanted,
                                                                    std::string_view newest) const {
  const std::string name(ocfl::kInventoryName);
  const Path folder = object_folder(object);
  const auto judge = [&](std::string path,
                         std::string_view digest) -> Result<std::optional<WrongInventory>> {
    auto found = state_->inventories.of(folder / path);
    if (found && *found == digest) return std::optional<WrongInventory>();
    // A disk that gives no answer, or no descriptor for it, says nothing about the bytes.
    const bool unread = !found && (!is_damage(found.error()) || found.error().code() == Code::io);
    if (unread) return std::move(found).error();
    Error what = found ? Error(Code::corrupt, "the inventory is another than the journal says")
                       : std::move(found).error();
    return std::optional(WrongInventory{std::move(path), std::move(what)});
  };
  TRY_SET(auto of_version, judge(Version(version).folder() + "/" + name, wanted));
  if (of_version || !state_->up || state_->committer->failure()) return of_version;
  return judge(name, newest);
}

Path Store::work_name(std::string_view what) const {
  // Of an earlier process nothing is left: one at a time, and each sweeps when it starts.
  const auto number = state_->work_names.fetch_add(1);
  return state_->layout.work /
         (std::string(kUnpackedPrefix) + std::string(what) + "-" + std::to_string(number));
}

std::shared_ptr<Source> Store::file(const std::string& owner,
                                    const ObjectId& object,
                                    const index::FileRow& row) const {
  return file(owner, object_folder(object),
              {.content_path = row.content_path, .size_bytes = row.size_bytes, .crc32 = row.crc32});
}

std::shared_ptr<Source> Store::file(const std::string& owner,
                                    const Path& object_folder,
                                    const FileFacts& facts) const {
  Expected expected;
  expected.crc32 = facts.crc32;
  // A smaller file is compared each time: that costs less than remembering it.
  constexpr std::uint64_t kRememberedBytesMin = 1u << 20;
  if (facts.size_bytes >= kRememberedBytesMin) expected.comparisons = state_->comparisons;
  expected.on_damage = [state = state_.get(), owner,
                        path = std::string(facts.content_path)](const Error& what) {
    if (state->on_damage) state->on_damage(owner, path, what);
  };
  // Taken apart once only: a bag asks for very many.
  std::string path = object_folder.native();
  path.append("/").append(facts.content_path);
  return std::make_shared<FileSource>(state_->disk, Path(std::move(path)), facts.size_bytes,
                                      std::move(expected));
}

void Store::set_on_damage(OnDamage on_damage) {
  state_->on_damage = std::move(on_damage);
}

void Store::tell_of_damage(const std::string& owner,
                           const std::string& path,
                           const Error& what) const {
  if (state_->on_damage) state_->on_damage(owner, path, what);
}

Result<index::FileRow> Store::file_row(std::string_view owner,
                                       std::uint32_t version,
                                       std::string_view path) const {
  TRY_SET(const auto bytes, index().get(index::keys::file(owner, version, path)));
  if (!bytes) return Error(Code::not_found, "there is no file '" + std::string(path) + "'");
  return index::decode_file_row(path, *bytes);
}

Result<std::unique_ptr<journal::EvidenceWriter>> Store::begin_evidence() {
  return journal::EvidenceWriter::begin(state_->disk, state_->layout.evidence);
}

Result<void> Store::read_evidence(
    std::string_view digest, const std::function<Result<void>(const json::Object&)>& each) const {
  return journal::read_evidence(state_->disk, state_->layout.evidence, digest, each);
}

Result<void> Store::check_evidence(std::string_view digest) const {
  return journal::check_evidence(state_->disk, state_->layout.evidence, digest);
}

Path Store::evidence_file(std::string_view digest) const {
  return state_->layout.evidence / journal::evidence_path(digest);
}

const index::Index& Store::index() const {
  const index::Index* const serving = state_->serving;
  return serving != nullptr ? *serving : *state_->index;
}
journal::Log& Store::journal() {
  return *state_->journal;
}
const Layout& Store::layout() const {
  return state_->layout;
}
bool Store::verifies_after_write() const {
  return state_->options.verify_after_write;
}
Disk& Store::disk() const {
  return state_->disk;
}
Clock& Store::clock() const {
  return state_->clock;
}
const Recovered& Store::recovered() const {
  return state_->recovered;
}

std::optional<std::string> Store::read_only_reason() const {
  return state_->failure();
}

}  // namespace versement::store
