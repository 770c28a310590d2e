#include "client/address.hpp"

#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

namespace versement::client {
namespace {

PeerAddress peer(const std::string& text) {
  sockaddr_storage storage{};
  auto* const any = reinterpret_cast<sockaddr*>(&storage);
  if (text.find(':') == std::string::npos) {
    sockaddr_in ipv4{};
    ipv4.sin_family = AF_INET;
    EXPECT_EQ(::inet_pton(AF_INET, text.c_str(), &ipv4.sin_addr), 1) << text;
    std::memcpy(&storage, &ipv4, sizeof(ipv4));
  } else {
    sockaddr_in6 ipv6{};
    ipv6.sin6_family = AF_INET6;
    EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &ipv6.sin6_addr), 1) << text;
    std::memcpy(&storage, &ipv6, sizeof(ipv6));
  }
  return peer_address(*any);
}

TEST(PeerAddress, of_the_open_internet_are_public) {
  for (const char* const text :
       {"8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.167.255.255",
        "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2600::1",
        "2a00:1450:4007::200e", "64:ff9b::808:808"})
    EXPECT_TRUE(peer(text).is_public) << text;
}

TEST(PeerAddress, of_anything_else_are_not) {
  for (const char* const text : {"0.0.0.0",      "10.1.2.3",        "100.64.0.1",
                                 "127.0.0.1",    "127.255.255.254", "169.254.169.254",
                                 "172.16.0.1",   "172.31.255.255",  "192.0.0.1",
                                 "192.0.2.1",    "192.88.99.1",     "192.168.1.1",
                                 "198.18.0.1",   "198.19.255.255",  "198.51.100.7",
                                 "203.0.113.9",  "224.0.0.1",       "239.255.255.255",
                                 "240.0.0.1",    "255.255.255.255", "::",
                                 "::1",          "::ffff:8.8.8.8",  "::ffff:127.0.0.1",
                                 "::8.8.8.8",    "fe80::1",         "fc00::1",
                                 "fd12:3456::1", "ff02::1",         "2001::1",
                                 "2001:db8::1",  "2002:7f00:1::",   "2002:808:808::1",
                                 "3fff::1",      "fec0::1",         "64:ff9b::a00:1",
                                 "64:ff9b:1::1", "100::1",          "4000::1"})
    EXPECT_FALSE(peer(text).is_public) << text;
}

TEST(PeerAddress, one_of_another_kind_is_not_public) {
  sockaddr other{};
  other.sa_family = AF_UNIX;
  EXPECT_FALSE(is_public_address(other));
}

TEST(PeerAddress, is_written_as_people_know_it) {
  EXPECT_EQ(peer("192.0.2.1").text, "192.0.2.1");
  EXPECT_EQ(peer("2001:db8::1").text, "2001:db8::1");
}

}  // namespace
}  // namespace versement::client
