// Bad tables: each is refused with the row, the column and what to do.
#include <algorithm>

#include "service/ingest/plan.hpp"
#include "service/ingest/rights_match.hpp"
#include "service/ingest/rights_table.hpp"
#include "service/ingest/table.hpp"
#include "store/base/limits.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::ingest {
namespace {

using testing::TemporaryFolder;

struct Bad {
  std::string bytes;
  std::string code;
  std::size_t row;
  std::size_t column;
  std::string remedy;  // a part of it
};

// Utf-16 little endian, of ASCII.
std::string wide(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += c;
    out += '\0';
  }
  return out;
}

void expect_finding(const std::vector<Finding>& findings, const Bad& bad) {
  const auto found = std::find_if(findings.begin(), findings.end(), [&](const Finding& each) {
    return each.code == bad.code && each.row == bad.row && each.column == bad.column;
  });
  const std::string shown = bad.bytes.substr(0, 60);
  if (found == findings.end()) {
    ADD_FAILURE() << shown << ": no " << bad.code << " in row " << bad.row << ", column "
                  << bad.column << "; "
                  << (findings.empty() ? std::string("nothing found")
                                       : findings.front().code + ": " + findings.front().detail);
    return;
  }
  EXPECT_NE(found->remedy.find(bad.remedy), std::string::npos) << shown << ": " << found->remedy;
  EXPECT_FALSE(found->detail.empty()) << shown;
  EXPECT_FALSE(found->path.empty()) << shown;
}

TEST(BadTables, are_refused_with_row_column_and_remedy) {
  const std::string head = "filename,dc.title\n";
  const std::vector<Bad> cases{
      {"", "table-empty", 1, 0, "name the columns"},
      {"\n\n , \n", "table-empty", 1, 0, "name the columns"},
      {head + "a.jpg,\xE9t\xE9\n", "table-encoding", 2, 0, "save the table as UTF-8"},
      {head + "a,b\nc,\xFF\n", "table-encoding", 3, 0, "save the table as UTF-8"},
      {head + "a,\xC0\xAF\n", "table-encoding", 2, 0, "UTF-8"},
      {head + "a,\xED\xA0\x80\n", "table-encoding", 2, 0, "UTF-8"},
      {"\xFF\xFE" + wide("filename\n"), "table-encoding", 1, 0, "UTF-8"},
      {"\xFE\xFF\x00"
       "f",
       "table-encoding", 1, 0, "UTF-8"},
      {wide("filename,dc.title\n"), "table-encoding", 1, 0, "UTF-8"},
      {head + std::string("a,b\0c\n", 6), "table-nul", 2, 0, "export it anew"},
      {"filename;dc.title\na;b\n", "table-delimiter", 1, 1, "export it with commas"},
      {"\"filename\";\"dc.title\"\n\"a\";\"b\"\n", "table-delimiter", 1, 1, "with commas"},
      {"filename\tdc.title\na\tb\n", "table-delimiter", 1, 1, "export it with commas"},
      {"filename|dc.title\na|b\n", "table-delimiter", 1, 1, "export it with commas"},
      {"file,dc.title\na,b\n", "table-no-filename", 1, 0, "name the columns"},
      {"a.jpg,Titre\n", "table-no-filename", 1, 0, "name the columns"},
      {"filename,filename\na,b\n", "table-column-twice", 1, 2, "take one"},
      {"filename,dc.date,DC.Date\na,b,c\n", "table-column-twice", 1, 3, "take one"},
      {"filename,identifier,x,identifier\n", "table-column-twice", 1, 4, "take one"},
      {"filename,box,box\n", "table-column-twice", 1, 3, "take one"},
      {"filename,dc.title@\na,b\n", "table-language", 1, 2, "write a code"},
      {"filename,dc.title@french language\na,b\n", "table-language", 1, 2, "write a code"},
      {"filename,dc.title@fr_FR\na,b\n", "table-language", 1, 2, "write a code"},
      {"filename,dc.title@f\na,b\n", "table-language", 1, 2, "write a code"},
      {"filename,credit@fr-\na,b\n", "table-language", 1, 2, "write a code"},
      {head + "a,b,c\n", "table-cells", 2, 3, "in quotes"},
      {head + "a,b\nc,d,,\n", "table-cells", 3, 3, "in quotes"},
      {"filename,,dc.title\na,lost,b\n", "table-column-unnamed", 2, 2, "name the column"},
      {"filename,dc.title,\na,b,\nc,d,lost\n", "table-column-unnamed", 3, 3, "name the column"},
      {head + "a,\"b\n", "table-quote", 2, 2, "close it"},
      {head + "\"a,b\nc,d\n", "table-quote", 2, 1, "close it"},
      {head + "a,\"b\"c\n", "table-quote", 2, 2, "twice"},
      {head + "a,b\"c\n", "table-quote", 2, 2, "in quotes"},
      {head + "a,L\"Été\n", "table-quote", 2, 2, "in quotes"},
      {"filename,dc.title\ra,b\r", "table-line-end", 1, 2, "line ends"},
      {head + "a," + std::string(limits::kCsvCellBytesMax + 1, 'x') + "\n", "table-limit", 2, 2,
       "shorten"},
      {"filename" + std::string(limits::kCsvColumnsMax, ','), "table-limit", 1,
       limits::kCsvColumnsMax + 1, "take the columns away"},
      {"filename,reproduction\na,perhaps\n", "row-value", 2, 2, "allowed_with_credit"},
      {"filename,versement.item\na,été\n", "row-value", 2, 2, "A-Z"},
  };
  ASSERT_GE(cases.size(), 30u);
  for (const Bad& bad : cases) {
    const Table table = read_table(bad.bytes);
    expect_finding(table.findings, bad);
    const bool row_only = bad.code == "row-value";
    EXPECT_EQ(table.faulty, !row_only) << bad.code;
    EXPECT_EQ(row_only && table.rows.at(0).faulty, row_only) << bad.code;
  }
}

