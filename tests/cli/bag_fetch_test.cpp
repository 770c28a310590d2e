#include "cli/bag_fetch.hpp"

#include <array>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include "store/base/fd.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::cli {
namespace {

FetchOptions only_good() {
  FetchOptions options;
  options.hosts = {"good.example", "other.example:8443", "2600::1", "[2600::2]:8443"};
  return options;
}

TEST(FetchUrl, of_a_named_host_is_permitted) {
  const FetchOptions options = only_good();
  for (const char* const url :
       {"https://good.example/a", "https://good.example", "https://GOOD.Example:443/a?b=c#d",
        "HTTPS://good.example/%2e%2e/", "https://good.example?x", "https://other.example:8443/",
        "https://[2600::1]/a", "https://[2600::2]:8443/"})
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

TEST(FetchUrl, of_a_named_host_but_another_port_is_refused) {
  FetchOptions options = only_good();
  options.allow_http = true;
  for (const char* const url :
       {"https://good.example:444/", "https://good.example:80/", "http://good.example:443/",
        "http://good.example:6379/", "https://other.example/", "https://[2600::1]:8443/",
        "https://[2600::2]/"})
    EXPECT_NE(refusal_of_url(url, options), "") << url;
  options.hosts = {"good.example:444"};
  EXPECT_EQ(refusal_of_url("https://good.example:444/", options), "");
  EXPECT_NE(refusal_of_url("https://good.example/", options), "");
  options.hosts = {"2600::1:8443"};  // an address, and not a port of another one
  EXPECT_NE(refusal_of_url("https://[2600::1]:8443/", options), "");
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
        std::string("\"a\0\"", 4), std::string("\"a\"\n"), "\"" + std::string(199, 'a') + "\""}) {
    EXPECT_FALSE(is_strong_tag(tag));
    EXPECT_EQ(tag_of_mark(mark_of(url, tag), url), "");
  }
}

// Sends a byte every 20 ms, to whoever asks, until the peer goes.
class Dripping {
 public:
  Dripping() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), raw, size), 0);
    EXPECT_EQ(::listen(socket_.get(), 5), 0);
    EXPECT_EQ(::getsockname(socket_.get(), raw, &size), 0);
    port_ = ::ntohs(address.sin_port);
    thread_ = std::jthread([this] { serve(); });
  }
  ~Dripping() { (void)::shutdown(socket_.get(), SHUT_RDWR); }  // Wakes accept().
  Dripping(const Dripping&) = delete;
  Dripping& operator=(const Dripping&) = delete;

  std::string url(const std::string& path) const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  void serve() const {
    while (true) {
      const Fd peer(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (peer.get() < 0) return;
      std::array<char, 4096> request{};
      const ssize_t count = ::recv(peer.get(), request.data(), request.size(), 0);
      const std::string asked(request.data(),
                              static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
      std::string answer = "HTTP/1.1 200 OK\r\n";
      if (asked.starts_with("GET /body ")) answer += "Content-Length: 1000000\r\n\r\n";
      while (::send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL) > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
        answer = "x";
      }
    }
  }

  Fd socket_;
  int port_ = 0;
  std::jthread thread_;
};

TEST(FetchRate, a_server_that_drips_is_given_up) {
  Dripping server;
  FetchOptions options;
  options.any_host = true;
  options.allow_http = true;
  options.allow_private = true;
  options.wait = std::chrono::milliseconds(200);
  options.slow_after = std::chrono::milliseconds(400);
  for (const char* const path : {"/header", "/body"}) {
    const testing::TemporaryFolder bag;
    bagit::FetchItem item;
    item.path = "data/a";
    item.length = 1'000'000;
    item.urls = {server.url(path)};
    item.digests = {digest_of(Algorithm::sha256, "the bytes")};
    FetchProgress progress;

    const auto fetched = fetch_items(bag.path(), {item}, options, progress);

    ASSERT_OK(fetched);
    ASSERT_EQ(fetched->failures.size(), 1u);
    EXPECT_EQ(fetched->failures[0].error.code(), Code::timeout) << path;
    EXPECT_EQ(fetched->failures[0].error.reason(), "fetch-slow") << path;
  }
}

// What a bag brings as the folder of parts is neither sent nor taken for half a file.
TEST(FetchMark, of_a_folder_that_came_with_the_bag_is_removed) {
  const testing::TemporaryFolder bag;
  const Path parts = bag.path() / ".versement-fetch";
  std::filesystem::create_directory(parts);
  std::filesystem::permissions(parts, std::filesystem::perms(0755));
  testing::write(parts / "forged.mark", "\"a\"\r\nX: y");
  FetchProgress progress;
  const auto fetched = fetch_items(bag.path(), {}, {}, progress);
  ASSERT_OK(fetched);
  EXPECT_FALSE(std::filesystem::exists(parts));
}

}  // namespace
}  // namespace versement::cli
