// The description of an item, as metadata.csv, the API and the packages share it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mets/rights.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"

namespace versement::mets {

// A text by language (ISO 639-1: "fr", "en", "km"). French stands first where an order shows.
using Localized = std::map<std::string, std::string>;

struct Identifier {
  std::string type;  // "ark", "shelf_mark", "local" …
  std::string value;
};

struct Rights {
  Localized credit_line;
  Localized owner;
  Localized conditions;
  std::string reproduction = "unknown";     // allowed, allowed_with_credit, restricted, unknown
  std::vector<RightsStatement> statements;  // of rights.csv
};

// An analogue original that the item stands for.
struct Original {
  std::string shelfmark;
  std::string box;
  std::string extent;
  bool empty() const { return shelfmark.empty() && box.empty() && extent.empty(); }
};

struct Description {
  Localized title;
  Localized description;
  std::vector<std::string> creators;
  std::vector<Localized> subjects;
  std::vector<Localized> places;
  std::string date;
  std::string type;   // a DCMI type: StillImage, Text, PhysicalObject …
  std::string genre;  // what it is here: photographie, carte, fiche d'inventaire …
  std::string format;
  Localized source;
  std::vector<std::string> languages;
  std::vector<Identifier> identifiers;
  std::vector<std::string> relations;
  Rights rights;
  // Columns of the deposit that have no meaning here, kept as they came.
  std::vector<std::pair<std::string, std::string>> unmapped;
};

json::Object to_json(const Description& description);
json::Object to_json(const Original& original);
json::Object to_json(const Localized& text);
json::Object to_json(const Rights& rights);
Description description_of(const json::Object& object);
Original original_of(const json::Object& object);
Localized localized_of(const json::Object& object);
Rights rights_of(const json::Object& object);

// The texts with their languages: French first, then by language code.
std::vector<std::pair<std::string, std::string>> in_order(const Localized& text);
// The French text, else the first there is.
std::string any_of(const Localized& text);

// What kind of package an item makes (METS TYPE, CSIP content information type).
struct Category {
  std::string_view mets_type;
  std::string_view content_information;  // for csip:OTHERCONTENTINFORMATIONTYPE
};
Category category_of(const Description& description, bool has_files);

}  // namespace versement::mets
