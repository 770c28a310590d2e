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

// Canonical JSON as json::write makes it, handed on piece by piece. What the sink says is known in
// the end.
class InventoryText {
 public:
  explicit InventoryText(const Sink& sink) : sink_(sink) {}

  void raw(std::string_view text) {
    text_ += text;
    if (text_.size() >= limits::kChunkBytes) pass_on();
  }
  void text(std::string_view text) { raw(json::write(json::Value(text))); }
  // The name of a member; the first of an object has no comma before it.
  void name(std::string_view name, bool first = false) {
    if (!first) raw(",");
    text(name);
    raw(":");
  }
  void member(std::string_view name_of_it, std::string_view value, bool first = false) {
    name(name_of_it, first);
    text(value);
  }

  void digests(const DigestMap& map) {
    raw("{");
    bool first = true;
    for (const auto& [digest, paths] : map) {
      name(digest, first);
      first = false;
      raw("[");
      for (std::size_t i = 0; i < paths.size(); ++i) {
        if (i > 0) raw(",");
        text(paths[i]);
      }
      raw("]");
    }
    raw("}");
  }

  void version(const InventoryVersion& version) {
    raw("{");
    member("created", version.created, true);
    if (!version.message.empty()) member("message", version.message);
    name("state");
    digests(version.state);
    if (!version.user_name.empty()) {
      name("user");
      raw("{");
      if (!version.user_address.empty()) member("address", version.user_address, true);
      member("name", version.user_name, version.user_address.empty());
      raw("}");
    }
    raw("}");
  }

  Result<void> finish() {
    pass_on();
    return said_;
  }

 private:
  void pass_on() {
    if (said_) said_ = sink_(text_);
    text_.clear();
  }

  const Sink& sink_;
  std::string text_;
  Result<void> said_;
};

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

Result<void> write_inventory(const Inventory& inventory, const Sink& sink) {
  InventoryText out(sink);
  out.raw("{");
  const bool usual = inventory.content_directory == "content";
  if (!usual) out.member("contentDirectory", inventory.content_directory, true);
  out.member("digestAlgorithm", algorithm_name(inventory.algorithm), usual);
  if (!inventory.fixity.empty()) {
    out.name("fixity");
    out.raw("{");
    bool first = true;
    for (const auto& [algorithm, map] : inventory.fixity) {
      out.name(algorithm, first);
      first = false;
      out.digests(map);
    }
    out.raw("}");
  }
  out.member("head", Version(inventory.head()).folder());
  out.member("id", inventory.id);
  out.name("manifest");
  out.digests(inventory.manifest);
  out.member("type", inventory.type);
  std::map<std::string, const InventoryVersion*> versions;  // by name: "v10" before "v2"
  for (const auto& [number, version] : inventory.versions)
    versions[Version(number).folder()] = &version;
  out.name("versions");
  out.raw("{");
  bool first = true;
  for (const auto& [name, version] : versions) {
    out.name(name, first);
    first = false;
    out.version(*version);
  }
  out.raw("}}");
  return out.finish();
}

std::string write_inventory(const Inventory& inventory) {
  std::string text;
  const Sink sink = [&](std::string_view piece) -> Result<void> {
    text += piece;
    return {};
  };
  (void)write_inventory(inventory, sink);  // This sink cannot fail.
  return text;
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
