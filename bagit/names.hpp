// Names in a bag: which paths nothing may be opened by (RFC 8493 section 5.1), and which are legal
// and will trouble others (6.1.1).
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace versement::bagit {

// The code of the rule that forbids this path, which is decoded and has no "./" in front:
// "path.absolute", "path.dot-segment", "path.nul", "path.tilde", "path.traversal", "path.windows".
// Empty when it stays in the bag.
std::string_view unsafe_path(std::string_view path);

// Calls `each(code, detail)` for "name.control", "name.not-utf8", "name.os-junk", "name.windows".
void name_troubles(std::string_view path,
                   const std::function<void(std::string_view, std::string)>& each);

// True for a file that a system leaves behind and nobody meant to send: ".DS_Store", "Thumbs.db".
bool is_os_junk(std::string_view path);

// The path without empty names: "data//a" is "data/a".
std::string without_empty_names(std::string_view path);

}  // namespace versement::bagit
