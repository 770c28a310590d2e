#include "bagit/zip_tree.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <sys/stat.h>

#include "bagit/inflate.hpp"
#include "bagit/zip_record.hpp"
#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

constexpr std::size_t kPackedChunkBytes = 64 * 1024;
// The systems whose attributes are those of Unix.
constexpr unsigned kMadeByUnix = 3;
constexpr unsigned kMadeByDarwin = 19;
// The longest data descriptor.
constexpr std::size_t kDescriptorBytesMax = 24;
constexpr std::uint64_t kCentralBytesMin = 46;
// What is remembered of a name: that it is of no folder, or NameSet::kImplied.
constexpr std::uint32_t kNoFolder = 0;

struct Place {
  std::uint64_t local_offset = 0;    // in the file
  std::uint64_t central_offset = 0;  // likewise
};

class ZipStream : public Stream {
 public:
  ZipStream(std::shared_ptr<ArchiveFile> file, const Place& place)
      : file_(std::move(file)), place_(place), name_(std::to_string(place.local_offset)) {}

  Result<void> begin() {
    FileInput input(file_, place_.central_offset);
    TRY_SET(header_, read_zip_central(input));
    name_ = "'" + printable(header_.name) + "'";
    if (header_.is_encrypted()) {
      return archive_fault("serialization.encrypted",
                           name_ + " is encrypted: decrypt it before it is handed over");
    }
    if (header_.method != kZipStored && header_.method != kZipDeflated) {
      return archive_fault("serialization.method", name_ + " is packed by method " +
                                                       std::to_string(header_.method) +
                                                       ": read are 0, stored, and 8, deflate");
    }
    input.seek(place_.local_offset);
    TRY_SET(const ZipHeader local, read_zip_local(input));
    offset_ = place_.local_offset + local.header_bytes;
    if (header_.method == kZipDeflated) {
      inflater_ = std::make_unique<Inflater>(Inflater::Kind::raw);
      buffer_.resize(kPackedChunkBytes);
    }
    return {};
  }

  Result<std::size_t> read(std::span<std::byte> into) override {
    TRY_SET(const std::size_t got, inflater_ ? inflated(into) : packed(into));
    crc_ = crc32_update(crc_, into.first(got));
    done_ += got;
    if (done_ > header_.size_bytes) return damaged("more bytes than it says");
    if (got > 0) return got;
    if (done_ < header_.size_bytes) return damaged("fewer bytes than it says");
    if (crc_ != header_.crc) return damaged("another CRC than it says");
    return std::size_t{0};
  }

 private:
  Error damaged(const std::string& what) const {
    return archive_fault("serialization.crc", name_ + " has " + what);
  }

  // 0 when all packed bytes were read.
  Result<std::size_t> packed(std::span<std::byte> into) {
    const auto wanted =
        into.first(std::min<std::uint64_t>(into.size(), header_.packed_bytes - taken_));
    if (wanted.empty()) return std::size_t{0};
    TRY_SET(const std::size_t got, file_->read_at(offset_ + taken_, wanted));
    if (got == 0) return archive_fault("serialization.truncated", name_ + " ends early");
    taken_ += got;
    return got;
  }

  Result<std::size_t> inflated(std::span<std::byte> into) {
    while (!ended_) {
      auto step = inflater_->run(std::span(buffer_).subspan(begin_, end_ - begin_), into);
      if (!step) return std::move(step).error().during(name_);
      begin_ += step->consumed;
      ended_ = step->ended;
      if (ended_ && (begin_ < end_ || taken_ < header_.packed_bytes)) {
        return archive_fault("serialization.gap", name_ + " has bytes behind its compressed data");
      }
      if (step->produced > 0) return step->produced;
      if (step->consumed > 0) continue;
      begin_ = 0;
      TRY_SET(end_, packed(buffer_));
      if (end_ == 0 && !ended_) {
        return archive_fault("serialization.malformed", name_ + " has compressed data without end");
      }
    }
    return std::size_t{0};
  }

