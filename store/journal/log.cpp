#include "store/journal/log.hpp"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <fcntl.h>

#include "store/base/limits.hpp"
#include "store/base/log.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/journal/key_change.hpp"
#include "store/journal/merkle.hpp"
#include "store/journal/tail.hpp"
#include "store/journal/tile.hpp"

namespace versement::journal {
namespace {

// 256^8 entries are more than 64 bits count.
constexpr unsigned kLevels = 8;
// Space is reserved this far ahead, so that a full disk still takes the entry that says so.
constexpr std::uint64_t kReserveBytes = 1u << 20;
// The tail is begun anew when this much of it is in tiles.
constexpr std::uint64_t kRotateBytes = 16u << 20;

std::uint64_t tile_start(std::uint64_t index) {
  return index / kTileWidth * kTileWidth;
}

// The hashes of one level from the start of the oldest tile that is not published whole.
struct Row {
  std::uint64_t first = 0;  // index of the first hash; a multiple of the tile width
  std::vector<Hash> hashes;
  std::uint64_t end() const { return first + hashes.size(); }
};

struct Place {
  std::uint64_t offset = 0;
  std::uint32_t length = 0;
};

struct Waiter {
  std::vector<Entry> entries;
  std::vector<std::string> texts;
  std::size_t bytes = 0;
  std::uint64_t first_index = 0;
  std::optional<Result<void>> outcome;
};

Error tampered(const std::string& what) {
  return Error(Code::corrupt, "the journal does not agree with its signed checkpoint: " + what +
                                  ". versement journal verify says which file is wrong")
      .as("journal-tampered");
}

// What is missing or malformed was tampered with; what could not be looked at says nothing.
Error in_doubt(Error error) {
  const Code code = error.code();
  const bool wrong = code == Code::not_found || code == Code::invalid || code == Code::corrupt ||
                     code == Code::limit;
  if (!wrong || error.reason().starts_with("journal-")) return error;
  return tampered(error.what());
}

}  // namespace

class Log::State {
 public:
  State(Disk& disk, Path folder, Signer signer, LogOptions options)
      : disk_(disk),
        folder_(std::move(folder)),
        signer_(std::move(signer)),
        options_(std::move(options)) {}

