#include "service/ingest/bag_deposit.hpp"

#include <algorithm>
#include <array>

#include "bagit/open.hpp"
#include "bagit/validate.hpp"
#include "service/ingest/table.hpp"
#include "service/ingest/unpack.hpp"
#include "store/base/characters.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"

namespace versement::ingest {
namespace {

// A deposit of ten thousand bad bags has room for some findings of each.
constexpr std::size_t kFindingsOfOne = 100;
constexpr std::string_view kPayload = "data/";
// Of the payload: as Archivematica's bags have it, and a deposit of ours that was put into a bag.
constexpr std::array<std::string_view, 2> kTables{"metadata/metadata.csv",
                                                  "objects/metadata/metadata.csv"};
constexpr std::array<std::string_view, 11> kArchiveNames{".tar.gz",  ".tgz",  ".tar",    ".zip",
                                                         ".tar.bz2", ".tbz2", ".tar.xz", ".txz",
                                                         ".tar.zst", ".7z",   ".rar"};

std::string_view archive_suffix(std::string_view name) {
  const std::string lower = lower_ascii(name);
  for (const std::string_view suffix : kArchiveNames) {
    if (lower.size() > suffix.size() && lower.ends_with(suffix)) {
      return name.substr(name.size() - suffix.size());
    }
  }
  return {};
}

// Looks for NAME/bagit.txt, and no further.
class BagSign : public bagit::Visitor {
 public:
  Result<bool> entry(bagit::Entry entry) override {
    const std::size_t slash = entry.path.find('/');
    found_ = found_ || (slash != std::string::npos && entry.path.substr(slash) == "/bagit.txt");
    bytes_ += std::min(entry.size_bytes, limits::kPeekBytesMax);
    enough_ = found_ || ++members_ == limits::kPeekMembersMax || bytes_ >= limits::kPeekBytesMax;
    if (enough_) return Error(Code::cancelled, "enough was seen");
    return false;
  }
  Result<void> data(std::span<const std::byte> /*bytes*/) override { return {}; }
  Result<void> end() override { return {}; }
  void finding(std::string /*code*/, std::string /*path*/, std::string /*detail*/) override {}

  bool enough() const { return enough_; }

 private:
  bool found_ = false;
  bool enough_ = false;
  std::uint64_t members_ = 0;
  std::uint64_t bytes_ = 0;
};

// A text of bag-info.txt as one line: what was folded there has line breaks.
std::string one_line(std::string_view text) {
  std::string line;
  for (const std::string_view part : split(text, '\n')) {
    const std::string_view trimmed = trim(part, " \t\r");
    if (trimmed.empty()) continue;
    if (!line.empty()) line += ' ';
    line += trimmed;
  }
  return line;
}

std::string_view form_name(bagit::Form form) {
  switch (form) {
    case bagit::Form::folder:
    case bagit::Form::plan:
      return "folder";
    case bagit::Form::tar:
      return "tar";
    case bagit::Form::tar_gz:
      return "tar.gz";
    case bagit::Form::zip:
      return "zip";
  }
  return "folder";
}

class BagPlanner {
 public:
  BagPlanner(BagContext& context, const BagToTake& bag) : context_(context), bag_(bag) {
    item_.source_identifier = bag.name;
  }

  Result<PlannedItem> run() {
    auto taken = take();
    if (!taken && ends_all(taken.error())) return std::move(taken).error();
    if (!taken && taken.error().reason() == "file-changed") {
      refuse("file-changed", "", taken.error().what(), "let it rest, then ingest again");
    } else if (!taken) {
      refuse("bag-invalid", "", taken.error().what(), kBagRemedy);
    }
    // A name is no title, but an item must have one.
    if (description_.title.empty()) description_.title["fr"] = bag_.name;
    item_.notice.set(mets::to_json(description_), mets::to_json(original_));
    if (item_.rejected) {
      item_.files.clear();
      item_.documentation.clear();
    }
    return std::move(item_);
  }

 private:
  static constexpr std::string_view kBagRemedy = "get a valid bag from whoever made it";

