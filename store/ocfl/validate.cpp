#include "store/ocfl/validate.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include <fcntl.h>

#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/layout.hpp"
#include "store/ocfl/root.hpp"

namespace versement::ocfl {
namespace {

class ObjectCheck {
 public:
  ObjectCheck(Disk& disk, Path folder, const std::stop_token& stop)
      : disk_(disk), folder_(std::move(folder)), stop_(stop) {}

  CheckedObject run() {
    declaration();
    auto loaded = inventory_of("");
    if (!loaded) return std::move(result_);
    inventory_ = std::move(loaded->inventory);
    result_.id = inventory_.id;
    result_.inventory_digest = loaded->digest.hex();
    expect();
    for (const auto& [number, version] : inventory_.versions)
      version_inventory(number);
    walk("", 0);
    for (const auto& [path, digest] : content_) {
      if (!seen_.contains(path)) say("E092", path, "is in the manifest and not there");
    }
    for (const std::string& path : seen_) {
      if (stop_.stop_requested()) break;
      content_file(path);
    }
    return std::move(result_);
  }

 private:
  void say(std::string code, const std::string& path, std::string detail) {
    result_.problems.push_back({std::move(code), path, std::move(detail)});
  }

  // An error of reading is no verdict about the bytes.
  void say(const Error& error, const std::string& code, const std::string& path) {
    const bool unread = error.code() == Code::io || error.code() == Code::denied;
    say(unread ? "unreadable" : error.reason().empty() ? code : error.reason(), path, error.what());
  }

  void declaration() {
    const std::string name(kObjectDeclarationName);
    auto bytes = read_file(disk_, folder_ / name, limits::kSidecarBytesMax);
    if (!bytes) {
      say(bytes.error(), "E003", name);
    } else if (*bytes != kObjectDeclaration) {
      say("E007", name, "does not say ocfl_object_1.1");
    }
  }

  Result<LoadedInventory> inventory_of(const std::string& place) {
    const std::string name = (place.empty() ? "" : place + "/") + std::string(kInventoryName);
    auto loaded = load_inventory(disk_, folder_ / place);
    if (!loaded) say(loaded.error(), place.empty() ? "E063" : "W010", name);
    return loaded;
  }

  void expect() {
    const std::string sidecar = sidecar_name(inventory_.algorithm);
    for (const std::string& name :
         {std::string(kObjectDeclarationName), std::string(kInventoryName), sidecar}) {
      known_.insert(name);
    }
    for (const auto& [digest, paths] : inventory_.manifest) {
      for (const std::string& path : paths)
        content_[path] = digest;
    }
  }

  void version_inventory(std::uint32_t number) {
    const std::string place = Version(number).folder();
    known_.insert(place + "/" + std::string(kInventoryName));
    auto loaded = inventory_of(place);
    if (!loaded) return;
    known_.insert(place + "/" + sidecar_name(loaded->inventory.algorithm));
    if (loaded->inventory.id != inventory_.id) say("E110", place, "another id than the object's");
    const bool head = number == inventory_.head();
    if (head && loaded->digest.hex() != result_.inventory_digest) {
      say("E064", place, "the inventory of the newest version is not the object's");
    }
    for (const auto& [earlier, version] : loaded->inventory.versions) {
      const auto now = inventory_.versions.find(earlier);
      if (now == inventory_.versions.end() || now->second.state != version.state) {
        say("E066", place, "version " + std::to_string(earlier) + " had another state");
      }
    }
  }

  void walk(const std::string& folder, std::size_t depth) {
    auto entries = list_sorted(disk_, folder_ / folder);
    if (!entries) {
      say(entries.error(), "E001", folder);
      return;
    }
    if (entries->empty() && depth > 0) say("E024", folder, "an empty folder");
    for (const DirEntry& entry : *entries) {
      const std::string path = folder.empty() ? entry.name : folder + "/" + entry.name;
      if (entry.kind == FileKind::folder) {
        if (depth == 0 && !is_version(entry.name) && entry.name != "logs" &&
            entry.name != "extensions") {
          say("E001", path, "does not belong into an object");
        } else if (depth < limits::kPathDepthMax && !(depth == 0 && entry.name == "logs")) {
          walk(path, depth + 1);
        }
      } else if (entry.kind != FileKind::regular) {
        say("E090", path, "a link or special file");
      } else if (content_.contains(path)) {
        seen_.insert(path);
      } else if (!known_.contains(path)) {
        say(depth == 0 ? "E001" : "E023", path, "the inventory does not know it");
      }
    }
  }

