// A tree over a zip file, which must be what its two lists of members both say, and nothing else.
//
// Zip says everything twice: in a directory at the end, and in a header before each member. Readers
// go by one or the other, so that one file can show two contents. Here every byte must belong to
// something: members, directory and end record tile the file, and the two headers agree.
#pragma once

#include <memory>

#include "bagit/archive.hpp"
#include "bagit/tree.hpp"

namespace versement::bagit {

// At 16 bytes a member, in the order in which they lie; what was seen of names is let go when
// visit() returns.
std::unique_ptr<Tree> zip_tree(std::shared_ptr<ArchiveFile> file, const ArchiveLimits& limits);

// True when a zip ends here, whatever stands before it.
Result<bool> ends_as_zip(const ArchiveFile& file);

}  // namespace versement::bagit
