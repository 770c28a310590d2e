// Opens what a bag comes in as a Tree, by what it is and not by its name.
#pragma once

#include <memory>
#include <string>

#include "bagit/archive.hpp"
#include "bagit/tree.hpp"

namespace versement::bagit {

// A tar, tar.gz or zip, found out from its first bytes.
// Errors: unsupported for anything else, with what it looks like; invalid when it is no regular
// file; not_found, denied, io.
Result<std::unique_ptr<Tree>> open_archive(Disk& disk,
                                           const Path& file,
                                           const ArchiveLimits& limits = {});

// A tar or tar.gz that comes by once, from a pipe. Reads its first bytes at once; what is wrong
// with them, visit() tells: unsupported for anything else.
std::unique_ptr<Tree> open_stream(ReadBytes read,
                                  std::string name,
                                  const ArchiveLimits& limits = {});

}  // namespace versement::bagit
