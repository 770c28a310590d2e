#include "store/commit.hpp"

#include <algorithm>
#include <set>

#include <fcntl.h>

#include "store/base/direct.hpp"
#include "store/base/limits.hpp"
#include "store/base/log.hpp"
#include "store/base/publish.hpp"

namespace versement::store {
namespace {

constexpr std::size_t kGroupMax = 64;
// Above this many files one syncfs is cheaper than an fsync for each.
constexpr std::size_t kSyncEachMax = 20;
static_assert(kSyncEachMax <= ocfl::kWrittenNamedMax);

// After a sync that failed nobody knows what the disk holds; an error before it says nothing.
constexpr std::string_view kSyncFailed = "sync-failed";

Result<void> sync_path(Disk& disk, const Path& path, int flags) {
  TRY_SET(const Fd fd, disk.open(path, flags));
  auto synced = disk.sync(fd, path);
  if (!synced) return std::move(synced).error().as(kSyncFailed);
  return {};
}

Result<void> sync_file_system(Disk& disk, const Path& folder) {
  TRY_SET(const Fd fd, disk.open(folder, O_RDONLY | O_DIRECTORY));
  auto synced = disk.sync_file_system(fd, folder);
  if (!synced) return std::move(synced).error().as(kSyncFailed);
  return {};
}

// Reads a file past the page cache and compares.
Result<void> check_stored(Disk& disk,
                          const Path& path,
                          std::uint64_t size_bytes,
                          const Digest& wanted) {
  Hasher hasher{wanted.algorithm()};
  TRY(read_direct(disk, path, size_bytes, [&](std::span<const std::byte> chunk) -> Result<void> {
    hasher.update(chunk);
    return {};
  }));
  if (hasher.finish().front() == wanted) return {};
  return Error(Code::corrupt, path.native() +
                                  " was written, but other bytes were read back; "
                                  "nothing was stored. Check the disk and its cables")
      .as("read-back-mismatch");
}

const Digest& quicker(const index::FileRow& file) {
  static const Algorithm algorithm = quicker_algorithm();
  return algorithm == Algorithm::sha512 ? file.sha512 : file.sha256;
}

}  // namespace

Committer::Committer(Disk& disk, const Layout& layout, journal::Log& log, CommitterOptions options)
    : disk_(disk),
      layout_(layout),
      log_(log),
      options_(options),
      barrier_(kGroupMax, [this](std::span<Transaction* const> group) { serve_barrier(group); }),
      install_(kGroupMax, [this](std::span<Transaction* const> group) { serve_install(group); }) {}

std::optional<std::string> Committer::failure() const {
  const std::scoped_lock lock(mutex_);
  return failure_;
}

void Committer::fail(const std::string& why) {
  log::error("the store takes no deposits until the next start", {{"why", why}});
  const std::scoped_lock lock(mutex_);
  if (!failure_) failure_ = why;
}

Result<std::uint64_t> Committer::commit(Transaction* transaction) {
  TRY(write_intent(transaction));
  barrier_.run(transaction);
  TRY(std::move(transaction->outcome));
  if (options_.verify_after_write) TRY(verify(*transaction));
  install_.run(transaction);
  TRY(std::move(transaction->outcome));
  // The intent has done its work. If the removal is lost, recovery finds the event in the journal.
  (void)remove_tree(disk_, transaction->folder);
  return transaction->journal_index;
}

Result<void> Committer::write_intent(Transaction* transaction) {
  TRY_SET(const std::string entry, journal::entry_of(transaction->event));
  TRY_SET(json::Object event, json::parse_object(entry));
  json::Object intent;
  intent["v"] = 1;
  intent["target"] = transaction->target.lexically_relative(layout_.root).native();
  intent["version"] = transaction->staged.version;
  if (transaction->staged.base) intent["base"] = transaction->staged.base->hex();
  intent["inventory"] = transaction->staged.inventory_digest.hex();
  intent["event"] = std::move(event);
  const Path path = transaction->folder / kIntentName;
  TRY_SET(Fd fd, disk_.open(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
  TRY(write_all(disk_, fd, as_bytes(json::write(intent)), path));
  return disk_.close(std::move(fd), path);
}

void Committer::serve_barrier(std::span<Transaction* const> group) {
  Result<void> synced;
  if (const auto why = failure()) {
    synced = Error(Code::unavailable, "read-only: " + *why).as("read-only");
  } else {
    synced = sync_group(group);
    if (!synced && synced.error().reason() == kSyncFailed) {
      // What the disk holds of these pages is unknown; a second sync would lie.
      fail(synced.error().what());
      synced = Error(Code::unavailable, "read-only: " + synced.error().what()).as("read-only");
    }
  }
  for (Transaction* const transaction : group)
    transaction->outcome = synced;
}

Result<void> Committer::sync_group(std::span<Transaction* const> group) {
  std::size_t files = 0;
  for (const Transaction* const each : group) {
    files += each->staged.written_count + each->staged.folders.size() + 1;
  }
  if (files > kSyncEachMax) return sync_file_system(disk_, layout_.work);
  for (const Transaction* const each : group) {
    for (const std::string& file : each->staged.written_files)
      TRY(sync_path(disk_, file, O_RDONLY));
    for (const Path& folder : each->staged.folders) {
      TRY(sync_path(disk_, folder, O_RDONLY | O_DIRECTORY));
    }
    TRY(sync_path(disk_, each->folder / kIntentName, O_RDONLY));
    TRY(sync_path(disk_, each->folder, O_RDONLY | O_DIRECTORY));
  }
  return sync_path(disk_, layout_.work, O_RDONLY | O_DIRECTORY);
}

Result<void> Committer::verify(const Transaction& transaction) {
  const ocfl::StagedObject& staged = transaction.staged;
  const std::string fresh = Version(staged.version).folder() + "/";
  std::set<std::string_view> seen;
  for (const index::FileRow& file : transaction.rows->rows) {
    if (staged.kept.contains(file.path)) continue;
    if (!file.content_path.starts_with(fresh)) {
      // The same bytes came again and were not written: then those that are there must be right.
      auto whole = check_stored(disk_, transaction.target / file.content_path, file.size_bytes,
                                quicker(file));
      if (!whole) {
        return Error(Code::corrupt, "the item has '" + file.path +
                                        "' already, but what is stored of it is damaged; run an "
                                        "audit and repair it first")
            .as("stored-content-damaged");
      }
      continue;
    }
    if (!seen.insert(file.content_path).second) continue;  // Several paths, the same content.
    TRY(check_stored(disk_, staged.folder / file.content_path, file.size_bytes, quicker(file)));
  }
  const Path inventory = staged.folder / ocfl::kInventoryName;
  TRY_SET(const FileInfo info, disk_.info(inventory));
  return check_stored(disk_, inventory, info.size_bytes, staged.inventory_digest);
}

void Committer::settle() {
  const std::scoped_lock lock(installing_);
}

void Committer::serve_install(std::span<Transaction* const> group) {
  const std::scoped_lock installing(installing_);
  std::vector<Transaction*> installed;
  // What is in the root must get into the journal: its place there is taken first.
  const auto reserved = log_.reserve(group.size() * (limits::kEntryBytesMax + 1024));
  for (Transaction* const transaction : group) {
    if (!reserved) {
      transaction->outcome = reserved.error();
      continue;
    }
    if (const auto why = failure()) {
      transaction->outcome = Error(Code::unavailable, "read-only: " + *why).as("read-only");
      continue;
    }
    transaction->outcome = install(transaction);
    if (transaction->outcome) installed.push_back(transaction);
  }
  if (installed.empty()) return;
  std::vector<Transaction*> versions;
  for (Transaction* const transaction : installed) {
    if (transaction->staged.version > 1) versions.push_back(transaction);
  }
  auto synced = sync_installed(installed);
  if (synced) synced = put_inventories(versions);
  if (!synced) {
    fail(synced.error().what());
    for (Transaction* const transaction : installed) {
      transaction->keep = true;
      transaction->outcome =
          Error(Code::unavailable, "read-only: " + synced.error().what()).as("read-only");
    }
    return;
  }
  record(installed);
}

Result<void> Committer::install(Transaction* transaction) {
  const ocfl::StagedObject& staged = transaction->staged;
  const Path moving =
      staged.version == 1 ? staged.folder : staged.folder / Version(staged.version).folder();
  for (const Path& folder : staged.folders) {
    // What moves stays writable until it is in its place: it must be, for its "..".
    const bool below = folder != moving && folder != staged.folder;
    if (below) TRY(disk_.set_mode(folder, kStoredFolderMode));
  }
  if (staged.version > 1) return install_version(transaction);
  if (auto made = make_folders(disk_, transaction->target.parent_path()); !made) {
    remove_empty_parents(disk_, layout_.root, transaction->target);
    return made;
  }
  auto renamed = disk_.rename_new(staged.folder, transaction->target);
  if (!renamed) remove_empty_parents(disk_, layout_.root, transaction->target);
  if (!renamed && renamed.error().code() == Code::exists) {
    return Error(Code::exists, "the store has an object in " + transaction->target.native());
  }
  return renamed;
}

// The version's folder comes first: with it in place recovery can go forward, without it the object
// is as it was.
Result<void> Committer::install_version(Transaction* transaction) {
  const ocfl::StagedObject& staged = transaction->staged;
  TRY_SET(const ocfl::LoadedInventory current, ocfl::load_inventory(disk_, transaction->target));
  if (current.digest != *staged.base) {
    TRY_SET(const ObjectId object, ObjectId::parse(current.inventory.id));
    return other_version(object);
  }
  const std::string name = Version(staged.version).folder();
  TRY(disk_.set_mode(transaction->target, 0755));
  auto renamed = disk_.rename_new(staged.folder / name, transaction->target / name);
  if (!renamed) (void)disk_.set_mode(transaction->target, kStoredFolderMode);
  return renamed;
}

// The second step of further versions: the object's own inventory becomes the new one.
Result<void> Committer::put_inventories(std::span<Transaction* const> versions) {
  const std::string sidecar = ocfl::sidecar_name(Algorithm::sha512);
  for (const Transaction* const transaction : versions) {
    for (const std::string& name : {std::string(ocfl::kInventoryName), sidecar}) {
      TRY(disk_.rename_over(transaction->staged.folder / name, transaction->target / name));
    }
    TRY(disk_.set_mode(transaction->target, kStoredFolderMode));
  }
  if (versions.size() > kSyncEachMax) return sync_file_system(disk_, layout_.root);
  for (const Transaction* const transaction : versions)
    TRY(sync_path(disk_, transaction->target, O_RDONLY | O_DIRECTORY));
  return {};
}

Result<void> Committer::sync_installed(std::span<Transaction* const> installed) {
  for (Transaction* const transaction : installed) {
    const bool whole = transaction->staged.version == 1;
    const Path moved = whole ? transaction->target
                             : transaction->target / Version(transaction->staged.version).folder();
    TRY(disk_.set_mode(moved, kStoredFolderMode));
  }
  // Each object has new folders above it, two levels deep.
  if (installed.size() * 4 > kSyncEachMax) return sync_file_system(disk_, layout_.root);
  std::set<Path> parents;
  for (const Transaction* const transaction : installed) {
    if (transaction->staged.version > 1) {
      parents.insert(transaction->target);
      continue;
    }
    for (Path parent = transaction->target.parent_path(); parent != layout_.root;
         parent = parent.parent_path()) {
      parents.insert(parent);
    }
  }
  parents.insert(layout_.root);
  for (const Path& parent : parents)
    TRY(sync_path(disk_, parent, O_RDONLY | O_DIRECTORY));
  return {};
}

// Appends the events of all. When the journal does not take them, the objects are in the root
// without an event: recovery completes that at the next start.
void Committer::record(std::span<Transaction* const> installed) {
  std::vector<journal::Entry> entries;
  for (const Transaction* const transaction : installed) {
    entries.push_back({.event = transaction->event, .attachment = transaction->rows});
  }
  auto first = log_.append(std::move(entries));
  if (!first) fail(first.error().what());
  for (std::size_t i = 0; i < installed.size(); ++i) {
    Transaction* const transaction = installed[i];
    if (first) {
      transaction->journal_index = *first + i;
    } else {
      transaction->keep = true;
      transaction->outcome =
          Error(Code::unavailable, "read-only: " + first.error().what()).as("read-only");
    }
  }
}

Error other_version(const ObjectId& object) {
  return Error(Code::conflict, "the object " + object.text() +
                                   " has another version now than the one this builds on; look at "
                                   "it again")
      .as("precondition-failed");
}

void remove_empty_parents(Disk& disk, const Path& root, const Path& target) {
  for (Path parent = target.parent_path(); parent != root; parent = parent.parent_path()) {
    const auto removed = disk.remove_folder(parent);
    if (!removed && removed.error().code() != Code::not_found) return;  // It is in use.
  }
}

Result<void> list_files(const std::vector<index::FileRow>& rows,
                        Store& store,
                        journal::Event* event) {
  json::Array files;
  std::size_t bytes = 0;
  for (const index::FileRow& row : rows) {
    json::Object facts = index::file_facts(row);
    bytes += json::write(facts).size() + 1;
    if (bytes > limits::kFilesInEntryBytesMax) break;
    files.emplace_back(std::move(facts));
  }
  if (bytes <= limits::kFilesInEntryBytesMax) {
    event->detail["files"] = std::move(files);
    return {};
  }
  TRY_SET(const auto evidence, store.begin_evidence());
  for (const index::FileRow& row : rows)
    TRY(evidence->line(index::file_facts(row)));
  TRY_SET(const std::string digest, evidence->finish());
  event->detail["files_evidence"] = digest;
  return {};
}

}  // namespace versement::store