  ~State() { stop(); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  Result<void> load();
  void refuse(std::uint64_t size, const std::string& why);
  void start();
  void stop();

  Result<std::uint64_t> append(std::vector<Entry> entries);
  Result<void> reserve(std::uint64_t bytes);
  Result<void> publish_now();
  Result<void> replace_key(const Signer& next, Event event);
  Result<bool> finish_key(const Signer& next);

  Result<void> for_each(
      std::uint64_t first,
      std::uint64_t end,
      const std::function<Result<void>(std::uint64_t, std::string_view)>& each) const;

  std::uint64_t size() const {
    const std::scoped_lock lock(mutex_);
    return std::max(frontier_.size(), refused_size_);
  }
  std::uint64_t published() const {
    const std::scoped_lock lock(mutex_);
    return published_;
  }
  std::optional<std::string> failure() const {
    const std::scoped_lock lock(mutex_);
    return failure_;
  }
  std::string note() const {
    const std::scoped_lock lock(mutex_);
    return note_;
  }
  const VerifierKey& key() const { return signer_.key(); }

 private:
  // Loading.
  Result<void> load_rows(std::uint64_t tail_first, std::uint64_t published);
  Result<void> load_tail(const Checkpoint& published);
  Result<void> take_frame(const Frame& frame, const Checkpoint& published);
  Result<void> drop_older_tails();
  void find_partials(std::uint64_t size);

  // Writing; on the writer's thread.
  void write_loop();
  std::vector<Waiter*> next_group(std::unique_lock<std::mutex>* lock);
  Result<void> write_group(std::span<Waiter* const> group);
  Result<void> reserve_locked(std::uint64_t bytes);
  void add_leaf(const Hash& leaf, Place place);
  void fail(const std::string& why);

  // Publishing; on the publisher's thread or a caller's, one at a time.
  void publish_loop();
  Result<void> publish_tiles(std::uint64_t size, const std::array<Row, kLevels>& rows);
  Result<void> publish_bundles(std::uint64_t from, std::uint64_t size);
  Result<void> publish_once(const std::string& name, std::string_view bytes);
  void remove_stale_partials();
  Result<void> rotate();

  Result<std::string> read_bundle(std::uint64_t bundle) const;
  Result<std::string> read_tail_entry(std::uint64_t index) const;

  Disk& disk_;
  const Path folder_;
  Signer signer_;               // Changed before start() only.
  std::optional<Signer> next_;  // while the journal is handed over to it
  const LogOptions options_;

  // Taken by whoever writes to the tail file or replaces it; before mutex_.
  std::mutex io_mutex_;
  std::uint64_t allocated_ = 0;  // Guarded by io_mutex_.

  mutable std::mutex mutex_;  // Guards all that follows.
  std::condition_variable wake_writer_;
  std::condition_variable wake_publisher_;
  std::condition_variable answered_;
  std::deque<Waiter*> queue_;
  std::shared_ptr<const Fd> tail_;
  Path tail_path_;
  std::uint64_t tail_first_ = 0;
  std::uint64_t tail_end_ = kTailHeaderBytes;
  std::deque<Place> places_;  // of the entries from tail_first_ on
  std::array<Row, kLevels> rows_;
  Frontier frontier_;
  std::string note_;  // of the frontier's size
  std::uint64_t published_ = 0;
  std::optional<std::string> failure_;
  std::uint64_t refused_size_ = 0;  // when the journal is not opened
  bool started_ = false;
  bool stopping_ = false;

  std::mutex publish_mutex_;                    // One publication at a time; before mutex_.
  std::vector<std::string> partials_;           // Guarded by publish_mutex_.
  std::vector<std::string> partials_outdated_;  // Guarded by publish_mutex_.

  std::thread writer_;
  std::thread publisher_;
};

// ---------------------------------------------------------------------------- loading

Result<void> Log::State::load() {
  TRY(sweep_temporary_files(disk_, folder_));
  const Path path = folder_ / "checkpoint";
  const auto note = read_file(disk_, path, limits::kCheckpointBytesMax);
  if (!note && note.error().code() == Code::not_found) {
    // An empty folder was not tampered with: its disk is not there, or another one is.
    TRY_SET(const auto entries, list_sorted(disk_, folder_));
    const bool empty = std::all_of(entries.begin(), entries.end(), [](const DirEntry& entry) {
      return entry.name == "lost+found";
    });
    if (empty) return note.error();
  }
  if (!note) return in_doubt(note.error());
  auto published = read_checkpoint(*note, signer_.key());
  if (!published) return in_doubt(std::move(published).error().during(path.native()));
  published_ = published->size;
  auto tail = find_tail(disk_, folder_);
  if (!tail) return in_doubt(std::move(tail).error());
  tail_path_ = *std::move(tail);
  auto loaded = load_tail(*published);
  if (!loaded) return in_doubt(std::move(loaded).error().during(tail_path_.native()));
  TRY(drop_older_tails());  // Not before the newer one was found to be whole.
  find_partials(published->size);
  return {};
}

void Log::State::refuse(std::uint64_t size, const std::string& why) {
  const std::scoped_lock lock(mutex_);
  refused_size_ = size;
  tail_first_ = UINT64_MAX;  // Whole bundles are read, the rest is in doubt.
  failure_ = why;
}

// The partial tiles that an earlier run of the service left, and temporary files beside them: those
// at the end of each level. The publications to come remove what is outdated.
void Log::State::find_partials(std::uint64_t size) {
  for (unsigned level = 0; level < kLevels; ++level) {
    const std::uint64_t last = (size >> (8 * level)) / kTileWidth;
    for (std::uint64_t index = last > 0 ? last - 1 : 0; index <= last; ++index) {
      for (const std::string& name :
           {tile_path(level, index, 1), level == 0 ? bundle_path(index, 1) : std::string()}) {
        if (name.empty()) continue;
        const Path folder = Path(name).parent_path();
        (void)sweep_temporary_files(disk_, folder_ / folder.parent_path());
        const auto entries = list_sorted(disk_, folder_ / folder);
        if (!entries) continue;  // There is none.
        (void)sweep_temporary_files(disk_, folder_ / folder);
        for (const DirEntry& entry : *entries)
          partials_.push_back((folder / entry.name).native());
      }
    }
  }
}

// A rotation that was cut short leaves two tails. The newer one was renamed only when whole.
Result<void> Log::State::drop_older_tails() {
  TRY_SET(const auto entries, list_sorted(disk_, folder_));
  for (const DirEntry& entry : entries) {
    const Path path = folder_ / entry.name;
    if (is_tail(entry) && path != tail_path_) TRY(disk_.remove_file(path));
  }
  return {};
}

// Takes up the tree as it was before the first entry of the tail: the hashes of each level's last,
// unfinished tile, cut to that size.
Result<void> Log::State::load_rows(std::uint64_t tail_first, std::uint64_t published) {
  std::vector<Hash> nodes;
  for (unsigned level = kLevels; level-- > 1;) {
    const unsigned shift = 8 * level;
    const std::uint64_t count = tail_first >> shift;
    Row& row = rows_.at(level);
    row.first = tile_start(count);
    if (count == row.first) continue;
    const std::uint64_t width =
        std::min<std::uint64_t>(kTileWidth, (published >> shift) - row.first);
    const Path path = folder_ / tile_path(level, row.first / kTileWidth, width);
    TRY_SET(const std::string bytes, read_file(disk_, path, kTileWidth * sizeof(Hash)));
    TRY_SET(row.hashes, hashes_of_tile(bytes));
    if (row.hashes.size() != width || width < count - row.first) {
      return tampered(path.native() + " has not the hashes that it should have");
    }
    row.hashes.resize(count - row.first);
    // The row's hashes are subtrees of one height; the perfect subtrees over them make the edge.
    std::span<const Hash> rest = row.hashes;
    for (std::size_t power = kTileWidth / 2; power > 0; power /= 2) {
      if ((row.hashes.size() & power) == 0) continue;
      nodes.push_back(root_of(rest.first(power)));
      rest = rest.subspan(power);
    }
  }
  rows_[0].first = tail_first;
  frontier_ = Frontier(tail_first, std::move(nodes));
  return {};
}

Result<void> Log::State::take_frame(const Frame& frame, const Checkpoint& published) {
  if (frame.kind == FrameKind::entry) {
    if (frame.index != frontier_.size()) {
      return tampered("entry " + std::to_string(frame.index) + " stands where entry " +
                      std::to_string(frontier_.size()) + " belongs");
    }
    add_leaf(leaf_hash(frame.payload),
             {frame.payload_offset, static_cast<std::uint32_t>(frame.payload.size())});
    if (frontier_.size() == published.size && frontier_.root() != published.root) {
      return tampered("the first " + std::to_string(published.size) +
                      " entries have another root hash than it says");
    }
    return {};
  }
  TRY_SET(const Checkpoint checkpoint, read_checkpoint(frame.payload, signer_.key()));
  if (checkpoint.size != frame.index || checkpoint.size != frontier_.size() ||
      checkpoint.root != frontier_.root()) {
    return tampered("the checkpoint of size " + std::to_string(checkpoint.size) +
                    " in the tail is of another tree");
  }
  note_ = frame.payload;
  tail_end_ = frame.end_offset;
  return {};
}

Result<void> Log::State::load_tail(const Checkpoint& published) {
  std::uint64_t whole = 0;  // entries up to the last checkpoint of the tail
  // The first index stands in the header, which scan_tail checks; the name must say the same.
  const auto named = parse_decimal(tail_path_.filename().native().substr(5));
  if (!named || *named > published.size || *named % kTileWidth != 0) {
    return tampered("the tail begins at an entry that is in no tile");
  }
  tail_first_ = *named;
  TRY(load_rows(tail_first_, published.size));
  if (frontier_.size() == published.size && frontier_.root() != published.root) {
    return tampered("the tiles have another root hash than it says");
  }
  TRY_SET(const TailScan scan,
          scan_tail(disk_, tail_path_, [&](const Frame& frame) -> Result<void> {
            TRY(take_frame(frame, published));
            if (frame.kind == FrameKind::checkpoint) whole = frame.index;
            return {};
          }));
  if (scan.first_index != tail_first_) return tampered("the tail's name and header differ");
  if (scan.damaged) return tampered("whole entries lie behind a damaged one");
  if (whole < published.size || note_.empty()) {
    return tampered("it covers " + std::to_string(published.size) + " entries, but only " +
                    std::to_string(whole) + " are there");
  }
  if (whole < frontier_.size() || scan.torn) {
    // A group without its checkpoint: never acknowledged. Cut it and take up the tree again.
    log::info(
        "cut an unfinished group of entries from the journal",
        {{"entries", std::to_string(frontier_.size() - whole)}, {"size", std::to_string(whole)}});
    TRY_SET(const Fd fd, disk_.open(tail_path_, O_WRONLY));
    TRY(disk_.truncate(fd, tail_end_, tail_path_));
    TRY(disk_.sync(fd, tail_path_));
    rows_ = {};
    places_.clear();
    note_.clear();
    TRY(load_rows(tail_first_, published.size));
    TRY(scan_tail(disk_, tail_path_,
                  [&](const Frame& frame) { return take_frame(frame, published); }));
  }
  TRY_SET(Fd fd, disk_.open(tail_path_, O_RDWR));
  TRY_SET(const FileInfo info, disk_.info(fd, tail_path_));
  allocated_ = info.size_bytes;
  tail_ = std::make_shared<const Fd>(std::move(fd));
  return {};
}

// ---------------------------------------------------------------------------- writing

void Log::State::start() {
  {
    const std::scoped_lock lock(mutex_);
    if (started_ || failure_) return;
    started_ = true;
  }
  writer_ = std::thread([this] { write_loop(); });
  publisher_ = std::thread([this] { publish_loop(); });
}

void Log::State::stop() {
  {
    const std::scoped_lock lock(mutex_);
    if (!started_ || stopping_) return;
    stopping_ = true;
  }
  wake_writer_.notify_all();
  wake_publisher_.notify_all();
  writer_.join();
  publisher_.join();
  if (auto done = publish_now(); !done) {
    log::warning(
        "the journal's tiles could not be brought up to date before the end; the next "
        "start does it",
        {{"why", done.error().what()}});
  }
}

Result<std::uint64_t> Log::State::append(std::vector<Entry> entries) {
  Waiter waiter;
  for (const Entry& entry : entries) {
    TRY_SET(std::string text, entry_of(entry.event));
    waiter.bytes += text.size() + 32;
    waiter.texts.push_back(std::move(text));
  }
  waiter.entries = std::move(entries);
  std::unique_lock lock(mutex_);
  if (failure_) {
    return Error(Code::unavailable, "read-only: " + *failure_).as("read-only");
  }
  if (!started_) {
    return Error(Code::unavailable, "the journal takes no entries yet: the service is starting")
        .as("starting");
  }
  if (stopping_) {
    return Error(Code::unavailable, "the journal takes no entries: the service stops")
        .as("shutting-down");
  }
  queue_.push_back(&waiter);
  wake_writer_.notify_one();
  answered_.wait(lock, [&] { return waiter.outcome.has_value(); });
  if (!*waiter.outcome) return std::move(*waiter.outcome).error();
  return waiter.first_index;
}

std::vector<Waiter*> Log::State::next_group(std::unique_lock<std::mutex>* lock) {
  wake_writer_.wait(*lock, [this] { return stopping_ || !queue_.empty(); });
  std::vector<Waiter*> group;
  std::size_t bytes = 0;
  while (!queue_.empty() && (group.empty() || bytes < limits::kGroupBytesMax)) {
    bytes += queue_.front()->bytes;
    group.push_back(queue_.front());
    queue_.pop_front();
  }
  return group;
}

void Log::State::write_loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    const std::vector<Waiter*> group = next_group(&lock);
    if (group.empty()) return;  // Stopping, and all is answered.
    lock.unlock();
    Result<void> done;
    if (auto failed = failure()) {
      done = Error(Code::unavailable, "read-only: " + *failed).as("read-only");
    } else {
      done = write_group(group);
    }
    lock.lock();
    for (Waiter* const waiter : group)
      waiter->outcome = done;
    answered_.notify_all();
  }
}

