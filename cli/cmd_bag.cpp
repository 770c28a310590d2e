// versement bag create, show, fetch, upgrade: local bags, without a daemon.
#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "bagit/create.hpp"
#include "bagit/fetch.hpp"
#include "bagit/inspect.hpp"
#include "bagit/upgrade.hpp"
#include "cli/bag_fetch.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "store/base/config.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

// Each is a thread with a buffer of its own.
constexpr unsigned kJobsMax = 256;
// More would push the answer off the screen.
constexpr std::size_t kEmptyFoldersTold = 10;
constexpr std::size_t kHostsTold = 20;

int fail(Console& console, const Error& error) {
  console.end_progress();
  const int status = [&] {
    switch (error.code()) {
      case Code::cancelled:
        return kInterrupted;
      case Code::corrupt:
        return kDamage;
      case Code::invalid:
      case Code::exists:
      case Code::not_found:
      case Code::unsupported:
      case Code::limit:
      case Code::conflict:
        return kUsage;
      default:
        return kUnchecked;
    }
  }();
  console.failure(error, status, {});
  return status;
}

std::size_t jobs_or_all(unsigned jobs) {
  return jobs > 0 ? jobs : processor_count();
}

// Findings for people go to standard error: the answer is the bag.
void tell(Console& console, const std::vector<bagit::Finding>& findings) {
  for (const bagit::Finding& finding : findings)
    console.note(bagit::to_text(finding));
}

json::Array as_json(const std::vector<bagit::Finding>& findings) {
  json::Array out;
  for (const bagit::Finding& finding : findings)
    out.emplace_back(bagit::to_json(finding));
  return out;
}

// As JSON has no other bytes than UTF-8.
std::string shown(const std::string& text) {
  return is_utf8(text) ? text : printable(text);
}

json::Array texts(const std::vector<std::string>& values) {
  json::Array out;
  for (const std::string& value : values)
    out.emplace_back(shown(value));
  return out;
}

