#include "store/ocfl/validate_object.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include <fcntl.h>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/layouts.hpp"
#include "store/ocfl/validate_content.hpp"

namespace versement::ocfl {
namespace {

constexpr std::size_t kDepthMax = 128;
constexpr std::string_view kDeclarationBegin = "0=ocfl_object_";

using Entries = std::vector<DirEntry>;
using Contents = std::multimap<TextId, TextId>;  // digest to content paths

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + "/" + name;
}

const DirEntry* entry_of(const Entries& entries, std::string_view name) {
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [&](const DirEntry& each) { return each.name == name; });
  return found == entries.end() ? nullptr : &*found;
}

bool is_sidecar(std::string_view name) {
  return name.starts_with(std::string(kInventoryName) + ".");
}

bool entry_before(const Entry& a, TextId path) {
  return a.path < path;
}

const Entry* entry_at(const std::vector<Entry>& entries, TextId path) {
  const auto found = std::lower_bound(entries.begin(), entries.end(), path, entry_before);
  return found != entries.end() && found->path == path ? &*found : nullptr;
}

// A digest and a name, as a sidecar has it. Nothing when it is made otherwise (E061).
std::optional<std::string> sidecar_digest(std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  const std::size_t end = text.find_first_of(" \t");
  if (end == text.npos || end == 0) return std::nullopt;
  if (trim(text.substr(end)) != kInventoryName) return std::nullopt;
  return std::string(text.substr(0, end));
}

class ObjectCheck {
 public:
  ObjectCheck(Disk& disk, Path folder, const ObjectSurroundings& around)
      : disk_(disk), folder_(std::move(folder)), around_(around) {}

  CheckedObject run() {
    auto entries = list_sorted(disk_, folder_);
    if (!entries) {
      findings_.say(entries.error(), "E001", "");
      return finish();
    }
    declaration(*entries);
    root_inventory(*entries);
    members(*entries);
    version_folders(*entries);
    if (!root_.is_json) return finish();
    std::sort(files_.begin(), files_.end());
    version_inventories();
    compare_with_disk();
    contents();
    return finish();
  }

 private:
  struct File {
    TextId path = 0;
    std::uint32_t version = 0;
    auto operator<=>(const File&) const = default;
  };

  struct VersionFolder {
    std::string name;
    bool has_inventory = false;
    Entries entries;
  };

  void say(std::string_view code, std::string path, std::string detail, std::string pointer = {}) {
    findings_.say(code, std::move(path), std::move(detail), std::move(pointer));
  }

  CheckedObject finish() {
    result_.id = root_.id;
    if (root_.has_digests) result_.inventory_digest = root_.own_digest().hex();
    result_.files = files_.size();
    result_.problems = findings_.take();
    return std::move(result_);
  }

  // ---------------------------------------------------------------------------- the declaration

  void declaration(const Entries& entries) {
    std::vector<std::string> names;
    for (const DirEntry& entry : entries) {
      if (entry.name.find("=ocfl") == entry.name.npos && !entry.name.starts_with("0=") &&
          !entry.name.starts_with("0ocfl_object")) {
        continue;
      }
      declarations_.insert(entry.name);
      if (entry.name.starts_with(kDeclarationBegin)) {
        names.push_back(entry.name);
      } else if (entry.name.starts_with("0=")) {
        say("E006", entry.name, "no declaration of an object is named so");
        declaration_text(entry);
      } else if (entry.name.find('=') != entry.name.npos) {
        say("E005", entry.name, "no declaration of an object is named so");
      } else {
        say("E002", entry.name, "no declaration of an object is named so");
      }
    }
    if (names.size() != 1) {
      say("E003", names.empty() ? std::string(kObjectDeclarationName) : names.back(),
          names.empty() ? "there is no declaration 0=ocfl_object_1.1 or 0=ocfl_object_1.0"
                        : std::to_string(names.size()) + " declarations");
    }
    for (const std::string& name : names)
      one_declaration(name, *entry_of(entries, name));
    if (around_.root && spec_ && *spec_ > *around_.root) {
      say("E081", names.back(), "the root is of OCFL " + std::string(spec_name(*around_.root)));
    }
  }

  void one_declaration(const std::string& name, const DirEntry& entry) {
    const std::string_view version = std::string_view(name).substr(kDeclarationBegin.size());
    if (version == "1.0" || version == "1.1") {
      spec_ = version == "1.0" ? Spec::v1_0 : Spec::v1_1;
    } else {
      say("E004", name, "OCFL 1.0 and 1.1 are known here");
    }
    declaration_text(entry);
  }

