#include "bagit/profile.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

constexpr std::string_view kInfo = "BagIt-Profile-Info";
constexpr std::string_view kIdentifier = "BagIt-Profile-Identifier";
constexpr std::string_view kProfileVersion = "BagIt-Profile-Version";
// What a profile is of that does not say it (BagIt Profiles, BagIt-Profile-Version).
constexpr std::string_view kVersionUnsaid = "1.1.0";

using Names = std::vector<std::string>;

bool has(const Names& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Names of algorithms, media types and versions, for comparison.
Names lowered(Names names) {
  for (std::string& name : names)
    name = lower_ascii(name);
  return names;
}

// The many names that one kind of archive goes by.
std::string_view archive_kind(std::string_view media_type) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kKinds{{
      {"application/zip", "zip"},
      {"application/x-zip", "zip"},
      {"application/x-zip-compressed", "zip"},
      {"application/tar", "tar"},
      {"application/x-tar", "tar"},
      {"application/gzip", "tar.gz"},
      {"application/x-gzip", "tar.gz"},
      {"application/tar+gzip", "tar.gz"},
      {"application/x-tar+gzip", "tar.gz"},
      {"application/x-gtar", "tar.gz"},
      {"application/x-tgz", "tar.gz"},
      {"application/x-compressed-tar", "tar.gz"},
      {"application/x-gtar-compressed", "tar.gz"},
      {"application/x-compressed", "tar.gz"},
  }};
  for (const auto& [name, kind] : kKinds) {
    if (name == media_type) return kind;
  }
  return media_type;
}

// A "[…]" is looked for its end no further than this.
constexpr std::size_t kClassBytesMax = 64;

// One "[…]" at the front of a pattern.
struct Class {
  std::size_t length = 0;  // 0: there is none
  bool holds = false;
};

Class class_at(std::string_view pattern, char c) {
  std::size_t at = 1;
  const bool negated = at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^');
  if (negated) ++at;
  const std::size_t first = at;
  const std::size_t end =
      pattern.substr(0, kClassBytesMax).find(']', first + 1);  // a ']' in front is a member
  if (end == std::string_view::npos) return {};
  bool found = false;
  while (at < end) {
    const bool range = at + 2 < end && pattern[at + 1] == '-';
    const auto low = static_cast<unsigned char>(pattern[at]);
    const auto high = static_cast<unsigned char>(range ? pattern[at + 2] : pattern[at]);
    const auto value = static_cast<unsigned char>(c);
    found = found || (value >= low && value <= high);
    at += range ? 3 : 1;
  }
  return {.length = end + 1, .holds = found != negated};
}

// How many bytes of `path` the first part of `pattern`, which is no '*', takes; and how long that
// part is. Nothing when it does not fit.
struct Step {
  std::size_t pattern = 0;
  std::size_t path = 0;
};

std::optional<Step> step(std::string_view pattern, std::string_view path) {
  if (pattern.empty() || path.empty()) return std::nullopt;
  if (pattern.front() == '?') {
    std::size_t length = 1;
    while (length < path.size() && (static_cast<unsigned char>(path[length]) & 0xC0u) == 0x80u)
      ++length;
    return Step{1, length};
  }
  if (pattern.front() == '[') {
    const Class found = class_at(pattern, path.front());
    if (found.length > 0) {
      return found.holds ? std::optional(Step{found.length, 1}) : std::nullopt;
    }
  }
  return pattern.front() == path.front() ? std::optional(Step{1, 1}) : std::nullopt;
}

bool any_matches(const Names& patterns, std::string_view path) {
  return std::any_of(patterns.begin(), patterns.end(),
                     [path](const std::string& pattern) { return matches_pattern(pattern, path); });
}

// What every bag may have without a profile's leave.
bool is_structural(std::string_view path) {
  if (path == "bagit.txt" || path == "bag-info.txt" || path == "fetch.txt") return true;
  if (path.find('/') != std::string_view::npos || !path.ends_with(".txt")) return false;
  return path.starts_with("manifest-") || path.starts_with("tagmanifest-");
}

