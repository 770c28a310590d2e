#include "service/ingest/adopt.hpp"

#include <algorithm>

#include "bagit/tagfile.hpp"
#include "bagit/validate.hpp"
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
constexpr std::string_view kBagRemedy = "get a valid bag from whoever made it";

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
  Adopter(Disk& disk, const Path& folder, const std::stop_token& stop, Plan* plan)
      : disk_(disk), folder_(folder), stop_(stop), plan_(*plan) {}

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
      if (is_bag) {
        TRY(bag(entry.name));
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

  // `below` is empty when the deposit is the bag.
  Result<void> bag(const std::string& below) {
    if (stop_.stop_requested()) return stopped();
    PlannedItem item;
    describe_bag(below, &item);
    auto taken = validated_payload(below, &item);
    if (!taken && ends_all(taken.error())) return taken;
    if (!taken) {
      item.rejected = true;
      say(Severity::error, "bag-invalid", below, taken.error().what(), std::string(kBagRemedy));
    }
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
    item.description.title["fr"] = item.source_identifier;
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

  // Of a bag that is valid, every byte; what is not is said, and the item is rejected.
  Result<void> validated_payload(const std::string& below, PlannedItem* item) {
    bagit::ValidateOptions options;
    options.threads = processor_count();
    options.stop = stop_;
    TRY_SET(const bagit::Report report, bagit::validate(disk_, folder_ / below, options));
    if (report.verdict == bagit::Verdict::valid) return payload(below, item);
    item->rejected = true;
    std::size_t said = 0;
    for (const bagit::Finding& finding : report.findings) {
      if (finding.severity != bagit::Severity::error || ++said > kFindingsOfOne) continue;
      say(Severity::error, "bag-invalid", join(below, finding.path),
          finding.code + ": " + finding.detail, std::string(kBagRemedy));
    }
    if (said > 0) return {};
    return Error(Code::corrupt, "the bag is " + std::string(bagit::verdict_name(report.verdict)));
  }

  Result<void> object(const Path& relative) {
    TRY_SET(const ocfl::LoadedInventory loaded, ocfl::load_inventory(disk_, folder_ / relative));
    const ocfl::Inventory& inventory = loaded.inventory;
    const ocfl::InventoryVersion& head = inventory.versions.rbegin()->second;
    PlannedItem item;
    item.source_identifier = inventory.id;
    item.description.title["fr"] = inventory.id;
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
    auto logical = LogicalPath::parse(path);
    if (!logical || path.size() > limits::kDepositPathBytesMax) {
      say(Severity::error, "name-unusable", path,
          logical ? "the path is too long" : logical.error().what(),
          "names must be UTF-8 without control characters");
      item->rejected = true;
      return {};
    }
    if (files_ == limits::kDepositFilesMax) {
      return Error(Code::limit, folder_.native() +
                                    " has more than a million files; ingest it in several folders")
          .as("deposit-too-large");
    }
    ++files_;
    TRY_SET(const FileInfo info, disk_.info(folder_ / content));
    if (info.kind != FileKind::regular) {
      return Error(Code::corrupt, content + " is a link or special file");
    }
    item->files.push_back({.deposit_path = content,
                           .data_path = *logical,
                           .size_bytes = info.size_bytes,
                           .modified_ms = info.modified_ms,
                           .supplied = {digest}});
    return {};
  }

  void describe_bag(const std::string& below, PlannedItem* item) {
    std::string title;
    const auto text = read_file(disk_, folder_ / below / "bag-info.txt", limits::kTagFileBytesMax);
    const auto info = text ? bagit::parse_bag_info(*text) : Result<bagit::BagInfo>(text.error());
    if (info) {
      for (const auto& [label, value] : *info) {
        if (equal_ignoring_ascii_case(label, "External-Identifier") &&
            item->source_identifier.empty()) {
          item->source_identifier = value;
        }
        if (equal_ignoring_ascii_case(label, "External-Description") && title.empty())
          title = value;
      }
    }
    const std::string name = (below.empty() ? folder_ : Path(below)).filename().native();
    if (item->source_identifier.empty()) item->source_identifier = name;
    item->description.title["fr"] = title.empty() ? name : title;
  }

  // The payload files of every manifest with the digests that it has of them.
  Result<void> payload(const std::string& below, PlannedItem* item) {
    std::map<std::string, std::vector<Digest>> digests;
    for (const Algorithm algorithm :
         {Algorithm::sha512, Algorithm::sha256, Algorithm::sha1, Algorithm::md5}) {
      const std::string name = "manifest-" + std::string(algorithm_name(algorithm)) + ".txt";
      auto bytes = read_file(disk_, folder_ / below / name, limits::kManifestBytesMax);
      if (!bytes && bytes.error().code() == Code::not_found) continue;
      if (!bytes) return std::move(bytes).error();
      TRY(bagit::parse_manifest(
          *bytes, [&](std::string_view checksum, std::string path) -> Result<void> {
            TRY_SET(const Digest digest, Digest::from_hex(algorithm, checksum));
            digests[std::move(path)].push_back(digest);
            return {};
          }));
    }
    for (auto& [path, supplied] : digests) {
      const std::string file = join(below, path);
      const auto info = disk_.info(folder_ / file);
      if (!info || !path.starts_with("data/")) continue;  // The validation has said so.
      TRY(add_file(file, path.substr(5), supplied.front(), item));
      if (!item->files.empty() && item->files.back().deposit_path == file) {
        item->files.back().supplied = std::move(supplied);
      }
    }
    return {};
  }

  Disk& disk_;
  const Path& folder_;
  const std::stop_token& stop_;
  Plan& plan_;
  std::size_t files_ = 0;
};

}  // namespace

Result<Packed> packed_kind(Disk& disk, const Path& folder) {
  TRY_SET(const auto entries, list_sorted(disk, folder));
  bool described = false;
  for (const DirEntry& entry : entries) {
    if (entry.name.starts_with("0=ocfl_1.")) return Packed::ocfl_root;
    if (entry.name == kDeclaration && entry.kind == FileKind::regular) return Packed::bag;
    described = described || entry.name == "metadata" || entry.name == "objects";
  }
  if (described) return Packed::no;
  for (const DirEntry& entry : entries) {
    TRY_SET(const bool bag, holds_bag(disk, folder, entry));
    if (bag) return Packed::bags;
  }
  return Packed::no;
}

Result<void> adopt(
    Disk& disk, const Path& folder, Packed kind, const std::stop_token& stop, Plan* plan) {
  Adopter adopter(disk, folder, stop, plan);
  switch (kind) {
    case Packed::no:
      return {};
    case Packed::ocfl_root:
      return adopter.root();
    case Packed::bag:
      return adopter.bag("");
    case Packed::bags:
      return adopter.bags();
  }
  return {};
}

}  // namespace versement::ingest
