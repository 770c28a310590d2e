// Where objects lie: OCFL extension 0003-hash-and-id-n-tuple-storage-layout with sha256, tuples of
// two characters, two of them. The id stays readable in the path, for recovery by hand.
#pragma once

#include <string>
#include <string_view>

#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/ids.hpp"
#include "store/base/result.hpp"

namespace versement::ocfl {

inline constexpr std::string_view kLayoutName = "0003-hash-and-id-n-tuple-storage-layout";

// Relative to the storage root: "3c/0f/urn%3auuid%3a…".
Path object_path(const ObjectId& id);

// The folder name that the layout gives an id: percent-coded with lower-case digits, cut to 100
// characters and followed by the digest when it is longer.
std::string object_folder_name(std::string_view id, Algorithm algorithm = Algorithm::sha256);

// The content path (below vN/content) for a logical path. It is the logical path where that is
// plain ASCII, short and not taken by another that differs in case only; else "x/", the beginning
// of the digest and the extension.
std::string content_path(std::string_view logical_path, std::string_view sha512_hex);

}  // namespace versement::ocfl
