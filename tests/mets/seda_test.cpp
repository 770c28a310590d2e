// The SEDA manifest: names, dates, and whole manifests byte for byte. With VERSEMENT_GOLDEN=write
// they are written anew, and the difference is read in review (docs/contributors.md).
#include "mets/seda.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

#include "mets/package.hpp"
#include "store/base/language.hpp"
#include "store/base/text.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/package.hpp"

namespace versement::mets {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(VERSEMENT_SOURCE) / "tests" / "mets" / "golden-seda";

// What VITAM's SafeFileChecker takes, and one dot.
bool is_safe(std::string_view name) {
  return std::count(name.begin(), name.end(), '.') == 1 &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '-' || c == '_' || c == '.';
         });
}

TEST(SedaNames, are_ones_that_vitam_takes_whatever_the_files_are_called) {
  const std::vector<std::string> paths{
      "scan 1.TIF", "ផែនទី.jpg",       "no extension",          "a.tar.gz",
      "dot.",       ".hidden",        "evil.a/../b",           "x.jp g",
      "x.éxt",      "folder.d/plain", "long.abcdefghijklmnop", "q.\"",
      "ID1"};
  for (const std::string& path : paths) {
    const std::string name = seda_content_name(file_uuid("PP-1", path), path);
    ASSERT_TRUE(name.starts_with("Content/ID")) << name;
    EXPECT_TRUE(is_safe(std::string_view(name).substr(8))) << name;
    EXPECT_GT(name.size(), std::string_view("Content/ID1.jpg").size()) << name;
  }
  const Uuid id = file_uuid("PP-1", "a");
  EXPECT_EQ(seda_content_name(id, "Scan 1.TIF"), "Content/ID" + id.text() + ".tif");
  EXPECT_EQ(seda_content_name(id, "no extension"), "Content/ID" + id.text() + ".bin");
  EXPECT_EQ(seda_content_name(id, "folder.d/plain"), "Content/ID" + id.text() + ".bin");
  EXPECT_EQ(seda_content_name(id, "a.tar.gz"), "Content/ID" + id.text() + ".gz");
}

TEST(SedaNames, differ_where_only_the_case_the_folder_or_the_item_does) {
  std::set<std::string> names;
  for (const char* const slug : {"A", "a", "A-1"}) {
    for (const char* const path : {"x.jpg", "X.jpg", "x.JPG", "f/x.jpg", "f_x.jpg", "x .jpg"}) {
      const std::string name = seda_content_name(file_uuid(slug, path), path);
      EXPECT_TRUE(names.insert(lower_ascii(name)).second) << name;
    }
  }
  EXPECT_EQ(names.size(), 18U);
}

TEST(SedaDates, take_what_is_a_date_and_keep_the_rest_as_a_text) {
  for (const char* const date : {"1937", "1937-05", "1937-05-12"}) {
    EXPECT_EQ(seda_dates_of(date).created, date);
    EXPECT_EQ(seda_dates_of(date).literal, "");
  }
  for (const char* const span : {"1890/1900", "1890-1900", "1937/1937-05", "1937-05-01/1938"}) {
    EXPECT_FALSE(seda_dates_of(span).start.empty()) << span;
    EXPECT_FALSE(seda_dates_of(span).end.empty()) << span;
    EXPECT_EQ(seda_dates_of(span).created, "") << span;
  }
  for (const char* const text : {"vers 1920", "1937-13", "1937-02-30", "1900/1890", "0000",
                                 "19e s.", "1937~", "/", "1890/", "-0044"}) {
    EXPECT_EQ(seda_dates_of(text).literal, text);
    EXPECT_EQ(seda_dates_of(text).created + seda_dates_of(text).start, "") << text;
  }
}

TEST(Languages, have_three_letters_where_there_are_such) {
  EXPECT_EQ(language_code("fr"), "fra");
  EXPECT_EQ(language_code("km"), "khm");
  EXPECT_EQ(language_code("en-GB"), "eng");
  EXPECT_EQ(language_code("zxx"), "zxx");
  EXPECT_EQ(language_code("français"), "");
  EXPECT_EQ(language_code("a b"), "");
  EXPECT_EQ(language_code(""), "");
  EXPECT_EQ(language_code(std::string(1000, 'a')), "");
}