  std::shared_ptr<ArchiveFile> file_;
  Place place_;
  std::string name_;  // for people
  ZipHeader header_;
  std::uint64_t offset_ = 0;  // of its data
  std::uint64_t taken_ = 0;   // of its packed bytes
  std::uint64_t done_ = 0;    // of its bytes
  std::uint32_t crc_ = 0;
  std::unique_ptr<Inflater> inflater_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;  // of what was read and not yet inflated
  std::size_t end_ = 0;
  bool ended_ = false;
};

class ZipTree : public Tree {
 public:
  ZipTree(std::shared_ptr<ArchiveFile> file, const ArchiveLimits& limits)
      : file_(std::move(file)), limits_(limits) {}

  Form form() const override { return Form::zip; }
  std::string name() const override { return file_->name(); }
  bool checks_content() const override { return true; }

  Result<void> visit(Visitor& visitor, const std::stop_token& stop) override;

  Result<std::unique_ptr<Stream>> open(std::size_t number, const std::string& /*path*/) override {
    assert(number < shown_.size());
    return open_place(places_[shown_[number]]);
  }

 private:
  friend class ZipWalk;
  Result<std::unique_ptr<Stream>> open_place(const Place& place) const {
    auto stream = std::make_unique<ZipStream>(file_, place);
    TRY(stream->begin());
    return std::unique_ptr<Stream>(std::move(stream));
  }

  std::shared_ptr<ArchiveFile> file_;
  ArchiveLimits limits_;
  std::vector<Place> places_;         // by where they lie
  std::vector<std::uint32_t> shown_;  // which of them each entry is
};

EntryKind kind_of(const ZipHeader& header) {
  const unsigned system = header.made_by >> 8;
  const unsigned mode = header.attributes >> 16;
  if (header.name.ends_with('/')) return EntryKind::folder;
  if ((system != kMadeByUnix && system != kMadeByDarwin) || (mode & S_IFMT) == 0) {
    return EntryKind::file;
  }
  if (S_ISREG(mode)) return EntryKind::file;
  if (S_ISLNK(mode)) return EntryKind::link;
  return S_ISDIR(mode) ? EntryKind::folder : EntryKind::special;
}

// What the local header says otherwise than the directory; empty when they agree. A member that was
// written to a pipe has zeros in front, and its values behind.
std::string difference(const ZipHeader& central, const ZipHeader& local) {
  // Others may differ: levels of compression, where the sizes are. These decide how bytes are read.
  constexpr unsigned kEncryption = 0x2041;
  if (local.raw_name != central.raw_name || local.name != central.name) {
    return "its local header names it '" + local.name + "'";
  }
  if (local.unicode_name_stale || central.unicode_name_stale) {
    return "its Unicode name is that of another name";
  }
  // Where the name itself is Unicode, many readers (Java and Python among them) do not look for
  // another.
  if (central.name != central.raw_name && is_utf8(central.raw_name)) {
    return "without its Unicode name it is '" + central.raw_name + "'";
  }
  if (local.method != central.method) return "the methods differ";
  if ((local.flags & kEncryption) != (central.flags & kEncryption)) {
    return "one of its headers says that it is encrypted";
  }
  const auto differs = [&](std::uint64_t here, std::uint64_t there) {
    return here != there && !(local.has_descriptor() && here == 0);
  };
  if (differs(local.crc, central.crc)) return "the CRCs differ";
  if (differs(local.packed_bytes, central.packed_bytes)) return "the packed sizes differ";
  if (differs(local.size_bytes, central.size_bytes)) return "the sizes differ";
  return {};
}

// One visit.
class ZipWalk {
 public:
  ZipWalk(ZipTree& tree, Visitor& visitor, const std::stop_token& stop)
      : tree_(tree), visitor_(visitor), stop_(stop), file_(tree.file_), limits_(tree.limits_) {}

  Result<void> run() {
    auto done = look();
    if (done || visitors_ || !is_archive_fault(done.error())) return done;
    visitor_.finding(done.error().reason(), {}, done.error().what());
    return {};
  }

