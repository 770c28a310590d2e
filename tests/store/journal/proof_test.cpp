#include "store/journal/proof.hpp"

#include "store/base/text.hpp"
#include "store/journal/tile.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::journal {
namespace {

constexpr const char* kOrigin = "archive.example/proofs";

// A journal folder's tiles over any number of entries, without its log.
class Proofs : public ::testing::Test {
 protected:
  static std::string entry(std::uint64_t index) { return "entry " + std::to_string(index); }

  void grow(std::uint64_t size) {
    std::vector<Hash> row;
    for (std::uint64_t i = 0; i < size; ++i)
      row.push_back(leaf_hash(entry(i)));
    roots_.clear();
    Frontier frontier;
    for (const Hash& leaf : row) {
      frontier.append(leaf);
      roots_.push_back(frontier.root());
    }
    for (unsigned level = 0; !row.empty(); ++level) {
      std::vector<Hash> above;
      for (std::size_t first = 0; first < row.size(); first += kTileWidth) {
        const auto part = std::span<const Hash>(row).subspan(
            first, std::min<std::size_t>(kTileWidth, row.size() - first));
        const Path path = folder_.path() / tile_path(level, first / kTileWidth, part.size());
        ASSERT_OK(make_folders(real_disk(), path.parent_path()));
        testing::write(path, tile_bytes(part));
        if (part.size() == kTileWidth) above.push_back(root_of(part));
      }
      row = std::move(above);
    }
  }

  Checkpoint checkpoint(std::uint64_t size) const {
    return {.origin = kOrigin, .size = size, .root = roots_.at(size - 1)};
  }

  testing::TemporaryFolder folder_;
  std::vector<Hash> roots_;
};

TEST_F(Proofs, the_tiles_have_the_root_of_every_size) {
  grow(700);
  for (std::uint64_t size = 1; size <= 700; ++size) {
    TileTree tree(real_disk(), folder_.path(), size);
    const auto root = tree.root();
    ASSERT_OK(root);
    EXPECT_TRUE(*root == roots_[size - 1]) << "size " << size;
  }
}

TEST_F(Proofs, each_entry_is_proven_in_trees_of_all_shapes) {
  grow(700);
  for (const std::uint64_t size : {1u, 2u, 3u, 7u, 8u, 255u, 256u, 257u, 511u, 512u, 513u, 700u}) {
    TileTree tree(real_disk(), folder_.path(), size);
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto path = tree.inclusion(index);
      ASSERT_OK(path);
      EXPECT_OK(check_inclusion(leaf_hash(entry(index)), index, *path, checkpoint(size)));
      // Of another entry, at another place, or with another hash it proves nothing.
      EXPECT_FALSE(check_inclusion(leaf_hash("other"), index, *path, checkpoint(size)));
      if (size > 1) {
        EXPECT_FALSE(
            check_inclusion(leaf_hash(entry(index)), (index + 1) % size, *path, checkpoint(size)));
        auto shorter = *path;
        shorter.pop_back();
        EXPECT_FALSE(check_inclusion(leaf_hash(entry(index)), index, shorter, checkpoint(size)));
        auto longer = *path;
        longer.push_back(leaf_hash("more"));
        EXPECT_FALSE(check_inclusion(leaf_hash(entry(index)), index, longer, checkpoint(size)));
      }
    }
  }
}

TEST_F(Proofs, each_tree_is_the_beginning_of_the_later_ones) {
  grow(300);
  for (std::uint64_t newer = 1; newer <= 300; newer += newer < 40 ? 1 : 37) {
    TileTree tree(real_disk(), folder_.path(), newer);
    for (std::uint64_t older = 1; older <= newer; ++older) {
      const auto proof = tree.consistency(older);
      ASSERT_OK(proof);
      EXPECT_OK(check_consistency(checkpoint(older), *proof, checkpoint(newer)));
      Checkpoint forged = checkpoint(older);
      forged.root = leaf_hash("another history");
      EXPECT_FALSE(check_consistency(forged, *proof, checkpoint(newer)));
    }
  }
}

TEST_F(Proofs, the_text_goes_there_and_back) {
  grow(300);
  const auto signer = Signer::create(real_disk(), folder_ / "key", kOrigin);
  ASSERT_OK(signer);
  testing::write(folder_ / "checkpoint", signer->sign(checkpoint(300)));
  const auto proof = prove_entry(real_disk(), folder_.path(), signer->key(), 257, entry(257));
  ASSERT_OK(proof);
  const std::string text = proof_text(*proof);
  EXPECT_TRUE(text.starts_with("c2sp.org/tlog-proof@v1\nextra ZW50cnkgMjU3\nindex 257\n")) << text;
  auto again = parse_proof(text);
  ASSERT_OK(again);
  const auto checked = check_proof(*again, signer->key());
  ASSERT_OK(checked);
  EXPECT_EQ(checked->size, 300u);
  again->entry += ".";
  EXPECT_FAILS(check_proof(*again, signer->key()), Code::corrupt);
  const auto other = Signer::create(real_disk(), folder_ / "other", kOrigin);
  ASSERT_OK(other);
  EXPECT_FAILS(check_proof(*proof, other->key()), Code::corrupt);
}

TEST_F(Proofs, an_entry_that_is_not_what_the_tiles_have_is_not_proven) {
  grow(300);
  const auto signer = Signer::create(real_disk(), folder_ / "key", kOrigin);
  ASSERT_OK(signer);
  testing::write(folder_ / "checkpoint", signer->sign(checkpoint(300)));
  EXPECT_FAILS(prove_entry(real_disk(), folder_.path(), signer->key(), 3, "forged"), Code::corrupt);
  EXPECT_FAILS(prove_entry(real_disk(), folder_.path(), signer->key(), 300, entry(300)),
               Code::not_found);
  testing::flip_bit(folder_ / "tile/0/001.p/44", 40);
  EXPECT_FAILS(prove_entry(real_disk(), folder_.path(), signer->key(), 3, entry(3)), Code::corrupt);
}

TEST_F(Proofs, hostile_text_is_refused) {
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  for (const std::string& text :
       {std::string(), std::string("index 1\n\n"), head, head + "index\n\n", head + "index x\n\n",
        head + "index 1\nAAAA\n\n", head + "extra ??\nindex 1\n\n", head + "index 1\n",
        head + std::string(1u << 20, 'a')}) {
    EXPECT_FALSE(parse_proof(text)) << text.substr(0, 60);
  }
  std::string many = head + "index 1\n";
  for (int i = 0; i < 64; ++i)
    many += base64_of(leaf_hash("x")) + "\n";
  EXPECT_FAILS(parse_proof(many + "\n"), Code::invalid);
}

}  // namespace
}  // namespace versement::journal
