#include "cli/bag_validate.hpp"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>

#include <unistd.h>

#include "bagit/open.hpp"
#include "bagit/validate.hpp"
#include "cli/interrupt.hpp"
#include "store/base/limits.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/base/time.hpp"
#include "store/base/version.hpp"

namespace versement::cli {
namespace {

// Each is a thread with a buffer of its own.
constexpr unsigned kJobsMax = 256;
constexpr std::size_t kCursorBytesMax = 256u << 20;

int status_of(bagit::Verdict verdict) {
  switch (verdict) {
    case bagit::Verdict::valid:
    case bagit::Verdict::complete:
    case bagit::Verdict::oxum_matches:
      return kOk;
    case bagit::Verdict::invalid:
      return kDamage;
    case bagit::Verdict::incomplete:
    case bagit::Verdict::unexaminable:
      return kUnchecked;
  }
  return kUnchecked;
}

std::string verdict_text(const std::string& bag, const bagit::Report& report) {
  switch (report.verdict) {
    case bagit::Verdict::complete:
      return "complete; nothing was hashed";
    case bagit::Verdict::oxum_matches:
      return "the Oxum matches; nothing was hashed";
    case bagit::Verdict::incomplete: {
      const std::string size =
          report.fetchable_unknown > 0 ? "size unknown" : human_bytes(report.fetchable_bytes);
      return "incomplete, files to fetch: " + std::to_string(report.fetchable_files) + " (" + size +
             "); versement bag fetch " + printable(bag) + " brings them";
    }
    default:
      return std::string(bagit::verdict_name(report.verdict));
  }
}

// What was compared, so that nobody has to guess what 'valid' rests on.
std::string hashed_text(const bagit::Report& report) {
  if (report.files == 0) return {};
  std::vector<std::string> names;
  for (const Algorithm algorithm : report.algorithms)
    names.emplace_back(algorithm_name(algorithm));
  return ", " + std::to_string(report.files) + " files and " + human_bytes(report.bytes) +
         " hashed" + (names.empty() ? "" : " (" + join(names, ", ") + ")") +
         (report.resumed ? ", some of it before an interruption" : "");
}

json::Object to_json(const std::string& bag, const bagit::Report& report) {
  json::Array findings;
  for (const bagit::Finding& finding : report.findings)
    findings.emplace_back(bagit::to_json(finding));
  json::Array algorithms;
  for (const Algorithm algorithm : report.algorithms)
    algorithms.emplace_back(algorithm_name(algorithm));
  return {{"bag", printable(bag)},
          {"path", printable(std::filesystem::absolute(bag).lexically_normal().native())},
          {"verdict", bagit::verdict_name(report.verdict)},
          {"bagit_version", report.version},
          {"encoding", printable(report.encoding)},
          {"files", report.files},
          {"bytes", report.bytes},
          {"algorithms", std::move(algorithms)},
          {"payload_files", report.payload_files},
          {"payload_bytes", report.payload_bytes},
          {"fetchable_files", report.fetchable_files},
          {"fetchable_bytes", report.fetchable_bytes},
          {"fetchable_unknown", report.fetchable_unknown},
          {"seal_digest", report.tag_manifest_digest},
          {"resumed", report.resumed},
          {"findings_left_out", report.findings_left_out},
          {"findings", std::move(findings)}};
}

// ---------------------------------------------------------------------------- resuming

// A path may be any bytes; JSON has only text.
json::Object kept(const bagit::Finding& finding) {
  return {{"code", finding.code},
          {"severity", static_cast<int>(finding.severity)},
          {"section", finding.section},
          {"path", percent_encode(finding.path, "-._~/")},
          {"line", finding.line},
          {"algorithm", finding.algorithm},
          {"expected", finding.expected},
          {"found", finding.found},
          {"detail", percent_encode(finding.detail, "-._~/ ")}};
}

Result<bagit::Finding> finding_of(const json::Object& object) {
  TRY_SET(std::string path, percent_decode(json::text_at(object, "path")));
  TRY_SET(std::string detail, percent_decode(json::text_at(object, "detail")));
  const auto severity = json::number_at(object, "severity");
  return bagit::Finding{
      .code = json::text_at(object, "code"),
      .severity = severity == static_cast<int>(bagit::Severity::warning)  ? bagit::Severity::warning
                  : severity == static_cast<int>(bagit::Severity::unread) ? bagit::Severity::unread
                                                                          : bagit::Severity::error,
      .section = json::text_at(object, "section"),
      .path = std::move(path),
      .line = json::number_at(object, "line"),
      .algorithm = json::text_at(object, "algorithm"),
      .expected = json::text_at(object, "expected"),
      .found = json::text_at(object, "found"),
      .detail = std::move(detail)};
}

Result<std::optional<bagit::Checkpoint>> load_checkpoint(const Path& file, const std::string& bag) {
  auto text = read_file(real_disk(), file, kCursorBytesMax);
  if (!text && text.error().code() == Code::not_found) return std::optional<bagit::Checkpoint>();
  if (!text) return std::move(text).error();
  const auto object = json::parse_object(*text, kCursorBytesMax);
  if (!object || json::text_at(*object, "kind") != "bag-validation") {
    return Error(Code::invalid,
                 file.native() +
                     " does not say how far a validation came; name another file, or remove it to "
                     "begin anew");
  }
  if (json::text_at(*object, "bag") != printable(bag)) {
    return Error(Code::invalid, file.native() + " says how far the validation of " +
                                    json::text_at(*object, "bag") +
                                    " came; each bag needs a file of its own");
  }
  bagit::Checkpoint checkpoint;
  checkpoint.fingerprint = json::text_at(*object, "fingerprint");
  checkpoint.done = json::number_at(*object, "done");
  checkpoint.bytes = json::number_at(*object, "bytes");
  for (const json::Value& value : json::array_at(*object, "findings")) {
    if (!value.is_object()) continue;
    TRY_SET(bagit::Finding finding, finding_of(value.get_object()));
    checkpoint.findings.push_back(std::move(finding));
  }
  return std::optional(std::move(checkpoint));
}

Result<void> save_checkpoint(const Path& file,
                             const std::string& bag,
                             const bagit::Checkpoint& checkpoint) {
  json::Array findings;
  for (const bagit::Finding& finding : checkpoint.findings)
    findings.emplace_back(kept(finding));
  const json::Object object{{"kind", "bag-validation"},
                            {"bag", printable(bag)},
                            {"fingerprint", checkpoint.fingerprint},
                            {"done", checkpoint.done},
                            {"bytes", checkpoint.bytes},
                            {"findings", std::move(findings)}};
  return replace_file(real_disk(), file, as_bytes(json::write(object) + "\n"));
}

// ---------------------------------------------------------------------------- one run

class Run {
 public:
  Run(Session& session, const BagValidateFlags& flags)
      : console_(session.console()), flags_(flags) {}

