#include "service/ingest/plan.hpp"

#include <algorithm>
#include <filesystem>

#include <unistd.h>

#include "service/ingest/identify.hpp"
#include "service/ingest/table.hpp"
#include "store/base/digest.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::ingest {
namespace {

using testing::TemporaryFolder;

constexpr const char* kHeader = "filename,identifier,dc.title,dc.rights,credit,owner\n";

class PlanTest : public ::testing::Test {
 protected:
  void put(const std::string& path, const std::string& bytes) {
    ASSERT_OK(make_folders(real_disk(), (dir_ / path).parent_path()));
    testing::write(dir_ / path, bytes);
  }
  void table(const std::string& rows) { put("metadata/metadata.csv", kHeader + rows); }

  const Plan& plan() {
    auto made = make_plan(real_disk(), dir_.path(), defaults_, {});
    EXPECT_OK(made);
    plan_ = std::move(*made);
    return plan_;
  }

  // "severity code path" of every finding but infos.
  std::vector<std::string> findings() {
    std::vector<std::string> out;
    for (const Finding& finding : plan().findings.kept()) {
      if (finding.severity == Severity::info) continue;
      out.push_back(std::string(severity_name(finding.severity)) + " " + finding.code + " " +
                    finding.path);
      EXPECT_FALSE(finding.detail.empty());
    }
    std::sort(out.begin(), out.end());
    return out;
  }

