// The rights part of a representation's PREMIS. For mets/premis only.
#pragma once

#include <string_view>

#include "mets/package.hpp"
#include "mets/xml.hpp"

namespace versement::mets {

// Writes premis:rights: the item's conditions as a licence, with what must be said when it is
// reproduced, and then each statement of rights.csv. `grantor` is the identifier of the agent who
// grants, or empty.
void write_rights(XmlWriter& xml,
                  const PackageInput& input,
                  std::string_view representation,
                  std::string_view grantor);

}  // namespace versement::mets
