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

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

std::string generated_text(const PackageInput& input, const std::string& path) {
  const auto files = testing::rendered(input);
  const auto found = files.find(path);
  return found == files.end() ? std::string() : found->second;
}

std::string premis_of(const PackageInput& input) {
  return generated_text(input, "representations/master/metadata/preservation/premis.xml");
}

TEST(Premis, says_the_true_conditions_of_reproduction) {
  constexpr std::string_view kCredit =
      "<premis:restriction>mention obligatoire de la source et du propriétaire<";
  constexpr std::string_view kConditions =
      "<premis:restriction>Reproduction autorisée</premis:restriction>";
  PackageInput input = input_with({{"a.jpg", "a"}});
  Rights& rights = input.description.rights;

  EXPECT_TRUE(holds(premis_of(input), kConditions));
  EXPECT_FALSE(holds(premis_of(input), kCredit));
  EXPECT_TRUE(holds(premis_of(input), "Note>reproduction: unknown<"));

  rights.reproduction = "allowed_with_credit";
  EXPECT_TRUE(holds(premis_of(input), kConditions));
  EXPECT_TRUE(holds(premis_of(input), kCredit));

  rights.reproduction = "restricted";
  EXPECT_FALSE(holds(premis_of(input), kCredit));
  EXPECT_TRUE(holds(premis_of(input), "<premis:restriction>reproduction soumise à autorisation<"));

  rights.reproduction = "allowed";
  EXPECT_FALSE(holds(premis_of(input), kCredit));
  EXPECT_TRUE(holds(premis_of(input), "Note>reproduction: allowed<"));

  rights = Rights();
  EXPECT_TRUE(holds(premis_of(input), kCredit));
}

// One as the API writes it.
RightsStatement statement(std::string_view text) {
  return statement_of(*json::parse_object(text));
}

TEST(Premis, has_each_statement_of_rights_with_its_grants) {
  PackageInput input = input_with({{"a.jpg", "a"}, {"b.jpg", "b"}});
  input.description.rights.statements = {
      statement(R"({"basis":"copyright","status":"copyrighted","start_date":"1994",
                    "end_date":"open","terms":"T","note":"N <1>","doc_id_value":"contract 12",
                    "grants":[{"act":"disseminate","restriction":"Conditional","note":"G"}],
                    "files":["b.jpg"]})"),
      statement(R"({"basis":"statute","citation":"L. 213-2"})"), statement(R"({"basis":"donor",
                    "grants":[{"act":"modify","restriction":"Disallow","end_date":"2050"}]})"),
      statement(R"({"basis":"license"})")};
  const std::string premis = premis_of(input);
  ASSERT_OK(XmlDocument::parse(premis));
  for (const std::string_view part :
       {"<premis:copyrightStatus>copyrighted<", "<premis:copyrightJurisdiction>unknown<",
        "<premis:copyrightNote>N &lt;1&gt;<", "<premis:copyrightNote>terms: T<",
        "<premis:copyrightDocumentationIdentifierType>unknown<",
        "<premis:copyrightDocumentationIdentifierValue>contract 12<", "<premis:startDate>1994<",
        "<premis:endDate>open<", "<premis:act>disseminate<", "<premis:restriction>Conditional<",
        "<premis:rightsGrantedNote>G<", "<premis:statuteCitation>L. 213-2<",
        "<premis:otherRightsBasis>donor<", "<premis:termOfRestriction>"}) {
    EXPECT_TRUE(holds(premis, part)) << part;
  }
  // Of one file only.
  const std::string file =
      "urn:uuid:" + file_uuid(input.objid, "representations/master/data/b.jpg").text();
  EXPECT_TRUE(holds(premis, "<premis:linkingObjectIdentifierValue>" + file + "<"));
}

TEST(Rights, rows_that_differ_in_the_grant_only_are_one_statement) {
  std::vector<RightsStatement> statements;
  for (const std::string_view text :
       {R"({"basis":"license","terms":"T","grants":[{"act":"copy"}]})",
        R"({"basis":"license","terms":"T","grants":[{"act":"modify"}]})",
        R"({"basis":"license","terms":"T","grants":[{"act":"modify"}]})",
        R"({"basis":"license","terms":"U","grants":[{"act":"modify"}]})"}) {
    add_statement(statement(text), &statements);
  }
  ASSERT_EQ(statements.size(), 2u);
  EXPECT_EQ(statements[0].grants.size(), 2u);
  EXPECT_EQ(statement_of(to_json(statements[0])), statements[0]);
}

