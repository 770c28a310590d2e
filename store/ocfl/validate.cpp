#include "store/ocfl/validate.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <set>

#include "store/base/pool.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/validate_object.hpp"
#include "store/ocfl/validate_root.hpp"

namespace versement::ocfl {
namespace {

constexpr std::size_t kHierarchyDepthMax = 64;

// Hands results on in the order in which they were asked for, whichever comes first. Bounded: who
// is too far ahead waits.
class InOrder {
 public:
  InOrder(std::size_t ahead_max, std::function<void(CheckedObject&)> each)
      : ahead_max_(ahead_max), each_(std::move(each)) {}

  std::uint64_t begin() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return begun_ - handed_ < ahead_max_; });
    return begun_++;
  }

  void end(std::uint64_t number, CheckedObject object) {
    const std::scoped_lock lock(mutex_);
    waiting_.emplace(number, std::move(object));
    while (!waiting_.empty() && waiting_.begin()->first == handed_) {
      each_(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      ++handed_;
    }
    changed_.notify_all();
  }

 private:
  const std::size_t ahead_max_;
  const std::function<void(CheckedObject&)> each_;  // Called under mutex_.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, CheckedObject> waiting_;  // Guarded by mutex_.
  std::uint64_t begun_ = 0, handed_ = 0;            // Guarded by mutex_.
};

class RootCheck {
 public:
  RootCheck(Disk& disk, const Path& root, const RootCheckOptions& options)
      : disk_(disk),
        root_(root),
        options_(options),
        helpers_(options.threads, options.threads),
        in_order_(options.threads * 4, [this](CheckedObject& object) { judge(object); }),
        pool_(options.threads, options.threads) {}

  Result<std::vector<Problem>> run() {
    TRY_SET(const auto entries, list_sorted(disk_, root_));
    facts_ = check_root_files(disk_, root_, entries, findings_);
    if (!facts_.layout) {
      findings_.say("layout-not-judged", "", facts_.layout_unknown);
    }
    auto walked = hierarchy(entries);
    pool_.drain();
    TRY(std::move(walked));
    patterns();
    return findings_.take();
  }

 private:
  // What is known of a folder once all below it was seen.
  struct Below {
    std::uint64_t objects = 0;
    std::uint64_t files = 0;    // that belong to no object
    std::uint64_t folders = 0;  // direct ones
  };

  Result<void> hierarchy(const std::vector<DirEntry>& entries) {
    for (const DirEntry& entry : entries) {
      if (entry.kind == FileKind::regular || entry.name == "extensions") {
        if (entry.name == "extensions" && entry.kind != FileKind::folder &&
            entry.kind != FileKind::regular) {
          findings_.say("E090", entry.name, "a link or special file");
        }
        continue;  // Files in the root itself are nobody's business.
      }
      if (entry.kind != FileKind::folder) {
        findings_.say("E090", entry.name, "a link or special file");
        continue;
      }
      TRY_SET(const Below below, folder(entry.name, 1));
      // Empty folders are said by themselves; they may be made for an object that is to come.
      if (below.objects == 0 && below.files > 0) {
        findings_.say("E088", entry.name, "it leads to no object");
      }
    }
    return {};
  }

  static bool is_object(const std::vector<DirEntry>& entries) {
    return std::any_of(entries.begin(), entries.end(), [](const DirEntry& each) {
      return each.name.starts_with("0=") ||
             (each.name == kInventoryName && each.kind == FileKind::regular);
    });
  }

  Result<Below> folder(const std::string& path, std::size_t depth) {
    if (options_.stop.stop_requested()) return Error(Code::cancelled, "stopped");
    if (depth > kHierarchyDepthMax) {
      findings_.say("unreadable", path, "it lies deeper than is looked at here");
      return Below{.files = 1};
    }
    const auto entries = list_sorted(disk_, root_ / path);
    if (!entries) {
      // A folder that was made for a deposit may be gone again.
      if (entries.error().code() == Code::not_found) return Below{};
      findings_.say(entries.error(), "E085", path);
      return Below{.objects = 1};  // Nobody knows; it is not said that there are none.
    }
    if (is_object(*entries)) {
      object(path, depth);
      return Below{.objects = 1};
    }
    if (entries->empty()) findings_.say("E073", path, "an empty folder");
    return members(path, *entries, depth);
  }

