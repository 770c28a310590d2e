#include "mets/premis.hpp"

#include "mets/premis_rights.hpp"
#include "mets/xml.hpp"
#include "store/base/version.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kPremis = "http://www.loc.gov/premis/v3";
constexpr std::string_view kXsi = "http://www.w3.org/2001/XMLSchema-instance";
constexpr std::string_view kEventTypes = "http://id.loc.gov/vocabulary/preservation/eventType";
constexpr std::string_view kHashes =
    "http://id.loc.gov/vocabulary/preservation/cryptographicHashFunctions";

std::string urn(const Uuid& uuid) {
  return "urn:uuid:" + uuid.text();
}

std::string software_id() {
  return "versement/" + std::string(kVersion);
}

class Premis {
 public:
  Premis(const PackageInput& input, const Sink& sink) : input_(input), xml_(sink) {
    xml_.open("premis:premis",
              {{"xmlns:premis", kPremis},
               {"xmlns:xsi", kXsi},
               {"version", "3.0"},
               {"xsi:schemaLocation",
                "http://www.loc.gov/premis/v3 http://www.loc.gov/standards/premis/premis.xsd"}});
  }

  Result<void> finish() {
    xml_.close();
    return xml_.finish();
  }

  void identifier(std::string_view type, std::string_view value) {
    xml_.open("premis:objectIdentifier");
    xml_.text("premis:objectIdentifierType", type);
    xml_.text("premis:objectIdentifierValue", value);
    xml_.close();
  }

  void relation(std::string_view subtype, const std::string& value) {
    xml_.open("premis:relationship");
    xml_.text("premis:relationshipType", "structural");
    xml_.text("premis:relationshipSubType", subtype);
    xml_.open("premis:relatedObjectIdentifier");
    xml_.text("premis:relatedObjectIdentifierType", "URI");
    xml_.text("premis:relatedObjectIdentifierValue", value);
    xml_.close();
    xml_.close();
  }

  void entity(std::string_view representation) {
    xml_.open("premis:object", {{"xsi:type", "premis:intellectualEntity"}});
    identifier("URI", urn(entity_id()));
    identifier("local", input_.objid);
    for (const Identifier& each : input_.description.identifiers) {
      if (each.value != input_.objid) identifier(each.type, each.value);
    }
    relation("has part", urn(representation_id(representation)));
    xml_.close();
  }

  Result<void> representation(std::string_view name, const Payload& files) {
    xml_.open("premis:object", {{"xsi:type", "premis:representation"}});
    identifier("URI", urn(representation_id(name)));
    identifier("local", input_.objid);
    xml_.text("premis:originalName", input_.objid);
    auto listed = files.for_each([&](const PayloadFile& each) -> Result<void> {
      relation("has part", urn(file_id(name, each)));
      return {};
    });
    xml_.close();
    return listed;
  }

  void file(std::string_view representation, const PayloadFile& file) {
    xml_.open("premis:object", {{"xsi:type", "premis:file"}});
    identifier("URI", urn(file_id(representation, file)));
    xml_.open("premis:objectCharacteristics");
    xml_.open("premis:fixity");
    xml_.text("premis:messageDigestAlgorithm", "SHA-512",
              {{"authority", "cryptographicHashFunctions"},
               {"authorityURI", kHashes},
               {"valueURI", std::string(kHashes) + "/sha512"}});
    xml_.text("premis:messageDigest", file.sha512.hex());
    xml_.text("premis:messageDigestOriginator", "versement");
    xml_.close();
    xml_.text("premis:size", std::to_string(file.size_bytes));
    format(file.format);
    xml_.close();
    xml_.text("premis:originalName", file.original_name);
    xml_.close();
  }

  void event(std::string_view code,
             std::string_view name,
             std::string_view detail,
             const Uuid& object,
             std::string_view role) {
    event(code, name, detail, object, role, input_.created);
  }

