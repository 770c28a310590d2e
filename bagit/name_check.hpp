// Looks at all names of a bag: what other systems would stumble over, and which would become one.
#pragma once

#include "bagit/contents.hpp"
#include "bagit/notes.hpp"

namespace versement::bagit {

// Notes "name.…" (RFC 8493 section 6.1.1), each name once, folders that no entry names included.
void check_names(const Contents& contents, Notes& notes);

}  // namespace versement::bagit
