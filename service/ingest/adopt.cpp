#include "service/ingest/adopt.hpp"

#include <algorithm>

#include "service/ingest/bag_deposit.hpp"
#include "store/base/characters.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/validate.hpp"

namespace versement::ingest {
namespace {

constexpr std::string_view kDeclaration = "bagit.txt";
constexpr std::size_t kFindingsOfOne = 20;
constexpr std::string_view kObjectRemedy = "repair the object with the tool that made it";

Result<bool> holds_bag(Disk& disk, const Path& folder, const DirEntry& entry) {
  if (entry.kind != FileKind::folder || !is_utf8(entry.name)) return false;
  auto there = path_exists(disk, folder / entry.name / kDeclaration);
  if (!there && there.error().code() == Code::denied) return false;
  return there;
}

// What ends the whole run, whichever object or bag it was met in.
bool ends_all(const Error& error) {
  return error.code() == Code::cancelled || error.code() == Code::io ||
         error.code() == Code::unavailable || error.reason() == "deposit-too-large";
}

class Adopter {
 public:
  Adopter(
      Disk& disk, const Path& folder, const std::stop_token& stop, const Looked& looked, Plan* plan)
      : disk_(disk),
        folder_(folder),
        stop_(stop),
        plan_(*plan),
        context_{.disk = disk, .stop = stop, .looked = looked, .findings = plan->findings} {}

  // The structure is judged first; content is compared when it is stored.
  Result<void> root() {
    std::vector<ocfl::CheckedObject> objects;
    ocfl::RootCheckOptions options;
    options.content = false;
    options.threads = processor_count();
    options.stop = stop_;
    options.each = [&](const ocfl::CheckedObject& object) {
      objects.push_back({.id = object.id,
                         .path = object.path,
                         .inventory_digest = {},
                         .version_digests = {},
                         .problems = faults(object.problems)});
    };
    TRY_SET(const auto problems, ocfl::check_root_contents(disk_, folder_, options));
    if (stop_.stop_requested()) return stopped();
    for (const ocfl::CheckedObject& each : objects)
      TRY(checked(each));
    for (const ocfl::Problem& problem : faults(problems))
      of_no_object(problem);
    return {};
  }

  Result<void> bags() {
    TRY_SET(const auto entries, list_sorted(disk_, folder_));
    for (const DirEntry& entry : entries) {
      TRY_SET(const bool is_bag, holds_bag(disk_, folder_, entry));
      TRY_SET(const bool packed, is_packed(entry));
      if (is_bag) {
        TRY(bag({.place = folder_ / entry.name, .below = entry.name, .name = entry.name}));
      } else if (packed) {
        TRY(bag({.place = folder_ / entry.name,
                 .below = entry.name,
                 .name = name_of_archive(entry.name),
                 .packed = true}));
      } else if (entry.kind == FileKind::regular) {
        say(Severity::warning, "adopt-stray", entry.name, "lies beside the bags; not stored",
            "take it away, or ask who put it there");
      } else {
        say(Severity::error, "adopt-no-bag", entry.name,
            "lies beside bags and is none that can be taken: no folder with " +
                std::string(kDeclaration) + " and a name in UTF-8; not stored",
            "get a whole bag from whoever made it, or take it away");
      }
    }
    return {};
  }

  Result<void> bag(const BagToTake& bag) {
    if (stop_.stop_requested()) return stopped();
    TRY_SET(PlannedItem item, plan_bag(context_, bag));
    plan_.items.push_back(std::move(item));
    return {};
  }

 private:
  void say(Severity severity,
           std::string code,
           const std::string& path,
           std::string detail,
           std::string remedy) {
    plan_.findings.add({.code = std::move(code),
                        .severity = severity,
                        .detail = std::move(detail),
                        .remedy = std::move(remedy),
                        .path = printable(path),
                        .row = 0,
                        .item = {}});
  }

  static std::string join(const std::string& below, const std::string& path) {
    if (below.empty() || path.empty()) return below + path;
    return below + "/" + path;
  }

  // An archive is judged as a bag even when it may hold none: that is said, with the reason.
  Result<bool> is_packed(const DirEntry& entry) {
    if (entry.kind != FileKind::regular || !is_utf8(entry.name)) return false;
    auto packed = is_archive(disk_, folder_ / entry.name);
    if (!packed && packed.error().code() == Code::denied) return false;
    return packed;
  }

  static json::Object titled(const std::string& title) {
    mets::Description description;
    description.title["fr"] = title;
    return mets::to_json(description);
  }

  static Error stopped() { return {Code::cancelled, "stopped while planning"}; }

  static std::vector<ocfl::Problem> faults(const std::vector<ocfl::Problem>& problems) {
    std::vector<ocfl::Problem> found;
    for (const ocfl::Problem& problem : problems) {
      const ocfl::Severity severity = problem.severity();
      if (severity == ocfl::Severity::error || severity == ocfl::Severity::unread)
        found.push_back(problem);
    }
    return found;
  }

