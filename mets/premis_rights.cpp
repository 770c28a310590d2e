#include "mets/premis_rights.hpp"

#include <algorithm>
#include <array>

#include "store/base/text.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kRightsBasis = "http://id.loc.gov/vocabulary/preservation/rightsBasis";
// PREMIS wants a value where the table may have none.
constexpr std::string_view kUnknown = "unknown";

constexpr std::string_view kCredit = "mention obligatoire de la source et du propriétaire";
constexpr std::string_view kRestricted = "reproduction soumise à autorisation";

// How a basis is named in its elements; nothing of it is for a basis without such.
struct Basis {
  std::string_view name;         // in rights.csv
  std::string_view value;        // of rightsBasis
  std::string_view information;  // the element that says more
  std::string_view prefix;       // of the elements in it
};
constexpr std::array<Basis, 6> kBases{{
    {"copyright", "copyright", "premis:copyrightInformation", "premis:copyright"},
    {"license", "license", "premis:licenseInformation", "premis:license"},
    {"statute", "statute", "premis:statuteInformation", "premis:statute"},
    {"donor", "other", "premis:otherRightsInformation", "premis:otherRights"},
    {"policy", "other", "premis:otherRightsInformation", "premis:otherRights"},
    {"other", "other", "premis:otherRightsInformation", "premis:otherRights"},
}};

const Basis& basis_of(const RightsStatement& statement) {
  const auto* const found = std::find_if(kBases.begin(), kBases.end(), [&](const Basis& each) {
    return each.name == statement.basis;
  });
  return found == kBases.end() ? kBases.back() : *found;
}

std::string_view known(const std::string& value) {
  return value.empty() ? kUnknown : std::string_view(value);
}

class Writer {
 public:
  Writer(XmlWriter& xml,
         const PackageInput& input,
         std::string_view representation,
         std::string_view grantor)
      : xml_(xml), input_(input), representation_(representation), grantor_(grantor) {}

  void run() {
    xml_.open("premis:rights");
    conditions();
    std::size_t number = 0;
    for (const RightsStatement& each : input_.description.rights.statements)
      statement(each, ++number);
    xml_.close();
  }

 private:
  // ------------------------------------------------------------------ what every item has

  void conditions() {
    const Rights& rights = input_.description.rights;
    begin(" rights", "license");
    license(rights.conditions);
    for (const std::string_view act : {"reproduce", "disseminate"})
      granted(act, rights);
    end({});
  }

  // The terms in the first language, the others as notes that begin with theirs.
  void license(const Localized& conditions) {
    if (conditions.empty()) return;
    xml_.open("premis:licenseInformation");
    bool first = true;
    for (const auto& [language, text] : in_order(conditions)) {
      if (first) {
        xml_.text("premis:licenseTerms", text);
      } else {
        xml_.text("premis:licenseNote", language + ": " + text);
      }
      first = false;
    }
    xml_.close();
  }

  // A reader of the grant alone must meet the conditions: they are its restriction.
  void granted(std::string_view act, const Rights& rights) {
    xml_.open("premis:rightsGranted");
    xml_.text("premis:act", act);
    const bool nothing_said = rights.reproduction == "unknown" && rights.conditions.empty();
    if (rights.reproduction == "allowed_with_credit" || nothing_said) {
      xml_.text("premis:restriction", kCredit);
    }
    if (rights.reproduction == "restricted") xml_.text("premis:restriction", kRestricted);
    for (const auto& [language, text] : in_order(rights.conditions))
      xml_.text("premis:restriction", text);
    xml_.text("premis:rightsGrantedNote", "reproduction: " + rights.reproduction);
    for (const auto& [language, text] : in_order(rights.credit_line))
      xml_.text("premis:rightsGrantedNote", "credit: " + text);
    for (const auto& [language, text] : in_order(rights.owner))
      xml_.text("premis:rightsGrantedNote", "owner: " + text);
    xml_.close();
  }

  // ------------------------------------------------------------------ what rights.csv says

  void statement(const RightsStatement& each, std::size_t number) {
    const Basis& basis = basis_of(each);
    begin(" rights " + std::to_string(number), basis.value);
    if (basis.value == "copyright") copyright(each, basis);
    if (basis.value == "license") license(each, basis);
    if (basis.value == "statute") statute(each, basis);
    if (basis.value == "other") other(each, basis);
    for (const Grant& grant : each.grants)
      granted(grant);
    end(each.files);
  }

  void copyright(const RightsStatement& each, const Basis& basis) {
    xml_.open(basis.information);
    xml_.text("premis:copyrightStatus", known(each.status));
    xml_.text("premis:copyrightJurisdiction", known(each.jurisdiction));
    optional("premis:copyrightStatusDeterminationDate", each.determination_date);
    notes(basis, each, {{"terms", each.terms}, {"citation", each.citation}});
    document(basis, each);
    dates(basis, each);
    xml_.close();
  }

  void license(const RightsStatement& each, const Basis& basis) {
    const bool anything = !each.terms.empty() || !each.note.empty() || has_document(each) ||
                          !each.start_date.empty() || !each.end_date.empty() ||
                          !each.status.empty() || !each.jurisdiction.empty() ||
                          !each.citation.empty() || !each.determination_date.empty();
    if (!anything) return;  // An empty licenseInformation is not valid.
    xml_.open(basis.information);
    document(basis, each);
    optional("premis:licenseTerms", each.terms);
    notes(basis, each,
          {{"status", each.status},
           {"jurisdiction", each.jurisdiction},
           {"citation", each.citation},
           {"determination date", each.determination_date}});
    dates(basis, each);
    xml_.close();
  }

