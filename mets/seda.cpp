#include "mets/seda.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "store/base/language.hpp"
#include "store/base/text.hpp"

namespace versement::mets {

// In the order of the schema. `first` is our word, `second` begins the name of the element.
namespace {

using Word = std::pair<std::string_view, std::string_view>;

constexpr Word kCodeLists[] = {{"reply", "Reply"},
                               {"message_digest_algorithm", "MessageDigestAlgorithm"},
                               {"mime_type", "MimeType"},
                               {"encoding", "Encoding"},
                               {"file_format", "FileFormat"},
                               {"compression_algorithm", "CompressionAlgorithm"},
                               {"data_object_version", "DataObjectVersion"},
                               {"storage_rule", "StorageRule"},
                               {"appraisal_rule", "AppraisalRule"},
                               {"access_rule", "AccessRule"},
                               {"dissemination_rule", "DisseminationRule"},
                               {"reuse_rule", "ReuseRule"},
                               {"classification_rule", "ClassificationRule"},
                               {"acquisition_information", "AcquisitionInformation"},
                               {"authorization_reason", "AuthorizationReason"},
                               {"relationship", "Relationship"}};
constexpr Word kRules[] = {{"appraisal", "AppraisalRule"},
                           {"access", "AccessRule"},
                           {"dissemination", "DisseminationRule"},
                           {"reuse", "ReuseRule"}};
constexpr Word kLegalStatuses[] = {{"public_archive", "Public Archive"},
                                   {"private_archive", "Private Archive"},
                                   {"public_and_private_archive", "Public and Private Archive"}};
constexpr Word kFinalActions[] = {{"keep", "Keep"}, {"destroy", "Destroy"}};

constexpr std::string_view kBlanks = " \t\r\n";
// The extension of a content file is for people and simple programs; the format stands beside it.
constexpr std::size_t kExtensionBytesMax = 10;

template <std::size_t Count>
std::vector<std::string_view> words_of(const Word (&words)[Count]) {
  std::vector<std::string_view> out;
  for (const Word& word : words)
    out.push_back(word.first);
  return out;
}

template <std::size_t Count>
std::string_view named(const Word (&words)[Count], std::string_view word) {
  for (const auto& [ours, theirs] : words) {
    if (ours == word) return theirs;
  }
  return {};
}

std::map<std::string, std::string> codes_of(const json::Object& object) {
  return localized_of(object);
}

std::string value_of(const std::map<std::string, std::string>& values, std::string_view name) {
  const auto found = values.find(std::string(name));
  return found == values.end() ? std::string() : found->second;
}

std::string_view base_name(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

std::string_view label_of_owner(std::string_view language) {
  return language == "fr" ? "Propriétaire : " : "Owner: ";
}

Texts in_languages(const Localized& text) {
  return in_order(text);
}

}  // namespace

const std::vector<std::string_view> kSedaCodeLists = words_of(kCodeLists);
const std::vector<std::string_view> kSedaRules = words_of(kRules);
const std::vector<std::string_view> kSedaLegalStatuses = words_of(kLegalStatuses);
const std::vector<std::string_view> kSedaFinalActions = words_of(kFinalActions);

std::optional<SedaVersion> seda_version_of(std::string_view text) {
  for (const SedaVersion version : kSedaVersions) {
    if (seda_version_text(version) == text) return version;
  }
  return std::nullopt;
}

std::string_view seda_version_text(SedaVersion version) {
  switch (version) {
    case SedaVersion::v2_1:
      return "2.1";
    case SedaVersion::v2_2:
      return "2.2";
    case SedaVersion::v2_3:
      return "2.3";
  }
  return {};
}

std::string seda_namespace(SedaVersion version) {
  return "fr:gouv:culture:archivesdefrance:seda:v" + std::string(seda_version_text(version));
}

SedaTerms seda_terms_of(const json::Object& agreement) {
  const json::Object& seda = json::object_at(agreement, "seda");
  SedaTerms terms;
  terms.agreement = json::text_at(agreement, "reference");
  if (terms.agreement.empty()) terms.agreement = json::text_at(agreement, "id");
  terms.transferring_agency =
      json::text_at(json::object_at(agreement, "transferring_agency"), "id");
  terms.archival_agency = json::text_at(json::object_at(agreement, "archival_agency"), "id");
  terms.originating_agency = json::text_at(seda, "originating_agency");
  if (terms.originating_agency.empty()) terms.originating_agency = terms.transferring_agency;
  terms.archival_profile = json::text_at(seda, "archival_profile");
  terms.service_level = json::text_at(seda, "service_level");
  terms.acquisition_information = json::text_at(seda, "acquisition_information");
  terms.legal_status = json::text_at(seda, "legal_status");
  terms.final_action = json::text_at(seda, "final_action");
  terms.rules = codes_of(json::object_at(seda, "rules"));
  terms.code_lists = codes_of(json::object_at(seda, "code_lists"));
  return terms;
}

std::string seda_content_name(const Uuid& id, std::string_view path) {
  const std::string_view name = base_name(path);
  const std::size_t dot = name.rfind('.');
  std::string extension =
      dot == std::string_view::npos ? std::string() : lower_ascii(name.substr(dot + 1));
  const bool plain = !extension.empty() && extension.size() <= kExtensionBytesMax &&
                     std::all_of(extension.begin(), extension.end(), [](char c) {
                       return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
                     });
  if (!plain) extension = "bin";
  return "Content/ID" + id.text() + "." + extension;
}

SedaManifest::SedaManifest(SedaVersion version, const SedaTransfer& transfer, Sink sink)
    : version_(version),
      transfer_(transfer),
      sink_([this, to = std::move(sink)](std::string_view bytes) -> Result<void> {
        return given_up_ ? Result<void>() : to(bytes);
      }),
      xml_(sink_) {
  header();
}

SedaManifest::~SedaManifest() {
  given_up_ = true;
  while (open_ > 0)
    close();
}

void SedaManifest::open(std::string_view name,
                        std::initializer_list<XmlWriter::Attribute> attributes) {
  xml_.open(name, attributes);
  ++open_;
}

void SedaManifest::close() {
  xml_.close();
  --open_;
}

void SedaManifest::text(std::string_view name, std::string_view value, std::string_view language) {
  if (!value.empty()) xml_.text(name, value, {{"xml:lang", language}});
}

void SedaManifest::token(std::string_view name, std::string_view value) {
  text(name, trim(value, kBlanks));
}

void SedaManifest::texts(std::string_view name, const Texts& texts) {
  for (const auto& [language, value] : texts)
    text(name, value, language);
}

void SedaManifest::header() {
  open("ArchiveTransfer", {{"xmlns", seda_namespace(version_)}});
  texts("Comment", in_languages(transfer_.title));
  texts("Comment", in_languages(transfer_.description));
  text("Date", transfer_.sealed_at.text());
  token("MessageIdentifier", transfer_.reference);
  token("ArchivalAgreement", transfer_.terms.agreement);
  code_lists();
  // An id of its own: sedalib takes ID1 where there is none.
  open("DataObjectPackage", {{"xml:id", "ID-package"}});
}

void SedaManifest::code_lists() {
  open("CodeListVersions");
  for (const auto& [word, element] : kCodeLists) {
    const std::string name = std::string(element) + "CodeListVersion";
    const std::string value = value_of(transfer_.terms.code_lists, word);
    token(name, value.empty() ? name + "0" : value);
  }
  close();
}

void SedaManifest::object(const SedaObject& object) {
  open("DataObjectGroup", {{"id", "GOT-" + object.id.text()}});
  open("BinaryDataObject", {{"id", "BDO-" + object.id.text()}});
  text("DataObjectVersion", "BinaryMaster_1");
  text("Uri", seda_content_name(object.id, object.path));
  xml_.text("MessageDigest", object.sha512.hex(), {{"algorithm", "SHA-512"}});
  // A positive number: SEDA has none for an empty file.
  if (object.size_bytes > 0) text("Size", std::to_string(object.size_bytes));
  const std::string format =
      object.format_name + (object.format_version.empty() ? "" : " " + object.format_version);
  if (!format.empty() || !object.media_type.empty() || !object.puid.empty()) {
    open("FormatIdentification");
    text("FormatLitteral", format);
    token("MimeType", object.media_type);
    token("FormatId", object.puid);
    close();
  }
  open("FileInfo");
  text("Filename", base_name(object.path));
  close();
  close();
  close();
}

void SedaManifest::begin_units(const std::string& start, const std::string& end) {
  open("DescriptiveMetadata");
  open("ArchiveUnit", {{"id", "TRANSFER"}});
  open("Content");
  text("DescriptionLevel", "RecordGrp");
  if (transfer_.title.empty()) text("Title", transfer_.reference);
  texts("Title", in_languages(transfer_.title));
  token("TransferringAgencyArchiveUnitIdentifier", transfer_.reference);
  texts("Description", in_languages(transfer_.description));
  text("StartDate", start);
  text("EndDate", end);
  close();
}

// VITAM keeps one text for each language: of several in one language the first is the title.
void SedaManifest::titles(const SedaItem& item) {
  std::set<std::string> seen;
  for (const auto& [language, title] : item.titles) {
    if (seen.insert(language).second) text("Title", title, language);
  }
  if (seen.empty()) text("Title", item.slug);
}

void SedaManifest::identifiers(const SedaItem& item) {
  token("OriginatingSystemId", item.slug);
  token("OriginatingAgencyArchiveUnitIdentifier", item.slug);
  for (const Identifier& identifier : item.identifiers)
    token("OriginatingAgencyArchiveUnitIdentifier", identifier.value);
  token("TransferringAgencyArchiveUnitIdentifier", item.slug);
}

// One text for each language, as VITAM keeps one: what the item is, then what whoever shows it must
// know. SEDA has no element for the credit line, and the rules are codes of the receiver.
void SedaManifest::descriptions(const SedaItem& item) {
  std::vector<std::string> languages;
  std::map<std::string, std::string> joined;
  const auto add = [&](const std::string& language, const std::string& text) {
    std::string& all = joined[language];
    if (all.empty()) languages.push_back(language);
    all += (all.empty() ? "" : "\n") + text;
  };
  for (const auto& [language, text] : item.descriptions)
    add(language, text);
  for (const auto& [language, text] : item.rights)
    add(language, text);
  for (const auto& [language, text] : item.owners)
    add(language, std::string(label_of_owner(language)) + text);
  // 2.1 has no element for a date that is a text.
  if (version_ == SedaVersion::v2_1) {
    for (const std::string& date : item.dates) {
      if (!seda_dates_of(date).literal.empty()) add("fr", "Date : " + date);
    }
  }
  for (const std::string& language : languages)
    text("Description", joined[language], language);
}

void SedaManifest::subjects(const SedaItem& item) {
  for (const auto& [language, subject] : item.subjects) {
    open("Keyword");
    text("KeywordContent", subject, language);
    text("KeywordType", "subject");
    close();
  }
  for (const std::string& type : item.types) {
    open("Keyword");
    text("KeywordContent", type);
    text("KeywordType", "genreform");
    close();
  }
  if (item.places.empty()) return;
  open("Coverage");
  texts("Spatial", item.places);
  close();
}

void SedaManifest::owner(const SedaItem& item) {
  if (item.owners.empty()) return;
  open("AuthorizedAgent");
  text("Corpname", item.owners.front().second);
  close();
}

void SedaManifest::people(const SedaItem& item) {
  owner(item);
  for (const std::string& creator : item.creators) {
    open("Writer");
    text("FullName", creator);
    close();
  }
}

void SedaManifest::relations(const SedaItem& item) {
  if (item.relations.empty()) return;
  open("RelatedObjectReference");
  for (const std::string& relation : item.relations) {
    open("References");
    token("ExternalReference", relation);
    close();
  }
  close();
}

void SedaManifest::dates(const SedaItem& item) {
  // Each element stands once: the first date of each kind.
  SedaDates all;
  for (const std::string& date : item.dates) {
    const SedaDates one = seda_dates_of(date);
    if (all.created.empty()) all.created = one.created;
    if (all.start.empty() && !one.start.empty()) {
      all.start = one.start;
      all.end = one.end;
    }
    if (!one.literal.empty()) all.literal += (all.literal.empty() ? "" : "; ") + one.literal;
  }
  text("CreatedDate", all.created);
  text("StartDate", all.start);
  text("EndDate", all.end);
  if (version_ != SedaVersion::v2_1) token("DateLitteral", all.literal);
}

void SedaManifest::events(const SedaItem& item) {
  for (const SedaEvent& event : item.events) {
    open("Event");
    token("EventIdentifier", event.identifier);
    token("EventType", event.type);
    text("EventDateTime", event.time);
    text("EventDetail", event.detail, "fr");
    // The word of SEDA's receivers for what PREMIS calls a success.
    token("Outcome", event.outcome == "success" ? "OK" : event.outcome);
    close();
  }
}

void SedaManifest::open_item(const SedaItem& item, bool has_parts) {
  // A slug is a name as XML ids are, so a reply that names the unit names the item.
  open("ArchiveUnit", {{"id", "AU-" + item.slug}});
  open("Content");
  text("DescriptionLevel", has_parts ? "File" : "Item");
  titles(item);
  identifiers(item);
  descriptions(item);
  std::string source;
  if (!item.sources.empty()) {
    open("CustodialHistory");
    for (const auto& [language, text_of_source] : item.sources) {
      text("CustodialHistoryItem", text_of_source, language);
      source += (source.empty() ? "" : "; ") + text_of_source;
    }
    close();
  }
  if (!item.genres.empty()) {
    text("DocumentType", item.genres.front().second, item.genres.front().first);
  } else if (!item.types.empty()) {
    text("DocumentType", item.types.front());
  }
  for (const std::string& language : item.languages)
    token("Language", language_code(language));
  if (!item.titles.empty()) {
    token("DescriptionLanguage", language_code(item.titles.front().first));
  }
  text("Version", std::to_string(item.version));
  subjects(item);
  people(item);
  text("Source", source);
  relations(item);
  dates(item);
  events(item);
  if (version_ == SedaVersion::v2_3) {
    for (const Identifier& identifier : item.identifiers) {
      if (identifier.type != "ark" && !identifier.value.starts_with("ark:")) continue;
      open("PersistentIdentifier");
      text("PersistentIdentifierType", "ark");
      token("PersistentIdentifierContent", identifier.value);
      close();
    }
  }
  close();
}

void SedaManifest::reference(const SedaObject& object) {
  open("DataObjectReference");
  text("DataObjectGroupReferenceId", "GOT-" + object.id.text());
  close();
}

// Several files of one item are not versions of one thing, which is what one group would say: each
// has a unit of its own, with what whoever shows it alone must know.
void SedaManifest::file(const SedaItem& item, const SedaObject& object, bool only) {
  if (only) {
    reference(object);
    return;
  }
  open("ArchiveUnit", {{"id", "FILE-" + object.id.text()}});
  open("Content");
  text("DescriptionLevel", "OtherLevel");
  text("Title", object.path);
  token("TransferringAgencyArchiveUnitIdentifier", object.id.text());
  SedaItem rights;
  rights.rights = item.rights;
  rights.owners = item.owners;
  descriptions(rights);
  owner(item);
  close();
  reference(object);
  close();
}

void SedaManifest::close_item() {
  close();
}

void SedaManifest::management() {
  const SedaTerms& terms = transfer_.terms;
  open("ManagementMetadata");
  token("ArchivalProfile", terms.archival_profile);
  token("ServiceLevel", terms.service_level);
  token("AcquisitionInformation", terms.acquisition_information);
  text("LegalStatus", named(kLegalStatuses, terms.legal_status));
  token("OriginatingAgencyIdentifier", terms.originating_agency);
  token("SubmissionAgencyIdentifier", terms.transferring_agency);
  for (const auto& [word, element] : kRules) {
    const std::string code = value_of(terms.rules, word);
    const bool appraisal = word == "appraisal";
    const std::string_view action = named(kFinalActions, terms.final_action);
    if (code.empty() && (!appraisal || action.empty())) continue;
    open(element);
    token("Rule", code);
    // The schema wants one; what goes to an archive for good is kept.
    if (appraisal) text("FinalAction", action.empty() ? "Keep" : action);
    close();
  }
  close();
}

Result<void> SedaManifest::finish() {
  close();  // the transfer's unit
  close();  // DescriptiveMetadata
  management();
  close();  // DataObjectPackage
  for (const auto& [element, id] :
       {Word{"ArchivalAgency", transfer_.terms.archival_agency},
        Word{"TransferringAgency", transfer_.terms.transferring_agency}}) {
    open(element);
    token("Identifier", id);
    close();
  }
  close();
  return xml_.finish();
}

}  // namespace versement::mets
