#include "bagit/validate.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <set>

#include "bagit/contents.hpp"
#include "bagit/folder_tree.hpp"
#include "bagit/manifests.hpp"
#include "bagit/name_check.hpp"
#include "bagit/names.hpp"
#include "bagit/notes.hpp"
#include "bagit/open.hpp"
#include "bagit/payload_check.hpp"
#include "bagit/tag_reader.hpp"
#include "bagit/tagfile.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

std::string media_type(Form form) {
  switch (form) {
    case Form::tar:
      return "application/tar";
    case Form::tar_gz:
      return "application/gzip";
    case Form::zip:
      return "application/zip";
    case Form::folder:
    case Form::plan:
      return {};
  }
  return {};
}

bool is_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return false;
  const auto year = parse_decimal(text.substr(0, 4));
  const auto month = parse_decimal(text.substr(5, 2));
  const auto day = parse_decimal(text.substr(8, 2));
  if (!year || !month || !day) return false;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  return date.ok();
}

// "N of T", or "N of ?" where the sender did not know.
bool is_bag_count(std::string_view text) {
  const std::size_t of = text.find(" of ");
  if (of == std::string_view::npos) return false;
  const auto count = parse_decimal(text.substr(0, of));
  const auto total = parse_decimal(text.substr(of + 4));
  if (!count || *count == 0) return false;
  return text.substr(of + 4) == "?" || (total && *count <= *total);
}