void Log::State::fail(const std::string& why) {
  log::error("the journal refuses further entries until the next start", {{"why", why}});
  const std::scoped_lock lock(mutex_);
  if (!failure_) failure_ = why;
}

Result<void> Log::State::reserve(std::uint64_t bytes) {
  if (auto failed = failure()) {
    return Error(Code::unavailable, "read-only: " + *failed).as("read-only");
  }
  const std::scoped_lock io(io_mutex_);
  return reserve_locked(bytes);
}

Result<void> Log::State::reserve_locked(std::uint64_t bytes) {
  const std::uint64_t needed = tail_end_ + bytes;
  if (needed <= allocated_) return {};
  const std::uint64_t wanted = needed + kReserveBytes;
  TRY(disk_.allocate(*tail_, allocated_, wanted - allocated_, tail_path_));
  allocated_ = wanted;
  return {};
}

Result<void> Log::State::write_group(std::span<Waiter* const> group) {
  const std::scoped_lock io(io_mutex_);
  // Only this thread changes the tree and the tail's end, so they are read without the mutex.
  const std::uint64_t first = frontier_.size();
  Frontier tree = frontier_;
  std::string bytes;
  std::vector<std::pair<Hash, Place>> leaves;
  for (Waiter* const waiter : group) {
    waiter->first_index = tree.size();
    for (const std::string& text : waiter->texts) {
      const Hash leaf = leaf_hash(text);
      append_frame(FrameKind::entry, tree.size(), text, &bytes);
      leaves.emplace_back(leaf, Place{tail_end_ + bytes.size() - text.size(),
                                      static_cast<std::uint32_t>(text.size())});
      tree.append(leaf);
    }
  }
  std::string note =
      signer_.sign({.origin = signer_.key().name(), .size = tree.size(), .root = tree.root()});
  if (next_) {
    TRY_SET(note, next_->add_signature(note));
  }
  append_frame(FrameKind::checkpoint, tree.size(), note, &bytes);

  TRY(reserve_locked(bytes.size()));
  std::span<const std::byte> rest = as_bytes(bytes);
  std::uint64_t offset = tail_end_;
  while (!rest.empty()) {
    auto count = disk_.write_at(*tail_, rest, offset, tail_path_);
    if (!count) {
      // Space was reserved, but not every file system keeps that promise. Nothing was acknowledged:
      // what was written of the group is cut off, and the next group may have more luck.
      auto cut = disk_.truncate(*tail_, tail_end_, tail_path_);
      if (cut) allocated_ = tail_end_;
      if (cut && count.error().code() == Code::no_space) return std::move(count).error();
      fail(count.error().what());
      return Error(Code::unavailable, "read-only: " + count.error().what()).as("read-only");
    }
    rest = rest.subspan(*count);
    offset += *count;
  }
  if (auto synced = disk_.sync_data(*tail_, tail_path_); !synced) {
    fail(synced.error().what());
    return Error(Code::unavailable, "read-only: " + synced.error().what()).as("read-only");
  }
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [leaf, place] : leaves)
      add_leaf(leaf, place);
    tail_end_ = offset;
    note_ = note;
  }
  wake_publisher_.notify_one();
  if (options_.apply) {
    std::uint64_t index = first;
    for (const Waiter* const waiter : group) {
      if (auto applied = options_.apply(index, waiter->entries); !applied) {
        fail("the index did not take entry " + std::to_string(index) + ": " +
             applied.error().what());
        return Error(Code::unavailable, applied.error().what()).as("read-only");
      }
      index += waiter->entries.size();
    }
  }
  return {};
}

