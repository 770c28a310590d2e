#include "mets/package.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "mets/premis.hpp"
#include "mets/xml.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kProfile = "https://earkdip.dilcis.eu/profile/E-ARK-AIP-v2-2-0.xml";
constexpr std::string_view kSchemaLocation =
    "http://www.loc.gov/METS/ http://www.loc.gov/standards/mets/mets.xsd "
    "http://www.w3.org/1999/xlink http://www.loc.gov/standards/xlink/xlink.xsd "
    "https://DILCIS.eu/XML/METS/CSIPExtensionMETS "
    "https://earkcsip.dilcis.eu/schema/DILCISExtensionMETS.xsd";

struct Namespace {
  std::string_view name, uri, schema, version;
};
constexpr std::array<Namespace, 6> kNamespaces{{
    {"METS", "http://www.loc.gov/METS/", "http://www.loc.gov/standards/mets/mets.xsd", "1.12.1"},
    {"PREMIS", "http://www.loc.gov/premis/v3", "http://www.loc.gov/standards/premis/premis.xsd",
     "3.0"},
    {"oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc/",
     "http://www.openarchives.org/OAI/2.0/oai_dc.xsd", "2.0"},
    {"Dublin Core", "http://purl.org/dc/elements/1.1/",
     "http://dublincore.org/schemas/xmls/simpledc20021212.xsd", "1.1"},
    {"xlink", "http://www.w3.org/1999/xlink", "http://www.loc.gov/standards/xlink/xlink.xsd",
     "1.1"},
    {"CSIP", "https://DILCIS.eu/XML/METS/CSIPExtensionMETS",
     "https://earkcsip.dilcis.eu/schema/DILCISExtensionMETS.xsd", "2.2.0"},
}};

// A file that a METS names.
struct Named {
  std::string path;  // relative to the METS
  std::string media_type;
  std::uint64_t size_bytes = 0;
  Digest sha512;
};

Named named(const std::string& path, const GeneratedFile& file) {
  return {.path = path,
          .media_type = file.media_type,
          .size_bytes = file.bytes.size(),
          .sha512 = digest_of(Algorithm::sha512, file.bytes)};
}

std::string href(std::string_view path) {
  return percent_encode(path, "-._~/");
}

// One METS file of the package.
class Mets {
 public:
  Mets(const PackageInput& input, std::string_view objid, std::string_view content_information)
      : input_(input), objid_(objid), created_(input.created.text_seconds()) {
    const Category category = category_of(input.description, !input.files.empty());
    const bool root = content_information.empty();
    xml_.open("mets:mets", {{"xmlns:mets", "http://www.loc.gov/METS/"},
                            {"xmlns:xlink", "http://www.w3.org/1999/xlink"},
                            {"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"},
                            {"xmlns:csip", "https://DILCIS.eu/XML/METS/CSIPExtensionMETS"},
                            {"OBJID", objid},
                            {"LABEL", any_of(input.description.title)},
                            {"TYPE", category.mets_type},
                            {"csip:CONTENTINFORMATIONTYPE", root ? "MIXED" : "OTHER"},
                            {"csip:OTHERCONTENTINFORMATIONTYPE", content_information},
                            {"PROFILE", kProfile},
                            {"xsi:schemaLocation", kSchemaLocation}});
    header();
  }

  std::string take() {
    xml_.close();
    return xml_.take();
  }

  void header() {
    const bool first = input_.earlier.empty();
    xml_.open("mets:metsHdr",
              {{"CREATEDATE", first ? created_ : input_.earlier.front().text_seconds()},
               {"LASTMODDATE", created_},
               {"RECORDSTATUS", first ? "NEW" : "REPLACEMENT"},
               {"csip:OAISPACKAGETYPE", "AIP"}});
    xml_.open("mets:agent", {{"ROLE", "CREATOR"}, {"TYPE", "OTHER"}, {"OTHERTYPE", "SOFTWARE"}});
    xml_.text("mets:name", kProgramName);
    xml_.text("mets:note", kVersion, {{"csip:NOTETYPE", "SOFTWARE VERSION"}});
    xml_.close();
    if (!input_.archivist.empty()) {
      xml_.open("mets:agent", {{"ROLE", "ARCHIVIST"}, {"TYPE", "ORGANIZATION"}});
      xml_.text("mets:name", input_.archivist.name);
      if (!input_.archivist.id.empty()) {
        xml_.text("mets:note", input_.archivist.id, {{"csip:NOTETYPE", "IDENTIFICATIONCODE"}});
      }
      xml_.close();
    }
    xml_.close();
  }