// "1 file", "2 files".
std::string counted(std::uint64_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

// One value each time that it is given: what stands behind that belongs to the command.
CLI::Option* add_repeatable(CLI::App* command,
                            const std::string& name,
                            std::vector<std::string>& values,
                            const std::string& help) {
  return command->add_option(name, values, help + "; repeatable")->allow_extra_args(false);
}

// ---------------------------------------------------------------------------- bag create

struct CreateFlags {
  std::vector<std::string> sources;
  std::string to;
  std::string format;
  std::vector<std::string> algorithms;
  std::vector<std::string> info;
  std::vector<std::string> info_files;
  bool follow_links = false;
  bool nest = false;
  bool no_validate = false;
  unsigned jobs = 0;
};

Result<std::vector<Algorithm>> algorithms_of(const std::vector<std::string>& names) {
  if (names.empty()) return std::vector<Algorithm>{Algorithm::sha512};
  std::vector<Algorithm> out;
  for (const std::string& name : names) {
    const auto algorithm = algorithm_of_name(lower_ascii(name));
    const bool written = algorithm == Algorithm::sha512 || algorithm == Algorithm::sha256 ||
                         algorithm == Algorithm::sha1 || algorithm == Algorithm::md5;
    if (!written) {
      return Error(Code::invalid, "bags are not written with '" + printable(name) +
                                      "'; --algorithm takes sha512, sha256, sha1 and md5")
          .as("usage");
    }
    if (std::find(out.begin(), out.end(), *algorithm) == out.end()) out.push_back(*algorithm);
  }
  return out;
}

Result<bagit::BagInfo> info_of(const CreateFlags& flags) {
  bagit::BagInfo info;
  for (const std::string& file : flags.info_files) {
    TRY_SET(const std::string text, read_file(real_disk(), file, limits::kTagFileBytesMax));
    auto parsed = bagit::parse_bag_info(text);
    if (!parsed) return std::move(parsed).error().during(printable(file));
    info.insert(info.end(), parsed->begin(), parsed->end());
  }
  for (const std::string& text : flags.info) {
    const std::size_t colon = text.find(':');
    if (colon == std::string::npos) {
      return Error(Code::invalid,
                   "--info '" + printable(text) + "' has no colon; write --info 'Label: value'")
          .as("usage");
    }
    if (text.find_first_of("\r\n") != std::string::npos) {
      return Error(Code::invalid,
                   "--info '" + printable(text) +
                       "' has a line break, at which a line of bag-info.txt ends; write it on one "
                       "line, give the label once for each line, or use --info-file")
          .as("info-invalid");
    }
    info.emplace_back(trim(std::string_view(text).substr(0, colon)),
                      trim(std::string_view(text).substr(colon + 1)));
  }
  return info;
}

// What is set asks for the same bag of the same input.
std::string source_date() {
  const char* const text = std::getenv("SOURCE_DATE_EPOCH");
  return text == nullptr ? "" : text;
}

// The clock, or what stands in SOURCE_DATE_EPOCH.
Result<Timestamp> time_of_bag() {
  const std::string text = source_date();
  if (text.empty()) return real_clock().now();
  const auto seconds = parse_decimal(text);
  // Up to the year 9999.
  if (seconds && *seconds <= 253'402'300'799) {
    return Timestamp(static_cast<std::int64_t>(*seconds) * 1000);
  }
  return Error(Code::invalid,
               "SOURCE_DATE_EPOCH is no number of seconds since 1970: '" + printable(text) + "'")
      .as("usage");
}

Result<bagit::BagForm> form_of(const CreateFlags& flags) {
  if (flags.format == "folder") return bagit::BagForm::folder;
  if (flags.format == "tar") return bagit::BagForm::tar;
  if (flags.format == "zip") return bagit::BagForm::zip;
  return bagit::form_of_name(flags.to);
}

Result<bagit::CreateOptions> options_of(const CreateFlags& flags) {
  bagit::CreateOptions options;
  options.sources.assign(flags.sources.begin(), flags.sources.end());
  options.target = flags.to;
  TRY_SET(options.form, form_of(flags));
  TRY_SET(options.algorithms, algorithms_of(flags.algorithms));
  TRY_SET(options.info, info_of(flags));
  TRY_SET(options.time, time_of_bag());
  options.one_time = !source_date().empty();
  options.follow_links = flags.follow_links;
  options.nest = flags.nest;
  options.validate = !flags.no_validate;
  options.threads = jobs_or_all(flags.jobs);
  return options;
}

void tell_empty_folders(Console& console, const bagit::Created& created) {
  if (created.empty_folders == 0) return;
  const bool one = created.empty_folders == 1;
  console.note(counted(created.empty_folders, "empty folder") + (one ? " is" : " are") +
               " not in the bag, as BagIt has no place for " + (one ? "it:" : "them:"));
  const std::size_t told = std::min(created.empty_folder_paths.size(), kEmptyFoldersTold);
  for (std::size_t i = 0; i < told; ++i)
    console.note("  " + printable(created.empty_folder_paths[i]));
  if (created.empty_folders > told) {
    console.note("  and " + std::to_string(created.empty_folders - told) + " more" +
                 (created.empty_folders <= created.empty_folder_paths.size()
                      ? "; --json names them all"
                      : "; --json names the first " + std::to_string(bagit::kEmptyFoldersNamed)));
  }
}

int create(Session& session, const CreateFlags& flags) {
  Console& console = session.console();
  stop_on_interrupt();
  auto options = options_of(flags);
  if (!options) return fail(console, options.error());
  options->stop = interruption();
  const char* act = "Copying";
  options->validating = [&] { act = "Reading back"; };
  options->progress = [&](std::uint64_t files, std::uint64_t bytes) {
    console.progress(act, {{"done_files", files}, {"done_bytes", bytes}});
  };
  const auto created = bagit::create_bag(real_disk(), *options);
  console.end_progress();
  if (!created) return fail(console, created.error());
  if (console.json()) {
    json::Array left;
    for (const Path& path : created->left_over)
      left.emplace_back(shown(path.native()));
    console.document(json::Object{{"bag", shown(flags.to)},
                                  {"verdict", flags.no_validate ? "not-validated" : "valid"},
                                  {"payload_files", created->files},
                                  {"payload_bytes", created->octets},
                                  {"empty_folders", created->empty_folders},
                                  {"empty_folder_paths", texts(created->empty_folder_paths)},
                                  {"seal_digest", created->tag_manifest_digest},
                                  {"left_over", std::move(left)},
                                  {"findings", as_json(created->findings)},
                                  {"exit_code", kOk}});
    return kOk;
  }
  tell(console, created->findings);
  tell_empty_folders(console, *created);
  if (created->files == 0) {
    console.note("the payload is empty: no file was found in what was named");
  }
  for (const Path& path : created->left_over) {
    console.note(
        printable(path.native()) +
        " is left of a run that was interrupted; remove it, unless another run is at work");
  }
  console.line(printable(flags.to) + ": " + counted(created->files, "file") + " and " +
               human_bytes(created->octets) +
               (flags.no_validate ? ", made durable; not validated"
                                  : ", made durable and read back; valid"));
  return kOk;
}

void add_create(Tree& tree, CLI::App* bag) {
  CLI::App* const command =
      tree.add(bag, "create", "Make a new bag of files; they stay where they are, untouched");
  auto flags = std::make_shared<CreateFlags>();
  command
      ->add_option("PATH", flags->sources,
                   "One folder, whose content is bagged; or several folders and files")
      ->required();
  command->add_option("--to", flags->to, "The new bag: a folder, or a file .tar or .zip")
      ->required();
  command->add_option("--format", flags->format, "folder, tar or zip, whatever the name says")
      ->check(CLI::IsMember({"folder", "tar", "zip"}));
  add_repeatable(command, "--algorithm", flags->algorithms,
                 "sha512 (without this option), sha256, sha1 or md5");
  add_repeatable(command, "--info", flags->info, "'Label: value' for bag-info.txt");
  add_repeatable(command, "--info-file", flags->info_files, "A file in the form of bag-info.txt");
  command->add_flag("--follow-links", flags->follow_links,
                    "Put the files that links lead to into the bag, if they are in the source");
  command->add_flag("--nest", flags->nest, "Put a bag into the bag");
  command->add_flag("--no-validate", flags->no_validate, "Do not read the new bag back");
  command->add_option("--jobs", flags->jobs, "Files copied at once (one for each processor)")
      ->check(CLI::Range(0u, kJobsMax));
  command->footer(
      "The bag appears under its name when it is whole and durable, and was read back. Files keep\n"
      "the time of their last change (in a tar to the second, in a zip to two), but no owner and\n"
      "no rights: they are 0644 in the bag. Empty folders are left out and named.\n"
      "With SOURCE_DATE_EPOCH set all have that time, and the same input gives the same bytes.\n"
      "Exit status: 0 made, 1 what was written does not read back, 2 something could not be read\n"
      "or written, 3 refused: the target is there, a name or file that no bag can hold, usage.\n"
      "Example: versement bag create ./scans --to ./scans-bag.tar --info 'Source-Organization: A'");
  tree.action(command, [flags](Session& s) { return create(s, *flags); });
}

// ---------------------------------------------------------------------------- bag show

std::string form_text(bagit::Form form) {
  switch (form) {
    case bagit::Form::folder:
      return "folder";
    case bagit::Form::tar:
      return "tar";
    case bagit::Form::tar_gz:
      return "tar.gz";
    case bagit::Form::zip:
      return "zip";
    case bagit::Form::plan:
      return "plan";
  }
  return "plan";
}

// A bag without one of the two can be looked at; what has neither is some other folder.
bool is_bag(const bagit::Inspection& seen) {
  return !seen.version.empty() || !seen.payload_algorithms.empty() || !seen.tag_algorithms.empty();
}

bool is_unread(const bagit::Finding& finding) {
  return finding.severity == bagit::Severity::unread;
}

json::Object show_json(const std::string& bag, const bagit::Inspection& seen, int status) {
  json::Array info;
  for (const auto& [label, value] : seen.info)
    info.emplace_back(json::Object{{"label", shown(label)}, {"value", shown(value)}});
  json::Object out{{"bag", shown(bag)},
                   {"form", form_text(seen.form)},
                   {"version", shown(seen.version)},
                   {"encoding", shown(seen.encoding)},
                   {"info", std::move(info)},
                   {"payload_algorithms", texts(seen.payload_algorithms)},
                   {"tag_algorithms", texts(seen.tag_algorithms)},
                   {"payload_files", seen.payload_files},
                   {"payload_bytes", seen.payload_bytes},
                   {"tag_files", seen.tag_files},
                   {"tag_bytes", seen.tag_bytes},
                   {"findings", as_json(seen.findings)},
                   {"exit_code", status}};
  if (!seen.base.empty()) out["base"] = shown(seen.base);
  if (seen.fetch) {
    out["fetch"] = json::Object{{"files", seen.fetch_files},
                                {"missing_files", seen.fetch_missing},
                                {"missing_bytes", seen.fetch_missing_bytes},
                                {"missing_without_length", seen.fetch_missing_unsized},
                                {"hosts", texts(seen.fetch_hosts)}};
  }
  return out;
}

void show_facts(Console& console, const bagit::Inspection& seen) {
  const auto or_none = [](const std::string& text) { return text.empty() ? "none" : text; };
  std::vector<std::pair<std::string, std::string>> facts{
      {"Form", form_text(seen.form) + (seen.base.empty() ? "" : ", of " + printable(seen.base))},
      {"BagIt version", seen.version.empty() ? "not said, as there is no bagit.txt to be read"
                                             : printable(seen.version)},
      {"Tag files in", seen.encoding.empty() ? "not said" : printable(seen.encoding)},
      {"Payload", counted(seen.payload_files, "file") + ", " + human_bytes(seen.payload_bytes) +
                      " (" + std::to_string(seen.payload_bytes) + "." +
                      std::to_string(seen.payload_files) + ")"},
      {"Manifests", or_none(printable(join(seen.payload_algorithms, ", ")))},
      {"Tag files", counted(seen.tag_files, "file") + ", " + human_bytes(seen.tag_bytes)},
      {"Tag manifests", or_none(printable(join(seen.tag_algorithms, ", ")))}};
  if (seen.fetch) {
    std::string fetch = counted(seen.fetch_files, "file") + ", of which " +
                        std::to_string(seen.fetch_missing) +
                        (seen.fetch_missing == 1 ? " is" : " are") + " missing";
    if (seen.fetch_missing > 0) fetch += " (" + human_bytes(seen.fetch_missing_bytes) + ")";
    if (seen.fetch_missing_unsized > 0) {
      fetch += "; " + std::to_string(seen.fetch_missing_unsized) + " of unknown length";
    }
    facts.emplace_back("To fetch", std::move(fetch));
    for (const std::string& host : seen.fetch_hosts)
      facts.emplace_back("Fetch from", printable(host));
  }
  console.facts(facts);
  for (const auto& [label, value] : seen.info) {
    std::string line = value;
    std::replace(line.begin(), line.end(), '\n', ' ');
    console.line(printable(label) + ": " + printable(line));
  }
}

// Nothing is judged: an archive that is damaged is one that cannot be read.
int fail_show(Console& console, const Error& error) {
  if (error.code() != Code::corrupt) return fail(console, error);
  console.end_progress();
  console.failure(error, kUnchecked, {});
  return kUnchecked;
}

int show(Session& session, const std::string& bag) {
  Console& console = session.console();
  stop_on_interrupt();
  const auto seen = bagit::inspect(real_disk(), bag, interruption());
  if (!seen) return fail_show(console, seen.error());
  const bool unread = std::any_of(seen->findings.begin(), seen->findings.end(), is_unread);
  if (!is_bag(*seen) && !unread) {
    return fail(console, Error(Code::invalid, "'" + printable(bag) +
                                                  "' is no bag: there is neither bagit.txt nor a "
                                                  "manifest; name the folder that holds them")
                             .as("not-a-bag"));
  }
  const int status = unread ? kUnchecked : kOk;
  if (console.json()) {
    console.document(show_json(bag, *seen, status));
    return status;
  }
  show_facts(console, *seen);
  tell(console, seen->findings);
  return status;
}

void add_show(Tree& tree, CLI::App* bag) {
  CLI::App* const command =
      tree.add(bag, "show", "What a bag says of itself; nothing is hashed, and nothing judged");
  auto path = std::make_shared<std::string>();
  command->add_option("BAG", *path, "A folder, tar, tar.gz or zip")->required();
  command->footer(
      "Exit status: 0 shown, 2 not all of it could be read, 3 there is nothing, or no bag.\n"
      "Example: versement bag show ./scans-bag.tar");
  tree.action(command, [path](Session& s) { return show(s, *path); });
}

// ---------------------------------------------------------------------------- bag fetch

struct FetchFlags {
  std::string bag;
  std::vector<std::string> hosts;
  bool any_host = false;
  bool allow_http = false;
  bool allow_private = false;
  bool no_validate = false;
  std::string max_bytes = "64GiB";
  std::string token_file;
  unsigned jobs = 4;
};

// Worst first: bytes that are wrong, then files that did not come, then a net that does not answer.
int status_of(const std::vector<FetchFailure>& failures) {
  int status = kOk;
  for (const FetchFailure& failure : failures) {
    const Code code = failure.error.code();
    const bool wrong = code == Code::corrupt || code == Code::limit;
    const bool net = code == Code::network || code == Code::timeout;
    if (wrong) return kDamage;
    status = status == kUnchecked || !net ? kUnchecked : kServer;
  }
  return status;
}

// Every address must be permitted before the first is asked.
std::map<std::string, std::string> refused_hosts(const std::vector<bagit::FetchItem>& items,
                                                 const FetchOptions& options) {
  std::map<std::string, std::string> refused;  // by host, with the reason
  for (const bagit::FetchItem& item : items) {
    for (const std::string& url : item.urls) {
      const std::string why = refusal_of_url(url, options);
      if (!why.empty()) refused.emplace(host_of_url(url), why);
    }
  }
  return refused;
}

// All of them at once, each on a line of its own.
int refuse_hosts(Console& console, const std::map<std::string, std::string>& refused) {
  std::string what = "fetch.txt names addresses that are not permitted; nothing was fetched";
  json::Object problem{{"code", "fetch-refused"}};
  json::Array errors;
  std::vector<std::string> lines;
  for (const auto& [host, why] : refused) {
    if (lines.size() == kHostsTold) {
      lines.push_back("and " + std::to_string(refused.size() - kHostsTold) + " more");
      break;
    }
    lines.push_back(printable(host) + ": " + why);
    errors.emplace_back(json::Object{{"pointer", printable(host)}, {"detail", why}});
  }
  problem["detail"] = what + ": " + join(lines, "; ");
  problem["errors"] = std::move(errors);
  console.failure(Error(Code::denied, what).as("fetch-refused"), kUsage, problem);
  if (refused.size() > kHostsTold) console.note("  " + lines.back());
  return kUsage;
}

// What failed, and what can be done here.
std::string failure_text(const FetchFailure& failure) {
  const bool untrusted = failure.error.reason() == "certificate-not-trusted";
  return failure.error.what() +
         (untrusted ? "; where an authority of your own has signed it, name that one with --ca"
                    : "");
}

json::Object fetched_json(const std::string& bag, const Fetched& fetched) {
  json::Array failures;
  for (const FetchFailure& failure : fetched.failures) {
    const std::string& reason = failure.error.reason();
    failures.emplace_back(json::Object{
        {"path", shown(failure.path)},
        {"code", reason.empty() ? std::string(code_name(failure.error.code())) : reason},
        {"detail", shown(failure_text(failure))}});
  }
  json::Array given_up;
  for (const FetchGivenUp& server : fetched.given_up) {
    given_up.emplace_back(json::Object{{"host", shown(server.host)},
                                       {"detail", shown(server.why)},
                                       {"files_not_asked_for", server.files}});
  }
  return {{"bag", shown(bag)},
          {"fetched_files", fetched.files},
          {"fetched_bytes", fetched.bytes},
          {"resumed_bytes", fetched.resumed_bytes},
          {"kept_bytes", fetched.kept_bytes},
          {"failures", std::move(failures)},
          {"given_up", std::move(given_up)}};
}

// The bag as it is now.
Result<bagit::Report> judge(Console& console, const std::string& bag, bagit::Depth depth) {
  bagit::ValidateOptions options;
  options.depth = depth;
  options.threads = processor_count();
  options.stop = interruption();
  options.progress = [&](const bagit::Progress& seen) {
    console.progress("Validating", {{"done_files", seen.files}, {"done_bytes", seen.bytes}});
  };
  auto report = bagit::validate(real_disk(), bag, options);
  console.end_progress();
  return report;
}

int status_of(const bagit::Report& report) {
  if (report.verdict == bagit::Verdict::invalid) return kDamage;
  const bool good =
      report.verdict == bagit::Verdict::valid || report.verdict == bagit::Verdict::complete;
  return good ? kOk : kUnchecked;
}

int refuse_report(Console& console, const std::string& bag, const bagit::Report& report) {
  const int status = status_of(report);
  if (console.json()) {
    console.document(json::Object{{"bag", shown(bag)},
                                  {"verdict", bagit::verdict_name(report.verdict)},
                                  {"findings", as_json(report.findings)},
                                  {"exit_code", status}});
    return status;
  }
  tell(console, report.findings);
  console.line(printable(bag) + ": " + std::string(bagit::verdict_name(report.verdict)) +
               "; nothing was done");
  return status;
}

Result<FetchOptions> options_of(Session& session, const FetchFlags& flags) {
  FetchOptions options;
  for (const std::string& host : flags.hosts)
    options.hosts.insert(lower_ascii(host));
  options.any_host = flags.any_host;
  options.allow_http = flags.allow_http;
  options.allow_private = flags.allow_private;
  options.jobs = flags.jobs;
  options.wait = std::chrono::seconds(session.globals().timeout_seconds);
  options.ca_file = session.globals().ca_file;
  options.stop = interruption();
  TRY_SET(options.bytes_max, parse_size(flags.max_bytes));
  if (flags.token_file.empty()) return options;
  // The list is a stranger's: who else it names must not see the token.
  if (options.hosts.size() != 1 || options.any_host) {
    return Error(Code::invalid,
                 "--send-token needs exactly one --host, and no --any-host: a token is for one "
                 "server");
  }
  TRY_SET(options.token, read_token(flags.token_file));
  return options;
}

// Shows from a thread of its own how far it is, while `act` runs.
Result<Fetched> fetch_showing(Console& console,
                              const std::string& bag,
                              const std::vector<bagit::FetchItem>& items,
                              const FetchOptions& options) {
  std::uint64_t total = 0;
  for (const bagit::FetchItem& item : items)
    total += item.length.value_or(0);
  FetchProgress progress;
  std::atomic<bool> ended{false};
  std::thread reporter([&] {
    while (!ended) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      if (ended) break;
      console.progress("Fetching", {{"done_files", progress.files.load()},
                                    {"done_bytes", progress.bytes.load()},
                                    {"total_bytes", total}});
    }
  });
  auto fetched = fetch_items(bag, items, options, progress);
  ended = true;
  reporter.join();
  console.end_progress();
  return fetched;
}

