#include "bagit/manifests.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "bagit/names.hpp"
#include "store/base/disk.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

constexpr std::string_view kFetch = "fetch.txt";
// There are a dozen algorithms, and each file is held against each manifest.
constexpr std::size_t kManifestsMax = 64;

// The value of each byte as a hexadecimal digit, or more than 15. Digits and letters alternate at
// random in a checksum: a table needs no branch that could be guessed wrongly.
constexpr std::array<std::uint8_t, 256> kHexValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(0xFF);
  for (std::uint8_t i = 0; i < 10; ++i)
    values['0' + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i)
    values['a' + i] = values['A' + i] = static_cast<std::uint8_t>(10 + i);
  return values;
}();

// Hexadecimal of either case into raw bytes; false when it is none.
bool raw_of(std::string_view hex, std::string* raw) {
  if (hex.size() % 2 != 0) return false;
  raw->resize(hex.size() / 2);
  unsigned all = 0;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const unsigned high = kHexValues[static_cast<unsigned char>(hex[i])];
    const unsigned low = kHexValues[static_cast<unsigned char>(hex[i + 1])];
    all |= high | low;
    (*raw)[i / 2] = static_cast<char>(((high << 4u) | low) & 0xFFu);
  }
  return all < 16;
}

bool is_payload(std::string_view path) {
  return path.starts_with("data/");
}

// Whether a path ends above the folder that it begins in, or comes by there.
bool leads_out(std::string_view path) {
  std::ptrdiff_t depth = 0;
  for (const std::string_view name : split(path, '/')) {
    if (name == "..") --depth;
    if (depth < 0) return true;
    if (name != ".." && name != "." && !name.empty()) ++depth;
  }
  return false;
}

}  // namespace

Result<void> Manifests::read() {
  find_manifests();
  for (std::uint32_t i = 0; i < manifests_.size(); ++i)
    TRY(read_manifest(i));
  listings_.shrink_to_fit();
  resolve_absent();
  TRY(read_fetch());
  judge_lines();
  judge_missing();
  judge_unlisted();
  judge_tag_manifests();
  judge_algorithms();
  return {};
}

// ---------------------------------------------------------------------------- reading

void Manifests::find_manifests() {
  bool payload = false;
  const auto files = contents_.files();
  for (std::uint32_t i = 0; i < files.size(); ++i) {
    const std::string path(files[i].path());
    const auto name = parse_manifest_name(path);
    if (!name || files[i].kind == EntryKind::folder || files[i].kind == EntryKind::special)
      continue;
    std::uint32_t file = i;
    if (files[i].kind == EntryKind::link) {
      const auto led = links_.find(i);
      if (led == links_.end()) continue;
      file = led->second;
    }
    if (!name->proper) {
      notes_.say(
          "manifest.name", path,
          "is not " + std::string(name->tag ? "tag" : "") + "manifest-" + name->algorithm + ".txt");
    }
    payload = payload || !name->tag;
    const auto algorithm = algorithm_of_manifest(name->algorithm);
    if (!algorithm) {
      notes_.say("manifest.unverifiable", path,
                 "'" + name->algorithm + "' is no algorithm that is known");
    }
    if (manifests_.size() == kManifestsMax) {
      notes_.say(
          "manifest.unverifiable", path,
          "is not read: there are more than " + std::to_string(kManifestsMax) + " manifests");
      continue;
    }
    manifests_.push_back({.name = path,
                          .algorithm_name = name->algorithm,
                          .algorithm = algorithm,
                          .tag = name->tag,
                          .file = file});
  }
  if (!payload && !contents_.is_unseen("")) notes_.say("manifest.none", "", "");
}

Result<void> Manifests::read_manifest(std::uint32_t number) {
  const std::uint32_t file = manifests_[number].file;
  hint_ = Contents::kNone;
  TRY_SET(manifests_[number].read, reader_.lines(file, declaration_.encoding, tag_algorithms_,
                                                 [&](std::size_t line, std::string_view text) {
                                                   take(number, line, text);
                                                 }));
  return {};
}

