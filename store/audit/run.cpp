#include "store/audit/run.hpp"

#include <algorithm>
#include <mutex>

#include <fcntl.h>

#include "store/audit/object.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"
#include "store/ocfl/root.hpp"
#include "store/query.hpp"

namespace versement::audit {
namespace {

namespace keys = store::keys;

// Objects checked side by side; behind them the run's record is brought up to date.
constexpr std::size_t kBatch = 64;
constexpr std::chrono::milliseconds kSyncEvery{2000};

// Strange finds that are looked at again together.
constexpr std::size_t kSuspectsMax = 1000;

struct Subject {
  std::string owner;
  std::string object;
  std::vector<std::string> inventories;  // of its versions, as the journal says
};

struct Checked {
  Totals totals;
  std::vector<FileOutcome> outcomes;
  Timestamp at;
};

Path record_path(const store::Store& store, const Uuid& run) {
  return store.layout().work / ("audit-" + run.text() + ".jsonl");
}

// The lines of a run so far: "file" and "object" lines of each batch, then a "cursor" line. What
// has no cursor behind it is checked again.
class Record {
 public:
  Record(Disk& disk, Path path) : disk_(disk), path_(std::move(path)) {}

  // Takes up what an earlier attempt has left. `each` sees its lines.
  Result<std::string> open(const std::function<void(const json::Object&)>& each) {
    TRY_SET(fd_, disk_.open(path_, O_RDWR | O_CREAT, 0644));
    TRY_SET(const FileInfo info, disk_.info(fd_, path_));
    std::string cursor;
    std::uint64_t whole = 0;
    std::vector<json::Object> batch;
    TRY(for_each_line(info.size_bytes, [&](std::string_view line, std::uint64_t end) {
      auto object = json::parse_object(line, limits::kEvidenceLineBytesMax);
      if (!object) return;
      if (json::text_at(*object, "kind") != "cursor") {
        batch.push_back(std::move(*object));
        return;
      }
      cursor = json::text_at(*object, "after");
      whole = end;
      for (const json::Object& each_line : batch)
        each(each_line);
      batch.clear();
    }));
    TRY(disk_.truncate(fd_, whole, path_));
    size_ = whole;
    return cursor;
  }

  Result<void> append(const std::string& lines) {
    std::span<const std::byte> rest = as_bytes(lines);
    while (!rest.empty()) {
      TRY_SET(const std::size_t count, disk_.write_at(fd_, rest, size_, path_));
      rest = rest.subspan(count);
      size_ += count;
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - synced_ < kSyncEvery) return {};
    synced_ = now;
    return disk_.sync_data(fd_, path_);
  }

  Result<void> for_each(const std::function<Result<void>(const json::Object&)>& each) {
    Result<void> done;
    TRY(for_each_line(size_, [&](std::string_view line, std::uint64_t /*end*/) {
      if (!done) return;
      auto object = json::parse_object(line, limits::kEvidenceLineBytesMax);
      done = object ? each(*object) : Result<void>(std::move(object).error());
    }));
    return done;
  }

  Result<void> remove() { return disk_.remove_file(path_); }

 private:
  Result<void> for_each_line(std::uint64_t size,
                             const std::function<void(std::string_view, std::uint64_t)>& each) {
    std::string pending;
    std::string buffer(limits::kChunkBytes, '\0');
    std::uint64_t offset = 0;
    while (offset < size) {
      const auto into = std::as_writable_bytes(std::span(buffer));
      TRY_SET(const std::size_t count, disk_.read_at(fd_, into, offset, path_));
      if (count == 0) break;
      std::string_view rest(buffer.data(), count);
      while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        pending += rest.substr(0, end);
        if (end == std::string_view::npos) {
          offset += rest.size();
          break;
        }
        offset += end + 1;
        rest.remove_prefix(end + 1);
        each(pending, offset);
        pending.clear();
      }
    }
    return {};
  }

  Disk& disk_;
  const Path path_;
  Fd fd_;
  std::uint64_t size_ = 0;
  std::chrono::steady_clock::time_point synced_{};
};

class Audit {
 public:
  Audit(store::Store& store,
        const Uuid& run,
        const Scope& scope,
        std::size_t threads,
        AuditProgress& progress,
        const std::stop_token& stop)
      : store_(store),
        run_(run),
        scope_(scope),
        progress_(progress),
        stop_(stop),
        record_(store.disk(), record_path(store, run)),
        pool_(threads, kBatch) {}

