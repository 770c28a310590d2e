// The bordereau de versement: the transfer's inventory document, which both parties validate.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "mets/description.hpp"
#include "mets/package.hpp"
#include "store/base/time.hpp"

namespace versement::mets {

struct BordereauRow {
  std::string slug;
  std::uint32_t version = 1;
  Description description;
  Original original;
  std::uint64_t files = 0;  // payload; 0 for an analogue original
  std::uint64_t bytes = 0;
};

struct Bordereau {
  std::string reference;
  Localized title;
  Localized description;
  std::string agreement;
  Organisation transferring_agency;
  Organisation archival_agency;
  Timestamp sealed_at;
  std::string manifest_sha512;  // of manifest-sha512.txt: stands for every byte of the payload
  std::vector<BordereauRow> rows;
};

// A page by itself in French ("fr") or English ("en"), made to be printed and signed.
std::string render_bordereau_html(const Bordereau& bordereau, std::string_view language);
// One row an item, a header of column names.
std::string render_bordereau_csv(const Bordereau& bordereau);

}  // namespace versement::mets
