#include "store/ocfl/strict_inventory.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include <fcntl.h>

#include "store/base/json_events.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/base/time.hpp"
#include "store/ocfl/inventory.hpp"

namespace versement::ocfl {
namespace {

constexpr std::array<std::pair<Spec, std::string_view>, 2> kTypes{{
    {Spec::v1_0, "https://ocfl.io/1.0/spec/#inventory"},
    {Spec::v1_1, "https://ocfl.io/1.1/spec/#inventory"},
}};

bool is_hex(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdefABCDEF") == text.npos;
}

bool has_upper(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

// RFC 3986 as far as it matters here: a scheme, a colon, and only characters that a URI may have.
bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == text.npos || colon == 0 || colon + 1 == text.size()) return false;
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  if (kLetters.find(text.front()) == text.npos) return false;
  const std::string scheme_more = std::string(kLetters) + "0123456789+-.";
  if (text.substr(0, colon).find_first_not_of(scheme_more) != text.npos) return false;
  const std::string rest_more = scheme_more + "_~:/?#[]@!$&'()*,;=%";
  return text.substr(colon + 1).find_first_not_of(rest_more) == text.npos;
}

// Sorts what lies in a folder right behind the folder's own name, whatever characters follow.
bool path_before(std::string_view a, std::string_view b) {
  const auto rank = [](char c) { return c == '/' ? 0 : static_cast<unsigned char>(c) + 1; };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

// Which rule a path breaks: "" when none.
struct PathCodes {
  std::string_view ends, element;
};
std::string_view path_fault(std::string_view path, PathCodes codes) {
  if (path.starts_with('/') || path.ends_with('/')) return codes.ends;
  return is_clean_path(path) ? std::string_view() : codes.element;
}

constexpr PathCodes kContentPath{"E100", "E099"};
constexpr PathCodes kLogicalPath{"E053", "E052"};

// The code that a digest of an algorithm breaks when it is no hexadecimal text.
std::string_view hex_code(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::sha1:
      return "E029";
    case Algorithm::sha256:
      return "E030";
    case Algorithm::sha512:
      return "E031";
    case Algorithm::blake2b_512:
      return "E032";
    default:
      return "E057";
  }
}

// One reading of one inventory.
class Reader : public json::Events {
 public:
  Reader(std::string name, std::optional<Spec> declared, Texts& texts, Findings& findings)
      : name_(std::move(name)), declared_(declared), texts_(texts), findings_(findings) {}

  // -------------------------------------------------------------------- what the document says

  void name(std::string_view name) override {
    Frame& frame = frames_.back();
    frame.key.assign(name);
    switch (frame.where) {
      case Where::manifest:
      case Where::state:
      case Where::fixity_block:
        digest_ = key_of(name);
        keys_.push_back(digest_);
        break;
      case Where::ignored:
        break;
      default:
        if (!frame.names.insert(frame.key).second) say("E033", "the name stands twice");
    }
  }

  void value(json::Kind kind, std::string_view text) override {
    const bool container = kind == json::Kind::object || kind == json::Kind::array;
    Where inside = Where::ignored;
    if (frames_.empty()) {
      if (kind == json::Kind::object) {
        inside = Where::top;
      } else {
        is_object_ = false;
        say("E033", "the inventory is no JSON object");
      }
    } else {
      inside = value_in(frames_.back().where, frames_.back().key, kind, text);
    }
    if (container) frames_.push_back({inside, {}, {}});
  }

  void end() override {
    const Where where = frames_.back().where;
    frames_.pop_back();
    if (where == Where::manifest) end_manifest();
    if (where == Where::state) end_state();
    if (where == Where::version) end_version();
    if (where == Where::user) end_user();
    if (where == Where::fixity_block) end_fixity();
    if (where == Where::manifest_list && list_is_empty_) say("E092", "no content path");
  }

  // -------------------------------------------------------------------- what follows of it

  StrictInventory finish() {
    inventory_.is_json = is_object_;
    if (!is_object_) return std::move(inventory_);
    basics();
    version_names();
    state_digests();
    content_paths();
    const Spec spec = inventory_.spec.value_or(declared_.value_or(Spec::v1_1));
    for (Open& open : by_spec_) {
      const std::string_view code = spec == Spec::v1_0 ? open.code_1_0 : open.code_1_1;
      if (!code.empty()) findings_.say(code, name_, open.detail, open.pointer);
    }
    return std::move(inventory_);
  }

