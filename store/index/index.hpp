// The index: RocksDB as a projection of the journal. It can be deleted at any time; the journal,
// the objects' inventories and the evidence files make the same rows again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"
#include "store/index/records.hpp"
#include "store/journal/log.hpp"

namespace versement::index {

// Where the projection finds what an event only names. Thread safe.
class Sources {
 public:
  Sources() = default;
  virtual ~Sources() = default;
  Sources(const Sources&) = delete;
  Sources& operator=(const Sources&) = delete;

  // The files that an "ingestion" event stored, digests from the object's inventory.
  virtual Result<std::vector<FileRow>> rows_of(const journal::Event& event) = 0;
  // Calls `each` with every line of an evidence file.
  virtual Result<void> evidence(std::string_view digest,
                                const std::function<Result<void>(const json::Object&)>& each) = 0;
};

struct IndexOptions {
  std::size_t cache_bytes = 64u << 20;
  int open_files_max = 512;
};

// How apply() writes.
enum class Durability {
  // Survives the end of the process, and a power cut but for the last moments.
  logged,
  // For many entries: rows go past RocksDB's log, and what is not on the disk yet is lost with the
  // process, the position with the rows. flush() ends this, and so does the next logged write.
  bulk,
};

// Thread safe; apply() and flush() are called by one thread at a time.
class Index {
 public:
  // Opens or makes the index. One of another format, or damaged, is removed and begun anew.
  static Result<std::unique_ptr<Index>> open(Disk& disk,
                                             const Path& folder,
                                             const IndexOptions& options);
  // Opens an index that is there, for reading only. Its files may be removed meanwhile: they are
  // all open. Errors: not_found; corrupt; unsupported when it has another format.
  static Result<std::unique_ptr<Index>> open_to_read(Disk& disk,
                                                     const Path& folder,
                                                     const IndexOptions& options);
  ~Index();
  Index(const Index&) = delete;
  Index& operator=(const Index&) = delete;

  // The number of journal entries that the rows reflect.
  std::uint64_t position() const;

  // Applies entries `first`, `first` + 1 …; those below position() were applied before and are left
  // out. All rows of one call appear at once, but for the files of versions: these may be there
  // before the records that lead to them.
  Result<void> apply(std::uint64_t first,
                     std::span<const journal::Entry> entries,
                     Sources& sources,
                     Durability durability = Durability::logged);
  // Puts what was written in bulk onto the disk.
  Result<void> flush();

  Result<std::optional<std::string>> get(std::string_view key) const;
  // The record of a key as JSON. Errors: not_found.
  Result<json::Object> record(std::string_view key) const;

  // Calls `each` for the keys that begin with `prefix` and lie behind `after` (empty: from the
  // start), in order, until it returns false. Keys are handed on whole.
  Result<void> scan(
      std::string_view prefix,
      std::string_view after,
      const std::function<bool(std::string_view key, std::string_view value)>& each) const;

  // SHA-256 over all keys and values, position included: equal for equal indexes.
  Result<std::string> fingerprint() const;
  // The first key whose row is another in `other`, or is in one of them only; nothing when they are
  // equal, position included. Errors: cancelled; io.
  Result<std::optional<std::string>> difference(const Index& other,
                                                const std::stop_token& stop) const;

 private:
  struct State;
  explicit Index(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace versement::index
