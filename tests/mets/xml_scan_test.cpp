#include "mets/xml_scan.hpp"

#include "mets/xml.hpp"
#include "tests/support/expect.hpp"

namespace versement::mets {
namespace {

// What was told, on one line.
class Told : public XmlEvents {
 public:
  Result<void> open(const XmlTag& tag) override {
    text_ += "<" + std::string(tag.name());
    for (const auto& [key, value] : tag.attributes())
      text_ += " " + key + "=" + value;
    text_ += ">";
    return {};
  }
  Result<void> text(std::string_view text) override {
    text_ += text;
    return {};
  }
  Result<void> close(std::string_view name) override {
    text_ += "</" + std::string(name) + ">";
    return {};
  }
  const std::string& all() const { return text_; }

 private:
  std::string text_;
};

Result<std::string> scan(std::string_view text, std::size_t piece) {
  Told told;
  XmlScanner scanner(told);
  for (std::size_t i = 0; i < text.size(); i += piece)
    TRY(scanner.feed(text.substr(i, piece)));
  TRY(scanner.finish());
  return told.all();
}

TEST(XmlScan, tells_the_same_however_the_bytes_come) {
  const std::string text =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a > b -->\n"
      "<m:a xmlns:m=\"urn:x\" b = '1 &amp; \"2\" > &#x1780;'>é &lt;<![CDATA[<&]]]]>\r\n<c/>"
      "<?do it?><d e=\"a\tb\r\nc\"> </d ></m:a>\n";
  const std::string wanted =
      "<m:a xmlns:m=urn:x b=1 & \"2\" > ក>é <<&]]\n<c></c><d e=a b c> </d></m:a>";
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    const auto told = scan(text, piece);
    ASSERT_OK(told);
    EXPECT_EQ(*told, wanted) << piece;
  }
}

TEST(XmlScan, refuses_what_is_no_xml_and_what_is_dangerous) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>", "xml-doctype"},
      {"<a>&x;</a>", "xml-entity"},
      {"<a x=\"1\" x=\"2\"/>", "xml-attribute"},
      {"<a/><b/>", "xml-roots"},
      {"text", "xml-roots"},
      {"<![CDATA[x]]><a/>", "xml-roots"},
      {"<a/>text", "xml-roots"},
      {"", "xml-roots"},
      {"<!-- only -->", "xml-roots"},
      {"<a>\xFF</a>", "xml-encoding"},
      {"<a>\xC3</a>", "xml-encoding"},
      {"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><a/>", "xml-encoding"},
      {"<a>\x01</a>", "xml-character"},
      {"<a>&#1;</a>", "xml-character"},
      {"<a>&#xD800;</a>", "xml-character"},
      {"<a>&#x110000;</a>", "xml-character"},
      {"<a>&#99999999999;</a>", "xml-character"},
      {"<a>&#x;</a>", "xml-character"},
      {"<a x=\"&#xFFFE;\"/>", "xml-character"},
      {"<a>\xEF\xBF\xBF</a>", "xml-character"},
      {"<a><b></a>", "xml-syntax"},
      {"<a></a></a>", "xml-syntax"},
      {"<a>", "xml-syntax"},
      {"<a", "xml-syntax"},
      {"<>", "xml-syntax"},
      {"<a b/>", "xml-syntax"},
      {"<a b=c/>", "xml-syntax"},
      {"<a b=\"<\"/>", "xml-syntax"},
      {"<a b=\"1\"c=\"2\"/>", "xml-syntax"},
      {"<a><!-- a -- b --></a>", "xml-syntax"},
      {"<a>]]></a>", "xml-syntax"},
      {" <?xml version=\"1.0\"?><a/>", "xml-syntax"},
      {"<1/>", "xml-syntax"},
  };
  for (const auto& [text, reason] : cases) {
    for (const std::size_t piece : {std::size_t{1}, text.size() + 1}) {
      const auto told = scan(text, piece);
      ASSERT_FALSE(told) << text;
      EXPECT_EQ(told.error().reason(), reason) << text << ": " << told.error().what();
    }
  }
}

TEST(XmlScan, is_bounded_in_depth_and_in_what_it_holds) {
  std::string deep;
  for (int i = 0; i < 100'000; ++i)
    deep += "<a>";
  EXPECT_FAILS(scan(deep, 65'536), Code::limit);
  for (const char* begin : {"<a b=\"", "<a>", "<!--", "<![CDATA[", "<?x "}) {
    const std::string endless = begin + std::string(3'000'000, 'x');
    const auto scanned = scan(endless, 65'536);
    EXPECT_FAILS(scanned, Code::limit);
  }
}

TEST(XmlScan, stops_at_an_error_of_the_listener) {
  class Refuses : public Told {
    Result<void> open(const XmlTag&) override { return Error(Code::invalid, "no").as("mine"); }
  } refuses;
  XmlScanner scanner(refuses);
  const auto fed = scanner.feed("<a/>");
  ASSERT_FALSE(fed);
  EXPECT_EQ(fed.error().reason(), "mine");
}

TEST(XmlScan, reads_what_the_writer_hands_on_in_pieces) {
  Told told;
  XmlScanner scanner(told);
  std::size_t largest = 0;
  std::size_t written = 0;
  const Sink sink = [&](std::string_view piece) -> Result<void> {
    largest = std::max(largest, piece.size());
    written += piece.size();
    return scanner.feed(piece);
  };
  XmlWriter writer(sink);
  writer.open("a", {});
  for (int i = 0; i < 20'000; ++i)
    writer.text("b", "é & <ផ្សារ>", {{"n", std::to_string(i)}});
  writer.close();
  ASSERT_OK(writer.finish());
  EXPECT_OK(scanner.finish());
  EXPECT_GT(written, 800'000u);
  EXPECT_LT(largest, 70'000u);
  EXPECT_NE(told.all().find("<b n=19999>é & <ផ្សារ></b>"), std::string::npos);
}

}  // namespace
}  // namespace versement::mets
