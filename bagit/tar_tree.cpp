#include "bagit/tar_tree.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "bagit/tar_header.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

// Further names of one file in a compressed stream: each costs unpacking the whole once more.
constexpr std::size_t kLinkPassesMax = 16;

Error truncated(const std::string& name) {
  return archive_fault("serialization.truncated", "'" + printable(name) + "' ends early");
}

// The bytes of a member whose headers have just been read: data, and zeros where it is sparse.
class Payload {
 public:
  Payload(ByteInput& input, const TarItem& item) : input_(&input), item_(&item) {}

  Result<std::size_t> read(std::span<std::byte> into) {
    if (at_ == item_->size_bytes) return std::size_t{0};
    const auto& runs = item_->extents;
    while (run_ < runs.size() && at_ == runs[run_].offset + runs[run_].length)
      ++run_;
    const bool sparse = item_->sparse != TarSparse::none;
    const bool hole = sparse && (run_ == runs.size() || at_ < runs[run_].offset);
    std::uint64_t until = item_->size_bytes;
    if (sparse && run_ < runs.size()) {
      until = hole ? runs[run_].offset : runs[run_].offset + runs[run_].length;
    }
    const auto wanted = into.first(std::min<std::uint64_t>(into.size(), until - at_));
    if (hole) {
      std::fill(wanted.begin(), wanted.end(), std::byte{0});
      at_ += wanted.size();
      return wanted.size();
    }
    TRY_SET(const std::size_t got, input_->read(wanted));
    if (got == 0) return truncated(item_->name);
    at_ += got;
    taken_ += got;
    return got;
  }

  // Stored bytes that were not read, padding included.
  std::uint64_t left_bytes() const { return item_->stored_bytes - taken_ + item_->padding_bytes(); }

 private:
  ByteInput* input_;
  const TarItem* item_;
  std::uint64_t at_ = 0;     // in the file
  std::uint64_t taken_ = 0;  // of what is stored
  std::size_t run_ = 0;
};

class TarStream : public Stream {
 public:
  TarStream(std::shared_ptr<ArchiveFile> file, std::uint64_t offset)
      : input_(std::move(file), offset), payload_(input_, item_) {}

  Result<void> begin() {
    TarHeaders headers(input_);
    TRY_SET(const auto got, headers.next(&item_));
    if (got != TarHeaders::Got::item || !item_.is_file()) {
      return archive_fault("serialization.malformed", "the archive changed while it was read");
    }
    return headers.read_sparse_map(&item_);
  }
  Result<std::size_t> read(std::span<std::byte> into) override { return payload_.read(into); }

 private:
  FileInput input_;
  TarItem item_;
  Payload payload_;
};

EntryKind kind_of(const TarItem& item) {
  if (item.kind == '5' || item.kind == 'D') return EntryKind::folder;
  if (item.kind == '2') return EntryKind::link;
  if (item.kind == '3' || item.kind == '4' || item.kind == '6') return EntryKind::special;
  // v7 has no kind for folders.
  if (item.name.ends_with('/')) return EntryKind::folder;
  return EntryKind::file;
}

// What is kept of each entry: where its headers begin, and its kind. A hard link has what its
// target has.
class Place {
 public:
  Place(EntryKind kind, std::uint64_t header_offset)
      : packed_(header_offset << 2 | static_cast<std::uint64_t>(kind)) {}
  EntryKind kind() const { return static_cast<EntryKind>(packed_ & 3u); }
  std::uint64_t header_offset() const { return packed_ >> 2; }

 private:
  std::uint64_t packed_;
};

class TarTree : public Tree {
 public:
  TarTree(std::shared_ptr<ArchiveFile> file, const ArchiveLimits& limits)
      : form_(Form::tar), name_(file->name()), file_(std::move(file)), limits_(limits) {}
  TarTree(
      Form form, std::string name, bool repeatable, BeginInput begin, const ArchiveLimits& limits)
      : form_(form),
        name_(std::move(name)),
        repeatable_(repeatable),
        begin_(std::move(begin)),
        limits_(limits) {}

