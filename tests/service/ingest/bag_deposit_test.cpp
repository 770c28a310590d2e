#include "service/ingest/bag_deposit.hpp"

#include <algorithm>
#include <filesystem>
#include <thread>

#include "bagit/create.hpp"
#include "bagit/open.hpp"
#include "service/ingest/unpack.hpp"
#include "store/base/limits.hpp"
#include "tests/support/store_fixture.hpp"

namespace versement::ingest {
namespace {

using testing::TemporaryFolder;

class BagDepositTest : public ::testing::Test {
 protected:
  void make(const std::string& name, bagit::BagForm form, bagit::BagInfo info = {}) {
    ASSERT_OK(make_folders(real_disk(), dir_ / "source/sub"));
    testing::write(dir_ / "source/a.txt", "alpha");
    testing::write(dir_ / "source/sub/50%.txt", "beta");
    bagit::CreateOptions options;
    options.sources = {dir_ / "source"};
    options.target = dir_ / name;
    options.form = form;
    options.algorithms = {Algorithm::sha512, Algorithm::sha256};
    options.info = std::move(info);
    const auto created = bagit::create_bag(real_disk(), options);
    ASSERT_OK(created);
  }

  Result<PlannedItem> plan(const std::string& name, const bagit::ArchiveLimits& bounds) {
    BagContext context{.disk = real_disk(),
                       .stop = stop_,
                       .looked = looked_,
                       .findings = findings_,
                       .limits = bounds};
    return plan_bag(context, {.place = dir_ / name,
                              .below = "",
                              .name = name_of_archive(name),
                              .packed = !std::filesystem::is_directory(dir_ / name)});
  }

  std::vector<std::string> found() const {
    std::vector<std::string> codes;
    for (const Finding& finding : findings_.kept())
      codes.push_back(finding.code + " " + finding.detail.substr(0, finding.detail.find(':')));
    return codes;
  }

  static std::vector<Member> members_of(const PlannedItem& item) {
    std::vector<Member> members;
    for (const PlannedFile& file : item.files)
      members.push_back({file.member, item.bag->base + file.deposit_path, file.size_bytes});
    std::sort(members.begin(), members.end(),
              [](const Member& a, const Member& b) { return a.number < b.number; });
    return members;
  }

  Result<std::unique_ptr<Unpacked>> unpack(const PlannedItem& item,
                                           const std::vector<Member>& members) {
    return Unpacked::make({.disk = real_disk(),
                           .archive = item.bag->archive,
                           .info = item.bag->archive_info,
                           .limits = archive_limits()},
                          real_disk(), dir_ / "unpacked", members, stop_);
  }

