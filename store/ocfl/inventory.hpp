// The inventory of an OCFL object (OCFL 1.1 section 3.5) and its sidecar.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/ids.hpp"
#include "store/base/result.hpp"
#include "store/base/source.hpp"

namespace versement::ocfl {

inline constexpr std::string_view kInventoryName = "inventory.json";
inline constexpr std::string_view kObjectDeclarationName = "0=ocfl_object_1.1";
inline constexpr std::string_view kObjectDeclaration = "ocfl_object_1.1\n";

// Hexadecimal digests, as written, and the paths that have them, sorted.
using DigestMap = std::map<std::string, std::vector<std::string>, std::less<>>;

struct InventoryVersion {
  std::string created;  // RFC 3339
  std::string message;
  std::string user_name;
  std::string user_address;  // a URI
  DigestMap state;           // digest to logical paths
};

struct Inventory {
  std::string id;
  std::string type = "https://ocfl.io/1.1/spec/#inventory";
  Algorithm algorithm = Algorithm::sha512;
  std::string content_directory = "content";
  std::map<std::uint32_t, InventoryVersion> versions;    // 1, 2 … without gaps
  DigestMap manifest;                                    // digest to content paths
  std::map<std::string, DigestMap, std::less<>> fixity;  // algorithm to digest to content paths

  std::uint32_t head() const { return versions.empty() ? 0 : versions.rbegin()->first; }
};

// One serialisation for one inventory: sorted names, no blanks.
std::string write_inventory(const Inventory& inventory);
// The same, piece by piece: one of 100,000 files is 50 MB.
Result<void> write_inventory(const Inventory& inventory, const Sink& sink);
std::string write_sidecar(const Digest& digest);
std::string sidecar_name(Algorithm algorithm);

// Reads an inventory for use. It checks form and the rules that reading relies on (paths, versions,
// every digest of a state in the manifest); the validator checks all the rest.
// Errors: corrupt; what() begins with the OCFL code. limit.
Result<Inventory> parse_inventory(std::string_view bytes);

// An inventory that was read and agrees with its sidecar.
struct LoadedInventory {
  Inventory inventory;
  Digest digest;  // of its bytes, in its own algorithm
};

// Errors: not_found; corrupt; io.
Result<LoadedInventory> load_inventory(Disk& disk, const Path& folder);

// Checks a content or logical path: relative, no empty, "." or ".." element (E052, E099, E100).
bool is_clean_path(std::string_view path);

}  // namespace versement::ocfl