void Manifests::take(std::uint32_t number, std::size_t line_number, std::string_view line) {
  const Manifest& manifest = manifests_[number];
  const auto note = [&](std::string_view code, std::string detail = {}) {
    notes_.say(code, manifest.name, std::move(detail), {.line = line_number});
  };
  if (trim(line).empty()) return note("tagfile.blank-line");
  const auto parsed = parse_manifest_line(line);
  if (!parsed) return note("manifest.syntax");
  if (parsed->escaped) {
    note("manifest.separator",
         "begins with the backslash by which md5sum says that the path is escaped its own way");
    return;
  }
  const std::string shown(parsed->path);
  if (parsed->asterisk) {
    // What old bags were allowed to have.
    notes_.say("manifest.asterisk", manifest.name, "it stands before '" + shown + "'",
               {.line = line_number, .at_most = old() ? Severity::warning : Severity::unread});
  }
  if (parsed->dot_slash) note("path.dot-slash", "'./' stands before '" + shown + "'");
  Listing listing;
  listing.line = static_cast<std::uint32_t>(line_number);
  listing.manifest = number;
  if (manifest.algorithm) {
    std::string raw;
    const std::size_t wanted = digest_bytes(*manifest.algorithm);
    if (!raw_of(parsed->checksum, &raw) || raw.size() != wanted) {
      note("manifest.checksum-form", "'" + std::string(parsed->checksum.substr(0, 200)) +
                                         "' is not " + std::to_string(wanted * 2) +
                                         " hexadecimal digits");
    } else {
      listing.digest = contents_.arena().put(raw);
    }
  }
  Named named = look_up(manifest.name, line_number, parsed->path, false);
  if (!is_in_place(manifest, named.path, line_number) || !named.usable) return;

  if (named.file != Contents::kNone) {
    listing.file = named.file;
  } else {
    const char* const kept = contents_.arena().put(named.path);
    absent_.push_back({{kept, named.path.size()}, static_cast<std::uint32_t>(listings_.size())});
    listing.file = Contents::kNone;
  }
  listings_.push_back(listing);
}

// A % is coded from 1.0 on. Before, only LF and CR were, and many wrote the name as it is.
Manifests::Named Manifests::look_up(const std::string& in,
                                    std::size_t line,
                                    std::string_view coded,
                                    bool fetch) {
  Named named;
  const auto note = [&](std::string_view code, std::string detail) {
    notes_.say(code, in, std::move(detail), {.line = line});
  };
  const auto shown = [&] { return "'" + std::string(coded.substr(0, 1000)) + "'"; };
  bool strange = false;
  named.path = old() ? decode_old_path(coded) : decode_path(coded, &strange);
  if (strange) note("manifest.percent-unencoded", shown());
  // Before 1.0 a slash in front was to be read as from the bag's base folder.
  if (fetch && old() && named.path.starts_with("/data/")) named.path.erase(0, 1);
  if (const std::string_view code = unsafe_path(named.path); !code.empty()) {
    note(code, shown());
    return named;
  }
  if (named.path.find("//") != std::string::npos) {
    note("path.double-slash", shown());
    named.path = without_empty_names(named.path);
  }
  if (named.path.ends_with('/')) {
    note("manifest.directory", shown());
    return named;
  }
  named.usable = true;
  named.file = contents_.find(named.path, &hint_);
  if (named.file == Contents::kNone && old()) {
    for (const std::string& other : {std::string(coded), decode_path(coded, &strange)}) {
      const std::uint32_t found = contents_.find(other);
      if (found == Contents::kNone) continue;
      named.path = other;
      named.file = found;
      break;
    }
  }
  // A backslash is a character of a name (section 2.1.3 has no separator but the slash), also of
  // one that is still to be fetched. It was meant to part names where only that leads to a file, or
  // into data/; and where it would lead out of the bag, some system will read it so.
  if (named.file == Contents::kNone && named.path.find('\\') != std::string::npos) {
    std::string slashes = named.path;
    std::replace(slashes.begin(), slashes.end(), '\\', '/');
    const bool into_payload = is_payload(slashes) && !is_payload(named.path);
    if (contents_.find(slashes) != Contents::kNone || into_payload || leads_out(slashes)) {
      note("manifest.separator", shown() + " has backslashes");
      named.usable = false;
    }
  }
  if (named.file != Contents::kNone && contents_.at(named.file).kind == EntryKind::folder) {
    note("manifest.directory", shown());
    named.usable = false;
  }
  return named;
}

// Payload manifests list payload, tag manifests all else but each other.
bool Manifests::is_in_place(const Manifest& manifest, const std::string& path, std::size_t line) {
  const auto note = [&](std::string_view code) {
    notes_.say(code, manifest.name, "'" + path + "'", {.line = line});
    return false;
  };
  if (!manifest.tag) return is_payload(path) || path == "data" || note("manifest.outside-data");
  if (is_payload(path)) return note("tagmanifest.lists-payload");
  const auto name = parse_manifest_name(path);
  if (name && name->tag) return note("tagmanifest.lists-tagmanifest");
  return true;
}

