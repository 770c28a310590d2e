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

// Writes those members that are wanted, as they come by or, where the tree can be read anywhere,
// one by one afterwards.
class Unpacker : public bagit::Visitor {
 public:
  Unpacker(const UnpackFrom& from,
           bagit::Tree& tree,
           Disk& disk,
           const Unpacked& target,
           std::span<const Member> members,
           const std::stop_token& stop)
      : from_(from), tree_(tree), disk_(disk), target_(target), members_(members), stop_(stop) {}

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
    return write_all(disk_, fd_, bytes, path_);
  }

  Result<void> end() override {
    if (left_ > 0) return changed(from_.archive);
    return disk_.close(std::move(fd_), path_);
  }

  // Said when it was judged; what changed since is found by `changed` and by the digests.
  void finding(std::string /*code*/, std::string /*path*/, std::string /*detail*/) override {}

 private:
  Result<void> begin(const Member& member) {
    path_ = target_.file(member.number);
    left_ = member.size_bytes;
    TRY_SET(fd_, disk_.open(path_, O_WRONLY | O_CREAT | O_EXCL, 0600));
    return {};
  }

  const UnpackFrom& from_;
  bagit::Tree& tree_;
  Disk& disk_;
  const Unpacked& target_;
  const std::span<const Member> members_;
  const std::stop_token& stop_;
  std::uint32_t number_ = 0;
  std::size_t next_ = 0;  // of members_
  Path path_;
  Fd fd_;
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

Result<std::unique_ptr<Unpacked>> Unpacked::make(const UnpackFrom& from,
                                                 Disk& disk,
                                                 const Path& folder,
                                                 std::span<const Member> members,
                                                 const std::stop_token& stop) {
  TRY_SET(const auto tree, bagit::open_archive(from.disk, from.archive, from.limits));
  TRY(remove_tree(disk, folder));  // What an ingest before could not remove.
  TRY(disk.make_folder(folder, 0700));
  std::unique_ptr<Unpacked> made(new Unpacked(disk, folder));
  TRY(Unpacker(from, *tree, disk, *made, members, stop).run());
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
