#include "service/ingest/unpack.hpp"

#include <vector>

#include <fcntl.h>

#include "bagit/open.hpp"
#include "store/base/limits.hpp"
#include "store/base/log.hpp"
#include "store/base/text.hpp"

namespace versement::ingest {
namespace {

Error changed(const Path& archive) {
  return Error(Code::conflict, archive.native() +
                                   " changed after it was judged; let it rest, "
                                   "then ingest it again")
      .as("file-changed");
}

// Takes what is read of the members, one after the other.
class MemberTarget {
 public:
  MemberTarget() = default;
  virtual ~MemberTarget() = default;
  MemberTarget(const MemberTarget&) = delete;
  MemberTarget& operator=(const MemberTarget&) = delete;
  virtual Result<void> begin(const Member& member) = 0;
  virtual Result<void> data(std::span<const std::byte> bytes) = 0;
  virtual Result<void> end() = 0;
};

// Each member as a file in one folder.
class FileTarget : public MemberTarget {
 public:
  FileTarget(Disk& disk, const Unpacked& folder) : disk_(disk), folder_(folder) {}

  Result<void> begin(const Member& member) override {
    path_ = folder_.file(member.number);
    TRY_SET(fd_, disk_.open(path_, O_WRONLY | O_CREAT | O_EXCL, 0600));
    return {};
  }
  Result<void> data(std::span<const std::byte> bytes) override {
    return write_all(disk_, fd_, bytes, path_);
  }
  Result<void> end() override { return disk_.close(std::move(fd_), path_); }

 private:
  Disk& disk_;
  const Unpacked& folder_;
  Path path_;
  Fd fd_;
};

class TextTarget : public MemberTarget {
 public:
  Result<void> begin(const Member& /*member*/) override { return {}; }
  Result<void> data(std::span<const std::byte> bytes) override {
    text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Result<void> end() override { return {}; }

  std::string text;
};

// Gives those members that are wanted, as they come by or, where the tree can be read anywhere, one
// by one afterwards.
class Unpacker : public bagit::Visitor {
 public:
  Unpacker(const UnpackFrom& from,
           bagit::Tree& tree,
           MemberTarget& target,
           std::span<const Member> members,
           const std::stop_token& stop)
      : from_(from), tree_(tree), target_(target), members_(members), stop_(stop) {}

  Result<void> run() {
    TRY(tree_.visit(*this, stop_));
    if (next_ < members_.size()) return changed(from_.archive);
    if (tree_.sequential()) return {};
    std::vector<std::byte> buffer(limits::kChunkBytes);
    for (const Member& member : members_) {
      TRY_SET(const auto stream, tree_.open(member.number, member.path));
      TRY(begin(member));
      while (true) {
        TRY_SET(const std::size_t count, stream->read(buffer));
        if (count == 0) break;
        TRY(data(std::span<const std::byte>(buffer).first(count)));
      }
      TRY(end());
    }
    return {};
  }

  Result<bool> entry(bagit::Entry entry) override {
    const std::uint32_t number = number_++;
    if (next_ == members_.size() || members_[next_].number != number) return false;
    const Member& member = members_[next_++];
    if (entry.kind != bagit::EntryKind::file || entry.path != member.path) {
      return changed(from_.archive);
    }
    if (tree_.sequential()) TRY(begin(member));
    return true;
  }

  Result<void> data(std::span<const std::byte> bytes) override {
    if (stop_.stop_requested()) return Error(Code::cancelled, "stopped while unpacking");
    // What is longer than it was would take room that nobody has reserved.
    if (bytes.size() > left_) return changed(from_.archive);
    left_ -= bytes.size();
    return target_.data(bytes);
  }

  Result<void> end() override {
    if (left_ > 0) return changed(from_.archive);
    return target_.end();
  }

  // Said when it was judged; what changed since is found by `changed` and by the digests.
  void finding(std::string /*code*/, std::string /*path*/, std::string /*detail*/) override {}

 private:
  Result<void> begin(const Member& member) {
    left_ = member.size_bytes;
    return target_.begin(member);
  }

  const UnpackFrom& from_;
  bagit::Tree& tree_;
  MemberTarget& target_;
  const std::span<const Member> members_;
  const std::stop_token& stop_;
  std::uint32_t number_ = 0;
  std::size_t next_ = 0;  // of members_
  std::uint64_t left_ = 0;
};

Result<void> check_same(const UnpackFrom& from) {
  TRY_SET(const FileInfo now, from.disk.info(from.archive));
  if (now.inode != from.info.inode || now.device != from.info.device ||
      now.size_bytes != from.info.size_bytes || now.changed_ns != from.info.changed_ns) {
    return changed(from.archive);
  }
  return {};
}

}  // namespace

Result<std::string> read_member(const UnpackFrom& from,
                                const Member& member,
                                std::size_t bytes_max,
                                const std::stop_token& stop) {
  if (member.size_bytes > bytes_max) {
    return Error(Code::limit, printable(member.path) + " has more than " + human_bytes(bytes_max));
  }
  TRY_SET(const auto tree, bagit::open_archive(from.disk, from.archive, from.limits));
  TextTarget target;
  TRY(Unpacker(from, *tree, target, std::span(&member, 1), stop).run());
  TRY(check_same(from));
  return std::move(target.text);
}

Result<std::unique_ptr<Unpacked>> Unpacked::make(const UnpackFrom& from,
                                                 Disk& disk,
                                                 const Path& folder,
                                                 std::span<const Member> members,
                                                 const std::stop_token& stop) {
  TRY_SET(const auto tree, bagit::open_archive(from.disk, from.archive, from.limits));
  TRY(remove_tree(disk, folder));  // What an ingest before could not remove.
  TRY(disk.make_folder(folder, 0700));
  std::unique_ptr<Unpacked> made(new Unpacked(disk, folder));
  FileTarget target(disk, *made);
  TRY(Unpacker(from, *tree, target, members, stop).run());
  // Afterwards: the bytes came from the file that was opened above.
  TRY(check_same(from));
  return made;
}

Unpacked::~Unpacked() {
  if (auto gone = remove_tree(disk_, folder_); !gone) {
    log::warning("an unpacked archive could not be removed; the next start sweeps it",
                 {{"folder", folder_.native()}, {"why", gone.error().what()}});
  }
}

}  // namespace versement::ingest
