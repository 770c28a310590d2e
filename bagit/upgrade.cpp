#include "bagit/upgrade.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include <fcntl.h>

#include "bagit/contents.hpp"
#include "bagit/create.hpp"
#include "bagit/folder_lines.hpp"
#include "bagit/folder_tree.hpp"
#include "bagit/tagfile.hpp"
#include "bagit/target.hpp"
#include "store/base/ids.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"

namespace versement::bagit {
namespace {

// RFC 9562's space of names that are URLs.
constexpr std::string_view kUrlSpace = "6ba7b811-9dad-11d1-80b4-00c04fd430c8";

std::string in_quotes(std::string_view path) {
  return "'" + printable(path) + "'";
}

// For element content. Requires: no control characters.
std::string escape_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string names_of(const std::vector<Algorithm>& algorithms) {
  std::vector<std::string> names;
  names.reserve(algorithms.size());
  for (const Algorithm algorithm : algorithms)
    names.emplace_back(algorithm_name(algorithm));
  return join(names, ", ");
}

std::string manifest_name(Algorithm algorithm) {
  return "manifest-" + manifest_algorithm_name(algorithm) + ".txt";
}

// One file of the old bag.
struct Kept {
  std::string path;
  bool payload = false;
  std::vector<Digest> listed;  // what its manifests say
  std::string to;              // in the new bag
  FileInfo info;               // as it was when it was read, with the name in the new bag
  std::map<Algorithm, Digest> found;
};

class Upgrader {
 public:
  Upgrader(Disk& disk, const UpgradeOptions& options) : disk_(disk), options_(options) {}

  Result<Upgraded> run() {
    TRY(look_at_target());
    ValidateOptions how;
    how.depth = Depth::complete;
    how.stop = options_.stop;
    how.listed = [this](std::string_view path, const Digest& digest) {
      listed_[std::string(path)].push_back(digest);
    };
    TRY_SET(out_.old, validate(disk_, options_.bag, how));
    if (out_.old.verdict != Verdict::complete) return std::move(out_);
    TRY(list());
    TRY(read_declaration());
    TRY(find_manifests());
    choose_algorithms();
    if (!out_.needed) return std::move(out_);
    auto built = build();
    if (built && out_.old.verdict == Verdict::complete) {
      out_.made = true;
      return std::move(out_);
    }
    (void)remove_tree(disk_, part_);  // Best effort: it has no file of its own but tag files.
    if (!built) return about_target(built.error(), part_, target_);
    return std::move(out_);
  }

 private:
  Result<void> look_at_target() {
    std::error_code failed;
    Path target = std::filesystem::absolute(options_.target, failed).lexically_normal();
    if (target.filename().empty()) target = target.parent_path();
    const Path parent = std::filesystem::canonical(target.parent_path(), failed);
    if (failed) {
      return Error::from_errno(failed.value(), "the folder of the new bag cannot be read: " +
                                                   in_quotes(target.parent_path().native()));
    }
    target_ = parent / target.filename();
    const auto form = form_of_name(target_);
    if (!form || *form != BagForm::folder) {
      return Error(Code::unsupported,
                   in_quotes(target.filename().native()) +
                       " is the name of an archive, and an upgrade makes a folder that shares its "
                       "files with the old bag; name a folder, and pack it with tar or zip after")
          .as("upgrade-makes-folders");
    }
    bag_ = std::filesystem::canonical(options_.bag, failed);
    if (failed) {
      return Error::from_errno(failed.value(), "cannot read " + in_quotes(options_.bag.native()));
    }
    const Path below = target_.lexically_relative(bag_);
    if (!below.empty() && *below.begin() != "..") {
      return Error(Code::invalid,
                   "the new bag would lie inside of the old one; name another target")
          .as("target-in-source");
    }
    TRY_SET(const bool there, path_exists(disk_, target_));
    if (there) {
      return Error(Code::exists, in_quotes(target_.native()) +
                                     " is there already, and nothing is ever written over: name "
                                     "another target, or move it away");
    }
    std::array<std::byte, 6> random{};
    random_bytes(random);
    part_ = parent / ("." + target_.filename().native() + ".part-" + hex_of(random));
    return {};
  }