  bool is_version(const std::string& name) const {
    const auto number = name.starts_with('v') ? parse_decimal(name.substr(1)) : std::nullopt;
    return number && inventory_.versions.contains(static_cast<std::uint32_t>(*number));
  }

  // Digests of the manifest and of the fixity block, in one reading.
  void content_file(const std::string& path) {
    std::vector<std::pair<Digest, std::string>> wanted;
    want(inventory_.algorithm, content_[path], "E092", path, &wanted);
    for (const auto& [name, map] : inventory_.fixity) {
      const auto algorithm = algorithm_of_name(name);
      if (!algorithm) continue;  // OCFL lets unknown ones pass.
      for (const auto& [digest, paths] : map) {
        if (std::binary_search(paths.begin(), paths.end(), path)) {
          want(*algorithm, digest, "E093", path, &wanted);
        }
      }
    }
    std::vector<Algorithm> algorithms;
    algorithms.reserve(wanted.size());
    for (const auto& [digest, code] : wanted)
      algorithms.push_back(digest.algorithm());
    auto found = read(path, algorithms);
    if (!found) {
      say(found.error(), "E092", path);
      return;
    }
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if ((*found)[i] != wanted[i].first) {
        say(wanted[i].second, path,
            "has " + std::string(algorithm_name(algorithms[i])) + " " + (*found)[i].hex() +
                ", not " + wanted[i].first.hex());
      }
    }
  }

  void want(Algorithm algorithm,
            const std::string& hex,
            const std::string& code,
            const std::string& path,
            std::vector<std::pair<Digest, std::string>>* wanted) {
    auto digest = Digest::from_hex(algorithm, hex);
    if (digest) {
      wanted->emplace_back(*digest, code);
    } else {
      say(code, path, digest.error().what());
    }
  }

  Result<std::vector<Digest>> read(const std::string& path,
                                   const std::vector<Algorithm>& algorithms) {
    const Path file = folder_ / path;
    TRY_SET(const Fd fd, disk_.open(file, O_RDONLY));
    TRY_SET(const FileInfo info, disk_.info(fd, file));
    if (info.links > 1) say("E090", path, "a hard link");
    Hasher hasher(algorithms);
    std::vector<std::byte> buffer(limits::kChunkBytes);
    std::uint64_t offset = 0;
    while (true) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "stopped");
      TRY_SET(const std::size_t count, disk_.read_at(fd, buffer, offset, file));
      if (count == 0) break;
      hasher.update(std::span<const std::byte>(buffer).first(count));
      offset += count;
    }
    ++result_.files;
    result_.bytes += offset;
    return hasher.finish();
  }

  Disk& disk_;
  const Path folder_;
  const std::stop_token& stop_;
  CheckedObject result_;
  Inventory inventory_;
  std::set<std::string> known_;                 // files that belong, besides content
  std::map<std::string, std::string> content_;  // content path to digest
  std::set<std::string> seen_;
};

}  // namespace

CheckedObject check_one_object(Disk& disk, const Path& path, const std::stop_token& stop) {
  return ObjectCheck(disk, path, stop).run();
}

Result<std::vector<Problem>> check_root_contents(Disk& disk,
                                                 const Path& root,
                                                 const RootCheckOptions& options) {
  TRY(check_root(disk, root));
  std::vector<Problem> problems;
  std::mutex mutex;
  std::map<std::string, Path> ids;  // Guarded by mutex.
  Pool pool(options.threads, options.threads * 4);
  auto walked = walk_root(disk, root, [&](const Found& found) -> Result<void> {
    if (options.stop.stop_requested()) return Error(Code::cancelled, "stopped");
    switch (found.kind) {
      case Found::Kind::stray_file:
        problems.push_back({"E084", found.path.native(), "belongs to no object"});
        return {};
      case Found::Kind::empty_folder:
        problems.push_back({"E073", found.path.native(), "an empty folder"});
        return {};
      case Found::Kind::object:
        break;
    }
    pool.run([&, path = found.path] {
      CheckedObject checked = check_one_object(disk, root / path, options.stop);
      checked.path = path;
      const std::scoped_lock lock(mutex);
      if (const auto id = ObjectId::parse(checked.id); id && object_path(*id) != path) {
        checked.problems.push_back({"E083", "", "lies elsewhere than the layout says of its id"});
      }
      const auto [first, fresh] = ids.emplace(checked.id, path);
      if (!fresh && !checked.id.empty()) {
        checked.problems.push_back({"E037", "", "has the same id as " + first->second.native()});
      }
      if (options.each) options.each(checked);
    });
    return {};
  });
  pool.drain();
  TRY(std::move(walked));
  return problems;
}

}  // namespace versement::ocfl