  int run() {
    stop_on_interrupt();
    if (const auto ready = prepare(); !ready) return fail(ready.error());
    for (const std::string& bag : flags_.bags) {
      auto report = validate(bag);
      console_.end_progress();
      if (!report && report.error().code() == Code::cancelled) {
        if (!flags_.resume.empty()) console_.note("The same command goes on from here.");
        return fail(report.error());
      }
      // Of several bags the others are judged all the same.
      if (!report) not_looked_at(bag, report.error());
      if (report) tell(bag, *report);
      worst(report ? status_of(report->verdict) : kUnchecked);
    }
    return finish();
  }

 private:
  int fail(const Error& error) {
    const int status = error.code() == Code::cancelled ? kInterrupted
                       : error.code() == Code::invalid ? kUsage
                                                       : kUnchecked;
    console_.failure(error, status, {});
    return status;
  }

  // Damage before what could not be examined.
  void worst(int status) {
    if (status_ != kDamage && status != kOk) status_ = status;
  }

  Result<void> prepare() {
    if (!flags_.resume.empty() && flags_.bags.size() > 1) {
      return Error(Code::invalid, "--resume takes one bag: each has its own place to go on from");
    }
    if (std::count(flags_.bags.begin(), flags_.bags.end(), "-") > 1) {
      return Error(Code::invalid, "there is one standard input: give - once");
    }
    TRY(report_can_be_written());
    options_.mode = flags_.strict    ? bagit::Mode::strict
                    : flags_.lenient ? bagit::Mode::lenient
                                     : bagit::Mode::standard;
    options_.depth = flags_.fast            ? bagit::Depth::fast
                     : flags_.complete_only ? bagit::Depth::complete
                                            : bagit::Depth::full;
    options_.threads = flags_.jobs;
    options_.stop = interruption();
    options_.progress = [this](const bagit::Progress& progress) {
      json::Object object{{"done_files", progress.files}, {"done_bytes", progress.bytes}};
      if (progress.files_total > 0) {
        object["total_files"] = progress.files_total;
        object["total_bytes"] = progress.bytes_total;
      }
      console_.progress(progress.files_total > 0 ? "Validating" : "Listing", object);
    };
    if (flags_.members_max > 0) options_.limits.members_max = flags_.members_max;
    if (flags_.bytes_max > 0) options_.limits.total_bytes_max = flags_.bytes_max;
    if (flags_.ratio_max > 0) options_.limits.ratio_max = flags_.ratio_max;
    for (const std::string& name : flags_.algorithms) {
      const auto algorithm = algorithm_of_name(name);
      if (!algorithm) return Error(Code::invalid, "'" + printable(name) + "' is no algorithm");
      options_.algorithms.push_back(*algorithm);
    }
    return profiles();
  }