  TemporaryFolder dir_;
  std::stop_token stop_;
  Looked looked_;
  Findings findings_;
};

TEST_F(BagDepositTest, every_form_is_planned_alike) {
  for (const auto& [name, form] :
       {std::pair("one", bagit::BagForm::folder), std::pair("one.tar", bagit::BagForm::tar),
        std::pair("one.zip", bagit::BagForm::zip)}) {
    make(name, form);
    const auto item = plan(name, archive_limits());
    ASSERT_OK(item);
    EXPECT_EQ(found(), std::vector<std::string>{}) << name;
    EXPECT_EQ(item->source_identifier, "one");
    ASSERT_EQ(item->files.size(), 2u) << name;
    EXPECT_EQ(item->files[1].deposit_path, "data/sub/50%.txt");
    EXPECT_EQ(item->files[1].data_path.text(), "sub/50%.txt");
    ASSERT_EQ(item->files[1].supplied.size(), 2u);
    for (const Digest& digest : item->files[1].supplied)
      EXPECT_EQ(digest, digest_of(digest.algorithm(), "beta"));
    std::vector<std::string> documentation;
    for (const PlannedFile& file : item->documentation)
      documentation.push_back(file.data_path.text());
    EXPECT_EQ(documentation, (std::vector<std::string>{
                                 "bag/bag-info.txt", "bag/bagit.txt", "bag/manifest-sha256.txt",
                                 "bag/manifest-sha512.txt", "bag/tagmanifest-sha256.txt",
                                 "bag/tagmanifest-sha512.txt"}))
        << name;
  }
}

TEST_F(BagDepositTest, an_archive_beyond_a_limit_is_refused_with_the_limit) {
  make("one.tar", bagit::BagForm::tar);
  bagit::ArchiveLimits members = archive_limits();
  members.members_max = 3;
  bagit::ArchiveLimits bytes = archive_limits();
  bytes.total_bytes_max = 8;
  bagit::ArchiveLimits directory = archive_limits();
  directory.directory_bytes_max = 16;
  for (const bagit::ArchiveLimits& bounds : {members, bytes, directory}) {
    findings_ = Findings();
    const auto item = plan("one.tar", bounds);
    ASSERT_OK(item);
    EXPECT_TRUE(item->rejected);
    EXPECT_TRUE(item->files.empty());
    EXPECT_EQ(found(), std::vector<std::string>{"bag-unexaminable serialization.limit"});
  }
}

TEST_F(BagDepositTest, what_cannot_describe_an_item_is_left_out_and_said) {
  bagit::BagInfo info{
      {"External-Identifier", "A 1"},
      {"Internal-Sender-Identifier", "urn:x:2"},
      {"Internal-Sender-Identifier", std::string(limits::kBagIdentifierBytesMax + 1, 'i')},
      {"External-Description", std::string(limits::kBagTextBytesMax + 1, 'x')}};
  for (std::size_t i = 0; i < limits::kBagIdentifiersMax; ++i)
    info.emplace_back("Internal-Sender-Identifier", "local " + std::to_string(i));
  make("one", bagit::BagForm::folder, info);
  const auto item = plan("one", archive_limits());
  ASSERT_OK(item);
  EXPECT_FALSE(item->rejected);
  EXPECT_EQ(item->source_identifier, "A 1");
  EXPECT_EQ(item->notice.description().title.at("fr"), "one");
  ASSERT_EQ(item->notice.description().identifiers.size(), limits::kBagIdentifiersMax);
  EXPECT_EQ(item->notice.description().identifiers[1].type, "uri");
  EXPECT_EQ(findings_.count(Severity::warning), 4u);
}

TEST_F(BagDepositTest, a_row_of_the_whole_describes_the_item_and_others_are_said_to_be_unused) {
  ASSERT_OK(make_folders(real_disk(), dir_ / "source/metadata"));
  testing::write(dir_ / "source/metadata/metadata.csv",
                 "filename,dc.title@en,dc.creator,shelfmark\n"
                 "objects/a.txt,One file,,\n"
                 "objects/,The whole,Somebody,B 7\n");
  const bagit::BagInfo info{{"External-Identifier", "A 1"}, {"External-Description", "Le tout"}};
  for (const auto& [name, form] :
       {std::pair("one", bagit::BagForm::folder), std::pair("one.tar", bagit::BagForm::tar),
        std::pair("one.zip", bagit::BagForm::zip)}) {
    findings_ = Findings();
    make(name, form, info);
    const auto item = plan(name, archive_limits());
    ASSERT_OK(item);
    EXPECT_FALSE(item->rejected);
    EXPECT_EQ(item->source_identifier, "A 1");
    EXPECT_EQ(item->notice.description().title,
              (mets::Localized{{"en", "The whole"}, {"fr", "Le tout"}}));
    EXPECT_EQ(item->notice.description().creators, std::vector<std::string>{"Somebody"});
    EXPECT_EQ(item->notice.original().shelfmark, "B 7");
    ASSERT_EQ(findings_.kept().size(), 1u);
    EXPECT_EQ(findings_.kept()[0].code, "bag-table-unused");
  }
}

TEST_F(BagDepositTest, a_broken_table_is_said_and_the_bag_is_taken_all_the_same) {
  ASSERT_OK(make_folders(real_disk(), dir_ / "source/metadata"));
  testing::write(dir_ / "source/metadata/metadata.csv", "filename;dc.title\na;b\n");
  make("one.tar", bagit::BagForm::tar);
  const auto item = plan("one.tar", archive_limits());
  ASSERT_OK(item);
  EXPECT_FALSE(item->rejected);
  EXPECT_EQ(item->notice.description().title, (mets::Localized{{"fr", "one"}}));
  ASSERT_EQ(findings_.kept().size(), 1u);
  EXPECT_EQ(findings_.kept()[0].code, "bag-table-unused");
}

TEST_F(BagDepositTest, unpacks_members_under_their_numbers_and_removes_them) {
  for (const auto& [name, form] :
       {std::pair("one.tar", bagit::BagForm::tar), std::pair("one.zip", bagit::BagForm::zip)}) {
    make(name, form);
    const auto item = plan(name, archive_limits());
    ASSERT_OK(item);
    {
      const auto unpacked = unpack(*item, members_of(*item));
      ASSERT_OK(unpacked);
      EXPECT_EQ(testing::read((*unpacked)->file(item->files[0].member)), "alpha");
      EXPECT_EQ(testing::read((*unpacked)->file(item->files[1].member)), "beta");
      const auto entries = list_sorted(real_disk(), dir_ / "unpacked");
      ASSERT_OK(entries);
      EXPECT_EQ(entries->size(), 2u);
    }
    EXPECT_FALSE(std::filesystem::exists(dir_ / "unpacked"));
  }
}

TEST_F(BagDepositTest, an_archive_that_changed_after_it_was_judged_is_not_taken) {
  make("one.tar", bagit::BagForm::tar);
  auto item = plan("one.tar", archive_limits());
  ASSERT_OK(item);
  std::vector<Member> renamed = members_of(*item);
  renamed.front().path = "one/data/other";
  EXPECT_FAILS(unpack(*item, renamed), Code::conflict);
  std::vector<Member> longer = members_of(*item);
  ++longer.front().size_bytes;
  EXPECT_FAILS(unpack(*item, longer), Code::conflict);
  std::vector<Member> further = members_of(*item);
  further.push_back({1000, "one/data/c", 1});
  EXPECT_FAILS(unpack(*item, further), Code::conflict);
  // The same bytes in another file: nobody has judged that one.
  std::filesystem::copy_file(dir_ / "one.tar", dir_ / "copy");
  std::filesystem::rename(dir_ / "copy", dir_ / "one.tar");
  EXPECT_FAILS(unpack(*item, members_of(*item)), Code::conflict);
  EXPECT_FALSE(std::filesystem::exists(dir_ / "unpacked"));
}

TEST_F(BagDepositTest, a_path_too_deep_for_a_package_is_refused) {
  std::string deep = "a";
  for (std::size_t i = 0; i < limits::kDepositPathDepthMax; ++i)
    deep += "/a";
  EXPECT_OK(parse_deposit_path(deep));
  EXPECT_FAILS(parse_deposit_path(deep + "/a"), Code::limit);
  EXPECT_FAILS(parse_deposit_path("../a"), Code::invalid);
}

TEST_F(BagDepositTest, an_archive_is_known_by_its_bytes_or_its_name) {
  make("one.tar", bagit::BagForm::tar);
  std::filesystem::rename(dir_ / "one.tar", dir_ / "plain");
  testing::write(dir_ / "x.tgz", "words");
  testing::write(dir_ / "notes.txt", "words");
  EXPECT_TRUE(*is_archive(real_disk(), dir_ / "plain"));
  EXPECT_TRUE(*is_archive(real_disk(), dir_ / "x.tgz"));
  EXPECT_FALSE(*is_archive(real_disk(), dir_ / "notes.txt"));
  EXPECT_TRUE(*may_hold_bag(real_disk(), dir_ / "plain", stop_));
  EXPECT_FALSE(*may_hold_bag(real_disk(), dir_ / "x.tgz", stop_));
  EXPECT_EQ(name_of_archive("a.b.TAR.GZ"), "a.b");
  EXPECT_EQ(name_of_archive(".zip"), ".zip");
}

class SweepUnpackedTest : public testing::StoreFixture {};

TEST_F(SweepUnpackedTest, a_start_removes_what_was_unpacked_before_a_crash) {
  const Path left = data() / "work" / (std::string(store::kUnpackedPrefix) + "A-1");
  ASSERT_OK(make_folders(real_disk(), left));
  testing::write(left / "7", "half");
  store_.reset();
  open();
  EXPECT_FALSE(std::filesystem::exists(left));
}

}  // namespace
}  // namespace versement::ingest
