#include "store/recover.hpp"

#include <algorithm>
#include <array>

#include <fcntl.h>

#include "store/base/limits.hpp"
#include "store/base/log.hpp"
#include "store/base/publish.hpp"
#include "store/base/version.hpp"
#include "store/commit.hpp"
#include "store/index/keys.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/layout.hpp"

namespace versement::store {
namespace {

struct Intent {
  Path target;  // of the object, relative to the root
  std::uint32_t version = 1;
  std::string base;  // inventory that a further version builds on
  std::string inventory;
  journal::Event event;
};

Result<Intent> read_intent(Disk& disk, const Path& path) {
  TRY_SET(const std::string text, read_file(disk, path, 2 * limits::kEntryBytesMax));
  TRY_SET(const json::Object object, json::parse_object(text));
  Intent intent;
  intent.target = json::text_at(object, "target");
  // Intents of an earlier release have no version: they are of new objects.
  intent.version = std::max(1u, static_cast<std::uint32_t>(json::number_at(object, "version")));
  intent.base = json::text_at(object, "base");
  intent.inventory = json::text_at(object, "inventory");
  TRY_SET(intent.event, journal::event_of(json::write(json::object_at(object, "event"))));
  if (!ocfl::is_clean_path(intent.target.native()) || intent.inventory.empty() ||
      (intent.version > 1 && intent.base.empty())) {
    return Error(Code::corrupt, path.native() + " is not an intent");
  }
  // All that it says must be of one commit: this file could have been written by somebody else.
  const journal::Event& event = intent.event;
  TRY_SET(const ObjectId id, ObjectId::parse(json::text_at(event.objects, "object")));
  const bool agrees =
      intent.target == ocfl::object_path(id) &&
      json::number_at(event.objects, "version") == intent.version &&
      json::text_at(event.detail, "inventory") == intent.inventory &&
      (event.type == journal::type::kIngestion || event.type == journal::type::kTransferSealed);
  if (!agrees) return Error(Code::corrupt, path.native() + " contradicts itself");
  return intent;
}

// Reads the content files that this version brought and compares.
Result<void> check_contents(Disk& disk,
                            const Path& folder,
                            const ocfl::Inventory& inventory,
                            const std::string& version) {
  for (const auto& [digest, paths] : inventory.manifest) {
    TRY_SET(const Digest wanted, Digest::from_hex(inventory.algorithm, digest));
    for (const std::string& path : paths) {
      if (!path.starts_with(version + "/")) continue;
      const Path file = folder / path;
      TRY_SET(const FileInfo info, disk.info(file));
      FileSource source(disk, file, info.size_bytes);
      Hasher hasher{inventory.algorithm};
      std::vector<std::byte> buffer(limits::kChunkBytes);
      for (std::uint64_t offset = 0; offset < info.size_bytes;) {
        TRY_SET(const std::size_t count, source.read_at(offset, buffer));
        hasher.update(std::span<const std::byte>(buffer).first(count));
        offset += count;
      }
      if (hasher.finish().front() != wanted) {
        return Error(Code::corrupt, file.native() + " has other bytes than the inventory says");
      }
    }
  }
  return {};
}

// The version's own inventory is the one that the intent names, and its contents are whole.
Result<void> check_version(Disk& disk, const Path& folder, const Intent& intent) {
  const std::string version = Version(intent.version).folder();
  TRY_SET(const ocfl::LoadedInventory loaded, ocfl::load_inventory(disk, folder / version));
  if (loaded.digest.hex() != intent.inventory) {
    return Error(Code::corrupt,
                 (folder / version).native() + " has another inventory than its intent says");
  }
  return check_contents(disk, folder, loaded.inventory, version);
}

class Recovery {
 public:
  Recovery(
      Disk& disk, Clock& clock, const Layout& layout, journal::Log& log, const index::Index& index)
      : disk_(disk), clock_(clock), layout_(layout), log_(log), index_(index) {}