  using List = std::vector<std::string>;
  TemporaryFolder dir_;
  Defaults defaults_;
  Plan plan_;
};

TEST_F(PlanTest, a_good_deposit_has_no_findings) {
  put("objects/a.jpg", "a");
  put("objects/sub/recto.jpg", "r");
  put("objects/sub/verso.jpg", "v");
  table(
      "objects/a.jpg,A-1,Titre,droits,crédit,propriétaire\n"
      "objects/sub/recto.jpg,A-2,Deux,droits,crédit,propriétaire\n"
      "objects/sub/verso.jpg,A-2,,,,\n");
  EXPECT_EQ(findings(), List{});
  ASSERT_EQ(plan_.items.size(), 2u);
  EXPECT_EQ(plan_.items[1].slug.text(), "A-2");
  ASSERT_EQ(plan_.items[1].files.size(), 2u);
  EXPECT_EQ(plan_.items[1].files[0].data_path.text(), "recto.jpg");
  EXPECT_EQ(plan_.items[1].files[0].deposit_path, "objects/sub/recto.jpg");
}

TEST_F(PlanTest, rows_without_files_and_files_without_rows_are_named) {
  put("objects/stray.jpg", "s");
  table("objects/none.jpg,A-1,T,d,c,p\n");
  EXPECT_EQ(findings(), (List{"error file-without-row objects/stray.jpg",
                              "error row-without-file objects/none.jpg"}));
  EXPECT_TRUE(plan_.items[0].rejected);
}

TEST_F(PlanTest, rights_and_credit_are_required_and_may_come_from_the_collection) {
  put("objects/a.jpg", "a");
  table("objects/a.jpg,A-1,T,,,\n");
  EXPECT_EQ(findings(), (List{"error credit-missing objects/a.jpg",
                              "error rights-missing objects/a.jpg", "warning owner-missing "}));
  EXPECT_TRUE(plan_.items[0].rejected);
  defaults_.rights.conditions = {{"fr", "d"}};
  defaults_.rights.credit_line = {{"fr", "c"}};
  defaults_.rights.owner = {{"fr", "p"}};
  EXPECT_EQ(findings(), List{});
  EXPECT_FALSE(plan_.items[0].rejected);
  EXPECT_EQ(plan_.items[0].notice.description().rights.credit_line.at("fr"), "c");
}

TEST_F(PlanTest, links_pipes_and_unusable_names_are_refused) {
  put("objects/a.jpg", "a");
  table("objects/a.jpg,A-1,T,d,c,p\n");
  ASSERT_EQ(::symlink("a.jpg", (dir_ / "objects/link").c_str()), 0);
  ASSERT_EQ(::mkfifo((dir_ / "objects/pipe").c_str(), 0644), 0);
  put("objects/bad\xFFname", "x");
  put("objects/line\nbreak", "x");
  EXPECT_EQ(findings(), (List{"error file-link objects/link", "error file-special objects/pipe",
                              "error name-unusable objects/bad\\xFFname",
                              "error name-unusable objects/line\\u{A}break"}));
}

TEST_F(PlanTest, names_that_collide_elsewhere_are_refused) {
  put("objects/Proc\xC3\xA8s.pdf", "nfc");
  put("objects/Proce\xCC\x80s.pdf", "nfd");
  put("objects/a.jpg", "x");
  put("objects/A.jpg", "y");
  table("objects/a.jpg,A-1,T,d,c,p\nobjects/A.jpg,A-2,T,d,c,p\n");
  EXPECT_EQ(findings(), (List{"error name-case-collision objects/a.jpg",
                              "error name-normalization-collision objects/Proc\xC3\xA8s.pdf"}));
  EXPECT_TRUE(plan_.items[0].rejected);
  EXPECT_TRUE(plan_.items[1].rejected);
}

TEST_F(PlanTest, a_row_in_another_normal_form_finds_its_file_and_the_name_stays) {
  put("objects/Proce\xCC\x80s.pdf", "nfd");
  table("objects/Proc\xC3\xA8s.pdf,A-1,T,d,c,p\n");
  EXPECT_EQ(findings(), List{"warning name-normalization objects/Proce\xCC\x80s.pdf"});
  EXPECT_EQ(plan_.items[0].files[0].data_path.text(), "Proce\xCC\x80s.pdf");
}

TEST_F(PlanTest, a_folder_row_takes_its_files_or_describes_their_group) {
  put("objects/livre/p1.jpg", "1");
  put("objects/livre/p2.jpg", "2");
  put("objects/album/a.jpg", "a");
  table(
      "objects/livre,L-1,Livre,d,c,p\n"
      "objects/album,G-1,Album,d,c,p\n"
      "objects/album/a.jpg,A-1,Photo,d,c,p\n");
  EXPECT_EQ(findings(), List{});
  ASSERT_EQ(plan_.items.size(), 3u);
  EXPECT_EQ(plan_.items[0].files.size(), 2u);
  EXPECT_TRUE(plan_.items[1].files.empty());
  EXPECT_EQ(plan_.items[1].parts, List{"A-1"});
}

TEST_F(PlanTest, analogue_originals_need_no_file) {
  put("metadata/metadata.csv",
      "filename,identifier,dc.title,dc.rights,credit,owner,shelfmark,box,extent\n"
      ",O-1,Rouleau,d,c,p,4 Fi 1,B 1,un rouleau\n"
      ",O-2,Rien,d,c,p,,,\n");
  EXPECT_EQ(findings(), List{"error row-without-file "});
  EXPECT_EQ(plan_.items[0].notice.original().box, "B 1");
  EXPECT_FALSE(plan_.items[0].rejected);
  EXPECT_TRUE(plan_.items[1].rejected);
}

TEST_F(PlanTest, identifiers_become_names_for_addresses_and_may_not_collide) {
  put("objects/a.jpg", "a");
  put("objects/b.jpg", "b");
  put("objects/\xE1\x9E\x95.jpg", "c");
  table(
      "objects/a.jpg,ark:/1/x y,T,d,c,p\nobjects/b.jpg,ark-1-x-y,T,d,c,p\n"
      "objects/\xE1\x9E\x95.jpg,,T,d,c,p\n");
  EXPECT_EQ(findings(), List{"error identifier-collision "});
  EXPECT_EQ(plan_.items[0].slug.text(), "ark-1-x-y");
  EXPECT_EQ(plan_.items[2].slug.text().substr(0, 5), "item-");
}

TEST_F(PlanTest, supplied_checksums_are_matched_and_their_faults_named) {
  put("objects/a.jpg", "a");
  put("objects/b.jpg", "b");
  table("objects/a.jpg,A-1,T,d,c,p\nobjects/b.jpg,A-2,T,d,c,p\n");
  put("metadata/checksum.sha256", digest_of(Algorithm::sha256, "a").hex() + "  a.jpg\n" +
                                      digest_of(Algorithm::sha256, "x").hex() +
                                      "  gone.jpg\nrubbish\n");
  EXPECT_EQ(findings(), (List{"error checksum-line metadata/checksum.sha256",
                              "error checksum-without-file metadata/checksum.sha256",
                              "warning file-without-checksum objects/b.jpg"}));
  EXPECT_EQ(plan_.items[0].files[0].supplied.size(), 1u);
}

TEST_F(PlanTest, an_item_whose_folder_is_not_whole_is_refused) {
  put("objects/album/a.jpg", "a");
  put("objects/other/b.jpg", "b");
  ASSERT_EQ(::symlink("/etc/passwd", (dir_ / "objects/album/link.jpg").c_str()), 0);
  table("objects/album,A-1,T,d,c,p\nobjects/other,B-1,T,d,c,p\n");
  EXPECT_EQ(findings(), List{"error file-link objects/album/link.jpg"});
  EXPECT_TRUE(plan_.items[0].rejected);
  EXPECT_FALSE(plan_.items[1].rejected);
}

TEST_F(PlanTest, folders_that_would_be_too_deep_in_a_bag_are_refused) {
  std::string deep = "objects/album";
  for (std::size_t i = 0; i < limits::kDepositPathDepthMax; ++i)
    deep += "/d";
  put(deep + "/a.jpg", "a");
  put("objects/album/b.jpg", "b");
  table("objects/album,A-1,T,d,c,p\n");
  ASSERT_EQ(findings().size(), 1u);
  EXPECT_TRUE(findings()[0].starts_with("error folder-depth"));
  EXPECT_TRUE(plan_.items[0].rejected);
}

TEST_F(PlanTest, rows_of_an_item_add_to_each_other_and_contradictions_are_said) {
  put("objects/recto.jpg", "r");
  put("objects/verso.jpg", "v");
  table("objects/recto.jpg,A-1,,,crédit,\nobjects/verso.jpg,A-1,Titre,droits,autre,p\n");
  EXPECT_EQ(findings(), List{"warning description-differs objects/verso.jpg"});
  EXPECT_EQ(plan_.items[0].notice.description().title.at("fr"), "Titre");
  EXPECT_EQ(plan_.items[0].notice.description().rights.credit_line.at("fr"), "crédit");
  EXPECT_EQ(plan_.items[0].notice.description().rights.owner.at("fr"), "p");
  EXPECT_FALSE(plan_.items[0].rejected);
}

TEST_F(PlanTest, a_missing_or_broken_table_makes_no_items) {
  put("objects/a.jpg", "a");
  EXPECT_EQ(findings()[1], "error metadata-missing metadata/metadata.csv");
  put("metadata/metadata.csv", "title\nx\n");
  EXPECT_EQ(findings()[1], "error table-no-filename metadata/metadata.csv");
  EXPECT_TRUE(plan_.items.empty());
}

TEST_F(PlanTest, what_lies_beside_objects_is_mentioned_and_not_stored) {
  put("objects/a.jpg", "a");
  put("objects/.DS_Store", "x");
  put("README.md", "r");
  table("objects/a.jpg,A-1,T,d,c,p\n");
  EXPECT_EQ(findings(), List{});
  EXPECT_EQ(plan_.findings.count(Severity::info), 2u);
}

// ---------------------------------------------------------------- what other tools have packed

std::string sha256_hex(const std::string& bytes) {
  return digest_of(Algorithm::sha256, bytes).hex();
}

class AdoptTest : public PlanTest {
 protected:
  AdoptTest() {
    defaults_.rights.conditions["fr"] = "droits";
    defaults_.rights.credit_line["fr"] = "crédit";
    defaults_.rights.owner["fr"] = "propriétaire";
  }

