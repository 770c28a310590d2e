#include "cli/bag_fetch.hpp"

#include <gtest/gtest.h>

namespace versement::cli {
namespace {

FetchOptions only_good() {
  FetchOptions options;
  options.hosts = {"good.example", "other.example:8443", "2600::1"};
  return options;
}

TEST(FetchUrl, of_a_named_host_is_permitted) {
  const FetchOptions options = only_good();
  for (const char* const url :
       {"https://good.example/a", "https://good.example", "https://GOOD.Example:444/a?b=c#d",
        "HTTPS://good.example/%2e%2e/", "https://good.example?x", "https://other.example:8443/",
        "https://[2600::1]/a"})
    EXPECT_EQ(refusal_of_url(url, options), "") << url;
}

TEST(FetchUrl, that_hides_where_it_leads_is_refused) {
  FetchOptions options = only_good();
  options.allow_http = true;
  for (const char* const url : {"https://evil.example/",
                                "https://good.example.evil.example/",
                                "https://good.example@evil.example/",
                                "https://evil.example\\@good.example/",
                                "https://evil.example\\.good.example/",
                                "https://good.example:80@evil.example/",
                                "https://other.example/",
                                "https://other.example:8444/",
                                "https://good.example:0/",
                                "https://good.example:65536/",
                                "https://good.example:/",
                                "https://good.example:x/",
                                "https:good.example/",
                                "https:/good.example/",
                                "https:///good.example/",
                                "//good.example/",
                                "ftp://good.example/",
                                "file:///etc/passwd",
                                "gopher://good.example/",
                                "good.example",
                                "",
                                "https://",
                                "https://good.example/a b",
                                "https://good.example/\r\nX: y",
                                "https://g\xC3\xB6od.example/",
                                "https://good.example/\x7F"})
    EXPECT_NE(refusal_of_url(url, options), "") << url;
}

TEST(FetchUrl, without_tls_needs_leave) {
  FetchOptions options = only_good();
  EXPECT_NE(refusal_of_url("http://good.example/", options), "");
  options.allow_http = true;
  EXPECT_EQ(refusal_of_url("http://good.example/", options), "");
  options.hosts.clear();
  EXPECT_NE(refusal_of_url("http://good.example/", options), "");
  options.any_host = true;
  EXPECT_EQ(refusal_of_url("http://good.example/", options), "");
}

TEST(FetchUrl, is_told_as_the_flag_takes_it) {
  EXPECT_EQ(host_of_url("https://Good.Example/a"), "good.example");
  EXPECT_EQ(host_of_url("https://good.example:8443/a"), "good.example:8443");
  EXPECT_EQ(host_of_url("file:///a"), "file:///a");
}

TEST(FetchMark, gives_back_a_strong_tag_for_its_own_url_only) {
  const std::string url = "https://good.example/a";
  EXPECT_EQ(tag_of_mark(mark_of(url, "\"abc-1\""), url), "\"abc-1\"");
  EXPECT_EQ(tag_of_mark(mark_of(url, "\"abc-1\""), "https://good.example/b"), "");
  EXPECT_EQ(tag_of_mark("\"abc-1\"", url), "");
  EXPECT_EQ(tag_of_mark("", url), "");
}

// A mark may come with the bag, and its tag is sent: it must not end the line that it stands in.
TEST(FetchMark, that_would_alter_the_request_is_none) {
  const std::string url = "https://good.example/a";
  const std::string longest = "\"" + std::string(198, 'a') + "\"";
  for (const std::string& tag :
       {std::string("\"\""), std::string("\"!#~\""), std::string("\"\xC3\xA9\""), longest}) {
    EXPECT_TRUE(is_strong_tag(tag));
    EXPECT_EQ(tag_of_mark(mark_of(url, tag), url), tag);
  }
  for (const std::string& tag :
       {std::string(), std::string("\""), std::string("a"), std::string("W/\"a\""),
        std::string("\"a\"\r\nX: y"), std::string("\"a\r\nX: y\""), std::string("\"a\nb\""),
        std::string("\"a b\""), std::string("\"a\"b\""), std::string("\"a\x7F\""),
        std::string("\"a\0\"", 4), std::string("\"a\"\n"),
        "\"" + std::string(199, 'a') + "\""}) {
    EXPECT_FALSE(is_strong_tag(tag));
    EXPECT_EQ(tag_of_mark(mark_of(url, tag), url), "");
  }
}

}  // namespace
}  // namespace versement::cli
