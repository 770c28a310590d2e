#include "cli/store_check.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>

#include "cli/check_cursor.hpp"
#include "cli/interrupt.hpp"
#include "cli/sealed.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"
#include "store/journal/event.hpp"
#include "store/journal/verify.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/layout.hpp"
#include "store/ocfl/root.hpp"
#include "store/ocfl/validate.hpp"

namespace versement::cli {
namespace {

// So many files are hashed side by side, whatever the number of processors: SHA-512 of eight files
// costs little more than of one.
constexpr std::size_t kFilesAtOnce = 8;

// ---------------------------------------------------------------------------- the journal's side

// What the journal says of each object.
struct JournalView {
  std::map<std::string, std::string> inventories;      // object to inventory digest, the last
  std::map<std::string, std::set<std::string>> since;  // all of the entries from `first` on
  // Object to version to inventory digest.
  std::map<std::string, std::map<std::uint32_t, std::string>> versions;
  journal::JournalReport report;
  std::set<std::string> seals;  // objects of sealed transfers
  bool whole = true;            // every entry was read
};

Result<JournalView> read_journal(const Path& data,
                                 const journal::VerifierKey& key,
                                 std::uint64_t first) {
  JournalView view;
  std::uint64_t read = 0;
  TRY_SET(view.report,
          journal::verify_data_folder(
              real_disk(), data, {.key = key}, [&](std::uint64_t index, std::string_view text) {
                read = index + 1;
                const auto event = journal::event_of(text);
                if (event) take_seal(*event, &view.seals);
                const bool names = event && (event->type == journal::type::kIngestion ||
                                             event->type == journal::type::kTransferSealed);
                if (!names) return;
                const std::string inventory = json::text_at(event->detail, "inventory");
                if (inventory.empty()) return;
                const std::string object = json::text_at(event->objects, "object");
                const std::uint64_t version = json::number_at(event->objects, "version");
                if (version == 0 || version >= UINT32_MAX) return;
                // What was said first counts; that something else was said later is found.
                auto& versions = view.versions[object];
                versions.emplace(static_cast<std::uint32_t>(version), inventory);
                view.inventories[object] = versions.rbegin()->second;
                if (index >= first) view.since[object].insert(inventory);
              }));
  view.whole = view.report.good() || (view.report.size > 0 && read >= view.report.published);
  return view;
}

// ---------------------------------------------------------------------------- what is checked

enum class Target { data, root, object };

// Errors: not_found when it is none of the three; those of listing it.
Result<Target> target_of(const Path& folder) {
  TRY_SET(const auto entries, list_sorted(real_disk(), folder));
  bool root = false;
  bool object = false;
  for (const DirEntry& entry : entries) {
    if (entry.name == "versement.json") return Target::data;
    object =
        object || entry.name.starts_with("0=ocfl_object_") || entry.name == ocfl::kInventoryName;
    root = root || entry.name == "ocfl_layout.json" ||
           (entry.name.starts_with("0=ocfl_") && !entry.name.starts_with("0=ocfl_object_"));
  }
  if (root) return Target::root;
  if (object) return Target::object;
  return Error(Code::not_found,
               (folder / ocfl::kRootDeclarationName).native() +
                   ": not found; name a data folder (with versement.json), a storage root (with "
                   "0=ocfl_1.1) or an object (with 0=ocfl_object_1.1)");
}

bool faulty(const ocfl::CheckedObject& object) {
  return ocfl::any_fault(object.problems);
}

class StoreCheck {
 public:
  StoreCheck(Session& session, const StoreCheckFlags& flags)
      : session_(session),
        flags_(flags),
        folder_(flags.dir),
        threads_(flags.jobs > 0 ? flags.jobs : std::max(kFilesAtOnce, processor_count())) {}

  int run() {
    stop_on_interrupt();
    if (flags_.fast && flags_.full) {
      return fail(Error(Code::invalid, "--fast and --full exclude each other; name one"), kUsage);
    }
    const auto target = target_of(folder_);
    if (!target) return fail(target.error(), kUnchecked);
    if (*target == Target::object && !flags_.resume.empty()) {
      return fail(Error(Code::invalid, "--resume is for storage roots; one object is read at once"),
                  kUsage);
    }
    if (*target == Target::object) return one_object();
    if (const auto begun = begin_cursor(); !begun) {
      return fail(begun.error(), begun.error().code() == Code::invalid ? kUsage : kUnchecked);
    }
    return whole_root(*target == Target::data);
  }

