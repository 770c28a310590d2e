// Proofs over the journal's tree: that an entry is in it (RFC 6962, 2.1.1), and that an older tree
// is its beginning (2.1.2); the text form of the first is C2SP tlog-proof.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"
#include "store/journal/checkpoint.hpp"
#include "store/journal/merkle.hpp"

namespace versement::journal {

// The tree of the first `size` entries, from the hash tiles of a journal folder. The tiles are not
// trusted: whoever proves something with them compares the root. Not thread safe.
class TileTree {
 public:
  // Tiles are there for `size` when a checkpoint of this or a later size was published.
  TileTree(Disk& disk, Path folder, std::uint64_t size)
      : disk_(disk), folder_(std::move(folder)), size_(size) {}

  std::uint64_t size() const { return size_; }
  Result<Hash> root() { return range(0, size_); }
  // The hash of the tree over the entries from `first` up to `end`; `first` and `end` must be
  // borders that RFC 6962's division of a tree knows. Errors: not_found, corrupt, io of the tiles.
  Result<Hash> range(std::uint64_t first, std::uint64_t end);

  // Nearest to the leaf first. Requires index < size().
  Result<std::vector<Hash>> inclusion(std::uint64_t index);
  // That the tree of `older` entries is this one's beginning. Requires 0 < older <= size().
  Result<std::vector<Hash>> consistency(std::uint64_t older);

 private:
  Result<Hash> perfect(std::uint64_t first, unsigned height);
  Result<const std::vector<Hash>*> tile(unsigned level, std::uint64_t index);
  Result<void> consistency_below(std::uint64_t older,
                                 std::uint64_t first,
                                 std::uint64_t end,
                                 bool whole,
                                 std::vector<Hash>* proof);

  Disk& disk_;
  const Path folder_;
  const std::uint64_t size_;
  std::map<std::pair<unsigned, std::uint64_t>, std::vector<Hash>> tiles_;
};

// Errors: corrupt ("journal-proof") when the proof leads to another root.
Result<void> check_inclusion(const Hash& leaf,
                             std::uint64_t index,
                             const std::vector<Hash>& proof,
                             const Checkpoint& tree);
Result<void> check_consistency(const Checkpoint& older,
                               const std::vector<Hash>& proof,
                               const Checkpoint& newer);

// C2SP tlog-proof: an entry, its place, the path to the root, and the signed checkpoint. The entry
// travels as the form's extra data: with the journal's public key the proof can be checked alone.
struct EntryProof {
  std::string entry;  // as the journal has it
  std::uint64_t index = 0;
  std::vector<Hash> path;
  std::string note;  // the checkpoint, with all its signatures
};

std::string proof_text(const EntryProof& proof);
// Errors: invalid.
Result<EntryProof> parse_proof(std::string_view text);

// That the entry is under the proof's checkpoint, and the checkpoint of this key.
// Errors: corrupt ("journal-proof", "journal-signature"); invalid.
Result<Checkpoint> check_proof(const EntryProof& proof, const VerifierKey& key);

// The proof of an entry under the checkpoint that a journal folder has published; checked before it
// is handed out. Errors: not_found when that checkpoint does not cover it yet; corrupt when the
// tiles do not lead to its root.
Result<EntryProof> prove_entry(
    Disk& disk, const Path& folder, const VerifierKey& key, std::uint64_t index, std::string entry);

}  // namespace versement::journal
