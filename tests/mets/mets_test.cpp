#include <map>
#include <optional>

#include "mets/bordereau.hpp"
#include "mets/package.hpp"
#include "mets/xml.hpp"
#include "store/base/csv.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/package.hpp"

namespace versement::mets {
namespace {

TEST(Xml, writes_what_every_reader_reads_back) {
  XmlWriter writer;
  writer.open("a", {{"x", "<&\"\t\n"}, {"left-out", ""}});
  writer.text("b", "é & <ផ្សារ>\x01");
  writer.close();
  auto document = XmlDocument::parse(writer.take());
  ASSERT_OK(document);
  EXPECT_EQ(document->root().attribute("x"), "<&\"\t\n");
  EXPECT_EQ(document->root().attribute("left-out"), "");
  document->root().for_each_child(
      [](const XmlElement& child) { EXPECT_EQ(child.text(), "é & <ផ្សារ>\xEF\xBF\xBD"); });
}

TEST(Xml, refuses_what_pugixml_lets_by) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "xml-doctype"},
      {"<a x=\"1\" x=\"2\"/>", "xml-attribute"},
      {"<a/><b/>", "xml-roots"},
      {"text", "xml-roots"},
      {"", "xml-roots"},
      {"<a>\xFF</a>", "xml-encoding"},
      {"<a>&#1;</a>", "xml-character"},
      {"<a x=\"&#xFFFE;\"/>", "xml-character"},
      {"<a><b></a>", "xml-syntax"},
  };
  for (const auto& [text, reason] : cases) {
    const auto parsed = XmlDocument::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().reason(), reason) << text;
  }
  std::string deep;
  for (int i = 0; i < 100'000; ++i)
    deep += "<a>";
  for (int i = 0; i < 100'000; ++i)
    deep += "</a>";
  EXPECT_FAILS(XmlDocument::parse(deep), Code::limit);
}

using Files = std::vector<std::pair<std::string, std::string>>;
using Texts = std::map<std::string, std::string>;

PackageInput input_with(const Files& files) {
  PackageInput input;
  input.objid = "PP-PHOTO-0001";
  input.description.title = {{"fr", "Marché <central>"}, {"km", "ផ្សារធំថ្មី"}};
  input.description.type = "StillImage";
  input.description.rights.conditions = {{"fr", "Reproduction autorisée"}, {"en", "Allowed"}};
  input.description.rights.credit_line = {{"fr", "Exemple"}};
  input.description.rights.owner = {{"fr", "Fonds d'exemple"}};
  input.archivist = {"apur", "Apur"};
  input.created = *Timestamp::parse("2026-01-15T09:30:00Z");
  std::vector<PayloadFile> payload;
  for (const auto& [path, bytes] : files) {
    payload.push_back({path,
                       bytes.size(),
                       digest_of(Algorithm::sha512, bytes),
                       {"image/jpeg", "JPEG", "1.01", "fmt/43"},
                       "objects/" + path,
                       true});
  }
  input.files = payload_of(std::move(payload));
  return input;
}

Texts held_by(const Texts& generated, const Files& files) {
  Texts held = generated;
  for (const auto& [path, bytes] : files)
    held[payload_folder() + path] = bytes;
  return held;
}

// The package's METS files, read against what is held; an altered one can be told apart.
Result<void> check(const Texts& generated, std::size_t files, const Texts& held) {
  PackageCheck check([&](const std::string& path) -> std::optional<Found> {
    const auto found = held.find(path);
    if (found == held.end()) return std::nullopt;
    return Found{{found->second.size(), digest_of(Algorithm::sha512, found->second)},
                 static_cast<std::size_t>(std::distance(held.begin(), found))};
  });
  for (const auto& [path, bytes] : generated) {
    const Produce produce = [&](const Sink& sink) { return sink(bytes); };
    std::string passed;
    TRY(check.reading(path, produce)([&](std::string_view piece) -> Result<void> {
      passed += piece;
      return {};
    }));
    EXPECT_TRUE(passed == bytes) << path;
  }
  return check.finish(files);
}

TEST(Package, the_second_reader_finds_everything_and_nothing_else) {
  const Files files{{"a %+é.jpg", "one"}, {"b/c.tif", "two"}};
  const auto generated = testing::rendered(input_with(files));
  const std::size_t count = generated.size() + 2;
  auto held = held_by(generated, files);
  EXPECT_OK(check(generated, count, held));
  held[payload_folder() + "b/c.tif"] = "abc";  // as long as it was
  EXPECT_FAILS(check(generated, count, held), Code::invalid);
  held[payload_folder() + "b/c.tif"] = "other";
  EXPECT_FAILS(check(generated, count, held), Code::invalid);
  held.erase(payload_folder() + "b/c.tif");
  EXPECT_FAILS(check(generated, count, held), Code::invalid);
  held = held_by(generated, files);
  EXPECT_FAILS(check(generated, count + 1, held), Code::invalid);
}

TEST(Package, the_second_reader_sees_a_broken_mets) {
  const Files files{{"a.jpg", "one"}};
  auto generated = testing::rendered(input_with(files));
  const auto held = held_by(generated, files);
  const std::string whole = generated.at("METS.xml");
  const auto reason = [&](const std::string& text) -> std::string {
    generated["METS.xml"] = text;
    const auto checked = check(generated, generated.size() + 1, held);
    return checked ? "" : std::string(checked.error().reason());
  };
  EXPECT_EQ(reason(whole), "");
  EXPECT_EQ(reason(whole.substr(0, whole.size() - 2)), "xml-syntax");
  std::string twice = whole;
  twice.replace(twice.find("ID=\"amd\""), 8, "ID=\"dmd-dc\"");
  EXPECT_EQ(reason(twice), "mets-id");
}

TEST(Package, a_failure_of_whoever_keeps_it_ends_the_rendering) {
  std::size_t calls = 0;
  const auto rendered = render_package(
      input_with({{"a.jpg", "x"}}),
      [&](const GeneratedFile&, const Produce& bytes) -> Result<Held> {
        ++calls;
        TRY(bytes([](std::string_view) -> Result<void> { return Error(Code::no_space, "full"); }));
        return Held{};
      });
  EXPECT_FAILS(rendered, Code::no_space);
  EXPECT_EQ(calls, 1u);
}

TEST(Package, credit_owner_and_conditions_travel_in_every_place) {
  const auto all = testing::rendered(input_with({{"a.jpg", "x"}}));
  for (const char* path : {"documentation/LISEZ-MOI.txt", "metadata/descriptive/dc.xml",
                           "representations/master/metadata/preservation/premis.xml"}) {
    const std::string& bytes = all.at(path);
    EXPECT_NE(bytes.find("Exemple"), std::string::npos) << path;
    EXPECT_NE(bytes.find("Fonds d'exemple"), std::string::npos) << path;
    EXPECT_NE(bytes.find("Reproduction autorisée"), std::string::npos) << path;
    EXPECT_NE(bytes.find("Allowed"), std::string::npos) << path;
  }
}

TEST(Package, an_item_without_files_has_a_notice) {
  PackageInput input = input_with({});
  input.original = {"4 Fi 12", "B 3", "un rouleau"};
  const auto all = testing::rendered(input);
  const std::string& notice = all.at("representations/analogue/data/notice.txt");
  EXPECT_NE(notice.find("4 Fi 12"), std::string::npos);
  EXPECT_OK(check(all, all.size(), all));
}

TEST(Bordereau, lists_analogue_and_digital_side_by_side_and_escapes) {
  Bordereau b;
  b.reference = "2026-V-001";
  b.title = {{"fr", "Versement <1>"}};
  b.sealed_at = *Timestamp::parse("2026-01-15T09:30:00Z");
  b.rows.push_back({"PP-1", 1, input_with({}).description, {}, 2, 2048});
  b.rows.push_back({"PP-2", 1, input_with({}).description, {"4 Fi 12", "B 3", "un rouleau"}, 0, 0});
  const std::string html = render_bordereau_html(b, "fr");
  EXPECT_NE(html.find("Versement &lt;1&gt;"), std::string::npos);
  EXPECT_NE(html.find("4 Fi 12, B 3, un rouleau"), std::string::npos);
  EXPECT_NE(html.find("sans fichier"), std::string::npos);
  EXPECT_NE(html.find("<span lang=\"km\">ផ្សារធំថ្មី</span>"), std::string::npos);
  EXPECT_NE(render_bordereau_html(b, "en").find("no file"), std::string::npos);
  auto rows = csv::parse(render_bordereau_csv(b));
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[2].cells[7], "4 Fi 12");
}

}  // namespace
}  // namespace versement::mets
