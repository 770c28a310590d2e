#include "client/address.hpp"

#include <array>
#include <cstdint>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace versement::client {
namespace {

struct Network {
  std::uint32_t first;
  unsigned bits;
};

// RFC 6890 and the IANA registry of special-purpose addresses, which has more than "private".
constexpr std::array<Network, 16> kSpecialIpv4{{
    {0x00000000, 8},   // this network
    {0x0A000000, 8},   // private
    {0x64400000, 10},  // shared, of carriers (CGNAT)
    {0x7F000000, 8},   // this machine
    {0xA9FE0000, 16},  // link-local; clouds keep secrets at 169.254.169.254
    {0xAC100000, 12},  // private
    {0xC0000000, 24},  // protocol assignments
    {0xC0000200, 24},  // documentation
    {0xC0586300, 24},  // relays of 6to4
    {0xC0A80000, 16},  // private
    {0xC6120000, 15},  // measurements
    {0xC6336400, 24},  // documentation
    {0xCB007100, 24},  // documentation
    {0xE0000000, 4},   // groups
    {0xF0000000, 4},   // reserved
    {0xFFFFFFFF, 32},  // everybody
}};

bool is_public_ipv4(std::uint32_t address) {
  for (const Network& network : kSpecialIpv4) {
    const std::uint32_t mask = 0xFFFFFFFFu << (32 - network.bits);
    if ((address & mask) == network.first) return false;
  }
  return true;
}

bool is_public_ipv6(const std::array<std::uint8_t, 16>& a) {
  const auto word = [&](std::size_t at) {
    return (std::uint32_t{a[at]} << 24u) | (std::uint32_t{a[at + 1]} << 16u) |
           (std::uint32_t{a[at + 2]} << 8u) | std::uint32_t{a[at + 3]};
  };
  // How a network without IPv4 reaches it (RFC 6052): as good as what it stands for.
  const bool translated = word(0) == 0x0064FF9B && word(4) == 0 && word(8) == 0;
  if (translated) return is_public_ipv4(word(12));
  if ((a[0] & 0xE0u) != 0x20u) return false;                 // nothing else is assigned
  if ((word(0) & 0xFFFFFE00u) == 0x20010000u) return false;  // protocols, Teredo among them
  if (word(0) == 0x20010DB8u) return false;                  // documentation
  if ((word(0) & 0xFFFF0000u) == 0x20020000u) return false;  // 6to4
  return (word(0) & 0xFFFFF000u) != 0x3FFF0000u;             // documentation
}

}  // namespace

bool is_public_address(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof(ipv4));
    return is_public_ipv4(ntohl(ipv4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof(ipv6));
    std::array<std::uint8_t, 16> bytes{};
    std::memcpy(bytes.data(), &ipv6.sin6_addr, bytes.size());
    return is_public_ipv6(bytes);
  }
  return false;
}

PeerAddress peer_address(const sockaddr& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const char* written = nullptr;
  if (address.sa_family == AF_INET) {
    sockaddr_in ipv4{};
    std::memcpy(&ipv4, &address, sizeof(ipv4));
    written = ::inet_ntop(AF_INET, &ipv4.sin_addr, text.data(), text.size());
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 ipv6{};
    std::memcpy(&ipv6, &address, sizeof(ipv6));
    written = ::inet_ntop(AF_INET6, &ipv6.sin6_addr, text.data(), text.size());
  }
  return {written != nullptr ? written : "an unknown address", is_public_address(address)};
}

}  // namespace versement::client