  Form form() const override { return form_; }
  std::string name() const override { return name_; }
  bool sequential() const override { return file_ == nullptr; }
  bool repeatable() const override { return repeatable_; }
  bool checks_content() const override { return form_ == Form::tar_gz; }

  Result<void> visit(Visitor& visitor, const std::stop_token& stop) override;
  Result<std::unique_ptr<Stream>> open(std::size_t number, const std::string& path) override;

 private:
  friend class TarWalk;
  Result<std::unique_ptr<ByteInput>> begin() const {
    if (begin_) return begin_();
    return std::unique_ptr<ByteInput>(std::make_unique<FileInput>(file_));
  }

  Form form_;
  std::string name_;
  bool repeatable_ = true;
  std::shared_ptr<ArchiveFile> file_;  // none of a sequential tree
  BeginInput begin_;
  ArchiveLimits limits_;
  std::vector<Place> places_;
};

// One visit.
class TarWalk {
 public:
  TarWalk(TarTree& tree, Visitor& visitor, const std::stop_token& stop)
      : tree_(tree), visitor_(visitor), stop_(stop) {}

  Result<void> run() {
    auto done = pass();
    if (!done && !visitors_ && !refused_ && is_archive_fault(done.error())) {
      visitor_.finding(done.error().reason(), member_, done.error().what());
      return {};
    }
    return done;
  }

 private:
  Result<void> pass() {
    TRY_SET(const auto input, tree_.begin());
    TarHeaders headers(*input);
    TarItem item;
    while (true) {
      TRY(go_on());
      member_.clear();
      TRY_SET(const auto got, headers.next(&item));
      if (got != TarHeaders::Got::item) {
        TRY(end(got == TarHeaders::Got::zeros, *input));
        break;
      }
      TRY(take(*input, headers, &item));
    }
    return show_links();
  }

  Result<void> go_on() const {
    if (stop_.stop_requested()) return Error(Code::cancelled, "stopped");
    return {};
  }

  Result<void> of_visitor(Result<void> done) {
    visitors_ = !done;
    return done;
  }

  Result<void> take(ByteInput& input, TarHeaders& headers, TarItem* item) {
    if (!is_within_members(++members_, tree_.limits_)) {
      return archive_fault(
          "serialization.limit",
          "the archive has more than " + std::to_string(tree_.limits_.members_max) + " members");
    }
    TRY(headers.read_sparse_map(item));
    const std::string path(plain_member_name(item->name));
    member_ = path;
    names_bytes_ += path.size() + item->link.size() + sizeof(Place) + sizeof(sizes_[0]);
    if (std::max(path.size(), item->link.size()) > tree_.limits_.name_bytes_max ||
        names_bytes_ > tree_.limits_.directory_bytes_max) {
      member_.clear();
      return archive_fault("serialization.limit", "the archive's names are too long");
    }
    switch (item->kind) {
      case '0':
      case '7':
      case 'S':
      case '5':
        break;
      case 'D':  // GNU: a folder with a list of what it held; nobody needs it
        TRY(skip(input, item->stored_bytes + item->padding_bytes()));
        return entry(*item, path);
      case 'V':  // GNU: the name of the tape
        return skip(input, item->stored_bytes + item->padding_bytes());
      case '1':
        // Some makers give the size of the file here, but nobody the file's bytes.
        return hard_link(input, *item, path);
      case '2':
      case '3':
      case '4':
      case '6':
        if (item->stored_bytes > 0) return with_content(path);
        return entry(*item, path);
      default:
        visitor_.finding("serialization.method", path,
                         "a member of the unknown kind '" + printable({&item->kind, 1}) + "'");
        return skip(input, item->stored_bytes + item->padding_bytes());
    }
    if (kind_of(*item) == EntryKind::folder) {
      if (item->stored_bytes > 0) return with_content(path);
      return entry(*item, path);
    }
    return file(input, *item, path);
  }