  // What ends the whole run, whichever bag it was met in.
  static bool ends_all(const Error& error) {
    return error.code() == Code::cancelled || error.code() == Code::io ||
           error.code() == Code::unavailable || error.reason() == "deposit-too-large";
  }

  void say(Severity severity,
           std::string code,
           const std::string& path,
           std::string detail,
           std::string_view remedy) {
    context_.findings.add({.code = std::move(code),
                           .severity = severity,
                           .detail = std::move(detail),
                           .remedy = std::string(remedy),
                           .path = printable(path_in_deposit(path)),
                           .row = 0,
                           .item = {}});
  }

  void refuse(std::string code,
              const std::string& path,
              std::string detail,
              std::string_view remedy) {
    item_.rejected = true;
    say(Severity::error, std::move(code), path, std::move(detail), remedy);
  }

  std::string path_in_deposit(const std::string& path) const {
    if (bag_.below.empty() || path.empty()) return bag_.below + path;
    return bag_.below + "/" + path;
  }

  Result<void> take() {
    TRY_SET(const FileInfo before, context_.disk.info(bag_.place));
    ReceivedBag received;
    received.packed = bag_.packed;
    received.archive = bag_.place;
    received.archive_info = before;
    TRY_SET(const bagit::Report report, judge(&received));
    describe(report.info);
    if (report.verdict != bagit::Verdict::valid) {
      say_why(report);
      return {};
    }
    TRY(describe_by_table(received));
    keep_facts(report, &received);
    item_.bag = std::make_unique<ReceivedBag>(std::move(received));
    return {};
  }

  Result<bagit::Report> judge(ReceivedBag* received) {
    Result<void> added;
    bagit::ValidateOptions options;
    options.threads = processor_count();
    options.stop = context_.stop;
    options.limits = context_.limits;
    options.progress = [this](const bagit::Progress& progress) {
      judged_ = std::max(judged_, progress.bytes);
      if (!context_.looked) return;
      context_.looked(context_.bytes + progress.bytes,
                      context_.bytes + std::max(progress.bytes_total, progress.bytes));
    };
    options.each_verified = [&](const bagit::VerifiedFile& file) {
      received->base = file.path_in_tree.substr(0, file.path_in_tree.size() - file.path.size());
      if (added) added = add(file);
    };
    if (bag_.packed) {
      auto tree = bagit::open_archive(context_.disk, bag_.place, options.limits);
      if (tree) form_ = (*tree)->form();
    }
    TRY_SET(bagit::Report report, bagit::validate(context_.disk, bag_.place, options));
    TRY(added);
    context_.bytes += judged_;
    return report;
  }

  void say_why(const bagit::Report& report) {
    item_.rejected = true;
    if (report.verdict == bagit::Verdict::incomplete) {
      refuse("bag-incomplete", "",
             std::to_string(report.fetchable_files) +
                 " files that fetch.txt names are not there (" +
                 human_bytes(report.fetchable_bytes) + " as far as it says)",
             bag_.packed ? "unpack it, bring them with: versement bag fetch, then ingest the folder"
                         : "bring them with: versement bag fetch, then ingest it again");
      return;
    }
    // Of a bag that is invalid what could not be read is said as well: it may be the reason.
    std::uint64_t left_out = report.findings_left_out;
    std::size_t said = 0;
    for (const bagit::Finding& finding : report.findings) {
      const bool unread = finding.severity == bagit::Severity::unread;
      if (!unread && finding.severity != bagit::Severity::error) continue;
      if (++said > kFindingsOfOne) {
        ++left_out;
        continue;
      }
      refuse(unread ? "bag-unexaminable" : "bag-invalid", finding.path, text_of(finding),
             unread ? kUnreadRemedy : kBagRemedy);
    }
    if (left_out > 0) {
      say(Severity::warning, "bag-findings", "",
          std::to_string(left_out) + " further findings of this bag are left out",
          "versement bag validate shows all of them");
    }
    if (said == 0) {
      refuse("bag-invalid", "", "the bag is " + std::string(bagit::verdict_name(report.verdict)),
             kBagRemedy);
    }
  }