 private:
  enum class Where {
    top,
    manifest,
    manifest_list,
    versions,
    version,
    state,
    state_list,
    user,
    fixity,
    fixity_block,
    fixity_list,
    ignored,
  };

  struct Frame {
    Where where;
    std::string key;              // the member that is being read
    std::set<std::string> names;  // of a small object
  };

  struct Key {
    TextId exact = 0;
    TextId lower = 0;
  };

  // A fault whose code depends on the version of OCFL, which may stand further down.
  struct Open {
    std::string_view code_1_0, code_1_1;
    std::string detail, pointer;
  };

  std::string pointer() const {
    std::string pointer;
    for (const Frame& frame : frames_) {
      const bool list = frame.where == Where::manifest_list || frame.where == Where::state_list ||
                        frame.where == Where::fixity_list;
      if (!list && !frame.key.empty()) pointer += pointer_step(frame.key);
    }
    return pointer;
  }
  void say(std::string_view code, std::string detail) {
    findings_.say(code, name_, std::move(detail), pointer());
  }
  void say_at(std::string_view code, std::string pointer, std::string detail) {
    findings_.say(code, name_, std::move(detail), std::move(pointer));
  }
  void say_by_spec(std::string_view code_1_0, std::string_view code_1_1, std::string detail) {
    by_spec_.push_back({code_1_0, code_1_1, std::move(detail), pointer()});
  }

  Key key_of(std::string_view digest) {
    const TextId exact = texts_.intern(digest);
    return {exact, has_upper(digest) ? texts_.intern(lower_ascii(digest)) : exact};
  }

  // Takes one value in and says what its members are, if it has some.
  Where value_in(Where where, const std::string& key, json::Kind kind, std::string_view text) {
    switch (where) {
      case Where::top:
        return top_value(key, kind, text);
      case Where::manifest:
        list_is_empty_ = true;
        if (kind == json::Kind::array) return Where::manifest_list;
        say("E092", "no list of content paths");
        break;
      case Where::manifest_list:
        list_is_empty_ = false;
        path_value(kind, text, "E098", kContentPath, &inventory_.manifest);
        break;
      case Where::versions:
        if (kind == json::Kind::object) return begin_version(key);
        say("E047", "the version is no object");
        break;
      case Where::version:
        return version_value(key, kind, text);
      case Where::user:
        user_value(key, kind, text);
        break;
      case Where::state:
        if (kind == json::Kind::array) return Where::state_list;
        say("E051", "no list of logical paths");
        break;
      case Where::state_list:
        path_value(kind, text, "E051", kLogicalPath, &version_.state);
        break;
      case Where::fixity:
        keys_.clear();
        inventory_.fixity.push_back({key, {}});
        if (kind == json::Kind::object) return Where::fixity_block;
        say("E057", "the block of an algorithm is no object");
        break;
      case Where::fixity_block:
        if (kind == json::Kind::array) return Where::fixity_list;
        say("E057", "no list of content paths");
        break;
      case Where::fixity_list:
        path_value(kind, text, "E057", kContentPath, &inventory_.fixity.back().entries);
        break;
      case Where::ignored:
        break;
    }
    return Where::ignored;
  }

  Where top_value(const std::string& key, json::Kind kind, std::string_view text) {
    const bool is_text = kind == json::Kind::text;
    has_.insert(key);
    if (key == "manifest" || key == "versions" || key == "fixity") return block_value(key, kind);
    if (key == "id") {
      if (!is_text || text.empty()) say("E037", "the id is no text, or an empty one");
      inventory_.id = text;
    } else if (key == "type") {
      if (!is_text) say("E038", "type is no text");
      inventory_.type = text;
    } else if (key == "digestAlgorithm") {
      if (text == "sha512") inventory_.algorithm = Algorithm::sha512;
      if (text == "sha256") inventory_.algorithm = Algorithm::sha256;
      if (!inventory_.algorithm) say("E025", "it is '" + printable(text) + "'");
    } else if (key == "head") {
      if (!is_text) say("E040", "head is no text");
      inventory_.head = text;
    } else if (key == "contentDirectory") {
      content_directory(is_text, text);
    } else {
      unknown_key(key);
    }
    return Where::ignored;
  }

