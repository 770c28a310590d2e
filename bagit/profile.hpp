// BagIt Profiles 1.4.0: what an agreement asks of a bag beyond RFC 8493. Profiles of 1.0 to 1.3 are
// read by the same rules: each version only added fields.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bagit/rules.hpp"
#include "bagit/tagfile.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

// What a profile is held against.
struct BagFacts {
  using Names = std::function<void(const std::function<void(std::string_view)>& each)>;

  std::string version;                          // "1.0"
  BagInfo info;                                 // as it is written, in order
  std::vector<std::string> payload_algorithms;  // as the names of the manifests have them
  std::vector<std::string> tag_algorithms;
  bool fetch = false;      // fetch.txt is there
  std::string media_type;  // "application/zip" …; empty for a folder
  std::uint64_t payload_files = 0;
  std::uint64_t payload_octets = 0;
  Names tag_files;  // every file outside of data/, sorted
  Names payload;    // every file below data/, sorted, "data/" in front
};

// Immutable; thread safe.
class Profile {
 public:
  // Errors: invalid, with the field and the rule broken; unsupported for the formats of DART and of
  // the Bagger, which are called profiles as well.
  static Result<Profile> parse(std::string_view json);

  const std::string& identifier() const { return identifier_; }
  const std::string& version() const { return version_; }  // "1.4.0"
  // Members that BagIt Profiles does not know, by JSON Pointer: nobody holds a bag to them. Each is
  // a finding of check(), too.
  const std::vector<std::string>& unknown() const { return unknown_; }

  // Says what the bag does not fulfil ("profile.…"), in a fixed order. With `identifier`, the bag
  // must name this profile in BagIt-Profile-Identifier.
  void check(const BagFacts& facts, bool identifier, const std::function<void(Finding)>& say) const;

 private:
  friend class ProfileReader;
  friend class ProfileCheck;

  struct Label {
    std::string name;
    bool required = false;
    bool repeatable = true;
    std::vector<std::string> values;  // none: any
  };
  using Names = std::vector<std::string>;
  enum class Packing { forbidden, required, optional };

  Profile() = default;

  std::string identifier_;
  std::string version_;
  std::vector<std::string> unknown_;
  std::vector<Label> labels_;
  Names manifests_required_;
  std::optional<Names> manifests_allowed_;  // without: any
  Names tag_manifests_required_;
  std::optional<Names> tag_manifests_allowed_;
  Names tag_files_required_;
  std::optional<Names> tag_files_allowed_;  // patterns
  Names payload_files_required_;            // with '/' at the end: a folder
  std::optional<Names> payload_files_allowed_;
  Names versions_;
  std::optional<Names> media_types_;
  Packing packing_ = Packing::optional;
  bool fetch_allowed_ = true;
  bool fetch_required_ = false;
  bool data_empty_ = false;
};

// Whether `path` fits a pattern as profiles have them: '*' is any number of bytes, slashes too, '?'
// one character, "[a-c]" or "[!a-c]" one of ASCII. A pattern always fits the path that is written
// like it, and a '[' without its end is itself. Takes at most the product of both lengths,
// times 64.
bool matches_pattern(std::string_view pattern, std::string_view path);

}  // namespace versement::bagit
