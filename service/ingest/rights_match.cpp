#include "service/ingest/rights_match.hpp"

#include <algorithm>
#include <utility>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::ingest {

bool RightsMatch::says_the_same(std::uint32_t a, std::uint32_t b) const {
  const RightsRow& left = table_.rows[a];
  const RightsRow& right = table_.rows[b];
  return left.statement == right.statement && left.grant == right.grant;
}

// One more than may be is kept: it is the row that the finding names.
void RightsMatch::add_to(Rows* rows, std::uint32_t row) const {
  if (rows->size() > limits::kRightsRowsOfFileMax) return;
  const auto same = [&](std::uint32_t there) { return says_the_same(there, row); };
  if (std::none_of(rows->begin(), rows->end(), same)) rows->push_back(row);
}

void RightsMatch::add(const std::string& path, std::uint32_t row) {
  add_to(&by_path_[path], row);
}

void RightsMatch::add_to_item(std::size_t item, std::uint32_t row) {
  add_to(&by_item_[item], row);
}

// Of the file and of all folders above it, in the table's order.
RightsMatch::Rows RightsMatch::rows_of(std::string_view path) const {
  Rows all;
  for (std::string_view at = path; !at.empty();) {
    const auto found = by_path_.find(std::string(at));
    if (found != by_path_.end()) {
      all.insert(all.end(), found->second.begin(), found->second.end());
    }
    const std::size_t slash = at.rfind('/');
    at = slash == std::string_view::npos ? std::string_view() : at.substr(0, slash);
  }
  std::sort(all.begin(), all.end());
  Rows kept;
  for (const std::uint32_t row : all)
    add_to(&kept, row);
  return kept;
}

// The statements of one item while they grow.
class RightsMatch::Gatherer {
 public:
  Gatherer(const RightsTable& table, std::span<const std::string> paths, std::size_t cut)
      : table_(table), paths_(paths), cut_(cut) {}

  bool refused() const { return result_.refused.has_value(); }

  // What holds for the item as a whole comes first, and is not mixed with what its files have.
  void add_whole(const Rows& rows) {
    if (too_many(rows, "the item")) return;
    for (const Key& key : merged(rows))
      add_statement(key, rows.back());
    whole_ = growing_.size();
    known_.clear();
  }

  void add_file(std::size_t number, Rows rows) {
    if (rows != last_rows_) {
      if (too_many(rows, "'" + printable(paths_[number]) + "'")) return;
      last_statements_.clear();
      for (const Key& key : merged(rows)) {
        const auto found = known_.find(key);
        last_statements_.push_back(found == known_.end() ? add_statement(key, rows.back())
                                                         : found->second);
      }
      last_rows_ = std::move(rows);
    }
    for (const std::size_t statement : last_statements_)
      hold(statement, number);
  }

  ItemRights finish() {
    for (std::size_t i = whole_; i < growing_.size(); ++i) {
      if (growing_[i].count < paths_.size()) list_files(i);
    }
    if (refused()) return std::move(result_);
    for (Growing& each : growing_)
      result_.statements.push_back(std::move(each.statement));
    return std::move(result_);
  }

 private:
  using Key = std::vector<std::uint32_t>;  // a statement and its grants

  // As long as all files up to now have it, it needs no list of them.
  struct Growing {
    mets::RightsStatement statement;
    std::size_t count = 0;  // of the files that have it
    bool listed = false;    // they stand in the statement
    std::size_t line = 0;   // of the row that brought it
  };

  bool too_many(const Rows& rows, const std::string& whose) {
    if (rows.size() <= limits::kRightsRowsOfFileMax) return false;
    refuse("rights-too-many", table_.rows[rows.back()].line,
           "rights.csv says more than " + std::to_string(limits::kRightsRowsOfFileMax) +
               " different things of " + whose,
           "take away the rows that do not concern it");
    return true;
  }

  void refuse(std::string code, std::size_t line, std::string what, std::string remedy) {
    if (refused()) return;
    result_.refused = csv::Fault{std::move(code), line, 0, std::move(what), std::move(remedy)};
  }

  // Rows that differ in their grants only are one statement.
  std::vector<Key> merged(const Rows& rows) const {
    std::vector<Key> keys;
    for (const std::uint32_t number : rows) {
      const RightsRow& row = table_.rows[number];
      auto same = std::find_if(keys.begin(), keys.end(),
                               [&](const Key& key) { return key.front() == row.statement; });
      if (same == keys.end()) same = keys.insert(keys.end(), Key{row.statement});
      if (row.grant != RightsRow::kNoGrant) same->push_back(row.grant);
    }
    return keys;
  }

  std::size_t add_statement(const Key& key, std::uint32_t row) {
    Growing fresh;
    fresh.statement = table_.statements[key.front()];
    for (std::size_t i = 1; i < key.size(); ++i)
      fresh.statement.grants.push_back(table_.grants[key[i]]);
    fresh.line = table_.rows[row].line;
    spend(json::write(mets::to_json(fresh.statement)).size(), fresh.line);
    growing_.push_back(std::move(fresh));
    return known_.emplace(key, growing_.size() - 1).first->second;
  }

  void hold(std::size_t statement, std::size_t number) {
    Growing& growing = growing_[statement];
    if (growing.count < number) list_files(statement);
    ++growing.count;
    if (growing.listed) list_file(&growing, number);
  }

  void list_files(std::size_t statement) {
    Growing& growing = growing_[statement];
    if (std::exchange(growing.listed, true)) return;
    for (std::size_t i = 0; i < growing.count && !refused(); ++i)
      list_file(&growing, i);
  }

  void list_file(Growing* growing, std::size_t number) {
    std::string name = paths_[number].substr(cut_);
    spend(name.size() + 2, growing->line);
    if (!refused()) growing->statement.files.push_back(std::move(name));
  }

  // Counts what the description will have at least: what is refused here would be too long there.
  void spend(std::size_t bytes, std::size_t line) {
    bytes_ += bytes;
    if (bytes_ <= limits::kDescriptionBytesMax) return;
    refuse("rights-too-long", line,
           "what rights.csv says of this item and its files takes more than 24 KiB",
           "name folders rather than files, or make several items of it");
  }

  const RightsTable& table_;
  const std::span<const std::string> paths_;
  const std::size_t cut_;
  std::vector<Growing> growing_;
  std::size_t whole_ = 0;  // of these hold for the item
  std::map<Key, std::size_t> known_;
  Rows last_rows_;
  std::vector<std::size_t> last_statements_;
  std::size_t bytes_ = 0;
  ItemRights result_;
};

Result<ItemRights> RightsMatch::of_item(std::size_t item,
                                        std::span<const std::string> paths,
                                        std::size_t cut,
                                        const std::stop_token& stop) const {
  Gatherer gatherer(table_, paths, cut);
  const auto whole = by_item_.find(item);
  if (whole != by_item_.end()) gatherer.add_whole(whole->second);
  for (std::size_t i = 0; i < paths.size() && !gatherer.refused(); ++i) {
    if (stop.stop_requested()) return Error(Code::cancelled, "stopped while looking at the rights");
    gatherer.add_file(i, rows_of(paths[i]));
  }
  return gatherer.finish();
}

}  // namespace versement::ingest