  Where block_value(const std::string& key, json::Kind kind) {
    const bool is_object = kind == json::Kind::object;
    keys_.clear();
    if (key == "versions") {
      if (is_object) return Where::versions;
      say("E045", "versions is no object");
    } else if (key == "fixity") {
      if (is_object) return Where::fixity;
      say_by_spec("E056", "E111", "fixity is no object");
    } else {
      inventory_.has_manifest = is_object;
      if (is_object) return Where::manifest;
      say_by_spec("E041", "E106", "the manifest is no object");
    }
    return Where::ignored;
  }

  void unknown_key(const std::string& key) {
    say("E102", "no inventory has a key '" + printable(key) + "'");
    if (equal_ignoring_ascii_case(key, "versions")) say("E044", "it is to be called versions");
    if (equal_ignoring_ascii_case(key, "fixity")) say("E055", "it is to be called fixity");
  }

  void content_directory(bool is_text, std::string_view text) {
    inventory_.content_directory_key = std::string(text);
    if (!is_text || text.find('/') != text.npos) {
      say("E017", "contentDirectory is to be one name");
    } else if (text == "." || text == "..") {
      say("E018", "contentDirectory is '" + std::string(text) + "'");
    } else if (!is_clean_path(text)) {
      say_by_spec("E017", "E108", "contentDirectory is empty or has a NUL");
    } else {
      inventory_.content_directory = text;
    }
  }

  Where begin_version(const std::string& key) {
    version_ = {};
    version_.name = key;
    version_.number = version_of_name(key);
    version_has_.clear();
    return Where::version;
  }

  Where version_value(const std::string& key, json::Kind kind, std::string_view text) {
    const bool is_text = kind == json::Kind::text;
    version_has_.insert(key);
    if (key == "created") {
      version_.created = text;
      if (!is_text || !Timestamp::parse(text)) {
        say("E049", "'" + printable(text) + "' is no time of RFC 3339 with zone and seconds");
      }
    } else if (key == "state") {
      keys_.clear();
      if (kind == json::Kind::object) return Where::state;
      say("E050", "the state is no object");
    } else if (key == "message") {
      if (!is_text) say("E094", "message is no text");
      version_.message = text;
    } else if (key == "user") {
      user_has_.clear();
      if (kind == json::Kind::object) return Where::user;
      say("E054", "user is no object");
    } else {
      say("E102", "no version has a key '" + printable(key) + "'");
    }
    return Where::ignored;
  }

  void user_value(const std::string& key, json::Kind kind, std::string_view text) {
    const bool is_text = kind == json::Kind::text;
    if (key == "name") {
      if (is_text && !text.empty()) user_has_.insert(key);
      version_.user_name = text;
    } else if (key == "address") {
      user_has_.insert(key);
      version_.user_address = text;
      if (!is_text || !is_uri(text)) say("W009", "'" + printable(text) + "' is no URI");
    } else {
      say("E102", "no user has a key '" + printable(key) + "'");
    }
  }

  void path_value(json::Kind kind,
                  std::string_view text,
                  std::string_view type_code,
                  PathCodes codes,
                  std::vector<Entry>* into) {
    if (kind != json::Kind::text) {
      say(type_code, "a path is no text");
      return;
    }
    const std::string_view fault = path_fault(text, codes);
    if (!fault.empty()) {
      say(fault, "the path is '" + printable(text) + "'");
      return;
    }
    const bool backslashes = text.find('\\') != text.npos && text.find('/') == text.npos;
    if (backslashes && codes.ends == kContentPath.ends) {
      say("E035", "the path is '" + printable(text) + "'");
    }
    into->push_back({texts_.intern(text), digest_.exact, digest_.lower});
  }

