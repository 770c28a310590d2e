// A look at XML from outside before a tree is made of it. For mets/xml only.
#pragma once

#include <cstddef>
#include <string_view>

#include "store/base/result.hpp"

namespace versement::mets {

// A name of METS has at most 40 characters.
inline constexpr std::size_t kXmlNameBytesMax = 1024;
// Of one element; each is compared with the others.
inline constexpr std::size_t kXmlAttributesMax = 256;
// Elements, attributes and texts: each is 40 to 64 bytes of the tree, and "<a/>" has four. The METS
// of 256 MiB that we write ourselves has less than six million.
inline constexpr std::size_t kXmlNodesMax = 8'000'000;

// Walks over the text once, in constant stack and in memory that depends on the depth only.
// Errors: invalid or limit ("xml-…"), with the byte.
Result<void> guard_xml(std::string_view text, std::size_t nodes_max = kXmlNodesMax);

}  // namespace versement::mets
