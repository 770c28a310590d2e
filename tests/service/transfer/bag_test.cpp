#include "service/transfer/bag.hpp"

#include "tests/support/store_fixture.hpp"

namespace versement::transfer {
namespace {

class BagsTest : public testing::StoreFixture {
 protected:
  // A sealed transfer as its record shows it; nothing lies in its bag.
  static json::Object transfer(const std::string& id) {
    return {{"id", id},           {"object", "urn:uuid:01a20268-8660-72e3-bdc7-a6d86a78f03f"},
            {"bag_name", id},     {"seal_digest", std::string(128, 'a')},
            {"serialisation", 1}, {"sealed_at", "2026-11-22T08:38:55.108Z"}};
  }
  static const bagit::ArchiveSource* tar_of(Bags& bags, const std::string& id) {
    const auto tar = bags.tar(transfer(id));
    EXPECT_OK(tar);
    return tar ? tar->get() : nullptr;
  }
};

TEST_F(BagsTest, keeps_as_many_plans_as_the_bytes_allow_and_the_newest_one_always) {
  Bags roomy(*store_);
  const auto first = roomy.tar(transfer("a"));
  ASSERT_OK(first);
  EXPECT_EQ((*first)->size_bytes(), 1024u);
  (void)tar_of(roomy, "b");
  EXPECT_EQ(tar_of(roomy, "a"), first->get());

  Bags narrow(*store_, 0);
  const auto held = narrow.tar(transfer("a"));
  ASSERT_OK(held);
  EXPECT_EQ(tar_of(narrow, "a"), held->get());
  (void)tar_of(narrow, "b");
  EXPECT_NE(tar_of(narrow, "a"), held->get());  // Let go of, and made anew.
}

TEST_F(BagsTest, keeps_the_holey_archive_of_the_addresses_that_were_asked_for_last) {
  Bags bags(*store_);
  const auto of = [&bags](const std::string& url) {
    const auto tar = bags.holey_tar(transfer("a"), url);
    EXPECT_OK(tar);
    return tar ? *tar : nullptr;
  };
  const auto first = of("https://a.example/");
  const auto second = of("https://b.example/");
  EXPECT_NE(first, second);
  EXPECT_EQ(of("https://a.example/"), first);
  EXPECT_EQ(of("https://b.example/"), second);

  // Whoever calls us by ever new names takes no more memory.
  for (const char* const other : {"https://c.example/", "https://d.example/", "https://e.example/"})
    of(other);
  EXPECT_EQ(of("https://b.example/"), second);
  EXPECT_NE(of("https://a.example/"), first);  // Let go of, and made anew.
}

TEST(BagCrcs, no_zip_is_made_of_a_file_whose_crc_nobody_knows) {
  bagit::MemberList members;
  members.add("bag/data/", 0);
  members.add("bag/data/a", 1, 0);
  EXPECT_OK(check_crcs(members));
  EXPECT_EQ(members.shape(1).known_crc(), 0u);

  members.add("bag/data/b", 1);
  members.add("bag/data/c", 1);

  const auto checked = check_crcs(members);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().reason(), kZipNotPossible);
  EXPECT_NE(checked.error().what().find("'bag/data/b'"), std::string::npos);
  EXPECT_EQ(members.shape(2).known_crc(), std::nullopt);
}

TEST_F(BagsTest, the_tag_tells_form_number_and_address) {
  const std::string digits(32, 'a');
  EXPECT_EQ(archive_etag(Archive::tar, transfer("a"), ""), "\"" + digits + "-tar1\"");
  EXPECT_EQ(archive_etag(Archive::zip, transfer("a"), ""), "\"" + digits + "-zip1\"");
  const std::string here = archive_etag(Archive::holey_tar, transfer("a"), "https://a.example/");
  EXPECT_TRUE(here.starts_with("\"" + digits + "-holey1-")) << here;
  EXPECT_NE(here, archive_etag(Archive::holey_tar, transfer("a"), "https://b.example/"));
}

}  // namespace
}  // namespace versement::transfer
