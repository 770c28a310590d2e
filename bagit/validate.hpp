// Validates a bag (RFC 8493): every rule, every finding, whatever the bag is kept in.
//
//   auto report = bagit::validate(real_disk(), "/srv/bags/one.tar.gz", {.threads = 8});
//   if (report && report->verdict == bagit::Verdict::valid) …
//
// Reads only, and never outside of the bag. Each file is read once, whatever number of manifests
// list it. An archive is judged where it lies, without unpacking it. docs/bag-rules.md has all
// rules.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "bagit/archive.hpp"
#include "bagit/profiles.hpp"
#include "bagit/rules.hpp"
#include "bagit/tagfile.hpp"
#include "bagit/tree.hpp"
#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

enum class Verdict {
  valid,         // complete, and every checksum of every manifest verified (RFC 8493 section 3)
  complete,      // all is there that should be; nothing was hashed, because so it was asked
  oxum_matches,  // number and size of the payload files are right; nothing else was looked at
  invalid,
  incomplete,    // only files are missing that fetch.txt names
  unexaminable,  // something could not be read or judged: neither valid nor invalid is proven
};

enum class Depth {
  fast,      // only Payload-Oxum
  complete,  // all but the content of files
  full,
};

// How far a validation came that was cut off.
struct Checkpoint {
  std::string fingerprint;  // of what the bag was then
  std::uint64_t done = 0;   // files, in the order of their paths
  std::uint64_t bytes = 0;
  std::vector<Finding> findings;  // in those files
};

struct Progress {
  std::uint64_t files = 0;  // hashed
  std::uint64_t bytes = 0;
  std::uint64_t files_total = 0;  // to be hashed; 0 while the bag is being listed
  std::uint64_t bytes_total = 0;
};

// A file of a bag that was found to be valid.
struct VerifiedFile {
  std::string_view path;             // from the bag's base folder, as the tree has it
  std::string_view path_in_tree;     // from the tree's top
  EntryKind kind = EntryKind::file;  // or a link, which leads to a listed file of the bag
  std::uint32_t number = 0;          // of the tree's entry
  std::uint64_t size_bytes = 0;
  std::span<const Digest>
      digests;  // that manifests list and the bytes have; of a tag file maybe none
};

struct ValidateOptions {
  Mode mode = Mode::standard;
  Depth depth = Depth::full;
  // Files read at once; 0: as many as keep the hashing busy, which takes SHA-512 of eight side by
  // side.
  std::size_t threads = 0;
  std::stop_token stop = {};
  // Called from any thread, one at a time.
  std::function<void(const Progress&)> progress = {};
  // Algorithms to take of a pipe whose manifests come last, beside SHA-512 and SHA-256.
  std::vector<Algorithm> algorithms = {};
  ArchiveLimits limits = {};

  // Profiles that the bag must fulfil, whatever it says of itself.
  std::vector<std::shared_ptr<const Profile>> profiles = {};
  bool profile_identifier = true;  // The bag must name each of them.
  // Where those are looked up that the bag names; without it they are not.
  const ProfileSet* registry = nullptr;

  // Called for each file of a bag that is valid, tag files too, by path as bytes; at the end, on
  // the calling thread.
  std::function<void(const VerifiedFile&)> each_verified = {};
  // Called for every line of a manifest whose file is there, with what the line lists.
  std::function<void(std::string_view path, const Digest& digest)> listed = {};

  // Goes on from here if the bag is still what it was.
  std::optional<Checkpoint> resume = {};
  // Called every few seconds and when it is stopped; from any thread, one at a time.
  std::function<void(const Checkpoint&)> keep = {};
};

struct Report {
  Verdict verdict = Verdict::valid;
  std::vector<Finding> findings;        // in their order
  std::uint64_t findings_left_out = 0;  // beyond kBagFindingsMax
  std::string version;                  // "1.0"; empty without a bagit.txt
  std::string encoding;
  std::uint64_t files = 0;  // hashed
  std::uint64_t bytes = 0;
  std::vector<Algorithm> algorithms;  // with which files were compared
  std::uint64_t payload_files = 0;
  std::uint64_t payload_bytes = 0;
  std::uint64_t fetchable_files = 0;    // missing, and named by fetch.txt
  std::uint64_t fetchable_bytes = 0;    // as far as fetch.txt says
  std::uint64_t fetchable_unknown = 0;  // files of which it does not
  bool resumed = false;                 // `resume` was of use
  std::string tag_manifest_digest;  // SHA-512 of tagmanifest-sha512.txt, in hex; empty without it
  BagInfo info;                     // bag-info.txt, as far as it could be read
};

std::string_view verdict_name(Verdict verdict);  // "valid", "oxum-matches" …

// Errors: only what keeps it from looking at all (not_found, denied, cancelled, unsupported).
Result<Report> validate(Tree& tree, const ValidateOptions& options);
// Of a folder, or an archive: tar, tar.gz or zip, told by its bytes and not by its name.
Result<Report> validate(Disk& disk, const Path& bag, const ValidateOptions& options);

}  // namespace versement::bagit