bool has_any(const json::Object& object, std::initializer_list<const char*> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](const char* name) { return object.contains(name); });
}

// Formats of other programs which are called profiles as well.
Result<void> refuse_other_formats(const json::Object& object) {
  if (object.contains(kInfo)) return {};
  if (has_any(object, {"bagItProfileInfo", "acceptBagItVersion", "tagFilesAllowed"})) {
    return Error(Code::unsupported,
                 "this is a profile in DART's own format; export it from DART as a standard BagIt "
                 "profile")
        .as("profile-of-dart");
  }
  const auto of_bagger = [](const auto& member) {
    const json::Object* const field = member.value().if_object();
    return field != nullptr &&
           has_any(*field, {"fieldRequired", "requiredValue", "valueList", "defaultValue"});
  };
  if (object.contains("ordered") || std::any_of(object.begin(), object.end(), of_bagger)) {
    return Error(Code::unsupported,
                 "this is a profile in the format of the Library of Congress' Bagger, which is "
                 "another one than that of BagIt Profiles; write the latter")
        .as("profile-of-bagger");
  }
  return {};
}

bool is_known_version(std::string_view version) {
  const auto parts = split(version, '.');
  if (parts.size() < 2 || parts.size() > 3 || parts[0] != "1") return false;
  const auto minor = parse_decimal(parts[1]);
  const bool patch = parts.size() == 2 || parse_decimal(parts[2]).has_value();
  return minor && *minor <= 4 && patch;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path) {
  if (pattern == path) return true;
  // Behind the last '*' met, and where in the path it stopped taking: only the last one ever needs
  // to take more, so that no pattern can make this exponential.
  std::optional<std::string_view> star;
  std::string_view star_path;
  while (true) {
    if (pattern.starts_with('*')) {
      pattern.remove_prefix(1);
      star = pattern;
      star_path = path;
      continue;
    }
    if (pattern.empty() && path.empty()) return true;
    if (const auto fits = step(pattern, path)) {
      pattern.remove_prefix(fits->pattern);
      path.remove_prefix(fits->path);
      continue;
    }
    if (!star || star_path.empty()) return false;
    star_path.remove_prefix(1);
    pattern = *star;
    path = star_path;
  }
}

// ---------------------------------------------------------------------------- reading

class ProfileReader {
 public:
  explicit ProfileReader(const json::Object& object) : object_(object) {}

  Result<Profile> run() {
    TRY(refuse_other_formats(object_));
    TRY(read_info());
    TRY(read_labels());
    TRY(read_lists());
    TRY(read_words());
    for (const auto& member : object_) {
      const std::string name(member.key());
      if (!has(known_, name)) profile_.unknown_.push_back("/" + name);
    }
    TRY(agree());
    return std::move(profile_);
  }

 private:
  static Error wrong(const std::string& what) {
    return Error(Code::invalid, "the profile is wrong: " + what).as("profile-invalid");
  }

  const json::Value* find(std::string_view name) {
    known_.emplace_back(name);
    return object_.if_contains(name);
  }

  Result<void> read_info() {
    const json::Value* const value = find(kInfo);
    const json::Object* const info = value != nullptr ? value->if_object() : nullptr;
    if (info == nullptr) return wrong(std::string(kInfo) + " is missing, or no object");
    for (const std::string_view name :
         {std::string_view("Source-Organization"), std::string_view("External-Description"),
          std::string_view("Version"), kIdentifier}) {
      if (trim(json::text_at(*info, name)).empty()) {
        return wrong(std::string(kInfo) + " needs '" + std::string(name) + "', a text");
      }
    }
    profile_.identifier_ = trim(json::text_at(*info, kIdentifier));
    const json::Value* const version = info->if_contains(kProfileVersion);
    if (version != nullptr && !version->is_string()) {
      return wrong(std::string(kProfileVersion) + " must be a text");
    }
    profile_.version_ = version != nullptr ? json::text_at(*info, kProfileVersion) : kVersionUnsaid;
    if (is_known_version(profile_.version_)) return {};
    return Error(Code::unsupported, "the profile is of version '" + printable(profile_.version_) +
                                        "' of BagIt Profiles; known are 1.0 to 1.4")
        .as("profile-version");
  }