  Result<void> checked(const ocfl::CheckedObject& found) {
    const std::string place = found.path.native();
    std::size_t said = 0;
    bool sound = true;
    for (const ocfl::Problem& problem : found.problems) {
      // An object that lies elsewhere than its root's layout says is whole all the same.
      const bool misplaced = problem.code == "E083";
      sound = sound && misplaced;
      if (++said > kFindingsOfOne) continue;
      const std::string inside = misplaced ? place : join(place, problem.path);
      say(misplaced ? Severity::warning : Severity::error,
          misplaced ? "adopt-root" : "adopt-object", inside, problem.code + ": " + problem.detail,
          std::string(kObjectRemedy));
    }
    if (sound) {
      auto planned = object(found.path);
      if (planned || ends_all(planned.error())) return planned;
      say(Severity::error, "adopt-object", place, planned.error().what(),
          std::string(kObjectRemedy));
    }
    PlannedItem item;
    item.source_identifier = found.id.empty() ? place : found.id;
    item.notice.set(titled(printable(item.source_identifier)), {});
    item.rejected = true;
    plan_.items.push_back(std::move(item));
    return {};
  }

  void of_no_object(const ocfl::Problem& problem) {
    if (problem.code == "E072" || problem.code == "E090") {
      say(Severity::warning, "adopt-stray", problem.path,
          "lies in the storage root and belongs to no object; not stored",
          "take it away, or ask who put it there");
      return;
    }
    say(Severity::warning, "adopt-root", problem.path, problem.code + ": " + problem.detail,
        "repair the root with the tool that made it");
  }

  Result<void> object(const Path& relative) {
    TRY_SET(const ocfl::LoadedInventory loaded, ocfl::load_inventory(disk_, folder_ / relative));
    const ocfl::Inventory& inventory = loaded.inventory;
    const ocfl::InventoryVersion& head = inventory.versions.rbegin()->second;
    PlannedItem item;
    item.source_identifier = inventory.id;
    item.notice.set(titled(inventory.id), {});
    for (const auto& [hex, paths] : head.state) {
      TRY_SET(const Digest digest, Digest::from_hex(inventory.algorithm, hex));
      const std::string content =
          (relative / inventory.manifest.find(hex)->second.front()).native();
      for (const std::string& path : paths)
        TRY(add_file(content, path, digest, &item));
    }
    if (inventory.head() > 1) {
      say(Severity::warning, "adopt-head", relative.native(),
          "the object has " + std::to_string(inventory.head()) +
              " versions; only the newest is taken in",
          "keep the original, if the earlier ones count");
    }
    plan_.items.push_back(std::move(item));
    return {};
  }

  Result<void> add_file(const std::string& content,
                        const std::string& path,
                        const Digest& digest,
                        PlannedItem* item) {
    auto logical = parse_deposit_path(path);
    if (!logical) {
      say(Severity::error, "name-unusable", path, logical.error().what(),
          "names must be UTF-8 without control characters");
      item->rejected = true;
      return {};
    }
    if (context_.files == limits::kDepositFilesMax) {
      return Error(Code::limit, folder_.native() +
                                    " has more than a million files; ingest it in several folders")
          .as("deposit-too-large");
    }
    ++context_.files;
    if (const auto hidden = first_hidden(path)) {
      say(Severity::warning, "name-hidden-character", path, hidden_text(*hidden),
          std::string(kHiddenRemedy));
    }
    TRY_SET(const FileInfo info, disk_.info(folder_ / content));
    if (info.kind != FileKind::regular) {
      return Error(Code::corrupt, content + " is a link or special file");
    }
    item->files.push_back({.deposit_path = content,
                           .data_path = *logical,
                           .size_bytes = info.size_bytes,
                           .modified_ms = info.modified_ms,
                           .member = 0,
                           .supplied = {digest}});
    return {};
  }

  Disk& disk_;
  const Path& folder_;
  const std::stop_token& stop_;
  Plan& plan_;
  BagContext context_;
};

}  // namespace

Result<Packed> packed_kind(Disk& disk, const Path& deposit, const std::stop_token& stop) {
  TRY_SET(const FileInfo info, disk.info(deposit));
  if (info.kind == FileKind::regular) return Packed::archive;
  if (info.kind != FileKind::folder) {
    return Error(Code::invalid, deposit.native() + " is neither a folder nor an archive")
        .as("deposit-not-a-folder");
  }
  TRY_SET(const auto entries, list_sorted(disk, deposit));
  bool described = false;
  for (const DirEntry& entry : entries) {
    if (entry.name.starts_with("0=ocfl_1.")) return Packed::ocfl_root;
    if (entry.name == kDeclaration && entry.kind == FileKind::regular) return Packed::bag;
    described = described || entry.name == "metadata" || entry.name == "objects";
  }
  if (described) return Packed::no;
  for (const DirEntry& entry : entries) {
    TRY_SET(const bool bag, holds_bag(disk, deposit, entry));
    if (bag) return Packed::bags;
  }
  for (const DirEntry& entry : entries) {
    if (entry.kind != FileKind::regular) continue;
    TRY_SET(const bool bag, may_hold_bag(disk, deposit / entry.name, stop));
    if (bag) return Packed::bags;
  }
  return Packed::no;
}

Result<void> adopt(Disk& disk,
                   const Path& deposit,
                   Packed kind,
                   const std::stop_token& stop,
                   const Looked& looked,
                   Plan* plan) {
  Adopter adopter(disk, deposit, stop, looked, plan);
  const std::string name = deposit.filename().native();
  switch (kind) {
    case Packed::no:
      return {};
    case Packed::ocfl_root:
      return adopter.root();
    case Packed::bag:
      return adopter.bag({.place = deposit, .below = "", .name = name});
    case Packed::archive:
      return adopter.bag(
          {.place = deposit, .below = "", .name = name_of_archive(name), .packed = true});
    case Packed::bags:
      return adopter.bags();
  }
  return {};
}

}  // namespace versement::ingest
