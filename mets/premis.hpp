// PREMIS 3.0 and Dublin Core of a package. For mets/package only.
#pragma once

#include <string>

#include "mets/package.hpp"

namespace versement::mets {

// metadata/descriptive/dc.xml (oai_dc), the same for package and representation.
std::string render_dc(const PackageInput& input);
// The package's own: the intellectual entity and its creation.
Result<void> render_package_premis(const PackageInput& input,
                                   std::string_view representation,
                                   const Sink& sink);
// The representation's: files with fixity and format, events, agents, rights. Goes through the
// files twice.
Result<void> render_representation_premis(const PackageInput& input,
                                          std::string_view representation,
                                          const Payload& files,
                                          const Sink& sink);

}  // namespace versement::mets