void tell_fetched(Console& console,
                  const std::string& bag,
                  const Fetched& fetched,
                  std::size_t wanted) {
  for (const FetchResumed& file : fetched.resumed) {
    console.note(printable(file.path) + ": went on after the " + human_bytes(file.bytes) +
                 " that an earlier run had left");
  }
  // What a server says of every file is said once.
  std::set<std::string> said;
  for (const FetchGivenUp& server : fetched.given_up)
    said.insert(server.why);
  for (const FetchFailure& failure : fetched.failures) {
    if (!said.contains(failure.error.what())) {
      console.line(printable(failure.path + ": " + failure_text(failure)));
    }
  }
  for (const FetchGivenUp& server : fetched.given_up) {
    const auto failure =
        std::find_if(fetched.failures.begin(), fetched.failures.end(),
                     [&](const FetchFailure& each) { return each.error.what() == server.why; });
    const std::string why = failure == fetched.failures.end() ? server.why : failure_text(*failure);
    console.line(printable(server.host + ": " + why) +
                 "; it failed so again and again, and was not asked for " +
                 counted(server.files, "further file"));
  }
  std::string line = printable(bag) + ": " + counted(fetched.files, "file") + " fetched, " +
                     human_bytes(fetched.bytes);
  if (!fetched.failures.empty()) {
    line += "; " + std::to_string(fetched.failures.size()) + " failed";
  }
  if (fetched.kept_bytes > 0) {
    line += "; " + human_bytes(fetched.kept_bytes) + " of what failed are kept for the next run";
  }
  console.line(line);
  if (fetched.files < wanted) {
    console.line(printable(bag) +
                 " is still incomplete: " + counted(wanted - fetched.files, "file") + " to fetch");
  }
}

