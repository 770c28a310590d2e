// ProfileSet: the profiles that are at hand, found by their identifiers. They come from files that
// somebody put there, and never from the net: an identifier in a stranger's bag is an address that
// the stranger chose.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bagit/profile.hpp"
#include "store/base/disk.hpp"

namespace versement::bagit {

// Not thread safe while add() runs; afterwards it is.
class ProfileSet {
 public:
  // Takes up a file, or every file *.json of a folder (not of those below it, and no links). The
  // same profile twice is taken once.
  // Errors: those of Profile::parse, with the file; conflict when another profile has the
  // identifier already; limit; not_found, denied, io.
  Result<void> add(Disk& disk, const Path& path);

  // By BagIt-Profile-Identifier; null when it is not at hand.
  std::shared_ptr<const Profile> find(const std::string& identifier) const;
  // All of them, by identifier.
  std::vector<std::shared_ptr<const Profile>> all() const;
  std::size_t size() const { return known_.size(); }

 private:
  struct Known {
    std::shared_ptr<const Profile> profile;
    std::string text;
    Path file;
  };
  Result<void> add_file(Disk& disk, const Path& file);

  std::map<std::string, Known> known_;
};

// What a bag names in BagIt-Profile-Identifier, which may stand more than once.
std::vector<std::string> named_profiles(const BagInfo& info);

}  // namespace versement::bagit