  void declaration_text(const DirEntry& entry) {
    const std::string& name = entry.name;
    if (entry.kind != FileKind::regular) return;  // E090 is said with the other members.
    const auto text = read_file(disk_, folder_ / name, limits::kSidecarBytesMax);
    if (!text) {
      findings_.say(text.error(), "E007", name);
    } else if (*text != name.substr(2) + "\n") {
      say("E007", name, "its text is '" + printable(*text) + "'");
    }
  }

  // ---------------------------------------------------------------------------- inventories

  void root_inventory(const Entries& entries) {
    const std::string name(kInventoryName);
    const DirEntry* const entry = entry_of(entries, name);
    if (entry == nullptr || entry->kind != FileKind::regular) {
      say("E063", name, "the object has no inventory");
      for (const DirEntry& other : entries) {
        if (entry == nullptr && equal_ignoring_ascii_case(other.name, name)) {
          say("E034", other.name, "it is to be called inventory.json");
        }
      }
      return;
    }
    root_ = read_strictly(disk_, folder_ / name, name, spec_, texts_, findings_);
    sidecar("", entries, root_);
  }

  // The sidecar beside an inventory that was read.
  void sidecar(const std::string& place, const Entries& entries, const StrictInventory& inventory) {
    if (!inventory.has_digests) return;
    std::vector<std::string> there;
    for (const DirEntry& entry : entries) {
      if (is_sidecar(entry.name)) there.push_back(entry.name);
    }
    std::string name;
    if (inventory.algorithm) {
      name = sidecar_name(*inventory.algorithm);
    } else if (there.empty()) {
      name = sidecar_name(Algorithm::sha512);
    } else {
      name = there.front();  // Of an inventory that says no algorithm: the one that is there.
    }
    const std::string path = joined(place, name);
    const DirEntry* const entry = entry_of(entries, name);
    if (entry == nullptr) {
      say("E058", path, "the inventory has no sidecar");
      if (!there.empty()) {
        say("E059", joined(place, there.front()), "digestAlgorithm asks for " + name);
      }
      return;
    }
    if (entry->kind != FileKind::regular) return;
    const auto text = read_file(disk_, folder_ / path, limits::kSidecarBytesMax);
    if (!text) {
      findings_.say(text.error(), "E061", path);
      return;
    }
    const auto digest = sidecar_digest(*text);
    if (!digest) {
      say("E061", path, "it is not DIGEST inventory.json");
      return;
    }
    const auto algorithm =
        algorithm_of_name(std::string_view(name).substr(kInventoryName.size() + 1));
    if (algorithm != Algorithm::sha512 && algorithm != Algorithm::sha256) return;
    const Digest& found = algorithm == Algorithm::sha256 ? inventory.sha256 : inventory.sha512;
    if (!equal_ignoring_ascii_case(*digest, found.hex())) {
      say("E060", path, "the inventory has " + found.hex());
    }
  }

  // ---------------------------------------------------------------------------- what lies there

  bool names_version(std::string_view name) const {
    return std::any_of(root_.versions.begin(), root_.versions.end(),
                       [&](const StrictVersion& each) { return each.name == name; });
  }

  void members(const Entries& entries) {
    for (const DirEntry& entry : entries) {
      switch (entry.kind) {
        case FileKind::regular:
          root_file(entry.name);
          break;
        case FileKind::folder:
          root_folder(entry.name);
          break;
        default:
          say("E090", entry.name, "a link or special file");
      }
    }
  }

  void root_file(const std::string& name) {
    const bool sidecar =
        is_sidecar(name) && (!root_.algorithm || name == sidecar_name(*root_.algorithm));
    if (name != kInventoryName && !sidecar && !declarations_.contains(name)) {
      say("E001", name, "does not belong into an object");
    } else if (name != kInventoryName) {
      own_file(name);
    }
  }

  // Says so when a file that is not streamed has a second name.
  void own_file(const std::string& path) {
    const auto info = disk_.info(folder_ / path);
    if (info && info->links > 1) say("E090", path, "a hard link: the file has another name");
  }