int fetch(Session& session, const FetchFlags& flags) {
  Console& console = session.console();
  stop_on_interrupt();
  const auto options = options_of(session, flags);
  if (!options) return fail(console, options.error());
  const auto info = real_disk().info(flags.bag);
  if (!info) return fail(console, info.error());
  if (info->kind != FileKind::folder) {
    return fail(console, Error(Code::invalid, printable(flags.bag) +
                                                  " is no folder; unpack a packed bag before its "
                                                  "files are fetched"));
  }
  const auto plan = bagit::plan_fetch(real_disk(), flags.bag, options->stop);
  if (!plan) return fail(console, plan.error());
  const bool whole = plan->report.verdict == bagit::Verdict::complete;
  if (!whole && plan->report.verdict != bagit::Verdict::incomplete) {
    return refuse_report(console, flags.bag, plan->report);
  }
  const auto refused = refused_hosts(plan->items, *options);
  if (!refused.empty()) return refuse_hosts(console, refused);
  Fetched fetched;
  if (!plan->items.empty()) {
    auto done = fetch_showing(console, flags.bag, plan->items, *options);
    if (!done && done.error().code() == Code::cancelled) {
      return fail(console, Error(Code::cancelled,
                                 "stopped; what came so far is kept: run the same command again to "
                                 "go on"));
    }
    if (!done) return fail(console, done.error());
    fetched = std::move(*done);
  }
  int status = status_of(fetched.failures);
  json::Object document = fetched_json(flags.bag, fetched);
  document["missing_files"] = plan->items.size() - fetched.files;
  if (!console.json()) {
    tell_fetched(console, flags.bag, fetched, plan->items.size());
  }
  if (status == kOk && !flags.no_validate) {
    const auto report = judge(console, flags.bag, bagit::Depth::full);
    if (!report) return fail(console, report.error());
    status = status_of(*report);
    document["verdict"] = bagit::verdict_name(report->verdict);
    document["findings"] = as_json(report->findings);
    if (!console.json()) {
      tell(console, report->findings);
      console.line(printable(flags.bag) + ": " + std::string(bagit::verdict_name(report->verdict)));
    }
  }
  document["exit_code"] = status;
  if (console.json()) console.document(document);
  return status;
}