  // A digest that stands twice, in whatever case.
  void repeated_digests(std::string_view code, const std::string& base) {
    std::sort(keys_.begin(), keys_.end(), [](Key a, Key b) { return a.lower < b.lower; });
    for (std::size_t i = 1; i < keys_.size(); ++i) {
      if (keys_[i].lower != keys_[i - 1].lower) continue;
      const std::string digest(texts_.at(keys_[i].exact));
      say_at(code, base + pointer_step(digest), "the digest stands twice: " + printable(digest));
    }
  }

  // Paths that stand twice, or of which one is a folder of another. Leaves them sorted by id.
  void conflicts(std::vector<Entry>* entries, std::string_view code, const std::string& base) {
    std::sort(entries->begin(), entries->end(), [&](const Entry& a, const Entry& b) {
      return path_before(texts_.at(a.path), texts_.at(b.path));
    });
    for (std::size_t i = 1; i < entries->size(); ++i) {
      const std::string_view path = texts_.at((*entries)[i].path);
      const std::string_view before = texts_.at((*entries)[i - 1].path);
      const bool below =
          path.size() > before.size() && path.starts_with(before) && path[before.size()] == '/';
      if (path != before && !below) continue;
      say_at(code, base,
             "'" + printable(before) + "' " +
                 (below ? "is a folder of '" + printable(path) + "' as well" : "stands twice"));
    }
    std::sort(entries->begin(), entries->end(), [](const Entry& a, const Entry& b) {
      return std::tie(a.path, a.lower) < std::tie(b.path, b.lower);
    });
  }

  void end_manifest() {
    repeated_digests("E096", "/manifest");
    conflicts(&inventory_.manifest, "E101", "/manifest");
    manifest_keys_ = std::move(keys_);
    keys_.clear();
  }

  void end_state() {
    const std::string base = pointer();
    repeated_digests("E050", base);
    conflicts(&version_.state, "E095", base);
    // The manifest may come later: what the states name is looked up at the end.
    state_keys_.emplace_back(version_.name, std::move(keys_));
    keys_.clear();
  }

  void end_version() {
    for (const char* key : {"created", "state"}) {
      if (!version_has_.contains(key)) say("E048", std::string(key) + " is missing");
    }
    for (const char* key : {"message", "user"}) {
      if (!version_has_.contains(key)) say("W007", std::string(key) + " is missing");
    }
    inventory_.versions.push_back(std::move(version_));
    version_ = {};
  }

  void end_user() {
    if (!user_has_.contains("name")) say("E054", "the user has no name");
    if (!user_has_.contains("address")) say("W008", "the user has no address");
  }

  void end_fixity() {
    const StrictFixity& block = inventory_.fixity.back();
    const std::string base = "/fixity" + pointer_step(block.algorithm);
    repeated_digests("E097", base);
    conflicts(&inventory_.fixity.back().entries, "E101", base);
    const auto algorithm = algorithm_of_name(block.algorithm);
    for (const Key& key : keys_) {
      const std::string_view digest = texts_.at(key.exact);
      if (!algorithm || (is_hex(digest) && digest.size() == digest_bytes(*algorithm) * 2)) continue;
      say_at(hex_code(*algorithm), base + pointer_step(digest),
             "'" + printable(digest) + "' is no digest of " + block.algorithm);
    }
    keys_.clear();
  }

  void basics() {
    for (const char* key : {"id", "type", "digestAlgorithm", "head"}) {
      if (!has_.contains(key)) say_at("E036", "", std::string(key) + " is missing");
    }
    if (!has_.contains("manifest")) say_at("E041", "", "manifest is missing");
    if (!has_.contains("versions")) say_at("E043", "", "versions is missing");
    for (const auto& [spec, type] : kTypes) {
      if (inventory_.type == type) inventory_.spec = spec;
    }
    const bool as_declared = inventory_.spec && (!declared_ || inventory_.spec == declared_);
    if (has_.contains("type") && !inventory_.type.empty() && !as_declared) {
      say_at("E038", "/type",
             "it is '" + printable(inventory_.type) + "'" +
                 (declared_ ? ", and the object declares " + std::string(spec_name(*declared_))
                            : std::string()));
    }
    if (!inventory_.id.empty() && !is_uri(inventory_.id)) {
      say_at("W005", "/id", "'" + printable(inventory_.id) + "' is no URI");
    }
    if (inventory_.algorithm == Algorithm::sha256) {
      say_at("W004", "/digestAlgorithm", "it is sha256");
    }
  }

