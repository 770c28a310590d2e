// Where a connection really leads: a name can be made to mean any address, at any moment.
#pragma once

#include <functional>
#include <string>

#include "store/base/result.hpp"

struct sockaddr;

namespace versement::client {

struct PeerAddress {
  std::string text;        // "192.0.2.1", "2001:db8::1"
  bool is_public = false;  // see is_public_address
};

// Asked of each address just before the connection to it is opened; there is no second look-up of
// the name in between. An error ends the attempt.
using Permit = std::function<Result<void>(const PeerAddress&)>;

// True for an address of the open Internet: not of this machine, a private or shared network, a
// link, a group, documentation, or one which only wraps another address that is none (IPv4 in IPv6,
// 6to4, Teredo). Whatever is not known to be public is not.
bool is_public_address(const sockaddr& address);

PeerAddress peer_address(const sockaddr& address);

}  // namespace versement::client