  void event(std::string_view code,
             std::string_view name,
             std::string_view detail,
             const Uuid& object,
             std::string_view role,
             Timestamp time,
             std::string_view outcome = "success",
             std::string_view outcome_note = "") {
    xml_.open("premis:event");
    xml_.open("premis:eventIdentifier");
    xml_.text("premis:eventIdentifierType", "UUID");
    xml_.text(
        "premis:eventIdentifierValue",
        Uuid::of_name(uuid_space(), object.text() + " " + std::string(detail) + " " + time.text())
            .text());
    xml_.close();
    xml_.text("premis:eventType", name,
              {{"authority", "eventType"},
               {"authorityURI", kEventTypes},
               {"valueURI", std::string(kEventTypes) + "/" + std::string(code)}});
    xml_.text("premis:eventDateTime", time.text_seconds());
    xml_.open("premis:eventDetailInformation");
    xml_.text("premis:eventDetail", detail);
    xml_.close();
    xml_.open("premis:eventOutcomeInformation");
    xml_.text("premis:eventOutcome", outcome);
    if (!outcome_note.empty()) {
      xml_.open("premis:eventOutcomeDetail");
      xml_.text("premis:eventOutcomeDetailNote", outcome_note);
      xml_.close();
    }
    xml_.close();
    linking_agent(software_id(), "executing program");
    xml_.open("premis:linkingObjectIdentifier");
    xml_.text("premis:linkingObjectIdentifierType", "URI");
    xml_.text("premis:linkingObjectIdentifierValue", urn(object));
    xml_.text("premis:linkingObjectRole", role);
    xml_.close();
    xml_.close();
  }

  // One event for all of them: an item that is read every month has hundreds over the years. Its
  // outcome is a word of id.loc.gov/vocabulary/preservation/eventOutcome.
  void checks_before(const Uuid& object) {
    const FixityChecks& checks = input_.checks;
    const std::string detail =
        "Contrôles d'intégrité depuis la version précédente : " + std::to_string(checks.count) +
        ", du " + checks.first.text_seconds() + " au " + checks.last.text_seconds();
    const std::string note = checks.damaged == 0 ? ""
                                                 : "Contrôles ayant relevé un dommage : " +
                                                       std::to_string(checks.damaged);
    const std::string_view outcome = checks.damaged == 0   ? "success"
                                     : checks.last_damaged ? "fail"
                                                           : "warning";
    event("fix", "fixity check", detail, object, "source", checks.last, outcome, note);
  }

  void agents() {
    agent(software_id(), kProgramName, "software", kVersion);
    if (!input_.archivist.empty()) {
      agent(archivist_id(), input_.archivist.name, "organization", "");
    }
  }

  void rights(std::string_view representation) {
    write_rights(xml_, input_, representation,
                 input_.archivist.empty() ? std::string_view() : archivist_id());
  }

  Uuid entity_id() const { return file_uuid(input_.objid, ""); }
  Uuid representation_id(std::string_view name) const {
    return file_uuid(input_.objid, "representations/" + std::string(name));
  }

 private:
  // PREMIS wants an identifier of each agent; one that has none is known by its name.
  const std::string& archivist_id() const {
    return input_.archivist.id.empty() ? input_.archivist.name : input_.archivist.id;
  }
  Uuid file_id(std::string_view representation, const PayloadFile& file) const {
    return file_uuid(input_.objid,
                     "representations/" + std::string(representation) + "/data/" + file.path);
  }

  void format(const Format& format) {
    xml_.open("premis:format");
    xml_.open("premis:formatDesignation");
    xml_.text("premis:formatName", format.name.empty() ? format.media_type : format.name);
    if (!format.version.empty()) xml_.text("premis:formatVersion", format.version);
    xml_.close();
    if (!format.puid.empty()) {
      xml_.open("premis:formatRegistry");
      xml_.text("premis:formatRegistryName", "PRONOM");
      xml_.text("premis:formatRegistryKey", format.puid);
      xml_.close();
    }
    xml_.close();
  }

  void agent(std::string_view id,
             std::string_view name,
             std::string_view type,
             std::string_view version) {
    xml_.open("premis:agent");
    xml_.open("premis:agentIdentifier");
    xml_.text("premis:agentIdentifierType", "local");
    xml_.text("premis:agentIdentifierValue", id);
    xml_.close();
    xml_.text("premis:agentName", name);
    xml_.text("premis:agentType", type);
    if (!version.empty()) xml_.text("premis:agentVersion", version);
    xml_.close();
  }

  void linking_agent(std::string_view id, std::string_view role) {
    xml_.open("premis:linkingAgentIdentifier");
    xml_.text("premis:linkingAgentIdentifierType", "local");
    xml_.text("premis:linkingAgentIdentifierValue", id);
    xml_.text("premis:linkingAgentRole", role);
    xml_.close();
  }

  const PackageInput& input_;
  XmlWriter xml_;
};

