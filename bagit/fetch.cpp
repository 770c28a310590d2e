#include "bagit/fetch.hpp"

#include <map>

#include "bagit/folder_lines.hpp"
#include "bagit/tagfile.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

class Planner {
 public:
  Planner(Disk& disk, const Path& bag) : disk_(disk), bag_(bag) {}

  Result<std::vector<FetchItem>> run() {
    TRY_SET(const std::string declared,
            read_file(disk_, bag_ / "bagit.txt", limits::kConfigBytesMax));
    TRY_SET(declaration_, parse_bagit_txt(declared));
    TRY(read_fetch());
    TRY_SET(const auto entries, list_sorted(disk_, bag_));
    for (const DirEntry& entry : entries) {
      const auto name = parse_manifest_name(entry.name);
      if (name && !name->tag) TRY(read_manifest(entry.name, *name));
    }
    std::vector<FetchItem> items;
    for (auto& [path, item] : items_) {
      // The validator has found it in a manifest, under another Unicode form of its name maybe.
      if (item.digests.empty()) {
        return Error(Code::invalid, "no manifest lists '" + printable(path) +
                                        "' under just this name, as fetch.txt has it")
            .as("fetch.unlisted");
      }
      items.push_back(std::move(item));
    }
    return items;
  }

 private:
  Result<void> lines(const std::string& name,
                     const std::function<Result<void>(std::size_t, std::string_view)>& each) {
    return folder_lines(disk_, bag_ / name, declaration_.encoding, each);
  }
  std::string decoded(std::string_view coded) const { return listed_path(declaration_, coded); }

  Result<void> read_fetch() {
    return lines("fetch.txt", [&](std::size_t number, std::string_view line) -> Result<void> {
      const auto parsed = parse_fetch_line(line);
      if (!parsed) return {};  // An empty line: any other one was an error of the bag.
      std::string path = decoded(parsed->path);
      TRY_SET(const bool there, path_exists(disk_, bag_ / path));
      if (there) return {};
      if (items_.size() >= limits::kFetchFilesMax) {
        return Error(Code::limit, "fetch.txt names more than " +
                                      std::to_string(limits::kFetchFilesMax) +
                                      " files that are not there");
      }
      FetchItem& item = items_[path];
      if (item.length && parsed->length && *item.length != *parsed->length) {
        return Error(Code::invalid, "fetch.txt, line " + std::to_string(number) + ": '" +
                                        printable(path) + "' has two different lengths")
            .as("fetch.duplicate");
      }
      if (parsed->length) item.length = parsed->length;
      item.urls.emplace_back(parsed->url);
      item.path = std::move(path);
      return {};
    });
  }

  Result<void> read_manifest(const std::string& name, const ManifestName& parts) {
    const auto algorithm = algorithm_of_manifest(parts.algorithm);
    if (!algorithm) {
      return Error(Code::unsupported, name + " has an algorithm that is not known")
          .as("manifest.unverifiable");
    }
    return lines(name, [&](std::size_t, std::string_view line) -> Result<void> {
      const auto parsed = parse_manifest_line(line);
      if (!parsed) return {};
      const auto found = items_.find(decoded(parsed->path));
      if (found == items_.end()) return {};
      TRY_SET(Digest digest, Digest::from_hex(*algorithm, parsed->checksum));
      found->second.digests.push_back(digest);
      return {};
    });
  }

  Disk& disk_;
  const Path& bag_;
  Declaration declaration_;
  std::map<std::string, FetchItem> items_;
};

}  // namespace

Result<FetchPlan> plan_fetch(Disk& disk, const Path& bag, const std::stop_token& stop) {
  FetchPlan plan;
  ValidateOptions options;
  options.depth = Depth::complete;
  options.stop = stop;
  TRY_SET(plan.report, validate(disk, bag, options));
  if (plan.report.verdict == Verdict::incomplete) {
    TRY_SET(plan.items, Planner(disk, bag).run());
  }
  return plan;
}

}  // namespace versement::bagit
