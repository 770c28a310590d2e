// Store: the one door to objects, journal and index. The order of durability is kept here.
//
// A commit is acknowledged when it survives a power cut:
//   1. the object, or what a further version adds to it, is staged whole in work/, with an intent
//      that holds the event to come;
//   2. barrier: staged bytes and intent are made durable, many deposits with one sync;
//   3. the new bytes are read back past the page cache and compared;
//   4. the object, or the version's folder, is renamed into the root (never over anything), the new
//      names made durable; of a further version then its inventory and sidecar take their places;
//   5. the event is appended to the journal and durable; the index applies it.
// A crash before 4 leaves staging, which the next start drops; after 4 the next start completes the
// version and appends the event that the intent holds. A failed sync stops all writing until the
// next start.
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
#include "store/base/ids.hpp"
#include "store/base/path.hpp"
#include "store/base/result.hpp"
#include "store/base/source.hpp"
#include "store/base/time.hpp"
#include "store/index/index.hpp"
#include "store/journal/event.hpp"
#include "store/journal/evidence.hpp"
#include "store/journal/log.hpp"
#include "store/ocfl/writer.hpp"

namespace versement::store {

// Folders in work/ that begin so are unpacked archives: of no use after a crash, the start removes
// them.
inline constexpr std::string_view kUnpackedPrefix = "unpacked-";

// The folders of DATA.
struct Layout {
  explicit Layout(const Path& data_in);
  Path data, root, journal, evidence, index, work, quarantine, secrets, marker, lock;
  Path journal_key, next_journal_key;
  Path index_old;  // while the index is made anew: the one before
};

struct StoreOptions {
  Path data;
  bool verify_after_write = true;
  std::uint64_t min_free_bytes = 64u << 20;  // ingest stops before the disk is full
  std::uint64_t min_free_inodes = 1000;
  std::chrono::milliseconds publish_delay{1000};
  bool rebuild_index = false;  // make the index anew; the one that is there serves reads meanwhile
  bool replace_key = false;    // hand the journal over to a new key first
  index::IndexOptions index;
};

// What recovery did at the start.
struct Recovered {
  std::uint64_t completed = 0;    // deposits that were in the root, but not in the journal
  std::uint64_t dropped = 0;      // deposits that were not
  std::uint64_t quarantined = 0;  // what fitted neither
};

// How far the start is.
struct Starting {
  std::uint64_t position = 0;                // journal entries that the index reflects
  std::uint64_t target = 0;                  // of so many
  std::optional<std::chrono::seconds> left;  // when it can be told
  bool indexed() const { return position >= target; }
  std::string text() const;  // for people
};

// An object being staged. One thread uses it; it leaves no trace unless it is committed.
class Deposit {
 public:
  ~Deposit();
  Deposit(const Deposit&) = delete;
  Deposit& operator=(const Deposit&) = delete;

  const ObjectId& object() const { return object_; }

  // As ocfl::ObjectWriter::add. `row` is what the index will know of the file; its sizes, digests
  // and content path are filled in here.
  Result<index::FileRow> add(const LogicalPath& path,
                             Source& source,
                             std::span<const Digest> supplied,
                             index::FileRow row,
                             const std::stop_token& stop);
  Result<index::FileRow> add(const LogicalPath& path, std::string_view bytes, index::FileRow row);
  // The same of bytes that are made while they are written.
  Result<index::FileRow> add(const LogicalPath& path, const Produce& produce, index::FileRow row);
  // Takes a file of the version before over as it is. `row` is its row there.
  // Errors: not_found when that version has no such file; exists.
  Result<void> keep(const index::FileRow& row);
  // Replaces what add() was told of a file, by path: a format is known only once it was read.
  void describe(const index::FileRow& row);
  // How many files will come about: room for them is made once.
  void expect(std::size_t files) { rows_.reserve(files); }
  // What was added and kept so far, in that order.
  const std::vector<index::FileRow>& rows() const { return rows_; }
  // The bytes of a file that was added, as they are staged. Requires: it was not kept, and no
  // earlier version has the same bytes.
  std::shared_ptr<Source> file(const index::FileRow& row) const;

 private:
  friend class Store;
  index::FileRow added(const ocfl::StagedFile& staged, index::FileRow row);
  Deposit(Disk& disk, Path folder, ObjectId object, ocfl::ObjectWriter writer);

  Disk& disk_;
  Path folder_;  // work/tx-…
  ObjectId object_;
  ocfl::ObjectWriter writer_;
  std::vector<index::FileRow> rows_;
  bool keep_ = false;  // the folder outlives this object: recovery needs the intent
};

struct Committed {
  Digest inventory_digest;
  std::uint64_t journal_index = 0;
};

// A name that only one deposit at a time may work on.
class Claim {
 public:
  Claim(Claim&& other) noexcept;
  Claim& operator=(Claim&&) = delete;
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  ~Claim();

 private:
  friend class Store;
  explicit Claim(std::function<void()> release) : release_(std::move(release)) {}
  std::function<void()> release_;
};

// Thread safe.
class Store {
 public:
  // Makes an empty data folder: OCFL root, journal with its key, marker. Errors: exists when the
  // folder holds anything.
  static Result<void> create(Disk& disk, Clock& clock, const Path& data, std::string_view origin);