class DublinCore {
 public:
  DublinCore() {
    xml_.open("oai_dc:dc", {{"xmlns:oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc/"},
                            {"xmlns:dc", "http://purl.org/dc/elements/1.1/"},
                            {"xmlns:xsi", kXsi},
                            {"xsi:schemaLocation",
                             "http://www.openarchives.org/OAI/2.0/oai_dc/ "
                             "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"}});
  }
  void plain(std::string_view name, std::string_view value) {
    if (!value.empty()) xml_.text("dc:" + std::string(name), value);
  }
  void localized(std::string_view name, const Localized& text, std::string_view prefix = "") {
    for (const auto& [language, value] : in_order(text)) {
      if (!value.empty()) {
        xml_.text("dc:" + std::string(name), std::string(prefix) + value, {{"xml:lang", language}});
      }
    }
  }
  std::string take() {
    xml_.close();
    return xml_.take();
  }

 private:
  XmlWriter xml_;
};

std::string original_text(const Original& original) {
  std::string text;
  const auto add = [&](std::string_view label, const std::string& value) {
    if (value.empty()) return;
    if (!text.empty()) text += ", ";
    text += std::string(label) + " " + value;
  };
  add("cote", original.shelfmark);
  add("boîte", original.box);
  add("importance matérielle :", original.extent);
  return text;
}

}  // namespace

std::string render_dc(const PackageInput& input) {
  const Description& d = input.description;
  DublinCore dc;
  dc.localized("title", d.title);
  for (const std::string& creator : d.creators)
    dc.plain("creator", creator);
  for (const Localized& subject : d.subjects)
    dc.localized("subject", subject);
  dc.localized("description", d.description);
  dc.localized("publisher", d.rights.owner);
  dc.plain("date", d.date);
  dc.plain("type", d.type);
  dc.localized("type", d.genre.empty() ? Localized() : Localized{{"fr", d.genre}});
  dc.plain("format", d.format);
  dc.plain("identifier", input.objid);
  for (const Identifier& each : d.identifiers) {
    if (each.value != input.objid) dc.plain("identifier", each.value);
  }
  dc.localized("source", d.source);
  if (!input.original.empty()) {
    dc.localized("source", Localized{{"fr", "Original : " + original_text(input.original)}});
  }
  for (const std::string& language : d.languages)
    dc.plain("language", language);
  for (const Localized& place : d.places)
    dc.localized("coverage", place);
  for (const std::string& relation : d.relations)
    dc.plain("relation", relation);
  for (const std::string& part : input.parts)
    dc.plain("relation", "hasPart: " + part);
  dc.localized("rights", d.rights.conditions);
  for (const auto& [language, text] : d.rights.credit_line) {
    dc.localized("rights", Localized{{language, text}},
                 language == "fr" ? "Crédit : " : "Credit: ");
  }
  return dc.take();
}

Result<void> render_package_premis(const PackageInput& input,
                                   std::string_view representation,
                                   const Sink& sink) {
  Premis premis(input, sink);
  premis.entity(representation);
  for (const Timestamp& earlier : input.earlier) {
    premis.event("ipc", "information package creation",
                 "Constitution d'une version antérieure du paquet", premis.entity_id(), "outcome",
                 earlier);
  }
  premis.event("ipc", "information package creation", "Constitution du paquet de l'élément",
               premis.entity_id(), "outcome");
  premis.agents();
  return premis.finish();
}

Result<void> render_representation_premis(const PackageInput& input,
                                          std::string_view representation,
                                          const Payload& files,
                                          const Sink& sink) {
  Premis premis(input, sink);
  auto rendered = premis.representation(representation, files);
  bool supplied = files.count > 0;
  if (rendered) {
    rendered = files.for_each([&](const PayloadFile& file) -> Result<void> {
      premis.file(representation, file);
      supplied = supplied && file.digest_supplied;
      return {};
    });
  }
  // One event for the representation, not one for each file: METS and PREMIS stay readable at any
  // number of files. The journal has the rest.
  const Uuid object = premis.representation_id(representation);
  if (input.checks.count > 0) premis.checks_before(object);
  if (!input.received.empty()) {
    premis.event("val", "validation", input.received, object, "source");
  }
  premis.event("ing", "ingestion", "Dépôt dans le magasin à empreintes vérifiées", object,
               "source");
  premis.event("mes", "message digest calculation",
               "Empreintes SHA-512 et SHA-256 calculées à la réception", object, "source");
  if (supplied) {
    premis.event("fix", "fixity check",
                 "Empreintes fournies par le déposant comparées à la réception", object, "source");
  }
  if (input.read_back) {
    premis.event("fix", "fixity check",
                 "Octets relus sur le support après écriture et comparés aux empreintes", object,
                 "source");
  }
  premis.agents();
  premis.rights(representation);
  auto written = premis.finish();
  return rendered ? written : rendered;
}

}  // namespace versement::mets
