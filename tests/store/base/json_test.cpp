#include "store/base/json.hpp"

#include "tests/support/expect.hpp"

namespace versement::json {
namespace {

TEST(Json, canonical_writing_sorts_names_and_escapes_little) {
  auto value = parse(R"( {"b":[1,-2,true,null,1.5], "a":"é\u0001\n\"\\\/"} )");
  ASSERT_OK(value);
  EXPECT_EQ(write(*value), R"({"a":"é\u0001\n\"\\/","b":[1,-2,true,null,1.5E0]})");
}

TEST(Json, refuses_what_two_readers_may_read_differently) {
  for (const char* text :
       {R"({"a":1,"a":2})", R"({"a":{"b":1,"b":1}})", R"({"":1,"":2})", R"({"a":1}x)",
        R"({"a":1e999})", "{\"a\":\"\xFF\"}", R"({"a":NaN})", R"({'a':1})", R"({"a":1,})", "",
        R"("\ud800")", "\xEF\xBB\xBF{}", "// c\n{}"}) {
    EXPECT_FAILS(parse(text), Code::invalid);
  }
}

TEST(Json, names_the_duplicate) {
  auto value = parse(R"({"title":1,"title":2})");
  ASSERT_FALSE(value);
  EXPECT_NE(value.error().what().find("'title' stands twice"), std::string::npos);
}

TEST(Json, bounds_depth_and_size) {
  EXPECT_FAILS(parse(std::string(100, '[') + std::string(100, ']')), Code::limit);
  EXPECT_FAILS(parse("[1,2,3]", 3), Code::limit);
}

TEST(JsonReader, collects_every_fault_with_its_pointer) {
  auto object = parse_object(R"({"title":5,"sze":1,"at":"yesterday","a/b":1})");
  ASSERT_OK(object);
  Reader in(*object, "/request");
  EXPECT_FALSE(in.text("title", {.required = true}));
  EXPECT_FALSE(in.text("reference", {.required = true}));
  EXPECT_FALSE(in.time("at"));
  const auto faults = std::move(in).faults();
  ASSERT_EQ(faults.size(), 5u);
  EXPECT_EQ(faults[0].pointer, "/request/title");
  EXPECT_EQ(faults[0].code, "wrong-type");
  EXPECT_EQ(faults[1].code, "missing");
  EXPECT_EQ(faults[2].code, "bad-time");
  EXPECT_EQ(faults[3].pointer, "/request/sze");
  EXPECT_EQ(faults[3].code, "unknown-member");
  EXPECT_EQ(faults[4].pointer, "/request/a~1b");
}

TEST(JsonReader, a_text_with_a_control_character_is_refused) {
  auto object = parse_object(R"({"a":"x\u0007y","b":"x\u0085","c":"one\ttwo\r\nthree\u200b"})");
  ASSERT_OK(object);
  Reader in(*object, "");
  EXPECT_FALSE(in.text("a"));
  EXPECT_FALSE(in.text("b"));
  EXPECT_TRUE(in.text("c"));
  const auto faults = std::move(in).faults();
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(faults[0].code, "control-character");
  EXPECT_NE(faults[0].detail.find("U+0007"), std::string::npos);
  EXPECT_NE(faults[1].detail.find("U+0085"), std::string::npos);
}

}  // namespace
}  // namespace versement::json
