#include "bagit/fetch_source.hpp"

#include "bagit/tagfile.hpp"
#include "store/base/text.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/read_range.hpp"

namespace versement::bagit {
namespace {

TEST(FetchSource, names_every_file_behind_the_tag_files_as_its_readers_want_it) {
  auto members = std::make_shared<MemberList>();
  members->add("2026/bagit.txt", 55);
  std::vector<std::string> paths{"data/METS.xml", "data/a b%c\r\n.txt", "data/ផ្សារ.jpg"};
  for (int i = 0; i < 40; ++i)
    paths.push_back("data/x/" + std::to_string(i) + "#?&+.txt");
  for (std::size_t i = 0; i < paths.size(); ++i)
    members->add("2026/" + paths[i], i * 1000);
  const std::string base = "https://archive.example/files/";
  FetchSource fetch(members, 1, 5, base);

  const std::string whole = testing::read_range(fetch, 0, fetch.size_bytes(), 1u << 16u);
  ASSERT_EQ(whole.size(), fetch.size_bytes());
  std::size_t number = 0;
  ASSERT_OK(for_each_line(whole, [&](std::size_t, std::string_view line) -> Result<void> {
    const auto parsed = parse_fetch_line(line);
    if (!parsed || number == paths.size()) return Error(Code::invalid, std::string(line));
    EXPECT_TRUE(is_absolute_uri(parsed->url)) << parsed->url;
    EXPECT_EQ(*percent_decode(parsed->url), base + paths[number]);
    EXPECT_EQ(parsed->length, number * 1000);
    EXPECT_EQ(parsed->path, encode_path(paths[number]));
    ++number;
    return {};
  }));
  EXPECT_EQ(number, paths.size());
  EXPECT_NE(whole.find(" data/a b%25c%0D%0A.txt\n"), std::string::npos);
  for (std::uint64_t first = 0; first < whole.size(); first += 97)
    ASSERT_TRUE(testing::read_range(fetch, first, 150, 13) == whole.substr(first, 150)) << first;
}

TEST(FetchSource, of_no_payload_is_empty) {
  auto members = std::make_shared<MemberList>();
  members->add("bag/bagit.txt", 55);
  FetchSource fetch(members, 1, 4, "https://archive.example/");
  EXPECT_EQ(fetch.size_bytes(), 0u);
  EXPECT_EQ(testing::read_range(fetch, 0, 10, 10), "");
}

}  // namespace
}  // namespace versement::bagit