  static std::string text_of(const bagit::Finding& finding) {
    std::string text = finding.code + ": " + finding.detail;
    if (!finding.expected.empty()) {
      text += " (" + (finding.algorithm.empty() ? "" : finding.algorithm + " ") + "expected " +
              finding.expected + ", found " + finding.found + ")";
    }
    return text;
  }

  // ------------------------------------------------------------------ files

  // Errors: limit ("deposit-too-large"); of the disk.
  Result<void> add(const bagit::VerifiedFile& file) {
    const std::string path(file.path);
    const bool payload = file.path.starts_with(kPayload);
    if (file.kind != bagit::EntryKind::file) {
      refuse("file-link", path, "a symbolic link; only the files themselves are taken in",
             "put the file itself in its place");
      return {};
    }
    auto logical =
        parse_deposit_path(payload ? path.substr(kPayload.size()) : std::string(kBagFolder) + path);
    if (!logical || path_in_deposit(path).size() > limits::kDepositPathBytesMax) {
      refuse("name-unusable", path, logical ? "the path is too long" : logical.error().what(),
             "names must be UTF-8 without control characters, in folders of reasonable depth");
      return {};
    }
    if (context_.files == limits::kDepositFilesMax) {
      return Error(Code::limit, bag_.place.native() +
                                    " would be the deposit's file number one million and one; "
                                    "ingest it in several parts")
          .as("deposit-too-large");
    }
    ++context_.files;
    if (const auto hidden = first_hidden(path)) {
      say(Severity::warning, "name-hidden-character", path, hidden_text(*hidden), kHiddenRemedy);
    }
    PlannedFile planned{.deposit_path = path_in_deposit(path),
                        .data_path = std::move(*logical),
                        .size_bytes = file.size_bytes,
                        .modified_ms = 0,
                        .member = file.number,
                        .supplied = {file.digests.begin(), file.digests.end()}};
    if (!bag_.packed) {
      TRY_SET(const FileInfo info, context_.disk.info(bag_.place / path));
      if (info.kind != FileKind::regular || info.size_bytes != file.size_bytes) {
        refuse("file-changed", path, "changed while the bag was judged",
               "let it rest, then ingest again");
        return {};
      }
      planned.modified_ms = info.modified_ms;
    }
    (payload ? item_.files : item_.documentation).push_back(std::move(planned));
    return {};
  }

  // ------------------------------------------------------------------ its table

  // A table in the payload, as Archivematica has it: the row of the whole describes the item.
  // Errors: cancelled, io; what is wrong with the table is a finding.
  Result<void> describe_by_table(const ReceivedBag& received) {
    const auto found = std::find_if(item_.files.begin(), item_.files.end(), [](const auto& file) {
      return std::find(kTables.begin(), kTables.end(), file.data_path.text()) != kTables.end();
    });
    if (found == item_.files.end()) return {};
    auto bytes = read(received, *found);
    if (!bytes && (ends_all(bytes.error()) || bytes.error().code() == Code::conflict)) {
      return std::move(bytes).error();
    }
    const std::string path = std::string(kPayload) + found->data_path.text();
    const Table table = bytes ? read_table(*bytes, path) : Table();
    const bool wrong = !bytes || table.faulty ||
                       std::any_of(table.rows.begin(), table.rows.end(),
                                   [](const TableRow& row) { return row.faulty; });
    if (wrong) {
      say(Severity::warning, "bag-table-unused", path,
          bytes ? table.findings.front().detail : bytes.error().what(),
          "nothing, if bag-info.txt says enough: the table is kept as it is");
      return {};
    }
    take_rows(table, path);
    return {};
  }

  Result<std::string> read(const ReceivedBag& received, const PlannedFile& file) {
    const std::string path = std::string(kPayload) + file.data_path.text();
    Result<std::string> bytes =
        bag_.packed ? read_member({.disk = context_.disk,
                                   .archive = bag_.place,
                                   .info = received.archive_info,
                                   .limits = context_.limits},
                                  {file.member, received.base + path, file.size_bytes},
                                  limits::kCsvBytesMax, context_.stop)
                    : read_file(context_.disk, bag_.place / path, limits::kCsvBytesMax);
    if (!bytes) return bytes;
    for (const Digest& digest : file.supplied) {
      if (digest_of(digest.algorithm(), *bytes) == digest) continue;
      return Error(Code::conflict, path + " changed after it was judged").as("file-changed");
    }
    return bytes;
  }

