// A bag in a folder. It is read only: not even the time of last access changes, where the system
// lets us keep it. Nothing outside of the folder is opened, and no FIFO, device or link (RFC 8493
// section 5.1), whoever changes the folder meanwhile.
#pragma once

#include <memory>

#include "bagit/tree.hpp"
#include "store/base/disk.hpp"

namespace versement::bagit {

// Errors: not_found, denied, io; invalid when it is no folder.
Result<std::unique_ptr<Tree>> open_folder(Disk& disk, const Path& folder);

}  // namespace versement::bagit