TEST(BadTables, tell_latin_1_from_broken_bytes) {
  const Table latin = read_table("filename,dc.title\na,caf\xE9 bleu\n");
  EXPECT_NE(latin.findings.at(0).detail.find("Windows-1252"), std::string::npos);
  EXPECT_NE(latin.findings.at(0).detail.find("byte 6 of the line"), std::string::npos);
  const Table broken = read_table("filename,dc.title\na,caf\x81\n");
  EXPECT_EQ(broken.findings.at(0).detail.find("Windows-1252"), std::string::npos);
}

TEST(BadTables, all_that_is_wrong_is_told_at_once) {
  const Table table = read_table(
      "filename,dc.title@,dc.date,dc.date,\n"
      "a,b\"c,1,2,\n"
      "d,e,f,g,lost\n"
      "h,i,j,k,,too,many\n");
  std::vector<std::string> codes;
  for (const Finding& finding : table.findings)
    codes.push_back(std::to_string(finding.row) + " " + finding.code);
  EXPECT_EQ(codes,
            (std::vector<std::string>{"1 table-language", "1 table-column-twice", "2 table-quote",
                                      "3 table-column-unnamed", "4 table-cells"}));
}

TEST(BadTables, what_only_looks_odd_is_read) {
  const Table table = read_table(
      "\xEF\xBB\xBF"
      "FileName,dc.title@KM-kh,note@home,dc.title,,\r\n"
      "\" a.jpg \",\"x, \"\"y\"\"\nz\",'=1+1,''@,,\r\n\r\n");
  EXPECT_EQ(table.findings.size(), 0u);
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].filename, " a.jpg ");
  EXPECT_EQ(table.rows[0].description.title.at("km-kh"), "x, \"y\"\nz");
  EXPECT_EQ(table.rows[0].description.title.at("fr"), "'@");
  EXPECT_EQ(table.rows[0].description.unmapped.at(0),
            (std::pair<std::string, std::string>{"note@home", "=1+1"}));
}

TEST(BadRights, are_refused_with_row_column_and_remedy) {
  const std::string head = "file,basis,grant_act,grant_restriction,start_date\n";
  const std::vector<Bad> cases{
      {"path,basis\na,license\n", "rights-no-file", 1, 0, "name the columns"},
      {"file;basis\na;license\n", "table-delimiter", 1, 1, "commas"},
      {"file,basis,basis\n", "table-column-twice", 1, 3, "take one"},
      {"file,basis,owner\na,license,x\n", "rights-column", 1, 3, "note"},
      {head + ",license,,,\n", "rights-file", 2, 1, "identifier"},
      {head + "a,,,,\n", "rights-basis", 2, 2, "copyright"},
      {head + "a,licence,,,\n", "rights-basis", 2, 2, "license"},
      {head + "a,license,,Allow,\n", "rights-act", 2, 3, "grant_act"},
      {head + "a,license,copy,Perhaps,\n", "rights-restriction", 2, 4, "Conditional"},
      {head + "a,license,copy,Allow,Tuesday\n", "rights-date", 2, 5, "1994"},
      {head + "a,copyright,,,\n", "rights-incomplete", 2, 0, "status"},
      {head + "a,license,,,,x\n", "table-cells", 2, 6, "in quotes"},
      {head + "a,\"license\n", "table-quote", 2, 2, "close it"},
      {head + "a,\xE9\n", "table-encoding", 2, 0, "UTF-8"},
      {head + "a,license,\x1B[2J,Allow,\n", "table-control", 2, 3, "take it out"},
  };
  for (const Bad& bad : cases)
    expect_finding(read_rights(bad.bytes).findings, bad);
}