// ---------------------------------------------------------------------------- what is not there

// One number for each absent path, behind those of the files; then everything is sorted by file.
void Manifests::resolve_absent() {
  std::sort(absent_.begin(), absent_.end(), [](const Absent& a, const Absent& b) {
    return std::tie(a.path, a.listing) < std::tie(b.path, b.listing);
  });
  std::size_t kept = 0;
  for (const Absent& each : absent_) {
    const std::uint32_t listing = each.listing;
    if (kept == 0 || absent_[kept - 1].path != each.path) absent_[kept++] = each;
    listings_[listing].file = count() + static_cast<std::uint32_t>(kept - 1);
  }
  absent_.resize(kept);
  match_normal_forms();
  std::sort(listings_.begin(), listings_.end(), [](const Listing& a, const Listing& b) {
    return std::tie(a.file, a.manifest, a.line) < std::tie(b.file, b.manifest, b.line);
  });
  present_ = static_cast<std::size_t>(
      std::partition_point(listings_.begin(), listings_.end(),
                           [&](const Listing& each) { return each.file < count(); }) -
      listings_.begin());
}

// A file system or an archiver may have turned a name into another Unicode form: bytes first, then
// the only file whose name is canonically equal (section 6.1.1).
void Manifests::match_normal_forms() {
  if (absent_.empty()) return;
  std::map<std::string, std::vector<std::uint32_t>> forms;
  for (std::uint32_t i = 0; i < count(); ++i) {
    const File& file = contents_.at(i);
    const std::string_view path = file.path();
    const bool ascii = std::all_of(path.begin(), path.end(), [](char c) { return c >= 0; });
    if (file.kind != EntryKind::file || ascii || !is_utf8(path)) continue;
    forms[nfc(path)].push_back(i);
  }
  if (forms.empty()) return;
  for (std::uint32_t i = 0; i < absent_.size(); ++i) {
    const std::string path(absent_[i].path);
    if (!is_utf8(path)) continue;
    const auto found = forms.find(nfc(path));
    if (found == forms.end() || found->second.size() != 1) continue;
    const std::uint32_t file = found->second.front();
    notes_.say("name.normalization", path,
               "is there as '" + std::string(contents_.at(file).path()) + "' (" +
                   hex_of(as_bytes(contents_.at(file).path())) + ")");
    moved_[count() + i] = file;
  }
  if (moved_.empty()) return;
  for (Listing& listing : listings_) {
    const auto to = moved_.find(listing.file);
    if (to != moved_.end()) listing.file = to->second;
  }
}

std::string Manifests::path_of(std::uint32_t file) const {
  return std::string(file < count() ? contents_.at(file).path() : absent_[file - count()].path);
}

std::span<const Listing> Manifests::group_of(std::uint32_t file) const {
  const auto [first, last] =
      std::equal_range(listings_.begin(), listings_.end(), Listing{.file = file},
                       [](const Listing& a, const Listing& b) { return a.file < b.file; });
  return {listings_.data() + (first - listings_.begin()), static_cast<std::size_t>(last - first)};
}

bool Manifests::is_listed(std::uint32_t file) const {
  return !group_of(file).empty();
}

// ---------------------------------------------------------------------------- fetch.txt

Result<void> Manifests::read_fetch() {
  std::uint32_t file = contents_.find(kFetch);
  if (const auto led = links_.find(file); led != links_.end()) file = led->second;
  if (file == Contents::kNone || contents_.at(file).kind != EntryKind::file) return {};
  hint_ = Contents::kNone;
  TRY(reader_.lines(file, declaration_.encoding, tag_algorithms_,
                    [&](std::size_t number, std::string_view line) { take_fetch(number, line); }));
  std::sort(fetch_.begin(), fetch_.end(), [](const Fetch& a, const Fetch& b) {
    return std::tie(a.file, a.line) < std::tie(b.file, b.line);
  });
  for (std::size_t i = 0; i < fetch_.size(); ++i) {
    const Fetch& fetch = fetch_[i];
    if (i > 0 && fetch_[i - 1].file == fetch.file) {
      notes_.say("fetch.duplicate", std::string(kFetch), "'" + path_of(fetch.file) + "'",
                 {.line = fetch.line});
    }
    if (fetch.file < count() && fetch.length &&
        *fetch.length != contents_.at(fetch.file).size_bytes) {
      notes_.say("fetch.length", std::string(kFetch), "'" + path_of(fetch.file) + "'",
                 {.line = fetch.line,
                  .algorithm = {},
                  .expected = std::to_string(*fetch.length),
                  .found = std::to_string(contents_.at(fetch.file).size_bytes)});
    }
  }
  return {};
}