  static bool names_the_whole(std::string_view filename) {
    while (filename.ends_with('/'))
      filename.remove_suffix(1);
    return filename == "objects" || filename == "data" || filename == "data/objects";
  }

  // What the row says counts before what bag-info.txt says; this adds to it.
  void take_rows(const Table& table, const std::string& path) {
    const TableRow* whole = table.rows.size() == 1 ? &table.rows.front() : nullptr;
    for (const TableRow& row : table.rows) {
      if (whole == nullptr && names_the_whole(row.filename)) whole = &row;
    }
    const std::size_t others = table.rows.size() - (whole != nullptr ? 1 : 0);
    if (others > 0) {
      say(Severity::warning, "bag-table-unused", path,
          std::to_string(others) + " rows do not describe the whole bag and are not used",
          "a bag is one item: describe it in a row for objects/, or deposit the files with the "
          "table as a folder of their own");
    }
    if (whole == nullptr) return;
    json::Object description = said(whole->description);
    // Where both say something the row stands; the bag's own words stay in bag-info.txt.
    (void)merge(said(description_), &description);
    description_ = mets::description_of(description);
    original_ = whole->original;
    if (!named_ && !whole->identifier.empty()) item_.source_identifier = whole->identifier;
  }

  // ------------------------------------------------------------------ what it says of itself

  // Why a text of bag-info.txt does not describe the item; empty when it does.
  std::string why_unused(const std::string& text, bool identifier) const {
    const std::size_t bytes_max =
        identifier ? limits::kBagIdentifierBytesMax : limits::kBagTextBytesMax;
    const bool one_too_many =
        identifier && description_.identifiers.size() == limits::kBagIdentifiersMax;
    if (text.size() > bytes_max || one_too_many) {
      return "is too long or stands too often to describe the item";
    }
    const auto control = first_control(text);
    return control ? "has the control character " + *control : std::string();
  }

  // Only what is there: a bag without these labels has no description but its name.
  void describe(const bagit::BagInfo& info) {
    for (const auto& [label, value] : info) {
      const std::string text = one_line(value);
      if (text.empty()) continue;
      const std::string name = lower_ascii(label);
      const bool identifier = name == "external-identifier" || name == "internal-sender-identifier";
      if (!identifier && name != "external-description") continue;
      if (const std::string why = why_unused(text, identifier); !why.empty()) {
        say(Severity::warning, "bag-info-unused", "bag-info.txt",
            "'" + printable(label) + "' " + why,
            "nothing: bag-info.txt is kept with the item as it came");
        continue;
      }
      if (identifier) {
        description_.identifiers.push_back({identifier_type(text), text});
        if (name == "external-identifier" && !named_) item_.source_identifier = text;
        named_ = named_ || name == "external-identifier";
      } else if (description_.title.empty()) {
        description_.title["fr"] = text;
      } else {
        std::string& more = description_.description["fr"];
        more += (more.empty() ? "" : "\n") + text;
      }
    }
  }

  void keep_facts(const bagit::Report& report, ReceivedBag* received) {
    json::Object& facts = received->facts;
    facts["form"] = form_name(form_);
    facts["name"] = bag_.place.filename().native();
    facts["version"] = report.version;
    facts["payload_files"] = report.payload_files;
    facts["payload_bytes"] = report.payload_bytes;
    json::Array algorithms;
    std::string names;  // for people
    for (const Algorithm algorithm : report.algorithms) {
      algorithms.emplace_back(algorithm_name(algorithm));
      names += (names.empty() ? "" : ", ") + std::string(algorithm_name(algorithm));
    }
    facts["algorithms"] = std::move(algorithms);
    std::string identifier;
    for (const auto& [label, key] : {std::pair("External-Identifier", "external_identifier"),
                                     std::pair("Bagging-Date", "bagging_date"),
                                     std::pair("Source-Organization", "source_organization")}) {
      const std::string text = first_of(report.info, label);
      if (!text.empty()) facts[key] = text;
    }
    received->sender = first_of(report.info, "Source-Organization");
    const std::string external = first_of(report.info, "External-Identifier");
    received->label = "Sac BagIt " + report.version +
                      " reçu et validé : " + (external.empty() ? bag_.name : external) + " ; " +
                      std::to_string(report.payload_files) + " fichiers, " +
                      std::to_string(report.payload_bytes) +
                      " octets ; empreintes vérifiées : " + names;
  }