void add_fetch(Tree& tree, CLI::App* bag) {
  CLI::App* const command =
      tree.add(bag, "fetch", "Bring the files that fetch.txt names and that are not there");
  auto flags = std::make_shared<FetchFlags>();
  command->add_option("BAG", flags->bag, "A bag in a folder")->required();
  add_repeatable(command, "--host", flags->hosts,
                 "A host that may be asked, HOST at port 443 (80 with http) or HOST:PORT");
  command->add_flag("--any-host", flags->any_host, "Ask whatever host the bag names");
  command->add_flag("--allow-http", flags->allow_http, "Permit http, which anybody can alter");
  command->add_flag("--allow-private", flags->allow_private,
                    "Permit addresses of private networks and of this machine");
  command->add_option("--max-bytes", flags->max_bytes,
                      "Of a file whose length the bag does not tell (64GiB)");
  command->add_option("--send-token", flags->token_file,
                      "A file with a token for the one host that --host names");
  command->add_option("--jobs", flags->jobs, "Files fetched at once (4)")
      ->check(CLI::Range(1u, 64u));
  command->add_flag("--no-validate", flags->no_validate, "Do not validate the bag afterwards");
  command->footer(
      "The list in a bag comes from a stranger: nobody is asked who was not named with --host.\n"
      "Each file appears when its length and all its digests are right; a fetch that was cut off\n"
      "goes on where it was.\n"
      "--ca names the authority of a server whose certificate no public one has signed, and\n"
      "--timeout the seconds that each wait for it may last (60).\n"
      "Exit status: 0 valid, 1 the bag is invalid or a file has other bytes, 2 something could "
      "not\n"
      "be fetched, 3 usage, or a host that was not named, 4 the net does not answer.\n"
      "Example: versement bag fetch ./holey --host files.example.org");
  tree.action(command, [flags](Session& s) { return fetch(s, *flags); });
}