  void root_folder(const std::string& name) {
    if (name == "logs") return;  // Of anything; the specification leaves it to the implementers.
    if (name == "extensions") {
      extensions();
    } else if (version_of_name(name) == 0 || (root_.is_json && !names_version(name))) {
      say("E001", name, "does not belong into an object");
      if (version_of_name(name) > 0) say("E046", name, "the inventory does not have this version");
      const auto inside = list_sorted(disk_, folder_ / name);
      if (inside && std::any_of(inside->begin(), inside->end(), [](const DirEntry& each) {
            return each.name.starts_with(kDeclarationBegin);
          })) {
        say("E082", name, "it is an object itself");
      }
    }
  }

  void extensions() {
    const auto entries = list_sorted(disk_, folder_ / "extensions");
    if (!entries) {
      findings_.say(entries.error(), "E067", "extensions");
      return;
    }
    for (const DirEntry& entry : *entries) {
      const std::string path = "extensions/" + entry.name;
      if (entry.kind == FileKind::folder) {
        if (!is_registered_extension(entry.name)) say("W013", path, "it is not registered");
      } else if (entry.kind == FileKind::regular) {
        say("E067", path, "a file");
      } else {
        say("E090", path, "a link or special file");
      }
    }
  }

  // ---------------------------------------------------------------------------- versions on disk

  void version_folders(const Entries& entries) {
    std::uint32_t newest_there = 0;
    for (const StrictVersion& version : root_.versions) {
      const DirEntry* const entry = entry_of(entries, version.name);
      if (entry == nullptr || entry->kind != FileKind::folder) continue;
      version_folder(version.number, version.name);
      newest_there = std::max(newest_there, version.number);
    }
    for (const StrictVersion& version : root_.versions) {
      if (version.number == 0 || folders_.contains(version.number)) continue;
      if (is_unread(version.name + "/")) continue;
      say("E046", version.name, "the version has no folder",
          "/versions" + pointer_step(version.name));
      if (version.number < newest_there) say("E010", version.name, "the folders have a gap");
      if (root_.versions.size() == 1) say("E008", version.name, "no version has a folder");
      say("W010", version.name + "/" + std::string(kInventoryName), "is not there");
    }
  }

  void version_folder(std::uint32_t number, const std::string& name) {
    auto entries = list_sorted(disk_, folder_ / name);
    if (!entries) {
      cannot_list(entries.error(), "E046", name);
      return;
    }
    VersionFolder folder{name, false, *std::move(entries)};
    bool has_content = false;
    for (const DirEntry& entry : folder.entries) {
      const std::string path = name + "/" + entry.name;
      if (entry.kind == FileKind::regular) {
        folder.has_inventory = folder.has_inventory || entry.name == kInventoryName;
        if (is_sidecar(entry.name)) own_file(path);
        if (entry.name != kInventoryName && !is_sidecar(entry.name)) {
          say("E015", path, "a file beside the content folder");
        }
      } else if (entry.kind != FileKind::folder) {
        say("E090", path, "a link or special file");
      } else if (entry.name == root_.content_directory) {
        has_content = content_folder(number, path);
      } else {
        say("W002", path, "a folder beside the content folder; it is not looked into");
      }
    }
    if (!has_content) content_missing(number, name);
    if (number > 0) folders_.emplace(number, std::move(folder));
  }

  // True when the folder is there, empty or not.
  bool content_folder(std::uint32_t number, const std::string& path) {
    const std::size_t before = files_.size();
    walk(number, path, 0);
    if (files_.size() == before && !is_unread(path + "/")) say("W003", path, "no file lies in it");
    return true;
  }

  void content_missing(std::uint32_t number, const std::string& name) {
    const std::string begin = name + "/" + root_.content_directory + "/";
    const bool wanted =
        std::any_of(root_.manifest.begin(), root_.manifest.end(),
                    [&](const Entry& entry) { return texts_.at(entry.path).starts_with(begin); });
    if (wanted && number > 0) say("E016", name, "the manifest has content of this version");
  }

  // What lies in a folder that could not be listed is not missing: nobody knows.
  void cannot_list(const Error& error, std::string_view code, const std::string& folder) {
    findings_.say(error, code, folder);
    if (is_unanswered(error) || error.code() == Code::limit) unread_.push_back(folder + "/");
  }

  bool is_unread(std::string_view path) const {
    return std::any_of(unread_.begin(), unread_.end(),
                       [&](const std::string& folder) { return path.starts_with(folder); });
  }