TEST(Readme, carries_conditions_credit_and_owner_or_says_that_they_are_not_known) {
  PackageInput input = input_with({{"a.jpg", "a"}});
  input.description.rights.conditions["km"] = "ខ្មែរ\nPropriétaire / Owner\n  forged";
  const std::string text = generated_text(input, "documentation/LISEZ-MOI.txt");
  EXPECT_TRUE(holds(text, "  [en] Allowed\n"));
  EXPECT_TRUE(holds(text, "  [km] ខ្មែរ\n       Propriétaire / Owner\n"));
  EXPECT_TRUE(holds(text, "Mandatory credit\n  [fr] Exemple\n"));
  EXPECT_TRUE(holds(text, "Owner\n  [fr] Fonds d'exemple\n"));
  EXPECT_TRUE(holds(text, "see the conditions"));

  input.description.rights = Rights();
  const std::string bare = generated_text(input, "documentation/LISEZ-MOI.txt");
  EXPECT_TRUE(holds(bare, "Conditions\n  non renseigné / not said\n"));
  EXPECT_TRUE(holds(bare, "Mandatory credit\n  non renseigné / not said\n"));
  EXPECT_TRUE(holds(bare, "not said: ask the owner"));
  EXPECT_TRUE(holds(bare, "Owner\n  non renseigné / not said\n"));
}

// A whole document in one of its forms.
std::string rendered(std::string_view file_name,
                     Bordereau head,
                     const std::vector<BordereauRow>& rows) {
  for (const BordereauRow& row : rows)
    head.totals.add(row);
  for (const BordereauForm& form : bordereau_forms()) {
    if (form.file_name != file_name) continue;
    std::string text = form.begin(head);
    for (const BordereauRow& row : rows)
      text += form.row(row);
    return text + form.end();
  }
  return {};
}

class BordereauTest : public ::testing::Test {
 protected:
  BordereauTest() {
    head_.reference = "2026-V-001";
    head_.title = {{"fr", "Versement <1>"}};
    head_.transferring_agency = {"apur", "Apur & Cie"};
    head_.archival_agency = {"", "Archives de Paris"};
    head_.sealed_at = *Timestamp::parse("2026-01-15T09:30:00Z");
    head_.manifest_sha512 = std::string(128, 'a');
    rows_.push_back({"PP-1", 1, input_with({}).description, {}, 2, 2048});
    rows_.push_back(
        {"PP-2", 3, input_with({}).description, {"4 Fi 12", "B 3", "un rouleau"}, 0, 0});
  }
  Bordereau head_;
  std::vector<BordereauRow> rows_;
};

TEST_F(BordereauTest, lists_analogue_and_digital_side_by_side_and_escapes) {
  const std::string html = rendered("bordereau.fr.html", head_, rows_);
  EXPECT_TRUE(holds(html, "Versement &lt;1&gt;"));
  EXPECT_TRUE(holds(html, "4 Fi 12, B 3, un rouleau"));
  EXPECT_TRUE(holds(html, "sans fichier"));
  EXPECT_TRUE(holds(html, "<span lang=\"km\">ផ្សារធំថ្មី</span>"));
  EXPECT_TRUE(holds(rendered("bordereau.en.html", head_, rows_), "no file"));
  auto rows = csv::parse(rendered("bordereau.csv", head_, rows_));
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[2].cells[7], "4 Fi 12");
  EXPECT_EQ((*rows)[2].cells[15], "analogue");
  EXPECT_EQ((*rows)[0].cells.size(), (*rows)[1].cells.size());
}

TEST_F(BordereauTest, says_plainly_where_rights_are_not_known) {
  rows_[0].description.rights.owner.clear();
  EXPECT_TRUE(holds(rendered("bordereau.fr.html", head_, rows_), "<em>non renseigné</em>"));
  EXPECT_TRUE(holds(rendered("bordereau.en.html", head_, rows_), "<em>not said</em>"));
}

TEST_F(BordereauTest, neutralises_formulas_in_the_table) {
  rows_[0].description.rights.credit_line = {{"fr", "=HYPERLINK(\"x\")"}};
  EXPECT_TRUE(holds(rendered("bordereau.csv", head_, rows_), "\"'=HYPERLINK(\"\"x\"\")\""));
}

TEST_F(BordereauTest, gives_the_first_and_last_date_of_those_that_can_be_compared) {
  BordereauTotals totals;
  for (const std::string date : {"1994", "1890/1900", "vers 1850", "2004-02-03", "17xx", "1800/"}) {
    rows_[0].description.date = date;
    totals.add(rows_[0]);
  }
  EXPECT_EQ(totals.first_date, "1890");
  EXPECT_EQ(totals.last_date, "2004-02-03");
}

TEST_F(BordereauTest, is_xml_with_credit_owner_and_original_of_each_item) {
  rows_[0].description.rights.owner = {{"fr", "Ville <de> Paris"}, {"en", "City of Paris"}};
  const std::string xml = rendered("bordereau.xml", head_, rows_);
  auto document = XmlDocument::parse(xml);
  ASSERT_OK(document);
  EXPECT_EQ(document->root().name(), "bordereau");
  std::size_t items = 0;
  document->root().for_each_child([&](const XmlElement& item) {
    if (item.name() == "item") ++items;
  });
  EXPECT_EQ(items, 2u);
  EXPECT_TRUE(holds(xml, "<owner lang=\"fr\">Ville &lt;de&gt; Paris</owner>"));
  EXPECT_TRUE(holds(xml, "<transferringAgency id=\"apur\">Apur &amp; Cie</transferringAgency>"));
  EXPECT_TRUE(holds(xml, "<shelfmark>4 Fi 12</shelfmark>"));
}

}  // namespace
}  // namespace versement::mets
