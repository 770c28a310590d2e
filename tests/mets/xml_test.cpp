// XML from strangers: each refused by its code, or read as it is meant.
#include "mets/xml.hpp"

#include "mets/xml_scan.hpp"
#include "store/base/limits.hpp"
#include "tests/support/expect.hpp"

namespace versement::mets {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

// Each byte as a piece of its own.
Result<void> scan_by_byte(std::string_view text) {
  class Silent : public XmlEvents {
    Result<void> open(const XmlTag&) override { return {}; }
    Result<void> text(std::string_view) override { return {}; }
    Result<void> close(std::string_view) override { return {}; }
  } silent;
  XmlScanner scanner(silent);
  for (; !text.empty(); text.remove_prefix(1))
    TRY(scanner.feed(text.substr(0, 1)));
  return scanner.finish();
}

TEST(HostileXml, is_refused_with_a_stable_code) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"<!DOCTYPE a><a/>", "xml-doctype"},
      {"<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>", "xml-doctype"},
      {"<!DOCTYPE a [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;\">]><a>&b;</a>", "xml-doctype"},
      {"<a><!DOCTYPE b></a>", "xml-doctype"},
      {"<a>&x;</a>", "xml-entity"},
      {"<a b=\"&nbsp;\"/>", "xml-entity"},
      {"<a>R & D</a>", "xml-entity"},
      {"<a>&;</a>", "xml-entity"},
      {"<a x=\"1\" x=\"2\"/>", "xml-attribute"},
      {"<a/><b/>", "xml-roots"},
      {"<a/>text", "xml-roots"},
      {"text<a/>", "xml-roots"},
      {"", "xml-roots"},
      {"<!-- only -->", "xml-roots"},
      {"<![CDATA[x]]><a/>", "xml-roots"},
      {"<a>\xFF</a>", "xml-encoding"},
      {"<a>\xED\xA0\x80</a>", "xml-encoding"},
      {"<a>\xC0\xAF</a>", "xml-encoding"},
      {"\xFF\xFE<\0a\0/\0>\0", "xml-encoding"},
      {std::string("<\0a\0/\0>\0", 8), "xml-encoding"},
      {std::string("\0\0\xFE\xFF", 4), "xml-encoding"},
      {"<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", "xml-encoding"},
      {"<?xml version=\"1.0\" encoding=\"IBM037\"?><a/>", "xml-encoding"},
      {"<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "xml-encoding"},
      {"<?xml version=\"1.1\"?><a/>", "xml-syntax"},
      {"<?xml encoding=\"UTF-8\"?><a/>", "xml-syntax"},
      {"<?xml version=\"1.0\"", "xml-syntax"},
      {" <?xml version=\"1.0\"?><a/>", "xml-syntax"},
      {"<a>&#1;</a>", "xml-character"},
      {"<a>&#0;</a>", "xml-character"},
      {std::string("<?xml version=\"1.0\" enco\0ding=\"UTF-8\"?><a/>", 42), "xml-character"},
      {"<a>&#xD800;</a>", "xml-character"},
      {"<a>&#xDFFF;</a>", "xml-character"},
      {"<a>&#xFFFF;</a>", "xml-character"},
      {"<a>&#x110000;</a>", "xml-character"},
      {"<a>&#99999999999999999999;</a>", "xml-character"},
      {"<a>&#x;</a>", "xml-character"},
      {"<a>\x01</a>", "xml-character"},
      {"<a b=\"\x02\"/>", "xml-character"},
      {"<a><!-- \x03 --></a>", "xml-character"},
      {"<a><![CDATA[\x04]]></a>", "xml-character"},
      {"<a>\xEF\xBF\xBF</a>", "xml-character"},
      {"<p:a/>", "xml-namespace"},
      {"<a p:b=\"1\"/>", "xml-namespace"},
      {"<a><b xmlns:p=\"u\"/><p:c/></a>", "xml-namespace"},
      {"<a xmlns:p=\"\"/>", "xml-namespace"},
      {"<p:b:c xmlns:p=\"u\"/>", "xml-namespace"},
      {"<p: xmlns:p=\"u\"/>", "xml-namespace"},
      {"<a><b></a></b>", "xml-syntax"},
      {"<a>", "xml-syntax"},
      {"</a>", "xml-syntax"},
      {"<a b=c/>", "xml-syntax"},
      {"<a b/>", "xml-syntax"},
      {"<a b=\"1\"c=\"2\"/>", "xml-syntax"},
      {"<a b=\"<\"/>", "xml-syntax"},
      {"<a b=\"1", "xml-syntax"},
      {"<1a/>", "xml-syntax"},
      {"< a/>", "xml-syntax"},
      {"<a>]]></a>", "xml-syntax"},
      {"<a><!-- a -- b --></a>", "xml-syntax"},
      {"<a><!-- </a>", "xml-syntax"},
      {"<a><![CDATA[x</a>", "xml-syntax"},
      {"<a><?xml version=\"1.0\"?></a>", "xml-syntax"},
      {"<a><? x?></a>", "xml-syntax"},
      {"<a><!ELEMENT b></a>", "xml-syntax"},
      {"<a/", "xml-syntax"},
      {"<", "xml-syntax"},
  };
  ASSERT_GE(cases.size(), 29u);
  for (const auto& [text, code] : cases) {
    const auto parsed = XmlDocument::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().reason(), code) << text << ": " << parsed.error().what();
    EXPECT_NE(parsed.error().what().find("byte "), std::string::npos) << text;
    const auto scanned = scan_by_byte(text);
    ASSERT_FALSE(scanned) << text;
    EXPECT_EQ(scanned.error().reason(), code) << text << ": " << scanned.error().what();
  }
}

