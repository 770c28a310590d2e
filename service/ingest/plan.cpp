#include "service/ingest/plan.hpp"

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include <fcntl.h>

#include "bagit/tagfile.hpp"
#include "service/ingest/adopt.hpp"
#include "service/ingest/bag_deposit.hpp"
#include "service/ingest/rights_match.hpp"
#include "service/ingest/rights_table.hpp"
#include "service/ingest/table.hpp"
#include "store/base/characters.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::ingest {
namespace {

constexpr std::string_view kObjects = "objects";
constexpr std::string_view kMetadataFolder = "metadata/";
constexpr std::string_view kTablePath = "metadata/metadata.csv";
constexpr std::string_view kRightsPath = "metadata/rights.csv";
constexpr std::array<std::pair<std::string_view, Algorithm>, 4> kChecksumFiles{{
    {"metadata/checksum.md5", Algorithm::md5},
    {"metadata/checksum.sha1", Algorithm::sha1},
    {"metadata/checksum.sha256", Algorithm::sha256},
    {"metadata/checksum.sha512", Algorithm::sha512},
}};

bool is_os_junk(std::string_view name) {
  return name == ".DS_Store" || name == "Thumbs.db" || name == "desktop.ini" ||
         name.starts_with("._");
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view folder_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

// The first control character in a description, at any depth.
std::optional<std::string> control_in(const json::Value& value) {
  if (value.is_string()) return first_control(std::string_view(value.get_string()));
  std::optional<std::string> found;
  if (value.is_object()) {
    for (const auto& member : value.get_object())
      if (!found) found = control_in(member.value());
  } else if (value.is_array()) {
    for (const json::Value& each : value.get_array())
      if (!found) found = control_in(each);
  }
  return found;
}

struct TreeFile {
  std::uint64_t size_bytes = 0;
  std::int64_t modified_ms = 0;
  std::vector<Digest> supplied;
  std::optional<std::size_t> item;  // that it belongs to
  std::size_t row = 0;              // that names it
  bool unusable = false;            // an error was found
};

class Planner {
 public:
  Planner(Disk& disk,
          Path folder,
          const Defaults& defaults,
          const std::stop_token& stop,
          const Looked& looked)
      : disk_(disk),
        folder_(std::move(folder)),
        defaults_(defaults),
        stop_(stop),
        looked_(looked) {}

  Result<Plan> run() {
    TRY_SET(const Packed packed, packed_kind(disk_, folder_, stop_));
    if (packed != Packed::no) return adopted(packed);
    TRY_SET(has_objects_, path_exists(disk_, folder_ / kObjects));
    TRY(walk("", 0));
    find_collisions();
    TRY(read_checksums());
    TRY_SET(const bool readable, read_rows());
    if (readable) {
      TRY(assign_files());
      TRY(read_rights_table());
      forget_names();
      for (PlannedItem& item : plan_.items) {
        TRY(check_stop());
        finish_item(&item);
      }
      find_slug_collisions();
      // What can be found in the rows of a broken table is told with the rest, but nothing is
      // taken.
      for (PlannedItem& item : plan_.items)
        item.rejected = item.rejected || table_.faulty;
    }
    report_leftovers();
    return std::move(plan_);
  }

 private:
  // What another tool has packed needs no table: its names and digests are in its own.
  Result<Plan> adopted(Packed kind) {
    TRY(adopt(disk_, folder_, kind, stop_, looked_, &plan_));
    for (PlannedItem& item : plan_.items) {
      name_item(&item);
      for (auto* const files : {&item.files, &item.documentation}) {
        std::sort(files->begin(), files->end(),
                  [](const auto& a, const auto& b) { return a.data_path < b.data_path; });
        find_collisions_in(*files, &item);
      }
      judge_item(&item);
    }
    find_slug_collisions();
    return std::move(plan_);
  }

  // An item from elsewhere has its names already; they are not all of one folder of ours.
  void find_collisions_in(const std::vector<PlannedFile>& files, PlannedItem* item) {
    std::map<std::string, std::string> seen;
    for (const PlannedFile& file : files) {
      const std::string path = file.data_path.text();
      const auto [first, fresh] = seen.emplace(collision_key(path), path);
      if (fresh) continue;
      item->rejected = true;
      say_collision(path, first->second);
    }
  }

  void find(Finding finding) { plan_.findings.add(std::move(finding)); }

  void error(std::string code,
             std::string path,
             std::string detail,
             std::string remedy,
             std::size_t row = 0) {
    find({.code = std::move(code),
          .severity = Severity::error,
          .detail = std::move(detail),
          .remedy = std::move(remedy),
          .path = std::move(path),
          .row = row,
          .item = {}});
  }

  void note(Severity severity,
            std::string code,
            std::string path,
            std::string detail,
            std::string remedy,
            std::size_t row = 0) {
    find({.code = std::move(code),
          .severity = severity,
          .detail = std::move(detail),
          .remedy = std::move(remedy),
          .path = std::move(path),
          .row = row,
          .item = {}});
  }

  Result<void> check_stop() const {
    if (!stop_.stop_requested()) return {};
    return Error(Code::cancelled, "stopped while looking at the folder");
  }

  // ------------------------------------------------------------------ the folder

  Result<void> walk(const std::string& below, std::size_t depth) {
    TRY(check_stop());
    if (depth > limits::kDepositPathDepthMax) {
      spoil("folder-depth", below,
            "folders nest deeper than " + std::to_string(limits::kDepositPathDepthMax),
            "flatten the folders");
      return {};
    }
    auto entries = list_sorted(disk_, folder_ / below);
    if (!entries) {
      if (depth == 0) return std::move(entries).error();
      spoil("folder-unreadable", below, entries.error().what(),
            "let the service's user read the folder");
      return {};
    }
    for (const DirEntry& entry : *entries) {
      const std::string path = below.empty() ? entry.name : below + "/" + entry.name;
      TRY(visit(path, entry, depth));
    }
    return {};
  }

  Result<void> visit(const std::string& path, const DirEntry& entry, std::size_t depth) {
    if (entry.kind == FileKind::folder) {
      if (is_utf8(entry.name)) say_hidden(path, entry.name);
      folders_.insert(path);
      return walk(path, depth + 1);
    }
    if (entry.kind == FileKind::link) {
      spoil("file-link", path, "a symbolic link; what it points at may change or lie elsewhere",
            "put the file itself in its place");
      return {};
    }
    if (entry.kind == FileKind::other) {
      spoil("file-special", path, "a device, socket or pipe, no file", "take it away");
      return {};
    }
    if (tree_.size() == limits::kDepositFilesMax) {
      return Error(Code::limit, folder_.native() +
                                    " has more than a million files; ingest it in "
                                    "several folders")
          .as("deposit-too-large");
    }
    TRY_SET(const FileInfo info, disk_.info(folder_ / path));
    TreeFile file;
    file.size_bytes = info.size_bytes;
    file.modified_ms = info.modified_ms;
    file.unusable = !usable(path);
    if (!file.unusable) say_hidden(path, entry.name);
    tree_[path] = std::move(file);
    return {};
  }

  void say_hidden(const std::string& path, const std::string& name) {
    const auto hidden = first_hidden(name);
    if (!hidden) return;
    note(Severity::warning, "name-hidden-character", printable(path), hidden_text(*hidden),
         std::string(kHiddenRemedy));
  }

  // Something in a folder that cannot be taken in: the item that owns the folder would not be
  // whole.
  void spoil(std::string code, const std::string& path, std::string detail, std::string remedy) {
    error(std::move(code), printable(path), std::move(detail), std::move(remedy));
    spoilt_.push_back(path);
  }

  // Only opened, not read: an unreadable file must be known before anything is stored.
  bool usable(const std::string& path) {
    if (auto parsed = LogicalPath::parse(path); !parsed) {
      error("name-unusable", printable(path), parsed.error().what(),
            "rename the file; names must be UTF-8 without control characters");
      return false;
    }
    if (auto writable = check_writable(path); !writable) {
      error("name-unusable", printable(path), writable.error().what(), "rename the file");
      return false;
    }
    if (path.size() > limits::kDepositPathBytesMax) {
      error("name-unusable", printable(path),
            "the path has more than " + std::to_string(limits::kDepositPathBytesMax) + " bytes",
            "shorten the names of the folders");
      return false;
    }
    if (auto opened = disk_.open(folder_ / path, O_RDONLY); !opened) {
      error("file-unreadable", path, opened.error().what(), "let the service's user read the file");
      return false;
    }
    return true;
  }

  // Names that some file systems cannot keep apart.
  void find_collisions() {
    std::map<std::string, std::string> seen;
    for (auto& [path, file] : tree_) {
      if (!is_utf8(path)) continue;
      const auto [first, fresh] = seen.emplace(collision_key(path), path);
      if (fresh) continue;
      file.unusable = true;
      tree_[first->second].unusable = true;
      say_collision(path, first->second);
    }
  }

  void say_collision(const std::string& path, const std::string& other) {
    const bool normal = nfc(path) == nfc(other);
    error(normal ? "name-normalization-collision" : "name-case-collision", path,
          "'" + other + "' has the same name " +
              (normal ? "in another Unicode normal form" : "but for capital letters"),
          "rename one of the two");
  }

  // ------------------------------------------------------------------ checksums

  Result<void> read_checksums() {
    for (const auto& [path, algorithm] : kChecksumFiles) {
      const auto found = tree_.find(std::string(path));
      if (found == tree_.end()) continue;
      auto bytes = read_file(disk_, folder_ / path, limits::kManifestBytesMax);
      if (!bytes) {
        error("checksum-unreadable", std::string(path), bytes.error().what(), "");
        continue;
      }
      read_checksum_lines(std::string(path), algorithm, *bytes);
    }
    return {};
  }

  void read_checksum_lines(const std::string& file, Algorithm algorithm, std::string_view bytes) {
    auto parsed =
        bagit::for_each_line(bytes, [&](std::size_t line, std::string_view text) -> Result<void> {
          if (trim(text).empty()) return {};
          const std::size_t blank = text.find(' ');
          const auto digest = Digest::from_hex(algorithm, text.substr(0, blank));
          // "DIGEST  PATH", or "DIGEST *PATH" as sha512sum -b writes it.
          if (!digest || blank + 2 >= text.size()) {
            error("checksum-line", file,
                  "line " + std::to_string(line) + " is no checksum and path",
                  "write it as sha512sum does", line);
            return {};
          }
          std::string path(text.substr(blank + 2));
          while (path.starts_with("./"))
            path.erase(0, 2);
          auto target = tree_.find(std::string(kObjects) + "/" + path);
          if (target == tree_.end()) target = tree_.find(path);
          if (target == tree_.end()) {
            error("checksum-without-file", file,
                  "line " + std::to_string(line) + " names '" + printable(path) +
                      "', which is not there",
                  "add the file or take the line away", line);
            return {};
          }
          target->second.supplied.push_back(*digest);
          return {};
        });
    has_checksums_ = static_cast<bool>(parsed);
  }

  // ------------------------------------------------------------------ rows and items

  // False when there is nothing to go on with.
  Result<bool> read_rows() {
    auto bytes = read_file(disk_, folder_ / kTablePath, limits::kCsvBytesMax);
    if (!bytes) {
      const bool missing = bytes.error().code() == Code::not_found;
      error(missing ? "metadata-missing" : "metadata-unreadable", std::string(kTablePath),
            missing ? "there is no metadata/metadata.csv" : bytes.error().what(),
            "describe each file in metadata/metadata.csv (docs/ingest.md shows the columns)");
      return false;
    }
    bool any = false;
    table_ = read_table(*bytes, kTablePath, [&](const TableRow& row) {
      any = true;
      group_row(row);
      return !stop_.stop_requested();
    });
    TRY(check_stop());
    for (Finding& finding : table_.findings)
      find(std::move(finding));
    if (table_.faulty && !any) return false;
    for (const std::string& column : table_.unmapped_columns) {
      const std::string what =
          "the column '" + printable(column) + "' has no meaning here; its texts are kept";
      if (const std::string near = near_column(column); !near.empty()) {
        note(Severity::warning, "column-near", std::string(kTablePath),
             what + ", but not as what they may be meant for", "did you mean " + near + "?", 1);
      } else {
        note(Severity::info, "column-unmapped", std::string(kTablePath), what, "");
      }
    }
    return true;
  }

  // Rows with one identifier are one item: the first describes it, further ones add to that.
  void group_row(const TableRow& row) {
    const std::string key = row.identifier.empty() ? "\n" + row.filename : row.identifier;
    if (row.identifier.empty() && row.filename.empty()) {
      error("row-empty", std::string(kTablePath), "a row without filename and identifier",
            "fill in one of them", row.line);
      return;
    }
    const auto [at, fresh] = by_identifier_.emplace(key, plan_.items.size());
    if (fresh) {
      PlannedItem item;
      item.source_identifier = row.identifier;
      item.row = row.line;
      plan_.items.push_back(std::move(item));
    }
    plan_.items[at->second].rejected = plan_.items[at->second].rejected || row.faulty;
    take_row(row, at->second);
  }

  void take_row(const TableRow& row, std::size_t item_index) {
    if (!row.filename.empty()) named_.push_back({row.filename, row.line, item_index});
    PlannedItem& item = plan_.items[item_index];
    const json::Object says = said(row.description);
    const json::Object says_of_original = mets::to_json(row.original);
    const bool silent = says == said(mets::Description()) && says_of_original.empty();
    // What is too long already gets no longer, and is told when the item is judged: else each
    // further row would cost as much as all before it.
    if (silent || oversized_.contains(item_index)) return;
    json::Object description = said(item.notice.description());
    json::Object original = mets::to_json(item.notice.original());
    std::vector<std::string> differing = merge(says, &description);
    for (std::string& name : merge(says_of_original, &original))
      differing.push_back(std::move(name));
    if (!differing.empty()) {
      note(Severity::warning, "description-differs", row.filename,
           "row " + std::to_string(item.row) + " of '" + printable(item.source_identifier) +
               "' says otherwise of " + printable(join(differing, ", ")) +
               "; what this row says differently is not used",
           "leave the other columns of further rows empty", row.line);
    }
    if (json::write(description).size() > limits::kDescriptionBytesMax) {
      oversized_.insert(item_index);
    }
    item.notice.set(std::move(description), original, &shared_);
  }

  struct Named {
    std::string filename;
    std::size_t line;
    std::size_t item;
  };

  // A file belongs to the row that names it, else to the nearest folder above it that a row names.
  Result<void> assign_files() {
    std::map<std::string, std::size_t> folder_items;
    // What has been looked at goes: by and by the items get the files instead.
    for (; !named_.empty(); named_.pop_front()) {
      const Named& named = named_.front();
      TRY(check_stop());
      const auto path = find_path(named);
      if (!path) continue;
      if (folders_.contains(*path)) {
        claim_folder(*path, named, &folder_items);
      } else {
        claim_file(*path, named);
      }
    }
    for (auto& [path, file] : tree_) {
      for (std::string_view folder = folder_name(path); !file.item && !folder.empty();
           folder = folder_name(folder)) {
        const auto found = folder_items.find(std::string(folder));
        if (found != folder_items.end()) give(path, found->second);
      }
    }
    for (const std::string& path : spoilt_) {
      // The nearest folder that a row names; a row may also name the very place.
      for (std::string_view at = path; !at.empty(); at = folder_name(at)) {
        const auto found = folder_items.find(std::string(at));
        if (found == folder_items.end()) continue;
        plan_.items[found->second].rejected = true;
        break;
      }
    }
    for (const auto& [folder, item] : folder_items) {
      TRY(check_stop());
      describe_group(folder, item);
    }
    return {};
  }

  void claim_folder(const std::string& path,
                    const Named& named,
                    std::map<std::string, std::size_t>* folder_items) {
    const auto [there, fresh] = folder_items->emplace(path, named.item);
    if (fresh) {
      folder_rows_[path] = named.line;
    } else if (there->second != named.item) {
      two_items(path, named, folder_rows_[path]);
    } else {
      twice(path, named, folder_rows_[path]);
    }
  }

  void two_items(const std::string& path, const Named& named, std::size_t first_row) {
    reject(named.item, "file-in-two-items", path,
           "row " + std::to_string(first_row) + " names it too, for another item",
           "give both rows the same identifier, or take one away", named.line);
  }
  void twice(const std::string& path, const Named& named, std::size_t first_row) {
    note(Severity::warning, "row-duplicate", path,
         "row " + std::to_string(first_row) + " names it already", "take one of the two away",
         named.line);
  }

  // What a person may have meant by a name that is not there; a clause of a sentence.
  std::string near_match(const std::string& wanted) {
    if (wanted.find('\\') != std::string::npos) {
      return "; folders are separated by /, not by a backslash";
    }
    if (near_.empty()) {
      for (const auto& [path, file] : tree_) {
        if (!is_utf8(path)) continue;
        near_.emplace(collision_key(path), path);
        near_.emplace("\n" + collision_key(base_name(path)), path);
      }
    }
    const std::string cleaned(trim(wanted, " \t\r\n"));
    for (const std::string& candidate :
         {collision_key(cleaned), collision_key(std::string(kObjects) + "/" + cleaned)}) {
      const auto found = near_.find(candidate);
      if (found == near_.end()) continue;
      const bool blanks = cleaned != wanted;
      return "; '" + printable(found->second) + "' differs in " +
             (blanks ? "blanks around the name" : "capital letters") + " only";
    }
    const auto [first, last] = near_.equal_range("\n" + collision_key(base_name(cleaned)));
    if (first == last) return {};
    return "; a file of that name is '" + printable(first->second) + "'";
  }

  // The entry that a name means: these bytes, or the same name in another normal form.
  struct Located {
    std::string path;  // empty when nothing is there
    bool other_form = false;
  };
  Located locate(std::string_view name) {
    std::string wanted(name);
    while (wanted.starts_with("./"))
      wanted.erase(0, 2);
    while (wanted.ends_with('/'))
      wanted.pop_back();
    if (!LogicalPath::parse(wanted)) return {};
    for (const std::string& candidate : {wanted, std::string(kObjects) + "/" + wanted}) {
      if (tree_.contains(candidate) || folders_.contains(candidate)) return {candidate};
    }
    if (nfc_paths_.empty()) {
      for (const auto& [path, file] : tree_) {
        if (is_utf8(path)) nfc_paths_[nfc(path)].push_back(path);
      }
    }
    const auto same = nfc_paths_.find(nfc(wanted));
    if (same == nfc_paths_.end() || same->second.size() != 1) return {};
    return {same->second.front(), true};
  }

  // Why a name cannot be a path below the deposit; empty when it can.
  static std::string_view no_path(std::string_view name) {
    while (name.starts_with("./"))
      name.remove_prefix(2);
    while (name.size() > 1 && name.ends_with('/'))
      name.remove_suffix(1);
    if (LogicalPath::parse(name)) return {};
    if (name.starts_with('/')) return "is an absolute path";
    for (const std::string_view part : split(name, '/')) {
      if (part == "..") return "leads out of its folder by '..'";
      if (part.empty() || part == ".") return "has an empty part or a '.'";
    }
    return "is no path below the deposit's folder";
  }

  std::optional<std::string> find_path(const Named& named) {
    if (const std::string_view why = no_path(named.filename); !why.empty()) {
      reject(named.item, "row-path", named.filename,
             "'" + printable(named.filename) + "' " + std::string(why),
             "write it as objects/FOLDER/FILE", named.line);
      return std::nullopt;
    }
    const Located found = locate(named.filename);
    if (found.other_form) {
      note(Severity::warning, "name-normalization", found.path,
           "the table writes this name in another Unicode normal form; the name on disk is kept",
           "", named.line);
    }
    if (!found.path.empty()) return found.path;
    reject(named.item, "row-without-file", named.filename,
           "the table names '" + printable(named.filename) + "', which is not there" +
               near_match(named.filename),
           "correct the filename, or add the file", named.line);
    return std::nullopt;
  }

  void claim_file(const std::string& path, const Named& named) {
    TreeFile& file = tree_[path];
    if (file.item && *file.item != named.item) {
      two_items(path, named, file.row);
      return;
    }
    if (file.item) {
      twice(path, named, file.row);
      return;
    }
    file.row = named.line;
    give(path, named.item);
  }

  void give(const std::string& path, std::size_t item_index) {
    TreeFile& file = tree_[path];
    if (is_os_junk(base_name(path))) return;
    file.item = item_index;
    PlannedItem& item = plan_.items[item_index];
    if (file.unusable) {
      item.rejected = true;  // The finding was made when the file was met.
      return;
    }
    if (has_checksums_ && file.supplied.empty()) {
      note(Severity::warning, "file-without-checksum", path,
           "the deposit has checksums, but none for this file", "");
    }
    item.files.push_back(
        {.deposit_path = path,
         .data_path = LogicalPath::literal(base_name(path)),  // until all are known
         .size_bytes = file.size_bytes,
         .modified_ms = file.modified_ms,
         .member = 0,
         .supplied = file.supplied});
  }

  // ------------------------------------------------------------------ rights.csv

  Result<void> read_rights_table() {
    if (!tree_.contains(std::string(kRightsPath))) return {};
    auto bytes = read_file(disk_, folder_ / kRightsPath, limits::kCsvBytesMax);
    if (!bytes) {
      error("rights-unreadable", std::string(kRightsPath), bytes.error().what(),
            "let the service's user read it");
    }
    RightsTable rights = bytes ? read_rights(*bytes) : RightsTable();
    for (Finding& finding : rights.findings)
      find(std::move(finding));
    if (!bytes || rights.faulty) {
      // What forbids something may stand in what cannot be read.
      for (PlannedItem& item : plan_.items)
        item.rejected = true;
    }
    RightsMatch match(rights);
    for (std::uint32_t number = 0; number < rights.rows.size(); ++number) {
      TRY(check_stop());
      take_rights(rights.rows[number], number, &match);
    }
    for (std::size_t i = 0; i < plan_.items.size(); ++i)
      TRY(gather_rights(match, i));
    return {};
  }

  void take_rights(const RightsRow& row, std::uint32_t number, RightsMatch* match) {
    if (row.file.empty()) return;  // Told when the table was read.
    const Located found = locate(row.file);
    if (!found.path.empty() && has_items(found.path)) {
      if (row.faulty) {
        reject_below(found.path);
      } else {
        match->add(found.path, number);
      }
      return;
    }
    // An item without files is named by its identifier.
    const auto named = by_identifier_.find(row.file);
    if (named != by_identifier_.end()) {
      if (row.faulty) {
        plan_.items[named->second].rejected = true;
      } else {
        match->add_to_item(named->second, number);
      }
      return;
    }
    error("rights-without-file", row.file,
          "rights.csv names '" + printable(row.file) + "', which is no file of an item" +
              (found.path.empty() ? near_match(row.file) : std::string()),
          "correct the column 'file', or take the row away", row.line);
  }

  // Calls `each` for a file, or for those in a folder, until it returns false.
  template <class Each>
  void for_each_below(const std::string& path, const Each& each) {
    if (!folders_.contains(path)) {
      each(tree_[path]);
      return;
    }
    const std::string folder = path + "/";
    for (auto at = tree_.lower_bound(folder); at != tree_.end() && at->first.starts_with(folder);
         ++at) {
      if (!each(at->second)) return;
    }
  }

  // True when a file there belongs to an item. Each path is looked at once, not for each row.
  bool has_items(const std::string& path) {
    const auto known = has_items_.find(path);
    if (known != has_items_.end()) return known->second;
    bool found = false;
    for_each_below(path, [&](const TreeFile& file) {
      found = file.item.has_value();
      return !found;
    });
    has_items_[path] = found;
    return found;
  }

  void reject_below(const std::string& path) {
    if (!rejected_below_.insert(path).second) return;
    for_each_below(path, [&](const TreeFile& file) {
      if (file.item) plan_.items[*file.item].rejected = true;
      return true;
    });
  }

  // Statements of files become statements of the item, limited to the files that have them.
  Result<void> gather_rights(const RightsMatch& match, std::size_t index) {
    PlannedItem& item = plan_.items[index];
    const std::string common = item.files.empty() ? std::string() : common_folder(item);
    const std::size_t cut = common.empty() ? 0 : common.size() + 1;
    std::vector<std::string> paths;
    for (const PlannedFile& file : item.files)
      paths.push_back(file.deposit_path);
    std::sort(paths.begin(), paths.end(), [&](const std::string& a, const std::string& b) {
      return std::string_view(a).substr(cut) < std::string_view(b).substr(cut);
    });
    TRY_SET(ItemRights rights, match.of_item(index, paths, cut, stop_));
    if (rights.refused) {
      item.rejected = true;
      find(finding_of(*rights.refused, kRightsPath));
      return {};
    }
    if (rights.statements.empty()) return {};
    mets::Description description = item.notice.description();
    description.rights.statements = std::move(rights.statements);
    item.notice.set(mets::to_json(description), mets::to_json(item.notice.original()), &shared_);
    return {};
  }

  // A folder all of whose files have rows of their own: its row describes the group.
  void describe_group(const std::string& folder, std::size_t item_index) {
    if (!plan_.items[item_index].files.empty()) return;
    std::set<std::size_t> parts;
    for (auto at = tree_.lower_bound(folder + "/");
         at != tree_.end() && at->first.starts_with(folder + "/"); ++at) {
      if (at->second.item) parts.insert(*at->second.item);
    }
    if (parts.empty()) {
      reject(item_index, "row-without-file", folder, "the folder has no files",
             "add them, or take "
             "the row away",
             plan_.items[item_index].row);
    }
    plan_.items[item_index].folder = folder;
    for (const std::size_t part : parts)
      groups_.emplace_back(item_index, part);
  }

  void reject(std::size_t item_index,
              std::string code,
              std::string path,
              std::string detail,
              std::string remedy,
              std::size_t row) {
    plan_.items[item_index].rejected = true;
    error(std::move(code), std::move(path), std::move(detail), std::move(remedy), row);
  }

  // ------------------------------------------------------------------ each item

  // What only tables needed: the items that stay take room enough.
  void forget_names() {
    by_identifier_.clear();
    nfc_paths_.clear();
    near_.clear();
    std::erase_if(tree_, [](const auto& each) {
      return each.second.item.has_value() && !each.first.starts_with(kMetadataFolder);
    });
  }

  void finish_item(PlannedItem* item) {
    name_item(item);
    shorten_paths(item);
    judge_item(item);
  }

  void judge_item(PlannedItem* item) {
    mets::Description description = item->notice.description();
    const mets::Original original = item->notice.original();
    fill_rights(&description.rights);
    const json::Object text = mets::to_json(description);
    item->notice.set(text, mets::to_json(original), &shared_);
    const auto bad = [&](std::string code, std::string detail, std::string remedy) {
      item->rejected = true;
      find({.code = std::move(code),
            .severity = Severity::error,
            .detail = std::move(detail),
            .remedy = std::move(remedy),
            .path = item->files.empty() ? std::string() : item->files.front().deposit_path,
            .row = item->row,
            .item = item->slug.text()});
    };
    if (description.title.empty()) {
      bad("title-missing", "the item has no title", "fill in dc.title");
    }
    if (description.rights.conditions.empty()) {
      bad("rights-missing", "the item says nothing of the conditions of its reuse",
          "fill in dc.rights, or give the collection a default");
    }
    if (description.rights.credit_line.empty()) {
      bad("credit-missing", "the item has no credit line",
          "fill in credit, or give the collection a default");
    }
    if (description.rights.owner.empty()) {
      find({.code = "owner-missing",
            .severity = Severity::warning,
            .detail = "the item does not say who owns the document",
            .remedy = "fill in owner, or give the collection a default",
            .path = {},
            .row = item->row,
            .item = item->slug.text()});
    }
    if (json::write(text).size() > limits::kDescriptionBytesMax) {
      bad("description-too-long", "the description has more than 24 KiB", "shorten it");
    }
    // Tables with such a character are refused cell by cell; this is what came from elsewhere.
    if (const auto control = control_in(text)) {
      bad("description-control", "the description has the control character " + *control,
          "take it out where the text comes from");
    }
    // Only one that groups others has a folder.
    if (item->files.empty() && original.empty() && item->folder.empty() && !item->rejected) {
      bad("row-without-file", "the item has neither files nor an analogue original",
          "fill in filename, or shelfmark, box or extent");
    }
  }

  void name_item(PlannedItem* item) {
    auto parsed = Slug::parse(item->source_identifier);
    if (parsed) {
      item->slug = *parsed;
    } else if (!item->source_identifier.empty()) {
      item->slug = Slug::nearest(item->source_identifier);
    } else if (!item->files.empty()) {
      const std::string_view name = base_name(item->files.front().deposit_path);
      item->slug = Slug::nearest(name.substr(0, name.rfind('.')));
    }
    if (item->slug.empty()) {
      // Nothing of the name is ASCII: a name by digest, the same at every ingest.
      const std::string text = item->source_identifier.empty() && !item->files.empty()
                                   ? item->files.front().deposit_path
                                   : item->source_identifier;
      auto made = Slug::parse("item-" + digest_of(Algorithm::sha256, text).hex().substr(0, 16));
      if (made) item->slug = *made;
    }
  }

  static std::string common_folder(const PlannedItem& item) {
    std::string common(folder_name(item.files.front().deposit_path));
    for (const PlannedFile& file : item.files) {
      while (!common.empty() && !file.deposit_path.starts_with(common + "/")) {
        common = folder_name(common);
      }
    }
    return common;
  }

  // Drops the folders that all files of the item share.
  void shorten_paths(PlannedItem* item) {
    if (item->files.empty()) return;
    const std::string common = common_folder(*item);
    const std::size_t cut = common.empty() ? 0 : common.size() + 1;
    for (PlannedFile& file : item->files) {
      file.data_path = LogicalPath::literal(std::string_view(file.deposit_path).substr(cut));
    }
    std::sort(item->files.begin(), item->files.end(),
              [](const auto& a, const auto& b) { return a.data_path < b.data_path; });
  }

  void fill_rights(mets::Rights* said_rights) const {
    mets::Rights& rights = *said_rights;
    const mets::Rights& given = defaults_.rights;
    if (rights.conditions.empty()) rights.conditions = given.conditions;
    if (rights.credit_line.empty()) rights.credit_line = given.credit_line;
    if (rights.owner.empty()) rights.owner = given.owner;
    if (rights.reproduction == "unknown") rights.reproduction = given.reproduction;
  }

  void find_slug_collisions() {
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < plan_.items.size(); ++i) {
      PlannedItem& item = plan_.items[i];
      const auto [first, fresh] = seen.emplace(lower_ascii(item.slug.text()), i);
      if (fresh) continue;
      item.rejected = true;
      const PlannedItem& other = plan_.items[first->second];
      find({.code = "identifier-collision",
            .severity = Severity::error,
            .detail = "the item would have the same name in addresses as " +
                      (other.row > 0 ? "the item of row " + std::to_string(other.row)
                                     : "'" + printable(other.source_identifier) + "'"),
            .remedy = item.row > 0 ? "give one of them another value in the column 'identifier'"
                                   : "give one of them another identifier",
            .path = {},
            .row = item.row,
            .item = item.slug.text()});
    }
    for (const auto& [group, part] : groups_) {
      plan_.items[group].parts.push_back(plan_.items[part].slug.text());
    }
  }

  // ------------------------------------------------------------------ what is left

  void report_leftovers() {
    const std::string objects = std::string(kObjects) + "/";
    for (const auto& [path, file] : tree_) {
      if (file.item || file.unusable || path.starts_with(kMetadataFolder)) {
        if (path.starts_with(kMetadataFolder)) report_metadata_file(path);
        continue;
      }
      if (is_os_junk(base_name(path))) {
        note(Severity::info, "file-os-junk", path, "left by an operating system; not stored", "");
      } else if (has_objects_ && !path.starts_with(objects)) {
        note(Severity::info, "file-outside-objects", path,
             "lies beside objects/ and metadata/; not stored", "");
      } else {
        error("file-without-row", path, "no row of the table names this file; it is not stored",
              "add a row, or take the file away");
      }
    }
  }

  void report_metadata_file(const std::string& path) {
    if (path == kTablePath || path == kRightsPath) return;
    for (const auto& [name, algorithm] : kChecksumFiles) {
      if (path == name) return;
    }
    note(Severity::info, "metadata-file-unused", path, "is not read by this version; not stored",
         "");
  }

  Disk& disk_;
  const Path folder_;
  const Defaults& defaults_;
  const std::stop_token& stop_;
  const Looked& looked_;
  bool has_objects_ = false;
  bool has_checksums_ = false;
  std::map<std::string, TreeFile> tree_;
  std::set<std::string> folders_;
  std::vector<std::string> spoilt_;  // what is there and cannot be taken in
  std::map<std::string, std::vector<std::string>> nfc_paths_;
  std::multimap<std::string, std::string> near_;  // by the folded path, and by "\n" and its name
  std::map<std::string, std::size_t> folder_rows_;
  std::map<std::string, bool> has_items_;  // of what rights.csv names: it holds files of items
  std::set<std::string> rejected_below_;
  Table table_;
  std::deque<Named> named_;
  std::set<std::size_t> oversized_;  // items whose description is too long
  // Item by its identifier, or by "\n" and its filename where it has none.
  std::map<std::string, std::size_t> by_identifier_;
  std::vector<std::pair<std::size_t, std::size_t>> groups_;  // item and one of its parts
  SharedTexts shared_;
  Plan plan_;
};

}  // namespace

namespace {

std::uint64_t bytes_of(const std::vector<PlannedFile>& files) {
  std::uint64_t total = 0;
  for (const PlannedFile& file : files)
    total += file.size_bytes;
  return total;
}

}  // namespace

std::uint64_t PlannedItem::size_bytes() const {
  return bytes_of(files);
}

std::uint64_t PlannedItem::documentation_bytes() const {
  return bytes_of(documentation);
}

Result<Plan> make_plan(Disk& disk,
                       const Path& deposit,
                       const Defaults& defaults,
                       const std::stop_token& stop,
                       const Looked& looked) {
  return Planner(disk, deposit, defaults, stop, looked).run();
}

}  // namespace versement::ingest