  void descriptive(const Named& dc) {
    xml_.open("mets:dmdSec", {{"ID", "dmd-dc"}, {"CREATED", created_}, {"STATUS", "CURRENT"}});
    md_ref("dmd-dc-ref", dc, "DC", "1.1", "");
    xml_.close();
  }

  void administrative(const Named& premis, bool rights) {
    xml_.open("mets:amdSec", {{"ID", "amd"}});
    if (rights) {
      xml_.open("mets:rightsMD",
                {{"ID", "rights-premis"}, {"CREATED", created_}, {"STATUS", "CURRENT"}});
      md_ref("", premis, "PREMIS", "3.0", "xpointer(/premis:premis/premis:rights)");
      xml_.close();
    }
    xml_.open("mets:digiprovMD",
              {{"ID", "digiprov-premis"}, {"CREATED", created_}, {"STATUS", "CURRENT"}});
    md_ref("", premis, "PREMIS", "3.0", "");
    xml_.close();
    xml_.close();
  }

  void open_files() { xml_.open("mets:fileSec", {{"ID", "filesec"}}); }
  void close_files() { xml_.close(); }

  void open_group(std::string_view id, std::string_view use, std::string_view content_information) {
    xml_.open("mets:fileGrp", {{"ID", id},
                               {"USE", use},
                               {"csip:CONTENTINFORMATIONTYPE", "OTHER"},
                               {"csip:OTHERCONTENTINFORMATIONTYPE", content_information}});
  }
  void close_group() { xml_.close(); }

  // `salt` keeps apart the ids of a file that two groups name.
  void file(const Named& file,
            std::string_view salt,
            std::string_view admid = "",
            std::string_view dmdid = "") {
    const Uuid id =
        file_uuid(input_.objid, std::string(objid_) + " " + file.path + std::string(salt));
    xml_.open("mets:file", {{"ID", "ID-" + id.text()},
                            {"MIMETYPE", file.media_type},
                            {"SIZE", std::to_string(file.size_bytes)},
                            {"CREATED", created_},
                            {"CHECKSUM", file.sha512.hex()},
                            {"CHECKSUMTYPE", "SHA-512"},
                            {"ADMID", admid},
                            {"DMDID", dmdid}});
    xml_.empty("mets:FLocat",
               {{"LOCTYPE", "URL"}, {"xlink:type", "simple"}, {"xlink:href", href(file.path)}});
    xml_.close();
  }

  void open_structure(std::string_view admid) {
    xml_.open("mets:structMap",
              {{"ID", "structmap-csip"}, {"TYPE", "PHYSICAL"}, {"LABEL", "CSIP"}});
    xml_.open("mets:div", {{"ID", "div-root"}, {"LABEL", objid_}});
    xml_.empty(
        "mets:div",
        {{"ID", "div-metadata"}, {"LABEL", "Metadata"}, {"DMDID", "dmd-dc"}, {"ADMID", admid}});
  }
  void close_structure() {
    xml_.close();
    xml_.close();
  }

  void group_div(std::string_view id, std::string_view label, std::string_view group) {
    xml_.open("mets:div", {{"ID", id}, {"LABEL", label}});
    xml_.empty("mets:fptr", {{"FILEID", group}});
    xml_.close();
  }

  void representation_div(std::string_view id, std::string_view name, std::string_view order) {
    xml_.open("mets:div", {{"ID", id},
                           {"LABEL", "Representations/" + std::string(name)},
                           {"ORDER", order},
                           {"ORDERLABEL", order.empty() ? "" : name}});
    xml_.empty("mets:mptr",
               {{"LOCTYPE", "URL"},
                {"xlink:type", "simple"},
                {"xlink:title", "grp-rep-" + std::string(name)},
                {"xlink:href", href("representations/" + std::string(name) + "/METS.xml")}});
    xml_.close();
  }