  void walk(std::uint32_t number, const std::string& folder, std::size_t depth) {
    if (depth > kDepthMax) {
      cannot_list(Error(Code::limit, "folders nest deeper than is looked at here"), "", folder);
      return;
    }
    const auto entries = list_sorted(disk_, folder_ / folder);
    if (!entries) {
      cannot_list(entries.error(), "E023", folder);
      return;
    }
    if (entries->empty() && depth > 0) say("E024", folder, "an empty folder");
    for (const DirEntry& entry : *entries) {
      if (around_.stop.stop_requested()) return;
      const std::string path = folder + "/" + entry.name;
      if (entry.kind == FileKind::folder) {
        walk(number, path, depth + 1);
      } else if (entry.kind == FileKind::regular) {
        files_.push_back({texts_.intern(path), number});
      } else {
        say("E090", path, "a link or special file");
      }
    }
  }

  // ---------------------------------------------------------------------------- versions'
  // inventories

  void version_inventories() {
    want_all(root_, 0);
    std::optional<Spec> before;
    for (const auto& [number, folder] : folders_) {
      if (around_.stop.stop_requested()) return;
      const std::string path = folder.name + "/" + std::string(kInventoryName);
      if (!folder.has_inventory) {
        say("W010", path, "is not there");
        continue;
      }
      const auto digest = digest_of_file(path);
      if (!digest && is_unanswered(digest.error())) {
        findings_.say(digest.error(), "", path);
        continue;
      }
      StrictInventory own;
      const StrictInventory* inventory = &root_;
      if (!is_same_as_root(number, path, folder, digest)) {
        own = read_strictly(disk_, folder_ / path, path, std::nullopt, texts_, findings_);
        inventory = &own;
        version_inventory(number, path, folder, own);
      }
      if (before && inventory->spec && *inventory->spec < *before) {
        say("E103", path, "the version before is of OCFL " + std::string(spec_name(*before)),
            "/type");
      }
      if (inventory->spec) before = inventory->spec;
      if (inventory->is_json) content_directory(number, path, *inventory);
    }
  }

  // The newest version's inventory as a rule has the same bytes: then it says nothing new.
  bool is_same_as_root(std::uint32_t number,
                       const std::string& path,
                       const VersionFolder& folder,
                       const Result<Digest>& digest) {
    if (!digest) return false;
    result_.version_digests[number] = digest->hex();
    if (*digest != root_.sha512 || number != root_.head_number()) return false;
    own_file(path);
    sidecar(folder.name, folder.entries, root_);
    other_sidecars(folder, root_);
    return true;
  }

  Result<Digest> digest_of_file(const std::string& path) {
    const Path file = folder_ / path;
    TRY_SET(const Fd fd, disk_.open(file, O_RDONLY | O_NONBLOCK));
    Hasher hasher{Algorithm::sha512};
    // Not filled with zeros: of a small object that would be most of the work.
    const auto memory = std::make_unique_for_overwrite<std::byte[]>(limits::kChunkBytes);
    const std::span<std::byte> buffer(memory.get(), limits::kChunkBytes);
    std::uint64_t offset = 0;
    while (true) {
      if (around_.stop.stop_requested()) return Error(Code::cancelled, "stopped");
      TRY_SET(const std::size_t count, disk_.read_at(fd, buffer, offset, file));
      if (count == 0) break;
      hasher.update(buffer.first(count));
      offset += count;
    }
    return hasher.finish().front();
  }

  void other_sidecars(const VersionFolder& folder, const StrictInventory& inventory) {
    for (const DirEntry& entry : folder.entries) {
      if (is_sidecar(entry.name) && inventory.algorithm &&
          entry.name != sidecar_name(*inventory.algorithm)) {
        say("E015", folder.name + "/" + entry.name, "the sidecar of no inventory");
      }
    }
  }

  void version_inventory(std::uint32_t number,
                         const std::string& path,
                         const VersionFolder& folder,
                         const StrictInventory& inventory) {
    sidecar(folder.name, folder.entries, inventory);
    other_sidecars(folder, inventory);
    if (number == root_.head_number()) {
      say("E064", path, "it is to be the same as the object's inventory");
    }
    if (!inventory.is_json) return;
    if (inventory.id != root_.id) {
      const bool old = inventory.spec == Spec::v1_0;
      say(old ? "E037" : "E110", path, "the object's id is '" + printable(root_.id) + "'", "/id");
    }
    if (inventory.head != folder.name) {
      say("E040", path, "its head is '" + printable(inventory.head) + "'", "/head");
    }
    const bool same_algorithm = inventory.algorithm == root_.algorithm;
    const Contents contents = same_algorithm ? Contents() : contents_of(inventory);
    for (const StrictVersion& version : inventory.versions) {
      earlier_version(path, version, same_algorithm ? nullptr : &contents,
                      number == root_.head_number());
    }
    want_all(inventory, number);
    manifest_of_its_time(number, path, inventory);
  }

