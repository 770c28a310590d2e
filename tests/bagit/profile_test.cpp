#include "bagit/profile.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "bagit/profiles.hpp"
#include "store/base/limits.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::bagit {
namespace {

using testing::TemporaryFolder;
using Names = std::vector<std::string>;

const std::string kInfo = R"("BagIt-Profile-Info":{"BagIt-Profile-Identifier":"urn:p",)"
                          R"("BagIt-Profile-Version":"1.4.0","Source-Organization":"S",)"
                          R"("External-Description":"D","Version":"1"})";
const std::string kVersions = R"(,"Accept-BagIt-Version":["1.0"])";

std::string profile_with(const std::string& members) {
  return "{" + kInfo + kVersions + (members.empty() ? "" : ",") + members + "}";
}

BagFacts::Names list(Names names) {
  return [names = std::move(names)](const std::function<void(std::string_view)>& each) {
    for (const std::string& name : names)
      each(name);
  };
}

BagFacts good_facts() {
  BagFacts facts;
  facts.version = "1.0";
  facts.info = {{"BagIt-Profile-Identifier", "urn:p"}, {"Title", "T"}};
  facts.payload_algorithms = {"sha512"};
  facts.tag_algorithms = {"sha512"};
  facts.payload_files = 1;
  facts.payload_octets = 5;
  facts.tag_files =
      list({"bag-info.txt", "bagit.txt", "manifest-sha512.txt", "tagmanifest-sha512.txt"});
  facts.payload = list({"data/a.tif"});
  return facts;
}

// The codes of what the bag does not fulfil, with the path.
Names broken(const std::string& members, const BagFacts& facts, bool identifier = true) {
  const auto profile = Profile::parse(profile_with(members));
  EXPECT_OK(profile);
  Names out;
  if (!profile) return out;
  profile->check(facts, identifier, [&](const Finding& finding) {
    out.push_back(finding.code + (finding.path.empty() ? "" : " " + finding.path));
  });
  return out;
}

TEST(Profile, a_small_one_is_read_and_fulfilled) {
  const auto profile = Profile::parse(profile_with(""));
  ASSERT_OK(profile);
  EXPECT_EQ(profile->identifier(), "urn:p");
  EXPECT_EQ(profile->version(), "1.4.0");
  EXPECT_EQ(broken("", good_facts()), Names{});
}

TEST(Profile, its_own_description_must_be_whole) {
  EXPECT_FAILS(Profile::parse("{" + kVersions.substr(1) + "}"), Code::invalid);
  for (const char* const field :
       {"Source-Organization", "External-Description", "Version", "BagIt-Profile-Identifier"}) {
    std::string text = profile_with("");
    text.replace(text.find("\"" + std::string(field) + "\""), std::string(field).size() + 2,
                 "\"Other\"");
    EXPECT_FAILS(Profile::parse(text), Code::invalid);
  }
}

TEST(Profile, versions_to_1_4_are_known) {
  const auto with_version = [](const std::string& version) {
    std::string text = profile_with("");
    return text.replace(text.find("1.4.0"), 5, version);
  };
  for (const char* const version : {"1.0", "1.1.0", "1.2.0", "1.3.0", "1.4.0", "1.4.1"})
    EXPECT_OK(Profile::parse(with_version(version)));
  for (const char* const version : {"1.5.0", "2.0.0", "1", "", "1.4.0.0", "1.x"})
    EXPECT_FAILS(Profile::parse(with_version(version)), Code::unsupported);
  std::string unsaid = profile_with("");
  const std::string member = R"("BagIt-Profile-Version":"1.4.0",)";
  const auto old = Profile::parse(unsaid.erase(unsaid.find(member), member.size()));
  ASSERT_OK(old);
  EXPECT_EQ(old->version(), "1.1.0");
}

TEST(Profile, one_that_contradicts_itself_is_refused) {
  for (const char* const members : {
           R"("Manifests-Required":["md5"],"Manifests-Allowed":["sha512"])",
           R"("Tag-Manifests-Required":["md5"],"Tag-Manifests-Allowed":[])",
           R"("Tag-Files-Required":["a/b.txt"],"Tag-Files-Allowed":["c/*"])",
           R"("Tag-Files-Required":["data/b.txt"])",
           R"("Payload-Files-Required":["b.txt"])",
           R"("Payload-Files-Required":["data/b"],"Payload-Files-Allowed":["data/c*"])",
           R"("Payload-Files-Required":["data/s/"],"Payload-Files-Allowed":["data/c*"])",
           R"("Payload-Files-Allowed":["data/s/"])",
           R"("Payload-Files-Required":["data/a","data/b"],"Data-Empty":true)",
           R"("Allow-Fetch.txt":false,"Fetch.txt-Required":true)",
           R"("Serialization":"required")",
           R"("Serialization":"required","Accept-Serialization":[])",
           R"("Bag-Info":{"Title":{},"TITLE":{}})",
       }) {
    EXPECT_FAILS(Profile::parse(profile_with(members)), Code::invalid);
  }
  EXPECT_FAILS(Profile::parse("{" + kInfo + "}"), Code::invalid);
  EXPECT_FAILS(Profile::parse("{" + kInfo + R"(,"Accept-BagIt-Version":[]})"), Code::invalid);
}

TEST(Profile, members_of_another_type_are_refused) {
  for (const char* const members : {
           R"("Bag-Info":[])",
           R"("Bag-Info":{"Title":true})",
           R"("Bag-Info":{"Title":{"required":"yes"}})",
           R"("Bag-Info":{"Title":{"repeatable":1}})",
           R"("Bag-Info":{"Title":{"values":"one"}})",
           R"("Bag-Info":{"Title":{"values":[1]}})",
           R"("Manifests-Required":"md5")",
           R"("Manifests-Required":null)",
           R"("Allow-Fetch.txt":"false")",
           R"("Serialization":"perhaps")",
           R"("Serialization":null)",
       }) {
    EXPECT_FAILS(Profile::parse(profile_with(members)), Code::invalid);
  }
}

TEST(Profile, more_entries_than_are_looked_at_are_refused) {
  std::string entries = "\"a\"";
  for (std::size_t i = 0; i < limits::kProfileEntriesMax; ++i)
    entries += ",\"a\"";
  EXPECT_FAILS(Profile::parse(profile_with("\"Tag-Files-Allowed\":[" + entries + "]")),
               Code::limit);
  const std::string path(limits::kPathBytesMax + 1, 'a');
  EXPECT_FAILS(Profile::parse(profile_with("\"Tag-Files-Allowed\":[\"" + path + "\"]")),
               Code::limit);
}

TEST(Profile, formats_of_other_programs_are_refused_by_name) {
  const auto dart = Profile::parse(R"({"name":"x","acceptBagItVersion":["1.0"],"tags":[]})");
  EXPECT_FAILS(dart, Code::unsupported);
  EXPECT_EQ(dart.error().reason(), "profile-of-dart");
  for (const char* const text :
       {R"({"ordered":[{"a":{"fieldRequired":true}}]})", R"({"To":{"requiredValue":"S"}})"}) {
    const auto bagger = Profile::parse(text);
    EXPECT_FAILS(bagger, Code::unsupported);
    EXPECT_EQ(bagger.error().reason(), "profile-of-bagger");
  }
}

TEST(Profile, what_it_does_not_know_is_told) {
  const std::string members =
      R"("Bag-Info":{"Title":{"regex":"x","recommended":true,"description":"d"}},"Other-Info":[])";
  const auto profile = Profile::parse(profile_with(members));
  ASSERT_OK(profile);
  EXPECT_EQ(profile->unknown(), (Names{"/Bag-Info/Title/regex", "/Other-Info"}));
  EXPECT_EQ(broken(members, good_facts()), (Names{"profile.unchecked", "profile.unchecked"}));
}

TEST(Profile, the_bag_must_name_it) {
  BagFacts facts = good_facts();
  facts.info = {{"bagit-profile-identifier", "urn:other"}, {"BAGIT-PROFILE-IDENTIFIER", "urn:p"}};
  EXPECT_EQ(broken("", facts), Names{});
  facts.info.pop_back();
  EXPECT_EQ(broken("", facts), Names{"profile.identifier bag-info.txt"});
  EXPECT_EQ(broken("", facts, false), Names{});
}

TEST(Profile, labels_are_required_repeated_and_of_values) {
  BagFacts facts = good_facts();
  const std::string required = R"("Bag-Info":{"Title":{"required":true,"repeatable":false}})";
  facts.info = {{"TITLE", "T"}};
  EXPECT_EQ(broken(required, facts, false), Names{});
  facts.info.emplace_back("title", "U");
  EXPECT_EQ(broken(required, facts, false), Names{"profile.bag-info-repeated bag-info.txt"});
  facts.info.clear();
  EXPECT_EQ(broken(required, facts, false), Names{"profile.bag-info-required bag-info.txt"});
  facts.info = {{"Title", ""}};
  EXPECT_EQ(broken(required, facts, false), Names{"profile.bag-info-required bag-info.txt"});

  const std::string values = R"("Bag-Info":{"Title":{"values":["one","two words"]}})";
  facts.info = {{"Title", "one"}, {"Title", "two\nwords"}};
  EXPECT_EQ(broken(values, facts, false), Names{});
  facts.info.emplace_back("Title", "One");
  EXPECT_EQ(broken(values, facts, false), Names{"profile.bag-info-value bag-info.txt"});
  facts.info.clear();
  EXPECT_EQ(broken(values, facts, false), Names{});
}

TEST(Profile, manifests_are_required_and_allowed) {
  BagFacts facts = good_facts();
  facts.payload_algorithms = {"SHA512"};
  const std::string members =
      R"("Manifests-Required":["sha512"],"Manifests-Allowed":["sha512","sha256"],)"
      R"("Tag-Manifests-Required":["sha512"],"Tag-Manifests-Allowed":["sha512"])";
  EXPECT_EQ(broken(members, facts), Names{});
  facts.payload_algorithms = {"md5"};
  facts.tag_algorithms = {"sha256"};
  EXPECT_EQ(broken(members, facts), (Names{"profile.manifest-required manifest-sha512.txt",
                                           "profile.manifest-not-allowed manifest-md5.txt",
                                           "profile.tag-manifest-required tagmanifest-sha512.txt",
                                           "profile.tag-manifest-not-allowed "
                                           "tagmanifest-sha256.txt"}));
}

TEST(Profile, fetch_version_and_emptiness) {
  BagFacts facts = good_facts();
  EXPECT_EQ(broken(R"("Fetch.txt-Required":true)", facts), Names{"profile.fetch-required "
                                                                 "fetch.txt"});
  facts.fetch = true;
  EXPECT_EQ(broken(R"("Fetch.txt-Required":true)", facts), Names{});
  EXPECT_EQ(broken(R"("Allow-Fetch.txt":false)", facts), Names{"profile.fetch-forbidden "
                                                               "fetch.txt"});
  facts.version = "0.97";
  EXPECT_EQ(broken("", facts), Names{"profile.version bagit.txt"});
  facts = good_facts();
  EXPECT_EQ(broken(R"("Data-Empty":true)", facts), Names{"profile.data-not-empty data"});
  facts.payload_octets = 0;
  EXPECT_EQ(broken(R"("Data-Empty":true)", facts), Names{});
  facts.payload_files = 2;
  EXPECT_EQ(broken(R"("Data-Empty":true)", facts), Names{"profile.data-not-empty data"});
}

TEST(Profile, archives_go_by_many_names) {
  BagFacts folder = good_facts();
  BagFacts tar = good_facts();
  tar.media_type = "application/x-tar";
  const Names refused{"profile.serialization"};
  const std::string required =
      R"("Serialization":"required","Accept-Serialization":["application/tar"])";
  EXPECT_EQ(broken(required, folder), refused);
  EXPECT_EQ(broken(required, tar), Names{});
  EXPECT_EQ(broken(R"("Serialization":"forbidden")", folder), Names{});
  EXPECT_EQ(broken(R"("Serialization":"forbidden")", tar), refused);
  EXPECT_EQ(broken(R"("Accept-Serialization":["application/zip"])", tar), refused);
  EXPECT_EQ(broken(R"("Accept-Serialization":["application/zip"])", folder), Names{});
  EXPECT_EQ(broken("", tar), Names{});
  tar.media_type = "application/gzip";
  EXPECT_EQ(broken(R"("Accept-Serialization":["application/x-tar+gzip"])", tar), Names{});
}

TEST(Profile, tag_files_are_required_and_allowed) {
  BagFacts facts = good_facts();
  const std::string members =
      R"("Tag-Files-Required":["m/a.xml","bag-info.txt"],"Tag-Files-Allowed":["m/*"])";
  EXPECT_EQ(broken(members, facts), Names{"profile.tag-file-required m/a.xml"});
  facts.tag_files = list({"bag-info.txt", "m/a.xml", "m/deep/b", "n.txt", "m2/manifest-md5.txt"});
  EXPECT_EQ(broken(members, facts), (Names{"profile.tag-file-not-allowed n.txt",
                                           "profile.tag-file-not-allowed m2/manifest-md5.txt"}));
}

TEST(Profile, payload_files_are_required_and_allowed) {
  BagFacts facts = good_facts();
  const std::string members = R"("Payload-Files-Required":["data/LICENSE","data/src/"],)"
                              R"("Payload-Files-Allowed":["data/LICENSE","data/src/*"])";
  facts.payload = list({"data/LICENSE", "data/src/deep/a", "data/srcs"});
  EXPECT_EQ(broken(members, facts), Names{"profile.payload-file-not-allowed data/srcs"});
  facts.payload = list({"data/src"});
  EXPECT_EQ(broken(members, facts), (Names{"profile.payload-file-not-allowed data/src",
                                           "profile.payload-file-required data/LICENSE",
                                           "profile.payload-file-required data/src/"}));
}

TEST(Profile, a_million_refused_files_do_not_fill_the_memory) {
  BagFacts facts = good_facts();
  facts.payload = [](const std::function<void(std::string_view)>& each) {
    for (int i = 0; i < 1'000'000; ++i)
      each("data/file");
  };
  const Names out = broken(R"("Payload-Files-Allowed":["data/a*"])", facts);
  EXPECT_EQ(out.size(), limits::kFindingsMax + 1);
}

TEST(Pattern, fits_what_it_says) {
  EXPECT_TRUE(matches_pattern("*", ""));
  EXPECT_TRUE(matches_pattern("*", "a/b"));
  EXPECT_TRUE(matches_pattern("m/*", "m/a/b"));
  EXPECT_FALSE(matches_pattern("m/*", "m"));
  EXPECT_TRUE(matches_pattern("*.txt", "a.txt.txt"));
  EXPECT_FALSE(matches_pattern("*.txt", "a.txt~"));
  EXPECT_TRUE(matches_pattern("a*b*c", "a-b-b-c"));
  EXPECT_FALSE(matches_pattern("a*b*c", "a-c-b"));
  EXPECT_TRUE(matches_pattern("?.txt", "é.txt"));
  EXPECT_FALSE(matches_pattern("?.txt", "éé.txt"));
  EXPECT_TRUE(matches_pattern("[0-9a]x", "7x"));
  EXPECT_FALSE(matches_pattern("[0-9a]x", "bx"));
  EXPECT_TRUE(matches_pattern("[!0-9]x", "bx"));
  EXPECT_TRUE(matches_pattern("[]]", "]"));
  EXPECT_TRUE(matches_pattern("scan [1", "scan [1"));
  EXPECT_TRUE(matches_pattern("data/[2020]/a", "data/[2020]/a"));
  EXPECT_FALSE(matches_pattern("", "a"));
}

TEST(Pattern, no_pattern_takes_for_ever) {
  std::string pattern;
  for (int i = 0; i < 1500; ++i)
    pattern += "*a";
  const std::string path(3900, 'a');
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_FALSE(matches_pattern(pattern + "b", path));
  EXPECT_FALSE(matches_pattern("*" + std::string(1900, '['), std::string(3900, '[') + "x"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

// ---------------------------------------------------------------------------- the set

TEST(ProfileSet, takes_files_and_folders) {
  const TemporaryFolder folder;
  const std::string first = profile_with("");
  std::string second = first;
  second.replace(second.find("urn:p"), 5, "urn:q");
  testing::write(folder / "a.json", first);
  testing::write(folder / "b.json", second);
  testing::write(folder / "c.txt", "no profile");
  std::filesystem::create_directory(folder / "d.json");
  ProfileSet set;
  ASSERT_OK(set.add(real_disk(), folder.path()));
  ASSERT_OK(set.add(real_disk(), folder / "a.json"));
  EXPECT_EQ(set.size(), 2u);
  ASSERT_NE(set.find("urn:q"), nullptr);
  EXPECT_EQ(set.find("urn:q")->identifier(), "urn:q");
  EXPECT_EQ(set.find("urn:r"), nullptr);
}

TEST(ProfileSet, two_profiles_of_one_name_are_refused) {
  const TemporaryFolder folder;
  testing::write(folder / "a.json", profile_with(""));
  testing::write(folder / "b.json", profile_with(R"("Data-Empty":true)"));
  ProfileSet set;
  EXPECT_FAILS(set.add(real_disk(), folder.path()), Code::conflict);
}

TEST(ProfileSet, tells_which_file_is_wrong) {
  const TemporaryFolder folder;
  testing::write(folder / "bad.json", "{}");
  ProfileSet set;
  const auto added = set.add(real_disk(), folder.path());
  EXPECT_FAILS(added, Code::invalid);
  EXPECT_NE(added.error().what().find("bad.json"), std::string::npos);
  EXPECT_FAILS(set.add(real_disk(), folder / "none"), Code::not_found);
}

TEST(ProfileSet, a_bag_may_name_several) {
  EXPECT_EQ(named_profiles({{"Title", "T"},
                            {"bagit-profile-identifier", " urn:a "},
                            {"BagIt-Profile-Identifier", "urn:b"},
                            {"BagIt-Profile-Identifier", ""}}),
            (Names{"urn:a", "urn:b"}));
}

// ---------------------------------------------------------------------------- of others, and ours

Path shared(const std::string& below) {
  return Path(VERSEMENT_SHARED) / "bagit-cases" / below;
}

TEST(ProfileCases, standard_profiles_are_read_and_other_formats_are_not) {
  if (!std::filesystem::exists(shared(""))) GTEST_SKIP() << "no bagit-cases";
  for (const char* const file :
       {"loc-bagit-java/profiles/exampleProfile.json",
        "bagit-profiles/specification/bagProfileFoo.json",
        "bagit-profiles/specification/bagProfileBar.json",
        "bagit-profiles/validator/bagProfileBar.json",
        "bagit-profiles/validator/test-tag-files-allowed/profile.json",
        "bdbag/profiles/bdbag-profile.json", "bdbag/profiles/bdbag-ro-profile.json",
        "aptrust-dart-runner/profiles/btr_standard_profile.json",
        "bagittools/fragments/profiles/btrProfile.json"}) {
    EXPECT_OK(Profile::parse(testing::read(shared(file))));
  }
  for (const auto& [folder, reason] : std::vector<std::pair<std::string, std::string>>{
           {"profiles-dart-format", "profile-of-dart"},
           {"profiles-loc-bagger-format", "profile-of-bagger"}}) {
    for (const auto& file :
         std::filesystem::directory_iterator(shared("aptrust-dart-runner/" + folder))) {
      const auto read = Profile::parse(testing::read(file.path()));
      EXPECT_FAILS(read, Code::unsupported);
      EXPECT_EQ(read.error().reason(), reason);
    }
  }
}

// The bag that the fixtures' store sealed, held against the profile that we publish.
TEST(ProfileOfTransfers, fits_a_sealed_transfer) {
  const Path source(VERSEMENT_SOURCE);
  auto profile = Profile::parse(testing::read(source / "docs/profiles/versement-1.json"));
  ASSERT_OK(profile);
  EXPECT_TRUE(profile->unknown().empty());
  Path sealed;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(
           source / "tests/fixtures/damaged/whole/store")) {
    if (entry.path().filename() == "bag-info.txt") sealed = entry.path().parent_path();
  }
  ASSERT_FALSE(sealed.empty());
  BagFacts facts;
  facts.version = "1.0";
  auto info = parse_bag_info(testing::read(sealed / "bag-info.txt"));
  ASSERT_OK(info);
  facts.info = *info;
  facts.payload_algorithms = {"sha512"};
  facts.tag_algorithms = {"sha512"};
  Names tags;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(sealed)) {
    const std::string path = std::filesystem::relative(entry.path(), sealed).native();
    if (entry.is_regular_file() && !path.starts_with("data/")) tags.push_back(path);
  }
  // The fixture was sealed before bags had these.
  tags.insert(tags.end(), {"bordereau.xml", "metadata/metadata.csv", "metadata/rights.csv"});
  std::sort(tags.begin(), tags.end());
  facts.tag_files = list(tags);
  facts.payload = list({"data/METS.xml", "data/A-1/METS.xml"});
  Names found;
  // Sealed before bags named their profile.
  profile->check(facts, false, [&](const Finding& finding) { found.push_back(to_text(finding)); });
  EXPECT_EQ(found, Names{});
}

}  // namespace
}  // namespace versement::bagit