TEST(BadRights, different_statements_without_end_are_not_kept) {
  std::string rows = "file,basis,note\n";
  for (std::size_t i = 0; i <= limits::kRightsTextsMax + 100; ++i)
    rows += "a,license," + std::to_string(i) + "\n";
  const RightsTable table = read_rights(rows);
  EXPECT_TRUE(table.faulty);
  ASSERT_EQ(table.findings.size(), 1u);
  EXPECT_EQ(table.findings[0].code, "table-limit");
  EXPECT_EQ(table.findings[0].row, limits::kRightsTextsMax + 2);
  EXPECT_EQ(table.rows.size(), limits::kRightsTextsMax);
}

// ---------------------------------------------------------------- against a folder

class TablesTest : public ::testing::Test {
 protected:
  void put(const std::string& path, const std::string& bytes) {
    ASSERT_OK(make_folders(real_disk(), (dir_ / path).parent_path()));
    testing::write(dir_ / path, bytes);
  }
  void table(const std::string& rows) {
    put("metadata/metadata.csv", "filename,identifier,dc.title,dc.rights,credit,owner\n" + rows);
  }
  void rights(const std::string& rows) {
    put("metadata/rights.csv", "file,basis,terms,grant_act,grant_restriction\n" + rows);
  }
  const Plan& plan() {
    auto made = make_plan(real_disk(), dir_.path(), Defaults(), {});
    EXPECT_OK(made);
    plan_ = std::move(*made);
    return plan_;
  }
  // What is said of a row.
  std::string said_of(std::size_t row, const std::string& code) {
    for (const Finding& finding : plan().findings.kept()) {
      if (finding.code == code && finding.row == row) return finding.detail + "; " + finding.remedy;
    }
    return "nothing";
  }
  static bool holds(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  }

  TemporaryFolder dir_;
  Plan plan_;
};

TEST_F(TablesTest, names_that_leave_the_deposit_or_are_not_there_say_why) {
  put("objects/sub/Été.jpg", "a");
  put("objects/b.jpg", "b");
  table(
      "/etc/passwd,A,T,d,c,p\n"
      "objects/../../x,B,T,d,c,p\n"
      "objects/sub/été.JPG,C,T,d,c,p\n"
      "objects\\b.jpg,D,T,d,c,p\n"
      " objects/b.jpg,E,T,d,c,p\n"
      "other/b.jpg,F,T,d,c,p\n"
      "objects//b.jpg,G,T,d,c,p\n");
  EXPECT_TRUE(holds(said_of(2, "row-path"), "absolute path"));
  EXPECT_TRUE(holds(said_of(3, "row-path"), "'..'"));
  EXPECT_TRUE(holds(said_of(4, "row-without-file"), "differs in capital letters only"));
  EXPECT_TRUE(holds(said_of(5, "row-without-file"), "not by a backslash"));
  EXPECT_TRUE(holds(said_of(6, "row-without-file"), "blanks around the name"));
  EXPECT_TRUE(holds(said_of(7, "row-without-file"), "a file of that name is 'objects/b.jpg'"));
  EXPECT_TRUE(holds(said_of(8, "row-path"), "empty part"));
}

TEST_F(TablesTest, rows_that_name_one_file_or_folder_twice_name_each_other) {
  put("objects/a.jpg", "a");
  put("objects/f/b.jpg", "b");
  table(
      "objects/a.jpg,A,T,d,c,p\n"
      "objects/a.jpg,A,,,,\n"
      "objects/a.jpg,B,T,d,c,p\n"
      "objects/f,C,T,d,c,p\n"
      "objects/f/,C,U,,,\n"
      "objects/f,D,T,d,c,p\n");
  EXPECT_TRUE(holds(said_of(3, "row-duplicate"), "row 2"));
  EXPECT_TRUE(holds(said_of(4, "file-in-two-items"), "row 2"));
  EXPECT_TRUE(holds(said_of(6, "row-duplicate"), "row 5"));
  EXPECT_TRUE(holds(said_of(6, "description-differs"), "title.fr"));
  EXPECT_TRUE(holds(said_of(7, "file-in-two-items"), "row 5"));
}