  // The representations twice: as CSIP 2.2.0 says, and as its readers look for them.
  void representations_div(std::string_view name) {
    xml_.open("mets:div", {{"ID", "div-representations"}, {"LABEL", "Representations"}});
    xml_.empty("mets:fptr", {{"FILEID", "grp-representations"}});
    representation_div("div-item-" + std::string(name), name, "1");
    xml_.close();
    representation_div("div-rep-" + std::string(name), name, "");
  }

 private:
  void md_ref(std::string_view id,
              const Named& file,
              std::string_view type,
              std::string_view version,
              std::string_view xptr) {
    xml_.empty("mets:mdRef", {{"ID", id},
                              {"LOCTYPE", "URL"},
                              {"xlink:type", "simple"},
                              {"xlink:href", href(file.path)},
                              {"MDTYPE", type},
                              {"MDTYPEVERSION", version},
                              {"MIMETYPE", file.media_type},
                              {"SIZE", std::to_string(file.size_bytes)},
                              {"CREATED", created_},
                              {"CHECKSUM", file.sha512.hex()},
                              {"CHECKSUMTYPE", "SHA-512"},
                              {"XPTR", xptr}});
  }

  const PackageInput& input_;
  const std::string objid_;
  const std::string created_;
  XmlWriter xml_;
};

// What the package says of its schemas: names, addresses, versions. The schemas themselves are not
// in it; 200 kB in every item would be 20 GB in an archive of 100 000.
std::string render_catalog() {
  XmlWriter xml;
  xml.open("catalog", {{"xmlns", "urn:oasis:names:tc:entity:xmlns:xml:catalog"}});
  for (const Namespace& each : kNamespaces) {
    xml.comment(std::string(each.name) + " " + std::string(each.version));
    xml.empty("uri", {{"name", each.uri}, {"uri", each.schema}});
  }
  xml.close();
  return xml.take();
}

// Further lines of a text keep its place below the heading.
std::string indented(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '\r') continue;
    out += c;
    if (c == '\n') out += "       ";
  }
  return out;
}

std::string_view reproduction_text(const Rights& rights) {
  const std::string_view reproduction = rights.reproduction;
  if (reproduction == "allowed") return "autorisée / allowed";
  if (reproduction == "allowed_with_credit") {
    return "autorisée avec la mention obligatoire / allowed with the mandatory credit";
  }
  if (reproduction == "restricted") return "soumise à autorisation / needs permission";
  if (!rights.conditions.empty()) return "voir les conditions / see the conditions";
  return "non renseignée : demander au propriétaire / not said: ask the owner";
}

// What a person must know before he uses the item; what is not known is said.
std::string render_readme(const PackageInput& input) {
  const Description& d = input.description;
  std::string text;
  const auto section = [&](const std::string& heading, const Localized& values) {
    text += heading + "\n";
    for (const auto& [language, value] : in_order(values)) {
      text += "  [" + language + "] " + indented(value) + "\n";
    }
    if (values.empty()) text += "  non renseigné / not said\n";
    text += "\n";
  };
  text += input.objid + "\n\n";
  section("Titre / Title", d.title);
  section("Conditions", d.rights.conditions);
  text += "Reproduction\n  " + std::string(reproduction_text(d.rights)) + "\n\n";
  section("Crédit obligatoire / Mandatory credit", d.rights.credit_line);
  section("Propriétaire / Owner", d.rights.owner);
  if (!d.rights.statements.empty()) {
    text +=
        "D'autres droits sont décrits dans le PREMIS de la représentation.\n"
        "Further rights are described in the PREMIS of the representation.\n\n";
  }
  text +=
      "Ce paquet suit le profil E-ARK CSIP 2.2.0. METS.xml en est l'entrée ; il renvoie au "
      "METS.xml "
      "de la représentation, qui porte l'empreinte SHA-512 de chaque fichier.\n"
      "This package follows the E-ARK CSIP 2.2.0 profile. Begin with METS.xml; it points to the "
      "METS.xml of the representation, which holds the SHA-512 digest of every file.\n";
  return text;
}