void Manifests::take_fetch(std::size_t number, std::string_view line) {
  const auto note = [&](std::string_view code, std::string detail = {}) {
    notes_.say(code, std::string(kFetch), std::move(detail), {.line = number});
  };
  if (trim(line).empty()) return note("tagfile.blank-line");
  const auto parsed = parse_fetch_line(line);
  if (!parsed) return note("fetch.syntax");
  if (!is_absolute_uri(parsed->url)) {
    note("fetch.url", "'" + std::string(parsed->url.substr(0, 1000)) + "' is no absolute URL");
  }
  std::string_view coded = parsed->path;
  while (coded.starts_with("./"))
    coded.remove_prefix(2);
  if (coded.size() != parsed->path.size()) note("path.dot-slash");
  const Named named = look_up(std::string(kFetch), number, coded, true);
  std::uint32_t file = named.file;
  if (named.usable && file == Contents::kNone) {
    const auto found = std::lower_bound(
        absent_.begin(), absent_.end(), named.path,
        [](const Absent& each, const std::string& wanted) { return each.path < wanted; });
    if (found != absent_.end() && found->path == named.path) {
      file = count() + static_cast<std::uint32_t>(found - absent_.begin());
      if (const auto to = moved_.find(file); to != moved_.end()) file = to->second;
    }
  }
  if (!is_payload(named.path)) {
    // Only from 1.0 on are tag files forbidden here.
    if (old() && named.usable && file != Contents::kNone && is_in_tag_manifest(file)) return;
    note("fetch.tag-file", "'" + named.path + "'");
    return;
  }
  if (!named.usable) return;
  if (file == Contents::kNone || !is_in_every_manifest(file)) {
    note("fetch.unlisted", "'" + named.path + "'");
  }
  if (file != Contents::kNone) {
    fetch_.push_back({file, static_cast<std::uint32_t>(number), parsed->length});
  }
}

bool Manifests::is_in_tag_manifest(std::uint32_t file) const {
  const auto group = group_of(file);
  return std::any_of(group.begin(), group.end(),
                     [&](const Listing& each) { return manifests_[each.manifest].tag; });
}

bool Manifests::is_in_every_manifest(std::uint32_t file) const {
  std::set<std::uint32_t> listed;
  for (const Listing& each : group_of(file)) {
    if (!manifests_[each.manifest].tag) listed.insert(each.manifest);
  }
  if (old()) return !listed.empty();
  for (std::uint32_t i = 0; i < manifests_.size(); ++i) {
    if (!manifests_[i].tag && manifests_[i].read && !listed.contains(i)) return false;
  }
  return true;
}

// ---------------------------------------------------------------------------- judging

void Manifests::judge_lines() {
  for (std::size_t first = 0; first < listings_.size();) {
    std::size_t last = first + 1;
    while (last < listings_.size() && listings_[last].file == listings_[first].file)
      ++last;
    judge_group(std::span(listings_).subspan(first, last - first));
    first = last;
  }
}

// All lines of one file: once in each payload manifest, and not missing in any (from 1.0 on).
void Manifests::judge_group(std::span<const Listing> group) {
  const std::string path = path_of(group.front().file);
  std::set<std::uint32_t> listed;
  // Lines of one manifest stand together.
  const Listing* before = &group.front();
  for (const Listing& each : group) {
    if (listed.insert(each.manifest).second) {
      before = &each;
      continue;
    }
    const bool comparable = before->digest != nullptr && each.digest != nullptr;
    const bool same =
        comparable &&
        std::equal(before->digest, before->digest + digest_bytes(algorithm_of(each)), each.digest);
    const bool tolerated = same && mode_ == Mode::lenient;
    notes_.say(same && old() ? "manifest.repeated" : "manifest.duplicate", name_of(each),
               "'" + path + "' stands in line " + std::to_string(before->line) + " already" +
                   (same ? "" : ", with another checksum"),
               {.line = each.line, .at_most = tolerated ? Severity::warning : Severity::unread});
  }
  if (old() || !is_payload(path)) return;
  for (std::uint32_t i = 0; i < manifests_.size(); ++i) {
    if (manifests_[i].tag || !manifests_[i].read || listed.contains(i)) continue;
    if (notes_.is_full()) break;  // Of very many files and manifests: enough is said.
    notes_.say("manifest.incomplete", path, "is not in " + manifests_[i].name);
  }
}

