#include "store/ocfl/export.hpp"

#include <algorithm>
#include <filesystem>

#include <fcntl.h>

#include "store/base/limits.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/ocfl/root.hpp"

namespace versement::ocfl {
namespace {

class Exporter {
 public:
  Exporter(Disk& disk, ExportProgress& progress, const std::stop_token& stop)
      : disk_(disk), progress_(progress), stop_(stop) {}

  Result<void> copy_tree(const Path& from, const Path& to, std::size_t depth) {
    if (depth > limits::kPathDepthMax + 8) {
      return Error(Code::limit, from.native() + " lies deeper than any object's file");
    }
    TRY(disk_.make_folder(to, 0755));
    TRY_SET(const auto entries, list_sorted(disk_, from));
    for (const DirEntry& entry : entries) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "the export was stopped");
      const Path source = from / entry.name;
      if (entry.kind == FileKind::folder) {
        TRY(copy_tree(source, to / entry.name, depth + 1));
      } else if (entry.kind == FileKind::regular) {
        TRY(copy_file(source, to / entry.name));
      } else {
        return Error(Code::corrupt, source.native() + " is a link or special file; OCFL has none");
      }
    }
    TRY_SET(const FileInfo info, disk_.info(from));
    return disk_.set_mode(to, info.mode);
  }

  // The next reading of every file meets the disk.
  Result<void> forget(const Path& folder) {
    TRY_SET(const auto entries, list_sorted(disk_, folder));
    for (const DirEntry& entry : entries) {
      const Path path = folder / entry.name;
      if (entry.kind == FileKind::folder) {
        TRY(forget(path));
      } else {
        TRY_SET(const Fd fd, disk_.open(path, O_RDONLY));
        disk_.drop_cache(fd);
      }
    }
    return {};
  }

 private:
  Result<void> copy_file(const Path& from, const Path& to) {
    TRY_SET(const Fd source, disk_.open(from, O_RDONLY));
    TRY_SET(const FileInfo info, disk_.info(source, from));
    TRY_SET(Fd target, disk_.open(to, O_WRONLY | O_CREAT | O_EXCL, 0600));
    std::vector<std::byte> buffer(limits::kChunkBytes);
    std::uint64_t offset = 0;
    while (true) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "the export was stopped");
      TRY_SET(const std::size_t count, disk_.read_at(source, buffer, offset, from));
      if (count == 0) break;
      TRY(write_all(disk_, target, std::span<const std::byte>(buffer).first(count), to));
      disk_.begin_writeback(target, offset, count);
      offset += count;
      progress_.done_bytes += count;
    }
    TRY(disk_.close(std::move(target), to));
    ++progress_.done_files;
    return disk_.set_mode(to, info.mode);
  }

  Disk& disk_;
  ExportProgress& progress_;
  const std::stop_token& stop_;
};

// A copy within what is copied would be copied as well, and again.
Result<void> check_outside(const Path& from, const Path& to) {
  std::error_code failed;
  const Path root = std::filesystem::canonical(from, failed);
  if (failed) return Error::from_errno(failed.value(), from.native());
  const Path place = std::filesystem::weakly_canonical(to, failed);
  if (failed) return Error::from_errno(failed.value(), to.native());
  if (!place.native().starts_with(root.native() + "/")) return {};
  return Error(Code::exists, to.native() + " lies in " + from.native() +
                                 ", which would be copied into itself; name a folder elsewhere");
}

// What an export leaves that was cut off, or was not valid, is removed; nobody else's folder is.
Result<void> remove_remains(Disk& disk, const Path& from, const Path& part) {
  TRY_SET(const bool there, path_exists(disk, part));
  if (!there) return {};
  TRY_SET(const auto entries, list_sorted(disk, part));
  for (const DirEntry& entry : entries) {
    TRY_SET(const bool copied, path_exists(disk, from / entry.name));
    if (copied) continue;
    return Error(Code::exists, part.native() + ", where the copy is made, holds '" +
                                   printable(entry.name) +
                                   "', which is of no export; name another folder");
  }
  return remove_tree(disk, part);
}

Result<void> check_source(Disk& disk, const Path& from) {
  auto checked = check_root(disk, from);
  if (checked || is_unanswered(checked.error())) return checked;
  return std::move(checked).error().during("only roots as versementd makes them are exported");
}

}  // namespace

Result<Exported> export_root(Disk& disk,
                             const Path& from,
                             const Path& to,
                             std::size_t threads,
                             ExportProgress& progress,
                             const std::stop_token& stop) {
  const Path target = (to / "").parent_path();  // without a slash behind it
  TRY(check_source(disk, from));
  TRY(check_outside(from, target));
  TRY_SET(const bool there, path_exists(disk, target));
  if (there) return Error(Code::exists, target.native() + " is there already; name a new folder");
  const Path part = target.native() + ".part";
  TRY(remove_remains(disk, from, part));
  Exporter exporter(disk, progress, stop);
  TRY(exporter.copy_tree(from, part, 0));
  {
    TRY_SET(const Fd fd, disk.open(part, O_RDONLY | O_DIRECTORY));
    TRY(disk.sync_file_system(fd, part));
  }
  TRY(exporter.forget(part));

  Exported exported;
  RootCheckOptions options;
  options.threads = threads;
  options.stop = stop;
  options.each = [&](const CheckedObject& object) {
    ++exported.objects;
    exported.files += object.files;
    exported.bytes += object.bytes;
    for (const Problem& problem : object.problems)
      exported.problems.emplace_back(object.id.empty() ? object.path.native() : object.id, problem);
  };
  TRY_SET(const auto problems, check_root_contents(disk, part, options));
  for (const Problem& problem : problems)
    exported.problems.emplace_back("", problem);
  exported.good =
      std::none_of(exported.problems.begin(), exported.problems.end(), [](const auto& each) {
        return each.second.severity() == Severity::error ||
               each.second.severity() == Severity::unread;
      });
  if (!exported.good) return exported;
  TRY(disk.rename_new(part, target));
  TRY(sync_folder(disk, target.parent_path()));
  return exported;
}

}  // namespace versement::ocfl