 private:
  static constexpr int kLooks = 5;
  static constexpr auto kBetweenLooks = std::chrono::milliseconds(300);
  static constexpr auto kBetweenCursors = std::chrono::seconds(5);

  int fail(const Error& error, int status) {
    session_.console().failure(error, status, {});
    return status;
  }

  ocfl::ObjectCheckOptions for_one_object() const {
    return {.content = !flags_.fast, .threads = threads_, .stop = interruption()};
  }

  int one_object() {
    ocfl::CheckedObject object = ocfl::check_one_object(real_disk(), folder_, for_one_object());
    if (interruption().stop_requested()) return stopped();
    objects_ = 1;
    files_ = object.files;
    bytes_ = object.bytes;
    tell(object);
    return finish(false);
  }

  int whole_root(bool whole_data) {
    const Path root = whole_data ? folder_ / "store" : folder_;
    ocfl::RootCheckOptions options;
    options.content = !flags_.fast;
    options.threads = threads_;
    options.stop = interruption();
    options.was_read = [this](const Path& path) { return resumed_.has_read(path); };
    options.each = [this](const ocfl::CheckedObject& object) { take(object); };
    // A daemon may go on beside this: what the journal has before the walk must be in the store,
    // and what the walk finds must be in the journal afterwards.
    if (whole_data) look_before();
    auto problems = ocfl::check_root_contents(real_disk(), root, options);
    session_.console().end_progress();
    if (!problems) {
      if (problems.error().code() == Code::cancelled) return stopped();
      return fail(problems.error(), kUnchecked);
    }
    if (interruption().stop_requested()) return stopped();
    hierarchy_ = *std::move(problems);
    if (whole_data) look_again(root);
    if (whole_data) own_layout(root);
    for (const ocfl::Problem& problem : hierarchy_)
      say("", problem);
    for (const ocfl::CheckedObject& object : doubtful_)
      tell(object);
    if (before_) compare_with_journal();
    end_cursor();
    return finish(before_.has_value());
  }

  // ---------------------------------------------------------------------------- going on

  Result<void> begin_cursor() {
    if (flags_.resume.empty()) return {};
    if (flags_.fast) {
      return Error(Code::invalid, "--resume is for --full; with --fast nothing is read twice");
    }
    std::error_code ec;
    cursor_.root = std::filesystem::canonical(folder_, ec).native();
    if (ec) return Error::from_errno(ec.value(), folder_.native());
    TRY_SET(auto found, load_cursor(real_disk(), flags_.resume));
    if (!found) {
      auto saved = save_cursor(real_disk(), flags_.resume, cursor_);
      if (saved) return saved;
      return std::move(saved).error().during("cannot keep the cursor in " + flags_.resume);
    }
    if (found->root != cursor_.root) {
      return Error(Code::invalid, flags_.resume + " is of a check of " + found->root +
                                      "; name another file, or remove it to begin anew");
    }
    resumed_ = *std::move(found);
    cursor_ = resumed_;
    files_ = 0;
    bytes_ = resumed_.bytes;
    if (!resumed_.last.empty()) {
      session_.console().note("Going on behind " + printable(resumed_.last));
    }
    return {};
  }

  // What an object's content showed, for a later call; and now and then the file.
  void advance_cursor(const ocfl::CheckedObject& object) {
    if (flags_.resume.empty() || resumed_.has_read(object.path)) return;
    cursor_.last = object.path.native();
    ++cursor_.objects;
    cursor_.files += object.files;
    cursor_.bytes += object.bytes;
    for (const ocfl::Problem& problem : object.problems) {
      if (of_content(problem)) cursor_.problems[object.path.native()].push_back(problem);
    }
    const auto now = std::chrono::steady_clock::now();
    if (now - saved_ < kBetweenCursors) return;
    saved_ = now;
    store_cursor();
  }

  // Only these need the content to be read.
  static bool of_content(const ocfl::Problem& problem) {
    return problem.code == "E092" || problem.code == "E093" || problem.code == "unreadable";
  }

  void store_cursor() {
    if (flags_.resume.empty()) return;
    const auto saved = save_cursor(real_disk(), flags_.resume, cursor_);
    if (!saved) session_.console().note("cannot keep the cursor: " + saved.error().what());
  }