TEST(HostileXml, is_bounded_before_a_tree_is_made) {
  const auto code = [](const std::string& text) {
    const auto parsed = XmlDocument::parse(text);
    return parsed ? std::string() : std::string(parsed.error().reason());
  };
  const auto nested = [](std::size_t depth) {
    return repeated("<a>", depth) + repeated("</a>", depth);
  };
  EXPECT_EQ(code(nested(limits::kXmlDepthMax)), "");
  EXPECT_EQ(code(nested(limits::kXmlDepthMax + 1)), "xml-depth");
  EXPECT_EQ(code(repeated("<a>", 100'000)), "xml-depth");

  const auto attributes = [](std::size_t count) {
    std::string text = "<a";
    for (std::size_t i = 0; i < count; ++i)
      text += " b" + std::to_string(i) + "=\"\"";
    return text + "/>";
  };
  EXPECT_EQ(code(attributes(limits::kXmlAttributesMax)), "");
  EXPECT_EQ(code(attributes(limits::kXmlAttributesMax + 1)), "xml-attribute-count");

  EXPECT_EQ(code("<" + std::string(limits::kXmlNameBytesMax, 'a') + "/>"), "");
  EXPECT_EQ(code("<" + std::string(limits::kXmlNameBytesMax + 1, 'a') + "/>"), "xml-name");

  const auto filled = [](std::size_t bytes) {
    return "<a>" + std::string(bytes - 7, ' ') + "</a>";
  };
  EXPECT_EQ(code(filled(limits::kXmlTreeBytesMax + 1)), "xml-size");
  EXPECT_EQ(code("<a>" + repeated("x<b/>", (limits::kXmlTreeBytesMax - 7) / 5) + "</a>"), "");
}

TEST(HostileXml, is_named_with_the_byte_where_it_stands) {
  const std::string blanks(400'000, ' ');  // more than one piece that the scanner is fed
  const std::pair<std::string, std::size_t> cases[] = {{"<a>ab&x;</a>", 6},
                                                       {"<a>ab \x01</a>", 6},
                                                       {"<a b='\xFF'/>", 6},
                                                       {"<a>]]></a>", 3},
                                                       {"<a><b c='1' c='2'/></a>", 3}};
  for (const auto& [text, byte] : cases) {
    const auto checked = check_xml(blanks + text);
    ASSERT_FALSE(checked) << text;
    const std::string wanted = "byte " + std::to_string(blanks.size() + byte) + ":";
    EXPECT_TRUE(checked.error().what().starts_with(wanted)) << text << checked.error().what();
  }
}

TEST(Xml, reads_what_is_meant) {
  auto document = XmlDocument::parse(
      "\xEF\xBB\xBF<?xml version='1.0' encoding='utf-8' standalone=\"yes\"?>\n"
      "<?xml-stylesheet href=\"x\"?><!-- c -->\n"
      "<p:a xmlns:p = \"urn:x\" xml:lang='km' p:b=\"&#x1F600; &lt;\">"
      "<p:c><![CDATA[<raw> & ]]></p:c>\n<é.1-2 >ខ្មែរ &#233;</é.1-2\n></p:a>\n<!-- end -->\n");
  ASSERT_OK(document);
  EXPECT_EQ(document->root().name(), "p:a");
  EXPECT_EQ(document->root().attribute("p:b"), "\xF0\x9F\x98\x80 <");
  std::vector<std::string> texts;
  document->root().for_each_child(
      [&](const XmlElement& child) { texts.emplace_back(child.text()); });
  EXPECT_EQ(texts, (std::vector<std::string>{"<raw> & ", "ខ្មែរ é"}));
}

}  // namespace
}  // namespace versement::mets
