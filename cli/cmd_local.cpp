// versement bag validate, store check, store export: on local files, without a daemon.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <map>
#include <optional>
#include <set>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>

#include "bagit/validate.hpp"
#include "cli/command.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"
#include "store/journal/event.hpp"
#include "store/journal/verify.hpp"
#include "store/ocfl/export.hpp"
#include "store/ocfl/layout.hpp"
#include "store/ocfl/validate.hpp"

namespace versement::cli {
namespace {

// Ctrl-C asks the work to stop; a second one ends the process.
std::stop_source& interruption() {
  static std::stop_source source;
  return source;
}

void on_interrupt(int /*number*/) {
  interruption().request_stop();
  (void)::signal(SIGINT, SIG_DFL);
}

// ---------------------------------------------------------------------------- bag validate

int bag_status(bagit::Verdict verdict) {
  switch (verdict) {
    case bagit::Verdict::valid:
      return kOk;
    case bagit::Verdict::invalid:
      return kDamage;
    case bagit::Verdict::incomplete:
    case bagit::Verdict::unexaminable:
      return kUnchecked;
  }
  return kUnchecked;
}

json::Object to_json(const bagit::Finding& finding) {
  json::Object object;
  object["code"] = finding.code;
  object["severity"] = finding.severity == bagit::Severity::error ? "error" : "warning";
  const auto set = [&](const char* name, const std::string& value) {
    if (!value.empty()) object[name] = value;
  };
  set("section", finding.section);
  set("path", finding.path);
  set("expected", finding.expected);
  set("found", finding.found);
  set("detail", finding.detail);
  if (finding.line > 0) object["line"] = finding.line;
  return object;
}

std::string finding_text(const bagit::Finding& finding) {
  std::string line = finding.severity == bagit::Severity::error ? "error  " : "warning  ";
  line += finding.code + "  " + finding.path;
  if (finding.line > 0) line += " line " + std::to_string(finding.line);
  if (!finding.detail.empty()) line += ": " + finding.detail;
  if (!finding.expected.empty())
    line += " (expected " + finding.expected + ", found " + finding.found + ")";
  return printable(line);
}

int validate_bags(Session& session, const std::vector<std::string>& bags, unsigned jobs) {
  Console& console = session.console();
  (void)::signal(SIGINT, on_interrupt);
  int status = kOk;
  json::Array reports;
  for (const std::string& bag : bags) {
    bagit::ValidateOptions options;
    options.threads = jobs > 0 ? jobs : processor_count();
    options.stop = interruption().get_token();
    options.progress = [&](std::uint64_t files, std::uint64_t bytes) {
      console.progress("Validating", {{"done_files", files}, {"done_bytes", bytes}});
    };
    auto report = bagit::validate(real_disk(), bag, options);
    console.end_progress();
    if (!report) {
      const int code = report.error().code() == Code::cancelled ? kInterrupted
                       : report.error().code() == Code::invalid ? kUsage
                                                                : kUnchecked;
      console.failure(report.error(), code, {});
      return code;
    }
    const int one = bag_status(report->verdict);
    // Worst first: damage before what could not be examined.
    if (status != kDamage && one != kOk) status = one;
    json::Array findings;
    for (const bagit::Finding& finding : report->findings) {
      if (console.json()) {
        findings.emplace_back(to_json(finding));
      } else {
        console.line(finding_text(finding));
      }
    }
    const std::string verdict(bagit::verdict_name(report->verdict));
    if (console.json()) {
      reports.emplace_back(json::Object{{"bag", bag},
                                        {"verdict", verdict},
                                        {"files", report->files},
                                        {"bytes", report->bytes},
                                        {"seal_digest", report->tag_manifest_digest},
                                        {"findings", std::move(findings)}});
    } else {
      console.line(bag + ": " + verdict + ", " + std::to_string(report->files) + " files and " +
                   human_bytes(report->bytes) + " hashed");
    }
  }
  if (console.json()) {
    console.document(json::Object{{"bags", std::move(reports)}, {"exit_code", status}});
  }
  return status;
}

// ---------------------------------------------------------------------------- store check

// What the journal says of each object.
struct JournalView {
  std::map<std::string, std::string> inventories;      // object to inventory digest, the last
  std::map<std::string, std::set<std::string>> since;  // all of the entries from `first` on
  journal::JournalReport report;
  bool whole = true;  // every entry was read
};

Result<JournalView> read_journal(const Path& folder,
                                 const journal::VerifierKey& key,
                                 std::uint64_t first) {
  JournalView view;
  std::uint64_t read = 0;
  TRY_SET(view.report,
          journal::verify_journal(
              real_disk(), folder, key, [&](std::uint64_t index, std::string_view text) {
                read = index + 1;
                const auto event = journal::event_of(text);
                if (!event) return;
                const std::string inventory = json::text_at(event->detail, "inventory");
                if (inventory.empty()) return;
                const std::string object = json::text_at(event->objects, "object");
                view.inventories[object] = inventory;
                if (index >= first) view.since[object].insert(inventory);
              }));
  view.whole = view.report.size > 0 && read >= view.report.published;
  return view;
}

class StoreCheck {
 public:
  StoreCheck(Session& session, Path folder, unsigned jobs)
      : session_(session), folder_(std::move(folder)), jobs_(jobs) {}