void Log::State::add_leaf(const Hash& leaf, Place place) {
  frontier_.append(leaf);
  places_.push_back(place);
  Hash node = leaf;
  for (unsigned level = 0; level < kLevels; ++level) {
    Row& row = rows_.at(level);
    row.hashes.push_back(node);
    if (row.end() % kTileWidth != 0) return;
    node = root_of(std::span<const Hash>(row.hashes).last(kTileWidth));
  }
}

// ---------------------------------------------------------------------------- publishing

void Log::State::publish_loop() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    wake_publisher_.wait(lock, [this] { return stopping_ || frontier_.size() > published_; });
    wake_publisher_.wait_for(lock, options_.publish_delay, [this] { return stopping_; });
    if (stopping_) return;
    lock.unlock();
    if (auto done = publish_now(); !done) {
      // Nothing is lost: the entries are durable in the tail. The next round tries again.
      log::error("tiles and checkpoint could not be published", {{"why", done.error().what()}});
    }
    lock.lock();
  }
}

Result<void> Log::State::publish_now() {
  const std::scoped_lock publishing(publish_mutex_);
  std::array<Row, kLevels> rows;
  std::uint64_t size = 0;
  std::uint64_t from = 0;
  std::string note;
  {
    const std::scoped_lock lock(mutex_);
    size = frontier_.size();
    from = published_;
    if (size == from) return {};
    rows = rows_;
    note = note_;
  }
  TRY(publish_bundles(from, size));
  TRY(publish_tiles(size, rows));
  TRY(replace_file(disk_, folder_ / "checkpoint", as_bytes(note)));
  bool rotation_due = false;
  {
    const std::scoped_lock lock(mutex_);
    published_ = size;
    for (unsigned level = 0; level < kLevels; ++level) {
      Row& row = rows_.at(level);
      const std::uint64_t whole = tile_start(size >> (8 * level));
      const std::uint64_t drop = whole > row.first ? whole - row.first : 0;
      row.hashes.erase(row.hashes.begin(), row.hashes.begin() + static_cast<std::ptrdiff_t>(drop));
      row.first += drop;
    }
    rotation_due = tail_end_ > kRotateBytes && tile_start(size) > tail_first_;
  }
  remove_stale_partials();
  if (options_.published) options_.published(note);
  return rotation_due ? rotate() : Result<void>();
}