  Result<AuditResult> run() {
    TRY_SET(const std::string cursor,
            record_.open([this](const json::Object& line) { count(line); }));
    TRY(check_objects(cursor));
    if (scope_.whole_store()) TRY(check_strays());
    TRY(write_evidence());
    TRY(record_.remove());
    return std::move(result_);
  }

 private:
  // ------------------------------------------------------------------ what is to be checked

  // The objects in the order of the index, behind `after`.
  Result<std::vector<std::pair<std::string, Subject>>> next_batch(const std::string& after) {
    std::vector<std::pair<std::string, Subject>> batch;
    const std::string prefix = keys::Key('o').get();
    std::vector<std::pair<std::string, std::string>> found;
    TRY(store_.index().scan(prefix, after, [&](std::string_view key, std::string_view value) {
      found.emplace_back(key, value);
      return found.size() < kBatch;
    }));
    for (const auto& [key, owner] : found) {
      Subject subject;
      subject.owner = owner;
      subject.object = keys::rest(key, prefix);
      TRY_SET(const bool wanted, complete(&subject));
      // A subject without an owner only moves the cursor.
      if (!wanted) subject.owner.clear();
      batch.emplace_back(key, std::move(subject));
    }
    return batch;
  }

  Result<bool> complete(Subject* subject) {
    const std::size_t blank = subject->owner.find(' ');
    const std::string kind = subject->owner.substr(0, blank);
    const std::string id = subject->owner.substr(blank + 1);
    if (kind == "item") {
      TRY_SET(const json::Object item, store_.index().record(keys::item(id)));
      TRY_SET(subject->inventories, store::inventories_of_item(store_, id));
      if (!scope_.item.empty() && scope_.item != id) return false;
      if (!scope_.collection.empty() && scope_.collection != json::text_at(item, "collection")) {
        return false;
      }
    } else {
      TRY_SET(const json::Object transfer, store_.index().record(keys::transfer(id)));
      subject->inventories = {json::text_at(transfer, "seal_inventory_digest")};
      if (!scope_.item.empty() || !scope_.collection.empty()) return false;
    }
    return due(subject->owner);
  }

  Result<bool> due(const std::string& owner) {
    if (!scope_.due_before) return true;
    auto state = store_.index().record(keys::verification(owner));
    if (!state)
      return state.error().code() == Code::not_found ? Result<bool>(true)
                                                     : Result<bool>(state.error());
    const auto last = Timestamp::parse(json::text_at(*state, "last_checked_at"));
    // A check in the future is of a clock that was wrong.
    return !last || *last < *scope_.due_before || *last > store_.clock().now();
  }

  // ------------------------------------------------------------------ checking