  Result<Below> members(const std::string& path,
                        const std::vector<DirEntry>& entries,
                        std::size_t depth) {
    Below below;
    for (const DirEntry& entry : entries) {
      const std::string inside = path + "/" + entry.name;
      if (entry.kind == FileKind::folder) {
        TRY_SET(const Below more, folder(inside, depth + 1));
        below.objects += more.objects;
        below.files += more.files;
        ++below.folders;
      } else if (entry.kind == FileKind::regular) {
        findings_.say("E072", inside, "belongs to no object");
        ++below.files;
      } else {
        findings_.say("E090", inside, "a link or special file");
        ++below.files;
      }
    }
    for (const DirEntry& entry : entries) {
      if (below.objects > 0 && entry.kind == FileKind::regular) {
        findings_.say("E084", path + "/" + entry.name, "its folder leads to objects");
      }
    }
    if (below.objects == 0 && below.folders == 0 && below.files > 0 && depth > 1) {
      findings_.say("E085", path, "it ends in no object");
    }
    return below;
  }

  void object(const std::string& path, std::size_t depth) {
    depths_.insert(depth);
    const std::uint64_t number = in_order_.begin();
    pool_.run([this, path, number] {
      const bool known = options_.was_read && options_.was_read(path);
      const ObjectSurroundings around{.root = facts_.spec,
                                      .content = options_.content && !known,
                                      .threads = options_.threads,
                                      .helpers = &helpers_,
                                      .stop = options_.stop};
      CheckedObject checked;
      // Without a result the walk would wait for it for ever.
      try {
        checked = check_object_at(disk_, root_ / path, around);
      } catch (const std::exception& error) {
        checked.problems.push_back({"unreadable", "", error.what(), ""});
      }
      checked.path = path;
      in_order_.end(number, std::move(checked));
    });
  }

  // What can be said of an object only beside the others. One at a time, in the walk's order.
  void judge(CheckedObject& object) {
    if (options_.stop.stop_requested()) return;  // What was cut off has no verdict.
    if (!object.id.empty()) {
      const auto place = facts_.layout ? facts_.layout->place_of(object.id) : std::nullopt;
      if (facts_.layout && (!place || Path(*place) != object.path)) {
        object.problems.push_back({"E083", object.path.native(),
                                   "the layout says " + place.value_or("nothing of such an id"),
                                   ""});
      }
      const auto [first, fresh] = ids_.emplace(object.id, object.path);
      if (!fresh) {
        object.problems.push_back(
            {"E037", object.path.native(), "has the same id as " + first->second.native(), ""});
      }
    }
    if (options_.each) options_.each(object);
  }

  // Without a layout that is known: whether the objects lie alike.
  void patterns() {
    if (facts_.layout || depths_.size() < 2) return;
    findings_.say("W014", "", "objects lie in folders of different depth");
    if (depths_.contains(1)) findings_.say("W015", "", "some objects lie in the root itself");
  }

  Disk& disk_;
  const Path root_;
  const RootCheckOptions& options_;
  Findings findings_;  // of no object; only the walk's thread says something
  RootFacts facts_;
  std::set<std::size_t> depths_;
  std::map<std::string, Path> ids_;  // Guarded by the order: one judge at a time.
  Pool helpers_;
  InOrder in_order_;
  Pool pool_;  // Last: its tasks use all the rest.
};

}  // namespace

CheckedObject check_one_object(Disk& disk, const Path& path, const ObjectCheckOptions& options) {
  Pool helpers(options.threads > 1 ? options.threads - 1 : 1, options.threads);
  const ObjectSurroundings around{.root = std::nullopt,
                                  .content = options.content,
                                  .threads = options.threads,
                                  .helpers = options.threads > 1 ? &helpers : nullptr,
                                  .stop = options.stop};
  return check_object_at(disk, path, around);
}

Result<std::vector<Problem>> check_root_contents(Disk& disk,
                                                 const Path& root,
                                                 const RootCheckOptions& options) {
  return RootCheck(disk, root, options).run();
}

}  // namespace versement::ocfl
