// Trees over tar: a file, read where it lies; or forward bytes, compressed or from a pipe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "bagit/archive.hpp"
#include "bagit/tree.hpp"

namespace versement::bagit {

// At 8 bytes a member; what was seen of names is let go when visit() returns.
std::unique_ptr<Tree> tar_tree(std::shared_ptr<ArchiveFile> file, const ArchiveLimits& limits);

// The bytes of a tar from their beginning.
using BeginInput = std::function<Result<std::unique_ptr<ByteInput>>()>;

// Sequential. `begin` is called for each visit, once at most when not `repeatable`; for hard links
// in what can be repeated, several times a visit.
std::unique_ptr<Tree> tar_stream_tree(
    Form form, std::string name, bool repeatable, BeginInput begin, const ArchiveLimits& limits);

}  // namespace versement::bagit
