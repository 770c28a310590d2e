#include "cli/check_cursor.hpp"

#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::cli {
namespace {

TEST(CheckCursorTest, what_is_kept_comes_back) {
  const testing::TemporaryFolder folder;
  CheckCursor cursor;
  cursor.root = "/srv/a \"store\"";
  cursor.last = "0f/ab/x";
  cursor.objects = 7;
  cursor.files = 70;
  cursor.bytes = 1ull << 40;
  cursor.problems["0f/aa/y"].push_back({"E092", "v1/content/é", "has sha512 …", "/manifest/0"});
  cursor.problems["0f/aa/y"].push_back({"unreadable", "", "open: Permission denied", ""});
  ASSERT_OK(save_cursor(real_disk(), folder / "cursor", {}));
  ASSERT_OK(save_cursor(real_disk(), folder / "cursor", cursor));

  const auto again = load_cursor(real_disk(), folder / "cursor");

  ASSERT_OK(again);
  ASSERT_TRUE(again->has_value());
  EXPECT_EQ((*again)->root, cursor.root);
  EXPECT_EQ((*again)->last, cursor.last);
  EXPECT_EQ((*again)->objects, 7u);
  EXPECT_EQ((*again)->files, 70u);
  EXPECT_EQ((*again)->bytes, 1ull << 40);
  ASSERT_EQ((*again)->problems.size(), 1u);
  const auto& problems = (*again)->problems.at("0f/aa/y");
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].code, "E092");
  EXPECT_EQ(problems[0].path, "v1/content/é");
  EXPECT_EQ(problems[0].detail, "has sha512 …");
  EXPECT_EQ(problems[0].pointer, "/manifest/0");
  EXPECT_EQ(problems[1].severity(), ocfl::Severity::unread);
}

TEST(CheckCursorTest, only_a_cursor_is_one) {
  const testing::TemporaryFolder folder;
  const auto none = load_cursor(real_disk(), folder / "absent");
  ASSERT_OK(none);
  EXPECT_FALSE(none->has_value());
  for (const char* const text : {"", "garbage", "[]", "{}", "{\"v\":2}", "{\"v\":\"1\"}"}) {
    testing::write(folder / "other", text);
    EXPECT_FAILS(load_cursor(real_disk(), folder / "other"), Code::invalid);
  }
}

// The order of the walk: folder by folder, not byte by byte of the whole path.
TEST(CheckCursorTest, what_was_read_is_the_last_and_all_before_it_in_the_walk) {
  CheckCursor cursor;
  EXPECT_FALSE(cursor.has_read("a"));
  cursor.last = "a/b/c";
  EXPECT_TRUE(cursor.has_read("a/b/c"));
  EXPECT_TRUE(cursor.has_read("a/b/b"));
  EXPECT_TRUE(cursor.has_read("a/a/z"));
  EXPECT_FALSE(cursor.has_read("a/b/d"));
  EXPECT_FALSE(cursor.has_read("a/b.c/a"));  // '.' comes before '/', and b.c behind b
  EXPECT_FALSE(cursor.has_read("b"));
}

}  // namespace
}  // namespace versement::cli
