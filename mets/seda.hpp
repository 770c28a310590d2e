// SEDA: the manifest of an ArchiveTransfer in versions 2.1, 2.2 and 2.3.
//
// What stands where, and what each version cannot hold, is docs/seda.md. The manifest is written
// as it goes: objects first, then the units that point at them, and nothing of it is kept. The
// same calls give the same bytes.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mets/description.hpp"
#include "mets/seda_item.hpp"
#include "mets/xml.hpp"
#include "store/base/digest.hpp"
#include "store/base/ids.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"
#include "store/base/time.hpp"

namespace versement::mets {

enum class SedaVersion { v2_1, v2_2, v2_3 };
inline constexpr SedaVersion kSedaVersions[] = {SedaVersion::v2_1, SedaVersion::v2_2,
                                                SedaVersion::v2_3};
inline constexpr SedaVersion kSedaDefault = SedaVersion::v2_2;
std::optional<SedaVersion> seda_version_of(std::string_view text);  // "2.1", "2.2", "2.3"
std::string_view seda_version_text(SedaVersion version);
// "fr:gouv:culture:archivesdefrance:seda:v2.2"
std::string seda_namespace(SedaVersion version);

// What an agreement may say for SEDA, by the names that its record has: the API takes these words.
extern const std::vector<std::string_view> kSedaCodeLists;      // "reply", "access_rule" …
extern const std::vector<std::string_view> kSedaRules;          // "appraisal", "access" …
extern const std::vector<std::string_view> kSedaLegalStatuses;  // "public_archive" …
extern const std::vector<std::string_view> kSedaFinalActions;   // "keep", "destroy"

struct SedaTerms {
  std::string agreement, transferring_agency, archival_agency, originating_agency;
  std::string archival_profile, service_level, acquisition_information, legal_status, final_action;
  std::map<std::string, std::string> rules;       // code by name
  std::map<std::string, std::string> code_lists;  // version by name
};
// Of the record of an agreement, as a bag has it in versement/agreement.json.
SedaTerms seda_terms_of(const json::Object& agreement);

struct SedaTransfer {
  std::string reference;
  Localized title, description;
  Timestamp sealed_at;
  SedaTerms terms;
};

struct SedaObject {
  Uuid id;           // file_uuid
  std::string path;  // below the representation's data folder
  std::uint64_t size_bytes = 0;
  Digest sha512;
  std::string media_type, format_name, format_version, puid;
};

// The member of the archive that holds a file: "Content/ID….jpg". Letters, digits, '-', '_' and one
// dot: what VITAM takes. As unlike as the ids of the files are.
std::string seda_content_name(const Uuid& id, std::string_view path);

// Calls in this order: object() for each file; begin_units(); for each item open_item(), then
// file() for each of its files and open_item() … close_item() for each of its parts, close_item();
// finish().
class SedaManifest {
 public:
  SedaManifest(SedaVersion version, const SedaTransfer& transfer, Sink sink);
  ~SedaManifest();
  SedaManifest(const SedaManifest&) = delete;
  SedaManifest& operator=(const SedaManifest&) = delete;

  void object(const SedaObject& object);
  // The dates are those between which all that is transferred lies; they may be empty.
  void begin_units(const std::string& start, const std::string& end);
  void open_item(const SedaItem& item, bool has_parts);
  // A file of the item: the item's own object when it is the only one, else a unit below it.
  void file(const SedaItem& item, const SedaObject& object, bool only);
  void close_item();
  // Errors: those of the sink; nothing before it tells of them.
  Result<void> finish();

 private:
  void open(std::string_view name, std::initializer_list<XmlWriter::Attribute> attributes = {});
  void close();
  // Nothing is written of a text that is empty, or of a token that is blank.
  void text(std::string_view name, std::string_view value, std::string_view language = "");
  void token(std::string_view name, std::string_view value);
  void texts(std::string_view name, const Texts& texts);
  void header();
  void code_lists();
  void titles(const SedaItem& item);
  void identifiers(const SedaItem& item);
  void descriptions(const SedaItem& item);
  void subjects(const SedaItem& item);
  void people(const SedaItem& item);
  void owner(const SedaItem& item);
  void relations(const SedaItem& item);
  void dates(const SedaItem& item);
  void events(const SedaItem& item);
  void reference(const SedaObject& object);
  void management();

  const SedaVersion version_;
  const SedaTransfer transfer_;
  bool given_up_ = false;  // the sink gets nothing more
  const Sink sink_;
  XmlWriter xml_;
  std::size_t open_ = 0;
};

}  // namespace versement::mets
