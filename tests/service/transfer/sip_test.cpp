#include "service/transfer/sip.hpp"

#include "mets/package.hpp"
#include "tests/support/store_fixture.hpp"

namespace versement::transfer {
namespace {

class SipsTest : public testing::StoreFixture {
 protected:
  // Stores an item whose one file is called METS.xml, too.
  void store_item(const std::string& slug) {
    auto deposit = store_->begin(ObjectId::of_uuid(Uuid::at(clock_.now())));
    ASSERT_OK(deposit);
    const std::string path = mets::payload_folder() + "METS.xml";
    index::FileRow row;
    row.role = "payload";
    const auto payload = (*deposit)->add(LogicalPath::literal(path), kPayload, row);
    ASSERT_OK(payload);
    mets::PackageInput input;
    input.objid = slug;
    input.created = clock_.now();
    input.files = mets::payload_of({{.path = "METS.xml",
                                     .size_bytes = payload->size_bytes,
                                     .sha512 = payload->sha512,
                                     .format = {"text/xml", "", "", ""},
                                     .original_name = "METS.xml"}});
    ASSERT_OK(mets::render_package(
        input, [&](const mets::GeneratedFile& file, const Produce& bytes) -> Result<mets::Held> {
          TRY_SET(const index::FileRow kept,
                  (*deposit)->add(LogicalPath::literal(file.path), bytes, {}));
          return mets::Held{.size_bytes = kept.size_bytes, .sha512 = kept.sha512};
        }));
    journal::Event event = store_->event(journal::type::kIngestion, "tester");
    event.objects["item"] = slug;
    event.objects["collection"] = "c";
    const ocfl::VersionNote note{event.time, "m", "t", "mailto:t@example.org"};
    ASSERT_OK(store_->commit(std::move(*deposit), note, std::move(event)));
  }

  static constexpr const char* kPayload = "<mets:mets xmlns:mets='m'/>";
  const mets::Submission submission_{
      .agreement = "A", .submitter = {"", "Sender"}, .archive = {"", "Archive"}};
};

TEST_F(SipsTest, rewrites_the_package_and_no_payload) {
  store_item("S-1");
  Sips sips(*store_);
  const auto made = sips.archive("S-1", 1, submission_);
  ASSERT_OK(made);
  const auto bytes = read_source(*made->zip, 1u << 20);
  ASSERT_OK(bytes);
  const auto member = [&](const std::string& path) {
    const bagit::MemberList& members = made->zip->members();
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (members.path(i) != "S-1/" + path) continue;
      const std::size_t header = 30 + members.path(i).size();
      return bytes->substr(made->zip->offset_of(i) + header, members.shape(i).size_bytes);
    }
    ADD_FAILURE() << path;
    return std::string();
  };
  EXPECT_EQ(member("representations/master/data/METS.xml"), kPayload);
  for (const char* const path : {"METS.xml", "representations/master/METS.xml"}) {
    const std::string text = member(path);
    EXPECT_TRUE(text.find("<mets:name>Sender</mets:name>") != std::string::npos) << path;
    EXPECT_TRUE(text.ends_with("</mets:mets>\n")) << path;
  }
}

TEST_F(SipsTest, is_kept_by_what_it_was_asked_for) {
  store_item("S-1");
  Sips sips(*store_);
  const auto first = sips.archive("S-1", 1, submission_);
  ASSERT_OK(first);
  EXPECT_EQ(sips.archive("S-1", 1, submission_)->zip, first->zip);
  for (const auto change : {0, 1, 2, 3}) {
    mets::Submission other = submission_;
    if (change == 0) other.agreement = "B";
    if (change == 1) other.submitter.name = "Another";
    if (change == 2) other.archive.id = "a";
    if (change == 3) other.replaces = true;
    EXPECT_NE(sips.archive("S-1", 1, other)->etag, first->etag) << change;
  }
  Sips again(*store_);
  const auto anew = again.archive("S-1", 1, submission_);
  ASSERT_OK(anew);
  EXPECT_EQ(anew->etag, first->etag);
  EXPECT_TRUE(*read_source(*anew->zip, 1u << 20) == *read_source(*first->zip, 1u << 20));
}

TEST_F(SipsTest, is_not_made_of_a_package_that_is_none_of_ours) {
  ASSERT_OK(deposit("F-1", "bytes"));
  Sips sips(*store_);
  EXPECT_FAILS(sips.archive("F-1", 1, submission_), Code::internal);
}

TEST(Submission, names_its_parties_by_what_there_is) {
  const mets::Submission full =
      submission_of({{"id", "a"},
                     {"reference", "2026/C/12"},
                     {"transferring_agency", json::Object{{"id", "s"}, {"name", "Sender"}}},
                     {"archival_agency", json::Object{{"id", "r"}, {"name", ""}}}});
  EXPECT_EQ(full.agreement, "2026/C/12");
  EXPECT_EQ(full.submitter.name, "Sender");
  EXPECT_EQ(full.archive.name, "r");
  EXPECT_FALSE(full.replaces);
  EXPECT_EQ(submission_of({{"id", "a"}, {"reference", ""}}).agreement, "a");
}

}  // namespace
}  // namespace versement::transfer
