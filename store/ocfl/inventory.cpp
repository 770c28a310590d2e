#include "store/ocfl/inventory.hpp"

#include <algorithm>
#include <set>

#include "store/base/json.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::ocfl {
namespace {

Error corrupt(std::string_view code, const std::string& what) {
  return Error(Code::corrupt, std::string(code) + ": " + what).as(code);
}

json::Object digest_map_value(const DigestMap& map) {
  json::Object object;
  for (const auto& [digest, paths] : map) {
    json::Array array;
    for (const std::string& path : paths)
      array.emplace_back(path);
    object[digest] = std::move(array);
  }
  return object;
}

json::Object version_value(const InventoryVersion& version) {
  json::Object object;
  object["created"] = version.created;
  object["state"] = digest_map_value(version.state);
  if (!version.message.empty()) object["message"] = version.message;
  if (!version.user_name.empty()) {
    json::Object user;
    user["name"] = version.user_name;
    if (!version.user_address.empty()) user["address"] = version.user_address;
    object["user"] = std::move(user);
  }
  return object;
}

Result<DigestMap> read_digest_map(const json::Value* value,
                                  std::string_view code,
                                  const std::string& where,
                                  std::string_view path_code) {
  if (value == nullptr || !value->is_object()) return corrupt(code, where + " is no object");
  DigestMap map;
  std::set<std::string> seen;
  for (const auto& member : value->get_object()) {
    if (!member.value().is_array()) return corrupt(code, where + ": no list of paths");
    std::vector<std::string>& paths = map[lower_ascii(member.key())];
    for (const json::Value& entry : member.value().get_array()) {
      if (!entry.is_string()) return corrupt(code, where + ": a path is no text");
      std::string path(std::string_view(entry.get_string()));
      if (!is_clean_path(path)) {
        return corrupt(path_code, where + ": the path '" + printable(path) + "' is not clean");
      }
      if (!seen.insert(path).second) {
        return corrupt(path_code, where + ": the path '" + printable(path) + "' stands twice");
      }
      paths.push_back(std::move(path));
    }
    std::sort(paths.begin(), paths.end());
  }
  return map;
}

Result<InventoryVersion> read_version(const json::Value& value,
                                      const std::string& name,
                                      const DigestMap& manifest) {
  if (!value.is_object()) return corrupt("E047", "version " + name + " is no object");
  const json::Object& object = value.get_object();
  InventoryVersion version;
  version.created = json::text_at(object, "created");
  version.message = json::text_at(object, "message");
  const json::Object& user = json::object_at(object, "user");
  version.user_name = json::text_at(user, "name");
  version.user_address = json::text_at(user, "address");
  TRY_SET(version.state,
          read_digest_map(object.if_contains("state"), "E050", "the state of " + name, "E052"));
  for (const auto& [digest, paths] : version.state) {
    const auto found = manifest.find(digest);
    if (found == manifest.end() || found->second.empty()) {
      return corrupt("E050",
                     "the state of " + name + " has a digest that the manifest lacks: " + digest);
    }
  }
  return version;
}

// "v12", without padding or with; 0 when it is no version's name.
std::uint32_t version_number(std::string_view name) {
  if (!name.starts_with('v')) return 0;
  const auto number = parse_decimal(name.substr(1));
  return number && *number > 0 && *number < 1'000'000'000 ? static_cast<std::uint32_t>(*number) : 0;
}

Result<void> read_versions(const json::Object& object, Inventory* inventory) {
  for (const auto& member : json::object_at(object, "versions")) {
    const std::string name(member.key());
    const std::uint32_t number = version_number(name);
    if (number == 0) return corrupt("E046", "'" + printable(name) + "' is no version");
    TRY_SET(inventory->versions[number], read_version(member.value(), name, inventory->manifest));
  }
  if (inventory->versions.empty()) return corrupt("E008", "there are no versions");
  if (inventory->versions.size() != inventory->head()) {
    return corrupt("E010", "the versions have gaps");
  }
  if (version_number(json::text_at(object, "head")) != inventory->head()) {
    return corrupt("E040", "head is not the newest version");
  }
  return {};
}

}  // namespace