TEST_F(TablesTest, a_broken_table_tells_of_its_rows_too_and_nothing_is_taken) {
  put("objects/a.jpg", "a");
  table("objects/a.jpg,A,T,d,c,p\nobjects/none.jpg,B,T,d,c,p,more\n");
  EXPECT_TRUE(holds(said_of(3, "table-cells"), "7 cells"));
  EXPECT_TRUE(holds(said_of(3, "row-without-file"), "not there"));
  for (const PlannedItem& item : plan_.items)
    EXPECT_TRUE(item.rejected);
}

TEST_F(TablesTest, rights_go_to_the_item_of_the_file_or_to_the_files_that_have_them) {
  put("objects/a/1.jpg", "1");
  put("objects/a/2.jpg", "2");
  put("objects/b.jpg", "b");
  table("objects/a,A,T,d,c,p\nobjects/b.jpg,B,T,d,c,p\n");
  rights(
      "objects/a,license,L,disseminate,allow\n"
      "objects/a,license,L,modify,Disallow\n"
      "objects/a/2.jpg,donor,D,,\n"
      "B,statute,S,,\n");
  EXPECT_EQ(plan().findings.count(Severity::error), 0u);
  const auto a = plan_.items.at(0).notice.description().rights.statements;
  ASSERT_EQ(a.size(), 2u);
  EXPECT_EQ(a[0].terms, "L");
  EXPECT_EQ(a[0].grants.size(), 2u);
  EXPECT_EQ(a[0].grants.at(0).restriction, "Allow");
  EXPECT_TRUE(a[0].files.empty());
  EXPECT_EQ(a[1].files, std::vector<std::string>{"2.jpg"});
  EXPECT_EQ(plan_.items.at(1).notice.description().rights.statements.at(0).basis, "statute");
}

TEST_F(TablesTest, rights_that_cannot_be_understood_keep_their_item_out) {
  put("objects/a.jpg", "a");
  put("objects/b.jpg", "b");
  table("objects/a.jpg,A,T,d,c,p\nobjects/b.jpg,B,T,d,c,p\n");
  rights("objects/a.jpg,mine,,,\nobjects/B.jpg,license,,,\n");
  EXPECT_TRUE(holds(said_of(2, "rights-basis"), "'mine'"));
  EXPECT_TRUE(holds(said_of(3, "rights-without-file"), "capital letters"));
  EXPECT_TRUE(plan_.items.at(0).rejected);
  EXPECT_FALSE(plan_.items.at(1).rejected);

  rights("objects/a.jpg,\"license\n");
  EXPECT_TRUE(holds(said_of(2, "table-quote"), "never closed"));
  for (const PlannedItem& item : plan_.items)
    EXPECT_TRUE(item.rejected);
}