  Result<void> list() {
    TRY_SET(const auto tree, open_folder(disk_, bag_));
    Contents contents;
    std::string trouble;
    const auto say = [&](std::string_view code, const std::string& path, const std::string&) {
      trouble = std::string(code) + " " + path;
    };
    TRY(contents.load(
        *tree, {}, say, [](std::uint64_t, std::uint64_t) {}, options_.stop));
    if (!trouble.empty()) return Error(Code::conflict, "the bag changed: " + printable(trouble));
    for (const File& file : contents.files()) {
      if (file.kind == EntryKind::folder) continue;
      if (file.kind != EntryKind::file) {
        return Error(Code::unsupported,
                     in_quotes(file.path()) +
                         " is a symbolic link; a bag with links is not upgraded: "
                         "make a new one with bag create --follow-links")
            .as("path.symlink");
      }
      Kept kept;
      kept.path = file.path();
      kept.payload = file.path().starts_with("data/");
      // By the validator's own look-up: whatever it takes a line to mean is what is compared here.
      if (const auto lines = listed_.find(kept.path); lines != listed_.end()) {
        kept.listed = std::move(lines->second);
      }
      files_.emplace(kept.path, std::move(kept));
    }
    return {};
  }

  Result<void> read_declaration() {
    TRY_SET(const std::string bytes, read_file(disk_, bag_ / "bagit.txt", limits::kConfigBytesMax));
    TRY_SET(declaration_, parse_bagit_txt(bytes));
    out_.from_version = out_.old.version;
    return {};
  }

  Result<void> find_manifests() {
    std::set<Algorithm> algorithms;
    for (const auto& [path, kept] : files_) {
      const auto name = parse_manifest_name(path);
      if (!name) continue;
      const auto algorithm = algorithm_of_manifest(name->algorithm);
      if (!algorithm) {
        return Error(Code::unsupported, path + " has an algorithm that is not known")
            .as("manifest.unverifiable");
      }
      if (!name->tag) algorithms.insert(*algorithm);
      replaced_.insert(path);
    }
    out_.from_algorithms.assign(algorithms.begin(), algorithms.end());
    return {};
  }

  void choose_algorithms() {
    std::set<Algorithm> all(out_.from_algorithms.begin(), out_.from_algorithms.end());
    const std::size_t before = all.size();
    all.insert(options_.algorithms.begin(), options_.algorithms.end());
    out_.algorithms.assign(all.begin(), all.end());
    const bool tag_manifests = std::all_of(all.begin(), all.end(), [&](Algorithm algorithm) {
      return files_.contains("tag" + manifest_name(algorithm));
    });
    out_.needed = all.size() > before || !declaration_.at_least(1, 0) || !tag_manifests ||
                  !equal_ignoring_ascii_case(declaration_.encoding, "UTF-8");
  }

  // Payload with all algorithms; tag files with those that they are listed with.
  Result<void> read_files() {
    std::mutex mutex;
    std::optional<Error> error;
    std::atomic<bool> failed{false};
    {
      Pool pool(std::max<std::size_t>(options_.threads, 1), 64);
      for (auto& [path, kept] : files_) {
        if (failed) break;
        pool.run([&, one = &kept] {
          if (failed) return;
          auto read = read_one(*one);
          if (read) return;
          const std::scoped_lock lock(mutex);
          if (!error) error = std::move(read).error();
          failed = true;
        });
      }
      pool.drain();
    }
    if (error) return *error;
    for (const auto& [path, kept] : files_) {
      compare(kept);
      if (!kept.payload) tag_digests_[kept.to] = kept.found;
    }
    out_.files = done_files_;
    out_.bytes = done_bytes_;
    return {};
  }

