#include "store/catch_up.hpp"

#include <deque>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "store/base/pool.hpp"
#include "store/index/records.hpp"

namespace versement::store {
namespace {

// What the index takes up with one write, and what one thread loads at a time.
constexpr std::size_t kChunkEntries = 64;
constexpr std::size_t kChunkBytes = 256u << 10;
// What has been read from the journal and is not in the index yet. Parsed, entries need some ten
// times their length.
constexpr std::size_t kUnderWayBytes = 4u << 20;
constexpr std::size_t kUnderWayOfAThread = 4;  // chunks
// From here on the index is written past its log.
constexpr std::uint64_t kBulkEntries = 1000;

using Entries = std::vector<journal::Entry>;

using Files = std::shared_ptr<const journal::Attachment>;

// The entry's files, when it names few. A list that has an evidence file of its own may be of any
// length: those are loaded one at a time, by the thread that applies.
Result<Files> load_files(const journal::Event& event, index::Sources& sources) {
  const bool stores =
      event.type == journal::type::kIngestion || event.type == journal::type::kTransferSealed;
  if (!stores || event.detail.contains("files_evidence")) return Files();
  auto files = std::make_shared<index::FileRows>();
  TRY_SET(files->rows, sources.rows_of(event));
  return Files(std::move(files));
}

Result<Entries> load(std::uint64_t first,
                     const std::vector<std::string>& texts,
                     index::Sources& sources,
                     const std::stop_token& stop) {
  Entries entries;
  entries.reserve(texts.size());
  for (const std::string& text : texts) {
    if (stop.stop_requested()) return Error(Code::cancelled, "the index was not completed");
    auto event = journal::event_of(text);
    if (!event) {
      return std::move(event).error().during("journal entry " +
                                             std::to_string(first + entries.size()));
    }
    TRY_SET(auto files, load_files(*event, sources));
    entries.push_back({.event = std::move(*event), .attachment = std::move(files)});
  }
  return entries;
}

// Chunks of entries on their way from the journal through the pool into the index.
class Line {
 public:
  Line(const CatchUp& work, index::Durability durability, const std::stop_token& stop)
      : work_(work),
        durability_(durability),
        stop_(stop),
        pool_(work.threads, kUnderWayOfAThread * work.threads) {}

  ~Line() { abandoned_.request_stop(); }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  Result<void> take(std::uint64_t at, std::string_view text) {
    if (gathered_.empty()) first_ = at;
    gathered_.emplace_back(text);
    gathered_bytes_ += text.size();
    if (gathered_.size() < kChunkEntries && gathered_bytes_ < kChunkBytes) return {};
    return send();
  }

  Result<void> finish() {
    if (!gathered_.empty()) TRY(send());
    while (!under_way_.empty())
      TRY(apply_oldest());
    return {};
  }

 private:
  struct Chunk {
    std::uint64_t first = 0;
    std::size_t bytes = 0;
    std::future<Result<Entries>> entries;
  };

  Result<void> send() {
    while (!under_way_.empty() && (under_way_bytes_ + gathered_bytes_ > kUnderWayBytes ||
                                   under_way_.size() >= kUnderWayOfAThread * work_.threads)) {
      TRY(apply_oldest());
    }
    // std::function wants what can be copied.
    auto task = std::make_shared<std::packaged_task<Result<Entries>()>>(
        [first = first_, texts = std::exchange(gathered_, {}), sources = &work_.sources,
         stop = abandoned_.get_token()] { return load(first, texts, *sources, stop); });
    under_way_.push_back({first_, gathered_bytes_, task->get_future()});
    under_way_bytes_ += std::exchange(gathered_bytes_, 0);
    pool_.run([task] { (*task)(); });
    return {};
  }

  Result<void> apply_oldest() {
    if (stop_.stop_requested()) return Error(Code::cancelled, "the index was not completed");
    Chunk chunk = std::move(under_way_.front());
    under_way_.pop_front();
    under_way_bytes_ -= chunk.bytes;
    TRY_SET(const Entries entries, chunk.entries.get());
    TRY(work_.index.apply(chunk.first, entries, work_.sources, durability_));
    work_.tell();
    return {};
  }

  const CatchUp& work_;
  const index::Durability durability_;
  const std::stop_token stop_;
  std::stop_source abandoned_;  // Nobody waits any more for what is under way.
  std::uint64_t first_ = 0;
  std::vector<std::string> gathered_;
  std::size_t gathered_bytes_ = 0;
  std::deque<Chunk> under_way_;
  std::size_t under_way_bytes_ = 0;
  Pool pool_;  // Last: its threads end before what they use.
};

}  // namespace

Result<void> catch_up(const CatchUp& work, std::uint64_t end, const std::stop_token& stop) {
  const std::uint64_t first = work.index.position();
  if (first >= end) return {};
  const bool many = end - first >= kBulkEntries;
  Result<void> done;
  {
    Line line(work, many ? index::Durability::bulk : index::Durability::logged, stop);
    done = work.log.for_each(
        first, end, [&](std::uint64_t at, std::string_view text) { return line.take(at, text); });
    if (done) done = line.finish();
  }
  auto flushed = work.index.flush();
  return done ? flushed : done;
}

}  // namespace versement::store