  void bag(const std::string& name, const std::vector<std::string>& files) {
    std::string manifest;
    for (const std::string& file : files) {
      put(name + "/data/" + file, file);
      manifest += sha256_hex(file) + "  data/" + file + "\n";
    }
    put(name + "/manifest-sha256.txt", manifest);
    put(name + "/bagit.txt", "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n");
  }

  // An object of one file for each path, in a root without a layout.
  void object(const std::string& folder, const std::vector<std::string>& paths) {
    put("0=ocfl_1.1", "ocfl_1.1\n");
    std::string manifest;
    std::string state;
    for (const std::string& path : paths) {
      const std::string digest = digest_of(Algorithm::sha512, path).hex();
      const std::string comma = manifest.empty() ? "" : ",";
      manifest += comma + "\"" + digest + "\":[\"v1/content/" + path + "\"]";
      state += comma + "\"" + digest + "\":[\"" + path + "\"]";
      put(folder + "/v1/content/" + path, path);
    }
    const std::string inventory =
        R"({"id":"urn:x:)" + folder +
        R"(","type":"https://ocfl.io/1.1/spec/#inventory","digestAlgorithm":"sha512","head":"v1",)" +
        R"("manifest":{)" + manifest +
        R"(},"versions":{"v1":{"created":"2026-01-01T00:00:00Z","state":{)" + state +
        R"(},"message":"m","user":{"name":"n","address":"mailto:n@example.org"}}}})";
    for (const std::string& place : {folder, folder + "/v1"}) {
      put(place + "/inventory.json", inventory);
      put(place + "/inventory.json.sha512",
          digest_of(Algorithm::sha512, inventory).hex() + " inventory.json\n");
    }
    put(folder + "/0=ocfl_object_1.1", "ocfl_object_1.1\n");
  }

  // Items that will not be rejected, by their names in addresses.
  List taken() {
    List out;
    for (const PlannedItem& item : plan_.items) {
      if (!item.rejected) out.push_back(item.slug.text());
    }
    return out;
  }
};