  Result<void> read_labels() {
    const json::Value* const value = find("Bag-Info");
    if (value == nullptr) return {};
    const json::Object* const labels = value->if_object();
    if (labels == nullptr) return wrong("Bag-Info must be an object");
    if (labels->size() > limits::kProfileEntriesMax) return too_many("Bag-Info");
    std::set<std::string> seen;
    for (const auto& member : *labels) {
      const std::string name(member.key());
      if (!seen.insert(lower_ascii(name)).second) {
        return wrong("Bag-Info has '" + printable(name) +
                     "' twice; upper and lower case make no difference");
      }
      TRY(read_label(name, member.value()));
    }
    return {};
  }

  Result<void> read_label(const std::string& name, const json::Value& value) {
    const std::string where = "Bag-Info/" + printable(name);
    const json::Object* const object = value.if_object();
    if (object == nullptr) return wrong(where + " must be an object");
    Profile::Label label;
    label.name = name;
    for (const auto& member : *object) {
      const std::string key(member.key());
      if (key == "required") {
        TRY_SET(label.required, flag(where + "/required", member.value()));
      } else if (key == "repeatable") {
        TRY_SET(label.repeatable, flag(where + "/repeatable", member.value()));
      } else if (key == "values") {
        TRY_SET(label.values, names(where + "/values", member.value()));
      } else if (key != "description" && key != "recommended") {
        // "recommended" is no word of the specification, but asks for nothing either.
        profile_.unknown_.push_back("/" + where + "/" + key);
      }
    }
    profile_.labels_.push_back(std::move(label));
    return {};
  }

  static Result<bool> flag(const std::string& where, const json::Value& value) {
    if (value.is_bool()) return value.get_bool();
    return wrong(where + " must be true or false");
  }

  static Error too_many(const std::string& where) {
    return Error(Code::limit, "the profile is too large: " + where + " has more than " +
                                  std::to_string(limits::kProfileEntriesMax) + " entries");
  }

  static Result<Names> names(const std::string& where, const json::Value& value) {
    const json::Array* const array = value.if_array();
    if (array == nullptr) return wrong(where + " must be a list of texts");
    if (array->size() > limits::kProfileEntriesMax) return too_many(where);
    Names out;
    for (const json::Value& each : *array) {
      if (!each.is_string()) return wrong(where + " must be a list of texts");
      out.emplace_back(each.get_string());
      if (out.back().size() > limits::kPathBytesMax) {
        return Error(Code::limit, "the profile has an entry in " + where + " of more than " +
                                      std::to_string(limits::kPathBytesMax) + " bytes");
      }
    }
    return out;
  }

  Result<std::optional<Names>> list(std::string_view name) {
    const json::Value* const value = find(name);
    if (value == nullptr) return std::optional<Names>();
    TRY_SET(Names out, names(std::string(name), *value));
    return std::optional(std::move(out));
  }

  // Names of algorithms, media types and versions.
  Result<std::optional<Names>> words(std::string_view name) {
    TRY_SET(std::optional<Names> out, list(name));
    if (out) out = lowered(std::move(*out));
    return out;
  }

