#include "store/index/records.hpp"

#include "tests/support/expect.hpp"

namespace versement::index {
namespace {

FileRow row_with(std::optional<std::uint32_t> crc32) {
  FileRow row;
  row.path = "data/a.tif";
  row.size_bytes = 12;
  row.crc32 = crc32;
  row.sha512 = digest_of(Algorithm::sha512, "a");
  row.sha256 = digest_of(Algorithm::sha256, "a");
  row.content_path = "v1/content/data/a.tif";
  row.role = "payload";
  return row;
}

// 0 is a CRC like any other; none is none.
TEST(FileRow, keeps_a_crc_or_that_there_is_none) {
  for (const std::optional<std::uint32_t> crc32 :
       {std::optional<std::uint32_t>(), std::optional<std::uint32_t>(0),
        std::optional<std::uint32_t>(0xFFFF'FFFF)}) {
    const FileRow row = row_with(crc32);
    EXPECT_EQ(row_of_facts(file_facts(row)).crc32, crc32);

    const std::string encoded = encode(row);
    const auto decoded = decode_file_row(row.path, encoded);
    ASSERT_OK(decoded);
    EXPECT_EQ(decoded->crc32, crc32);
    EXPECT_EQ(decoded->content_path, row.content_path);
    const auto facts = decode_file_facts(row.path, encoded);
    ASSERT_OK(facts);
    EXPECT_EQ(facts->size_bytes, row.size_bytes);
    EXPECT_EQ(facts->sha512, row.sha512);
    EXPECT_EQ(facts->sha256, row.sha256);
    EXPECT_TRUE(facts->whole);
  }
}

TEST(FileRow, takes_no_crc_that_is_none) {
  for (const char* text :
       {R"({"path":"a","size":1})", R"({"path":"a","size":1,"crc32":"12"})",
        R"({"path":"a","size":1,"crc32":null})", R"({"path":"a","size":1,"crc32":-1})",
        R"({"path":"a","size":1,"crc32":1.5})", R"({"path":"a","size":1,"crc32":4294967296})"}) {
    const auto facts = json::parse_object(text);
    ASSERT_OK(facts);
    EXPECT_EQ(row_of_facts(*facts).crc32, std::nullopt) << text;
  }
}

TEST(FileRow, is_refused_when_it_was_cut) {
  const std::string encoded = encode(row_with(7));
  for (std::size_t length = 0; length < encoded.size(); ++length) {
    EXPECT_FAILS(decode_file_row("a", std::string_view(encoded).substr(0, length)), Code::corrupt);
  }
}

}  // namespace
}  // namespace versement::index