  // prepare() and bring_up().
  static Result<std::unique_ptr<Store>> open(Disk& disk, Clock& clock, StoreOptions options);
  // Takes the lock, opens journal and index. Where answers_reads(), all that only reads may be
  // called; nothing can be written yet: unavailable ("starting").
  // Errors: not_found when this is no data folder (an unmounted disk, say); conflict when another
  // process has it; corrupt; unsupported; io.
  static Result<std::unique_ptr<Store>> prepare(Disk& disk, Clock& clock, StoreOptions options);
  // Brings the index up to the journal and recovers open deposits: from here on the store takes
  // all. Called once, on any thread. Stopped in the middle it leaves what the next start goes on
  // with. Errors: cancelled; corrupt; io.
  Result<void> bring_up(const std::stop_token& stop = {});
  // How far bring_up() is; nothing when it is done.
  std::optional<Starting> starting() const;
  // True when index() reflects the whole journal; it stays so.
  bool answers_reads() const;
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // -- Events.
  journal::Event event(std::string_view type, std::string_view agent) const;
  Result<std::uint64_t> append(journal::Event event);

  // -- Deposits.
  // Sets bytes and inodes aside in the books, or refuses: no_space.
  Result<Claim> reserve(std::uint64_t bytes, std::uint64_t files);
  // Errors: conflict ("resource-busy").
  Result<Claim> claim(const std::string& name);
  Result<std::unique_ptr<Deposit>> begin(const ObjectId& object);
  // A further version; it begins without files. `base` is the digest of the inventory that the
  // caller has seen (If-Match). Errors: not_found; conflict ("precondition-failed") when the object
  // has another inventory now; corrupt; unsupported.
  Result<std::unique_ptr<Deposit>> begin_version(const ObjectId& object, std::string_view base);
  // Stores the deposit. `event` is completed with object, version, inventory digest and files, and
  // is what the journal will say. Returns when all of it is durable.
  // Errors: exists, or conflict ("precondition-failed") when another version came first; no_space;
  // corrupt ("read-back-mismatch"); io; unavailable ("read-only") after a failed sync.
  Result<Committed> commit(std::unique_ptr<Deposit> deposit,
                           const ocfl::VersionNote& note,
                           journal::Event event);

  // Waits until what is on its way into the root at this moment is journaled and indexed: whoever
  // found something strange there looks again afterwards, before it is called damage.
  void settle();

  // -- Reading.
  Path object_folder(const ObjectId& object) const;
  // A name in work/ that nothing else has, for what the next start is to sweep.
  Path work_name(std::string_view what) const;
  // Whether the inventories on the disk are those that the journal names, by SHA-512: that of the
  // version, which says where its files lie, and that of the object (`newest`). The latter is not
  // judged while a version may be half installed: during the start, and after a failed commit.
  // Nothing when they are; otherwise the path of the wrong one below the object, and what is wrong.
  // Errors: io, and what says nothing about them (is_damage()).
  struct WrongInventory {
    std::string path;
    Error what;
  };
  Result<std::optional<WrongInventory>> wrong_inventory(const ObjectId& object,
                                                        std::uint32_t version,
                                                        std::string_view wanted,
                                                        std::string_view newest) const;
  // The bytes of a file of an item ("item SLUG") or of a seal ("transfer ID"). Nothing is opened
  // before the first read. While it is sent it is compared with its CRC-32 where that is
  // known, and damage is told of.
  std::shared_ptr<Source> file(const std::string& owner,
                               const ObjectId& object,
                               const index::FileRow& row) const;
  // The same where the object's folder is at hand: a bag has many files of it.
  struct FileFacts {
    std::string_view content_path;
    std::uint64_t size_bytes = 0;
    std::optional<std::uint32_t> crc32;
  };
  std::shared_ptr<Source> file(const std::string& owner,
                               const Path& object_folder,
                               const FileFacts& facts) const;
  // Who hears of damage that is found when a file is to be sent, or while it is: its owner, and its
  // path below the object. Called on any thread. To be set before the first file is served.
  using OnDamage =
      std::function<void(const std::string& owner, const std::string& path, const Error& what)>;
  void set_on_damage(OnDamage on_damage);
  void tell_of_damage(const std::string& owner, const std::string& path, const Error& what) const;
  Result<index::FileRow> file_row(std::string_view owner,
                                  std::uint32_t version,
                                  std::string_view path) const;

  // -- Evidence.
  Result<std::unique_ptr<journal::EvidenceWriter>> begin_evidence();
  Result<void> read_evidence(std::string_view digest,
                             const std::function<Result<void>(const json::Object&)>& each) const;
  Path evidence_file(std::string_view digest) const;
  // Errors: not_found; corrupt ("evidence-mismatch") when the file is not what its name says.
  Result<void> check_evidence(std::string_view digest) const;

  // The index that serves reads; requires answers_reads().
  const index::Index& index() const;
  journal::Log& journal();
  const Layout& layout() const;
  // Whether a commit reads the new bytes back past the page cache.
  bool verifies_after_write() const;
  Disk& disk() const;
  Clock& clock() const;
  const Recovered& recovered() const;
  // Why nothing can be written, if so.
  std::optional<std::string> read_only_reason() const;

 private:
  class State;
  // `lock` is the data folder's, taken.
  static Result<std::unique_ptr<Store>> prepare(Disk& disk,
                                                Clock& clock,
                                                StoreOptions options,
                                                Fd lock);
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace versement::store