  Result<void> read_lists() {
    TRY_SET(const auto manifests, words("Manifests-Required"));
    TRY_SET(profile_.manifests_allowed_, words("Manifests-Allowed"));
    TRY_SET(const auto tag_manifests, words("Tag-Manifests-Required"));
    TRY_SET(profile_.tag_manifests_allowed_, words("Tag-Manifests-Allowed"));
    TRY_SET(const auto tag_files, list("Tag-Files-Required"));
    TRY_SET(profile_.tag_files_allowed_, list("Tag-Files-Allowed"));
    TRY_SET(const auto payload_files, list("Payload-Files-Required"));
    TRY_SET(profile_.payload_files_allowed_, list("Payload-Files-Allowed"));
    TRY_SET(const auto versions, list("Accept-BagIt-Version"));
    TRY_SET(profile_.media_types_, words("Accept-Serialization"));
    profile_.manifests_required_ = manifests.value_or(Names());
    profile_.tag_manifests_required_ = tag_manifests.value_or(Names());
    profile_.tag_files_required_ = tag_files.value_or(Names());
    profile_.payload_files_required_ = payload_files.value_or(Names());
    profile_.versions_ = versions.value_or(Names());
    return {};
  }

  Result<void> read_words() {
    const auto set = [&](std::string_view name, bool& into) -> Result<void> {
      const json::Value* const value = find(name);
      if (value == nullptr) return {};
      TRY_SET(into, flag(std::string(name), *value));
      return {};
    };
    TRY(set("Allow-Fetch.txt", profile_.fetch_allowed_));
    TRY(set("Fetch.txt-Required", profile_.fetch_required_));
    TRY(set("Data-Empty", profile_.data_empty_));
    const json::Value* const value = find("Serialization");
    if (value == nullptr) return {};
    const std::string word = json::text_at(object_, "Serialization");
    if (word == "forbidden") {
      profile_.packing_ = Profile::Packing::forbidden;
    } else if (word == "required") {
      profile_.packing_ = Profile::Packing::required;
    } else if (word != "optional") {
      return wrong("Serialization must be forbidden, required or optional");
    }
    return {};
  }

  // No bag could fulfil a profile that contradicts itself: better said once, of the profile.
  Result<void> agree() const {
    if (profile_.versions_.empty()) return wrong("Accept-BagIt-Version needs at least one version");
    if (profile_.packing_ == Profile::Packing::required &&
        (!profile_.media_types_ || profile_.media_types_->empty())) {
      return wrong("Serialization is required, but Accept-Serialization names no format");
    }
    if (profile_.fetch_required_ && !profile_.fetch_allowed_) {
      return wrong("Fetch.txt-Required wants what Allow-Fetch.txt forbids");
    }
    TRY(within("Manifests", profile_.manifests_required_, profile_.manifests_allowed_));
    TRY(within("Tag-Manifests", profile_.tag_manifests_required_, profile_.tag_manifests_allowed_));
    return agree_on_files();
  }

  static Result<void> within(const std::string& field,
                             const Names& required,
                             const std::optional<Names>& allowed) {
    for (const std::string& name : required) {
      if (allowed && !has(*allowed, name)) {
        return wrong(field + "-Required has '" + printable(name) + "', which " + field +
                     "-Allowed has not");
      }
    }
    return {};
  }

  Result<void> agree_on_files() const {
    for (const std::string& path : profile_.tag_files_required_) {
      if (path.starts_with("data/")) {
        return wrong("Tag-Files-Required has '" + printable(path) + "', which is payload");
      }
      if (profile_.tag_files_allowed_ && !is_structural(path) &&
          !any_matches(*profile_.tag_files_allowed_, path)) {
        return wrong("Tag-Files-Required has '" + printable(path) +
                     "', which Tag-Files-Allowed has not");
      }
    }
    for (const std::string& path : profile_.payload_files_required_) {
      if (!path.starts_with("data/")) {
        return wrong("Payload-Files-Required has '" + printable(path) + "', which is not in data/");
      }
      if (profile_.payload_files_allowed_ && !any_matches(*profile_.payload_files_allowed_, path)) {
        return wrong("Payload-Files-Required has '" + printable(path) +
                     "', which Payload-Files-Allowed has not");
      }
    }
    for (const std::string& pattern : profile_.payload_files_allowed_.value_or(Names())) {
      if (pattern.ends_with('/')) {
        return wrong("Payload-Files-Allowed has '" + printable(pattern) +
                     "', which fits no file; a whole folder is '" + printable(pattern) + "*'");
      }
    }
    if (profile_.data_empty_ && profile_.payload_files_required_.size() > 1) {
      return wrong("Data-Empty and several Payload-Files-Required cannot both be");
    }
    return {};
  }

