#include "store/index/index.hpp"

#include <atomic>

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/options.h>
#include <rocksdb/table.h>
#include <rocksdb/write_batch.h>

#include "store/base/digest.hpp"
#include "store/base/log.hpp"
#include "store/base/text.hpp"
#include "store/index/keys.hpp"
#include "store/index/project.hpp"

namespace versement::index {
namespace {

// Changes whenever a row changes its meaning; an index of another format is built anew.
constexpr std::string_view kFormat = "5";
constexpr std::uint64_t kOpenBytes = 32u << 20;
// Of rows that are handed to RocksDB together, but for those of one event.
constexpr std::size_t kBatchBytes = 2u << 20;

rocksdb::Slice slice(std::string_view text) {
  return {text.data(), text.size()};
}
std::string_view view(const rocksdb::Slice& text) {
  return {text.data(), text.size()};
}

Error failed(std::string_view act, const rocksdb::Status& status) {
  const Code code = status.IsCorruption() ? Code::corrupt
                    : status.IsNoSpace()  ? Code::no_space
                                          : Code::io;
  return {code, std::string(act) + " the index: " + status.ToString()};
}

rocksdb::Options options_of(const IndexOptions& options) {
  rocksdb::Options out;
  out.create_if_missing = true;
  out.max_open_files = options.open_files_max;
  // Two of them are in memory while a large version is written; twice as many files before they are
  // merged, so that merging costs no more than with one twice the size.
  out.write_buffer_size = 8u << 20;
  out.max_write_buffer_number = 2;
  out.level0_file_num_compaction_trigger = 8;
  out.max_background_jobs = 2;
  out.compression = rocksdb::kLZ4Compression;
  out.keep_log_file_num = 2;
  out.max_log_file_size = 1u << 20;
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = rocksdb::NewLRUCache(options.cache_bytes);
  table.cache_index_and_filter_blocks = true;  // else their memory has no bound
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  out.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return out;
}

}  // namespace

struct Index::State {
  std::unique_ptr<rocksdb::DB> db;
  std::atomic<std::uint64_t> position{0};
  std::atomic<bool> broken{false};  // a write failed
  bool unlogged = false;            // Rows are in memory only. Of the one that applies.
};

Index::Index(std::unique_ptr<State> state) : state_(std::move(state)) {}

Index::~Index() {
  // RocksDB 7.8 aborts when it is closed after a write that the disk refused. The journal has
  // everything, so the next start opens what lies there, or makes it anew.
  if (state_->broken) (void)state_->db.release();
}

Result<std::unique_ptr<Index>> Index::open(Disk& disk,
                                           const Path& folder,
                                           const IndexOptions& options) {
  // It writes while it opens, and RocksDB 7.8 aborts when the disk refuses.
  TRY_SET(const Space space, disk.space(folder.parent_path()));
  if (space.free_bytes < kOpenBytes) {
    return Error(Code::no_space, folder.parent_path().native() + " has only " +
                                     human_bytes(space.free_bytes) +
                                     " free; the index needs 32 MiB to open. Make room")
        .as("insufficient-storage");
  }
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto state = std::make_unique<State>();
    rocksdb::DB* db = nullptr;
    const rocksdb::Status opened = rocksdb::DB::Open(options_of(options), folder.native(), &db);
    if (opened.ok()) {
      state->db.reset(db);
      auto index = std::unique_ptr<Index>(new Index(std::move(state)));
      TRY_SET(const auto format, index->get(keys::meta("format")));
      TRY_SET(const auto position, index->get(keys::meta("position")));
      const auto number = parse_decimal(position.value_or("0"));
      const bool fresh = !format && !position;
      if (fresh) {
        const rocksdb::Status put = db->Put({}, slice(keys::meta("format")), slice(kFormat));
        if (!put.ok()) return failed("begin", put);
      }
      if (fresh || (format == kFormat && number)) {
        index->state_->position = number.value_or(0);
        return index;
      }
      log::info("the index has another format and is built anew",
                {{"format", format.value_or("none")}});
    } else if (opened.IsCorruption() || opened.IsInvalidArgument()) {
      log::warning("the index is damaged and is built anew", {{"why", opened.ToString()}});
    } else {
      return failed("open", opened);
    }
    TRY(remove_tree(disk, folder));
  }
  return Error(Code::io, "the index in " + folder.native() + " cannot be made");
}

Result<std::unique_ptr<Index>> Index::open_to_read(Disk& disk,
                                                   const Path& folder,
                                                   const IndexOptions& options) {
  TRY_SET(const bool there, path_exists(disk, folder));
  if (!there) return Error(Code::not_found, "there is no " + folder.native());
  auto state = std::make_unique<State>();
  rocksdb::Options how = options_of(options);
  how.create_if_missing = false;
  how.max_open_files = -1;  // All of them, from the beginning.
  rocksdb::DB* db = nullptr;
  const rocksdb::Status opened = rocksdb::DB::OpenForReadOnly(how, folder.native(), &db);
  if (opened.IsInvalidArgument() || opened.IsNotFound()) {
    return Error(Code::corrupt, folder.native() + " is no index: " + opened.ToString());
  }
  if (!opened.ok()) return failed("open", opened);
  state->db.reset(db);
  auto index = std::unique_ptr<Index>(new Index(std::move(state)));
  TRY_SET(const auto format, index->get(keys::meta("format")));
  TRY_SET(const auto position, index->get(keys::meta("position")));
  const auto number = parse_decimal(position.value_or("0"));
  if (format != kFormat || !number) {
    return Error(Code::unsupported,
                 folder.native() + " has another format, " + format.value_or("none"));
  }
  index->state_->position = *number;
  return index;
}