  void version_names() {
    auto& versions = inventory_.versions;
    std::sort(versions.begin(), versions.end(), [](const auto& a, const auto& b) {
      return std::tie(a.number, a.name) < std::tie(b.number, b.name);
    });
    if (has_.contains("versions") && versions.empty()) say_at("E008", "/versions", "none is there");
    std::uint32_t last = 0;
    const StrictVersion* first = nullptr;
    for (const StrictVersion& version : versions) {
      const std::string at = "/versions" + pointer_step(version.name);
      if (version.number == 0) {
        const bool has_v = version.name.starts_with('v');
        by_spec_.push_back({"E046", has_v ? "E105" : "E104",
                            "'" + printable(version.name) + "' is no version", at});
        continue;
      }
      if (first == nullptr) first = &version;
      padding(*first, version, at);
      if (version.number > last + 1) {
        say_at(last == 0 ? "E009" : "E010", at,
               "v" + std::to_string(last + 1) + " comes before it, and is missing");
      }
      if (version.number == last) say_at("E012", at, "the version stands twice");
      last = version.number;
    }
    if (first == nullptr) return;
    if (first->name.starts_with("v0")) say_at("W001", "/versions", "it begins " + first->name);
    if (has_.contains("head") && inventory_.head != versions.back().name) {
      say_at("E040", "/head",
             "it is '" + printable(inventory_.head) + "', the newest version is " +
                 versions.back().name);
    }
  }

  void padding(const StrictVersion& first, const StrictVersion& version, const std::string& at) {
    const bool padded = first.name.starts_with("v0");
    const bool zero = version.name.starts_with("v0");
    if (padded && !zero) say_at("E011", at, "the first is " + first.name);
    if (padded != zero || (padded && version.name.size() != first.name.size())) {
      say_at("E012", at, "the first is " + first.name);
      say_at("E013", at, "the first is " + first.name);
    }
  }

  // Which digests of the manifest the states have, and the other way round.
  void state_digests() {
    if (!inventory_.has_manifest) return;
    std::vector<bool> named(texts_.size()), used(texts_.size());
    for (const Key& key : manifest_keys_)
      named[key.exact] = true;
    for (const auto& [version, keys] : state_keys_) {
      for (const Key& key : keys) {
        used[key.exact] = true;
        if (named[key.exact]) continue;
        const std::string digest(texts_.at(key.exact));
        say_at("E050", "/versions" + pointer_step(version) + "/state" + pointer_step(digest),
               "the manifest does not have " + printable(digest));
      }
    }
    for (const Key& key : manifest_keys_) {
      const std::string digest(texts_.at(key.exact));
      const std::string at = "/manifest" + pointer_step(digest);
      if (!used[key.exact]) by_spec_.push_back({"", "E107", "no version has " + digest, at});
      if (!inventory_.algorithm) continue;
      if (!is_hex(digest)) {
        say_at(hex_code(*inventory_.algorithm), at,
               "'" + printable(digest) + "' is not hexadecimal");
      } else if (digest.size() != digest_bytes(*inventory_.algorithm) * 2) {
        say_at(
            "E039", at,
            "no digest of " + std::string(algorithm_name(*inventory_.algorithm)) + ": " + digest);
      }
    }
    state_keys_.clear();
    manifest_keys_.clear();
  }

  // Content paths are vN/contentDirectory/…
  void content_paths() {
    for (const Entry& entry : inventory_.manifest) {
      const std::string_view path = texts_.at(entry.path);
      const auto at = [&] { return "/manifest" + pointer_step(texts_.at(entry.digest)); };
      const std::string_view version = path.substr(0, path.find('/'));
      const std::uint32_t number = version_of_name(version);
      const StrictVersion* const known = number > 0 ? inventory_.version(number) : nullptr;
      if (known != nullptr && known->name != version) {
        say_at("E014", at(), "'" + printable(path) + "': the version is called " + known->name);
      }
      const std::string_view rest =
          path.size() > version.size() ? path.substr(version.size() + 1) : std::string_view();
      const std::size_t slash = rest.find('/');
      if (known != nullptr && slash != rest.npos &&
          rest.substr(0, slash) == inventory_.content_directory) {
        continue;
      }
      say_at("E042", at(), "'" + printable(path) + "' is not below a version's content folder");
      if (known != nullptr && slash != rest.npos && !inventory_.content_directory_key) {
        say_at("E021", at(), "'" + printable(path) + "'");
      }
    }
  }