  Result<void> read_one(Kept& kept) {
    std::set<Algorithm> wanted;
    for (const Digest& digest : kept.listed)
      wanted.insert(digest.algorithm());
    // The new tag manifests list these files too.
    wanted.insert(out_.algorithms.begin(), out_.algorithms.end());
    const std::vector<Algorithm> algorithms(wanted.begin(), wanted.end());
    // By its new name, which nobody else knows: it cannot come to mean another file.
    const Path file = part_ / kept.to;
    TRY_SET(const Fd fd, disk_.open(file, O_RDONLY | O_NONBLOCK));
    TRY_SET(kept.info, disk_.info(fd, file));
    Hasher hasher(algorithms);
    std::vector<std::byte> buffer(limits::kChunkBytes);
    std::uint64_t offset = 0;
    while (true) {
      if (options_.stop.stop_requested()) return Error(Code::cancelled, "stopped");
      TRY_SET(const std::size_t count, disk_.read_at(fd, buffer, offset, file));
      if (count == 0) break;
      hasher.update(std::span<const std::byte>(buffer).first(count));
      offset += count;
      done_bytes_ += count;
      if (options_.progress) options_.progress(done_files_, done_bytes_);
    }
    TRY_SET(const FileInfo now, disk_.info(fd, file));
    TRY(unchanged(kept, now));
    for (const Digest& digest : hasher.finish())
      kept.found.emplace(digest.algorithm(), digest);
    ++done_files_;
    return {};
  }

  // A link changes this time, too: all were made before the first file was read.
  static Result<void> unchanged(const Kept& kept, const FileInfo& now) {
    const FileInfo& before = kept.info;
    const bool same = now.kind == FileKind::regular && now.inode == before.inode &&
                      now.device == before.device && now.size_bytes == before.size_bytes &&
                      now.changed_ns == before.changed_ns;
    if (same) return {};
    return Error(Code::conflict, in_quotes(kept.path) +
                                     " changed while the bag was upgraded; do it again when "
                                     "nobody writes to it")
        .as("file.changed");
  }

  void compare(const Kept& kept) {
    // The validator found each listed; one that came since then is vouched for by nobody.
    if (kept.payload && kept.listed.empty()) refuse("payload.unlisted", kept.path);
    for (const Digest& listed : kept.listed) {
      const Digest& found = kept.found.at(listed.algorithm());
      if (found == listed) continue;
      Finding& finding = refuse("checksum.mismatch", kept.path);
      finding.algorithm = algorithm_name(listed.algorithm());
      finding.expected = listed.hex();
      finding.found = found.hex();
    }
  }

  Finding& refuse(std::string_view code, const std::string& path) {
    const Rule& broken = rule(code);
    Finding finding;
    finding.code = broken.code;
    finding.severity = broken.standard;
    finding.section = broken.section;
    finding.path = path;
    out_.old.findings.push_back(std::move(finding));
    out_.old.verdict = Verdict::invalid;
    return out_.old.findings.back();
  }

  // ---------------------------------------------------------------------------- the new bag

  Result<void> build() {
    TRY(disk_.make_folder(part_));
    TRY(disk_.make_folder(part_ / "data"));
    choose_names();
    TRY(link_files());
    TRY(read_files());
    if (out_.old.verdict != Verdict::complete) return {};
    TRY(write_tag_files());
    TRY_SET(const Fd fd, disk_.open(part_, O_RDONLY | O_DIRECTORY));
    TRY(disk_.sync_file_system(fd, part_));
    TRY(validate_new());
    for (const auto& [path, kept] : files_) {
      TRY_SET(const FileInfo now, disk_.info(part_ / kept.to));
      TRY(unchanged(kept, now));
    }
    TRY(disk_.rename_new(part_, target_));
    return sync_folder(disk_, target_.parent_path());
  }

  // Names that no file of the old bag has.
  std::string unused(const std::string& stem, const std::string& extension) const {
    for (int number = 1;; ++number) {
      std::string name = stem + (number > 1 ? "-" + std::to_string(number) : "") + extension;
      const auto next = files_.lower_bound(name);
      const bool taken =
          next != files_.end() && (next->first == name || next->first.starts_with(name + "/"));
      if (!taken) return name;
    }
  }