  static std::string first_of(const bagit::BagInfo& info, std::string_view label) {
    for (const auto& [name, value] : info) {
      if (!equal_ignoring_ascii_case(name, label)) continue;
      std::string text = one_line(value);
      if (text.size() > limits::kBagIdentifierBytesMax || first_control(text)) continue;
      if (!text.empty()) return text;
    }
    return {};
  }

  static constexpr std::string_view kUnreadRemedy =
      "let the service's user read it, or send it in another form; nothing is known to be wrong";

  BagContext& context_;
  const BagToTake& bag_;
  PlannedItem item_;  // its notice is made of the next two in the end
  mets::Description description_;
  mets::Original original_;
  bool named_ = false;  // by the bag itself
  bagit::Form form_ = bagit::Form::folder;
  std::uint64_t judged_ = 0;
};

}  // namespace

bagit::ArchiveLimits archive_limits() {
  bagit::ArchiveLimits bounds;
  bounds.members_max = limits::kDepositMembersMax;
  bounds.total_bytes_max = limits::kDepositUnpackedBytesMax;
  bounds.name_bytes_max = limits::kPathBytesMax;
  bounds.directory_bytes_max = limits::kDepositDirectoryBytesMax;
  return bounds;
}

Result<bool> is_archive(Disk& disk, const Path& file) {
  if (!archive_suffix(file.filename().native()).empty()) return true;
  const auto tree = bagit::open_archive(disk, file, archive_limits());
  if (tree) return true;
  if (tree.error().code() == Code::io || tree.error().code() == Code::denied) return tree.error();
  return false;
}

Result<bool> may_hold_bag(Disk& disk, const Path& archive, const std::stop_token& stop) {
  const auto tree = bagit::open_archive(disk, archive, archive_limits());
  if (!tree) return false;
  BagSign sign;
  const auto seen = (*tree)->visit(sign, stop);
  if (stop.stop_requested()) return Error(Code::cancelled, "stopped while planning");
  if (!seen && seen.error().code() == Code::io) return seen.error();
  return sign.enough();
}

std::string name_of_archive(const std::string& file) {
  return file.substr(0, file.size() - archive_suffix(file).size());
}

Result<void> check_writable(std::string_view name) {
  for (const std::string_view never : {"\xEF\xBF\xBE", "\xEF\xBF\xBF"}) {
    if (name.find(never) == std::string_view::npos) continue;
    return Error(Code::invalid, "U+FFFE or U+FFFF in a name, which XML cannot write");
  }
  return {};
}

std::string hidden_text(std::string_view character) {
  return "the name has " + std::string(character) +
         ", which is not seen or changes how the name looks; it is kept";
}

Result<LogicalPath> parse_deposit_path(const std::string& path) {
  TRY_SET(LogicalPath parsed, LogicalPath::parse(path));
  TRY(check_writable(path));
  if (path.size() > limits::kDepositPathBytesMax) return Error(Code::limit, "the path is too long");
  const auto depth = static_cast<std::size_t>(std::count(path.begin(), path.end(), '/'));
  if (depth > limits::kDepositPathDepthMax) {
    return Error(Code::limit,
                 "folders nest deeper than " + std::to_string(limits::kDepositPathDepthMax));
  }
  return parsed;
}

Result<PlannedItem> plan_bag(BagContext& context, const BagToTake& bag) {
  return BagPlanner(context, bag).run();
}

}  // namespace versement::ingest
