// BagIt Profiles 1.4.0: what an agreement asks of a bag beyond RFC 8493.
#pragma once

#include <cstdint>
#include <functional>
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

  // Says what the bag does not fulfil ("profile.…"), in a fixed order. With `identifier`, the bag
  // must name this profile in BagIt-Profile-Identifier.
  void check(const BagFacts& facts, bool identifier, const std::function<void(Finding)>& say) const;

 private:
  Profile() = default;

  std::string identifier_;
  std::string version_;
};

}  // namespace versement::bagit