  static Error with_content(const std::string& path) {
    return archive_fault("serialization.malformed",
                         "'" + printable(path) + "' has content and is no file");
  }

  Result<void> skip(ByteInput& input, std::uint64_t count) {
    TRY_SET(const std::uint64_t skipped, input.skip(count));
    if (skipped < count) return truncated(member_);
    return {};
  }

  void remember(const std::string& path,
                EntryKind kind,
                std::uint64_t header_offset,
                std::uint64_t size_bytes = 0) {
    if (has_idle_part(path)) {
      visitor_.finding("serialization.malformed", path, "its name has an empty part or a '.'");
    }
    const auto number = static_cast<std::uint32_t>(tree_.places_.size());
    const std::string place = member_place(path);
    const auto above = names_.put_folders_above(place, &names_bytes_);
    if (above && !is_folder(*above)) {
      visitor_.finding("serialization.duplicate", path, "what should be its folder is none");
    }
    const auto before = names_.put(place, number);
    tree_.places_.emplace_back(kind, header_offset);
    sizes_.push_back(size_bytes);
    if (!before) return;
    if (kind == EntryKind::folder && is_folder(*before)) return;
    visitor_.finding("serialization.duplicate", path, "the archive has it more than once");
  }

  bool is_folder(std::uint32_t number) const {
    return number == NameSet::kImplied || tree_.places_.at(number).kind() == EntryKind::folder;
  }

  // A folder, link or special file.
  Result<void> entry(const TarItem& item, const std::string& path) {
    const EntryKind kind = kind_of(item);
    if (path.empty()) {
      // The folder that was packed, "./"; nobody needs it.
      if (kind != EntryKind::folder) return nameless();
      return {};
    }
    remember(path, kind, item.header_offset);
    Entry shown{.path = path, .kind = kind, .size_bytes = 0, .target = {}};
    if (kind == EntryKind::link) shown.target = item.link;
    if (kind == EntryKind::special) {
      visitor_.finding("serialization.special-file", path, "it is a FIFO or device");
    }
    const auto asked = visitor_.entry(std::move(shown));
    if (!asked) return of_visitor(asked.error());
    return {};
  }

  static Error nameless() {
    return archive_fault("serialization.malformed", "a member without a name");
  }

  Result<void> file(ByteInput& input, const TarItem& item, const std::string& path) {
    if (path.empty()) return nameless();
    TRY(count(item.size_bytes));
    TRY(count_made(input, item.size_bytes - item.stored_bytes));
    remember(path, EntryKind::file, item.header_offset, item.size_bytes);
    TRY_SET(const bool wanted, ask(path, item.size_bytes));
    Payload payload(input, item);
    if (wanted) TRY(send(payload));
    const std::uint64_t left = payload.left_bytes();
    TRY_SET(const std::uint64_t skipped, input.skip(left));
    // A last member without its padding has all its bytes; that the end lacks is told there.
    if (skipped < left && left - skipped > item.padding_bytes()) return truncated(path);
    return {};
  }

  Result<void> send(Payload& payload) {
    while (true) {
      TRY(go_on());
      TRY_SET(const std::size_t got, payload.read(buffer_));
      if (got == 0) return of_visitor(visitor_.end());
      TRY(of_visitor(visitor_.data(std::span(buffer_).first(got))));
    }
  }

