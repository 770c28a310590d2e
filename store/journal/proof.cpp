#include "store/journal/proof.hpp"

#include <bit>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/journal/tile.hpp"

namespace versement::journal {
namespace {

constexpr std::string_view kProofHead = "c2sp.org/tlog-proof@v1\n";
// A tree of 2^64 entries is no deeper.
constexpr std::size_t kPathMax = 63;
constexpr unsigned kTileHeight = 8;

// Where RFC 6962 divides a tree of `count` entries, two at least: the largest power of two below.
std::uint64_t split(std::uint64_t count) {
  return std::bit_floor(count - 1);
}

Error wrong_proof(const std::string& what) {
  return Error(Code::corrupt, what).as("journal-proof");
}

Result<Hash> hash_of_base64(std::string_view text) {
  TRY_SET(const std::string bytes, bytes_of_base64(text));
  Hash hash;
  if (bytes.size() != hash.size()) {
    return Error(Code::invalid,
                 "a hash of a proof has 32 bytes, not " + std::to_string(bytes.size()));
  }
  std::copy_n(as_bytes(bytes).begin(), hash.size(), hash.begin());
  return hash;
}

// Takes a line without its end off the front.
Result<std::string_view> next_line(std::string_view* text) {
  const std::size_t end = text->find('\n');
  if (end == std::string_view::npos) return Error(Code::invalid, "the proof ends within a line");
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end + 1);
  return line;
}

}  // namespace

// ---------------------------------------------------------------------------- TileTree

// Tiles of an older checkpoint hold fewer hashes; a newer, wider one begins with the same.
Result<const std::vector<Hash>*> TileTree::tile(unsigned level, std::uint64_t index) {
  const auto known = tiles_.find({level, index});
  if (known != tiles_.end()) return &known->second;
  const std::uint64_t first = index * kTileWidth;
  const std::uint64_t count = size_ >> (kTileHeight * level);
  const std::uint64_t width = std::min(kTileWidth, count - first);
  const auto read = [&](std::uint64_t wide) {
    return read_file(disk_, folder_ / tile_path(level, index, wide), kTileWidth * sizeof(Hash));
  };
  auto bytes = read(width);
  for (std::uint64_t wide = kTileWidth; !bytes && wide > width; --wide) {
    if (bytes.error().code() != Code::not_found) break;
    if (auto wider = read(wide)) bytes = std::move(wider);
  }
  if (!bytes) return std::move(bytes).error();
  TRY_SET(std::vector<Hash> hashes, hashes_of_tile(*bytes));
  if (hashes.size() < width) {
    return Error(Code::corrupt, tile_path(level, index, width) + " has too few hashes");
  }
  hashes.resize(width);
  return &tiles_.emplace(std::pair(level, index), std::move(hashes)).first->second;
}

// The hash of the 2^height entries from `first` on, which is a multiple of that.
Result<Hash> TileTree::perfect(std::uint64_t first, unsigned height) {
  const unsigned level = height / kTileHeight;
  const std::uint64_t node = first >> (kTileHeight * level);
  const std::size_t count = std::size_t{1} << (height % kTileHeight);
  TRY_SET(const std::vector<Hash>* const hashes, tile(level, node / kTileWidth));
  const std::size_t at = node % kTileWidth;
  if (at + count > hashes->size()) return Error(Code::corrupt, "a tile has too few hashes");
  return root_of(std::span<const Hash>(*hashes).subspan(at, count));
}

Result<Hash> TileTree::range(std::uint64_t first, std::uint64_t end) {
  const std::uint64_t count = end - first;
  if (count == 0) return empty_root();
  if (std::has_single_bit(count)) {
    return perfect(first, static_cast<unsigned>(std::countr_zero(count)));
  }
  const std::uint64_t middle = first + split(count);
  TRY_SET(const Hash left, range(first, middle));
  TRY_SET(const Hash right, range(middle, end));
  return node_hash(left, right);
}

Result<std::vector<Hash>> TileTree::inclusion(std::uint64_t index) {
  std::vector<Hash> path;
  std::uint64_t first = 0;
  std::uint64_t end = size_;
  while (end - first > 1) {
    const std::uint64_t middle = first + split(end - first);
    const bool left = index < middle;
    TRY_SET(const Hash other, left ? range(middle, end) : range(first, middle));
    path.push_back(other);
    (left ? end : first) = middle;
  }
  return std::vector<Hash>(path.rbegin(), path.rend());
}

Result<std::vector<Hash>> TileTree::consistency(std::uint64_t older) {
  std::vector<Hash> proof;
  TRY(consistency_below(older, 0, size_, true, &proof));
  return proof;
}

// SUBPROOF of RFC 6962, 2.1.2, over the entries from `first` up to `end`; `older` is a place
// within.
Result<void> TileTree::consistency_below(std::uint64_t older,
                                         std::uint64_t first,
                                         std::uint64_t end,
                                         bool whole,
                                         std::vector<Hash>* proof) {
  if (older == end) {
    if (whole) return {};
    TRY_SET(const Hash hash, range(first, end));
    proof->push_back(hash);
    return {};
  }
  const std::uint64_t middle = first + split(end - first);
  if (older <= middle) {
    TRY(consistency_below(older, first, middle, whole, proof));
    TRY_SET(const Hash right, range(middle, end));
    proof->push_back(right);
    return {};
  }
  TRY(consistency_below(older, middle, end, false, proof));
  TRY_SET(const Hash left, range(first, middle));
  proof->push_back(left);
  return {};
}

