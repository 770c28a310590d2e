// Validates a bag in a folder (RFC 8493 sections 2 and 3). Reads only, never outside the bag.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "bagit/rules.hpp"
#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

enum class Verdict {
  valid,         // complete, and every checksum of every manifest verified
  invalid,       //
  incomplete,    // only files are missing that fetch.txt names
  unexaminable,  // some file could not be read: neither valid nor invalid is proven
};

struct Report {
  Verdict verdict = Verdict::valid;
  std::vector<Finding> findings;  // by path, then code
  std::uint64_t files = 0;        // hashed
  std::uint64_t bytes = 0;
  std::string tag_manifest_digest;  // SHA-512 of tagmanifest-sha512.txt, in hex; empty without it
};

struct ValidateOptions {
  std::size_t threads = 1;
  std::stop_token stop;
  // Called from any thread now and then.
  std::function<void(std::uint64_t files, std::uint64_t bytes)> progress;
};

std::string_view verdict_name(Verdict verdict);

// Errors: only what keeps it from looking at all (not_found, denied, cancelled).
Result<Report> validate(Disk& disk, const Path& bag, const ValidateOptions& options);

}  // namespace versement::bagit