  Result<void> profiles() {
    options_.profile_identifier = !flags_.no_profile_identifier;
    for (const std::string& path : flags_.profiles) {
      TRY(registry_.add(real_disk(), path));
      TRY_SET(const FileInfo info, real_disk().info(path));
      if (info.kind == FileKind::folder) continue;
      bagit::ProfileSet one;
      TRY(one.add(real_disk(), path));
      for (auto& profile : one.all())
        options_.profiles.push_back(std::move(profile));
    }
    if (!flags_.profiles.empty() && !flags_.no_profile_identifier) options_.registry = &registry_;
    return {};
  }

  // What nobody could write at the end is better said before hours of reading.
  Result<void> report_can_be_written() const {
    if (flags_.report.empty()) return {};
    const Path report(flags_.report);
    TRY_SET(const bool there, path_exists(real_disk(), report));
    if (there) {
      return Error(Code::invalid, "the report " + report.native() +
                                      " is there already, and nothing is written over it");
    }
    const Path folder = report.has_parent_path() ? report.parent_path() : Path(".");
    std::error_code failed;
    const std::string real = std::filesystem::canonical(folder, failed).native() + "/";
    if (failed) {
      return Error(Code::invalid, "there is no folder " + folder.native() +
                                      " for the report: " + failed.message());
    }
    for (const std::string& bag : flags_.bags) {
      const Path whole = std::filesystem::canonical(bag, failed);
      if (failed || !real.starts_with(whole.native() + "/")) continue;
      return Error(Code::invalid, "a report in the bag itself would change it: name another place");
    }
    return {};
  }

  Result<bagit::Report> validate(const std::string& bag) {
    if (flags_.resume.empty()) return validate_at_once(bag);
    const Path file(flags_.resume);
    const std::string name = std::filesystem::absolute(bag).lexically_normal().native();
    TRY_SET(options_.resume, load_checkpoint(file, name));
    // Written before the work begins: it can be.
    TRY(save_checkpoint(file, name, options_.resume.value_or(bagit::Checkpoint{})));
    Result<void> kept;
    options_.keep = [&](const bagit::Checkpoint& checkpoint) {
      kept = save_checkpoint(file, name, checkpoint);
    };
    auto report = validate_at_once(bag);
    if (!kept) console_.note("How far it came could not be kept: " + kept.error().what());
    if (!report) return report;
    if (const auto gone = real_disk().remove_file(file); !gone) {
      console_.note("The file that kept how far it came stays: " + gone.error().what());
    }
    return report;
  }

  Result<bagit::Report> validate_at_once(const std::string& bag) {
    return bag == "-" ? validate_pipe() : bagit::validate(real_disk(), bag, options_);
  }

  void not_looked_at(const std::string& bag, const Error& why) {
    const std::string verdict(bagit::verdict_name(bagit::Verdict::unexaminable));
    ++verdicts_[verdict];
    reports_.emplace_back(json::Object{{"bag", printable(bag)},
                                       {"verdict", verdict},
                                       {"findings", json::Array()},
                                       {"error", printable(why.what())}});
    if (!console_.json()) console_.line(printable(bag + ": " + verdict + ": " + why.what()));
  }

  Result<bagit::Report> validate_pipe() {
    const Fd input(::dup(STDIN_FILENO));
    const auto read = [&](std::span<std::byte> into) -> Result<std::size_t> {
      const auto count = ::read(input.get(), into.data(), into.size());
      if (count < 0) return Error::from_errno(errno, "read standard input");
      return static_cast<std::size_t>(count);
    };
    const auto tree = bagit::open_stream(read, "-", options_.limits);
    return bagit::validate(*tree, options_);
  }

  void tell(const std::string& bag, const bagit::Report& report) {
    ++verdicts_[std::string(bagit::verdict_name(report.verdict))];
    if (console_.json() || !flags_.report.empty()) reports_.emplace_back(to_json(bag, report));
    if (console_.json()) return;
    // Of several bags each line says of which it is.
    const std::string of = flags_.bags.size() > 1 ? printable(bag) + ": " : "";
    for (const bagit::Finding& finding : report.findings)
      console_.line(of + bagit::to_text(finding));
    if (report.findings_left_out > 0) {
      console_.line(of + "and " + std::to_string(report.findings_left_out) + " more findings");
    }
    console_.line(printable(bag) + ": " + verdict_text(bag, report) + hashed_text(report));
  }

