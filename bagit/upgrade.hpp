// Gives an old bag what a bag of today has: version 1.0, tag files in UTF-8, names coded as RFC
// 8493 wants, manifests in algorithms that withstand a forger.
//
// The result is a new bag beside the old one, whose files are second names (hard links) of the old
// one's: no payload is copied, written or moved. In place it could not be done: version, character
// set and manifests of a bag only mean something together, in several files, and a crash between
// two of them would leave a bag that is neither the old nor the new one. So the new one appears
// whole by a rename, and removing the old one is left to its owner.
//
// Every file is read once, for the old manifests and the new ones alike: a new checksum vouches for
// nothing that was not proven against an old one in the same read.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "bagit/rules.hpp"
#include "bagit/validate.hpp"
#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/time.hpp"

namespace versement::bagit {

struct UpgradeOptions {
  Path bag;  // a folder
  Path target;
  std::vector<Algorithm> algorithms{Algorithm::sha512};  // that it has at the end, with its own
  Timestamp time;
  std::size_t threads = 1;
  std::stop_token stop;
  // Called from any thread.
  std::function<void(std::uint64_t files, std::uint64_t bytes)> progress;
};

struct Upgraded {
  bool made = false;   // false: see `old`, or there was nothing to do
  bool needed = true;  // false: the bag has it all already
  Report old;          // of the bag that was; with checksum.mismatch if the reading found any
  std::string from_version;
  std::vector<Algorithm> from_algorithms;
  std::vector<Algorithm> algorithms;  // of the new bag
  std::uint64_t files = 0;            // read
  std::uint64_t bytes = 0;
  std::string originals;  // "metadata/bagit-original": the tag files that were replaced
  std::string event;      // "metadata/premis-upgrade.xml"
};

// The new bag keeps all that the old one has: payload, tag files and bag-info. Replaced tag files
// lie below `originals`, and a PREMIS event says what was done. It appears when it is durable and
// its structure was validated; a crash leaves a `.NAME.part-…` only.
// Errors: exists when the target is there; unsupported for links in the bag, and where the file
// system has no hard links; conflict when a file changes meanwhile; cancelled; no_space, denied,
// io.
Result<Upgraded> upgrade_bag(Disk& disk, const UpgradeOptions& options);

}  // namespace versement::bagit