// Wrong blanks or letter case only: both labels are there, with a version that is known.
bool is_clear(std::string_view bytes) {
  const Declaration guess = guess_declaration(bytes);
  const std::string exact = "BagIt-Version: " + std::to_string(guess.major) + "." +
                            std::to_string(guess.minor) +
                            "\nTag-File-Character-Encoding: " + guess.encoding + "\n";
  const auto letters = [](std::string_view text) {
    std::string out = lower_ascii(text);
    std::erase_if(out, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    return out;
  };
  return parse_bagit_txt(exact) && letters(bytes) == letters(exact);
}

class Validator {
 public:
  // `stamp` is another one when the bag's own file is another one.
  Validator(Tree& tree, const ValidateOptions& options, std::string stamp)
      : tree_(tree),
        options_(options),
        stamp_(std::move(stamp)),
        notes_(options.mode),
        reader_(tree, contents_, notes_, options.stop) {}

  Result<Report> run() {
    TRY(list());
    // What was not listed is not judged; but something must say so.
    const bool told = notes_.has_errors() || notes_.has_unread();
    if (contents_.is_cut() && told) return finish();
    links();
    TRY(declaration());
    TRY(bag_info());
    if (options_.depth != Depth::fast) look_at_entries();
    // What is still to be fetched is missing in the sums of a fast look.
    if (options_.depth != Depth::fast || contents_.find("fetch.txt") != Contents::kNone) {
      TRY(manifests());
      if (options_.depth == Depth::full) TRY(payload());
    }
    oxum();
    if (options_.depth != Depth::fast) profiles();
    return finish();
  }

 private:
  // -------------------------------------------------------------------- what is there

  Result<void> list() {
    Eager eager;
    if (tree_.sequential()) {
      eager.hash = options_.depth == Depth::full;
      // A second pass would give the digests of manifests that come last; a pipe has none.
      if (!tree_.repeatable()) {
        eager.algorithms = options_.algorithms;
        eager.algorithms.push_back(Algorithm::sha512);
        eager.algorithms.push_back(Algorithm::sha256);
      }
      eager.tag_bytes_max = limits::kKeptTagBytesMax;
    }
    const auto say = [this](std::string_view code, std::string path, std::string detail) {
      notes_.say(code, std::move(path), std::move(detail));
    };
    const auto read = [this](std::uint64_t files, std::uint64_t bytes) {
      if (options_.progress) options_.progress({.files = files, .bytes = bytes});
    };
    return contents_.load(tree_, eager, say, read, options_.stop);
  }

  void look_at_entries() {
    bool data = false;
    std::string_view packed_again;
    for (const File& file : contents_.files()) {
      const std::string_view path = file.path();
      data =
          data || path.starts_with("data/") || (path == "data" && file.kind == EntryKind::folder);
      if (path.starts_with("data.") && file.kind == EntryKind::file) packed_again = path;
      if (file.kind == EntryKind::special) notes_.say("path.special-file", std::string(path), "");
    }
    if (!data && !contents_.is_unseen("data")) {
      notes_.say("data.missing", "data", "");
      if (!media_type(tree_.form()).empty() && !packed_again.empty()) {
        notes_.say("serialization.nested", std::string(packed_again), "");
      }
    }
    check_names(contents_, notes_);
  }

  // Before anything is read: a tag file, too, may be a link to another.
  void links() {
    for (std::uint32_t i = 0; i < contents_.files().size(); ++i) {
      if (contents_.at(i).kind == EntryKind::link) link(i);
    }
  }

  void link(std::uint32_t index) {
    const File& file = contents_.at(index);
    const Contents::Led led = contents_.follow(index);
    const std::string target = "leads to '" + std::string(file.target) + "'";
    if (led.code.empty()) {
      links_[index] = led.file;
      notes_.say("path.symlink", std::string(file.path()), target);
    } else {
      notes_.say(led.code, std::string(file.path()), target);
    }
  }

  // -------------------------------------------------------------------- bagit.txt

  // The file of this name, if it is one; nothing is said when it is not there.
  std::uint32_t tag_file(std::string_view name) const {
    const std::uint32_t found = contents_.find(name);
    if (found == Contents::kNone || contents_.at(found).kind == EntryKind::file) return found;
    const auto led = links_.find(found);
    return led == links_.end() ? Contents::kNone : led->second;
  }

  Result<void> declaration() {
    for (const File& file : contents_.files()) {
      const auto name = parse_manifest_name(file.path());
      if (!name || !name->tag) continue;
      const auto algorithm = algorithm_of_manifest(name->algorithm);
      if (algorithm) tag_algorithms_.push_back(*algorithm);
    }
    std::sort(tag_algorithms_.begin(), tag_algorithms_.end());
    tag_algorithms_.erase(std::unique(tag_algorithms_.begin(), tag_algorithms_.end()),
                          tag_algorithms_.end());
    const std::uint32_t file = tag_file("bagit.txt");
    if (file == Contents::kNone) {
      if (!contents_.is_unseen("bagit.txt")) notes_.say("bagit.missing", "bagit.txt", "");
      return {};
    }
    TRY_SET(const auto bytes, reader_.bytes(file, tag_algorithms_, limits::kConfigBytesMax));
    if (!bytes) return {};
    auto parsed = parse_bagit_txt(*bytes);
    if (!parsed) {
      const bool clear = parsed.error().reason() == "bagit.format" && is_clear(*bytes);
      const bool tolerated = clear && options_.mode == Mode::lenient;
      notes_.say(parsed.error().reason(), "bagit.txt", parsed.error().what(),
                 {.at_most = tolerated ? Severity::warning : Severity::unread});
    }
    declaration_ = parsed ? *parsed : guess_declaration(*bytes);
    report_.version = std::to_string(declaration_.major) + "." + std::to_string(declaration_.minor);
    report_.encoding = declaration_.encoding;
    if (first_invalid_utf8(*bytes)) notes_.say("encoding.invalid", "bagit.txt", "is not UTF-8");
    const auto decoder = Decoder::make(declaration_.encoding);
    if (!decoder) {
      notes_.say(
          decoder.error().code() == Code::invalid ? "bagit.encoding" : "encoding.unsupported",
          "bagit.txt", decoder.error().what());
      declaration_.encoding = "UTF-8";
    }
    return {};
  }

  bool old() const { return !declaration_.at_least(1, 0); }

  // -------------------------------------------------------------------- bag-info.txt

  Result<void> bag_info() {
    // Up to 0.95 it is called package-info.txt.
    info_name_ = declaration_.at_least(0, 96) ? "bag-info.txt" : "package-info.txt";
    if (!declaration_.at_least(0, 96) && contents_.find(info_name_) == Contents::kNone) {
      info_name_ = "bag-info.txt";
    }
    const std::uint32_t file = tag_file(info_name_);
    if (file == Contents::kNone) return {};
    if (contents_.at(file).size_bytes > limits::kTagFileBytesMax) {
      notes_.say("tagfile.size", info_name_,
                 "is larger than " + human_bytes(limits::kTagFileBytesMax));
      return {};
    }
    BagInfoReader reader(old(),
                         [this](std::string_view code, std::size_t line, std::string detail) {
                           notes_.say(code, info_name_, std::move(detail), {.line = line});
                         });
    TRY(reader_.lines(
        file, declaration_.encoding, tag_algorithms_,
        [&](std::size_t number, std::string_view line) { reader.line(number, line); }));
    info_ = reader.info();
    if (options_.depth != Depth::fast) judge(reader);
    return {};
  }

  void judge(const BagInfoReader& reader) {
    std::map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < info_.size(); ++i) {
      const auto& [label, value] = info_[i];
      const std::string name = lower_ascii(label);
      const About at{
          .line = reader.line_of(i),
      };
      const bool once = name == "bagging-date" || name == "bag-size" ||
                        name == "bag-group-identifier" || name == "bag-count";
      if (++seen[name] == 2 && once) {
        notes_.say("baginfo.repeated", info_name_, "'" + label + "' stands more than once", at);
      }
      if (name == "bagging-date" && !is_date(value)) {
        notes_.say("baginfo.date", info_name_, "'" + value + "' is no date YYYY-MM-DD", at);
      }
      if (name == "bag-count" && !is_bag_count(value)) {
        notes_.say("baginfo.bag-count", info_name_, "'" + value + "' is not 'N of T' or 'N of ?'",
                   at);
      }
    }
    if (seen.contains("bag-count") && !seen.contains("bag-group-identifier")) {
      notes_.say("baginfo.bag-count", info_name_,
                 "there is a Bag-Count and no Bag-Group-Identifier");
    }
  }

  void oxum() {
    std::uint64_t octets = 0;
    std::uint64_t streams = 0;
    const auto files = contents_.files();
    for (std::uint32_t i = 0; i < files.size(); ++i) {
      if (!files[i].path().starts_with("data/")) continue;
      const auto led = links_.find(i);
      // A fast look does not know what is listed: links count as files, as most programs have it.
      const bool listed_link = led != links_.end() && (!manifests_ || manifests_->is_listed(i));
      if (files[i].kind != EntryKind::file && !listed_link) continue;
      octets += listed_link ? contents_.at(led->second).size_bytes : files[i].size_bytes;
      ++streams;
    }
    report_.payload_files = streams;
    report_.payload_bytes = octets;
    std::size_t seen = 0;
    for (const auto& [label, value] : info_) {
      if (!equal_ignoring_ascii_case(label, "Payload-Oxum")) continue;
      if (++seen == 2) notes_.say("oxum.repeated", info_name_, "");
      const auto oxum = parse_oxum(value);
      if (!oxum) {
        notes_.say("oxum.syntax", info_name_, "'" + value + "' is not 'OCTETS.FILES'");
      } else if (report_.fetchable_files == 0 && !contents_.is_unseen("data") &&
                 (oxum->octets != octets || oxum->streams != streams)) {
        notes_.say("oxum.mismatch", info_name_, "Payload-Oxum",
                   {.line = 0,
                    .algorithm = {},
                    .expected = value,
                    .found = std::to_string(octets) + "." + std::to_string(streams)});
      }
    }
    if (seen == 0 && options_.depth == Depth::fast) notes_.say("oxum.missing", info_name_, "");
  }

  // -------------------------------------------------------------------- manifests and payload

  Result<void> manifests() {
    manifests_ = std::make_unique<Manifests>(contents_, links_, notes_, reader_, declaration_,
                                             options_.mode, tag_algorithms_);
    TRY(manifests_->read());
    if (options_.listed) hand_over_lines();
    report_.fetchable_files = manifests_->fetchable_files();
    report_.fetchable_bytes = manifests_->fetchable_bytes();
    report_.fetchable_unknown = manifests_->fetchable_unknown();
    Digest digest;
    const std::uint32_t seal = contents_.find("tagmanifest-sha512.txt");
    if (seal != Contents::kNone && contents_.known(seal, Algorithm::sha512, &digest)) {
      report_.tag_manifest_digest = digest.hex();
    }
    return {};
  }

  void hand_over_lines() {
    for (const Listing& each : manifests_->listings()) {
      if (each.digest == nullptr) continue;
      const Algorithm algorithm = manifests_->algorithm_of(each);
      options_.listed(
          contents_.at(each.file).path(),
          Digest(algorithm, std::as_bytes(std::span(each.digest, digest_bytes(algorithm)))));
    }
  }

  Result<void> payload() {
    PayloadCheck check(tree_, contents_, links_, *manifests_, notes_, options_, stamp_);
    auto done = check.run();
    report_.files = check.files();
    report_.bytes = check.bytes();
    report_.resumed = check.resumed();
    report_.algorithms = manifests_->algorithms();
    return done;
  }

  void profiles() {
    const std::vector<std::string> named =
        options_.registry != nullptr ? named_profiles(info_) : std::vector<std::string>();
    if (options_.profiles.empty() && named.empty()) return;
    BagFacts facts;
    facts.version = report_.version;
    facts.info = info_;
    facts.payload_algorithms = manifests_->names(false);
    facts.tag_algorithms = manifests_->names(true);
    facts.fetch = contents_.find("fetch.txt") != Contents::kNone;
    facts.media_type = media_type(tree_.form());
    facts.payload_files = report_.payload_files;
    facts.payload_octets = report_.payload_bytes;
    const auto files_of = [this](bool payload) {
      return [this, payload](const std::function<void(std::string_view)>& each) {
        for (const File& file : contents_.files()) {
          if (file.kind == EntryKind::folder) continue;
          if (file.path().starts_with("data/") == payload) each(file.path());
        }
      };
    };
    facts.tag_files = files_of(false);
    facts.payload = files_of(true);
    const auto check = [&](const Profile& profile, bool identifier) {
      profile.check(facts, identifier, [this](Finding finding) { notes_.add(std::move(finding)); });
    };
    std::set<std::string> checked;
    for (const auto& profile : options_.profiles) {
      checked.insert(profile->identifier());
      check(*profile, options_.profile_identifier);
    }
    for (const std::string& identifier : named) {
      if (!checked.insert(identifier).second) continue;
      const auto profile = options_.registry->find(identifier);
      if (profile != nullptr) {
        check(*profile, true);
      } else {
        notes_.say("profile.unknown", info_name_, "'" + identifier + "'");
      }
    }
  }

  Report finish() {
    report_.findings = notes_.take();
    report_.findings_left_out = notes_.left_out();
    report_.verdict = notes_.has_errors()                 ? Verdict::invalid
                      : notes_.has_unread()               ? Verdict::unexaminable
                      : report_.fetchable_files > 0       ? Verdict::incomplete
                      : options_.depth == Depth::fast     ? Verdict::oxum_matches
                      : options_.depth == Depth::complete ? Verdict::complete
                                                          : Verdict::valid;
    if (report_.verdict == Verdict::valid && options_.each_verified) show_verified();
    report_.info = std::move(info_);
    return std::move(report_);
  }

  void show_verified() {
    const auto listings = manifests_->listings();
    std::size_t next = 0;
    for (std::uint32_t i = 0; i < contents_.files().size(); ++i) {
      std::vector<Digest> digests;
      for (; next < listings.size() && listings[next].file == i; ++next) {
        if (listings[next].digest == nullptr) continue;
        const Algorithm algorithm = manifests_->algorithm_of(listings[next]);
        const Digest digest(
            algorithm, std::as_bytes(std::span(listings[next].digest, digest_bytes(algorithm))));
        // Before 1.0 a manifest may say the same twice.
        if (std::find(digests.begin(), digests.end(), digest) == digests.end()) {
          digests.push_back(digest);
        }
      }
      const File& file = contents_.at(i);
      if (file.kind == EntryKind::folder) continue;
      const std::string place = contents_.path_in_tree(i);
      options_.each_verified({.path = file.path(),
                              .path_in_tree = place,
                              .kind = file.kind,
                              .number = file.number,
                              .size_bytes = file.size_bytes,
                              .digests = digests});
    }
  }

  Tree& tree_;
  const ValidateOptions& options_;
  const std::string stamp_;
  Notes notes_;
  Contents contents_;
  TagReader reader_;
  Links links_;
  Declaration declaration_{1, 0, "UTF-8"};
  std::vector<Algorithm> tag_algorithms_;
  std::string info_name_ = "bag-info.txt";
  BagInfo info_;
  std::unique_ptr<Manifests> manifests_;
  Report report_;
};

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::valid:
      return "valid";
    case Verdict::complete:
      return "complete";
    case Verdict::oxum_matches:
      return "oxum-matches";
    case Verdict::invalid:
      return "invalid";
    case Verdict::incomplete:
      return "incomplete";
    case Verdict::unexaminable:
      return "unexaminable";
  }
  return "unexaminable";
}