  // All intents go through each step together, so that a hundred of them cost a handful of syncs.
  // What a crash leaves of it is met by the next recovery as by this one.
  Result<Recovered> run() {
    TRY_SET(const auto entries, list_sorted(disk_, layout_.work));
    for (const DirEntry& entry : entries) {
      if (entry.name.starts_with(kUnpackedPrefix)) finished_.push_back(layout_.work / entry.name);
      if (!entry.name.starts_with("tx-")) continue;
      const Path folder = layout_.work / entry.name;
      auto done = look(folder);
      if (!done) return std::move(done).error().during("recover " + folder.native());
    }
    TRY(finish_forward());
    if (!events_.empty()) TRY(log_.append(std::move(events_)));
    for (const Path& folder : finished_)
      TRY(remove_tree(disk_, folder));
    return recovered_;
  }

 private:
  struct Forward {
    Intent intent;
    Path target;
    Path folder;
  };

  Result<void> look(const Path& folder) {
    auto intent = read_intent(disk_, folder / kIntentName);
    if (!intent && is_unanswered(intent.error())) return std::move(intent).error();
    finished_.push_back(folder);
    if (!intent) {
      // Without a whole intent nothing was moved into the root.
      if (intent.error().code() != Code::not_found) {
        log::warning("an intent is not whole; what was staged with it is dropped",
                     {{"folder", folder.native()}, {"why", intent.error().what()}});
      }
      ++recovered_.dropped;
      return {};
    }
    const Path target = layout_.root / intent->target;
    TRY_SET(const bool there, path_exists(disk_, target / Version(intent->version).folder()));
    if (there) return complete(std::move(*intent), target, folder);
    append_later(make(journal::type::kDepositAbandoned, *intent, "failure",
                      "the service ended before the object was in the store"));
    remove_empty_parents(disk_, layout_.root, target);
    ++recovered_.dropped;
    return {};
  }

  // True when the journal has the event: only the intent was left over.
  Result<bool> journaled(const Intent& intent, const std::string& object) {
    TRY_SET(const auto owner, index_.get(index::keys::object(object)));
    if (!owner) return false;
    if (intent.version == 1) return true;
    const std::string item = json::text_at(intent.event.objects, "item");
    TRY_SET(const auto version, index_.get(index::keys::version(item, intent.version)));
    return version.has_value();
  }

  Result<void> complete(Intent intent, const Path& target, const Path& folder) {
    const std::string object = json::text_at(intent.event.objects, "object");
    TRY_SET(const bool known, journaled(intent, object));
    if (known) return {};
    auto whole = check_version(disk_, target, intent);
    if (!whole && is_unanswered(whole.error())) return whole;
    if (!whole) return quarantine(intent, target, folder, without_data_path(whole.error().what()));
    const Path version = target / Version(intent.version).folder();
    TRY(disk_.set_mode(version, kStoredFolderMode));
    if (intent.version > 1) TRY(stage_inventory(intent.version, target, folder));
    forward_.push_back({std::move(intent), target, folder});
    return {};
  }

  static std::array<std::string, 2> inventory_names() {
    return {std::string(ocfl::kInventoryName), ocfl::sidecar_name(Algorithm::sha512)};
  }

  static Path staged_copy(const Path& folder, const std::string& name) {
    return folder / ("recovered-" + name);
  }

  // Copies the inventory and sidecar of a version into staging, so that each takes its place at
  // once. They are not durable yet.
  Result<void> stage_inventory(std::uint32_t version, const Path& target, const Path& folder) {
    const Path from = target / Version(version).folder();
    for (const std::string& name : inventory_names()) {
      TRY_SET(const std::string bytes, read_file(disk_, from / name, limits::kInventoryBytesMax));
      const Path staged = staged_copy(folder, name);
      auto removed = disk_.remove_file(staged);
      if (!removed && removed.error().code() != Code::not_found) return removed;
      TRY_SET(Fd fd, disk_.open(staged, O_WRONLY | O_CREAT | O_EXCL, 0444));
      TRY(write_all(disk_, fd, as_bytes(bytes), staged));
      TRY(disk_.close(std::move(fd), staged));
    }
    return {};
  }

  Result<void> put_inventory(const Path& target, const Path& folder) {
    for (const std::string& name : inventory_names())
      TRY(disk_.rename_over(staged_copy(folder, name), target / name));
    return {};
  }