PackageInput package(const std::string& slug) {
  PackageInput input;
  input.objid = slug;
  Description& d = input.description;
  d.title = {{"fr", "Marché <central> & halle"}, {"en", "Market"}, {"km", "ផ្សារធំថ្មី"}};
  d.description = {{"fr", "Vue de l'est."}, {"en", "East front."}};
  d.creators = {"Atelier & fils"};
  d.subjects = {{{"fr", "marchés"}, {"en", "markets"}}};
  d.places = {{{"fr", "Phnom Penh"}}};
  d.date = "vers 1937";
  d.type = "StillImage";
  d.genre = "photographie";
  d.source = {{"fr", "Fonds d'exemple"}};
  d.languages = {"fr", "km", "pas une langue"};
  d.identifiers = {{"ark", "ark:/12345/x1"}, {"shelf_mark", "12 Fi 4"}};
  d.relations = {"Voir l'album 3"};
  d.rights.conditions = {{"fr", "Reproduction autorisée avec mention."}, {"en", "With credit."}};
  d.rights.credit_line = {{"fr", "Fonds d'exemple, photo 1"}};
  d.rights.owner = {{"fr", "Apur"}};
  input.original = {"12 Fi 4", "B-1", "1 négatif"};
  input.archivist = {"apur", "Apur"};
  input.created = *Timestamp::parse("2026-01-15T09:30:00Z");
  return input;
}

SedaItem item_of(const PackageInput& input) {
  const auto files = testing::rendered(input);
  auto item = read_seda_item(input.objid, 2, files.at("metadata/descriptive/dc.xml"),
                             files.at("metadata/preservation/premis.xml"));
  EXPECT_OK(item);
  return std::move(*item);
}

SedaObject object(const std::string& slug, const std::string& path, std::uint64_t size) {
  return {.id = file_uuid(slug, "representations/master/data/" + path),
          .path = path,
          .size_bytes = size,
          .sha512 = digest_of(Algorithm::sha512, path),
          .media_type = "image/jpeg",
          .format_name = "JPEG",
          .format_version = "1.01",
          .puid = "fmt/43"};
}

SedaTransfer transfer() {
  SedaTransfer out;
  out.reference = "2026-V-001";
  out.title = {{"fr", "Premier versement"}, {"en", "First transfer"}};
  out.description = {{"fr", "Trois éléments."}};
  out.sealed_at = *Timestamp::parse("2026-02-01T10:00:00.123Z");
  auto agreement = json::parse_object(R"({"id":"apur-adp","reference":"CV-2026-01",
    "transferring_agency":{"id":"apur","name":"Apur"},"archival_agency":{"id":"adp","name":"ADP"},
    "seda":{"originating_agency":"atelier","archival_profile":"PR-1","service_level":"S1",
      "acquisition_information":"Versement","legal_status":"public_archive",
      "rules":{"access":"ACC-00001","appraisal":"APP-00001"},
      "code_lists":{"reply":"R-7"}}})");
  EXPECT_OK(agreement);
  out.terms = seda_terms_of(*agreement);
  return out;
}

std::string manifest_of(SedaVersion version) {
  std::string text;
  SedaManifest manifest(version, transfer(), [&](std::string_view bytes) -> Result<void> {
    text += bytes;
    return {};
  });
  PackageInput group = package("PP-ALBUM");
  group.parts = {"PP-1", "PP-2"};
  const std::vector<SedaObject> objects{object("PP-1", "recto é.JPG", 10),
                                        object("PP-2", "a/recto.jpg", 11),
                                        object("PP-2", "a/vide", 0)};
  for (const SedaObject& each : objects)
    manifest.object(each);
  manifest.begin_units("1937", "1994-05");
  const SedaItem album = item_of(group);
  EXPECT_EQ(album.parts, group.parts);
  manifest.open_item(album, true);
  const SedaItem one = item_of(package("PP-1"));
  manifest.open_item(one, false);
  manifest.file(one, objects[0], true);
  manifest.close_item();
  const SedaItem two = item_of(package("PP-2"));
  manifest.open_item(two, false);
  manifest.file(two, objects[1], false);
  manifest.file(two, objects[2], false);
  manifest.close_item();
  manifest.close_item();
  PackageInput bare;
  bare.objid = "PP-BARE";
  bare.created = *Timestamp::parse("2026-01-15T09:30:00Z");
  manifest.open_item(item_of(bare), false);
  manifest.close_item();
  EXPECT_OK(manifest.finish());
  return text;
}

