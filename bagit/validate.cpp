#include "bagit/validate.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>

#include <fcntl.h>

#include "bagit/tagfile.hpp"
#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/base/path.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

// What the manifests say of one file.
struct Expected {
  std::map<Algorithm, Digest> digests;
  std::set<std::string> manifests;  // that list it
};

struct ManifestFile {
  std::string name;
  bool tag = false;
  std::optional<Algorithm> algorithm;
};

class Validator {
 public:
  Validator(Disk& disk, Path bag, const ValidateOptions& options)
      : disk_(disk), bag_(std::move(bag)), options_(options) {}

  Result<Report> run() {
    TRY_SET(const FileInfo info, disk_.info(bag_));
    if (info.kind != FileKind::folder) {
      return Error(Code::invalid,
                   bag_.native() + " is no folder; bags in archives are not read yet");
    }
    TRY(walk("", 0));
    declaration();
    read_manifests();
    read_fetch();
    compare_with_tree();
    TRY(hash_all());
    oxum();
    return finish();
  }

 private:
  void find(std::string code,
            Severity severity,
            std::string section,
            std::string path,
            std::string detail,
            std::size_t line = 0) {
    const std::scoped_lock lock(mutex_);
    report_.findings.push_back({.code = std::move(code),
                                .severity = severity,
                                .section = std::move(section),
                                .path = std::move(path),
                                .line = line,
                                .algorithm = {},
                                .expected = {},
                                .found = {},
                                .detail = std::move(detail)});
  }
  void error(std::string code,
             std::string section,
             std::string path,
             std::string detail,
             std::size_t line = 0) {
    find(std::move(code), Severity::error, std::move(section), std::move(path), std::move(detail),
         line);
  }
  void warn(std::string code,
            std::string section,
            std::string path,
            std::string detail,
            std::size_t line = 0) {
    find(std::move(code), Severity::warning, std::move(section), std::move(path), std::move(detail),
         line);
  }

  // Every file below the bag, by its path. Links and special files are named and never opened.
  Result<void> walk(const std::string& folder, std::size_t depth) {
    if (depth > limits::kPathDepthMax) {
      error("path.depth", "", folder, "folders nest deeper than 64");
      return {};
    }
    TRY_SET(const auto entries, list_sorted(disk_, bag_ / folder));
    for (const DirEntry& entry : entries) {
      const std::string path = folder.empty() ? entry.name : folder + "/" + entry.name;
      if (entry.kind == FileKind::folder) {
        if (path == "data") has_data_ = true;
        TRY(walk(path, depth + 1));
      } else if (entry.kind == FileKind::regular) {
        TRY_SET(const FileInfo info, disk_.info(bag_ / path));
        tree_[path] = info.size_bytes;
      } else {
        error(entry.kind == FileKind::link ? "path.symlink" : "path.special-file", "2.1", path,
              "is no regular file");
      }
    }
    return {};
  }

  std::optional<std::string> tag_file(const std::string& name, std::size_t bytes_max) {
    auto bytes = read_file(disk_, bag_ / name, bytes_max);
    if (bytes) return std::move(*bytes);
    if (bytes.error().code() == Code::limit) {
      error("tagfile.size", "", name, bytes.error().what());
    } else {
      unreadable(name, bytes.error());
    }
    return std::nullopt;
  }

  void unreadable(const std::string& path, const Error& why) {
    error("file.unreadable", "", path, why.what());
    const std::scoped_lock lock(mutex_);
    unexaminable_ = true;
  }

