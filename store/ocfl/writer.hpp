// Staging: the first version of a new object, built beside the root and whole before it is moved
// in.
//
// What a writer leaves in its folder is a complete OCFL object. Nothing is synced but large files,
// as they end, in the thread that hashed them: the store syncs many staged objects with one call.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/ids.hpp"
#include "store/base/path.hpp"
#include "store/base/source.hpp"
#include "store/ocfl/inventory.hpp"

namespace versement::ocfl {

// What was learnt of a file while it was written.
struct StagedFile {
  LogicalPath path;
  std::string content_path;  // below the object: "v1/content/…"
  std::uint64_t size_bytes = 0;
  std::uint32_t crc32 = 0;
  Digest sha512;
  Digest sha256;
};

// Who made a version, and why; goes into the inventory.
struct VersionNote {
  Timestamp created;
  std::string message;
  std::string user_name;
  std::string user_address;  // a URI
};

struct StagedObject {
  Path folder;  // the object, whole
  Digest inventory_digest;
  std::vector<StagedFile> files;    // by logical path
  std::vector<Path> written_files;  // all files below the folder
  std::vector<Path> folders;        // all folders, deepest first, `folder` last
};

// Not thread safe; one thread stages one object.
class ObjectWriter {
 public:
  // Requires: `folder` does not exist, its parent does.
  static Result<ObjectWriter> begin(Disk& disk, const Path& folder, const ObjectId& id);

  // Writes one file from a source in one pass, with its digests. Digests that were supplied are
  // compared; md5 and sha1 that held go into the inventory's fixity block.
  // Errors: invalid ("digest-mismatch"); exists for a path that is there already; cancelled; those
  // of the source and the disk.
  Result<StagedFile> add(const LogicalPath& path,
                         Source& source,
                         std::span<const Digest> supplied,
                         const std::stop_token& stop);
  Result<StagedFile> add(const LogicalPath& path, std::string_view bytes);

  // Writes inventory, sidecar and declaration. The writer is used up.
  Result<StagedObject> finish(const VersionNote& note);

 private:
  ObjectWriter(Disk& disk, Path folder, const ObjectId& id);
  Result<StagedFile> store(const LogicalPath& path,
                           const Path& temporary,
                           StagedFile facts,
                           std::span<const Digest> checked);
  Result<Path> free_content_path(const LogicalPath& path, const Digest& sha512);
  Result<void> make_parents(const Path& file);
  Result<void> write_small(const Path& path, std::string_view bytes);

  Disk* disk_;
  Path folder_;
  Inventory inventory_;
  std::vector<StagedFile> files_;
  std::set<std::string> logical_paths_;
  std::set<std::string> content_keys_;  // folded: no two content paths differ in case only
  std::set<Path> folders_;
  std::vector<Path> written_;
};

}  // namespace versement::ocfl