  Result<void> check_objects(std::string cursor) {
    while (true) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "the audit was stopped");
      TRY_SET(const auto batch, next_batch(cursor));
      if (batch.empty()) return {};
      std::vector<Checked> checked(batch.size());
      auto into = checked.begin();
      for (const auto& [key, subject] : batch) {
        Checked& result = *into++;
        if (subject.owner.empty()) continue;
        pool_.run([this, &subject = subject, &result] { check(subject, &result); });
      }
      pool_.drain();
      if (stop_.stop_requested()) return Error(Code::cancelled, "the audit was stopped");
      cursor = batch.back().first;
      TRY(keep(batch, checked, cursor));
    }
  }

  // A version may have come in while the object was read: what looks like damage then is looked at
  // again, against what the journal says now.
  void check(Subject subject, Checked* into) {
    check_once(subject, into);
    while (into->totals.verdict() != "clean" && !stop_.stop_requested()) {
      store_.settle();
      const std::vector<std::string> before = subject.inventories;
      if (auto again = complete(&subject); !again || subject.inventories == before) break;
      *into = {};
      check_once(subject, into);
    }
    ++progress_.done_items;
  }

  void check_once(const Subject& subject, Checked* into) {
    const auto object = ObjectId::parse(subject.object);
    ObjectToCheck to_check;
    if (object) to_check.folder = store_.object_folder(*object);
    to_check.inventories = subject.inventories;
    const auto done = check_object(store_.disk(), to_check, stop_, progress_.done_bytes,
                                   [&](FileOutcome&& outcome) {
                                     into->totals.add(outcome.outcome);
                                     into->outcomes.push_back(std::move(outcome));
                                     ++progress_.done_files;
                                   });
    (void)done;  // Only "cancelled", which check_objects sees by itself.
    into->at = store_.clock().now();
  }

  Result<void> keep(const std::vector<std::pair<std::string, Subject>>& batch,
                    const std::vector<Checked>& checked,
                    const std::string& cursor) {
    std::string lines;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const Subject& subject = batch[i].second;
      if (subject.owner.empty()) continue;
      for (const FileOutcome& outcome : checked[i].outcomes) {
        add_line(file_line(subject.owner, outcome, checked[i].at), &lines);
      }
      json::Object line;
      line["kind"] = "object";
      line["owner"] = subject.owner;
      line["object"] = subject.object;
      line["files"] = checked[i].totals.all();
      const std::string_view verdict = checked[i].totals.verdict();
      line["outcome"] = verdict == "clean" ? "verified" : verdict;
      line["at"] = checked[i].at.text();
      add_line(line, &lines);
    }
    json::Object mark;
    mark["kind"] = "cursor";
    mark["after"] = cursor;
    lines += json::write(mark) + "\n";
    return record_.append(lines);
  }

  void add_line(const json::Object& line, std::string* lines) {
    count(line);
    *lines += json::write(line) + "\n";
  }

  static json::Object file_line(const std::string& owner,
                                const FileOutcome& outcome,
                                Timestamp at) {
    json::Object line;
    line["kind"] = "file";
    line["owner"] = owner;
    line["path"] = outcome.path;
    line["outcome"] = outcome_name(outcome.outcome);
    line["size"] = outcome.size_bytes;
    line["at"] = at.text();
    if (outcome.outcome == Outcome::verified) return line;
    if (!outcome.expected.empty()) line["expected"] = outcome.expected;
    if (!outcome.found.empty()) line["found"] = outcome.found;
    if (!outcome.detail.empty()) line["detail"] = outcome.detail;
    return line;
  }

  // Adds a line to the result: of this attempt or, at the start, of an earlier one.
  void count(const json::Object& line) {
    const std::string kind = json::text_at(line, "kind");
    if (kind == "object") ++result_.objects;
    if (kind != "file") return;
    const std::string name = json::text_at(line, "outcome");
    for (std::size_t i = 0; i < kOutcomes; ++i) {
      const auto outcome = static_cast<Outcome>(i);
      if (outcome_name(outcome) != name) continue;
      result_.totals.add(outcome);
      if (outcome == Outcome::verified || result_.damage.size() >= AuditResult::kDamageMax)
        continue;
      result_.damage.push_back({.owner = json::text_at(line, "owner"),
                                .outcome = {.outcome = outcome,
                                            .path = json::text_at(line, "path"),
                                            .size_bytes = json::number_at(line, "size"),
                                            .expected = json::text_at(line, "expected"),
                                            .found = json::text_at(line, "found"),
                                            .detail = json::text_at(line, "detail")}});
    }
  }

  // ------------------------------------------------------------------ what should not be there

  // Objects and files of the root that the journal does not know. Deposits come in meanwhile: what
  // looks strange is looked at again once they have settled.
  Result<void> check_strays() {
    std::string lines;
    std::vector<ocfl::Found> suspects;
    auto walked = ocfl::walk_root(store_.disk(), store_.layout().root,
                                  [&](const ocfl::Found& found) -> Result<void> {
                                    if (stop_.stop_requested()) {
                                      return Error(Code::cancelled, "the audit was stopped");
                                    }
                                    TRY_SET(const std::string stray, why_stray(found));
                                    if (!stray.empty()) suspects.push_back(found);
                                    if (suspects.size() < kSuspectsMax) return {};
                                    return judge(&suspects, &lines);
                                  });
    if (walked) walked = judge(&suspects, &lines);
    if (!walked && walked.error().code() == Code::cancelled) return walked;
    if (!walked) add_stray(Outcome::unreadable, "", walked.error().what(), &lines);
    return record_.append(lines);
  }

  Result<void> judge(std::vector<ocfl::Found>* suspects, std::string* lines) {
    if (!suspects->empty()) store_.settle();
    for (const ocfl::Found& found : *suspects) {
      TRY_SET(const bool there, path_exists(store_.disk(), store_.layout().root / found.path));
      if (!there) continue;
      TRY_SET(const std::string stray, why_stray(found));
      if (!stray.empty()) add_stray(Outcome::unexpected, found.path.native(), stray, lines);
    }
    suspects->clear();
    return {};
  }

  // Empty when it may be there.
  Result<std::string> why_stray(const ocfl::Found& found) {
    switch (found.kind) {
      case ocfl::Found::Kind::object: {
        TRY_SET(const bool known, is_known(found.path));
        return known ? std::string() : std::string("an object that the journal does not know");
      }
      case ocfl::Found::Kind::stray_file:
        return std::string("belongs to no object");
      case ocfl::Found::Kind::empty_folder: {
        TRY_SET(const auto entries, list_sorted(store_.disk(), store_.layout().root / found.path));
        return entries.empty() ? std::string("an empty folder") : std::string();
      }
    }
    return std::string("of a kind that is not known");
  }

  void add_stray(Outcome outcome,
                 const std::string& path,
                 const std::string& detail,
                 std::string* lines) {
    add_line(file_line("",
                       {.outcome = outcome,
                        .path = path,
                        .size_bytes = 0,
                        .expected = {},
                        .found = {},
                        .detail = detail},
                       store_.clock().now()),
             lines);
    ++progress_.done_files;
  }

  // An object lies where its id says, the id stands in the folder's name, and the index has it.
  Result<bool> is_known(const Path& path) {
    const auto text = percent_decode(path.filename().native());
    if (!text) return false;
    const auto id = ObjectId::parse(*text);
    if (!id || store_.layout().root / path != store_.object_folder(*id)) return false;
    TRY_SET(const auto owner, store_.index().get(keys::object(id->text())));
    return owner.has_value();
  }

  Result<void> write_evidence() {
    TRY_SET(const auto evidence, store_.begin_evidence());
    json::Object header;
    header["kind"] = "run";
    header["run"] = run_.text();
    header["scope"] = scope_.to_json();
    TRY(evidence->line(header));
    TRY(record_.for_each([&](const json::Object& line) -> Result<void> {
      if (json::text_at(line, "kind") == "cursor") return {};
      return evidence->line(line);
    }));
    result_.totals.bytes_read = progress_.done_bytes;
    json::Object end;
    end["kind"] = "end";
    end["totals"] = result_.totals.to_json();
    TRY(evidence->line(end));
    TRY_SET(result_.evidence_digest, evidence->finish());
    return {};
  }

  store::Store& store_;
  const Uuid run_;
  const Scope scope_;
  AuditProgress& progress_;
  const std::stop_token& stop_;
  Record record_;
  Pool pool_;
  AuditResult result_;
};

}  // namespace

json::Object Scope::to_json() const {
  json::Object object;
  if (!collection.empty()) object["collection"] = collection;
  if (!item.empty()) object["item"] = item;
  if (due_before) object["due_before"] = due_before->text();
  return object;
}

Scope Scope::from_json(const json::Object& object) {
  Scope scope;
  scope.collection = json::text_at(object, "collection");
  scope.item = json::text_at(object, "item");
  if (auto time = Timestamp::parse(json::text_at(object, "due_before"))) scope.due_before = *time;
  return scope;
}

json::Object AuditResult::to_json() const {
  json::Object object;
  object["verdict"] = totals.verdict();
  object["totals"] = totals.to_json();
  object["objects"] = objects;
  object["evidence_digest"] = evidence_digest;
  return object;
}

Result<AuditResult> run_audit(store::Store& store,
                              const Uuid& run,
                              const Scope& scope,
                              std::size_t threads,
                              AuditProgress& progress,
                              const std::stop_token& stop) {
  return Audit(store, run, scope, threads, progress, stop).run();
}

void abandon_audit(store::Store& store, const Uuid& run) {
  (void)store.disk().remove_file(
      record_path(store, run));  // A file left behind costs its bytes only.
}

}  // namespace versement::audit
