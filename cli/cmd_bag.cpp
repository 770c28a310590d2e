// versement bag create, show: local bags, without a daemon.
#include <cstdlib>
#include <memory>

#include "bagit/create.hpp"
#include "bagit/inspect.hpp"
#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

// Each is a thread with a buffer of its own.
constexpr unsigned kJobsMax = 256;

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
    info.emplace_back(trim(std::string_view(text).substr(0, colon)),
                      trim(std::string_view(text).substr(colon + 1)));
  }
  return info;
}

// The clock, or what stands in SOURCE_DATE_EPOCH, so that the same input gives the same bag.
Result<Timestamp> time_of_bag() {
  const char* const text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr || *text == '\0') return real_clock().now();
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
  options.follow_links = flags.follow_links;
  options.nest = flags.nest;
  options.validate = !flags.no_validate;
  options.threads = jobs_or_all(flags.jobs);
  return options;
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
                                  {"seal_digest", created->tag_manifest_digest},
                                  {"left_over", std::move(left)},
                                  {"findings", as_json(created->findings)},
                                  {"exit_code", kOk}});
    return kOk;
  }
  tell(console, created->findings);
  if (created->empty_folders > 0) {
    console.note(std::to_string(created->empty_folders) +
                 " empty folders are not in the bag: BagIt has no place for them");
  }
  for (const Path& path : created->left_over) {
    console.note(
        printable(path.native()) +
        " is left of a run that was interrupted; remove it, unless another run is at work");
  }
  console.line(printable(flags.to) + ": " + std::to_string(created->files) + " files and " +
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
  command->add_option("--algorithm", flags->algorithms,
                      "sha512 (without this option), sha256, sha1 or md5; repeatable");
  command->add_option("--info", flags->info, "'Label: value' for bag-info.txt; repeatable");
  command->add_option("--info-file", flags->info_files,
                      "A file in the form of bag-info.txt; repeatable");
  command->add_flag("--follow-links", flags->follow_links,
                    "Put the files that links lead to into the bag, if they are in the source");
  command->add_flag("--nest", flags->nest, "Put a bag into the bag");
  command->add_flag("--no-validate", flags->no_validate, "Do not read the new bag back");
  command->add_option("--jobs", flags->jobs, "Files copied at once (one for each processor)")
      ->check(CLI::Range(0u, kJobsMax));
  command->footer(
      "The bag appears under its name when it is whole and durable, and was read back. With\n"
      "SOURCE_DATE_EPOCH set, the same input gives the same bytes.\n"
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

json::Array texts(const std::vector<std::string>& values) {
  json::Array out;
  for (const std::string& value : values)
    out.emplace_back(shown(value));
  return out;
}

json::Object show_json(const std::string& bag, const bagit::Inspection& seen) {
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
                   {"exit_code", kOk}};
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
      {"BagIt version", or_none(printable(seen.version))},
      {"Tag files in", or_none(printable(seen.encoding))},
      {"Payload", std::to_string(seen.payload_files) + " files, " +
                      human_bytes(seen.payload_bytes) + " (" + std::to_string(seen.payload_bytes) +
                      "." + std::to_string(seen.payload_files) + ")"},
      {"Manifests", or_none(printable(join(seen.payload_algorithms, ", ")))},
      {"Tag files", std::to_string(seen.tag_files) + " files, " + human_bytes(seen.tag_bytes)},
      {"Tag manifests", or_none(printable(join(seen.tag_algorithms, ", ")))}};
  if (seen.fetch) {
    std::string fetch = std::to_string(seen.fetch_files) + " files, of which " +
                        std::to_string(seen.fetch_missing) + " are missing";
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

int show(Session& session, const std::string& bag) {
  Console& console = session.console();
  stop_on_interrupt();
  const auto seen = bagit::inspect(real_disk(), bag, interruption());
  if (!seen) return fail(console, seen.error());
  if (console.json()) {
    console.document(show_json(bag, *seen));
    return kOk;
  }
  show_facts(console, *seen);
  tell(console, seen->findings);
  return kOk;
}

void add_show(Tree& tree, CLI::App* bag) {
  CLI::App* const command =
      tree.add(bag, "show", "What a bag says of itself; nothing is hashed, and nothing judged");
  auto path = std::make_shared<std::string>();
  command->add_option("BAG", *path, "A bag")->required();
  command->footer("Exit status: 0 shown, 2 it could not be read, 3 there is no such bag.");
  tree.action(command, [path](Session& s) { return show(s, *path); });
}

}  // namespace

void add_bag_commands(Tree& tree, CLI::App* bag) {
  add_create(tree, bag);
  add_show(tree, bag);
}

}  // namespace versement::cli