 private:
  Result<void> look() {
    TRY_SET(const auto end, read_zip_end(*file_));
    if (!end) {
      return archive_fault("serialization.truncated",
                           "not a whole zip archive: there is no end record");
    }
    if (end->ambiguous) {
      visitor_.finding("serialization.malformed", {}, "two end records, either could be meant");
    }
    if (end->after_offset < file_->size_bytes()) {
      visitor_.finding(
          "serialization.trailing-data", {},
          std::to_string(file_->size_bytes() - end->after_offset) + " bytes follow the end record");
    }
    TRY(find_directory(*end));
    TRY(read_directory(*end));
    return show();
  }

  Result<void> go_on() const {
    if (stop_.stop_requested()) return Error(Code::cancelled, "stopped");
    return {};
  }

  void gap(std::uint64_t bytes, const std::string& where, const std::string& path = {}) {
    visitor_.finding("serialization.gap", path,
                     std::to_string(bytes) + " bytes " + where + " belong to nothing");
  }

  Result<void> find_directory(const ZipEnd& end) {
    if (end.directory_bytes > limits_.directory_bytes_max ||
        !is_within_members(end.entries, limits_)) {
      return archive_fault("serialization.limit",
                           "the archive's directory is too large: " + std::to_string(end.entries) +
                               " members, " + human_bytes(end.directory_bytes));
    }
    if (end.directory_bytes > end.end_offset ||
        end.directory_offset > end.end_offset - end.directory_bytes ||
        end.directory_bytes / kCentralBytesMin < end.entries) {
      return archive_fault("serialization.malformed",
                           "not a whole zip archive: its directory does not fit in");
    }
    directory_ = end.directory_offset;
    const std::uint64_t over = end.end_offset - end.directory_bytes - end.directory_offset;
    if (over == 0) return {};
    // Either something stands before the archive which its offsets do not count, or the bytes lie
    // behind the directory.
    FileInput there(file_, directory_ + over);
    if (end.entries > 0 && read_zip_central(there)) {
      FileInput here(file_, directory_);
      if (!read_zip_central(here)) {
        before_ = over;
        directory_ += over;
        gap(over, "before the archive");
        return {};
      }
    }
    gap(over, "behind the directory");
    return {};
  }

  Result<void> read_directory(const ZipEnd& end) {
    FileInput input(file_, directory_);
    std::uint64_t total = 0;
    tree_.places_.reserve(end.entries);
    for (std::uint64_t i = 0; i < end.entries; ++i) {
      TRY(go_on());
      const std::uint64_t begun = input.offset();
      TRY_SET(const ZipHeader header, read_zip_central(input));
      if (header.name.size() > limits_.name_bytes_max) {
        return archive_fault("serialization.limit", "the archive's names are too long");
      }
      if (header.size_bytes > limits_.total_bytes_max - total) {
        return archive_fault("serialization.limit",
                             "the archive holds more than " + human_bytes(limits_.total_bytes_max));
      }
      total += header.size_bytes;
      if (header.local_offset > directory_) {
        return archive_fault("serialization.malformed",
                             "'" + printable(header.name) + "' begins behind the directory");
      }
      tree_.places_.push_back({before_ + header.local_offset, begun});
    }
    if (input.offset() != directory_ + end.directory_bytes) {
      return archive_fault("serialization.malformed",
                           "the directory has another length than the end record says");
    }
    if (!is_within_ratio(total, file_->size_bytes(), limits_)) {
      return archive_fault("serialization.ratio",
                           "it unpacks to more than " + std::to_string(limits_.ratio_max) +
                               " times its size: raise the limit (--max-ratio) if that is meant");
    }
    std::sort(tree_.places_.begin(), tree_.places_.end(), [](const Place& a, const Place& b) {
      return std::pair(a.local_offset, a.central_offset) <
             std::pair(b.local_offset, b.central_offset);
    });
    return {};
  }