// A file of this name may be there from a publication that a crash cut short; the same entries give
// the same bytes, so it is right.
Result<void> Log::State::publish_once(const std::string& name, std::string_view bytes) {
  const Path path = folder_ / name;
  TRY(publish_folders(disk_, path.parent_path()));
  if (name.find(".p/") != std::string::npos) partials_.push_back(name);
  TRY_SET(const bool there, path_exists(disk_, path));
  if (!there) return publish_file(disk_, path, as_bytes(bytes), 0444);
  TRY_SET(const std::string found, read_file(disk_, path, std::max(bytes.size(), std::size_t{1})));
  if (found == bytes) return {};
  return Error(Code::corrupt, path.native() + " is there with other bytes").as("journal-tampered");
}

Result<void> Log::State::publish_bundles(std::uint64_t from, std::uint64_t size) {
  for (std::uint64_t start = tile_start(from); start < size; start += kTileWidth) {
    const std::uint64_t end = std::min(start + kTileWidth, size);
    std::string bundle;
    TRY(for_each(start, end, [&](std::uint64_t /*index*/, std::string_view entry) -> Result<void> {
      append_to_bundle(entry, &bundle);
      return {};
    }));
    TRY(publish_once(bundle_path(start / kTileWidth, end - start), bundle));
  }
  return {};
}

