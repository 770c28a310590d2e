#include "store/journal/merkle.hpp"

#include <bit>
#include <cassert>

#include "store/base/digest.hpp"
#include "store/base/disk.hpp"

namespace versement::journal {
namespace {

Hash hash_of(Hasher&& hasher) {
  const Digest digest = hasher.finish().front();
  Hash hash;
  std::copy(digest.bytes().begin(), digest.bytes().end(), hash.begin());
  return hash;
}

}  // namespace

Hash leaf_hash(std::string_view entry) {
  constexpr std::byte kLeaf{0};
  Hasher hasher{Algorithm::sha256};
  hasher.update({&kLeaf, 1});
  hasher.update(as_bytes(entry));
  return hash_of(std::move(hasher));
}

Hash node_hash(const Hash& left, const Hash& right) {
  constexpr std::byte kNode{1};
  Hasher hasher{Algorithm::sha256};
  hasher.update({&kNode, 1});
  hasher.update(left);
  hasher.update(right);
  return hash_of(std::move(hasher));
}

Hash empty_root() {
  return hash_of(Hasher{Algorithm::sha256});
}

Hash root_of(std::span<const Hash> nodes) {
  if (nodes.empty()) return empty_root();
  if (nodes.size() == 1) return nodes.front();
  const std::size_t left = std::bit_floor(nodes.size() - 1);
  return node_hash(root_of(nodes.first(left)), root_of(nodes.subspan(left)));
}

Frontier::Frontier(std::uint64_t size, std::vector<Hash> nodes)
    : size_(size), nodes_(std::move(nodes)) {
  assert(nodes_.size() == static_cast<std::size_t>(std::popcount(size)));
}

void Frontier::append(const Hash& leaf) {
  nodes_.push_back(leaf);
  // As many subtrees merge as there are trailing ones in the old size.
  for (int i = std::countr_one(size_); i > 0; --i) {
    const Hash right = nodes_.back();
    nodes_.pop_back();
    nodes_.back() = node_hash(nodes_.back(), right);
  }
  ++size_;
}

Hash Frontier::root() const {
  if (nodes_.empty()) return empty_root();
  Hash root = nodes_.back();
  for (std::size_t i = nodes_.size() - 1; i > 0; --i)
    root = node_hash(nodes_[i - 1], root);
  return root;
}

}  // namespace versement::journal
