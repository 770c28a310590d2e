// What a bag is, as it says itself and as its names show. No verdict: nothing is hashed, and a
// broken bag can be looked at like any other.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "bagit/rules.hpp"
#include "bagit/tagfile.hpp"
#include "bagit/tree.hpp"
#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

struct Inspection {
  Form form = Form::folder;
  std::string name;  // of the folder or file
  std::string base;  // the bag's folder in an archive; empty for a folder
  std::string version;
  std::string encoding;
  std::string info_name;  // "bag-info.txt", or "package-info.txt" in old bags; empty without one
  BagInfo info;
  std::vector<std::string> payload_algorithms;  // of the manifests that are there
  std::vector<std::string> tag_algorithms;
  std::uint64_t payload_files = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t tag_files = 0;
  std::uint64_t tag_bytes = 0;
  bool fetch = false;                       // fetch.txt is there
  std::uint64_t fetch_files = 0;            // that it names
  std::uint64_t fetch_missing = 0;          // of these
  std::uint64_t fetch_missing_bytes = 0;    // as far as it says
  std::uint64_t fetch_missing_unsized = 0;  // files without a length
  std::vector<std::string> fetch_hosts;     // sorted; "https://HOST" with the port, if there is one
  std::vector<Finding> findings;            // what kept us from seeing all of it
};

// Errors: what keeps it from looking at all (not_found, denied, unsupported); cancelled.
Result<Inspection> inspect(Tree& tree, const std::stop_token& stop);
Result<Inspection> inspect(Disk& disk, const Path& bag, const std::stop_token& stop);

}  // namespace versement::bagit