// ---------------------------------------------------------------------------- bag upgrade

struct UpgradeFlags {
  std::string bag;
  std::string to;
  std::vector<std::string> algorithms;
  unsigned jobs = 0;
};

std::vector<std::string> names_of(const std::vector<Algorithm>& algorithms) {
  std::vector<std::string> out;
  out.reserve(algorithms.size());
  for (const Algorithm algorithm : algorithms)
    out.emplace_back(algorithm_name(algorithm));
  return out;
}

// Of the old bag's warnings one was answered: a newer algorithm stands beside the weak ones now.
std::vector<bagit::Finding> but_weak_algorithms(std::vector<bagit::Finding> findings) {
  std::erase_if(findings, [](const bagit::Finding& finding) {
    return finding.code == "manifest.weak-algorithm";
  });
  return findings;
}

int upgrade(Session& session, const UpgradeFlags& flags) {
  Console& console = session.console();
  stop_on_interrupt();
  bagit::UpgradeOptions options;
  options.bag = flags.bag;
  options.target = flags.to;
  auto algorithms = algorithms_of(flags.algorithms);
  if (!algorithms) return fail(console, algorithms.error());
  options.algorithms = std::move(*algorithms);
  const auto time = time_of_bag();
  if (!time) return fail(console, time.error());
  options.time = *time;
  options.threads = jobs_or_all(flags.jobs);
  options.stop = interruption();
  options.progress = [&](std::uint64_t files, std::uint64_t bytes) {
    console.progress("Reading", {{"done_files", files}, {"done_bytes", bytes}});
  };
  const auto upgraded = bagit::upgrade_bag(real_disk(), options);
  console.end_progress();
  if (!upgraded) return fail(console, upgraded.error());
  if (upgraded->old.verdict != bagit::Verdict::complete) {
    return refuse_report(console, flags.bag, upgraded->old);
  }
  if (console.json()) {
    console.document(json::Object{{"bag", shown(flags.bag)},
                                  {"to", shown(flags.to)},
                                  {"made", upgraded->made},
                                  {"from_version", shown(upgraded->from_version)},
                                  {"from_algorithms", texts(names_of(upgraded->from_algorithms))},
                                  {"algorithms", texts(names_of(upgraded->algorithms))},
                                  {"files", upgraded->files},
                                  {"bytes", upgraded->bytes},
                                  {"originals", upgraded->originals},
                                  {"event", upgraded->event},
                                  {"findings", as_json(upgraded->old.findings)},
                                  {"exit_code", kOk}});
  } else if (!upgraded->made) {
    console.line(printable(flags.bag) +
                 " is of version 1.0 in UTF-8 already, with manifests and tag manifests of " +
                 join(names_of(upgraded->algorithms), ", ") + "; nothing was done");
  } else {
    tell(console, but_weak_algorithms(upgraded->old.findings));
    console.line(printable(flags.to) + ": BagIt 1.0 with " +
                 join(names_of(upgraded->algorithms), ", ") + "; " +
                 counted(upgraded->files, "file") + " and " + human_bytes(upgraded->bytes) +
                 " verified against the old manifests. The files are those of " +
                 printable(flags.bag) + " under second names");
  }
  return kOk;
}