namespace {

// Of something that is no bag in any form: a rule is broken, or could not be judged.
Result<Report> without_tree(Error why, const ValidateOptions& options) {
  if (code_of(why) != why.reason()) return why;
  Notes notes(options.mode);
  notes.say(why.reason(), "", why.what());
  Report report;
  report.verdict = notes.has_errors() ? Verdict::invalid : Verdict::unexaminable;
  report.findings = notes.take();
  return report;
}

Result<Report> validate_stamped(Tree& tree, const ValidateOptions& options, std::string stamp) {
  auto report = Validator(tree, options, std::move(stamp)).run();
  if (report) return report;
  return without_tree(std::move(report).error(), options);
}

}  // namespace

Result<Report> validate(Tree& tree, const ValidateOptions& options) {
  return validate_stamped(tree, options, "");
}

Result<Report> validate(Disk& disk, const Path& bag, const ValidateOptions& options) {
  auto folder = open_folder(disk, bag);
  if (folder) return validate(**folder, options);
  if (folder.error().code() != Code::invalid) return std::move(folder).error();
  auto archive = open_archive(disk, bag, options.limits);
  if (!archive) return without_tree(std::move(archive).error(), options);
  // Its members have no times of their own that the kernel vouches for.
  TRY_SET(const FileInfo info, disk.info(bag));
  return validate_stamped(**archive, options,
                          std::to_string(info.size_bytes) + " " + std::to_string(info.inode) + " " +
                              std::to_string(info.changed_ns));
}

}  // namespace versement::bagit
