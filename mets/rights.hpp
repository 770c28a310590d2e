// Statements of rights, as rights.csv and PREMIS have them: on which basis, and what is granted.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/json.hpp"

namespace versement::mets {

// One act that a statement allows, or does not.
struct Grant {
  std::string act;          // "disseminate", "reproduce" …
  std::string restriction;  // Allow, Disallow, Conditional
  std::string start_date;
  std::string end_date;  // "open" has no end
  std::string note;

  bool operator==(const Grant&) const = default;
};

struct RightsStatement {
  std::string basis;   // copyright, license, statute, donor, policy, other
  std::string status;  // of copyright: "public domain", "copyrighted" …
  std::string determination_date;
  std::string jurisdiction;
  std::string start_date;
  std::string end_date;  // "open" has no end
  std::string terms;     // of a license
  std::string citation;  // of a statute
  std::string note;
  std::string doc_id_type;
  std::string doc_id_value;
  std::string doc_id_role;
  std::vector<Grant> grants;
  // Of the item, by their paths below data/; none when it holds for the whole item.
  std::vector<std::string> files;

  bool operator==(const RightsStatement&) const = default;
};

// A member of `Owner`, by the name of its column in rights.csv; in JSON the "grant_" falls away.
template <class Owner>
struct RightsField {
  std::string_view column;
  std::string Owner::*member;
};

// In the order of the columns, behind "file".
inline constexpr std::array<RightsField<RightsStatement>, 9> kStatementFields{{
    {"basis", &RightsStatement::basis},
    {"status", &RightsStatement::status},
    {"determination_date", &RightsStatement::determination_date},
    {"jurisdiction", &RightsStatement::jurisdiction},
    {"start_date", &RightsStatement::start_date},
    {"end_date", &RightsStatement::end_date},
    {"terms", &RightsStatement::terms},
    {"citation", &RightsStatement::citation},
    {"note", &RightsStatement::note},
}};
inline constexpr std::array<RightsField<Grant>, 5> kGrantFields{{
    {"grant_act", &Grant::act},
    {"grant_restriction", &Grant::restriction},
    {"grant_start_date", &Grant::start_date},
    {"grant_end_date", &Grant::end_date},
    {"grant_note", &Grant::note},
}};
inline constexpr std::array<RightsField<RightsStatement>, 3> kDocumentFields{{
    {"doc_id_type", &RightsStatement::doc_id_type},
    {"doc_id_value", &RightsStatement::doc_id_value},
    {"doc_id_role", &RightsStatement::doc_id_role},
}};

// Adds a statement; one that says the same of the same files, but for its grants, gets these.
void add_statement(RightsStatement statement, std::vector<RightsStatement>* into);

json::Object to_json(const RightsStatement& statement);
RightsStatement statement_of(const json::Object& object);

}  // namespace versement::mets
