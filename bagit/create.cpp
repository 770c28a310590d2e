#include "bagit/create.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>

#include <fcntl.h>

#include "bagit/names.hpp"
#include "bagit/tar.hpp"
#include "bagit/target.hpp"
#include "bagit/validate.hpp"
#include "bagit/zip.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"

namespace versement::bagit {
namespace {

constexpr std::int64_t kNsOfMillisecond = 1'000'000;
// 64 bits of nanoseconds end in the year 2262.
constexpr std::int64_t kTimeMsMax = 9'000'000'000'000;
constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::uint64_t kTarBlock = 512;
constexpr std::uint64_t kTarEndBytes = 2 * kTarBlock;
// Left free on the file system on top of what the bag takes: folders, names, the journal.
constexpr std::uint64_t kSpareBytes = 16u << 20;
// A file's last block is half empty on average.
constexpr std::uint64_t kBytesLostPerFile = 4096;

std::string in_quotes(std::string_view path) {
  return "'" + printable(path) + "'";
}

Finding warning(std::string code, std::string path, std::string detail = {}) {
  Finding finding;
  const Rule& broken = rule(code);
  finding.severity = broken.standard;
  finding.section = broken.section;
  finding.code = std::move(code);
  finding.path = std::move(path);
  finding.detail = std::move(detail);
  return finding;
}

// ---------------------------------------------------------------------------- the source

struct SourceFile {
  std::string path;  // in the bag: "data/…"
  Path source;
  FileInfo info;  // as it was found
};

struct Scanned {
  std::vector<SourceFile> files;  // by path, as bytes
  std::uint64_t octets = 0;
  std::uint64_t empty_folders = 0;
  std::vector<std::string> empty_folder_paths;
  std::vector<Finding> findings;
};

class Scanner {
 public:
  Scanner(Disk& disk, const CreateOptions& options) : disk_(disk), options_(options) {}