Result<void> Log::State::publish_tiles(std::uint64_t size, const std::array<Row, kLevels>& rows) {
  for (unsigned level = 0; level < kLevels; ++level) {
    const std::uint64_t count = size >> (8 * level);
    const Row& row = rows.at(level);
    for (std::uint64_t start = row.first; start < count; start += kTileWidth) {
      const std::uint64_t width = std::min(kTileWidth, count - start);
      const auto hashes = std::span<const Hash>(row.hashes).subspan(start - row.first, width);
      TRY(publish_once(tile_path(level, start / kTileWidth, width), tile_bytes(hashes)));
    }
  }
  return {};
}

// Keeps the partial tiles of this checkpoint and the one before, for readers who are at it.
void Log::State::remove_stale_partials() {
  for (const std::string& name : partials_outdated_) {
    if (std::find(partials_.begin(), partials_.end(), name) != partials_.end()) continue;
    // Best effort: a partial tile too many harms nobody.
    (void)disk_.remove_file(folder_ / name);
    (void)disk_.remove_folder((folder_ / name).parent_path());
  }
  partials_outdated_ = std::exchange(partials_, {});
}

// Both keys have signed the checkpoint over the event. The tail is begun anew with that checkpoint
// alone, so that the new key opens all of it.
Result<void> Log::State::replace_key(const Signer& next, Event event) {
  const Checkpoint tree{
      .origin = signer_.key().name(), .size = frontier_.size(), .root = frontier_.root()};
  event.detail["statement"] = key_statement(signer_, next, tree);
  Waiter waiter;
  TRY_SET(std::string text, entry_of(event));
  waiter.texts.push_back(std::move(text));
  waiter.entries.push_back({.event = std::move(event), .attachment = nullptr});
  std::array<Waiter*, 1> group{&waiter};
  next_ = next;
  const auto written = write_group(group);
  next_.reset();
  TRY(Result<void>(written));
  TRY_SET(const bool done, finish_key(next));
  return done ? Result<void>() : Error(Code::internal, "the new key did not sign");
}