  const json::Object& object_;
  Names known_;
  Profile profile_;
};

Result<Profile> Profile::parse(std::string_view json) {
  TRY_SET(const json::Object object, json::parse_object(json, limits::kConfigBytesMax));
  return ProfileReader(object).run();
}

// ---------------------------------------------------------------------------- checking

class ProfileCheck {
 public:
  ProfileCheck(const Profile& profile,
               const BagFacts& facts,
               const std::function<void(Finding)>& say)
      : profile_(profile), facts_(facts), say_(say) {}

  void run(bool identifier) {
    if (identifier) check_identifier();
    if (!has(profile_.versions_, facts_.version)) {
      tell("profile.version", "bagit.txt", join(profile_.versions_, ", "), facts_.version);
    }
    check_packing();
    for (const Profile::Label& label : profile_.labels_)
      check_label(label);
    check_manifests("manifest", facts_.payload_algorithms, profile_.manifests_required_,
                    profile_.manifests_allowed_);
    check_manifests("tag-manifest", facts_.tag_algorithms, profile_.tag_manifests_required_,
                    profile_.tag_manifests_allowed_);
    if (facts_.fetch && !profile_.fetch_allowed_) tell("profile.fetch-forbidden", "fetch.txt");
    if (!facts_.fetch && profile_.fetch_required_) tell("profile.fetch-required", "fetch.txt");
    // One empty file is what keeps an empty folder in archives that know no folders.
    if (profile_.data_empty_ && (facts_.payload_files > 1 || facts_.payload_octets > 0)) {
      tell("profile.data-not-empty", "data", "no payload",
           std::to_string(facts_.payload_files) + " files, " +
               std::to_string(facts_.payload_octets) + " octets");
    }
    check_files("profile.tag-file", facts_.tag_files, profile_.tag_files_required_,
                profile_.tag_files_allowed_);
    check_files("profile.payload-file", facts_.payload, profile_.payload_files_required_,
                profile_.payload_files_allowed_);
    for (const std::string& pointer : profile_.unknown_)
      tell("profile.unchecked", "", "", "", "member " + pointer + " was not looked at");
  }

 private:
  void tell(std::string code,
            std::string path,
            std::string expected = {},
            std::string found = {},
            const std::string& detail = {}) {
    const Rule& broken = rule(code);
    Finding finding;
    finding.severity = broken.standard;
    finding.section = broken.section;
    finding.code = std::move(code);
    finding.path = std::move(path);
    finding.expected = std::move(expected);
    finding.found = std::move(found);
    finding.detail = rule(finding.code).meaning;
    if (!detail.empty()) finding.detail += ": " + detail;
    finding.detail += " (profile " + profile_.identifier_ + ")";
    say_(std::move(finding));
  }

  Names values_of(std::string_view label) const {
    Names out;
    for (const auto& [name, value] : facts_.info) {
      if (!equal_ignoring_ascii_case(trim(name), label)) continue;
      // A folded line is one value, and how it was folded says nothing.
      std::string line = value;
      std::replace(line.begin(), line.end(), '\n', ' ');
      out.emplace_back(trim(line));
    }
    return out;
  }

  void check_identifier() {
    const Names named = values_of(kIdentifier);
    if (has(named, profile_.identifier_)) return;
    tell("profile.identifier", "bag-info.txt", profile_.identifier_,
         named.empty() ? "none" : join(named, ", "));
  }