  Result<void> hard_link(const ByteInput& input, const TarItem& item, const std::string& path) {
    if (path.empty()) return nameless();
    const auto target = names_.find(member_place(item.link));
    if (!target || *target == NameSet::kImplied ||
        tree_.places_.at(*target).kind() != EntryKind::file) {
      visitor_.finding("serialization.hard-link", path,
                       "'" + item.link + "' is no earlier file of the archive");
      return {};
    }
    const std::uint64_t begun = tree_.places_.at(*target).header_offset();
    const std::uint64_t size_bytes = sizes_.at(*target);
    if (tree_.sequential() && !tree_.repeatable()) {
      refused_ = true;
      return Error(Code::unsupported,
                   "'" + printable(path) +
                       "' is a hard link, whose bytes have gone by: save the archive to a file")
          .as("serialization.hard-link");
    }
    TRY(count(size_bytes));
    TRY(count_made(input, size_bytes));
    remember(path, EntryKind::file, begun, size_bytes);
    if (tree_.sequential()) {
      Links& links = links_[begun];
      links.size_bytes = size_bytes;
      links.names.push_back(path);
      return {};
    }
    const auto asked = ask(path, size_bytes);
    if (!asked) return asked.error();
    return {};
  }

  // The further names of one file.
  struct Links {
    std::uint64_t size_bytes = 0;
    std::vector<std::string> names;
  };

  // A compressed archive, read once more.
  struct Pass {
    explicit Pass(std::unique_ptr<ByteInput> from) : input(std::move(from)), headers(*input) {}
    std::unique_ptr<ByteInput> input;
    TarHeaders headers;
  };

  // The hard links of a compressed archive: their bytes come by once more for each name of a file.
  // In each round one name of each file is shown, wanted or not: a visitor knows entries by their
  // number, which must be the same in a visit that wants other files.
  Result<void> show_links() {
    std::size_t passes = 0;
    while (!links_.empty()) {
      std::optional<Pass> pass;  // begun when the first of the round is wanted
      for (auto each = links_.begin(); each != links_.end();) {
        TRY(go_on());
        auto& [begun, links] = *each;
        member_ = links.names.back();
        links.names.pop_back();
        TRY_SET(const bool wanted, ask(member_, links.size_bytes));
        if (wanted) {
          if (!pass) TRY(begin_pass(++passes, &pass));
          TRY(send_again(*pass, begun, links.size_bytes));
        }
        each = links.names.empty() ? links_.erase(each) : std::next(each);
      }
    }
    return {};
  }

  Result<void> begin_pass(std::size_t number, std::optional<Pass>* pass) {
    if (number > kLinkPassesMax) {
      refused_ = true;
      return Error(Code::limit, "a file has more than " + std::to_string(kLinkPassesMax) +
                                    " hard links in a compressed archive: unpack the gzip first")
          .as("serialization.limit");
    }
    TRY_SET(auto input, tree_.begin());
    pass->emplace(std::move(input));
    return {};
  }

  // Sends the file whose headers begin at `begun`, which lies ahead.
  Result<void> send_again(Pass& pass, std::uint64_t begun, std::uint64_t size_bytes) {
    TarItem item;
    while (true) {
      TRY(go_on());
      TRY_SET(const auto got, pass.headers.next(&item));
      if (got != TarHeaders::Got::item || item.header_offset > begun) return changed();
      TRY(pass.headers.read_sparse_map(&item));
      Payload payload(*pass.input, item);
      const bool found = item.header_offset == begun;
      if (found && (!item.is_file() || item.size_bytes != size_bytes)) return changed();
      if (found) TRY(send(payload));
      // A hard link's size is not that of bytes which follow.
      if (item.kind != '1') TRY(skip(*pass.input, payload.left_bytes()));
      if (found) return {};
    }
  }

  static Error changed() {
    return archive_fault("serialization.malformed", "the archive changed while it was read");
  }

  // Shows a file; true when its bytes are to follow.
  Result<bool> ask(const std::string& path, std::uint64_t size_bytes) {
    auto wanted = visitor_.entry(
        {.path = path, .kind = EntryKind::file, .size_bytes = size_bytes, .target = {}});
    visitors_ = !wanted;
    if (!wanted) return wanted;
    return *wanted && tree_.sequential();
  }

