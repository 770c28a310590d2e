#include "store/base/spool.hpp"

#include <unistd.h>

#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement {
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

// What sendfile takes of it, and what must be read.
TEST(Spool, is_a_source_of_what_lies_in_the_file_and_in_memory) {
  const testing::TemporaryFolder folder;
  std::string text;
  FileRun run;
  {
    Spool spool(real_disk(), folder / "rows");
    for (int i = 0; i < 60'000; ++i) {
      text += std::to_string(i) + ";";
      ASSERT_OK(spool.add(std::to_string(i) + ";"));
    }
    const auto first = spool.run_at(100);
    ASSERT_OK(first);
    ASSERT_GT(first->length, 100'000u);
    const std::uint64_t in_memory = 100 + first->length;
    ASSERT_LT(in_memory, text.size());
    const auto last = spool.run_at(in_memory);
    ASSERT_OK(last);
    EXPECT_EQ(last->length, 0u);

    const auto whole = read_source(spool, text.size());
    ASSERT_OK(whole);
    EXPECT_TRUE(*whole == text);
    std::byte none[1];
    const auto behind = spool.read_at(text.size(), none);
    ASSERT_OK(behind);
    EXPECT_EQ(*behind, 0u);
    run = *first;
  }
  // The file lives as long as what is to be sent of it.
  std::string read(run.length, '\0');
  ASSERT_EQ(::pread(run.fd, read.data(), read.size(), static_cast<off_t>(run.offset)),
            static_cast<ssize_t>(read.size()));
  EXPECT_TRUE(read == text.substr(100, run.length));
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
}  // namespace versement
