// The lines of tag files of a bag in a folder, for those who work on a bag that the validator has
// looked at already.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "bagit/tagfile.hpp"
#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

// Calls `each(number, line)` with the lines of a file in the character set `encoding`, in UTF-8.
// Errors: invalid; limit for more than kManifestBytesMax; io; those of `each`.
Result<void> folder_lines(Disk& disk,
                          const Path& file,
                          const std::string& encoding,
                          const std::function<Result<void>(std::size_t, std::string_view)>& each);

// The path that a line of a manifest or of fetch.txt means, in a bag of this version.
std::string listed_path(const Declaration& declaration, std::string_view coded);

}  // namespace versement::bagit
