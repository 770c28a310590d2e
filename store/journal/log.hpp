// Log: the append-only Merkle journal on disk.
//
// An append returns when its entries survive a power cut and the index has them. Many callers share
// one fdatasync: while a group is on its way to the disk, the next one gathers. Every group is
// followed by a signed checkpoint in the tail; tiles and the public `checkpoint` file follow within
// `publish_delay`.
//
// After a failed sync nothing is known about what the disk holds: the log refuses all further
// appends until the daemon is started anew and has read back what is there.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"
#include "store/journal/checkpoint.hpp"
#include "store/journal/event.hpp"

namespace versement::journal {

// What a writer knows besides the event and would be costly to find again; for the index only.
struct Attachment {
  Attachment() = default;
  virtual ~Attachment() = default;
  Attachment(const Attachment&) = delete;
  Attachment& operator=(const Attachment&) = delete;
};

struct Entry {
  Event event;
  std::shared_ptr<const Attachment> attachment;
};

struct LogOptions {
  std::chrono::milliseconds publish_delay{1000};
  // Called in order with every group once it is durable, on the log's own thread. An error makes
  // the log refuse further appends: the index must never be behind what is answered.
  std::function<Result<void>(std::uint64_t first_index, std::span<const Entry>)> apply;
  // Called with every checkpoint that was published.
  std::function<void(const std::string& note)> published;
};

// Thread safe.
class Log {
 public:
  // Makes an empty journal: its folder, key file `key_path`, `vkey`, first checkpoint and tail.
  static Result<void> create(Disk& disk,
                             const Path& folder,
                             const Path& key_path,
                             std::string_view origin);

  // Opens a journal: cuts what was never acknowledged, checks the rest against the signed
  // checkpoints. Errors: corrupt ("journal-…") when entries that a checkpoint covers are missing or
  // altered; unsupported; io.
  static Result<std::unique_ptr<Log>> open(Disk& disk,
                                           const Path& folder,
                                           Signer signer,
                                           LogOptions options);
  // A journal that open() found tampered with, for reading what is left: it counts `size` entries,
  // as the index has seen, and refuses appends because of `why`.
  static std::unique_ptr<Log> open_refusing(
      Disk& disk, const Path& folder, Signer signer, std::uint64_t size, const std::string& why);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Hands the journal over to a new key: `event` gets a statement that both keys sign, and from its
  // checkpoint on the new key signs. Before start() only. After success it is durable, and the new
  // key alone opens the journal.
  Result<void> replace_key(const Signer& next, Event event);
  // Completes that where it was cut short: true if the journal had been handed over to `next`.
  Result<bool> finish_key(const Signer& next);

  // From here on appends are accepted and checkpoints published. Until then reads only: the index
  // catches up first.
  void start();

  // Appends all entries side by side, or none. Returns the index of the first.
  // Errors: limit for an entry that is too long; no_space (try again); unavailable ("read-only").
  Result<std::uint64_t> append(std::vector<Entry> entries);
  Result<std::uint64_t> append(Event event);

  // Sets space aside on the disk for entries to come. Errors: no_space (try again); io.
  Result<void> reserve(std::uint64_t bytes);

  std::uint64_t size() const;                  // durable entries
  std::uint64_t published() const;             // of these, in tiles under the public checkpoint
  std::optional<std::string> failure() const;  // why appends are refused

  Result<std::string> read(std::uint64_t index) const;
  // Calls `each` for the entries from `first` up to `end`, in order. Stops at its first error.
  Result<void> for_each(
      std::uint64_t first,
      std::uint64_t end,
      const std::function<Result<void>(std::uint64_t index, std::string_view entry)>& each) const;

  // The newest signed checkpoint, which covers all durable entries.
  std::string checkpoint() const;
  // Brings tiles and the public checkpoint up to now.
  Result<void> publish();
  const VerifierKey& key() const;

 private:
  class State;
  explicit Log(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace versement::journal