  // What an earlier inventory says of a version, and what the object's says now.
  // `contents` are those of the earlier inventory when its digests are of another algorithm.
  void earlier_version(const std::string& path,
                       const StrictVersion& version,
                       const Contents* contents,
                       bool newest) {
    if (version.number == 0) return;
    const std::string at = "/versions" + pointer_step(version.name);
    const StrictVersion* const now = root_.version(version.number);
    if (now == nullptr) {
      say("E066", path, "the object's inventory does not have this version", at);
      return;
    }
    if (!same_state(version, *now, contents)) {
      say("E066", path, "the object's inventory has another state of " + version.name,
          at + "/state");
    }
    // Of the newest inventory E064 says that it is another.
    if (!newest &&
        std::tie(version.created, version.message, version.user_name, version.user_address) !=
            std::tie(now->created, now->message, now->user_name, now->user_address)) {
      say("W011", path, "created, message or user of " + version.name + " was another", at);
    }
  }

  bool same_state(const StrictVersion& then,
                  const StrictVersion& now,
                  const Contents* contents) const {
    return std::equal(then.state.begin(), then.state.end(), now.state.begin(), now.state.end(),
                      [&](const Entry& a, const Entry& b) {
                        if (a.path != b.path) return false;
                        return contents == nullptr ? a.lower == b.lower
                                                   : same_content(*contents, a, b);
                      });
  }

  static Contents contents_of(const StrictInventory& inventory) {
    Contents contents;
    for (const Entry& entry : inventory.manifest)
      contents.emplace(entry.lower, entry.path);
    return contents;
  }

  // Digests of two algorithms mean the same when they are of the same content file.
  bool same_content(const Contents& contents, const Entry& then, const Entry& now) const {
    const auto [first, last] = contents.equal_range(then.lower);
    return first != last && std::all_of(first, last, [&](const auto& each) {
             const Entry* const entry = entry_at(root_.manifest, each.second);
             return entry != nullptr && entry->lower == now.lower;
           });
  }

  // Every file that was there then is in the manifest of then.
  void manifest_of_its_time(std::uint32_t number,
                            const std::string& path,
                            const StrictInventory& inventory) {
    if (!inventory.has_manifest) return;
    for (const File& file : files_) {
      if (file.version > number || entry_at(inventory.manifest, file.path) != nullptr) continue;
      if (entry_at(root_.manifest, file.path) == nullptr) continue;  // Said of the root inventory.
      say("E023", std::string(texts_.at(file.path)), "is not in the manifest of " + path);
    }
  }

  void content_directory(std::uint32_t number,
                         const std::string& path,
                         const StrictInventory& inventory) {
    if (number == 1) {
      first_content_directory_ = inventory.content_directory_key;
      compare_content_directory(std::string(kInventoryName), root_);
      return;
    }
    if (&inventory != &root_) compare_content_directory(path, inventory);
  }

  void compare_content_directory(const std::string& path, const StrictInventory& inventory) {
    if (!first_content_directory_) return;
    const auto& first = *first_content_directory_;
    if (inventory.content_directory_key == first) return;
    const std::string then = first ? "'" + printable(*first) + "'" : std::string("not set");
    say("E019", path, "in the first version it is " + then, "/contentDirectory");
    if (inventory.content_directory_key.value_or("content") != first.value_or("content")) {
      say("E020", path, "in the first version it is " + then, "/contentDirectory");
    }
  }

  // ---------------------------------------------------------------------------- content

  // Collects what an inventory says of files. What the object's inventory says as well is not kept
  // twice: an object of many versions says the same in each.
  void want_all(const StrictInventory& inventory, std::uint32_t version) {
    const bool same_algorithm = version > 0 && inventory.algorithm == root_.algorithm;
    for (const Entry& entry : inventory.manifest) {
      if (!inventory.algorithm) break;
      if (same_algorithm && has_same(root_.manifest, entry)) continue;
      wants_.push_back({entry.path, entry.lower, *inventory.algorithm, false, version});
    }
    for (const StrictFixity& block : inventory.fixity)
      want_block(inventory, block, version);
  }