  void end_cursor() {
    if (flags_.resume.empty()) return;
    // Best effort: one that stays makes the next call with it short.
    (void)real_disk().remove_file(flags_.resume);
  }

  int stopped() {
    store_cursor();
    std::string what = "stopped before everything was read";
    if (!flags_.resume.empty()) what += "; the same command goes on where it stopped";
    return fail(Error(Code::cancelled, what), kInterrupted);
  }

  // ---------------------------------------------------------------------------- beside a daemon

  Result<JournalView> journal_since(std::uint64_t first) const {
    TRY_SET(const auto key, journal::key_beside(real_disk(), folder_ / "journal"));
    return read_journal(folder_, key, first);
  }

  void look_before() {
    auto view = journal_since(UINT64_MAX);
    if (!view) {
      say("journal", {"unreadable", "journal", view.error().what(), ""});
      return;
    }
    before_ = *std::move(view);
    for (const auto& [object, inventory] : before_->inventories) {
      if (const auto id = ObjectId::parse(object)) {
        at_place_[ocfl::object_path(*id).native()] = object;
      }
    }
  }

  bool daemon_runs() const {
    const auto lock = real_disk().open(folder_ / "LOCK", O_RDONLY);
    return lock && ::flock(lock->get(), LOCK_SH | LOCK_NB) != 0;
  }

  // What is on its way into the store at this moment looks damaged or unknown for an instant.
  void look_again(const Path& root) {
    for (int look = 1; before_; ++look) {
      auto after = journal_since(before_->report.size);
      if (!after) {
        say("journal", {"unreadable", "journal", after.error().what(), ""});
        before_.reset();
        return;
      }
      after_ = *std::move(after);
      const bool unknown = std::any_of(found_.begin(), found_.end(), [&](const auto& each) {
        return !after_.inventories.contains(each.first);
      });
      const bool calm = !unknown && std::none_of(doubtful_.begin(), doubtful_.end(), faulty) &&
                        !ocfl::any_fault(hierarchy_);
      if (calm || look == kLooks || !daemon_runs()) return;
      std::this_thread::sleep_for(kBetweenLooks);
      std::erase_if(hierarchy_, [&](const ocfl::Problem& problem) {
        if (problem.code != "E073") return false;
        const auto inside = list_sorted(real_disk(), root / problem.path);
        return inside ? !inside->empty() : inside.error().code() == Code::not_found;
      });
      for (ocfl::CheckedObject& object : doubtful_)
        look_at_again(root, &object);
      std::erase_if(doubtful_, [](const auto& object) { return object.problems.empty(); });
    }
  }

  void look_at_again(const Path& root, ocfl::CheckedObject* object) {
    if (!faulty(*object)) return;
    const bool calm =
        !after_.since.contains(name_of(*object)) && after_.inventories.contains(name_of(*object));
    if (calm) return;  // Nothing happens to it.
    ocfl::CheckedObject again =
        ocfl::check_one_object(real_disk(), root / object->path, for_one_object());
    again.path = object->path;
    // Where it lies is not judged anew: an object on its way is renamed to its place at once.
    for (const ocfl::Problem& problem : object->problems) {
      if (problem.code == "E083" || problem.code == "E037") again.problems.push_back(problem);
    }
    *object = std::move(again);
    found_[name_of(*object)] = object->inventory_digest;
  }

  // ---------------------------------------------------------------------------- taking in

  // An object of which no inventory can be read is still the one that has its place.
  std::string name_of(const ocfl::CheckedObject& object) const {
    if (!object.id.empty()) return object.id;
    const auto known = at_place_.find(object.path.native());
    return known == at_place_.end() ? object.path.native() : known->second;
  }

  void take(const ocfl::CheckedObject& object) {
    ++objects_;
    files_ += object.files;
    bytes_ += object.bytes;
    const std::string name = name_of(object);
    const bool known = !object.id.empty() || at_place_.contains(object.path.native());
    if (known) found_[name] = object.inventory_digest;
    compare_versions(name, object);
    advance_cursor(object);
    ocfl::CheckedObject whole = object;
    add_resumed(&whole);
    if (!whole.problems.empty()) doubtful_.push_back(std::move(whole));
    session_.console().progress(
        "Checking", {{"done_items", objects_}, {"done_files", files_}, {"done_bytes", bytes_}});
  }