  int run() {
    (void)::signal(SIGINT, on_interrupt);
    const auto data = path_exists(real_disk(), folder_ / "versement.json");
    const bool whole_data = data && *data;
    const Path root = whole_data ? folder_ / "store" : folder_;
    ocfl::RootCheckOptions options;
    options.threads = jobs_ > 0 ? jobs_ : processor_count();
    options.stop = interruption().get_token();
    options.each = [this](const ocfl::CheckedObject& object) { take(object); };
    // A daemon may go on beside this: what the journal has before the walk must be in the store,
    // and what the walk finds must be in the journal afterwards.
    if (whole_data) look_before();
    auto problems = ocfl::check_root_contents(real_disk(), root, options);
    session_.console().end_progress();
    if (!problems) {
      const int status = problems.error().code() == Code::cancelled ? kInterrupted : kUnchecked;
      session_.console().failure(problems.error(), status, {});
      return status;
    }
    hierarchy_ = *std::move(problems);
    if (whole_data) look_again(root);
    for (const ocfl::Problem& problem : hierarchy_)
      say("", problem);
    for (const ocfl::CheckedObject& object : doubtful_)
      tell(object);
    if (before_) compare_with_journal();
    return finish(before_.has_value());
  }

 private:
  static constexpr int kLooks = 5;
  static constexpr auto kBetweenLooks = std::chrono::milliseconds(300);

  Result<JournalView> journal_since(std::uint64_t first) const {
    TRY_SET(const auto key, journal::key_beside(real_disk(), folder_ / "journal"));
    return read_journal(folder_ / "journal", key, first);
  }

  void look_before() {
    auto view = journal_since(UINT64_MAX);
    if (view) {
      before_ = *std::move(view);
    } else {
      say("journal", {"unreadable", "journal", view.error().what()});
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
        say("journal", {"unreadable", "journal", after.error().what()});
        before_.reset();
        return;
      }
      after_ = *std::move(after);
      const bool unknown = std::any_of(found_.begin(), found_.end(), [&](const auto& each) {
        return !after_.inventories.contains(each.first);
      });
      const bool calm = !unknown && doubtful_.empty() && hierarchy_.empty();
      if (calm || look == kLooks || !daemon_runs()) return;
      std::this_thread::sleep_for(kBetweenLooks);
      std::erase_if(hierarchy_, [&](const ocfl::Problem& problem) {
        if (problem.code != "E073") return false;
        const auto inside = list_sorted(real_disk(), root / problem.path);
        return inside ? !inside->empty() : inside.error().code() == Code::not_found;
      });
      std::erase_if(doubtful_, [&](ocfl::CheckedObject& object) {
        if (!after_.since.contains(object.id) && after_.inventories.contains(object.id))
          return false;  // Nothing happens to it.
        const Path path = object.path;
        object = ocfl::check_one_object(real_disk(), root / path, interruption().get_token());
        object.path = path;
        found_[object.id] = object.inventory_digest;
        return object.problems.empty();
      });
    }
  }

  void say(const std::string& object, const ocfl::Problem& problem) {
    (problem.code == "unreadable" ? unread_ : wrong_) += 1;
    if (session_.console().json()) {
      problems_.emplace_back(json::Object{{"code", problem.code},
                                          {"object", object},
                                          {"path", problem.path},
                                          {"detail", problem.detail}});
    } else {
      session_.console().line(
          printable(problem.code + "  " + object + "  " + problem.path + ": " + problem.detail));
    }
  }

