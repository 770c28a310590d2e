#include "store/base/text.hpp"

#include <array>

#include "tests/support/expect.hpp"

namespace versement {
namespace {

TEST(Text, hexadecimal_goes_there_and_back_in_either_case) {
  const std::array<std::byte, 3> bytes{std::byte{0x00}, std::byte{0xAB}, std::byte{0xFF}};
  EXPECT_EQ(hex_of(bytes), "00abff");
  EXPECT_EQ(*bytes_of_hex("00ABff"), std::string("\x00\xAB\xFF", 3));
  EXPECT_FAILS(bytes_of_hex("0"), Code::invalid);
  EXPECT_FAILS(bytes_of_hex("0g"), Code::invalid);
}

TEST(Text, base64_follows_the_vectors_of_rfc_4648) {
  const std::array<std::pair<const char*, const char*>, 7> vectors{{{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}}};
  for (const auto& [plain, coded] : vectors) {
    EXPECT_EQ(base64_of(std::string_view(plain)), coded);
    ASSERT_OK(bytes_of_base64(coded));
    EXPECT_EQ(*bytes_of_base64(coded), plain);
  }
}

TEST(Text, base64_refuses_what_has_two_spellings) {
  for (const char* text : {"Zg", "Zg=", "Zh==", "Zg==Zg==", "Z===", "====", "Zm9v\n", "Zm-v"}) {
    EXPECT_FALSE(bytes_of_base64(text)) << text;
  }
}

TEST(Text, percent_codes_every_byte_that_is_not_unreserved) {
  EXPECT_EQ(percent_encode("a b/é+"), "a%20b%2F%C3%A9%2B");
  EXPECT_EQ(percent_encode("a/b", "-._~/"), "a/b");
  EXPECT_EQ(*percent_decode("a%20b%2fc"), "a b/c");
  EXPECT_FAILS(percent_decode("a%2"), Code::invalid);
  EXPECT_FAILS(percent_decode("%zz"), Code::invalid);
  EXPECT_EQ(*percent_decode("%41"), "A");
}

TEST(Text, utf8_is_strict) {
  EXPECT_TRUE(is_utf8("ផ្សារធំថ្មី, façade est – \U0001F3DB"));
  for (const char* text : {"\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE1\x9E", "\x80"}) {
    EXPECT_FALSE(is_utf8(text));
  }
  EXPECT_EQ(first_invalid_utf8("ab\xFF"), 2u);
}

TEST(Text, normal_forms_and_collisions) {
  const std::string composed = "Marché";
  const std::string decomposed = "Marche\xCC\x81";
  EXPECT_EQ(nfc(decomposed), composed);
  EXPECT_TRUE(is_nfc(composed));
  EXPECT_FALSE(is_nfc(decomposed));
  EXPECT_EQ(collision_key(decomposed), collision_key("MARCHÉ"));
  EXPECT_NE(collision_key("marche"), collision_key("marché"));
  EXPECT_EQ(collision_key("straße"), collision_key("STRASSE"));
}

TEST(Text, search_forgets_accents_and_case_but_keeps_khmer) {
  EXPECT_EQ(search_key("Façade ŒUVRE"), search_key("facade œuvre"));
  EXPECT_EQ(search_key("ផ្សារ"), "ផ្សារ");
}

TEST(Text, what_a_terminal_must_not_see_is_written_out) {
  EXPECT_EQ(printable("a\x1b[31mb\n"), "a\\u{1B}[31mb\\u{A}");
  EXPECT_EQ(printable("x\xE2\x80\xAEy"), "x\\u{202E}y");
  EXPECT_EQ(printable("\xFFz"), "\\xFFz");
  EXPECT_EQ(printable("Marché ផ្សារ"), "Marché ផ្សារ");
}

TEST(Text, width_counts_columns_not_bytes) {
  EXPECT_EQ(display_width("Marché"), 6u);
  EXPECT_EQ(display_width("Marche\xCC\x81"), 6u);
  EXPECT_EQ(display_width("漢字"), 4u);
}

TEST(Text, decimal_refuses_signs_blanks_and_overflow) {
  EXPECT_EQ(parse_decimal("18446744073709551615"), 18446744073709551615ull);
  for (const char* text : {"", "+1", "-1", " 1", "1 ", "18446744073709551616", "0x1"}) {
    EXPECT_FALSE(parse_decimal(text)) << text;
  }
}

}  // namespace
}  // namespace versement