TEST_F(AdoptTest, bags_become_items) {
  bag("one", {"a.txt", "b.txt"});
  bag("two", {"a.txt"});
  EXPECT_EQ(findings(), List{});
  EXPECT_EQ(taken(), (List{"one", "two"}));
  EXPECT_EQ(plan_.items[0].files.size(), 2u);
}

TEST_F(AdoptTest, a_bag_that_is_none_keeps_no_other_out) {
  bag("good", {"a.txt"});
  bag("syntax", {"a.txt"});
  put("syntax/manifest-sha256.txt", "zzz no manifest\n");
  bag("digits", {"a.txt"});
  put("digits/manifest-sha256.txt", std::string(64, 'z') + "  data/a.txt\n");
  bag("linked", {"a.txt"});
  ASSERT_TRUE(std::filesystem::remove(dir_ / "linked/data/a.txt"));
  std::filesystem::create_symlink(dir_ / "good/data/a.txt", dir_ / "linked/data/a.txt");

  const List found = findings();

  EXPECT_EQ(taken(), List{"good"});
  EXPECT_EQ(plan_.items.size(), 4u);
  for (const char* const name : {"syntax", "digits", "linked"}) {
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const std::string& each) {
      return each.starts_with(std::string("error bag-invalid ") + name);
    })) << name;
  }
}