  Result<void> show() {
    FileInput centrals(file_);
    FileInput locals(file_);
    std::uint64_t cursor = before_;  // where the next member must begin
    for (std::size_t i = 0; i < tree_.places_.size(); ++i) {
      TRY(go_on());
      const Place& place = tree_.places_[i];
      const std::uint64_t next =
          i + 1 < tree_.places_.size() ? tree_.places_[i + 1].local_offset : directory_;
      centrals.seek(place.central_offset);
      TRY_SET(const ZipHeader header, read_zip_central(centrals));
      if (place.local_offset > cursor) {
        gap(place.local_offset - cursor, "before the member", header.name);
      } else if (place.local_offset < cursor) {
        visitor_.finding("serialization.gap", header.name,
                         "it begins inside of the member before it");
      }
      TRY_SET(const std::uint64_t end, check_local(locals, place, header, next));
      cursor = std::max(cursor, end);
      TRY(show_entry(i, header));
    }
    if (cursor < directory_) gap(directory_ - cursor, "before the directory");
    return {};
  }

  // Returns where the member ends.
  Result<std::uint64_t> check_local(FileInput& input,
                                    const Place& place,
                                    const ZipHeader& header,
                                    std::uint64_t next) {
    input.seek(place.local_offset);
    const auto local = read_zip_local(input);
    if (!local) {
      if (!is_archive_fault(local.error())) return local.error();
      visitor_.finding(local.error().reason(), header.name, local.error().what());
      return next;
    }
    if (const std::string what = difference(header, *local); !what.empty()) {
      visitor_.finding("serialization.header-mismatch", header.name, what);
    }
    const std::uint64_t data = place.local_offset + local->header_bytes;
    if (data > directory_ || header.packed_bytes > directory_ - data) {
      visitor_.finding("serialization.malformed", header.name, "it reaches into the directory");
      return next;
    }
    const std::uint64_t end = data + header.packed_bytes;
    if (!local->has_descriptor() || next < end) return end;
    std::string behind(std::min<std::uint64_t>(next - end, kDescriptorBytesMax), '\0');
    input.seek(end);
    TRY_SET(const std::size_t got, input.fill(std::as_writable_bytes(std::span(behind))));
    behind.resize(got);
    if (const auto bytes = zip_descriptor_bytes(behind, header)) return end + *bytes;
    // Some writers set the flag, and fill the header in all the same.
    if (next > end || local->crc != header.crc || local->packed_bytes != header.packed_bytes ||
        local->size_bytes != header.size_bytes) {
      visitor_.finding("serialization.header-mismatch", header.name,
                       "the values behind its data are not those of the directory");
    }
    return next;
  }

  Result<void> show_entry(std::size_t place, const ZipHeader& header) {
    Entry entry{.path = std::string(plain_member_name(header.name)),
                .kind = kind_of(header),
                .size_bytes = header.size_bytes,
                .target = {}};
    if (entry.path.empty()) {
      if (entry.kind != EntryKind::folder) {
        visitor_.finding("serialization.malformed", {}, "a member without a name");
      }
      return {};
    }
    TRY(remember(entry.path, entry.kind));
    check_content(header, entry);
    if (entry.kind == EntryKind::folder && header.packed_bytes > 0 && header.size_bytes == 0) {
      TRY(check_empty(tree_.places_[place], header.method, entry.path));
    }
    if (entry.kind == EntryKind::link) TRY(read_target(tree_.places_[place], &entry));
    if (entry.kind != EntryKind::file) entry.size_bytes = 0;
    tree_.shown_.push_back(static_cast<std::uint32_t>(place));
    const auto asked = visitor_.entry(std::move(entry));
    if (asked) return {};
    visitors_ = true;
    return asked.error();
  }

  Result<void> remember(const std::string& path, EntryKind kind) {
    if (has_idle_part(path)) {
      visitor_.finding("serialization.malformed", path, "its name has an empty part or a '.'");
    }
    const bool folder = kind == EntryKind::folder;
    const std::string at = member_place(path);
    const auto above = names_.put_folders_above(at, &folder_names_bytes_);
    if (folder_names_bytes_ > limits_.directory_bytes_max) {
      return archive_fault("serialization.limit", "the archive's names are too long");
    }
    if (above && *above == kNoFolder) {
      visitor_.finding("serialization.duplicate", path, "what should be its folder is none");
    }
    const auto before = names_.put(at, folder ? NameSet::kImplied : kNoFolder);
    if (!before || (folder && *before != kNoFolder)) return {};
    visitor_.finding("serialization.duplicate", path, "the archive has it more than once");
    return {};
  }