  void declaration() {
    if (!tree_.contains("bagit.txt")) {
      error("bagit.missing", "2.1.1", "bagit.txt", "is not there");
    } else if (const auto bytes = tag_file("bagit.txt", limits::kConfigBytesMax)) {
      auto parsed = parse_bagit_txt(*bytes);
      if (parsed) {
        declaration_ = *parsed;
        if (!equal_ignoring_ascii_case(declaration_.encoding, "UTF-8")) {
          error("bagit.encoding", "2.1.1", "bagit.txt",
                "tag files in " + printable(declaration_.encoding) + " are not read yet");
        }
      } else {
        error(parsed.error().reason(), "2.1.1", "bagit.txt", parsed.error().what());
      }
    }
    if (!has_data_) error("data.missing", "2.1.2", "data", "there is no payload folder");
  }

  static std::optional<ManifestFile> manifest_file(const std::string& name) {
    ManifestFile file;
    file.name = name;
    std::string_view rest = name;
    if (rest.starts_with("tag")) {
      file.tag = true;
      rest.remove_prefix(3);
    }
    if (!rest.starts_with("manifest-") || !rest.ends_with(".txt")) return std::nullopt;
    rest = rest.substr(9, rest.size() - 13);
    if (rest.find('/') != std::string_view::npos) return std::nullopt;
    file.algorithm = algorithm_of_name(rest == "blake2b512" ? "blake2b-512" : rest);
    return file;
  }

  void read_manifests() {
    for (const auto& [path, size] : tree_) {
      if (path.find('/') != std::string::npos) continue;
      if (const auto file = manifest_file(path)) read_manifest(*file);
    }
    if (payload_manifests_.empty()) {
      error("manifest.none", "2.1.3", "", "there is no payload manifest");
    }
  }

  void read_manifest(const ManifestFile& file) {
    (file.tag ? tag_manifests_ : payload_manifests_).push_back(file.name);
    const auto bytes = tag_file(file.name, limits::kManifestBytesMax);
    if (!bytes) return;
    if (!file.algorithm) {
      error("manifest.unverifiable", "2.4", file.name, "the algorithm is not known");
      return;
    }
    if (const auto bad = first_invalid_utf8(*bytes)) {
      error("encoding.invalid", "2.2", file.name, "byte " + std::to_string(*bad) + " is not UTF-8");
      return;
    }
    if (file.tag && file.name == "tagmanifest-sha512.txt") {
      report_.tag_manifest_digest = digest_of(Algorithm::sha512, *bytes).hex();
    }
    auto parsed = parse_manifest(*bytes, [&](ManifestLine&& line) -> Result<void> {
      take_line(file, line);
      return {};
    });
    if (!parsed) error("manifest.syntax", "2.1.3", file.name, parsed.error().what());
  }

  void take_line(const ManifestFile& file, const ManifestLine& line) {
    const auto path = LogicalPath::parse(line.path);
    // LF and CR are legal in a bag's names; LogicalPath is stricter than RFC 8493 there.
    if (!path && line.path.find_first_of("\r\n") == std::string::npos) {
      error("path.unsafe", "5.2", line.path, path.error().what(), line.line);
      return;
    }
    const bool payload = line.path.starts_with("data/");
    if (payload == file.tag) {
      error(file.tag ? "tagmanifest.lists-payload" : "manifest.outside-data", "2.1.3", line.path,
            "stands in " + file.name, line.line);
      return;
    }
    if (file.tag && line.path.starts_with("tagmanifest-")) {
      error("tagmanifest.lists-tagmanifest", "2.2.1", line.path, "", line.line);
      return;
    }
    if (line.asterisk) warn("manifest.asterisk", "2.1.3", line.path, "", line.line);
    if (line.strange_percent) {
      warn("manifest.percent-unencoded", "2.1.3", line.path, "a % that codes nothing", line.line);
    }
    const auto digest = Digest::from_hex(*file.algorithm, line.checksum);
    if (!digest) {
      error("manifest.checksum-form", "2.1.3", line.path, digest.error().what(), line.line);
      return;
    }
    Expected& expected = expected_[line.path];
    if (!expected.manifests.insert(file.name).second) {
      error("manifest.duplicate", "2.1.3", line.path, "stands twice in " + file.name, line.line);
      return;
    }
    expected.digests[*file.algorithm] = *digest;
  }