  const std::string name_;
  const std::optional<Spec> declared_;
  Texts& texts_;
  Findings& findings_;
  StrictInventory inventory_;
  std::vector<Frame> frames_;
  std::vector<Open> by_spec_;
  std::set<std::string> has_, version_has_, user_has_;
  StrictVersion version_;
  Key digest_;             // whose paths are being read
  std::vector<Key> keys_;  // of the block that is being read
  std::vector<Key> manifest_keys_;
  std::vector<std::pair<std::string, std::vector<Key>>> state_keys_;
  bool list_is_empty_ = false;
  bool is_object_ = true;
};

// Feeds the file to the reader and to the hasher. Errors: those of the system; not_found; invalid
// for what is no JSON.
Result<std::vector<Digest>> stream(Disk& disk,
                                   const Path& file,
                                   const std::string& name,
                                   json::EventReader& events,
                                   Findings& findings) {
  TRY_SET(const Fd fd, disk.open(file, O_RDONLY | O_NONBLOCK));
  TRY_SET(const FileInfo info, disk.info(fd, file));
  if (info.kind != FileKind::regular) {
    return Error(Code::invalid, file.native() + " is no regular file");
  }
  if (info.links > 1) findings.say("E090", name, "a hard link: the file has another name");
  Hasher hasher{Algorithm::sha512, Algorithm::sha256};
  std::vector<std::byte> buffer(std::min<std::uint64_t>(info.size_bytes + 1, limits::kChunkBytes));
  std::uint64_t offset = 0;
  Result<void> good = {};
  while (true) {
    if (offset > limits::kInventoryBytesMax) {
      return Error(Code::limit, file.native() + " is larger than any inventory that is read here");
    }
    TRY_SET(const std::size_t count, disk.read_at(fd, buffer, offset, file));
    if (count == 0) break;
    hasher.update(std::span<const std::byte>(buffer).first(count));
    if (good) {
      good = events.feed({reinterpret_cast<const char*>(buffer.data()), count});
    }
    offset += count;
  }
  if (good) good = events.finish();
  if (!good) findings.say("E033", name, good.error().what());
  auto digests = hasher.finish();
  if (!good) digests.emplace_back();  // One more: the bytes are known, what they say is not.
  return digests;
}

}  // namespace

std::string_view spec_name(Spec spec) {
  return spec == Spec::v1_0 ? "1.0" : "1.1";
}

const StrictVersion* StrictInventory::version(std::uint32_t number) const {
  const auto found = std::lower_bound(
      versions.begin(), versions.end(), number,
      [](const StrictVersion& each, std::uint32_t wanted) { return each.number < wanted; });
  return found != versions.end() && found->number == number ? &*found : nullptr;
}

std::uint32_t version_of_name(std::string_view name) {
  if (!name.starts_with('v') || name.size() > 10) return 0;
  const auto number = parse_decimal(name.substr(1));
  return number ? static_cast<std::uint32_t>(*number) : 0;
}

StrictInventory read_strictly(Disk& disk,
                              const Path& file,
                              const std::string& name,
                              std::optional<Spec> declared,
                              Texts& texts,
                              Findings& findings) {
  Reader reader(name, declared, texts, findings);
  json::EventReader events(reader);
  const auto digests = stream(disk, file, name, events, findings);
  if (!digests) {
    findings.say(digests.error(), "E063", name);
    return {};
  }
  StrictInventory inventory;
  if (digests->size() == 2) inventory = reader.finish();
  inventory.sha512 = (*digests)[0];
  inventory.sha256 = (*digests)[1];
  inventory.has_digests = true;
  return inventory;
}

}  // namespace versement::ocfl