void add_upgrade(Tree& tree, CLI::App* bag) {
  CLI::App* const command =
      tree.add(bag, "upgrade", "Make of an old bag one of version 1.0 with newer checksums");
  auto flags = std::make_shared<UpgradeFlags>();
  command->add_option("BAG", flags->bag, "A bag in a folder")->required();
  command->add_option("--to", flags->to, "The new bag, a folder on the same file system")
      ->required();
  add_repeatable(command, "--algorithm", flags->algorithms,
                 "sha512 (without this option), sha256, sha1 or md5");
  command->add_option("--jobs", flags->jobs, "Files read at once (one for each processor)")
      ->check(CLI::Range(0u, kJobsMax));
  command->footer(
      "Every file is verified against the old manifests in the read that the new checksums are\n"
      "of. The new bag shares its files with the old one (hard links) and keeps the replaced tag\n"
      "files in metadata/bagit-original; what was done stands in metadata/premis-upgrade.xml.\n"
      "Exit status: 0 made, or nothing to do, 1 the old bag is invalid, 2 it is not complete, or\n"
      "could not be read, 3 usage, or the target is there, or files cannot be shared with it.\n"
      "Example: versement bag upgrade ./old-bag --to ./new-bag");
  tree.action(command, [flags](Session& s) { return upgrade(s, *flags); });
}

}  // namespace

void add_bag_commands(Tree& tree, CLI::App* group) {
  group->footer(
      "These work on local files, without a service. Each has more to say: bag create --help.\n"
      "Examples:\n"
      "  versement bag create ./scans --to ./scans-bag --info 'Source-Organization: A'\n"
      "  versement bag validate ./scans-bag\n"
      "  versement bag show ./scans-bag.zip\n"
      "  versement bag fetch ./holey --host files.example.org\n"
      "  versement bag upgrade ./old-bag --to ./new-bag");
  add_create(tree, group);
  add_show(tree, group);
  add_fetch(tree, group);
  add_upgrade(tree, group);
}

}  // namespace versement::cli
