#include "service/ingest/adopt.hpp"

#include <algorithm>

#include "bagit/tagfile.hpp"
#include "bagit/validate.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/root.hpp"

namespace versement::ingest {
namespace {

constexpr std::string_view kDeclaration = "bagit.txt";
constexpr std::size_t kFindingsOfOne = 20;

class Adopter {
 public:
  Adopter(Disk& disk, const Path& folder, const std::stop_token& stop, Plan* plan)
      : disk_(disk), folder_(folder), stop_(stop), plan_(*plan) {}

  Result<void> root() {
    return ocfl::walk_root(disk_, folder_, [&](const ocfl::Found& found) -> Result<void> {
      if (stop_.stop_requested()) return Error(Code::cancelled, "stopped while planning");
      if (found.kind != ocfl::Found::Kind::object) {
        say(Severity::warning, "adopt-stray", found.path.native(),
            "lies in the storage root and belongs to no object; not stored",
            "take it away, or ask who put it there");
        return {};
      }
      if (auto done = object(found.path); !done) {
        if (done.error().code() == Code::cancelled) return done;
        say(Severity::error, "adopt-object", found.path.native(), done.error().what(),
            "repair the object with the tool that made it");
      }
      return {};
    });
  }

  // `below` is empty when the deposit is the bag.
  Result<void> bag(const std::string& below) {
    if (stop_.stop_requested()) return Error(Code::cancelled, "stopped while planning");
    PlannedItem item;
    bagit::ValidateOptions options;
    options.threads = processor_count();
    options.stop = stop_;
    TRY_SET(const bagit::Report report, bagit::validate(disk_, folder_ / below, options));
    if (report.verdict != bagit::Verdict::valid) {
      item.rejected = true;
      std::size_t said = 0;
      for (const bagit::Finding& finding : report.findings) {
        if (finding.severity != bagit::Severity::error || ++said > kFindingsOfOne) continue;
        say(Severity::error, "bag-invalid", join(below, finding.path),
            finding.code + ": " + finding.detail, "get a valid bag from whoever made it");
      }
      if (said == 0) {
        say(Severity::error, "bag-invalid", below,
            "the bag is " + std::string(bagit::verdict_name(report.verdict)),
            "get a whole bag from whoever made it");
      }
    }
    describe_bag(below, &item);
    TRY(payload(below, &item));
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
      say(Severity::info, "adopt-head", relative.native(),
          "the object has " + std::to_string(inventory.head()) +
              " versions; the newest is taken in",
          "");
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
      TRY(bagit::parse_manifest(*bytes, [&](bagit::ManifestLine&& line) -> Result<void> {
        TRY_SET(const Digest digest, Digest::from_hex(algorithm, line.checksum));
        digests[line.path].push_back(digest);
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
};

Result<std::vector<std::string>> bags_below(Disk& disk, const Path& folder) {
  TRY_SET(const auto entries, list_sorted(disk, folder));
  std::vector<std::string> bags;
  for (const DirEntry& entry : entries) {
    if (entry.kind != FileKind::folder || !is_utf8(entry.name)) continue;
    TRY_SET(const bool bag, path_exists(disk, folder / entry.name / kDeclaration));
    if (bag) bags.push_back(entry.name);
  }
  return bags;
}

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
  TRY_SET(const auto bags, bags_below(disk, folder));
  return bags.empty() ? Packed::no : Packed::bags;
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
      break;
  }
  TRY_SET(const auto bags, bags_below(disk, folder));
  for (const std::string& bag : bags)
    TRY(adopter.bag(bag));
  return {};
}

}  // namespace versement::ingest