// Stands for the bytes of an item that has none: what it is and where the original lies.
std::string render_notice(const PackageInput& input) {
  std::string text = "Notice d'un élément sans fichier / Record of an item without files\n\n";
  const auto line = [&](std::string_view label, const std::string& value) {
    if (!value.empty()) text += std::string(label) + " : " + value + "\n";
  };
  line("Identifiant / Identifier", input.objid);
  for (const auto& [language, value] : in_order(input.description.title)) {
    line("Titre / Title [" + language + "]", value);
  }
  line("Date", input.description.date);
  line("Cote / Shelfmark", input.original.shelfmark);
  line("Boîte / Box", input.original.box);
  line("Importance matérielle / Extent", input.original.extent);
  for (const std::string& part : input.parts)
    line("Comprend / Has part", part);
  return text;
}

GeneratedFile xml_file(std::string path, std::string bytes) {
  return {std::move(path), std::move(bytes), "application/xml", "metadata"};
}

GeneratedFile text_file(std::string path, std::string bytes, std::string role) {
  return {std::move(path), std::move(bytes), "text/plain", std::move(role)};
}

std::string render_representation_mets(const PackageInput& input,
                                       std::string_view name,
                                       std::string_view content_information,
                                       const Named& dc,
                                       const Named& premis,
                                       const std::vector<PayloadFile>& files) {
  Mets mets(input, name, content_information);
  mets.descriptive(dc);
  mets.administrative(premis, true);
  mets.open_files();
  mets.open_group("grp-data", "Data", content_information);
  for (const PayloadFile& file : files) {
    mets.file({.path = "data/" + file.path,
               .media_type = file.format.media_type,
               .size_bytes = file.size_bytes,
               .sha512 = file.sha512},
              "", "digiprov-premis rights-premis", "dmd-dc");
  }
  mets.close_group();
  mets.close_files();
  mets.open_structure("digiprov-premis rights-premis");
  mets.group_div("div-data", "Data", "grp-data");
  mets.close_structure();
  return mets.take();
}

std::string render_package_mets(const PackageInput& input,
                                std::string_view name,
                                std::string_view content_information,
                                const Named& dc,
                                const Named& premis,
                                const Named& readme,
                                const Named& catalog,
                                const Named& representation) {
  Mets mets(input, input.objid, "");
  mets.descriptive(dc);
  mets.administrative(premis, false);
  mets.open_files();
  mets.open_group("grp-documentation", "Documentation", "documentation");
  mets.file(readme, "");
  for (const DocumentFile& file : input.documentation) {
    mets.file({.path = documentation_folder() + file.path,
               .media_type = file.media_type,
               .size_bytes = file.size_bytes,
               .sha512 = file.sha512},
              "");
  }
  mets.close_group();
  mets.open_group("grp-schemas", "Schemas", "schemas");
  mets.file(catalog, "");
  mets.close_group();
  mets.open_group("grp-representations", "Representations", "representation-mets");
  mets.file(representation, " group");
  mets.close_group();
  mets.open_group("grp-rep-" + std::string(name), "Representations/" + std::string(name),
                  content_information);
  mets.file(representation, "");
  mets.close_group();
  mets.close_files();
  mets.open_structure("digiprov-premis");
  mets.group_div("div-documentation", "Documentation", "grp-documentation");
  mets.group_div("div-schemas", "Schemas", "grp-schemas");
  mets.representations_div(name);
  mets.close_structure();
  return mets.take();
}

}  // namespace

Uuid file_uuid(std::string_view objid, std::string_view path) {
  return Uuid::of_name(uuid_space(), std::string(objid) + "/" + std::string(path));
}

std::string payload_folder() {
  return "representations/" + std::string(kRepresentation) + "/data/";
}

std::string documentation_folder() {
  return "documentation/";
}