  void choose_names() {
    out_.originals = unused("metadata/bagit-original", "");
    out_.event = unused("metadata/premis-upgrade", ".xml");
    for (const char* const name : {"bagit.txt", "bag-info.txt", "package-info.txt"}) {
      if (files_.contains(name)) replaced_.insert(name);
    }
    // All is there that it names, and its paths are coded in the old way.
    if (files_.contains("fetch.txt") && !declaration_.at_least(1, 0)) replaced_.insert("fetch.txt");
  }

  // Files are shared with the old bag. Where that cannot be, a copy of it can be upgraded.
  Result<void> share(const Path& from, const Path& to) {
    auto linked = disk_.link_new(from, to);
    const Code code = linked ? Code::internal : linked.error().code();
    if (code != Code::unsupported && code != Code::denied) return linked;
    return Error(code, linked.error().what() +
                           "; the new bag shares its files with the old one (hard links), which "
                           "needs one file system that has them, and files that are your own: name "
                           "a target beside the old bag, or copy the bag there first (cp -a) and "
                           "upgrade the copy")
        .as("no-hard-links");
  }

  Result<void> link_files() {
    std::string last;
    for (auto& [path, kept] : files_) {
      kept.to = replaced_.contains(path) ? out_.originals + "/" + path : path;
      const std::size_t slash = kept.to.rfind('/');
      if (slash != std::string::npos && kept.to.compare(0, slash, last) != 0) {
        last = kept.to.substr(0, slash);
        TRY(make_folders(disk_, part_ / last));
      }
      TRY(share(bag_ / path, part_ / kept.to));
    }
    return {};
  }

  Result<BagInfo> old_info() const {
    BagInfo info;
    const bool old = !declaration_.at_least(1, 0);
    for (const char* const name : {"package-info.txt", "bag-info.txt"}) {
      if (!files_.contains(name)) continue;
      BagInfoReader reader(old, [](std::string_view, std::size_t, const std::string&) {});
      TRY(folder_lines(disk_, bag_ / name, declaration_.encoding,
                       [&](std::size_t number, std::string_view line) -> Result<void> {
                         reader.line(number, line);
                         return {};
                       }));
      info.insert(info.end(), reader.info().begin(), reader.info().end());
    }
    return info;
  }

  std::string oxum() const {
    std::uint64_t octets = 0;
    std::uint64_t files = 0;
    for (const auto& [path, kept] : files_) {
      if (!kept.payload) continue;
      octets += kept.info.size_bytes;
      ++files;
    }
    return std::to_string(octets) + "." + std::to_string(files);
  }

  Result<void> write_tag_files() {
    TRY_SET(BagInfo info, old_info());
    const bool has_oxum = std::any_of(info.begin(), info.end(), [](const auto& each) {
      return equal_ignoring_ascii_case(each.first, "Payload-Oxum");
    });
    if (!has_oxum) info.emplace_back("Payload-Oxum", oxum());
    TRY(write_tag("bagit.txt", write_bagit_txt()));
    TRY(write_tag("bag-info.txt", write_bag_info(info)));
    for (const Algorithm algorithm : out_.algorithms) {
      std::string text;
      for (const auto& [path, kept] : files_) {
        if (kept.payload) append_manifest_line(kept.found.at(algorithm), path, &text);
      }
      TRY(write_tag(manifest_name(algorithm), text));
    }
    TRY(make_folders(disk_, (part_ / out_.event).parent_path()));
    TRY(write_tag(out_.event, event()));
    for (const Algorithm algorithm : out_.algorithms) {
      std::string text;
      for (const auto& [path, digests] : tag_digests_)
        append_manifest_line(digests.at(algorithm), path, &text);
      TRY(write_file("tag" + manifest_name(algorithm), text));
    }
    return {};
  }