  // What an earlier call found in the content of this object.
  void add_resumed(ocfl::CheckedObject* object) const {
    const auto earlier = resumed_.problems.find(object->path.native());
    if (earlier == resumed_.problems.end()) return;
    for (const ocfl::Problem& problem : earlier->second) {
      const bool known = std::any_of(
          object->problems.begin(), object->problems.end(), [&](const ocfl::Problem& each) {
            return each.code == problem.code && each.path == problem.path;
          });
      if (!known) object->problems.push_back(problem);
    }
  }

  static bool is_unread(const ocfl::CheckedObject& object, const std::string& path) {
    return std::any_of(object.problems.begin(), object.problems.end(), [&](const auto& each) {
      return each.severity() == ocfl::Severity::unread &&
             (each.path.empty() || path == each.path || path.starts_with(each.path + "/"));
    });
  }

  // The inventory in a version's folder is never written again: it is what the journal said then.
  void compare_versions(const std::string& name, const ocfl::CheckedObject& object) {
    if (!before_ || object.id.empty()) return;
    const auto versions = before_->versions.find(name);
    if (versions == before_->versions.end()) return;
    for (const auto& [number, wanted] : versions->second) {
      const auto found = object.version_digests.find(number);
      if (found != object.version_digests.end() && found->second == wanted) continue;
      const std::string path = Version(number).folder() + "/" + std::string(ocfl::kInventoryName);
      const bool there = found != object.version_digests.end();
      if (!there && is_unread(object, path)) continue;
      altered_.emplace_back(name, ocfl::Problem{"journal-object-altered", path,
                                                "the journal names the inventory " + wanted +
                                                    (there ? "" : ", and none is there"),
                                                ""});
    }
  }

  // ---------------------------------------------------------------------------- telling

  void say(const std::string& object, const ocfl::Problem& problem, const std::string& place = {}) {
    const ocfl::Severity severity = problem.severity();
    ++said_[severity];
    const ocfl::CodeInfo* const info = ocfl::code_info(problem.code);
    if (!session_.console().json()) {
      std::string line = problem.code + "  " + object + "  " + problem.path + ": " + problem.detail;
      if (info != nullptr && !info->section.empty()) {
        line += " (OCFL " + std::string(info->section) + ": " + std::string(info->meaning) + ")";
      }
      session_.console().line(printable(line));
      return;
    }
    json::Object one{{"code", problem.code},
                     {"severity", ocfl::severity_name(severity)},
                     {"object", object},
                     {"path", problem.path},
                     {"detail", problem.detail}};
    if (!place.empty()) one["place"] = place;
    if (!problem.pointer.empty()) one["pointer"] = problem.pointer;
    if (info != nullptr && !info->section.empty()) one["section"] = info->section;
    if (info != nullptr) one["meaning"] = info->meaning;
    problems_.emplace_back(std::move(one));
  }

  void tell(const ocfl::CheckedObject& object) {
    for (const ocfl::Problem& problem : object.problems)
      say(name_of(object), problem, object.path.native());
  }

  // Of a data folder: the daemon writes one layout only, and starts on no other.
  void own_layout(const Path& root) {
    const auto ours = ocfl::check_root(real_disk(), root);
    if (ours) return;
    const bool declared = std::none_of(hierarchy_.begin(), hierarchy_.end(), [](const auto& each) {
      return each.code == "E069" || each.code == "E080";
    });
    if (!declared) return;
    const bool config = ours.error().what().find("config.json") != std::string::npos;
    hierarchy_.push_back({"store-layout",
                          config ? "extensions/" + std::string(ocfl::kLayoutName) + "/config.json"
                                 : std::string("ocfl_layout.json"),
                          ours.error().what(), ""});
  }

  // The store's own copies of older checkpoints, against a journal that was written anew.
  void compare_with_seals() {
    const auto again = [&]() -> Result<journal::JournalReport> {
      TRY_SET(const auto key, journal::key_beside(real_disk(), folder_ / "journal"));
      TRY_SET(const auto sealed, sealed_checkpoints(folder_, after_.seals));
      return journal::verify_data_folder(
          real_disk(), folder_, {.key = key}, [](std::uint64_t, std::string_view) {}, sealed);
    };
    auto report = again();
    if (report) {
      after_.report = *std::move(report);
    } else {
      say("journal", {"unreadable", "journal", report.error().what(), ""});
    }
  }

