// PREMIS 3.0 and Dublin Core of a package. For mets/package only.
#pragma once

#include <string>

#include "mets/package.hpp"

namespace versement::mets {

// metadata/descriptive/dc.xml (oai_dc), the same for package and representation.
std::string render_dc(const PackageInput& input);
// The package's own: the intellectual entity and its creation.
std::string render_package_premis(const PackageInput& input, std::string_view representation);
// The representation's: files with fixity and format, events, agents, rights.
std::string render_representation_premis(const PackageInput& input,
                                         std::string_view representation,
                                         const std::vector<PayloadFile>& files);

}  // namespace versement::mets