  void read_fetch() {
    if (!tree_.contains("fetch.txt")) return;
    const auto bytes = tag_file("fetch.txt", limits::kManifestBytesMax);
    if (!bytes) return;
    auto read =
        for_each_line(*bytes, [&](std::size_t number, std::string_view line) -> Result<void> {
          if (trim(line).empty()) return {};
          const std::size_t first = line.find_first_of(" \t");
          const std::size_t length = line.find_first_not_of(" \t", first);
          const std::size_t second = line.find_first_of(" \t", length);
          const std::size_t path = line.find_first_not_of(" \t", second);
          if (first == 0 || path == std::string_view::npos) {
            error("fetch.syntax", "2.2.3", "fetch.txt", "no URL, length and path", number);
            return {};
          }
          bool strange = false;
          fetch_.insert(decode_path(line.substr(path), &strange));
          return {};
        });
    if (!read) error("fetch.syntax", "2.2.3", "fetch.txt", read.error().what());
  }

  void compare_with_tree() {
    for (const auto& [path, expected] : expected_) {
      const bool payload = path.starts_with("data/");
      if (!tree_.contains(path)) missing(path, payload);
      if (payload && declaration_.at_least(1, 0)) listed_by_all(path, expected);
    }
    for (const auto& [path, size] : tree_) {
      if (path.starts_with("data/") && !expected_.contains(path)) {
        error("payload.unlisted", "3", path, "is in no manifest");
      }
    }
    for (const std::string& tag : tag_manifests_)
      lists_manifests(tag);
  }

  void missing(const std::string& path, bool payload) {
    if (payload && fetch_.contains(path)) {
      ++fetchable_;
    } else {
      error(payload ? "payload.missing" : "tagfile.missing", "3", path, "is not there");
    }
  }

  void listed_by_all(const std::string& path, const Expected& expected) {
    for (const std::string& manifest : payload_manifests_) {
      if (expected.manifests.contains(manifest)) continue;
      error("manifest.incomplete", "2.1.3", path, "is not in " + manifest);
    }
  }

  void lists_manifests(const std::string& tag) {
    for (const std::string& manifest : payload_manifests_) {
      const auto found = expected_.find(manifest);
      if (found != expected_.end() && found->second.manifests.contains(tag)) continue;
      error("tagmanifest.omits-manifest", "2.2.1", tag, "does not list " + manifest);
    }
  }

  Result<void> hash_all() {
    Pool pool(options_.threads, 64);
    for (const auto& [path, expected] : expected_) {
      if (options_.stop.stop_requested()) break;
      if (!tree_.contains(path)) continue;
      pool.run([this, &path = path, &expected = expected] { hash_one(path, expected); });
    }
    pool.drain();
    if (options_.stop.stop_requested()) return Error(Code::cancelled, "stopped");
    return {};
  }

  void hash_one(const std::string& path, const Expected& expected) {
    if (options_.stop.stop_requested()) return;
    std::vector<Algorithm> algorithms;
    for (const auto& [algorithm, digest] : expected.digests)
      algorithms.push_back(algorithm);
    auto digests = read_digests(path, algorithms);
    if (!digests) {
      unreadable(path, digests.error());
      return;
    }
    for (const Digest& digest : *digests) {
      const Digest& wanted = expected.digests.at(digest.algorithm());
      if (digest == wanted) continue;
      const std::scoped_lock lock(mutex_);
      report_.findings.push_back({.code = "checksum.mismatch",
                                  .severity = Severity::error,
                                  .section = "3",
                                  .path = path,
                                  .line = 0,
                                  .algorithm = std::string(algorithm_name(digest.algorithm())),
                                  .expected = wanted.hex(),
                                  .found = digest.hex(),
                                  .detail = {}});
    }
  }

