// Staging: the next version of an object, built beside the root and whole before it is moved in.
//
// What a writer leaves in its folder is, for a new object, the complete OCFL object; for a further
// version, the version's folder (vN) and the object's new inventory with its sidecar. Nothing is
// synced here: the store syncs many staged objects with one call.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/ids.hpp"
#include "store/base/path.hpp"
#include "store/base/source.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/texts.hpp"

namespace versement::ocfl {

// So many files of an object are named to whoever makes them durable one by one.
inline constexpr std::size_t kWrittenNamedMax = 64;

// What was learnt of a file while it was written.
struct StagedFile {
  LogicalPath path;
  std::string content_path;  // below the object: "v1/content/…"
  std::uint64_t size_bytes = 0;
  std::optional<std::uint32_t> crc32;  // none where it was kept and nobody knew it
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
  Path folder;  // the object, whole; or of a further version what is new of it
  std::uint32_t version = 1;
  std::optional<Digest> base;  // of the inventory that a further version builds on
  Digest inventory_digest;
  std::set<std::string> kept;       // logical paths taken over from the version before, unread
  std::uint64_t written_count = 0;  // files below the folder
  std::vector<std::string> written_files;  // all of them, or none beyond kWrittenNamedMax
  std::vector<Path> folders;               // all folders, deepest first, `folder` last
};

// Not thread safe; one thread stages one object.
class ObjectWriter {
 public:
  // Requires: `folder` does not exist, its parent does.
  static Result<ObjectWriter> begin(Disk& disk, const Path& folder, const ObjectId& id);
  // A further version of the object that has this inventory. It begins without files: what stays is
  // kept by name, what comes with the same bytes as an earlier content is not written again.
  // Errors: unsupported for an object of another layout of versions or another digest.
  static Result<ObjectWriter> begin_version(Disk& disk,
                                            const Path& folder,
                                            LoadedInventory current);

  // Writes one file from a source in one pass, with its digests. Digests that were supplied are
  // compared; md5 and sha1 that held go into the inventory's fixity block.
  // Errors: invalid ("digest-mismatch"); exists for a path that is there already; cancelled; those
  // of the source and the disk.
  Result<StagedFile> add(const LogicalPath& path,
                         Source& source,
                         std::span<const Digest> supplied,
                         const std::stop_token& stop);
  Result<StagedFile> add(const LogicalPath& path, std::string_view bytes);
  // Writes what is made while it is written: nothing of it is kept in memory but a chunk.
  // Errors: exists; those of `produce` and the disk.
  Result<StagedFile> add(const LogicalPath& path, const Produce& produce);
  // Takes a file of the version before over as it is. `known` has its size and digests.
  // Errors: not_found when that version has no file of this path and digest; exists.
  Result<StagedFile> keep(const StagedFile& known);

  const Path& folder() const { return folder_; }

  // Writes inventory, sidecar and declaration. The writer is used up.
  Result<StagedObject> finish(const VersionNote& note);

 private:
  ObjectWriter(Disk& disk, Path folder, Inventory inventory);
  Result<StagedFile> store(const LogicalPath& path,
                           const Path& temporary,
                           StagedFile facts,
                           std::span<const Digest> checked);
  bool is_new(std::string_view path) const { return !logical_paths_.find(path); }
  void wrote(const Path& path);
  Result<Path> free_content_path(const LogicalPath& path, const Digest& sha512);
  Result<void> make_parents(const Path& file);
  Result<void> write_small(const Path& path, std::string_view bytes);

  Result<Digest> write_inventories();
  Path version_folder() const;

  Disk* disk_;
  Path folder_;
  Inventory inventory_;  // of the version to come
  std::uint32_t version_ = 1;
  std::optional<Digest> base_;
  // Lists of files are kept here only as far as others do not: an item may have 100,000.
  std::vector<std::pair<Digest, const std::string*>> sha256_;  // with content paths in inventory_
  Texts logical_paths_;
  Texts content_keys_;  // folded: no two content paths differ in case only
  std::set<std::string> kept_;
  std::set<Path> folders_;
  std::uint64_t written_count_ = 0;
  std::vector<std::string> written_;
};

}  // namespace versement::ocfl