  void take(const ocfl::CheckedObject& object) {
    ++objects_;
    files_ += object.files;
    bytes_ += object.bytes;
    if (object.id.empty()) {
      unreadable_.insert(object.path.native());
    } else {
      found_[object.id] = object.inventory_digest;
    }
    if (!object.problems.empty()) doubtful_.push_back(object);
    session_.console().progress(
        "Checking", {{"done_items", objects_}, {"done_files", files_}, {"done_bytes", bytes_}});
  }

  void tell(const ocfl::CheckedObject& object) {
    const std::string name = object.id.empty() ? object.path.native() : object.id;
    for (const ocfl::Problem& problem : object.problems)
      say(name, problem);
  }

  // An object of which no inventory can be read lies there nevertheless.
  bool lies_there(const std::string& object) const {
    const auto id = ObjectId::parse(object);
    return id && unreadable_.contains(ocfl::object_path(*id).native());
  }

  // Finds what stays valid OCFL: an object removed, rolled back, replaced or forged.
  void compare_with_journal() {
    for (const journal::JournalFinding& finding : after_.report.findings) {
      say("journal", {finding.code, finding.file, finding.detail});
    }
    for (const auto& [object, inventory] : before_->inventories) {
      const auto found = found_.find(object);
      if (found == found_.end()) {
        if (lies_there(object)) continue;
        say(object, {"journal-object-missing", "", "the journal has it, the store has not"});
        continue;
      }
      const auto since = after_.since.find(object);
      const bool newer = since != after_.since.end() && since->second.contains(found->second);
      if (found->second != inventory && !newer) {
        say(object, {"journal-object-altered", "inventory.json",
                     "the journal names the inventory " + inventory});
      }
    }
    // A journal with a gap says nothing of what it does not have.
    if (!after_.whole) return;
    for (const auto& [object, inventory] : found_) {
      if (!after_.inventories.contains(object)) {
        say(object, {"journal-object-unknown", "", "the store has it, the journal has not"});
      }
    }
  }

  int finish(bool with_journal) {
    const int status = wrong_ > 0 ? kDamage : unread_ > 0 ? kUnchecked : kOk;
    const std::string verdict = wrong_ > 0 ? "invalid" : unread_ > 0 ? "not examinable" : "valid";
    if (session_.console().json()) {
      session_.console().document(json::Object{{"verdict", verdict},
                                               {"objects", objects_},
                                               {"files", files_},
                                               {"bytes", bytes_},
                                               {"journal_compared", with_journal},
                                               {"problems", std::move(problems_)},
                                               {"exit_code", status}});
    } else {
      session_.console().line(folder_.native() + ": " + verdict + ", " + std::to_string(objects_) +
                              " objects, " + std::to_string(files_) + " files and " +
                              human_bytes(bytes_) + " read" +
                              (with_journal ? ", compared with the journal" : ""));
    }
    return status;
  }

