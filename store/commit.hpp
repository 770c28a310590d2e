// The commit path: barrier, read-back, installation, journal. See store.hpp for the order.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "store/base/result.hpp"
#include "store/group.hpp"
#include "store/index/records.hpp"
#include "store/journal/log.hpp"
#include "store/store.hpp"

namespace versement::store {

inline constexpr std::string_view kIntentName = "intent.json";
inline constexpr mode_t kStoredFolderMode = 0555;

struct CommitterOptions {
  bool verify_after_write = true;
};

// One staged object on its way into the root.
struct Transaction {
  Path folder;  // work/tx-…, holding `object` and, from the barrier on, the intent
  ocfl::StagedObject staged;
  Path target;  // where the object goes
  journal::Event event;
  std::shared_ptr<const index::FileRows> rows;
  // Set when the folder must stay: the object may be in the root, and the next start has to look.
  bool keep = false;

  // Of the group that serves it.
  Result<void> outcome;
  std::uint64_t journal_index = 0;
};

// Thread safe.
class Committer {
 public:
  Committer(Disk& disk, const Layout& layout, journal::Log& log, CommitterOptions options);

  // Returns the event's index once the object and the event are durable and indexed.
  // Errors: exists when the object is there; corrupt when the read-back differs; no_space; io;
  // unavailable after a failed sync.
  Result<std::uint64_t> commit(Transaction* transaction);

  // Waits until what is being moved into the root at this moment is journaled and indexed.
  void settle();

  // Why nothing is committed any more.
  std::optional<std::string> failure() const;

 private:
  Result<void> write_intent(Transaction* transaction);
  void serve_barrier(std::span<Transaction* const> group);
  Result<void> sync_group(std::span<Transaction* const> group);
  Result<void> verify(const Transaction& transaction);
  void serve_install(std::span<Transaction* const> group);
  Result<void> install(Transaction* transaction);
  Result<void> install_version(Transaction* transaction);
  Result<void> put_inventories(std::span<Transaction* const> versions);
  Result<void> sync_installed(std::span<Transaction* const> installed);
  void record(std::span<Transaction* const> installed);
  void fail(const std::string& why);

  Disk& disk_;
  const Layout& layout_;
  journal::Log& log_;
  const CommitterOptions options_;
  Group<Transaction> barrier_;
  Group<Transaction> install_;
  std::mutex installing_;  // Held from the first rename of a group to the index. Before mutex_.
  mutable std::mutex mutex_;
  std::optional<std::string> failure_;  // Guarded by mutex_.
};

// Another version came first.
Error other_version(const ObjectId& object);

// Removes the folders between an object's place and the root that hold nothing: OCFL allows no
// empty ones (E073). A folder that is in use stays.
void remove_empty_parents(Disk& disk, const Path& root, const Path& target);

// Puts what the journal keeps of the files into the event: side by side when they are few, else as
// an evidence file that the event names.
Result<void> list_files(const std::vector<index::FileRow>& rows,
                        Store& store,
                        journal::Event* event);

}  // namespace versement::store