  // True when a folder above the object's could not be listed: nobody knows what lies there.
  bool is_beyond_reach(const std::string& object) const {
    const auto id = ObjectId::parse(object);
    if (!id) return false;
    const Path place = ocfl::object_path(*id);
    return std::any_of(hierarchy_.begin(), hierarchy_.end(), [&](const ocfl::Problem& problem) {
      return problem.severity() == ocfl::Severity::unread &&
             place.native().starts_with(problem.path + "/");
    });
  }

  // Finds what stays valid OCFL: an object removed, rolled back, replaced or forged.
  void compare_with_journal() {
    if (!after_.seals.empty()) compare_with_seals();
    for (const journal::JournalFinding& finding : after_.report.findings) {
      say("journal", {finding.code, finding.file, finding.detail, ""});
    }
    for (const auto& [object, problem] : altered_)
      say(object, problem);
    for (const auto& [object, inventory] : before_->inventories) {
      const auto found = found_.find(object);
      if (found == found_.end() && is_beyond_reach(object)) continue;
      if (found == found_.end()) {
        say(object, {"journal-object-missing", "", "the journal has it, the store has not", ""});
        continue;
      }
      if (found->second.empty()) continue;  // There is no inventory; that was said.
      const auto since = after_.since.find(object);
      const bool newer = since != after_.since.end() && since->second.contains(found->second);
      // What the journal says of its newest version may stand where it has a gap.
      if (found->second != inventory && !newer && after_.whole) {
        say(object, {"journal-object-altered", "inventory.json",
                     "the journal names the inventory " + inventory, ""});
      }
    }
    // A journal with a gap says nothing of what it does not have.
    if (!after_.whole) return;
    for (const auto& [object, inventory] : found_) {
      if (!after_.inventories.contains(object)) {
        say(object, {"journal-object-unknown", "", "the store has it, the journal has not", ""});
      }
    }
  }

  int finish(bool with_journal) {
    const std::uint64_t wrong = said_[ocfl::Severity::error];
    const std::uint64_t unread = said_[ocfl::Severity::unread];
    const std::uint64_t warnings = said_[ocfl::Severity::warning];
    const int status = wrong > 0 ? kDamage : unread > 0 ? kUnchecked : kOk;
    const std::string verdict = wrong > 0 ? "invalid" : unread > 0 ? "not examinable" : "valid";
    if (session_.console().json()) {
      session_.console().document(json::Object{{"verdict", verdict},
                                               {"mode", flags_.fast ? "fast" : "full"},
                                               {"objects", objects_},
                                               {"files", files_},
                                               {"bytes", bytes_},
                                               {"errors", wrong},
                                               {"unread", unread},
                                               {"warnings", warnings},
                                               {"journal_compared", with_journal},
                                               {"problems", std::move(problems_)},
                                               {"exit_code", status}});
      return status;
    }
    const std::string read =
        flags_.fast ? " (content not read)" : " and " + human_bytes(bytes_) + " read";
    session_.console().line(folder_.native() + ": " + verdict + ", " + std::to_string(objects_) +
                            " objects, " + std::to_string(files_) + " files" + read +
                            (warnings > 0 ? ", " + std::to_string(warnings) + " warnings" : "") +
                            (with_journal ? ", compared with the journal" : ""));
    return status;
  }

  Session& session_;
  const StoreCheckFlags& flags_;
  const Path folder_;
  const std::size_t threads_;
  CheckCursor resumed_, cursor_;
  std::chrono::steady_clock::time_point saved_ = std::chrono::steady_clock::now();
  std::optional<JournalView> before_;
  JournalView after_;
  std::map<std::string, std::string> at_place_;  // folder to the object that the journal has there
  std::map<std::string, std::string> found_;     // object to the digest of its inventory
  std::vector<std::pair<std::string, ocfl::Problem>> altered_;
  std::vector<ocfl::CheckedObject> doubtful_;  // those of which something is to be said
  std::vector<ocfl::Problem> hierarchy_;
  json::Array problems_;
  std::map<ocfl::Severity, std::uint64_t> said_;
  std::uint64_t objects_ = 0, files_ = 0, bytes_ = 0;
};

}  // namespace

int check_store(Session& session, const StoreCheckFlags& flags) {
  return StoreCheck(session, flags).run();
}

}  // namespace versement::cli
