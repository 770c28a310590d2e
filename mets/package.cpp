#include "mets/package.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "mets/premis.hpp"
#include "mets/xml.hpp"
#include "mets/xml_scan.hpp"
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

constexpr std::string_view kXml = "application/xml";
constexpr std::string_view kPlain = "text/plain";

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

Named named(const std::string& path, std::string_view media_type, const Held& held) {
  return {.path = path,
          .media_type = std::string(media_type),
          .size_bytes = held.size_bytes,
          .sha512 = held.sha512};
}

std::string href(std::string_view path) {
  return percent_encode(path, "-._~/");
}

// One METS file of the package.
class Mets {
 public:
  Mets(const PackageInput& input,
       std::string_view objid,
       std::string_view content_information,
       const Sink& sink)
      : input_(input), objid_(objid), created_(input.created.text_seconds()), xml_(sink) {
    const Category category = category_of(input.description, input.files.count > 0);
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

  Result<void> finish() {
    xml_.close();
    return xml_.finish();
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

Result<void> render_representation_mets(const PackageInput& input,
                                        std::string_view name,
                                        std::string_view content_information,
                                        const Named& dc,
                                        const Named& premis,
                                        const Payload& files,
                                        const Sink& sink) {
  Mets mets(input, name, content_information, sink);
  mets.descriptive(dc);
  mets.administrative(premis, true);
  mets.open_files();
  mets.open_group("grp-data", "Data", content_information);
  auto listed = files.for_each([&](const PayloadFile& file) -> Result<void> {
    mets.file({.path = "data/" + file.path,
               .media_type = file.format.media_type,
               .size_bytes = file.size_bytes,
               .sha512 = file.sha512},
              "", "digiprov-premis rights-premis", "dmd-dc");
    return {};
  });
  mets.close_group();
  mets.close_files();
  mets.open_structure("digiprov-premis rights-premis");
  mets.group_div("div-data", "Data", "grp-data");
  mets.close_structure();
  auto written = mets.finish();
  return listed ? written : listed;
}

Result<void> render_package_mets(const PackageInput& input,
                                 std::string_view name,
                                 std::string_view content_information,
                                 const Named& dc,
                                 const Named& premis,
                                 const Named& readme,
                                 const Named& catalog,
                                 const Named& representation,
                                 const Sink& sink) {
  Mets mets(input, input.objid, "", sink);
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
  return mets.finish();
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

Payload payload_of(std::vector<PayloadFile> files) {
  const std::size_t count = files.size();
  return {.count = count,
          .for_each = [files = std::move(files)](const Payload::Each& each) -> Result<void> {
            for (const PayloadFile& file : files)
              TRY(each(file));
            return {};
          }};
}

Result<void> render_package(const PackageInput& input, const Keep& keep) {
  const Category category = category_of(input.description, input.files.count > 0);
  const std::string name(input.files.count == 0 ? kNotice : kRepresentation);
  const std::string folder = "representations/" + name + "/";
  const auto keep_text = [&](const std::string& path, std::string_view media_type,
                             std::string_view role, const std::string& text) {
    return keep({path, std::string(media_type), std::string(role)},
                [&](const Sink& sink) { return sink(text); });
  };
  const auto keep_xml = [&](const std::string& path, const Produce& bytes) {
    return keep({path, std::string(kXml), "metadata"}, bytes);
  };

  // An item without files has a notice for its one file: no judge accepts a package without data.
  Payload files = input.files;
  if (files.count == 0) {
    TRY_SET(const Held notice,
            keep_text(folder + "data/notice.txt", kPlain, "documentation", render_notice(input)));
    files = payload_of({{.path = "notice.txt",
                         .size_bytes = notice.size_bytes,
                         .sha512 = notice.sha512,
                         .format = {.media_type = std::string(kPlain),
                                    .name = "Plain Text File",
                                    .version = "",
                                    .puid = "x-fmt/111"},
                         .original_name = "notice.txt"}});
  }

  const std::string dc_path = "metadata/descriptive/dc.xml";
  const std::string premis_path = "metadata/preservation/premis.xml";
  const std::string readme_path = documentation_folder() + "LISEZ-MOI.txt";
  const std::string catalog_path = "schemas/catalog.xml";
  const std::string dc_text = render_dc(input);
  TRY(keep_text(folder + dc_path, kXml, "metadata", dc_text));
  TRY_SET(const Held dc, keep_text(dc_path, kXml, "metadata", dc_text));
  TRY_SET(const Held inner_premis, keep_xml(folder + premis_path, [&](const Sink& sink) {
            return render_representation_premis(input, name, files, sink);
          }));
  TRY_SET(const Held inner_mets, keep_xml(folder + "METS.xml", [&](const Sink& sink) {
            return render_representation_mets(input, name, category.content_information,
                                              named(dc_path, kXml, dc),
                                              named(premis_path, kXml, inner_premis), files, sink);
          }));
  TRY_SET(const Held premis, keep_xml(premis_path, [&](const Sink& sink) {
            return render_package_premis(input, name, sink);
          }));
  TRY_SET(const Held readme, keep_text(readme_path, kPlain, "documentation", render_readme(input)));
  TRY_SET(const Held catalog, keep_text(catalog_path, kXml, "schema", render_catalog()));
  TRY(keep_xml("METS.xml", [&](const Sink& sink) {
    return render_package_mets(input, name, category.content_information, named(dc_path, kXml, dc),
                               named(premis_path, kXml, premis), named(readme_path, kPlain, readme),
                               named(catalog_path, kXml, catalog),
                               named(folder + "METS.xml", kXml, inner_mets), sink);
  }));
  return {};
}

// ---------------------------------------------------------------------------- the second reader

namespace {

Error wrong(const std::string& path, const std::string& what) {
  return Error(Code::invalid, path + " " + what).as("mets-reference");
}

}  // namespace

struct PackageCheck::State {
  Lookup lookup;
  std::vector<bool> named;  // by number
  std::size_t named_count = 0;

  Result<void> reference(const std::string& path, const XmlTag& facts) {
    const auto found = lookup(path);
    if (!found) return wrong(path, "is named in METS and not there");
    if (std::to_string(found->held.size_bytes) != facts.attribute("SIZE")) {
      return wrong(path, "has another size than METS says");
    }
    if (found->held.sha512.hex() != facts.attribute("CHECKSUM")) {
      return wrong(path, "has another digest than METS says");
    }
    if (found->number >= named.size()) named.resize(found->number + 1);
    if (!named[found->number]) ++named_count;
    named[found->number] = true;
    return {};
  }
};

namespace {

// Reads one METS and checks each reference.
class MetsReader : public XmlEvents {
 public:
  using Reference = std::function<Result<void>(const std::string& path, const XmlTag& facts)>;
  MetsReader(std::string folder, Reference reference)
      : folder_(std::move(folder)), reference_(std::move(reference)) {}

  Result<void> open(const XmlTag& tag) override {
    const std::string id(tag.attribute("ID"));
    if (!id.empty() && !ids_.insert(id).second) {
      return Error(Code::invalid, "the ID '" + id + "' stands twice").as("mets-id");
    }
    if (tag.name() == "mets:mdRef") TRY(referred(tag, tag));
    if (tag.name() == "mets:file") file_ = tag;
    if (tag.name() == "mets:FLocat") TRY(referred(tag, file_));
    return {};
  }
  Result<void> text(std::string_view /*text*/) override { return {}; }
  Result<void> close(std::string_view /*name*/) override { return {}; }

 private:
  Result<void> referred(const XmlTag& place, const XmlTag& facts) {
    TRY_SET(const std::string path, percent_decode(place.attribute("xlink:href")));
    return reference_(folder_ + path, facts);
  }

  const std::string folder_;
  const Reference reference_;
  XmlTag file_;  // the one that holds the FLocat
  std::set<std::string> ids_;
};

}  // namespace

PackageCheck::PackageCheck(Lookup lookup) : state_(std::make_unique<State>()) {
  state_->lookup = std::move(lookup);
}
PackageCheck::~PackageCheck() = default;

Produce PackageCheck::reading(const std::string& path, const Produce& bytes) {
  if (path != "METS.xml" && !path.ends_with("/METS.xml")) return bytes;
  return [this, &path, &bytes](const Sink& sink) -> Result<void> {
    MetsReader reader(path.substr(0, path.size() - std::string_view("METS.xml").size()),
                      [this](const std::string& at, const XmlTag& facts) {
                        return state_->reference(at, facts);
                      });
    XmlScanner scanner(reader);
    TRY(bytes([&](std::string_view piece) -> Result<void> {
      if (auto fed = scanner.feed(piece); !fed) return std::move(fed).error().during(path);
      return sink(piece);
    }));
    if (auto whole = scanner.finish(); !whole) return std::move(whole).error().during(path);
    return {};
  };
}

Result<void> PackageCheck::finish(std::size_t files) const {
  if (state_->named_count + 1 == files) return {};
  return Error(Code::invalid, "the METS files name " + std::to_string(state_->named_count) +
                                  " files, but the package has " + std::to_string(files) +
                                  " with METS.xml itself")
      .as("mets-incomplete");
}

Result<void> render_transfer_mets(const TransferMets& transfer, const Sink& sink) {
  const std::string& objid = transfer.objid;
  const std::string& label = transfer.label;
  XmlWriter xml(sink);
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
  xml.open("mets:metsHdr",
           {{"CREATEDATE", transfer.created.text_seconds()}, {"RECORDSTATUS", "NEW"}});
  const auto agent = [&](std::string_view role, std::string_view type, std::string_view other,
                         std::string_view name) {
    if (name.empty()) return;
    xml.open("mets:agent", {{"ROLE", role}, {"TYPE", type}, {"OTHERTYPE", other}});
    xml.text("mets:name", name);
    xml.close();
  };
  agent("CREATOR", "OTHER", "SOFTWARE", std::string(kProgramName) + " " + kVersion);
  agent("ARCHIVIST", "ORGANIZATION", "", transfer.archivist.name);
  agent("PRESERVATION", "ORGANIZATION", "", transfer.preservation.name);
  xml.close();
  xml.open("mets:fileSec");
  xml.open("mets:fileGrp", {{"USE", "Packages"}});
  auto listed = transfer.entries([&](const TransferEntry& entry) -> Result<void> {
    xml.open("mets:file", {{"ID", "ID-" + file_uuid(objid, entry.slug).text()},
                           {"MIMETYPE", "application/xml"},
                           {"SIZE", std::to_string(entry.mets_size_bytes)},
                           {"CHECKSUM", entry.mets_sha512.hex()},
                           {"CHECKSUMTYPE", "SHA-512"}});
    xml.empty("mets:FLocat", {{"LOCTYPE", "URL"},
                              {"xlink:type", "simple"},
                              {"xlink:href", href(entry.slug + "/METS.xml")}});
    xml.close();
    return {};
  });
  xml.close();
  xml.close();
  xml.open("mets:structMap", {{"TYPE", "PHYSICAL"}});
  xml.open("mets:div", {{"LABEL", label}});
  std::size_t order = 0;
  if (listed) {
    listed = transfer.entries([&](const TransferEntry& entry) -> Result<void> {
      xml.open("mets:div", {{"LABEL", entry.label}, {"ORDER", std::to_string(++order)}});
      xml.empty("mets:mptr", {{"LOCTYPE", "URL"},
                              {"xlink:type", "simple"},
                              {"xlink:title", entry.slug},
                              {"xlink:href", href(entry.slug + "/METS.xml")}});
      xml.close();
      return {};
    });
  }
  xml.close();
  xml.close();
  xml.close();
  auto written = xml.finish();
  return listed ? written : listed;
}

}  // namespace versement::mets