std::uint64_t Index::position() const {
  return state_->position;
}

Result<std::optional<std::string>> Index::get(std::string_view key) const {
  std::string value;
  const rocksdb::Status status = state_->db->Get({}, slice(key), &value);
  if (status.ok()) return std::optional<std::string>(std::move(value));
  if (status.IsNotFound()) return std::optional<std::string>();
  return failed("read", status);
}

Result<json::Object> Index::record(std::string_view key) const {
  TRY_SET(const auto value, get(key));
  if (!value) return Error(Code::not_found, "there is no such record");
  return json::parse_object(*value);
}

Result<void> Index::scan(
    std::string_view prefix,
    std::string_view after,
    const std::function<bool(std::string_view key, std::string_view value)>& each) const {
  const std::unique_ptr<rocksdb::Iterator> at(state_->db->NewIterator({}));
  at->Seek(slice(after.empty() ? prefix : after));
  if (!after.empty() && at->Valid() && view(at->key()) == after) at->Next();
  for (; at->Valid() && view(at->key()).starts_with(prefix); at->Next()) {
    if (!each(view(at->key()), view(at->value()))) return {};
  }
  if (!at->status().ok()) return failed("scan", at->status());
  return {};
}

Result<void> Index::apply(std::uint64_t first,
                          std::span<const journal::Entry> entries,
                          Sources& sources,
                          Durability durability) {
  // RocksDB's log is replayed upon what is on the disk: no row may be missing below it.
  if (durability == Durability::logged) TRY(flush());
  // No sync: what a power cut takes here, the next start takes from the journal again. In bulk a
  // crash takes more, but never the rows of a position that stays: one table holds both, and its
  // writes reach the disk in their order.
  rocksdb::WriteOptions how;
  how.disableWAL = durability == Durability::bulk;
  rocksdb::WriteBatch batch;
  rocksdb::Status put;
  // The files of a large version do not wait for the rest: a batch of a hundred thousand is 50 MB,
  // twice while it grows. They are found through rows that come last, and without these they are
  // written again, the same, when the entry is applied again.
  Overlay rows([this](std::string_view key) { return get(key); },
               [&](std::string_view key, std::string_view value) {
                 if (put.ok()) put = batch.Put(slice(key), slice(value));
                 if (!put.ok() || batch.GetDataSize() < kBatchBytes) return;
                 state_->unlogged = state_->unlogged || how.disableWAL;
                 put = state_->db->Write(how, &batch);
                 if (!put.ok()) state_->broken = true;
                 batch.Clear();
               });
  std::uint64_t position = state_->position;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const std::uint64_t index = first + i;
    if (index < position) continue;
    if (index > position) {
      return Error(Code::internal, "the index is at " + std::to_string(position) +
                                       " and was given entry " + std::to_string(index));
    }
    TRY(project(index, entries[i], sources, &rows));
    ++position;
  }
  rows.put(keys::meta("position"), std::to_string(position));
  if (!put.ok()) return failed("write", put);
  for (const auto& [key, value] : rows.changes()) {
    const rocksdb::Status status =
        value ? batch.Put(slice(key), slice(*value)) : batch.Delete(slice(key));
    if (!status.ok()) return failed("write", status);
  }
  state_->unlogged = state_->unlogged || how.disableWAL;
  const rocksdb::Status written = state_->db->Write(how, &batch);
  if (!written.ok()) {
    state_->broken = true;
    return failed("write", written);
  }
  state_->position = position;
  return {};
}

Result<void> Index::flush() {
  if (!state_->unlogged || state_->broken) return {};
  const rocksdb::Status flushed = state_->db->Flush({});
  if (!flushed.ok()) {
    state_->broken = true;
    return failed("write", flushed);
  }
  state_->unlogged = false;
  return {};
}

Result<std::string> Index::fingerprint() const {
  Hasher hasher{Algorithm::sha256};
  const auto take = [&](std::string_view part) {
    const std::uint64_t length = part.size();
    hasher.update(std::as_bytes(std::span(&length, 1)));
    hasher.update(as_bytes(part));
  };
  TRY(scan("", "", [&](std::string_view key, std::string_view value) {
    take(key);
    take(value);
    return true;
  }));
  return hasher.finish().front().hex();
}

Result<std::optional<std::string>> Index::difference(const Index& other,
                                                     const std::stop_token& stop) const {
  rocksdb::ReadOptions how;
  how.fill_cache = false;  // What is asked for meanwhile stays there.
  const std::unique_ptr<rocksdb::Iterator> mine(state_->db->NewIterator(how));
  const std::unique_ptr<rocksdb::Iterator> theirs(other.state_->db->NewIterator(how));
  mine->SeekToFirst();
  theirs->SeekToFirst();
  for (; mine->Valid() && theirs->Valid(); mine->Next(), theirs->Next()) {
    if (stop.stop_requested()) return Error(Code::cancelled, "the comparison was stopped");
    if (mine->key() != theirs->key() || mine->value() != theirs->value()) break;
  }
  for (const auto* each : {&mine, &theirs}) {
    if (!(*each)->status().ok()) return failed("compare", (*each)->status());
  }
  if (!mine->Valid() && !theirs->Valid()) return std::optional<std::string>();
  const bool here = mine->Valid() && (!theirs->Valid() || mine->key().compare(theirs->key()) <= 0);
  return std::optional((here ? mine : theirs)->key().ToString());
}

}  // namespace versement::index