std::vector<GeneratedFile> render_package(const PackageInput& input) {
  const Category category = category_of(input.description, !input.files.empty());
  const std::string name(input.files.empty() ? kNotice : kRepresentation);
  const std::string folder = "representations/" + name + "/";
  std::vector<GeneratedFile> out;

  // An item without files has a notice for its one file: no judge accepts a package without data.
  std::vector<PayloadFile> files = input.files;
  if (files.empty()) {
    out.push_back(text_file(folder + "data/notice.txt", render_notice(input), "documentation"));
    files.push_back({.path = "notice.txt",
                     .size_bytes = out.back().bytes.size(),
                     .sha512 = digest_of(Algorithm::sha512, out.back().bytes),
                     .format = {.media_type = "text/plain",
                                .name = "Plain Text File",
                                .version = "",
                                .puid = "x-fmt/111"},
                     .original_name = "notice.txt"});
  }

  const GeneratedFile dc = xml_file("metadata/descriptive/dc.xml", render_dc(input));
  const GeneratedFile inner_premis = xml_file(folder + "metadata/preservation/premis.xml",
                                              render_representation_premis(input, name, files));
  const GeneratedFile inner_mets = xml_file(
      folder + "METS.xml",
      render_representation_mets(input, name, category.content_information,
                                 named("metadata/descriptive/dc.xml", dc),
                                 named("metadata/preservation/premis.xml", inner_premis), files));
  const GeneratedFile premis =
      xml_file("metadata/preservation/premis.xml", render_package_premis(input, name));
  const GeneratedFile readme =
      text_file(documentation_folder() + "LISEZ-MOI.txt", render_readme(input), "documentation");
  GeneratedFile catalog = xml_file("schemas/catalog.xml", render_catalog());
  catalog.role = "schema";
  GeneratedFile mets = xml_file(
      "METS.xml",
      render_package_mets(input, name, category.content_information, named(dc.path, dc),
                          named(premis.path, premis), named(readme.path, readme),
                          named(catalog.path, catalog), named(inner_mets.path, inner_mets)));
  out.push_back(xml_file(folder + "metadata/descriptive/dc.xml", dc.bytes));
  out.insert(out.end(), {dc, inner_premis, inner_mets, premis, readme, catalog, std::move(mets)});
  return out;
}

namespace {

// Reads one METS and checks each reference.
class Checker {
 public:
  Checker(const std::vector<GeneratedFile>& generated, const Lookup& held) : held_(held) {
    for (const GeneratedFile& file : generated)
      generated_[file.path] = &file;
  }

  Result<void> mets(const std::string& path) {
    const auto found = generated_.find(path);
    if (found == generated_.end()) return wrong(path, "is not there");
    auto document = XmlDocument::parse(found->second->bytes);
    if (!document) return std::move(document).error().during(path);
    const std::size_t slash = path.rfind('/');
    folder_ = slash == std::string::npos ? "" : path.substr(0, slash + 1);
    ids_.clear();
    return element(document->root());
  }

  const std::set<std::string>& named() const { return named_; }

 private:
  static Error wrong(const std::string& path, const std::string& what) {
    return Error(Code::invalid, path + " " + what).as("mets-reference");
  }

  // Our own METS is at most six levels deep; the parser has bounded a stranger's.
  Result<void> element(const XmlElement& at) {
    const std::string id(at.attribute("ID"));
    if (!id.empty() && !ids_.insert(id).second) {
      return Error(Code::invalid, "the ID '" + id + "' stands twice").as("mets-id");
    }
    if (at.name() == "mets:mdRef") TRY(reference(at, at));
    Result<void> inner;
    at.for_each_child([&](const XmlElement& child) {
      if (!inner) return;
      if (at.name() == "mets:file" && child.name() == "mets:FLocat") inner = reference(at, child);
      if (inner) inner = element(child);
    });
    return inner;
  }

  Result<void> reference(const XmlElement& facts, const XmlElement& place) {
    TRY_SET(const std::string path, percent_decode(place.attribute("xlink:href")));
    const std::string whole = folder_ + path;
    const auto held = held_(whole);
    if (!held) return wrong(whole, "is named in METS and not there");
    if (std::to_string(held->size_bytes) != facts.attribute("SIZE")) {
      return wrong(whole, "has another size than METS says");
    }
    if (held->sha512.hex() != facts.attribute("CHECKSUM")) {
      return wrong(whole, "has another digest than METS says");
    }
    named_.insert(whole);
    return {};
  }