  void want_block(const StrictInventory& inventory,
                  const StrictFixity& block,
                  std::uint32_t version) {
    const auto algorithm = algorithm_of_name(block.algorithm);
    const auto now =
        std::find_if(root_.fixity.begin(), root_.fixity.end(),
                     [&](const StrictFixity& each) { return each.algorithm == block.algorithm; });
    const bool known = version > 0 && now != root_.fixity.end();
    for (const Entry& entry : block.entries) {
      if (known && has_same(now->entries, entry)) continue;
      fixity_path(inventory, block, entry, version);
      // Algorithms that are not known here are ignored, as the specification asks.
      if (algorithm) wants_.push_back({entry.path, entry.lower, *algorithm, true, version});
    }
  }

  static bool has_same(const std::vector<Entry>& entries, const Entry& wanted) {
    const Entry* const same = entry_at(entries, wanted.path);
    return same != nullptr && same->lower == wanted.lower;
  }

  void fixity_path(const StrictInventory& inventory,
                   const StrictFixity& block,
                   const Entry& entry,
                   std::uint32_t version) {
    if (!inventory.has_manifest || entry_at(inventory.manifest, entry.path) != nullptr) return;
    const std::string place = version == 0 ? "" : "v" + std::to_string(version) + "/";
    say("E057", place + std::string(kInventoryName),
        "the manifest does not have '" + printable(texts_.at(entry.path)) + "'",
        "/fixity" + pointer_step(block.algorithm) + pointer_step(texts_.at(entry.digest)));
  }

  bool is_there(TextId path) const {
    const auto found = std::lower_bound(files_.begin(), files_.end(), File{path, 0});
    return found != files_.end() && found->path == path;
  }

  void compare_with_disk() {
    std::sort(wants_.begin(), wants_.end(), [](const Want& a, const Want& b) {
      return std::tie(a.path, a.fixity, a.algorithm, a.digest, a.version) <
             std::tie(b.path, b.fixity, b.algorithm, b.digest, b.version);
    });
    wants_.erase(std::unique(wants_.begin(), wants_.end(),
                             [](const Want& a, const Want& b) {
                               return std::tie(a.path, a.fixity, a.algorithm, a.digest) ==
                                      std::tie(b.path, b.fixity, b.algorithm, b.digest);
                             }),
                 wants_.end());
    const Want* last = nullptr;
    for (const Want& want : wants_) {
      const bool said = last != nullptr && last->path == want.path && last->fixity == want.fixity;
      last = &want;
      if (said || is_there(want.path) || is_unread(texts_.at(want.path))) continue;
      say(want.fixity ? "E093" : "E092", std::string(texts_.at(want.path)),
          want.fixity ? "is in the fixity block and not there"
                      : "is in the manifest and not there");
    }
    if (!root_.has_manifest) return;
    for (const File& file : files_) {
      if (entry_at(root_.manifest, file.path) != nullptr) continue;
      say("E023", std::string(texts_.at(file.path)), "the inventory does not know it");
    }
  }

  void contents() {
    std::vector<TextId> paths;
    paths.reserve(files_.size());
    for (const File& file : files_)
      paths.push_back(file.path);
    ContentCheck check(disk_, folder_, texts_, paths, wants_, findings_, around_.stop);
    if (around_.content) {
      result_.bytes = check.run(around_.helpers, around_.threads);
    } else {
      check.look();
    }
  }

  Disk& disk_;
  const Path folder_;
  const ObjectSurroundings& around_;
  CheckedObject result_;
  Findings findings_;
  Texts texts_;
  std::set<std::string> declarations_;
  std::optional<Spec> spec_;  // as the declaration says
  StrictInventory root_;
  std::map<std::uint32_t, VersionFolder> folders_;  // of versions that the inventory has
  std::vector<File> files_;                         // content that was met, sorted
  std::vector<std::string> unread_;                 // folders, with a slash behind
  std::vector<Want> wants_;
  std::optional<std::optional<std::string>> first_content_directory_;  // once v1 was read
};

}  // namespace

CheckedObject check_object_at(Disk& disk, const Path& folder, const ObjectSurroundings& around) {
  return ObjectCheck(disk, folder, around).run();
}

}  // namespace versement::ocfl