bool is_clean_path(std::string_view path) {
  if (path.empty()) return false;
  for (const std::string_view name : split(path, '/')) {
    if (name.empty() || name == "." || name == "..") return false;
  }
  return path.find('\0') == std::string_view::npos;
}

std::string sidecar_name(Algorithm algorithm) {
  return std::string(kInventoryName) + "." + std::string(algorithm_name(algorithm));
}

std::string write_sidecar(const Digest& digest) {
  return digest.hex() + "  " + std::string(kInventoryName) + "\n";
}

std::string write_inventory(const Inventory& inventory) {
  json::Object object;
  object["id"] = inventory.id;
  object["type"] = inventory.type;
  object["digestAlgorithm"] = algorithm_name(inventory.algorithm);
  object["head"] = Version(inventory.head()).folder();
  if (inventory.content_directory != "content") {
    object["contentDirectory"] = inventory.content_directory;
  }
  object["manifest"] = digest_map_value(inventory.manifest);
  json::Object versions;
  for (const auto& [number, version] : inventory.versions) {
    versions[Version(number).folder()] = version_value(version);
  }
  object["versions"] = std::move(versions);
  json::Object fixity;
  for (const auto& [algorithm, map] : inventory.fixity)
    fixity[algorithm] = digest_map_value(map);
  if (!fixity.empty()) object["fixity"] = std::move(fixity);
  return json::write(object);
}

Result<Inventory> parse_inventory(std::string_view bytes) {
  auto parsed = json::parse_object(bytes, limits::kInventoryBytesMax);
  if (!parsed && parsed.error().code() == Code::limit) return std::move(parsed).error();
  if (!parsed) return corrupt("E033", parsed.error().what());
  const json::Object& object = *parsed;
  Inventory inventory;
  inventory.id = json::text_at(object, "id");
  inventory.type = json::text_at(object, "type");
  if (inventory.id.empty()) return corrupt("E036", "the id is missing");
  const auto algorithm = algorithm_of_name(json::text_at(object, "digestAlgorithm"));
  if (algorithm != Algorithm::sha512 && algorithm != Algorithm::sha256) {
    return corrupt("E025", "digestAlgorithm is neither sha512 nor sha256");
  }
  inventory.algorithm = *algorithm;
  if (object.contains("contentDirectory")) {
    inventory.content_directory = json::text_at(object, "contentDirectory");
    if (!is_clean_path(inventory.content_directory) ||
        inventory.content_directory.find('/') != std::string::npos) {
      return corrupt("E017", "contentDirectory is no plain name");
    }
  }
  TRY_SET(inventory.manifest,
          read_digest_map(object.if_contains("manifest"), "E041", "the manifest", "E100"));
  for (const auto& block : json::object_at(object, "fixity")) {
    const std::string name(block.key());
    TRY_SET(inventory.fixity[name],
            read_digest_map(&block.value(), "E057", "the fixity block " + name, "E057"));
  }
  TRY(read_versions(object, &inventory));
  return inventory;
}

Result<LoadedInventory> load_inventory(Disk& disk, const Path& folder) {
  const Path path = folder / kInventoryName;
  TRY_SET(const std::string bytes, read_file(disk, path, limits::kInventoryBytesMax));
  auto inventory = parse_inventory(bytes);
  if (!inventory) return std::move(inventory).error().during(path.native());
  const Digest digest = digest_of(inventory->algorithm, bytes);
  const Path sidecar = folder / sidecar_name(inventory->algorithm);
  auto text = read_file(disk, sidecar, limits::kSidecarBytesMax);
  if (!text && text.error().code() == Code::not_found) {
    return corrupt("E058", path.native() + " has no sidecar");
  }
  if (!text) return std::move(text).error();
  const std::string_view said = std::string_view(*text).substr(0, text->find_first_of(" \t"));
  if (!equal_ignoring_ascii_case(said, digest.hex())) {
    return corrupt("E060", sidecar.native() + " does not agree with the inventory");
  }
  return LoadedInventory{std::move(*inventory), digest};
}

}  // namespace versement::ocfl