  Result<Scanned> run() {
    if (options_.sources.empty()) return Error(Code::invalid, "nothing was named to put in a bag");
    const bool whole = options_.sources.size() == 1;
    std::vector<std::string> names;
    for (const Path& source : options_.sources) {
      if (source.empty()) {
        return Error(Code::invalid, "a source with an empty name was given; name a folder or file");
      }
      TRY_SET(root_, real_path(source));
      TRY_SET(const FileInfo info, disk_.info(root_));
      if (info.kind == FileKind::folder) TRY(refuse_bag(root_));
      if (whole && info.kind == FileKind::folder) {
        TRY(walk(root_, "data", 1));
        continue;
      }
      const std::string name = root_.filename().native();
      names.push_back(name);
      TRY(check_name(name, "data"));
      TRY(take({.name = name, .kind = info.kind}, root_, "data/" + name, 1));
    }
    TRY(compare(names, "data"));
    std::sort(scanned_.files.begin(), scanned_.files.end(),
              [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
    return std::move(scanned_);
  }

 private:
  static Result<Path> real_path(const Path& path) {
    std::error_code failed;
    Path real = std::filesystem::canonical(path, failed);
    if (failed) return Error::from_errno(failed.value(), "cannot read " + in_quotes(path.native()));
    return real;
  }

  Result<void> refuse_bag(const Path& folder) const {
    if (options_.nest) return {};
    TRY_SET(const bool bag, path_exists(disk_, folder / "bagit.txt"));
    if (!bag) return {};
    return Error(Code::invalid, in_quotes(folder.native()) +
                                    " is a bag already; check it with 'versement bag validate', or "
                                    "add --nest to put the bag inside of another one")
        .as("source-is-a-bag");
  }

  Result<void> walk(const Path& folder, const std::string& path, std::size_t depth) {
    if (options_.stop.stop_requested()) return Error(Code::cancelled, "stopped");
    if (depth > limits::kPathDepthMax) {
      return Error(Code::limit, in_quotes(folder.native()) + " is nested deeper than " +
                                    std::to_string(limits::kPathDepthMax) + " folders");
    }
    TRY_SET(const auto entries, list_sorted(disk_, folder));
    if (entries.empty() && depth > 1 && ++scanned_.empty_folders <= kEmptyFoldersNamed) {
      scanned_.empty_folder_paths.push_back(folder.native());
    }
    std::vector<std::string> names;
    for (const DirEntry& entry : entries) {
      TRY(check_name(entry.name, path));
      names.push_back(entry.name);
      TRY(take(entry, folder / entry.name, path + "/" + entry.name, depth));
    }
    return compare(names, path);
  }

  Result<void> take(const DirEntry& entry,
                    const Path& source,
                    const std::string& path,
                    std::size_t depth) {
    // Part of the payload all the same: who bags a folder means all of it, but may not have seen
    // it.
    if (is_os_junk(entry.name)) {
      scanned_.findings.push_back(warning("name.os-junk", path, "is part of the payload"));
    }
    switch (entry.kind) {
      case FileKind::folder:
        return walk(source, path, depth + 1);
      case FileKind::regular:
        return add(source, path);
      case FileKind::link: {
        TRY_SET(const Path target, follow(source));
        return add(target, path);
      }
      case FileKind::other:
        break;
    }
    return Error(Code::invalid, in_quotes(source.native()) +
                                    " is a FIFO, socket or device; a bag holds files only: take it "
                                    "out of the source")
        .as("path.special-file");
  }

  Result<Path> follow(const Path& link) const {
    const auto refuse = [&](const std::string& why) {
      return Error(Code::invalid, in_quotes(link.native()) + " is a symbolic link" + why)
          .as("path.symlink");
    };
    if (!options_.follow_links) {
      return refuse("; add --follow-links to put the file it leads to into the bag");
    }
    auto target = real_path(link);
    if (!target) return refuse(" that leads to nothing");
    const Path below = target->lexically_relative(root_);
    if (below.empty() || *below.begin() == "..") return refuse(" that leads out of the source");
    TRY_SET(const FileInfo info, disk_.info(*target));
    if (info.kind != FileKind::regular) return refuse(" to something that is no file");
    return std::move(*target);
  }

  Result<void> add(const Path& source, const std::string& path) {
    TRY_SET(const FileInfo info, disk_.info(source));
    scanned_.octets += info.size_bytes;
    scanned_.files.push_back({path, source, info});
    return {};
  }

  static Result<void> check_name(const std::string& name, const std::string& folder) {
    if (is_utf8(name)) return {};
    return Error(Code::invalid, in_quotes(folder + "/" + name) +
                                    " has a name that is no UTF-8, which no manifest can list; "
                                    "rename it")
        .as("name.not-utf8");
  }

  // The names of one folder.
  Result<void> compare(const std::vector<std::string>& names, const std::string& folder) {
    std::map<std::string, std::string> forms;
    std::map<std::string, std::string> keys;
    for (const std::string& name : names) {
      const auto [form, new_form] = forms.emplace(nfc(name), name);
      if (!new_form) return twins(folder, form->second, name);
      const auto [key, new_key] = keys.emplace(collision_key(name), name);
      if (new_key) continue;
      scanned_.findings.push_back(warning(
          "name.case-twins", folder + "/" + name,
          "and " + in_quotes(key->second) + " are one name on file systems of Windows and Apple"));
    }
    return {};
  }

  static Error twins(const std::string& folder, const std::string& one, const std::string& other) {
    if (one == other) {
      return Error(Code::invalid, "two sources are called " + in_quotes(one) + "; bag them apart")
          .as("name.repeated");
    }
    const auto bytes = [](const std::string& name) { return hex_of(as_bytes(name)); };
    return Error(Code::invalid, "in " + in_quotes(folder) +
                                    " two names look alike and differ only in "
                                    "their Unicode form: " +
                                    in_quotes(one) + " (" + bytes(one) + ") and (" + bytes(other) +
                                    "); rename one of them")
        .as("name.normalization-twins");
  }

  Disk& disk_;
  const CreateOptions& options_;
  Path root_;
  Scanned scanned_;
};

// ---------------------------------------------------------------------------- the target

// One file of the bag.
struct Slot {
  std::string path;  // in the bag
  std::uint64_t size_bytes = 0;
  std::uint64_t header_at = 0;  // in the archive
  std::uint64_t data_at = 0;
  std::uint32_t crc = 0;
  std::int64_t modified_ns = 0;  // since 1970

  Timestamp modified() const { return Timestamp(modified_ns / kNsOfMillisecond); }
};

// Where the bytes of one slot go.
class Place {
 public:
  Place() = default;
  virtual ~Place() = default;
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  virtual Result<void> write(std::span<const std::byte> bytes) = 0;
  virtual Result<void> close() = 0;
};

class Output {
 public:
  Output() = default;
  virtual ~Output() = default;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  // Makes room for all slots.
  virtual Result<void> prepare(std::vector<Slot>& slots) = 0;
  // Thread safe.
  virtual Result<std::unique_ptr<Place>> place(Slot& slot) = 0;
  // Everything was written: completes it and makes it durable.
  virtual Result<void> finish(std::vector<Slot>& slots) = 0;
};

class FilePlace : public Place {
 public:
  FilePlace(Disk& disk, Path path, Fd fd, std::int64_t modified_ns)
      : disk_(disk), path_(std::move(path)), fd_(std::move(fd)), modified_ns_(modified_ns) {}
  Result<void> write(std::span<const std::byte> bytes) override {
    return write_all(disk_, fd_, bytes, path_);
  }
  Result<void> close() override {
    TRY(disk_.set_modified(fd_, modified_ns_, path_));
    return disk_.close(std::move(fd_), path_);
  }

 private:
  Disk& disk_;
  const Path path_;
  Fd fd_;
  const std::int64_t modified_ns_;
};

class FolderOutput : public Output {
 public:
  FolderOutput(Disk& disk, Path folder) : disk_(disk), folder_(std::move(folder)) {}

  Result<void> prepare(std::vector<Slot>& slots) override {
    TRY(disk_.make_folder(folder_));
    TRY(disk_.make_folder(folder_ / "data"));
    std::string last;
    for (const Slot& slot : slots) {
      const std::size_t slash = slot.path.rfind('/');
      if (slash == std::string::npos || slot.path.compare(0, slash, last) == 0) continue;
      last = slot.path.substr(0, slash);
      TRY(make_folders(disk_, folder_ / last));
    }
    return {};
  }

  Result<std::unique_ptr<Place>> place(Slot& slot) override {
    Path path = folder_ / slot.path;
    TRY_SET(Fd fd, disk_.open(path, O_WRONLY | O_CREAT | O_EXCL, 0644));
    return std::unique_ptr<Place>(
        std::make_unique<FilePlace>(disk_, std::move(path), std::move(fd), slot.modified_ns));
  }

  Result<void> finish(std::vector<Slot>& /*slots*/) override {
    TRY_SET(const Fd fd, disk_.open(folder_, O_RDONLY | O_DIRECTORY));
    return disk_.sync_file_system(fd, folder_);
  }

 private:
  Disk& disk_;
  const Path folder_;
};

class ArchivePlace : public Place {
 public:
  ArchivePlace(Disk& disk, const Fd& fd, const Path& path, Slot& slot)
      : disk_(disk), fd_(fd), path_(path), slot_(slot) {}
  Result<void> write(std::span<const std::byte> bytes) override {
    slot_.crc = crc32_update(slot_.crc, bytes);
    while (!bytes.empty()) {
      TRY_SET(const std::size_t count, disk_.write_at(fd_, bytes, slot_.data_at + written_, path_));
      written_ += count;
      bytes = bytes.subspan(count);
    }
    return {};
  }
  Result<void> close() override { return {}; }

 private:
  Disk& disk_;
  const Fd& fd_;
  const Path& path_;
  Slot& slot_;
  std::uint64_t written_ = 0;
};

class ArchiveOutput : public Output {
 public:
  ArchiveOutput(Disk& disk, Path file, std::string base, BagForm form, Timestamp time)
      : disk_(disk), file_(std::move(file)), base_(std::move(base)), form_(form), time_(time) {}

  Result<void> prepare(std::vector<Slot>& slots) override {
    for (const Slot& slot : slots)
      has_payload_ = has_payload_ || slot.path.starts_with("data/");
    std::uint64_t offset = 0;
    for (Slot& slot : slots) {
      slot.header_at = offset;
      slot.data_at = offset + header(slot).size();
      offset = slot.data_at + slot.size_bytes;
      if (form_ == BagForm::tar) offset = (offset + kTarBlock - 1) / kTarBlock * kTarBlock;
    }
    end_ = offset;
    TRY_SET(fd_, disk_.open(file_, O_RDWR | O_CREAT | O_EXCL, 0644));
    // What lies between the members of a tar is zeros, which a file that was made longer has.
    return disk_.allocate(fd_, 0, std::max<std::uint64_t>(end_, 1), file_);
  }

  Result<std::unique_ptr<Place>> place(Slot& slot) override {
    return std::unique_ptr<Place>(std::make_unique<ArchivePlace>(disk_, fd_, file_, slot));
  }

  Result<void> finish(std::vector<Slot>& slots) override {
    for (const Slot& slot : slots)
      TRY(write_at(header(slot), slot.header_at));
    TRY(write_at(ending(slots), end_));
    TRY(disk_.sync(fd_, file_));
    return disk_.close(std::move(fd_), file_);
  }

 private:
  std::string header(const Slot& slot) const {
    const std::string path = base_ + "/" + slot.path;
    if (form_ == BagForm::tar) return tar_header({path, slot.size_bytes}, slot.modified());
    return zip_header(zip_member(slot));
  }

  ZipMember zip_member(const Slot& slot) const {
    return {base_ + "/" + slot.path, slot.size_bytes, slot.crc, slot.header_at, slot.modified()};
  }

  // Without payload nothing says that there is a data/: a folder does.
  std::string ending(const std::vector<Slot>& slots) const {
    const std::string data = base_ + "/data/";
    std::string out;
    if (form_ == BagForm::tar) {
      if (!has_payload_) out += tar_folder_header(data, time_);
      return out + std::string(kTarEndBytes, '\0');
    }
    std::vector<ZipMember> members;
    members.reserve(slots.size() + 1);
    for (const Slot& slot : slots)
      members.push_back(zip_member(slot));
    if (!has_payload_) {
      members.push_back({data, 0, 0, end_, time_});
      out += zip_header(members.back());
    }
    return out + zip_end(members, end_ + out.size());
  }

  Result<void> write_at(std::string_view text, std::uint64_t offset) {
    std::span<const std::byte> bytes = as_bytes(text);
    while (!bytes.empty()) {
      TRY_SET(const std::size_t count, disk_.write_at(fd_, bytes, offset, file_));
      offset += count;
      bytes = bytes.subspan(count);
    }
    return {};
  }

  Disk& disk_;
  const Path file_;
  const std::string base_;
  const BagForm form_;
  const Timestamp time_;
  Fd fd_;
  std::uint64_t end_ = 0;
  bool has_payload_ = false;
};

// ---------------------------------------------------------------------------- the bag

class Creator {
 public:
  Creator(Disk& disk, const CreateOptions& options) : disk_(disk), options_(options) {}

  Result<Created> run() {
    TRY(check_info());
    TRY(look_at_target());
    { TRY_SET(scanned_, Scanner(disk_, options_).run()); }
    TRY(plan());
    TRY(check_space());
    auto done = build();
    if (!done) {
      (void)remove_part();  // Best effort: the next run with this target names what is left.
      return about_target(done.error(), part_, target_);
    }
    created_.files = scanned_.files.size();
    created_.octets = scanned_.octets;
    created_.empty_folders = scanned_.empty_folders;
    created_.empty_folder_paths = std::move(scanned_.empty_folder_paths);
    for (Finding& finding : scanned_.findings)
      created_.findings.push_back(std::move(finding));
    std::sort(created_.findings.begin(), created_.findings.end());
    return std::move(created_);
  }

 private:
  static Error bad_info(const std::string& label, const std::string& why) {
    return Error(Code::invalid, "bag-info.txt cannot have " + in_quotes(label) + ": " + why)
        .as("info-invalid");
  }

  Result<void> check_info() const {
    for (const auto& [label, value] : options_.info) {
      if (label.empty() || label.find(':') != std::string::npos || label != trim(label)) {
        return bad_info(label, "a label has no colon and no blanks at its ends");
      }
      if (!is_utf8(label) || printable(label) != label) return bad_info(label, "no plain text");
      if (!is_utf8(value)) return bad_info(label, "its value is no UTF-8");
      if (equal_ignoring_ascii_case(label, "Payload-Oxum")) {
        return bad_info(label, "it is computed from the payload");
      }
    }
    return {};
  }

  Result<void> look_at_target() {
    std::error_code failed;
    Path target = std::filesystem::absolute(options_.target, failed).lexically_normal();
    if (target.filename().empty()) target = target.parent_path();
    name_ = target.filename().native();
    if (failed || name_.empty() || !is_utf8(name_)) {
      return Error(Code::invalid, in_quotes(options_.target.native()) + " is no name for a bag");
    }
    TRY(check_base_name());
    const Path parent = std::filesystem::canonical(target.parent_path(), failed);
    if (failed) {
      return Error::from_errno(
          failed.value(),
          "the bag's folder " + in_quotes(target.parent_path().native()) + " cannot be read");
    }
    target_ = parent / name_;
    TRY_SET(const bool there, path_exists(disk_, target_));
    if (there) {
      return Error(Code::exists, in_quotes(target_.native()) +
                                     " is there already, and nothing is ever written over: name "
                                     "another target, or move it away");
    }
    for (const Path& source : options_.sources) {
      const Path below = target_.lexically_relative(std::filesystem::weakly_canonical(source));
      if (!below.empty() && *below.begin() != "..") {
        return Error(Code::invalid, "the bag " + in_quotes(target_.native()) +
                                        " would lie inside of its source; name a target elsewhere")
            .as("target-in-source");
      }
    }
    std::array<std::byte, 6> random{};
    random_bytes(random);
    const std::string prefix = "." + name_ + ".part-";
    part_ = parent / (prefix + hex_of(random));
    return disk_.list(parent, [&](const DirEntry& entry) {
      if (entry.name.starts_with(prefix)) created_.left_over.push_back(parent / entry.name);
      return true;
    });
  }

  // Every path in an archive begins with it: what unpacks the archive must stay in one new folder.
  Result<void> check_base_name() const {
    if (options_.form == BagForm::folder) return {};
    const std::string base = base_name();
    const bool drive = base.size() >= 2 && base[1] == ':' &&
                       lower_ascii(base.substr(0, 1)).find_first_of(kLetters) == 0;
    const bool fits = !base.empty() && base != "." && base != ".." && base[0] != '~' && !drive &&
                      base.find('\\') == std::string::npos && printable(base) == base;
    if (fits) return {};
    return Error(Code::invalid, "the folder in the archive would be called " + in_quotes(base) +
                                    ", which can lead out of where it is unpacked; name another "
                                    "target")
        .as("target-name");
  }

  // Of "my.bag" and "my.bag.tar" alike "my.bag": only what says how it is packed is no name.
  std::string base_name() const {
    if (options_.form == BagForm::folder) return name_;
    const std::string lower = lower_ascii(name_);
    const bool packed = lower.ends_with(".tar") || lower.ends_with(".zip");
    return packed ? name_.substr(0, name_.size() - 4) : name_;
  }

  BagInfo bag_info() const {
    BagInfo info = options_.info;
    const auto add = [&](const std::string& label, std::string value) {
      const bool there = std::any_of(info.begin(), info.end(), [&](const auto& each) {
        return equal_ignoring_ascii_case(each.first, label);
      });
      if (!there) info.emplace_back(label, std::move(value));
    };
    add("Bagging-Date", options_.time.date());
    add("Bag-Size", human_bytes(scanned_.octets));
    add("Payload-Oxum",
        std::to_string(scanned_.octets) + "." + std::to_string(scanned_.files.size()));
    add("Bag-Software-Agent", std::string(kProgramName) + " " + kVersion);
    return info;
  }

  static std::uint64_t manifest_bytes(Algorithm algorithm, const std::vector<std::string>& paths) {
    std::uint64_t bytes = 0;
    for (const std::string& path : paths)
      bytes += 2 * digest_bytes(algorithm) + 2 + encode_path(path).size() + 1;
    return bytes;
  }

  // All slots with their sizes: tag files first, of them the declaration and the manifests, so that
  // whoever reads an archive from its beginning can check all that follows.
  Result<void> plan() {
    std::vector<std::string> payload;
    for (const SourceFile& file : scanned_.files)
      payload.push_back(file.path);
    texts_["bagit.txt"] = write_bagit_txt();
    texts_["bag-info.txt"] = write_bag_info(bag_info());
    std::map<std::string, std::uint64_t> sizes;
    for (const auto& [path, text] : texts_)
      sizes[path] = text.size();
    for (const Algorithm algorithm : options_.algorithms)
      sizes[manifest(algorithm)] = manifest_bytes(algorithm, payload);
    std::vector<std::string> tags;
    tags.reserve(sizes.size());
    for (const auto& [path, size] : sizes)
      tags.push_back(path);
    for (const Algorithm algorithm : options_.algorithms)
      sizes["tag" + manifest(algorithm)] = manifest_bytes(algorithm, tags);
    std::vector<std::string> order{"bagit.txt"};
    for (const Algorithm algorithm : options_.algorithms)
      order.push_back("tag" + manifest(algorithm));
    for (const Algorithm algorithm : options_.algorithms)
      order.push_back(manifest(algorithm));
    order.emplace_back("bag-info.txt");
    const std::int64_t time_ns =
        std::clamp(options_.time.ms(), -kTimeMsMax, kTimeMsMax) * kNsOfMillisecond;
    for (const std::string& path : order) {
      if (sizes.at(path) > limits::kManifestBytesMax) {
        return Error(Code::limit, path + " would have more than " +
                                      human_bytes(limits::kManifestBytesMax) +
                                      "; make several bags");
      }
      slots_.push_back({.path = path, .size_bytes = sizes.at(path), .modified_ns = time_ns});
    }
    tags_ = slots_.size();
    for (const SourceFile& file : scanned_.files) {
      slots_.push_back({.path = file.path,
                        .size_bytes = file.info.size_bytes,
                        .modified_ns = options_.one_time ? time_ns : file.info.modified_ns});
    }
    return {};
  }

  static std::string manifest(Algorithm algorithm) {
    return "manifest-" + manifest_algorithm_name(algorithm) + ".txt";
  }

  Result<void> check_space() {
    std::uint64_t needed = kSpareBytes;
    for (const Slot& slot : slots_)
      needed += slot.size_bytes + kBytesLostPerFile;
    TRY_SET(const Space space, disk_.space(target_.parent_path()));
    const bool inodes = options_.form != BagForm::folder || space.total_inodes == 0 ||
                        space.free_inodes > slots_.size();
    if (space.free_bytes >= needed && inodes) return {};
    return Error(
        Code::no_space,
        "the bag needs " + human_bytes(needed) + " (" + human_bytes(kSpareBytes) +
            " of it in reserve, for folders and what the file system "
            "keeps beside the files) and room for " +
            std::to_string(slots_.size()) + " files; " + in_quotes(target_.parent_path().native()) +
            " has " + human_bytes(space.free_bytes) + " free" +
            (inodes ? "" : " and room for fewer files") + ": free some, or name another target");
  }

  Result<void> build() {
    if (options_.form == BagForm::folder) {
      output_ = std::make_unique<FolderOutput>(disk_, part_);
    } else {
      output_ =
          std::make_unique<ArchiveOutput>(disk_, part_, base_name(), options_.form, options_.time);
    }
    TRY(output_->prepare(slots_));
    TRY(copy_payload());
    TRY(write_tag_files());
    TRY(output_->finish(slots_));
    if (options_.validate) TRY(read_back());
    TRY(disk_.rename_new(part_, target_));
    return sync_folder(disk_, target_.parent_path());
  }

  Result<void> copy_payload() {
    digests_.resize(scanned_.files.size());
    {
      Pool pool(std::max<std::size_t>(options_.threads, 1), 64);
      for (std::size_t i = 0; i < scanned_.files.size() && !failed_; ++i) {
        pool.run([this, i] {
          if (failed_) return;
          auto copied = copy_file(i);
          if (copied) return;
          const std::scoped_lock lock(mutex_);
          if (!failed_) error_ = std::move(copied).error();
          failed_ = true;
        });
      }
      pool.drain();
    }
    if (failed_) return *error_;
    return {};
  }

  // One read for the copy and all digests.
  Result<void> copy_file(std::size_t number) {
    const SourceFile& file = scanned_.files[number];
    Slot& slot = slots_[tags_ + number];
    TRY_SET(const Fd fd, disk_.open(file.source, O_RDONLY | O_NONBLOCK));
    TRY(unchanged(file, fd));
    TRY_SET(const auto place, output_->place(slot));
    Hasher hasher(options_.algorithms);
    std::vector<std::byte> buffer(limits::kChunkBytes);
    std::uint64_t offset = 0;
    while (true) {
      if (options_.stop.stop_requested()) return Error(Code::cancelled, "stopped");
      if (failed_) return Error(Code::cancelled, "another file failed");
      TRY_SET(const std::size_t count, disk_.read_at(fd, buffer, offset, file.source));
      if (count == 0) break;
      // Never past the slot: what lies behind belongs to the next file.
      if (count > slot.size_bytes - offset) return changed(file);
      const auto bytes = std::span<const std::byte>(buffer).first(count);
      hasher.update(bytes);
      TRY(place->write(bytes));
      offset += count;
      done_bytes_ += count;
      if (options_.progress) options_.progress(done_files_, done_bytes_);
    }
    if (offset != slot.size_bytes) return changed(file);
    TRY(unchanged(file, fd));
    TRY(place->close());
    digests_[number] = hasher.finish();
    ++done_files_;
    return {};
  }

  static Error changed(const SourceFile& file) {
    return Error(Code::invalid, in_quotes(file.source.native()) +
                                    " changed while it was read; bag it when nobody writes to it")
        .as("file.changed");
  }

  Result<void> unchanged(const SourceFile& file, const Fd& fd) {
    TRY_SET(const FileInfo now, disk_.info(fd, file.source));
    const bool same = now.kind == FileKind::regular && now.inode == file.info.inode &&
                      now.device == file.info.device && now.size_bytes == file.info.size_bytes &&
                      now.changed_ns == file.info.changed_ns;
    if (same) return {};
    return changed(file);
  }

  Result<void> write_tag_files() {
    for (std::size_t a = 0; a < options_.algorithms.size(); ++a) {
      std::string text;
      for (std::size_t i = 0; i < scanned_.files.size(); ++i)
        append_manifest_line(digests_[i][a], scanned_.files[i].path, &text);
      texts_[manifest(options_.algorithms[a])] = std::move(text);
    }
    std::map<std::string, std::string> tag_manifests;
    for (const Algorithm algorithm : options_.algorithms) {
      std::string text;
      for (const auto& [path, bytes] : texts_)
        append_manifest_line(digest_of(algorithm, bytes), path, &text);
      if (algorithm == Algorithm::sha512) {
        created_.tag_manifest_digest = digest_of(Algorithm::sha512, text).hex();
      }
      tag_manifests["tag" + manifest(algorithm)] = std::move(text);
    }
    texts_.merge(tag_manifests);
    for (std::size_t i = 0; i < tags_; ++i) {
      const std::string& text = texts_.at(slots_[i].path);
      assert(text.size() == slots_[i].size_bytes);
      TRY_SET(const auto place, output_->place(slots_[i]));
      TRY(place->write(as_bytes(text)));
      TRY(place->close());
    }
    return {};
  }

  // Our own eyes see what we meant; the validator reads what is there.
  Result<void> read_back() {
    if (options_.validating) options_.validating();
    ValidateOptions how;
    how.threads = options_.threads;
    how.stop = options_.stop;
    if (options_.progress) {
      how.progress = [this](const Progress& seen) { options_.progress(seen.files, seen.bytes); };
    }
    TRY_SET(const Report report, validate(disk_, part_, how));
    std::set<std::pair<std::string, std::string>> told;
    for (const Finding& finding : scanned_.findings)
      told.emplace(finding.code, finding.path);
    for (const Finding& finding : report.findings) {
      if (finding.severity != Severity::warning) {
        return Error(Code::corrupt,
                     "the bag that was written does not read back as one: " + to_text(finding) +
                         "; the disk or the memory may be damaged")
            .as("bag-invalid");
      }
      // The archive is called `.part-…` for now.
      if (finding.code == "serialization.name") continue;
      if (told.emplace(finding.code, finding.path).second) created_.findings.push_back(finding);
    }
    if (report.verdict == Verdict::valid) return {};
    return Error(Code::corrupt, "the bag that was written does not read back as valid")
        .as("bag-invalid");
  }

  Result<void> remove_part() {
    output_.reset();
    return options_.form == BagForm::folder ? remove_tree(disk_, part_) : disk_.remove_file(part_);
  }

  Disk& disk_;
  const CreateOptions& options_;
  std::string name_;
  Path target_;
  Path part_;
  Scanned scanned_;
  Created created_;
  std::unique_ptr<Output> output_;
  std::vector<Slot> slots_;  // tag files, then scanned_.files
  std::size_t tags_ = 0;
  std::map<std::string, std::string> texts_;  // of tag files
  std::vector<std::vector<Digest>> digests_;  // of scanned_.files

  std::atomic<std::uint64_t> done_files_{0};
  std::atomic<std::uint64_t> done_bytes_{0};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::optional<Error> error_;  // Guarded by mutex_ until the pool has drained.
};

}  // namespace

Result<BagForm> form_of_name(const Path& target) {
  const std::string name = lower_ascii(target.filename().native());
  if (name.ends_with(".tar")) return BagForm::tar;
  if (name.ends_with(".zip")) return BagForm::zip;
  for (const std::string_view packed :
       {".gz", ".tgz", ".taz", ".bz2", ".tbz", ".tbz2", ".xz", ".txz", ".lz", ".lzma", ".tlz",
        ".zst", ".tzst", ".z", ".7z", ".zipx", ".rar", ".cpio"}) {
    if (!name.ends_with(packed)) continue;
    return Error(Code::unsupported,
                 in_quotes(name) + " ends like an archive that is not written (" +
                     std::string(packed) +
                     "): bags are not compressed, as every check would have to unpack them; name a "
                     ".tar, a .zip or a folder");
  }
  return BagForm::folder;
}

Result<Created> create_bag(Disk& disk, const CreateOptions& options) {
  return Creator(disk, options).run();
}

}  // namespace versement::bagit
