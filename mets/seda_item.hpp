// What a SEDA manifest says of an item, read back from its package: Dublin Core and PREMIS of the
// version that was sealed, never the description as it is today.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mets/description.hpp"
#include "store/base/result.hpp"

namespace versement::mets {

// Texts with their languages (may be empty), in the package's order.
using Texts = std::vector<std::pair<std::string, std::string>>;

// A date as SEDA wants it: years, months, days or instants; what is neither is a text.
struct SedaDates {
  std::string created, start, end, literal;
};
// "1937", "1937-05" and "1937-05-12" are a date, "1890/1900" and "1890-1900" a span.
SedaDates seda_dates_of(std::string_view date);

struct SedaEvent {
  std::string identifier, type, time, detail, outcome;
};

struct SedaItem {
  std::string slug;
  std::uint32_t version = 1;
  Texts titles, descriptions, rights, owners, sources, subjects, places, genres;
  std::vector<std::string> creators, types, formats, languages, dates;
  std::vector<Identifier> identifiers;  // besides the slug
  std::vector<std::string> relations;   // without those to parts
  std::vector<std::string> parts;       // slugs
  std::vector<SedaEvent> events;
};

// Reads metadata/descriptive/dc.xml and metadata/preservation/premis.xml of a package of ours.
// Errors: corrupt when one of them is no such document.
Result<SedaItem> read_seda_item(std::string_view slug,
                                std::uint32_t version,
                                std::string_view dc,
                                std::string_view premis);

}  // namespace versement::mets
