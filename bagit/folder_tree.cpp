#include "bagit/folder_tree.hpp"

#include <filesystem>
#include <vector>

#include <fcntl.h>

#include "store/base/limits.hpp"

namespace versement::bagit {
namespace {

// Reading changes the time of last access unless it is asked not to, which only the owner may.
Result<Fd> open_quietly(
    Disk& disk, const Fd& folder, const std::string& relative, int flags, const Path& shown) {
  auto quiet = disk.open_below(folder, relative, flags | O_NOATIME, shown);
  if (quiet || quiet.error().code() != Code::denied) return quiet;
  return disk.open_below(folder, relative, flags, shown);
}

class FileStream : public Stream {
 public:
  FileStream(Disk& disk, Fd fd, Path shown)
      : disk_(disk), fd_(std::move(fd)), shown_(std::move(shown)) {}

  Result<std::size_t> read(std::span<std::byte> into) override {
    TRY_SET(const std::size_t count, disk_.read_at(fd_, into, offset_, shown_));
    offset_ += count;
    return count;
  }

 private:
  Disk& disk_;
  const Fd fd_;
  const Path shown_;
  std::uint64_t offset_ = 0;
};

class FolderTree : public Tree {
 public:
  FolderTree(Disk& disk, Fd base, Path shown)
      : disk_(disk), base_(std::move(base)), shown_(std::move(shown)) {}

  Form form() const override { return Form::folder; }

  std::string name() const override {
    std::error_code failed;
    Path whole = std::filesystem::absolute(shown_, failed).lexically_normal();
    if (!whole.has_filename()) whole = whole.parent_path();
    return whole.filename().native();
  }

  Result<void> visit(Visitor& visitor, const std::stop_token& stop) override {
    std::vector<Pending> pending{{"", 0}};
    while (!pending.empty()) {
      const Pending next = std::move(pending.back());
      pending.pop_back();
      if (next.depth > limits::kBagDepthMax || next.path.size() > limits::kBagPathBytesMax) {
        visitor.finding("path.depth", next.path,
                        "lies more than " + std::to_string(limits::kBagDepthMax) +
                            " folders deep, or its path has more than 64 KiB");
        continue;
      }
      TRY(folder(next, visitor, stop, &pending));
    }
    return {};
  }

  Result<std::unique_ptr<Stream>> open(std::size_t /*number*/, const std::string& path) override {
    TRY_SET(Fd fd, open_quietly(disk_, base_, path, O_RDONLY, shown_));
    TRY_SET(const FileInfo info, disk_.info(fd, shown_ / path));
    if (info.kind != FileKind::regular) {
      return Error(Code::corrupt, (shown_ / path).native() + " is no regular file any more")
          .as("file.changed");
    }
    return std::unique_ptr<Stream>(
        std::make_unique<FileStream>(disk_, std::move(fd), shown_ / path));
  }

 private:
  struct Pending {
    std::string path;
    std::size_t depth = 0;
  };

  Result<void> folder(const Pending& at,
                      Visitor& visitor,
                      const std::stop_token& stop,
                      std::vector<Pending>* pending) {
    const Path where = shown_ / at.path;
    auto opened =
        open_quietly(disk_, base_, at.path.empty() ? "." : at.path, O_RDONLY | O_DIRECTORY, shown_);
    // Entries are looked at through a descriptor of their own: listing uses the other one up.
    auto look = opened ? disk_.open_below(*opened, ".", O_PATH | O_DIRECTORY, where)
                       : Result<Fd>(opened.error());
    if (!look) {
      visitor.finding("file.unreadable", at.path, look.error().what());
      return {};
    }
    Result<void> failure;
    const auto each = [&](const DirEntry& entry) {
      failure = show(*look, where, at, entry, visitor, pending);
      if (failure && stop.stop_requested()) failure = Error(Code::cancelled, "stopped");
      return static_cast<bool>(failure);
    };
    const auto listed = disk_.list_open(*std::move(opened), where, each);
    if (!listed) visitor.finding("file.unreadable", at.path, listed.error().what());
    return failure;
  }

  Result<void> show(const Fd& folder,
                    const Path& where,
                    const Pending& at,
                    const DirEntry& found,
                    Visitor& visitor,
                    std::vector<Pending>* pending) {
    Entry entry;
    entry.path = at.path.empty() ? found.name : at.path + "/" + found.name;
    const auto info = disk_.info_in(folder, found.name, where);
    if (!info) {
      visitor.finding("file.unreadable", entry.path, info.error().what());
      return {};
    }
    entry.changed_ns = info->changed_ns;
    switch (info->kind) {
      case FileKind::regular:
        entry.size_bytes = info->size_bytes;
        break;
      case FileKind::folder:
        entry.kind = EntryKind::folder;
        pending->push_back({entry.path, at.depth + 1});
        break;
      case FileKind::link: {
        entry.kind = EntryKind::link;
        auto target = disk_.link_target_in(folder, found.name, where);
        if (!target) {
          visitor.finding("file.unreadable", entry.path, target.error().what());
          return {};
        }
        entry.target = *std::move(target);
        break;
      }
      case FileKind::other:
        entry.kind = EntryKind::special;
        break;
    }
    TRY(visitor.entry(std::move(entry)));
    return {};
  }

  Disk& disk_;
  const Fd base_;
  const Path shown_;
};

}  // namespace

Result<std::unique_ptr<Tree>> open_folder(Disk& disk, const Path& folder) {
  // The user's own path may lead over links; what lies below may not.
  std::error_code failed;
  const Path real = std::filesystem::canonical(folder, failed);
  if (failed) return Error::from_errno(failed.value(), "open " + folder.native());
  TRY_SET(const FileInfo info, disk.info(real));
  if (info.kind != FileKind::folder) {
    return Error(Code::invalid, folder.native() + " is no folder");
  }
  TRY_SET(Fd base, disk.open(real, O_PATH | O_DIRECTORY));
  return std::unique_ptr<Tree>(std::make_unique<FolderTree>(disk, std::move(base), folder));
}

}  // namespace versement::bagit
