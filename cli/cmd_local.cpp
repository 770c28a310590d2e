// versement bag validate, store check, store export: on local files, without a daemon.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include <fcntl.h>
#include <sys/file.h>

#include "cli/bag_validate.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/store_check.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"
#include "store/ocfl/export.hpp"

namespace versement::cli {
namespace {

// Each is a thread with a buffer of its own.
constexpr unsigned kJobsMax = 256;

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

bool is_data(const Path& folder) {
  const auto there = path_exists(real_disk(), folder / "versement.json");
  return there && *there;
}

// The data folder that `dir` is, or whose store it is; else empty.
Path data_folder_of(const Path& dir) {
  if (is_data(dir)) return dir;
  std::error_code failed;
  const Path root = std::filesystem::canonical(dir, failed);
  const bool store = !failed && root.filename() == "store" && is_data(root.parent_path());
  return store ? root.parent_path() : Path();
}

int export_store(Session& session, const Path& dir, const Path& to, unsigned jobs) {
  Console& console = session.console();
  stop_on_interrupt();
  const Path data = data_folder_of(dir);
  const bool whole_data = data == dir;
  const auto fail = [&](const Error& error, int status) {
    console.failure(error, status, {});
    return status;
  };
  const auto held = data.empty() ? Result<Fd>(Fd()) : hold(data);
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
                        jobs > 0 ? jobs : processor_count(), progress, interruption());
  ended = true;
  reporter.join();
  console.end_progress();
  if (!exported) {
    const Code code = exported.error().code();
    return fail(exported.error(), code == Code::cancelled ? kInterrupted
                                  : code == Code::exists  ? kUsage
                                                          : kUnchecked);
  }
  const bool good = exported->good;
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
  add_bag_validate(tree, bag);
  CLI::App* const store = tree.add(&tree.root(), "store", "OCFL storage roots in local folders");
  store->require_subcommand(1);
  {
    CLI::App* const command = tree.add(
        store, "check", "Validate an OCFL root or object; a data folder also against its journal");
    auto flags = std::make_shared<StoreCheckFlags>();
    command
        ->add_option("DIR", flags->dir,
                     "Storage root of whatever program, one object, or data folder of versementd")
        ->required();
    command->add_flag("--fast", flags->fast, "Read no content: structure and inventories only");
    command->add_flag("--full", flags->full, "Read all content too (without a flag as well)");
    command->add_option("--jobs", flags->jobs, "Files read at once (8, or one for each processor)")
        ->check(CLI::Range(0u, kJobsMax));
    command->add_option("--resume", flags->resume,
                        "File that keeps how far the check came; with the same file a check that "
                        "was cut off goes on");
    command->footer(
        "Exit status: 0 valid (there may be warnings), 1 damage, 2 not everything could be "
        "examined, 3 usage.");
    tree.action(command, [flags](Session& s) { return check_store(s, *flags); });
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
    command->add_option("--jobs", flags->jobs, "Objects checked at once (one for each processor)")
        ->check(CLI::Range(0u, kJobsMax));
    command->footer(
        "Exit status: 0 copied and valid, 1 the copy is invalid, as the source is or was read, 2 "
        "not "
        "all could\nbe copied, 3 TO exists, 5 a versementd is running on DIR.");
    tree.action(command, [flags](Session& s) {
      return export_store(s, flags->dir, flags->to, flags->jobs);
    });
  }
  add_bag_commands(tree, bag);
}

}  // namespace versement::cli