  Result<void> finish_forward() {
    if (forward_.empty()) return {};
    TRY(sync_all(layout_.work));
    for (const Forward& each : forward_) {
      if (each.intent.version > 1) {
        TRY(disk_.set_mode(each.target, 0755));
        TRY(put_inventory(each.target, each.folder));
      }
      TRY(disk_.set_mode(each.target, kStoredFolderMode));
    }
    TRY(sync_all(layout_.root));
    for (Forward& each : forward_) {
      log::info("a deposit was completed that a crash had interrupted",
                {{"object", json::text_at(each.intent.event.objects, "object")}});
      append_later(std::move(each.intent.event));
      ++recovered_.completed;
    }
    return {};
  }

  Result<void> sync_all(const Path& folder) {
    TRY_SET(const Fd fd, disk_.open(folder, O_RDONLY | O_DIRECTORY));
    return disk_.sync_file_system(fd, folder);
  }

  // Of a new object all is moved away; of a further version its folder, and the object is again
  // what it was.
  Result<void> move_away(const Intent& intent,
                         const Path& target,
                         const Path& folder,
                         const Path& place) {
    // A folder that moves must be writable, for its "..".
    TRY(disk_.set_mode(target, 0755));
    if (intent.version == 1) {
      TRY(disk_.rename_new(target, place));
      TRY(sync_folder(disk_, layout_.quarantine));
      TRY(sync_folder(disk_, target.parent_path()));
      remove_empty_parents(disk_, layout_.root, target);
      return {};
    }
    const Path version = target / Version(intent.version).folder();
    TRY(disk_.set_mode(version, 0755));
    const auto root = ocfl::load_inventory(disk_, target);
    if (!root || root->digest.hex() != intent.base) {
      TRY(stage_inventory(intent.version - 1, target, folder));
      TRY(sync_all(layout_.work));
      TRY(put_inventory(target, folder));
    }
    TRY(disk_.rename_new(version, place));
    TRY(sync_folder(disk_, layout_.quarantine));
    TRY(disk_.set_mode(target, kStoredFolderMode));
    return sync_folder(disk_, target);
  }

  Result<void> quarantine(const Intent& intent,
                          const Path& target,
                          const Path& folder,
                          const std::string& why) {
    const Path place = layout_.quarantine / Uuid::at(clock_.now()).text();
    TRY(move_away(intent, target, folder, place));
    ++recovered_.quarantined;
    log::error("an interrupted deposit is damaged and was put into quarantine",
               {{"folder", place.native()}, {"why", why}});
    journal::Event event = make(journal::type::kIncidentOpened, intent, "failure", why);
    const Uuid id = Uuid::at(clock_.now());
    event.objects["incident"] = id.text();
    json::Object incident;
    incident["id"] = id.text();
    incident["kind"] = "structure_invalid";
    incident["state"] = "confirmed";
    incident["owner"] = "object " + json::text_at(intent.event.objects, "object");
    incident["path"] = "";
    incident["detail"] = why;
    incident["quarantine"] = place.filename().native();
    incident["opened_at"] = event.time.text();
    event.detail["incident"] = std::move(incident);
    append_later(std::move(event));
    return {};
  }

  // The journal tells what happened, not where this machine keeps its files. A path begins where a
  // word does: within one the same letters are a folder's own name.
  std::string without_data_path(std::string text) const {
    const std::string prefix = layout_.data.native() + "/";
    for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix, at)) {
      if (at == 0 || text[at - 1] == ' ' || text[at - 1] == '\'') {
        text.erase(at, prefix.size());
      } else {
        ++at;
      }
    }
    return text;
  }

  journal::Event make(std::string_view type,
                      const Intent& intent,
                      std::string_view outcome,
                      const std::string& why) {
    journal::Event event;
    event.time = clock_.now();
    event.id = Uuid::at(event.time);
    event.type = type;
    event.agent = kProgramName;
    event.outcome = outcome;
    event.objects = intent.event.objects;
    event.detail["why"] = why;
    return event;
  }

  void append_later(journal::Event event) {
    events_.push_back({.event = std::move(event), .attachment = nullptr});
  }

  Disk& disk_;
  Clock& clock_;
  const Layout& layout_;
  journal::Log& log_;
  const index::Index& index_;
  std::vector<Forward> forward_;
  std::vector<journal::Entry> events_;
  std::vector<Path> finished_;
  Recovered recovered_;
};

}  // namespace

Result<Recovered> recover(
    Disk& disk, Clock& clock, const Layout& layout, journal::Log& log, const index::Index& index) {
  return Recovery(disk, clock, layout, log, index).run();
}

}  // namespace versement::store