  const Lookup& held_;
  std::map<std::string, const GeneratedFile*> generated_;
  std::string folder_;
  std::set<std::string> ids_;
  std::set<std::string> named_;
};

}  // namespace

Result<void> check_package(const std::vector<GeneratedFile>& generated,
                           std::size_t deposited_count,
                           const Lookup& held) {
  Checker checker(generated, held);
  std::string inner;
  for (const GeneratedFile& file : generated) {
    if (file.path.ends_with("/METS.xml")) inner = file.path;
  }
  TRY(checker.mets("METS.xml"));
  TRY(checker.mets(inner));
  // Everything is named by one of the two, but the package's METS itself.
  const std::size_t wanted = generated.size() - 1 + deposited_count;
  if (checker.named().size() == wanted) return {};
  return Error(Code::invalid, "the METS files name " + std::to_string(checker.named().size()) +
                                  " files, but the package has " + std::to_string(wanted))
      .as("mets-incomplete");
}

std::string render_transfer_mets(std::string_view objid,
                                 std::string_view label,
                                 Timestamp created,
                                 const Organisation& archivist,
                                 const Organisation& preservation,
                                 const std::vector<TransferEntry>& entries) {
  XmlWriter xml;
  xml.open("mets:mets", {{"xmlns:mets", "http://www.loc.gov/METS/"},
                         {"xmlns:xlink", "http://www.w3.org/1999/xlink"},
                         {"xmlns:xsi", "http://www.w3.org/2001/XMLSchema-instance"},
                         {"OBJID", objid},
                         {"LABEL", label},
                         {"TYPE", "Mixed"},
                         {"xsi:schemaLocation",
                          "http://www.loc.gov/METS/ http://www.loc.gov/standards/mets/mets.xsd "
                          "http://www.w3.org/1999/xlink "
                          "http://www.loc.gov/standards/xlink/xlink.xsd"}});
  xml.open("mets:metsHdr", {{"CREATEDATE", created.text_seconds()}, {"RECORDSTATUS", "NEW"}});
  const auto agent = [&](std::string_view role, std::string_view type, std::string_view other,
                         std::string_view name) {
    if (name.empty()) return;
    xml.open("mets:agent", {{"ROLE", role}, {"TYPE", type}, {"OTHERTYPE", other}});
    xml.text("mets:name", name);
    xml.close();
  };
  agent("CREATOR", "OTHER", "SOFTWARE", std::string(kProgramName) + " " + kVersion);
  agent("ARCHIVIST", "ORGANIZATION", "", archivist.name);
  agent("PRESERVATION", "ORGANIZATION", "", preservation.name);
  xml.close();
  xml.open("mets:fileSec");
  xml.open("mets:fileGrp", {{"USE", "Packages"}});
  for (const TransferEntry& entry : entries) {
    xml.open("mets:file", {{"ID", "ID-" + file_uuid(objid, entry.slug).text()},
                           {"MIMETYPE", "application/xml"},
                           {"SIZE", std::to_string(entry.mets_size_bytes)},
                           {"CHECKSUM", entry.mets_sha512.hex()},
                           {"CHECKSUMTYPE", "SHA-512"}});
    xml.empty("mets:FLocat", {{"LOCTYPE", "URL"},
                              {"xlink:type", "simple"},
                              {"xlink:href", href(entry.slug + "/METS.xml")}});
    xml.close();
  }
  xml.close();
  xml.close();
  xml.open("mets:structMap", {{"TYPE", "PHYSICAL"}});
  xml.open("mets:div", {{"LABEL", label}});
  std::size_t order = 0;
  for (const TransferEntry& entry : entries) {
    xml.open("mets:div", {{"LABEL", entry.label}, {"ORDER", std::to_string(++order)}});
    xml.empty("mets:mptr", {{"LOCTYPE", "URL"},
                            {"xlink:type", "simple"},
                            {"xlink:title", entry.slug},
                            {"xlink:href", href(entry.slug + "/METS.xml")}});
    xml.close();
  }
  xml.close();
  xml.close();
  xml.close();
  return xml.take();
}

}  // namespace versement::mets