void Manifests::judge_missing() {
  std::uint32_t before = Contents::kNone;
  for (std::size_t i = present_; i < listings_.size(); ++i) {
    const std::uint32_t file = listings_[i].file;
    if (file == before) continue;
    before = file;
    const std::string path = path_of(file);
    const auto fetch = std::lower_bound(fetch_.begin(), fetch_.end(), file,
                                        [](const Fetch& a, std::uint32_t b) { return a.file < b; });
    if (fetch != fetch_.end() && fetch->file == file) {
      ++fetchable_files_;
      fetchable_bytes_ += fetch->length.value_or(0);
      if (!fetch->length) ++fetchable_unknown_;
      continue;
    }
    if (contents_.is_unseen(path)) {
      notes_.say("file.unreadable", path, "lies where the bag could not be looked at");
      continue;
    }
    notes_.say(is_payload(path) ? "payload.missing" : "tagfile.missing", path,
               "is listed by " + name_of(listings_[i]) + " and is not there");
  }
  for (std::size_t i = 0; i < present_; ++i) {
    const std::uint32_t file = listings_[i].file;
    if (file == before) continue;
    before = file;
    const File& found = contents_.at(file);
    // What such entries are was noted; that a file is wanted of them was not.
    const bool broken = found.kind == EntryKind::link && !links_.contains(file);
    if (found.kind == EntryKind::special || broken) {
      notes_.say(is_payload(found.path()) ? "payload.missing" : "tagfile.missing",
                 std::string(found.path()), "is no regular file");
    }
  }
}

void Manifests::judge_unlisted() {
  // What a manifest lists that could not be read to its end is not known.
  const auto unread = [](const Manifest& each) { return !each.tag && !each.read; };
  if (std::any_of(manifests_.begin(), manifests_.end(), unread)) return;
  std::size_t next = 0;
  for (std::uint32_t i = 0; i < count(); ++i) {
    while (next < present_ && listings_[next].file < i)
      ++next;
    const File& file = contents_.at(i);
    if (!is_payload(file.path())) continue;
    if (next < present_ && listings_[next].file == i) continue;
    // A link to what is listed is that; one to what nobody lists is as unlisted as a file.
    const auto led = links_.find(i);
    const bool unlisted_link = led != links_.end() && !is_listed(led->second);
    if (file.kind != EntryKind::file && !unlisted_link) continue;
    notes_.say("payload.unlisted", std::string(file.path()), "");
  }
}

void Manifests::judge_tag_manifests() {
  std::map<std::uint32_t, std::vector<std::uint32_t>> sets;
  for (const Listing& each : listings_) {
    if (manifests_[each.manifest].tag) sets[each.manifest].push_back(each.file);
  }
  std::optional<std::uint32_t> first;
  for (std::uint32_t i = 0; i < manifests_.size(); ++i) {
    if (!manifests_[i].tag || !manifests_[i].read) continue;
    std::vector<std::uint32_t>& files = sets[i];
    files.erase(std::unique(files.begin(), files.end()), files.end());
    for (const Manifest& payload : manifests_) {
      if (payload.tag) continue;
      const std::uint32_t file = contents_.find(payload.name);
      if (std::binary_search(files.begin(), files.end(), file)) continue;
      notes_.say("tagmanifest.omits-manifest", manifests_[i].name, "does not list " + payload.name,
                 {.at_most = old() ? Severity::warning : Severity::unread});
    }
    if (first && sets[*first] != files) {
      notes_.say("tagmanifest.sets-differ", manifests_[i].name,
                 "does not list the same files as " + manifests_[*first].name);
    }
    if (!first) first = i;
  }
}

void Manifests::judge_algorithms() {
  bool weak = false;
  for (const Manifest& each : manifests_) {
    if (each.tag) continue;
    if (each.algorithm != Algorithm::md5 && each.algorithm != Algorithm::sha1) return;
    weak = true;
  }
  if (weak) {
    notes_.say("manifest.weak-algorithm", "",
               "MD5 and SHA-1 find accidents, not forgeries; add a manifest of SHA-512");
  }
}

std::vector<std::string> Manifests::names(bool tag) const {
  std::vector<std::string> names;
  for (const Manifest& each : manifests_) {
    if (each.tag == tag) names.push_back(each.algorithm_name);
  }
  return names;
}

std::vector<Algorithm> Manifests::algorithms() const {
  std::set<Algorithm> all;
  for (const Manifest& each : manifests_) {
    if (each.algorithm) all.insert(*each.algorithm);
  }
  return {all.begin(), all.end()};
}

}  // namespace versement::bagit