// ---------------------------------------------------------------------------- checking

// RFC 9162, 2.1.3.2.
Result<void> check_inclusion(const Hash& leaf,
                             std::uint64_t index,
                             const std::vector<Hash>& proof,
                             const Checkpoint& tree) {
  if (index >= tree.size) return wrong_proof("the entry lies behind the tree");
  std::uint64_t node = index;
  std::uint64_t last = tree.size - 1;
  Hash hash = leaf;
  for (const Hash& other : proof) {
    if (last == 0) return wrong_proof("the proof is too long");
    if ((node & 1) != 0 || node == last) {
      hash = node_hash(other, hash);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      hash = node_hash(hash, other);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return wrong_proof("the proof is too short");
  if (hash != tree.root) return wrong_proof("the entry is not in this tree");
  return {};
}

// RFC 9162, 2.1.4.2.
Result<void> check_consistency(const Checkpoint& older,
                               const std::vector<Hash>& proof,
                               const Checkpoint& newer) {
  if (older.size > newer.size) return wrong_proof("the older tree is the larger one");
  if (older.size == newer.size) {
    if (proof.empty() && older.root == newer.root) return {};
    return wrong_proof("two trees of one size have different roots");
  }
  if (older.size == 0) return wrong_proof("the empty tree proves nothing");
  std::vector<Hash> path = proof;
  if (std::has_single_bit(older.size)) path.insert(path.begin(), older.root);
  if (path.empty()) return wrong_proof("the proof is too short");
  std::uint64_t node = older.size - 1;
  std::uint64_t last = newer.size - 1;
  while ((node & 1) != 0) {
    node >>= 1;
    last >>= 1;
  }
  Hash before = path.front();
  Hash after = path.front();
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (last == 0) return wrong_proof("the proof is too long");
    if ((node & 1) != 0 || node == last) {
      before = node_hash(path[i], before);
      after = node_hash(path[i], after);
      while ((node & 1) == 0 && node != 0) {
        node >>= 1;
        last >>= 1;
      }
    } else {
      after = node_hash(after, path[i]);
    }
    node >>= 1;
    last >>= 1;
  }
  if (last != 0) return wrong_proof("the proof is too short");
  if (before != older.root || after != newer.root) {
    return wrong_proof("the older tree is not the beginning of the newer one");
  }
  return {};
}

// ---------------------------------------------------------------------------- tlog-proof

std::string proof_text(const EntryProof& proof) {
  std::string text(kProofHead);
  text += "extra " + base64_of(proof.entry) + "\n";
  text += "index " + std::to_string(proof.index) + "\n";
  for (const Hash& hash : proof.path)
    text += base64_of(hash) + "\n";
  return text + "\n" + proof.note;
}

Result<EntryProof> parse_proof(std::string_view text) {
  if (text.size() > limits::kProofBytesMax || !text.starts_with(kProofHead)) {
    return Error(Code::invalid, "this is not a proof (c2sp.org/tlog-proof@v1)");
  }
  text.remove_prefix(kProofHead.size());
  EntryProof proof;
  TRY_SET(std::string_view line, next_line(&text));
  if (line.starts_with("extra ")) {
    TRY_SET(proof.entry, bytes_of_base64(line.substr(6)));
    TRY_SET(line, next_line(&text));
  }
  const auto index = line.starts_with("index ") ? parse_decimal(line.substr(6)) : std::nullopt;
  if (!index) return Error(Code::invalid, "the proof does not name its entry's index");
  proof.index = *index;
  while (true) {
    TRY_SET(line, next_line(&text));
    if (line.empty()) break;
    if (proof.path.size() == kPathMax) return Error(Code::invalid, "the proof has too many hashes");
    TRY_SET(const Hash hash, hash_of_base64(line));
    proof.path.push_back(hash);
  }
  proof.note = text;
  return proof;
}

Result<Checkpoint> check_proof(const EntryProof& proof, const VerifierKey& key) {
  TRY_SET(Checkpoint checkpoint, read_checkpoint(proof.note, key));
  TRY(check_inclusion(leaf_hash(proof.entry), proof.index, proof.path, checkpoint));
  return checkpoint;
}

Result<EntryProof> prove_entry(Disk& disk,
                               const Path& folder,
                               const VerifierKey& key,
                               std::uint64_t index,
                               std::string entry) {
  EntryProof proof;
  proof.entry = std::move(entry);
  proof.index = index;
  TRY_SET(proof.note, read_file(disk, folder / "checkpoint", limits::kCheckpointBytesMax));
  TRY_SET(const Checkpoint checkpoint, read_checkpoint(proof.note, key));
  if (index >= checkpoint.size) {
    return Error(Code::not_found, "the published checkpoint covers " +
                                      std::to_string(checkpoint.size) + " entries; entry " +
                                      std::to_string(index) + " is not among them");
  }
  TileTree tree(disk, folder, checkpoint.size);
  TRY_SET(proof.path, tree.inclusion(index));
  TRY(check_proof(proof, key));
  return proof;
}

}  // namespace versement::journal