Result<bool> Log::State::finish_key(const Signer& next) {
  if (!next.key().verifies(note_)) return false;
  TRY(publish_now());
  if (options_.published) options_.published(note_);  // The last time it may have been cut short.
  TRY(rotate());
  signer_ = next;
  return true;
}

// Begins a new tail with the entries that are in no whole bundle.
Result<void> Log::State::rotate() {
  const std::scoped_lock io(io_mutex_);
  std::uint64_t first = 0;
  std::uint64_t end = 0;
  std::string note;
  {
    const std::scoped_lock lock(mutex_);
    first = tile_start(published_);
    end = frontier_.size();
    note = note_;
  }
  std::string bytes = tail_header(first);
  std::deque<Place> places;
  TRY(for_each(first, end, [&](std::uint64_t index, std::string_view entry) -> Result<void> {
    append_frame(FrameKind::entry, index, entry, &bytes);
    places.push_back({bytes.size() - entry.size(), static_cast<std::uint32_t>(entry.size())});
    return {};
  }));
  append_frame(FrameKind::checkpoint, end, note, &bytes);
  const Path path = folder_ / tail_name(first);
  TRY(replace_file(disk_, path, as_bytes(bytes)));  // It may begin with the same entry.
  TRY_SET(Fd fd, disk_.open(path, O_RDWR));
  const Path old = tail_path_;
  {
    const std::scoped_lock lock(mutex_);
    tail_ = std::make_shared<const Fd>(std::move(fd));
    tail_path_ = path;
    tail_first_ = first;
    tail_end_ = bytes.size();
    places_ = std::move(places);
  }
  allocated_ = bytes.size();
  return old == path ? Result<void>() : disk_.remove_file(old);
}

// ---------------------------------------------------------------------------- reading

Result<std::string> Log::State::read_bundle(std::uint64_t bundle) const {
  auto bytes =
      read_file(disk_, folder_ / bundle_path(bundle), kTileWidth * (limits::kEntryBytesMax + 2));
  if (bytes || bytes.error().code() != Code::not_found) return bytes;
  // Of a journal in doubt only whole bundles are read.
  if (const auto why = failure(); why && refused_size_ > 0)
    return Error(Code::unavailable, "read-only: " + *why).as("read-only");
  return tampered(bytes.error().what());
}

Result<std::string> Log::State::read_tail_entry(std::uint64_t index) const {
  std::shared_ptr<const Fd> fd;
  Place place;
  Path path;
  {
    const std::scoped_lock lock(mutex_);
    fd = tail_;
    path = tail_path_;
    place = places_.at(index - tail_first_);
  }
  std::string entry(place.length, '\0');
  TRY(read_exactly(disk_, *fd, std::as_writable_bytes(std::span(entry)), place.offset, path));
  return entry;
}