  int finish() {
    if (flags_.bags.size() > 1 && !console_.json()) {
      std::string all = std::to_string(flags_.bags.size()) + " bags:";
      for (const auto& [verdict, count] : verdicts_)
        all += (all.ends_with(':') ? " " : ", ") + std::to_string(count) + " " + verdict;
      console_.line(all);
    }
    json::Object document{{"bags", std::move(reports_)}, {"exit_code", status_}};
    if (console_.json()) console_.document(document);
    if (flags_.report.empty()) return status_;
    // What somebody reads years later must say by what and how it was judged.
    json::Array profiles;
    for (const std::string& profile : flags_.profiles)
      profiles.emplace_back(printable(profile));
    document["time"] = real_clock().now().text();
    document["validator"] = std::string(kProgramName) + " " + kVersion;
    document["mode"] = flags_.strict ? "strict" : flags_.lenient ? "lenient" : "standard";
    document["depth"] = flags_.fast ? "fast" : flags_.complete_only ? "complete" : "full";
    document["profiles"] = std::move(profiles);
    const std::string text = json::write_pretty(document) + "\n";
    const auto written = publish_file(real_disk(), flags_.report, as_bytes(text));
    if (!written) return fail(written.error());
    console_.note("report " + flags_.report + "  sha512 " +
                  digest_of(Algorithm::sha512, text).hex());
    return status_;
  }

  Console& console_;
  const BagValidateFlags& flags_;
  bagit::ValidateOptions options_;
  bagit::ProfileSet registry_;
  json::Array reports_;
  std::map<std::string, std::size_t> verdicts_;
  int status_ = kOk;
};

}  // namespace

void add_bag_validate(Tree& tree, CLI::App* bag) {
  CLI::App* const command = tree.add(
      bag, "validate", "Validate bags (RFC 8493) in folders, tar, tar.gz and zip archives");
  auto flags = std::make_shared<BagValidateFlags>();
  command
      ->add_option("BAG", flags->bags,
                   "Folders or archives; - for a tar or tar.gz on standard input")
      ->required();
  CLI::Option* const strict =
      command->add_flag("--strict", flags->strict, "Take every MUST of RFC 8493 to the letter");
  command
      ->add_flag("--lenient", flags->lenient,
                 "Only warn of faults of form that leave no doubt what is meant (old bags)")
      ->excludes(strict);
  CLI::Option* const complete = command->add_flag(
      "--complete-only", flags->complete_only, "Judge all but the content of files; hash nothing");
  CLI::Option* const fast =
      command
          ->add_flag("--fast", flags->fast,
                     "Compare number and size of the payload files with Payload-Oxum only")
          ->excludes(complete);
  command
      ->add_option("--profile", flags->profiles,
                   "BagIt profile that the bag must fulfil, or a folder of those that it may name")
      ->type_name("FILE|DIR")
      ->allow_extra_args(false)
      ->excludes(fast);
  command->add_flag("--no-profile-identifier", flags->no_profile_identifier,
                    "The bag need not name the profile");
  command->add_option("--jobs", flags->jobs, "Files read at once (16, or one for each processor)")
      ->check(CLI::Range(0u, kJobsMax));
  command->add_option("--resume", flags->resume,
                      "File that keeps how far the validation came; with the same file one that "
                      "was cut off goes on");
  command->add_option(
      "--report", flags->report,
      "Also write one report of all bags to this new file, as JSON, and say its digest");
  command
      ->add_option("--algorithm", flags->algorithms,
                   "Algorithm to take of a pipe whose manifests come last (beside sha512, "
                   "sha256)")
      ->allow_extra_args(false);
  command->add_option("--max-members", flags->members_max, "Members that an archive may have");
  command->add_option("--max-bytes", flags->bytes_max, "Bytes that an archive may unpack to");
  command->add_option("--max-ratio", flags->ratio_max,
                      "How many times its own size an archive may unpack to (200)");
  command->footer(
      "Exit status: 0 valid (there may be warnings), 1 invalid, 2 only fetchable files are "
      "missing, "
      "or\nsome could not be examined, 3 usage. --fast and --complete-only never say 'valid'.\n"
      "Example: versement bag validate --lenient incoming/*.zip --report verdicts.json");
  tree.action(command, [flags](Session& s) { return Run(s, *flags).run(); });
}

}  // namespace versement::cli