TEST(SedaManifest, is_the_committed_one_in_each_version) {
  for (const SedaVersion version : kSedaVersions) {
    const fs::path file =
        kGolden / ("manifest-" + std::string(seda_version_text(version)) + ".xml");
    const std::string text = manifest_of(version);
    const char* const mode = std::getenv("VERSEMENT_GOLDEN");
    if (mode != nullptr && std::string_view(mode) == "write") {
      fs::create_directories(kGolden);
      std::ofstream(file, std::ios::binary) << text;
    }
    std::ifstream in(file, std::ios::binary);
    const std::string wanted(std::istreambuf_iterator<char>(in), {});
    const auto [at, other] = std::mismatch(text.begin(), text.end(), wanted.begin(), wanted.end());
    EXPECT_TRUE(text == wanted) << file << ", byte " << at - text.begin();
    EXPECT_FALSE(wanted.empty()) << file;
  }
}

TEST(SedaManifest, says_nothing_that_its_version_has_no_element_for) {
  EXPECT_EQ(manifest_of(SedaVersion::v2_1).find("DateLitteral"), std::string::npos);
  EXPECT_NE(manifest_of(SedaVersion::v2_1).find("Date : vers 1937"), std::string::npos);
  EXPECT_NE(manifest_of(SedaVersion::v2_2).find("<DateLitteral>vers 1937"), std::string::npos);
  EXPECT_EQ(manifest_of(SedaVersion::v2_2).find("PersistentIdentifier"), std::string::npos);
  EXPECT_NE(manifest_of(SedaVersion::v2_3).find("<PersistentIdentifierContent>ark:/12345/x1<"),
            std::string::npos);
}

TEST(SedaManifest, has_no_size_of_an_empty_file_and_one_text_a_language) {
  const std::string text = manifest_of(kSedaDefault);
  EXPECT_EQ(text.find("<Size>0"), std::string::npos);
  EXPECT_NE(text.find("<Size>11</Size>"), std::string::npos);
  const std::size_t unit = text.find("id=\"AU-PP-1\"");
  ASSERT_NE(unit, std::string::npos);
  const std::string one = text.substr(unit, text.find("</Content>", unit) - unit);
  std::size_t french = 0;
  for (std::size_t at = one.find("<Description xml:lang=\"fr\""); at != std::string::npos;
       at = one.find("<Description xml:lang=\"fr\"", at + 1)) {
    ++french;
  }
  EXPECT_EQ(french, 1U);
}

TEST(SedaManifest, stops_quietly_in_the_middle_and_tells_a_sink_that_fails) {
  std::size_t calls = 0;
  {
    SedaManifest manifest(kSedaDefault, transfer(), [&](std::string_view) -> Result<void> {
      ++calls;
      return {};
    });
    manifest.object(object("A", "a.jpg", 1));
    manifest.begin_units("", "");
    manifest.open_item(item_of(package("A")), false);
  }
  EXPECT_EQ(calls, 0U);  // Shorter than one piece; nothing of what was given up comes out.
  SedaManifest failing(kSedaDefault, transfer(), [](std::string_view) -> Result<void> {
    return Error(Code::no_space, "full");
  });
  failing.begin_units("", "");
  EXPECT_FAILS(failing.finish(), Code::no_space);
}

TEST(SedaItems, refuse_what_is_no_package_of_ours) {
  const auto files = testing::rendered(package("A"));
  const std::string& dc = files.at("metadata/descriptive/dc.xml");
  const std::string& premis = files.at("metadata/preservation/premis.xml");
  EXPECT_FAILS(read_seda_item("A", 1, "<a/>", premis), Code::corrupt);
  EXPECT_FAILS(read_seda_item("A", 1, dc, dc), Code::corrupt);
  EXPECT_FAILS(read_seda_item("A", 1, dc.substr(0, dc.size() / 2), premis), Code::corrupt);
  EXPECT_FAILS(read_seda_item("A", 1, "", premis), Code::corrupt);
}

}  // namespace
}  // namespace versement::mets
