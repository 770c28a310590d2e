#include "service/transfer/spool.hpp"

#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::transfer {
namespace {

std::string all_of(const Spool& spool) {
  std::string text;
  EXPECT_OK(spool.send([&](std::string_view piece) -> Result<void> {
    text += piece;
    return {};
  }));
  return text;
}

TEST(Spool, gives_back_what_it_took_however_long) {
  const testing::TemporaryFolder folder;
  Spool spool(real_disk(), folder / "rows");
  EXPECT_EQ(all_of(spool), "");
  std::string wanted;
  for (int i = 0; i < 100'000; ++i) {
    const std::string line = "line " + std::to_string(i) + "\n";
    wanted += line;
    ASSERT_OK(spool.add(line));
    if (i == 10) {
      EXPECT_TRUE(all_of(spool) == wanted);
    }
  }
  EXPECT_EQ(spool.size_bytes(), wanted.size());
  EXPECT_TRUE(all_of(spool) == wanted);
  EXPECT_TRUE(all_of(spool) == wanted);  // as often as it is asked for
}

TEST(Spool, leaves_no_name_behind) {
  const testing::TemporaryFolder folder;
  Spool spool(real_disk(), folder / "rows");
  ASSERT_OK(spool.add(std::string(1'000'000, 'x')));
  const auto entries = list_sorted(real_disk(), folder.path());
  ASSERT_OK(entries);
  EXPECT_TRUE(entries->empty());
  EXPECT_EQ(all_of(spool).size(), 1'000'000u);
}

TEST(Spool, passes_on_what_the_sink_says) {
  const testing::TemporaryFolder folder;
  Spool spool(real_disk(), folder / "rows");
  ASSERT_OK(spool.add(std::string(1'000'000, 'x')));
  std::size_t calls = 0;
  const auto sent = spool.send([&](std::string_view) -> Result<void> {
    ++calls;
    return Error(Code::no_space, "full");
  });
  EXPECT_FAILS(sent, Code::no_space);
  EXPECT_EQ(calls, 1u);
}

}  // namespace
}  // namespace versement::transfer