  Session& session_;
  const Path folder_;
  const unsigned jobs_;
  std::optional<JournalView> before_;
  JournalView after_;
  std::map<std::string, std::string> found_;
  std::set<std::string> unreadable_;  // places of objects without an inventory that can be read
  std::vector<ocfl::CheckedObject> doubtful_;
  std::vector<ocfl::Problem> hierarchy_;
  json::Array problems_;
  std::uint64_t objects_ = 0, files_ = 0, bytes_ = 0, wrong_ = 0, unread_ = 0;
};

// ---------------------------------------------------------------------------- store export

// Keeps a versementd from this data folder for as long as the descriptor lives.
// Errors: conflict when one is running.
Result<Fd> hold(const Path& data) {
  const Path lock = data / "LOCK";
  TRY_SET(const bool there, path_exists(real_disk(), lock));
  if (!there) return Fd();
  TRY_SET(Fd fd, real_disk().open(lock, O_RDONLY));
  if (::flock(fd.get(), LOCK_SH | LOCK_NB) == 0) return fd;
  return Error(Code::conflict, "a versementd is running on " + data.native() +
                                   "; stop it, or export from a snapshot of the file system")
      .as("resource-busy");
}

int export_store(Session& session, const Path& dir, const Path& to, unsigned jobs) {
  Console& console = session.console();
  const auto data = path_exists(real_disk(), dir / "versement.json");
  const bool whole_data = data && *data;
  const auto fail = [&](const Error& error, int status) {
    console.failure(error, status, {});
    return status;
  };
  const auto held = whole_data ? hold(dir) : Result<Fd>(Fd());
  if (!held) return fail(held.error(), exit_status(held.error()));
  ocfl::ExportProgress progress;
  std::atomic<bool> ended{false};
  std::thread reporter([&] {
    while (!ended) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      if (!ended) {
        console.progress("Copying", {{"done_files", progress.done_files.load()},
                                     {"done_bytes", progress.done_bytes.load()}});
      }
    }
  });
  const auto exported =
      ocfl::export_root(real_disk(), whole_data ? dir / "store" : dir, to,
                        jobs > 0 ? jobs : processor_count(), progress, interruption().get_token());
  ended = true;
  reporter.join();
  console.end_progress();
  if (!exported) {
    const Code code = exported.error().code();
    return fail(exported.error(), code == Code::cancelled ? kInterrupted
                                  : code == Code::exists  ? kUsage
                                                          : kUnchecked);
  }
  const bool good = exported->problems.empty();
  json::Array problems;
  for (const auto& [object, problem] : exported->problems) {
    if (!console.json()) {
      console.line(
          printable(problem.code + "  " + object + "  " + problem.path + ": " + problem.detail));
    }
    problems.emplace_back(json::Object{{"code", problem.code},
                                       {"object", object},
                                       {"path", problem.path},
                                       {"detail", problem.detail}});
  }
  const int status = good ? kOk : kDamage;
  if (console.json()) {
    console.document(json::Object{{"verdict", good ? "valid" : "invalid"},
                                  {"to", to.native()},
                                  {"objects", exported->objects},
                                  {"files", exported->files},
                                  {"bytes", exported->bytes},
                                  {"problems", std::move(problems)},
                                  {"exit_code", status}});
  } else if (good) {
    console.line(to.native() + ": " + std::to_string(exported->objects) + " objects, " +
                 std::to_string(exported->files) + " files, " + human_bytes(exported->bytes) +
                 " copied, made durable and read back; valid");
  } else {
    console.line("the copy is not valid and stays at " + to.native() + ".part");
  }
  return status;
}

}  // namespace

void add_local_commands(Tree& tree) {
  CLI::App* const bag = tree.add(&tree.root(), "bag", "BagIt bags in local folders");
  bag->require_subcommand(1);
  {
    CLI::App* const command = tree.add(bag, "validate", "Validate bags (RFC 8493)");
    auto bags = std::make_shared<std::vector<std::string>>();
    auto jobs = std::make_shared<unsigned>(0);
    command->add_option("BAG", *bags, "Folders")->required();
    command->add_option("--jobs", *jobs, "Files hashed at once (one for each processor)");
    command->footer(
        "Exit status: 0 valid, 1 invalid, 2 only fetchable files are missing, or some could not be "
        "read.");
    tree.action(command, [bags, jobs](Session& s) { return validate_bags(s, *bags, *jobs); });
  }
  CLI::App* const store = tree.add(&tree.root(), "store", "OCFL storage roots in local folders");
  store->require_subcommand(1);
  {
    CLI::App* const command =
        tree.add(store, "check", "Check an OCFL root; of a data folder also against its journal");
    auto folder = std::make_shared<std::string>();
    auto jobs = std::make_shared<unsigned>(0);
    command->add_option("DIR", *folder, "Storage root, or data folder of versementd")->required();
    command->add_option("--jobs", *jobs, "Objects checked at once (one for each processor)");
    command->footer(
        "Exit status: 0 valid, 1 invalid, 2 some files could not be read, or this "
        "is no root.");
    tree.action(command,
                [folder, jobs](Session& s) { return StoreCheck(s, *folder, *jobs).run(); });
  }
  add_adopt_command(tree, store);
  {
    CLI::App* const command = tree.add(
        store, "export", "Copy an OCFL root out whole, read the copy back and validate it");
    struct ExportFlags {
      std::string dir, to;
      unsigned jobs = 0;
    };
    auto flags = std::make_shared<ExportFlags>();
    command->add_option("DIR", flags->dir, "Storage root, or data folder of a stopped versementd")
        ->required();
    command->add_option("TO", flags->to, "New folder for the copy")->required();
    command->add_option("--jobs", flags->jobs, "Objects checked at once (one for each processor)");
    command->footer(
        "Exit status: 0 copied and valid, 1 the copy is invalid, as the source is or was read, 2 "
        "not "
        "all could\nbe copied, 3 TO exists, 5 a versementd is running on DIR.");
    tree.action(command, [flags](Session& s) {
      return export_store(s, flags->dir, flags->to, flags->jobs);
    });
  }
}

}  // namespace versement::cli