Result<void> Log::State::for_each(
    std::uint64_t first,
    std::uint64_t end,
    const std::function<Result<void>(std::uint64_t, std::string_view)>& each) const {
  std::uint64_t index = first;
  while (index < end) {
    std::uint64_t tail_first = 0;
    {
      const std::scoped_lock lock(mutex_);
      const std::uint64_t size = std::max(frontier_.size(), refused_size_);
      if (end > size) {
        return Error(Code::not_found, "the journal has " + std::to_string(size) + " entries, not " +
                                          std::to_string(end));
      }
      tail_first = tail_first_;
    }
    if (index >= tail_first) {
      TRY_SET(const std::string entry, read_tail_entry(index));
      TRY(each(index, entry));
      ++index;
      continue;
    }
    TRY_SET(const std::string bytes, read_bundle(index / kTileWidth));
    TRY_SET(const auto entries, entries_of_bundle(bytes));
    if (entries.size() != kTileWidth) {
      return tampered("entry bundle " + std::to_string(index / kTileWidth) + " is not whole");
    }
    const std::uint64_t stop = std::min(end, tile_start(index) + kTileWidth);
    for (; index < stop; ++index)
      TRY(each(index, entries[index % kTileWidth]));
  }
  return {};
}

// ---------------------------------------------------------------------------- Log

Log::Log(std::unique_ptr<State> state) : state_(std::move(state)) {}
Log::~Log() = default;

Result<void> Log::create(Disk& disk,
                         const Path& folder,
                         const Path& key_path,
                         std::string_view origin) {
  TRY_SET(const Signer signer, Signer::create(disk, key_path, origin));
  TRY(publish_folders(disk, folder));
  TRY(publish_file(disk, folder / "vkey", as_bytes(signer.key().text() + "\n"), 0444));
  const std::string note = signer.sign({.origin = std::string(origin)});
  std::string tail = tail_header(0);
  append_frame(FrameKind::checkpoint, 0, note, &tail);
  TRY(publish_file(disk, folder / tail_name(0), as_bytes(tail)));
  return publish_file(disk, folder / "checkpoint", as_bytes(note));
}

Result<std::unique_ptr<Log>> Log::open(Disk& disk,
                                       const Path& folder,
                                       Signer signer,
                                       LogOptions options) {
  auto state = std::make_unique<State>(disk, folder, std::move(signer), std::move(options));
  TRY(state->load());
  return std::unique_ptr<Log>(new Log(std::move(state)));
}

std::unique_ptr<Log> Log::open_refusing(
    Disk& disk, const Path& folder, Signer signer, std::uint64_t size, const std::string& why) {
  auto state = std::make_unique<State>(disk, folder, std::move(signer), LogOptions{});
  state->refuse(size, why);
  return std::unique_ptr<Log>(new Log(std::move(state)));
}

Result<void> Log::replace_key(const Signer& next, Event event) {
  return state_->replace_key(next, std::move(event));
}

Result<bool> Log::finish_key(const Signer& next) {
  return state_->finish_key(next);
}

void Log::start() {
  state_->start();
}

Result<std::uint64_t> Log::append(std::vector<Entry> entries) {
  return state_->append(std::move(entries));
}

Result<std::uint64_t> Log::append(Event event) {
  std::vector<Entry> entries;
  entries.push_back({.event = std::move(event), .attachment = nullptr});
  return state_->append(std::move(entries));
}

Result<void> Log::reserve(std::uint64_t bytes) {
  return state_->reserve(bytes);
}
std::uint64_t Log::size() const {
  return state_->size();
}
std::uint64_t Log::published() const {
  return state_->published();
}
std::optional<std::string> Log::failure() const {
  return state_->failure();
}

Result<std::string> Log::read(std::uint64_t index) const {
  std::string out;
  TRY(state_->for_each(index, index + 1,
                       [&](std::uint64_t /*index*/, std::string_view entry) -> Result<void> {
                         out = entry;
                         return {};
                       }));
  return out;
}

Result<void> Log::for_each(
    std::uint64_t first,
    std::uint64_t end,
    const std::function<Result<void>(std::uint64_t index, std::string_view entry)>& each) const {
  return state_->for_each(first, end, each);
}

std::string Log::checkpoint() const {
  return state_->note();
}
Result<void> Log::publish() {
  return state_->publish_now();
}
const VerifierKey& Log::key() const {
  return state_->key();
}

}  // namespace versement::journal