TEST_F(AdoptTest, what_lies_beside_bags_is_said) {
  bag("good", {"a.txt"});
  put("lost/data/a.txt", "of a bag without its declaration");
  put("notes.txt", "n");
  std::filesystem::create_directory_symlink(dir_ / "good", dir_ / "other");
  EXPECT_EQ(findings(), (List{"error adopt-no-bag lost", "error adopt-no-bag other",
                              "warning adopt-stray notes.txt"}));
  EXPECT_EQ(taken(), List{"good"});
}

TEST_F(AdoptTest, names_that_collide_elsewhere_reject_the_item) {
  bag("case", {"A.txt", "a.txt"});
  bag("form", {"\u00e9.txt", "e\u0301.txt"});
  const List found = findings();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0], "error name-case-collision a.txt");
  EXPECT_TRUE(found[1].starts_with("error name-normalization-collision "));
  EXPECT_EQ(taken(), List{});
}

TEST_F(AdoptTest, two_of_one_name_are_told_apart_without_rows) {
  bag("one", {"a.txt"});
  bag("two", {"b.txt"});
  for (const char* const name : {"one", "two"})
    put(std::string(name) + "/bag-info.txt", "External-Identifier: Same\n");
  EXPECT_EQ(findings(), List{"error identifier-collision "});
  EXPECT_EQ(taken(), List{"Same"});
  EXPECT_NE(plan_.findings.kept().back().detail.find("'Same'"), std::string::npos);
}

TEST_F(AdoptTest, objects_are_validated_and_those_that_are_not_are_counted) {
  object("good", {"a.txt", "b.txt"});
  object("extra", {"a.txt"});
  put("extra/v1/content/unknown.txt", "in no inventory");
  object("broken", {"a.txt"});
  put("broken/inventory.json", "{");
  object("undeclared", {"a.txt"});
  std::filesystem::remove(dir_ / "undeclared/0=ocfl_object_1.1");
  put("lost/file.txt", "of no object");

  const List found = findings();

  EXPECT_EQ(taken(), List{"urn-x-good"});
  EXPECT_EQ(plan_.items.size(), 4u);
  for (const char* const wanted :
       {"error adopt-object extra/v1/content/unknown.txt", "error adopt-object broken",
        "error adopt-object undeclared/0=ocfl_object_1.1", "warning adopt-stray lost/file.txt"}) {
    EXPECT_TRUE(std::any_of(found.begin(), found.end(), [&](const std::string& each) {
      return each.starts_with(wanted);
    })) << wanted;
  }
}

TEST(Table, languages_lists_and_unknown_columns) {
  auto table = read_table(
      "filename,dc.title,dc.title@en,dc.subject,dc.subject,dc.type,dc.type,photographer\n"
      "a,Marché,Market,Marchés,Halles,StillImage,photographie,Inconnu\n");
  ASSERT_EQ(table.findings.size(), 0u);
  const mets::Description& d = table.rows[0].description;
  EXPECT_EQ(d.title.at("fr"), "Marché");
  EXPECT_EQ(d.title.at("en"), "Market");
  EXPECT_EQ(d.subjects.size(), 2u);
  EXPECT_EQ(d.type, "StillImage");
  EXPECT_EQ(d.genre, "photographie");
  EXPECT_EQ(d.unmapped.front().second, "Inconnu");
  EXPECT_EQ(table.unmapped_columns, std::vector<std::string>{"photographer"});
}

TEST(Identify, knows_common_formats_by_their_bytes) {
  EXPECT_EQ(identify(as_bytes("%PDF-1.4\n%\xE2\xE3\xCF\xD3\n")).puid, "fmt/18");
  const std::string jfif("\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
                         20);
  EXPECT_EQ(identify(as_bytes(jfif)).puid, "fmt/43");
  EXPECT_EQ(identify(as_bytes("plain words\n")).media_type, "text/plain");
  EXPECT_EQ(identify({}).media_type, "application/octet-stream");
}

}  // namespace
}  // namespace versement::ingest