// Twenty thousand rows for a folder of eight hundred files were sixteen million statements.
TEST_F(TablesTest, a_row_for_a_folder_costs_nothing_for_each_of_its_files) {
  std::string rows;
  for (int i = 0; i < 800; ++i)
    put("objects/a/" + std::to_string(i) + ".jpg", "");
  for (int i = 0; i < 20'000; ++i)
    rows += "objects/a,license,L,disseminate" + std::to_string(i % 200) + ",Allow\n";
  table("objects/a,A,T,d,c,p\n");
  rights(rows);
  EXPECT_EQ(plan().findings.count(Severity::error), 0u);
  const auto statements = plan_.items.at(0).notice.description().rights.statements;
  ASSERT_EQ(statements.size(), 1u);
  EXPECT_EQ(statements[0].grants.size(), 200u);
  EXPECT_TRUE(statements[0].files.empty());
}

TEST_F(TablesTest, more_rights_than_a_file_can_have_name_the_row_and_keep_the_item_out) {
  put("objects/a/1.jpg", "");
  put("objects/b.jpg", "");
  std::string rows;
  for (int i = 0; i < 20'000; ++i)
    rows += "objects/a" + std::string(i % 2 == 0 ? "" : "/1.jpg") + ",license,L" +
            std::to_string(i) + ",,\n";
  for (int i = 0; i < 300; ++i)
    rows += "B,license,L" + std::to_string(i) + ",,\n";
  table("objects/a,A,T,d,c,p\nobjects/b.jpg,X,T,d,c,p\n,B,T,d,c,p\n");
  rights(rows);
  const std::string said = said_of(258, "rights-too-many");
  EXPECT_TRUE(holds(said, "more than 256 different things of 'objects/a/1.jpg'")) << said;
  EXPECT_TRUE(holds(said, "take away the rows")) << said;
  EXPECT_TRUE(holds(said_of(20'258, "rights-too-many"), "of the item"));
  EXPECT_TRUE(plan_.items.at(0).rejected);
  EXPECT_FALSE(plan_.items.at(1).rejected);
  EXPECT_TRUE(plan_.items.at(2).rejected);
}

TEST_F(TablesTest, rights_that_need_long_lists_of_files_are_refused_before_these_are_made) {
  std::string rows;
  for (int i = 0; i < 800; ++i) {
    const std::string name = "objects/a/" + std::string(60, 'n') + std::to_string(i);
    put(name, "");
    if (i != 400) rows += name + ",license,L,,\n";
  }
  table("objects/a,A,T,d,c,p\n");
  rights(rows);
  EXPECT_TRUE(holds(said_of(2, "rights-too-long"), "name folders rather than files"));
  EXPECT_TRUE(plan_.items.at(0).rejected);
}

TEST_F(TablesTest, statements_name_their_files_where_some_have_them_and_some_not) {
  for (const char* const name : {"1", "2", "3", "4"})
    put("objects/a/" + std::string(name), "");
  put("objects/a/sub/5", "");
  table("objects/a,A,T,d,c,p\n");
  rights(
      "objects/a/1,license,L,,\nobjects/a/2,license,L,,\nobjects/a/4,license,L,,\n"
      "objects/a/sub,donor,D,modify,Allow\nobjects/a/sub/5,donor,D,copy,Disallow\n"
      "objects/a/4,donor,D,modify,Allow\n"
      "A,policy,P,,\n");
  EXPECT_EQ(plan().findings.count(Severity::error), 0u);
  const auto all = plan_.items.at(0).notice.description().rights.statements;
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(all[0].terms, "P");
  EXPECT_TRUE(all[0].files.empty());
  EXPECT_EQ(all[1].files, (std::vector<std::string>{"1", "2", "4"}));
  EXPECT_EQ(all[2].files, std::vector<std::string>{"4"});
  EXPECT_EQ(all[2].grants.size(), 1u);
  EXPECT_EQ(all[3].files, std::vector<std::string>{"sub/5"});
  EXPECT_EQ(all[3].grants.size(), 2u);
}

TEST_F(TablesTest, rows_that_describe_one_item_without_end_are_not_gathered_without_end) {
  std::string rows = "filename,identifier,dc.title,dc.rights,credit,owner,dc.subject\n";
  put("objects/a", "");
  rows += "objects/a,A,T,d,c,p,s\n";
  for (int i = 0; i < 20'000; ++i)
    rows += ",A,,,,,subject number " + std::to_string(i) + "\n";
  put("metadata/metadata.csv", rows);
  EXPECT_TRUE(holds(said_of(2, "description-too-long"), "24 KiB"));
  EXPECT_LT(plan_.items.at(0).notice.description().subjects.size(), 2000u);
}

TEST_F(TablesTest, a_plan_is_given_up_when_its_job_is_stopped) {
  put("objects/a", "");
  table("objects/a,A,T,d,c,p\n");
  rights("objects/a,license,L,,\n");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FAILS(make_plan(real_disk(), dir_.path(), Defaults(), stop.get_token()), Code::cancelled);
  const RightsTable read = read_rights("file,basis\nobjects/a,license\n");
  RightsMatch match(read);
  match.add("objects", 0);
  const std::vector<std::string> paths{"objects/a"};
  EXPECT_FAILS(match.of_item(0, paths, 0, stop.get_token()), Code::cancelled);
}

// A table would keep them, and METS would have something else in their place.
TEST(BadTables, control_characters_are_refused_wherever_they_stand) {
  const std::vector<std::string> never{"\x01",     "\x08",         "\x1B",
                                       "\x7F",     "\xC2\x80",     "\xC2\x92",
                                       "\xC2\x9F", "\xEF\xBF\xBE", "\xEF\xBF\xBF"};
  for (const std::string& character : never) {
    expect_finding(read_table("filename,dc.title\na,b\nc,A" + character + "B\n").findings,
                   {"", "table-control", 3, 2, "take it out"});
    EXPECT_TRUE(read_table("filename,no" + character + "te\na,b\n").faulty);
    EXPECT_TRUE(read_table("filename,x\na,A" + character + "B\n").rows.at(0).faulty);
    EXPECT_FALSE(read_table("filename,x\nA" + character + "B,b\n").rows.at(0).faulty);
    EXPECT_TRUE(read_rights("file,ba" + character + "sis\na,license\n").faulty);
  }
  for (const std::string text : {"\"a\tb\nc\r\nd\"", "\xC2\xA0", "\xE2\x80\x8B", "\xEF\xBF\xBD"}) {
    const Table table = read_table("filename,dc.title\na," + text + "\n");
    EXPECT_EQ(table.findings.size(), 0u);
  }
}

TEST(BadTables, a_column_that_is_a_slip_of_a_known_one_names_that) {
  const std::vector<std::pair<std::string, std::string>> near{
      {"dc.titel", "dc.title"},        {"dc:title", "dc.title"}, {"title", "dc.title"},
      {"DCTERMS.Title", "dc.title"},   {"credits", "credit"},    {"shelf mark", "shelfmark"},
      {"dc.creater@fr", "dc.creator"}, {"boxx", "box"},          {"dc.date ", "dc.date"}};
  for (const auto& [written, meant] : near)
    EXPECT_EQ(near_column(written), meant) << written;
  for (const std::string other : {"note", "parts", "bx1", "Fonds", "dc.publisher", "", "x"})
    EXPECT_EQ(near_column(other), "") << other;
}

TEST_F(TablesTest, a_column_that_is_nearly_known_is_a_warning_others_are_infos) {
  put("objects/a", "");
  put("metadata/metadata.csv",
      "filename,dc.titel,Campagne,dc.rights,credit,owner\nobjects/a,T,1,d,c,p\n");
  EXPECT_TRUE(holds(said_of(1, "column-near"), "did you mean dc.title?"));
  EXPECT_EQ(plan_.findings.count(Severity::warning), 1u);
  EXPECT_TRUE(holds(said_of(0, "column-unmapped"), "Campagne"));
}

TEST_F(TablesTest, names_with_what_nobody_sees_are_kept_and_told) {
  const std::vector<std::string> hidden{"\xC2\x85",        "\xE2\x80\xAE", "\xE2\x80\x8B",
                                        "\xEF\xBB\xBF",    "\xE2\x81\xA6", "\xEF\xB7\x90",
                                        "\xF0\x9F\xBF\xBE"};
  const std::vector<std::string> script{"\xE2\x80\x8D", "\xEF\xB8\x8F", "\xE1\x9E\x95\xE1\x9F\x92"};
  std::string rows;
  for (const auto* const list : {&hidden, &script}) {
    for (const std::string& character : *list) {
      const std::string name = "objects/x" + character + "fdp.exe";
      put(name, "");
      rows += name + ",I" + std::to_string(rows.size()) + ",T,d,c,p\n";
    }
  }
  table(rows);
  std::size_t said = 0;
  for (const Finding& finding : plan().findings.kept()) {
    EXPECT_EQ(finding.code, "name-hidden-character");
    EXPECT_EQ(finding.severity, Severity::warning);
    EXPECT_TRUE(holds(finding.detail, "U+"));
    ++said;
  }
  EXPECT_EQ(said, hidden.size());
  EXPECT_EQ(plan_.items.size(), hidden.size() + script.size());
  for (const PlannedItem& item : plan_.items)
    EXPECT_FALSE(item.rejected);
}

TEST_F(TablesTest, a_name_that_xml_cannot_write_keeps_its_item_out) {
  put("objects/a\xEF\xBF\xBE.jpg", "");
  put("objects/b\xEF\xBF\xBF.jpg", "");
  table("objects/a\xEF\xBF\xBE.jpg,A,T,d,c,p\nobjects/b\xEF\xBF\xBF.jpg,B,T,d,c,p\n");
  EXPECT_TRUE(holds(said_of(0, "name-unusable"), "which XML cannot write"));
  EXPECT_EQ(plan_.findings.count(Severity::error), 2u);
  for (const PlannedItem& item : plan_.items)
    EXPECT_TRUE(item.rejected);
}

}  // namespace
}  // namespace versement::ingest