  void statute(const RightsStatement& each, const Basis& basis) {
    xml_.open(basis.information);
    xml_.text("premis:statuteJurisdiction", known(each.jurisdiction));
    xml_.text("premis:statuteCitation", known(each.citation));
    optional("premis:statuteInformationDeterminationDate", each.determination_date);
    notes(basis, each, {{"status", each.status}, {"terms", each.terms}});
    document(basis, each);
    dates(basis, each);
    xml_.close();
  }

  void other(const RightsStatement& each, const Basis& basis) {
    xml_.open(basis.information);
    document(basis, each);
    xml_.text("premis:otherRightsBasis", basis.name);
    dates(basis, each);
    notes(basis, each,
          {{"status", each.status},
           {"jurisdiction", each.jurisdiction},
           {"terms", each.terms},
           {"citation", each.citation},
           {"determination date", each.determination_date}});
    xml_.close();
  }

  void granted(const Grant& grant) {
    xml_.open("premis:rightsGranted");
    xml_.text("premis:act", known(grant.act));
    optional("premis:restriction", grant.restriction);
    if (!grant.start_date.empty() || !grant.end_date.empty()) {
      // What is forbidden has its time as a restriction, not as a grant.
      const bool forbidden = grant.restriction == "Disallow";
      xml_.open(forbidden ? "premis:termOfRestriction" : "premis:termOfGrant");
      start_and_end(grant.start_date, grant.end_date);
      xml_.close();
    }
    optional("premis:rightsGrantedNote", grant.note);
    xml_.close();
  }

  // ------------------------------------------------------------------ what they share

  void begin(const std::string& suffix, std::string_view basis) {
    xml_.open("premis:rightsStatement");
    xml_.open("premis:rightsStatementIdentifier");
    xml_.text("premis:rightsStatementIdentifierType", "URI");
    xml_.text("premis:rightsStatementIdentifierValue", urn(representation_ + suffix));
    xml_.close();
    xml_.text("premis:rightsBasis", basis,
              {{"authority", "rightsBasis"}, {"authorityURI", kRightsBasis}});
  }

  // The representation, or only these files of it.
  void end(const std::vector<std::string>& files) {
    const std::string folder = "representations/" + representation_;
    if (files.empty()) linking_object(urn(folder));
    for (const std::string& file : files)
      linking_object(urn(folder + "/data/" + file));
    if (!grantor_.empty()) {
      xml_.open("premis:linkingAgentIdentifier");
      xml_.text("premis:linkingAgentIdentifierType", "local");
      xml_.text("premis:linkingAgentIdentifierValue", grantor_);
      xml_.text("premis:linkingAgentRole", "grantor");
      xml_.close();
    }
    xml_.close();
  }

  void linking_object(const std::string& value) {
    xml_.open("premis:linkingObjectIdentifier");
    xml_.text("premis:linkingObjectIdentifierType", "URI");
    xml_.text("premis:linkingObjectIdentifierValue", value);
    xml_.close();
  }

  std::string urn(const std::string& path) const {
    return "urn:uuid:" + file_uuid(input_.objid, path).text();
  }

  void optional(std::string_view name, const std::string& value) {
    if (!value.empty()) xml_.text(name, value);
  }

  // The note, and what this basis has no element for: nothing is lost.
  void notes(const Basis& basis,
             const RightsStatement& each,
             std::initializer_list<std::pair<std::string_view, const std::string&>> others) {
    const std::string name = std::string(basis.prefix) + "Note";
    optional(name, each.note);
    for (const auto& [label, value] : others) {
      if (!value.empty()) xml_.text(name, std::string(label) + ": " + value);
    }
  }

  static bool has_document(const RightsStatement& each) {
    return !each.doc_id_type.empty() || !each.doc_id_value.empty() || !each.doc_id_role.empty();
  }

  void document(const Basis& basis, const RightsStatement& each) {
    if (!has_document(each)) return;
    const std::string prefix = std::string(basis.prefix) + "Documentation";
    xml_.open(prefix + "Identifier");
    xml_.text(prefix + "IdentifierType", known(each.doc_id_type));
    xml_.text(prefix + "IdentifierValue", known(each.doc_id_value));
    optional(prefix + "Role", each.doc_id_role);
    xml_.close();
  }

  void dates(const Basis& basis, const RightsStatement& each) {
    if (each.start_date.empty() && each.end_date.empty()) return;
    xml_.open(std::string(basis.prefix) + "ApplicableDates");
    start_and_end(each.start_date, each.end_date);
    xml_.close();
  }

  void start_and_end(const std::string& start, const std::string& end) {
    xml_.text("premis:startDate", known(start));
    optional("premis:endDate", end);
  }

  XmlWriter& xml_;
  const PackageInput& input_;
  const std::string representation_;
  const std::string grantor_;
};

}  // namespace

void write_rights(XmlWriter& xml,
                  const PackageInput& input,
                  std::string_view representation,
                  std::string_view grantor) {
  Writer(xml, input, representation, grantor).run();
}

}  // namespace versement::mets
