// The bordereau de versement: the transfer's inventory document, which both parties validate.
//
// It is written a row at a time, in four forms: two pages to print and sign, a table, and XML
// (docs/format/bordereau.md). A hundred thousand items need no list in memory.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

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

// What is said of all items together. Dates are compared where they are written as ISO 8601 has
// them ("1994", "1941-02-03", "1890/1900"); others do not count.
struct BordereauTotals {
  std::uint64_t items = 0;
  std::uint64_t analogue = 0;  // of these: without files
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
  std::string first_date;  // empty where no item has one that can be compared
  std::string last_date;

  void add(const BordereauRow& row);
};

// What stands above the rows.
struct Bordereau {
  std::string reference;
  std::string operation;  // the transfer's id
  Localized title;
  Localized description;
  std::string agreement;
  Organisation transferring_agency;
  Organisation archival_agency;
  Timestamp sealed_at;
  std::string manifest_sha512;  // of manifest-sha512.txt: stands for every byte of the payload
  BordereauTotals totals;
};

// One form of the document: begin, a row for each item, end.
struct BordereauForm {
  std::string_view file_name;
  std::string_view media_type;
  std::string (*begin)(const Bordereau& bordereau);
  std::string (*row)(const BordereauRow& row);
  std::string (*end)();
};

// bordereau.csv, bordereau.en.html, bordereau.fr.html, bordereau.xml.
std::span<const BordereauForm> bordereau_forms();

}  // namespace versement::mets
