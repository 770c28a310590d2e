// The Merkle tree of RFC 6962 section 2.1, as far as appending needs it. No I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace versement::journal {

using Hash = std::array<std::byte, 32>;  // SHA-256

Hash leaf_hash(std::string_view entry);
Hash node_hash(const Hash& left, const Hash& right);
// The root of the empty tree.
Hash empty_root();
// The root of a perfect or ragged tree over these nodes, which all have the same height.
Hash root_of(std::span<const Hash> nodes);

// The right edge of a tree: the roots of the perfect subtrees that its size is the sum of.
// Appending and the root cost O(log size).
class Frontier {
 public:
  Frontier() = default;
  // Takes up a tree of `size` entries; `nodes` are the roots of its perfect subtrees, largest
  // first.
  Frontier(std::uint64_t size, std::vector<Hash> nodes);

  void append(const Hash& leaf);
  std::uint64_t size() const { return size_; }
  Hash root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> nodes_;  // largest subtree first; as many as bits are set in size_
};

}  // namespace versement::journal
