#include "bagit/inspect.hpp"

#include <algorithm>
#include <set>

#include "bagit/charset.hpp"
#include "bagit/contents.hpp"
#include "bagit/folder_tree.hpp"
#include "bagit/notes.hpp"
#include "bagit/open.hpp"
#include "bagit/tag_reader.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

// "https://example.org:8443" of "https://example.org:8443/a/b".
std::string origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return std::string(url.substr(0, url.find(':') + 1));
  return std::string(url.substr(0, url.find_first_of("/?#", scheme + 3)));
}

class Inspector {
 public:
  Inspector(Tree& tree, const std::stop_token& stop)
      : tree_(tree), stop_(stop), notes_(Mode::standard), reader_(tree, contents_, notes_, stop) {}

  Result<Inspection> run() {
    out_.form = tree_.form();
    out_.name = tree_.name();
    Eager eager;
    if (tree_.sequential()) eager.tag_bytes_max = limits::kKeptTagBytesMax;
    const auto say = [this](std::string_view code, std::string path, std::string detail) {
      notes_.say(code, std::move(path), std::move(detail));
    };
    TRY(contents_.load(
        tree_, eager, say, [](std::uint64_t, std::uint64_t) {}, stop_));
    out_.base = std::string(trim(contents_.base(), "/"));
    count();
    TRY(declaration());
    TRY(bag_info());
    TRY(fetch());
    out_.findings = notes_.take();
    return std::move(out_);
  }

 private:
  void count() {
    for (const File& file : contents_.files()) {
      if (file.kind == EntryKind::folder) continue;
      const bool payload = file.path().starts_with("data/");
      (payload ? out_.payload_files : out_.tag_files) += 1;
      (payload ? out_.payload_bytes : out_.tag_bytes) += file.size_bytes;
      if (const auto name = parse_manifest_name(file.path())) {
        (name->tag ? out_.tag_algorithms : out_.payload_algorithms).push_back(name->algorithm);
      }
    }
  }

  std::uint32_t tag_file(std::string_view name) const {
    const std::uint32_t found = contents_.find(name);
    const bool file = found != Contents::kNone && contents_.at(found).kind == EntryKind::file;
    return file ? found : Contents::kNone;
  }

  Result<void> declaration() {
    const std::uint32_t file = tag_file("bagit.txt");
    if (file == Contents::kNone) return {};
    TRY_SET(const auto bytes, reader_.bytes(file, {}, limits::kConfigBytesMax));
    if (!bytes) return {};
    auto parsed = parse_bagit_txt(*bytes);
    if (!parsed) notes_.say(parsed.error().reason(), "bagit.txt", parsed.error().what());
    const Declaration said = parsed ? *parsed : guess_declaration(*bytes);
    out_.version = std::to_string(said.major) + "." + std::to_string(said.minor);
    out_.encoding = said.encoding;
    old_ = !said.at_least(1, 0);
    if (Decoder::make(said.encoding)) encoding_ = said.encoding;
    return {};
  }

  Result<void> bag_info() {
    for (const char* const name : {"bag-info.txt", "package-info.txt"}) {
      const std::uint32_t file = tag_file(name);
      if (file == Contents::kNone) continue;
      if (contents_.at(file).size_bytes > limits::kTagFileBytesMax) {
        notes_.say("tagfile.size", name, "");
        continue;
      }
      BagInfoReader info(old_, [&](std::string_view code, std::size_t line, std::string detail) {
        notes_.say(code, name, std::move(detail), {.line = line});
      });
      TRY(reader_.lines(file, encoding_, {}, [&](std::size_t number, std::string_view line) {
        info.line(number, line);
      }));
      out_.info_name = name;
      out_.info = info.info();
      return {};
    }
    return {};
  }

  Result<void> fetch() {
    const std::uint32_t file = tag_file("fetch.txt");
    if (file == Contents::kNone) return {};
    out_.fetch = true;
    std::set<std::string> hosts;
    TRY(reader_.lines(file, encoding_, {}, [&](std::size_t number, std::string_view line) {
      if (trim(line).empty()) return;
      const auto parsed = parse_fetch_line(line);
      if (!parsed) return notes_.say("fetch.syntax", "fetch.txt", "", {.line = number});
      bool strange = false;
      const std::string path =
          old_ ? decode_old_path(parsed->path) : decode_path(parsed->path, &strange);
      ++out_.fetch_files;
      hosts.insert(origin_of(parsed->url));
      if (contents_.find(path) != Contents::kNone) return;
      ++out_.fetch_missing;
      out_.fetch_missing_bytes += parsed->length.value_or(0);
      if (!parsed->length) ++out_.fetch_missing_unsized;
    }));
    out_.fetch_hosts.assign(hosts.begin(), hosts.end());
    return {};
  }

  Tree& tree_;
  const std::stop_token stop_;
  Contents contents_;
  Notes notes_;
  TagReader reader_;
  Inspection out_;
  std::string encoding_ = "UTF-8";
  bool old_ = false;
};

}  // namespace

Result<Inspection> inspect(Tree& tree, const std::stop_token& stop) {
  return Inspector(tree, stop).run();
}

Result<Inspection> inspect(Disk& disk, const Path& bag, const std::stop_token& stop) {
  auto folder = open_folder(disk, bag);
  if (folder) return inspect(**folder, stop);
  if (folder.error().code() != Code::invalid) return std::move(folder).error();
  TRY_SET(const auto archive, open_archive(disk, bag));
  return inspect(*archive, stop);
}

}  // namespace versement::bagit