  void check_content(const ZipHeader& header, const Entry& entry) {
    if (entry.kind == EntryKind::special) {
      visitor_.finding("serialization.special-file", entry.path, "it is a FIFO or device");
    }
    if (entry.kind == EntryKind::folder && header.size_bytes > 0) {
      visitor_.finding("serialization.malformed", entry.path, "a folder with content");
    }
    if (header.is_encrypted()) {
      visitor_.finding("serialization.encrypted", entry.path,
                       "it is encrypted: decrypt it before it is handed over");
    } else if (header.method != kZipStored && header.method != kZipDeflated) {
      visitor_.finding("serialization.method", entry.path,
                       "packed by method " + std::to_string(header.method) +
                           ": read are 0, stored, and 8, deflate");
    } else if (header.method == kZipStored && header.packed_bytes != header.size_bytes) {
      visitor_.finding("serialization.crc", entry.path,
                       "stored as it is, and yet of two different sizes");
    }
  }

  // Java's writer deflates folders too, to two bytes. Nobody reads them: more could hide there.
  Result<void> check_empty(const Place& place, unsigned method, const std::string& path) {
    const auto read = [&]() -> Result<std::size_t> {
      TRY_SET(const auto stream, tree_.open_place(place));
      std::array<std::byte, 1> byte{};
      return stream->read(byte);
    }();
    if (read) return {};
    const Error& error = read.error();
    if (!is_archive_fault(error)) return error;
    // Encryption, method and two sizes of what is stored have been told.
    if (error.code() != Code::unsupported && method != kZipStored) {
      visitor_.finding(error.reason(), path, error.what());
    }
    return {};
  }

  // The target of a link is its content.
  Result<void> read_target(const Place& place, Entry* entry) {
    if (entry->size_bytes > limits::kLinkTargetBytesMax) {
      visitor_.finding("serialization.limit", entry->path, "a link with too long a target");
      return {};
    }
    auto read = [&]() -> Result<std::string> {
      TRY_SET(const auto stream, tree_.open_place(place));
      std::string target;
      std::vector<std::byte> buffer(limits::kLinkTargetBytesMax);
      while (true) {
        TRY_SET(const std::size_t got, stream->read(buffer));
        if (got == 0) return target;
        target.append(reinterpret_cast<const char*>(buffer.data()), got);
      }
    }();
    if (read) {
      entry->target = *std::move(read);
      return {};
    }
    const Error& error = read.error();
    if (!is_archive_fault(error)) return error;
    // Encryption and method have been told.
    if (error.code() != Code::unsupported) {
      visitor_.finding(error.reason(), entry->path, error.what());
    }
    return {};
  }

  ZipTree& tree_;
  Visitor& visitor_;
  const std::stop_token& stop_;
  const std::shared_ptr<ArchiveFile>& file_;
  const ArchiveLimits& limits_;
  NameSet names_;
  std::uint64_t folder_names_bytes_ = 0;
  std::uint64_t before_ = 0;     // bytes before the archive that its offsets do not count
  std::uint64_t directory_ = 0;  // where it begins
  bool visitors_ = false;        // the error is the visitor's
};

Result<void> ZipTree::visit(Visitor& visitor, const std::stop_token& stop) {
  places_.clear();
  shown_.clear();
  return ZipWalk(*this, visitor, stop).run();
}

}  // namespace

std::unique_ptr<Tree> zip_tree(std::shared_ptr<ArchiveFile> file, const ArchiveLimits& limits) {
  return std::make_unique<ZipTree>(std::move(file), limits);
}

Result<bool> ends_as_zip(const ArchiveFile& file) {
  auto end = read_zip_end(file);
  if (end) return end->has_value();
  if (is_archive_fault(end.error()) || end.error().code() == Code::unsupported) return true;
  return end.error();
}

}  // namespace versement::bagit