  Result<void> write_tag(const std::string& path, const std::string& text) {
    std::map<Algorithm, Digest>& digests = tag_digests_[path];
    for (const Algorithm algorithm : out_.algorithms)
      digests[algorithm] = digest_of(algorithm, text);
    return write_file(path, text);
  }

  Result<void> write_file(const std::string& path, const std::string& text) {
    TRY_SET(Fd fd, disk_.open(part_ / path, O_WRONLY | O_CREAT | O_EXCL, 0644));
    TRY(write_all(disk_, fd, as_bytes(text), part_ / path));
    return disk_.close(std::move(fd), part_ / path);
  }

  // PREMIS 3: what was done, when and by what. The same upgrade at the same time has the same id.
  std::string event() const {
    const std::string detail =
        "BagIt " + out_.from_version + " (" + declaration_.encoding + ", " +
        names_of(out_.from_algorithms) + ") to 1.0 (UTF-8, " + names_of(out_.algorithms) +
        "). Every file was verified against the old manifests in the read that the new checksums "
        "are of. The replaced tag files are kept in " +
        out_.originals + ".";
    const Uuid id = Uuid::of_name(*Uuid::parse(kUrlSpace),
                                  "urn:versement:bag-upgrade:" + options_.time.text() + ":" +
                                      tag_digests_.at(manifest_name(out_.algorithms.back()))
                                          .at(out_.algorithms.back())
                                          .hex());
    const auto element = [](const std::string& name, const std::string& text) {
      return "<" + name + ">" + escape_xml(printable(text)) + "</" + name + ">\n";
    };
    return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
           "<event xmlns=\"http://www.loc.gov/premis/v3\" version=\"3.0\">\n"
           "  <eventIdentifier>\n    " +
           element("eventIdentifierType", "UUID") + "    " +
           element("eventIdentifierValue", id.text()) +
           "  </eventIdentifier>\n  "
           "<eventType authority=\"eventType\" "
           "authorityURI=\"http://id.loc.gov/vocabulary/preservation/eventType\" "
           "valueURI=\"http://id.loc.gov/vocabulary/preservation/eventType/mes\">"
           "message digest calculation</eventType>\n  " +
           element("eventDateTime", options_.time.text_seconds()) +
           "  <eventDetailInformation>\n    " + element("eventDetail", detail) +
           "  </eventDetailInformation>\n"
           "  <eventOutcomeInformation>\n    " +
           element("eventOutcome", "success") +
           "  </eventOutcomeInformation>\n"
           "  <linkingAgentIdentifier>\n    " +
           element("linkingAgentIdentifierType", "name") + "    " +
           element("linkingAgentIdentifierValue", std::string(kProgramName) + " " + kVersion) +
           "  </linkingAgentIdentifier>\n"
           "</event>\n";
  }

  // Its files were read a moment ago; what is new is that they are the ones of these manifests.
  Result<void> validate_new() {
    ValidateOptions how;
    how.depth = Depth::complete;
    how.stop = options_.stop;
    TRY_SET(const Report report, validate(disk_, part_, how));
    if (report.verdict == Verdict::complete) return {};
    std::string why;
    for (const Finding& finding : report.findings) {
      if (finding.severity != Severity::warning && why.empty()) why = ": " + to_text(finding);
    }
    return Error(Code::corrupt, "the new bag does not read back as one" + why).as("bag-invalid");
  }

  Disk& disk_;
  const UpgradeOptions& options_;
  Path bag_;
  Path target_;
  Path part_;
  Upgraded out_;
  Declaration declaration_;
  std::map<std::string, Kept> files_;
  std::map<std::string, std::vector<Digest>> listed_;  // of the old manifests' lines, by path
  std::set<std::string> replaced_;
  std::map<std::string, std::map<Algorithm, Digest>> tag_digests_;  // of the new bag
  std::atomic<std::uint64_t> done_files_{0};
  std::atomic<std::uint64_t> done_bytes_{0};
};

}  // namespace

Result<Upgraded> upgrade_bag(Disk& disk, const UpgradeOptions& options) {
  return Upgrader(disk, options).run();
}

}  // namespace versement::bagit
