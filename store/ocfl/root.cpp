#include "store/ocfl/root.hpp"

#include "store/base/json.hpp"
#include "store/base/limits.hpp"
#include "store/base/publish.hpp"
#include "store/ocfl/layout.hpp"

namespace versement::ocfl {
namespace {

constexpr std::size_t kHierarchyDepthMax = 32;

constexpr std::string_view kLayoutFile = R"({
  "description": "Hashed n-tuple of the SHA-256 of the id, 2 tuples of 2 characters, then the percent-coded id",
  "extension": "0003-hash-and-id-n-tuple-storage-layout"
}
)";

constexpr std::string_view kLayoutConfig = R"({
  "digestAlgorithm": "sha256",
  "extensionName": "0003-hash-and-id-n-tuple-storage-layout",
  "numberOfTuples": 2,
  "tupleSize": 2
}
)";

// For whoever finds this disk in thirty years.
constexpr std::string_view kReadme =
    R"(This folder is an OCFL 1.1 storage root (Oxford Common File Layout, https://ocfl.io/1.1/spec/).
It was written by Versement, but needs no Versement to be read.

Every folder that holds a file "0=ocfl_object_1.1" is one object: one archived item, or the tag
files of one transfer. Its inventory.json lists each version, the logical path of each file in it,
the file's SHA-512, and where the bytes lie below v1/content, v2/content and so on. The sidecar
inventory.json.sha512 holds the digest of the inventory itself.

To check a file: sha512sum it and compare with the inventory. To check everything: any OCFL
validator. The latest logical state of an item's object is an E-ARK package: begin with METS.xml.

versement-head.txt is the last signed checkpoint of the journal that records what happened here.
It tells whether objects were removed, rolled back or replaced since.
)";

class Walker {
 public:
  Walker(Disk& disk, Path root, const std::function<Result<void>(const Found&)>& each)
      : disk_(disk), root_(std::move(root)), each_(each) {}

  Result<void> walk(const Path& relative, std::size_t depth) {
    if (depth > kHierarchyDepthMax) {
      return Error(Code::limit, (root_ / relative).native() + " lies more than 32 folders deep");
    }
    auto listed = list_sorted(disk_, root_ / relative);
    // A folder that was made for a deposit may be gone again.
    if (!listed && listed.error().code() == Code::not_found && depth > 0) return {};
    if (!listed) return std::move(listed).error();
    const std::vector<DirEntry>& entries = *listed;
    bool object = false;
    for (const DirEntry& entry : entries) {
      object = object || entry.name.starts_with("0=ocfl_object_");
    }
    if (object) return each_({Found::Kind::object, relative});
    if (entries.empty() && depth > 0) return each_({Found::Kind::empty_folder, relative});
    for (const DirEntry& entry : entries) {
      if (depth == 0 && (entry.kind == FileKind::regular || entry.name == "extensions")) continue;
      if (entry.kind == FileKind::folder) {
        TRY(walk(relative / entry.name, depth + 1));
      } else {
        TRY(each_({Found::Kind::stray_file, relative / entry.name}));
      }
    }
    return {};
  }

 private:
  Disk& disk_;
  const Path root_;
  const std::function<Result<void>(const Found&)>& each_;
};

}  // namespace

Result<void> create_root(Disk& disk, const Path& root) {
  const Path extension = root / "extensions" / kLayoutName;
  TRY(publish_folders(disk, extension));
  TRY(publish_file(disk, extension / "config.json", as_bytes(kLayoutConfig)));
  TRY(publish_file(disk, root / "ocfl_layout.json", as_bytes(kLayoutFile)));
  TRY(publish_file(disk, root / "README.txt", as_bytes(kReadme)));
  // Last: what has the declaration is a root.
  return publish_file(disk, root / kRootDeclarationName, as_bytes(kRootDeclaration));
}

Result<void> check_root(Disk& disk, const Path& root) {
  auto declaration = read_file(disk, root / kRootDeclarationName, limits::kSidecarBytesMax);
  if (!declaration) {
    return std::move(declaration)
        .error()
        .during(root.native() + " is not an OCFL 1.1 storage root");
  }
  if (*declaration != kRootDeclaration) {
    return Error(Code::corrupt,
                 (root / kRootDeclarationName).native() + " does not say ocfl_1.1 (E069)");
  }
  TRY_SET(const std::string text,
          read_file(disk, root / "ocfl_layout.json", limits::kConfigBytesMax));
  TRY_SET(const json::Object layout, json::parse_object(text));
  if (json::text_at(layout, "extension") != kLayoutName) {
    return Error(Code::unsupported,
                 root.native() + " has another layout than " + std::string(kLayoutName));
  }
  const Path config_path = root / "extensions" / kLayoutName / "config.json";
  TRY_SET(const std::string found, read_file(disk, config_path, limits::kConfigBytesMax));
  TRY_SET(const json::Object config, json::parse_object(found));
  TRY_SET(const json::Object ours, json::parse_object(kLayoutConfig));
  if (config != ours) {
    return Error(Code::unsupported, config_path.native() +
                                        " says otherwise than sha256 in 2 tuples of 2; this "
                                        "program writes no other layout");
  }
  return {};
}

Result<void> walk_root(Disk& disk,
                       const Path& root,
                       const std::function<Result<void>(const Found&)>& each) {
  return Walker(disk, root, each).walk({}, 0);
}

}  // namespace versement::ocfl
