// Whole packages, byte for byte. With VERSEMENT_GOLDEN=write they are written anew, and the
// difference is read in review (docs/contributors.md).
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>

#include "mets/package.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/package.hpp"

namespace versement::mets {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(VERSEMENT_SOURCE) / "tests" / "mets" / "golden";

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& file, const std::string& bytes) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << bytes;
}

// Where two texts part, in a line; the texts are too long to be shown.
std::string first_difference(const std::string& have, const std::string& wanted) {
  const auto [at, other] = std::mismatch(have.begin(), have.end(), wanted.begin(), wanted.end());
  const auto offset = static_cast<std::size_t>(at - have.begin());
  const std::size_t from = offset < 40 ? 0 : offset - 40;
  return "byte " + std::to_string(offset) + ": «" + have.substr(from, 80) + "», committed «" +
         wanted.substr(from, 80) + "»";
}

void expect_golden(const std::string& name, const std::map<std::string, std::string>& files) {
  const fs::path folder = kGolden / name;
  const char* const mode = std::getenv("VERSEMENT_GOLDEN");
  const bool writes = mode != nullptr && std::string_view(mode) == "write";
  if (writes) fs::remove_all(folder);
  std::set<fs::path> rendered;
  for (const auto& [path, bytes] : files) {
    rendered.insert(folder / path);
    if (writes) write(folder / path, bytes);
    const std::string wanted = read(folder / path);
    EXPECT_TRUE(bytes == wanted) << name << ", " << path << ", " << first_difference(bytes, wanted);
  }
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    EXPECT_TRUE(rendered.contains(entry.path())) << entry.path() << " is rendered no more";
  }
}

void expect_golden(const std::string& name, const PackageInput& input) {
  expect_golden(name, testing::rendered(input));
}

PayloadFile payload(const std::string& path, const std::string& bytes, Format format) {
  return {.path = path,
          .size_bytes = bytes.size(),
          .sha512 = digest_of(Algorithm::sha512, bytes),
          .format = std::move(format),
          .original_name = "objects/" + path,
          .digest_supplied = true};
}

const Format kTiff{"image/tiff", "Tagged Image File Format", "", "fmt/353"};
const Format kJpeg{"image/jpeg", "JPEG File Interchange Format", "1.01", "fmt/43"};
const Format kUnknown{"application/octet-stream", "", "", ""};

std::vector<PayloadFile> two_files() {
  return {payload("front.tif", "tiff", kTiff), payload("small/front.jpg", "jpeg", kJpeg)};
}

PackageInput photograph() {
  PackageInput input;
  input.objid = "PP-PHOTO-0001";
  Description& d = input.description;
  d.title = {{"fr", "Marché central <façade nord>"},
             {"en", "Central market & north front"},
             {"km", "ផ្សារធំថ្មី"}};
  d.description = {{"fr", "Vue prise depuis le boulevard."}};
  d.creators = {"Atelier d'exemple"};
  d.subjects = {{{"fr", "marchés"}, {"en", "markets"}}};
  d.places = {{{"fr", "Phnom Penh"}, {"km", "ភ្នំពេញ"}}};
  d.date = "1994-03";
  d.type = "StillImage";
  d.genre = "photographie";
  d.languages = {"fr", "km"};
  d.identifiers = {{"ark", "ark:/99999/fk4pp0001"}, {"local", "PP-PHOTO-0001"}};
  d.rights.conditions = {{"fr", "Reproduction autorisée sous réserve de mention."},
                         {"en", "Reproduction authorised if the source is mentioned."}};
  d.rights.credit_line = {{"fr", "Fonds d'exemple"}, {"en", "Example fonds"}};
  d.rights.owner = {{"fr", "Propriétaire d'exemple"}};
  input.archivist = {"exemple", "Organisme d'exemple"};
  input.created = *Timestamp::parse("2026-01-15T09:30:00.250Z");
  input.files = payload_of(two_files());
  return input;
}

TEST(Golden, an_item_with_files) {
  expect_golden("files", photograph());
}

TEST(Golden, an_analogue_original_without_files) {
  PackageInput input = photograph();
  input.objid = "PP-BOX-0004";
  input.files = {};
  input.original = {"4 Fi 12", "B 3", "un rouleau de négatifs"};
  input.archivist = {};
  expect_golden("analogue", input);
}

TEST(Golden, an_item_that_groups_others) {
  PackageInput input = photograph();
  input.objid = "PP-ALBUM-01";
  input.files = {};
  input.parts = {"PP-PHOTO-0001", "PP-PHOTO-0002"};
  expect_golden("group", input);
}

TEST(Golden, an_item_that_came_in_a_bag) {
  PackageInput input = photograph();
  auto files = two_files();
  for (PayloadFile& file : files)
    file.digest_supplied = false;
  input.files = payload_of(std::move(files));
  const std::string declaration = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
  input.documentation = {{.path = "bag/bagit.txt",
                          .size_bytes = declaration.size(),
                          .sha512 = digest_of(Algorithm::sha512, declaration),
                          .media_type = "text/plain"}};
  input.received = "Sac BagIt 1.0 «exemple» vérifié : 2 fichiers, 8 octets, sha512";
  expect_golden("bag", input);
}

TEST(Golden, a_further_version) {
  PackageInput input = photograph();
  input.earlier = {*Timestamp::parse("2024-05-01T08:00:00Z"),
                   *Timestamp::parse("2025-05-01T08:00:00.001Z")};
  input.read_back = false;
  expect_golden("replacement", input);
}

TEST(Golden, a_further_version_of_what_was_checked_meanwhile) {
  PackageInput input = photograph();
  input.earlier = {*Timestamp::parse("2024-05-01T08:00:00Z")};
  input.checks = {.count = 21,
                  .damaged = 2,
                  .last_damaged = false,
                  .first = *Timestamp::parse("2024-05-02T03:00:00.125Z"),
                  .last = *Timestamp::parse("2026-01-14T03:00:00Z")};
  expect_golden("checked", input);
}

// What is left out is the same as in "replacement".
TEST(Golden, the_headers_of_a_submission) {
  PackageInput input = photograph();
  input.earlier = {*Timestamp::parse("2024-05-01T08:00:00Z"),
                   *Timestamp::parse("2025-05-01T08:00:00.001Z")};
  input.read_back = false;
  auto files = testing::submitted(testing::rendered(input), {.agreement = "CV-2026 «A & B»",
                                                             .submitter = {"apur", "Atelier <A>"},
                                                             .archive = {"", "Archives"}});
  std::erase_if(files, [](const auto& file) { return !file.first.ends_with("METS.xml"); });
  expect_golden("sip", files);
}

TEST(Golden, names_that_an_address_cannot_hold) {
  PackageInput input = photograph();
  std::vector<PayloadFile> files;
  for (const char* name : {"100 %.tif", "a+b&c.tif", "plan d'ensemble.tif", "«1952»/procès.tif",
                           "ផ្សារ/ថ្មី.tif", "#?;=.bin"}) {
    files.push_back(payload(name, name, kUnknown));
  }
  std::sort(files.begin(), files.end(),
            [](const PayloadFile& a, const PayloadFile& b) { return a.path < b.path; });
  input.files = payload_of(std::move(files));
  expect_golden("names", input);
}

}  // namespace
}  // namespace versement::mets