  Result<std::vector<Digest>> read_digests(const std::string& path,
                                           const std::vector<Algorithm>& algorithms) {
    const Path file = bag_ / path;
    TRY_SET(const Fd fd, disk_.open(file, O_RDONLY));
    Hasher hasher(algorithms);
    std::vector<std::byte> buffer(limits::kChunkBytes);
    std::uint64_t offset = 0;
    while (!options_.stop.stop_requested()) {
      TRY_SET(const std::size_t count, disk_.read_at(fd, buffer, offset, file));
      if (count == 0) break;
      hasher.update(std::span<const std::byte>(buffer).first(count));
      offset += count;
      const std::scoped_lock lock(mutex_);
      report_.bytes += count;
      if (options_.progress) options_.progress(report_.files, report_.bytes);
    }
    const std::scoped_lock lock(mutex_);
    ++report_.files;
    return hasher.finish();
  }

  void oxum() {
    if (!tree_.contains("bag-info.txt")) return;
    const auto bytes = tag_file("bag-info.txt", limits::kTagFileBytesMax);
    if (!bytes) return;
    const auto info = parse_bag_info(*bytes);
    if (!info) {
      error("baginfo.syntax", "2.2.2", "bag-info.txt", info.error().what());
      return;
    }
    std::uint64_t octets = 0;
    std::uint64_t streams = 0;
    for (const auto& [path, size] : tree_) {
      if (!path.starts_with("data/")) continue;
      octets += size;
      ++streams;
    }
    std::size_t seen = 0;
    for (const auto& [label, value] : *info) {
      if (!equal_ignoring_ascii_case(label, "Payload-Oxum")) continue;
      if (++seen > 1) error("oxum.repeated", "2.2.2", "bag-info.txt", "Payload-Oxum stands twice");
      const auto oxum = parse_oxum(value);
      if (!oxum) {
        error("oxum.syntax", "2.2.2", "bag-info.txt", "'" + printable(value) + "' is no Oxum");
      } else if (fetchable_ == 0 && (oxum->octets != octets || oxum->streams != streams)) {
        error("oxum.mismatch", "2.2.2", "bag-info.txt",
              "says " + value + ", but there are " + std::to_string(octets) + "." +
                  std::to_string(streams));
      }
    }
  }

  Report finish() {
    std::stable_sort(report_.findings.begin(), report_.findings.end(),
                     [](const Finding& a, const Finding& b) {
                       return std::tie(a.path, a.code, a.line) < std::tie(b.path, b.code, b.line);
                     });
    const bool damaged =
        std::any_of(report_.findings.begin(), report_.findings.end(), [](const Finding& finding) {
          return finding.severity == Severity::error && finding.code != "file.unreadable";
        });
    report_.verdict = damaged          ? Verdict::invalid
                      : unexaminable_  ? Verdict::unexaminable
                      : fetchable_ > 0 ? Verdict::incomplete
                                       : Verdict::valid;
    return std::move(report_);
  }

  Disk& disk_;
  const Path bag_;
  const ValidateOptions& options_;
  Declaration declaration_;
  bool has_data_ = false;
  std::map<std::string, std::uint64_t> tree_;  // path to size
  std::map<std::string, Expected> expected_;
  std::vector<std::string> payload_manifests_;
  std::vector<std::string> tag_manifests_;
  std::set<std::string> fetch_;
  std::uint64_t fetchable_ = 0;

  std::mutex mutex_;
  Report report_;              // Guarded by mutex_ while files are hashed.
  bool unexaminable_ = false;  // likewise
};

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::valid:
      return "valid";
    case Verdict::invalid:
      return "invalid";
    case Verdict::incomplete:
      return "incomplete";
    case Verdict::unexaminable:
      return "unexaminable";
  }
  return "unexaminable";
}

Result<Report> validate(Disk& disk, const Path& bag, const ValidateOptions& options) {
  return Validator(disk, bag, options).run();
}

}  // namespace versement::bagit