  Result<void> count(std::uint64_t size_bytes) {
    if (size_bytes > tree_.limits_.total_bytes_max - total_) {
      return archive_fault("serialization.limit", "the archive holds more than " +
                                                      human_bytes(tree_.limits_.total_bytes_max));
    }
    total_ += size_bytes;
    return {};
  }

  // Holes and hard links come from nothing. With them goes what has been unpacked so far, and not
  // the file that is to come: of a pipe nobody knows yet how many bytes it will have.
  Result<void> count_made(const ByteInput& input, std::uint64_t bytes) {
    made_ += bytes;  // never above total_
    const std::uint64_t most = ~std::uint64_t{0} - made_;
    const std::uint64_t unpacked = made_ + std::min(input.offset(), most);
    if (made_ == 0 || is_within_ratio(unpacked, input.packed_bytes(), tree_.limits_)) return {};
    return archive_fault("serialization.ratio",
                         "with its sparse files and hard links it unpacks to more than " +
                             std::to_string(tree_.limits_.ratio_max) +
                             " times its size: raise the limit (--max-ratio) if that is meant");
  }

  // No further header: two blocks of zeros should stand here, and zeros at most behind them.
  Result<void> end(bool zeros, ByteInput& input) {
    if (!zeros && members_ == 0) {
      return archive_fault("serialization.truncated", "there is nothing in the archive");
    }
    std::uint64_t padding = zeros ? kTarBlock : 0;
    while (true) {
      TRY(go_on());
      TRY_SET(const std::size_t got, input.read(buffer_));
      if (got == 0) break;
      const auto bytes = std::span(buffer_).first(got);
      padding += got;
      if (padding > limits::kTarPaddingBytesMax ||
          std::any_of(bytes.begin(), bytes.end(), [](std::byte b) { return b != std::byte{0}; })) {
        return archive_fault(
            "serialization.trailing-data",
            "something other than zeros follows the end of the archive, near byte " +
                std::to_string(input.offset() - got));
      }
    }
    if (input.has_trailing_bytes()) {
      visitor_.finding("serialization.trailing-data", {},
                       "something other than zeros follows the compressed archive");
    }
    if (padding < 2 * kTarBlock) {
      visitor_.finding("serialization.no-end", {},
                       padding == 0 ? "no block of zeros ends the archive"
                                    : "one block of zeros ends the archive in place of two");
    }
    return {};
  }

  TarTree& tree_;
  Visitor& visitor_;
  const std::stop_token& stop_;
  NameSet names_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(limits::kChunkBytes);
  std::vector<std::uint64_t> sizes_;      // of tree_.places_: what a hard link has
  std::map<std::uint64_t, Links> links_;  // by where their target's headers are
  std::string member_;                    // that is being read
  bool visitors_ = false;                 // the error is the visitor's
  bool refused_ = false;  // the error is no finding: what it is about cannot be looked at
  std::uint64_t members_ = 0;
  std::uint64_t total_ = 0;
  std::uint64_t made_ = 0;  // bytes of holes and hard links
  std::uint64_t names_bytes_ = 0;
};

Result<void> TarTree::visit(Visitor& visitor, const std::stop_token& stop) {
  places_.clear();
  return TarWalk(*this, visitor, stop).run();
}

Result<std::unique_ptr<Stream>> TarTree::open(std::size_t number, const std::string& /*path*/) {
  assert(file_ != nullptr && number < places_.size());
  auto stream = std::make_unique<TarStream>(file_, places_[number].header_offset());
  TRY(stream->begin());
  return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace

std::unique_ptr<Tree> tar_tree(std::shared_ptr<ArchiveFile> file, const ArchiveLimits& limits) {
  return std::make_unique<TarTree>(std::move(file), limits);
}

std::unique_ptr<Tree> tar_stream_tree(
    Form form, std::string name, bool repeatable, BeginInput begin, const ArchiveLimits& limits) {
  return std::make_unique<TarTree>(form, std::move(name), repeatable, std::move(begin), limits);
}

}  // namespace versement::bagit
