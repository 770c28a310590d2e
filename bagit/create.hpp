// Makes a new bag beside its payload: the source is read once and never written to or moved.
//
// Everything about the bag but its checksums follows from names and sizes, so its whole layout is
// known before the first byte is read. Hence an archive can have its manifests in front, where a
// reader of a stream needs them, and still be written in one pass by several threads: each file
// goes to its place, and the manifests to theirs at the end.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "bagit/rules.hpp"
#include "bagit/tagfile.hpp"
#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/time.hpp"

namespace versement::bagit {

enum class BagForm { folder, tar, zip };

// By the file's extension: ".tar" and ".zip", else a folder. Errors: unsupported for the extensions
// of other archives, which would have to be unpacked to be verified.
Result<BagForm> form_of_name(const Path& target);

struct CreateOptions {
  // One folder: what is in it becomes the payload. Several, or files: each under its own name.
  std::vector<Path> sources;
  Path target;
  BagForm form = BagForm::folder;
  std::vector<Algorithm> algorithms{Algorithm::sha512};
  BagInfo info;               // comes first in bag-info.txt; Payload-Oxum is ours
  Timestamp time;             // when it is made; the time of our own files
  bool one_time = false;      // it is the time of all files; else the payload keeps its own
  bool follow_links = false;  // to files inside the source
  bool nest = false;          // permits a bag as source
  bool validate = true;
  std::size_t threads = 1;
  std::stop_token stop;
  // Called from any thread.
  std::function<void(std::uint64_t files, std::uint64_t bytes)> progress;
  std::function<void()> validating;
};

inline constexpr std::size_t kEmptyFoldersNamed = 100;

struct Created {
  std::uint64_t files = 0;
  std::uint64_t octets = 0;
  std::uint64_t empty_folders = 0;              // of the source; a bag has no place for them
  std::vector<std::string> empty_folder_paths;  // of the first kEmptyFoldersNamed
  std::vector<Finding> findings;                // warnings
  std::vector<Path> left_over;      // of runs with this target that were interrupted, or still run
  std::string tag_manifest_digest;  // SHA-512 of tagmanifest-sha512.txt; empty without it
};

// Writes `.NAME.part-…` beside the target, makes it durable, reads it back as a bag and renames it.
// After success the bag and its name survive a power cut. On an error nothing is left; a crash
// leaves the `.part-…` only.
// Requires: options.algorithms has no algorithm twice.
// Errors: exists when the target is there; invalid, with reason(): "source-is-a-bag",
// "name.normalization-twins", "name.not-utf8", "path.symlink", "path.special-file", "file.changed",
// "info-invalid", "target-in-source", "target-name"; limit; no_space; corrupt when the bag does not
// read back as it was written; cancelled; not_found, denied, io.
Result<Created> create_bag(Disk& disk, const CreateOptions& options);

}  // namespace versement::bagit