  void check_packing() {
    const bool packed = !facts_.media_type.empty();
    if (!packed) {
      if (profile_.packing_ != Profile::Packing::required) return;
      return tell("profile.serialization", "", join(*profile_.media_types_, ", "), "a folder");
    }
    if (profile_.packing_ == Profile::Packing::forbidden) {
      return tell("profile.serialization", "", "a folder", facts_.media_type);
    }
    if (!profile_.media_types_) return;
    const std::string lower = lower_ascii(facts_.media_type);
    const std::string_view kind = archive_kind(lower);
    const Names& accepted = *profile_.media_types_;
    if (std::any_of(accepted.begin(), accepted.end(),
                    [&](const std::string& each) { return archive_kind(each) == kind; })) {
      return;
    }
    tell("profile.serialization", "", join(accepted, ", "), facts_.media_type);
  }

  void check_label(const Profile::Label& label) {
    const Names values = values_of(label.name);
    if (values.empty()) {
      if (label.required)
        tell("profile.bag-info-required", "bag-info.txt", "", "", "'" + label.name + "'");
      return;
    }
    if (!label.repeatable && values.size() > 1) {
      tell("profile.bag-info-repeated", "bag-info.txt", "", "", "'" + label.name + "'");
    }
    // An empty value says as little as none.
    if (label.required && std::all_of(values.begin(), values.end(),
                                      [](const std::string& value) { return value.empty(); })) {
      tell("profile.bag-info-required", "bag-info.txt", "", "", "'" + label.name + "' is empty");
    }
    for (const std::string& value : values) {
      if (label.values.empty() || has(label.values, value)) continue;
      tell("profile.bag-info-value", "bag-info.txt", join(label.values, " | "), value,
           "'" + label.name + "'");
    }
  }

  void check_manifests(const std::string& kind,
                       const Names& as_written,
                       const Names& required,
                       const std::optional<Names>& allowed) {
    const Names there = lowered(as_written);
    const std::string file = kind == "manifest" ? "manifest-" : "tagmanifest-";
    for (const std::string& algorithm : required) {
      if (!has(there, algorithm)) tell("profile." + kind + "-required", file + algorithm + ".txt");
    }
    if (!allowed) return;
    for (const std::string& algorithm : there) {
      if (!has(*allowed, algorithm))
        tell("profile." + kind + "-not-allowed", file + algorithm + ".txt");
    }
  }

  void check_files(const std::string& code,
                   const BagFacts::Names& names,
                   const Names& required,
                   const std::optional<Names>& allowed) {
    if (required.empty() && !allowed) return;
    std::set<std::string, std::less<>> lacking(required.begin(), required.end());
    std::size_t refused = 0;
    names([&](std::string_view path) {
      if (const auto found = lacking.find(path); found != lacking.end()) lacking.erase(found);
      // "data/src/" is there when anything below it is.
      for (std::size_t at = path.find('/'); at != std::string_view::npos && !lacking.empty();
           at = path.find('/', at + 1)) {
        if (const auto found = lacking.find(path.substr(0, at + 1)); found != lacking.end()) {
          lacking.erase(found);
        }
      }
      if (!allowed || is_structural(path) || any_matches(*allowed, path)) return;
      if (++refused <= limits::kFindingsMax) tell(code + "-not-allowed", std::string(path));
    });
    for (const std::string& path : lacking)
      tell(code + "-required", path);
    if (refused > limits::kFindingsMax) {
      tell(code + "-not-allowed", "", "", "",
           std::to_string(refused - limits::kFindingsMax) + " more files like these");
    }
  }

  const Profile& profile_;
  const BagFacts& facts_;
  const std::function<void(Finding)>& say_;
};

void Profile::check(const BagFacts& facts,
                    bool identifier,
                    const std::function<void(Finding)>& say) const {
  ProfileCheck(*this, facts, say).run(identifier);
}

}  // namespace versement::bagit
