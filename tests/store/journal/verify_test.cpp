// Each rule of the verifier by itself: journals put together by hand, right but for one thing.
#include "store/journal/verify.hpp"

#include <algorithm>
#include <optional>

#include "store/journal/event.hpp"
#include "store/journal/proof.hpp"
#include "store/journal/tail.hpp"
#include "store/journal/tile.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::journal {
namespace {

constexpr const char* kOrigin = "archive.example/verify";

struct OwnFrame {
  FrameKind kind;
  std::uint64_t index;
  std::string payload;
};

class VerifyTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto signer = Signer::create(real_disk(), dir_ / "key", kOrigin);
    ASSERT_OK(signer);
    signer_.emplace(std::move(*signer));
    for (std::uint64_t i = 0; i < kEntries; ++i)
      add("entry " + std::to_string(i));
    publish(kPublished);
    for (std::uint64_t i = 0; i < kEntries; ++i) {
      frames_.push_back({FrameKind::entry, i, entries_[i]});
      if (i % 2 == 1) frames_.push_back({FrameKind::checkpoint, i + 1, note(i + 1)});
    }
  }

  void add(const std::string& text) {
    Event event;
    event.id = Uuid::at(event.time);
    event.type = "test";
    event.agent = "tester";
    event.detail["text"] = text;
    const auto entry = entry_of(event);
    ASSERT_OK(entry);
    entries_.push_back(*entry);
    tree_.append(leaf_hash(*entry));
    roots_.push_back(tree_.root());
  }

  Hash root(std::uint64_t size) const { return size == 0 ? empty_root() : roots_.at(size - 1); }
  std::string note(std::uint64_t size) const { return note(size, root(size)); }
  std::string note(std::uint64_t size, const Hash& root) const {
    return signer_->sign({.origin = kOrigin, .size = size, .root = root});
  }

  void put(const std::string& name, std::string_view bytes) {
    ASSERT_OK(make_folders(real_disk(), (journal_ / name).parent_path()));
    testing::write(journal_ / name, bytes);
  }

  // Bundle, tile and checkpoint of the first `size` entries.
  void publish(std::uint64_t size) {
    std::string bundle;
    std::vector<Hash> leaves;
    for (std::uint64_t i = 0; i < size; ++i) {
      append_to_bundle(entries_[i], &bundle);
      leaves.push_back(leaf_hash(entries_[i]));
    }
    put(bundle_path(0, size), bundle);
    put(tile_path(0, 0, size), tile_bytes(leaves));
    put("checkpoint", note(size));
  }

  JournalReport verified(const std::vector<KeptCheckpoint>& known = {}, std::uint64_t first = 0) {
    std::string tail = tail_header(first);
    for (const OwnFrame& frame : frames_)
      append_frame(frame.kind, frame.index, frame.payload, &tail);
    put(tail_name(first), tail + behind_);
    auto report = verify_journal(
        real_disk(), journal_, {.key = signer_->key()}, [](std::uint64_t, std::string_view) {},
        known);
    EXPECT_OK(report);
    return report ? *report : JournalReport();
  }

  static std::string codes(const JournalReport& report) {
    std::string all;
    for (const JournalFinding& finding : report.findings)
      all += finding.code + " ";
    return all;
  }

  OwnFrame& frame(FrameKind kind, std::uint64_t index) {
    const auto found = std::find_if(frames_.begin(), frames_.end(), [&](const OwnFrame& each) {
      return each.kind == kind && each.index == index;
    });
    EXPECT_NE(found, frames_.end());
    return *found;
  }

  static constexpr std::uint64_t kEntries = 10, kPublished = 6;
  testing::TemporaryFolder dir_;
  const Path journal_ = dir_ / "journal";
  std::optional<Signer> signer_;
  std::vector<std::string> entries_;
  std::vector<Hash> roots_;
  Frontier tree_;
  std::vector<OwnFrame> frames_;
  std::string behind_;  // bytes after the last frame
};

TEST_F(VerifyTest, what_is_right_is_right) {
  const JournalReport report = verified();
  EXPECT_EQ(codes(report), "");
  EXPECT_EQ(report.size, kEntries);
  EXPECT_EQ(report.published, kPublished);
}

TEST_F(VerifyTest, entries_without_a_checkpoint_behind_them_do_not_count) {
  frames_.pop_back();  // of ten entries
  const JournalReport report = verified();
  EXPECT_EQ(codes(report), "");
  EXPECT_EQ(report.size, 8u);
}

TEST_F(VerifyTest, an_entry_twice_in_the_tail_is_out_of_order) {
  frames_.insert(frames_.begin(), frames_.front());
  EXPECT_NE(codes(verified()).find("journal-tail "), std::string::npos);
}

TEST_F(VerifyTest, a_published_entry_is_the_same_in_the_tail) {
  frame(FrameKind::entry, 2).payload = entries_[3];
  EXPECT_EQ(codes(verified()), "journal-tail ");
}

TEST_F(VerifyTest, whole_groups_behind_a_damaged_one_are_no_torn_end) {
  std::string tail;
  append_frame(FrameKind::entry, 10, entries_[0], &tail);
  tail.back() = static_cast<char>(tail.back() ^ 1);
  behind_ = tail;
  EXPECT_EQ(codes(verified()), "");  // One that is torn is what a crash leaves.
  for (const std::uint64_t index : {11u, 12u})
    append_frame(FrameKind::checkpoint, index, note(10), &behind_);
  EXPECT_EQ(codes(verified()), "journal-tail ");
}

TEST_F(VerifyTest, the_tail_covers_what_is_published) {
  frames_.resize(6);  // up to the checkpoint of four entries
  EXPECT_EQ(codes(verified()), "journal-tail ");
}

TEST_F(VerifyTest, each_checkpoint_of_the_tail_is_signed) {
  std::string& text = frame(FrameKind::checkpoint, 4).payload;
  text[text.size() - 10] = text[text.size() - 10] == 'A' ? 'B' : 'A';
  EXPECT_EQ(codes(verified()), "journal-signature ");
}

TEST_F(VerifyTest, a_signed_checkpoint_of_another_tree_is_found) {
  for (const std::uint64_t size : {4u, 8u, 10u}) {
    OwnFrame& changed = frame(FrameKind::checkpoint, size);
    const std::string before = changed.payload;
    changed.payload = note(size, leaf_hash("another tree"));
    EXPECT_EQ(codes(verified()), "journal-root ") << size;
    changed.payload = before;
  }
  frames_.insert(frames_.begin(),
                 {FrameKind::checkpoint, 0, note(0, leaf_hash("another empty tree"))});
  EXPECT_EQ(codes(verified()), "journal-root ");
}

TEST_F(VerifyTest, a_checkpoint_above_what_is_published_covers_all_before_it) {
  frame(FrameKind::checkpoint, 10).payload = note(9);
  EXPECT_EQ(codes(verified()), "journal-root ");
}

TEST_F(VerifyTest, a_checkpoint_from_before_the_tail_does_not_belong_into_it) {
  std::erase_if(frames_, [](const OwnFrame& each) { return each.index < 4; });
  EXPECT_EQ(codes(verified({}, 4)), "");
  frames_.insert(frames_.begin(), {FrameKind::checkpoint, 2, note(2)});
  EXPECT_EQ(codes(verified({}, 4)), "journal-root ");
}

TEST_F(VerifyTest, a_checkpoint_at_the_tail_s_beginning_is_compared) {
  std::erase_if(frames_, [](const OwnFrame& each) { return each.index < 4; });
  frames_.insert(frames_.begin(), {FrameKind::checkpoint, 4, note(4)});
  EXPECT_EQ(codes(verified({}, 4)), "");
  frames_.front().payload = note(4, leaf_hash("another"));
  EXPECT_EQ(codes(verified({}, 4)), "journal-root ");
}

TEST_F(VerifyTest, what_is_kept_elsewhere_must_be_its_beginning) {
  const auto kept = [&](std::uint64_t size, const Hash& root) {
    return std::vector<KeptCheckpoint>{{note(size, root), "kept"}};
  };
  for (const std::uint64_t size : {1u, 6u, 7u, 10u}) {
    EXPECT_EQ(codes(verified(kept(size, root(size)))), "") << size;
    EXPECT_EQ(codes(verified(kept(size, leaf_hash("x")))), "journal-forked ") << size;
  }
  EXPECT_EQ(codes(verified(kept(11, leaf_hash("x")))), "journal-rolled-back ");
}

TEST_F(VerifyTest, entries_and_tiles_that_agree_are_still_not_what_was_signed) {
  const std::string before = testing::read(journal_ / "checkpoint");
  std::swap(entries_[1], entries_[2]);
  publish(kPublished);
  put("checkpoint", before);
  EXPECT_EQ(codes(verified()), "journal-root ");
}

TEST_F(VerifyTest, what_is_no_event_is_said) {
  entries_[1] = "no event";
  tree_ = Frontier();
  roots_.clear();
  for (const std::string& entry : entries_) {
    tree_.append(leaf_hash(entry));
    roots_.push_back(tree_.root());
  }
  publish(kPublished);
  frames_.clear();
  EXPECT_EQ(codes(verified()), "journal-entry ");
}

TEST_F(VerifyTest, the_copy_of_the_head_in_the_store_is_looked_at) {
  const auto with_head = [&](const std::string& text) {
    (void)verified();  // writes the tail
    EXPECT_OK(make_folders(real_disk(), (dir_ / kHeadCopy).parent_path()));
    testing::write(dir_ / kHeadCopy, text);
    testing::write(dir_ / "versement.json", std::string(R"({"origin": ")") + kOrigin + "\"}");
    auto report = verify_data_folder(real_disk(), dir_.path(), {.key = signer_->key()},
                                     [](std::uint64_t, std::string_view) {});
    EXPECT_OK(report);
    return report ? codes(*report) : "";
  };
  EXPECT_EQ(with_head(note(6)), "");
  EXPECT_EQ(with_head("not a note"), "journal-head ");
  EXPECT_EQ(with_head(note(6, leaf_hash("x"))), "journal-forked ");
  EXPECT_EQ(with_head(note(12, leaf_hash("x"))), "journal-rolled-back ");
}

// ---------------------------------------------------------------------------- proofs by hand

Checkpoint tree_of(std::uint64_t size, const Hash& root) {
  return {.origin = kOrigin, .size = size, .root = root};
}

// Roots that hash right for a proof of the wrong length: only the length gives them away.
TEST(ProofRules, an_inclusion_has_the_length_of_its_tree) {
  const Hash a = leaf_hash("a");
  const Hash b = leaf_hash("b");
  EXPECT_OK(check_inclusion(a, 0, {}, tree_of(1, a)));
  EXPECT_FALSE(check_inclusion(a, 5, {}, tree_of(1, a)));
  EXPECT_FALSE(check_inclusion(a, 0, {}, tree_of(0, a)));
  EXPECT_FALSE(check_inclusion(a, 0, {}, tree_of(2, a)));
  EXPECT_OK(check_inclusion(b, 1, {a}, tree_of(2, node_hash(a, b))));
  EXPECT_FALSE(check_inclusion(b, 0, {a}, tree_of(1, node_hash(a, b))));
}

TEST(ProofRules, a_consistency_has_the_length_of_its_trees) {
  const Hash a = leaf_hash("a");
  const Hash b = leaf_hash("b");
  const Hash c = leaf_hash("c");
  EXPECT_OK(check_consistency(tree_of(1, a), {}, tree_of(1, a)));
  EXPECT_FALSE(check_consistency(tree_of(1, a), {b}, tree_of(1, a)));
  EXPECT_FALSE(check_consistency(tree_of(1, a), {}, tree_of(1, b)));
  EXPECT_FALSE(check_consistency(tree_of(2, a), {}, tree_of(1, a)));
  EXPECT_FALSE(check_consistency(tree_of(0, empty_root()), {}, tree_of(1, a)));
  EXPECT_FALSE(check_consistency(tree_of(3, a), {}, tree_of(4, a)));
  // From three entries to four: the third, the fourth, the first two.
  const Hash three = node_hash(c, a);
  const Hash four = node_hash(c, node_hash(a, b));
  EXPECT_OK(check_consistency(tree_of(3, three), {a, b, c}, tree_of(4, four)));
  EXPECT_FALSE(check_consistency(tree_of(3, a), {a, b}, tree_of(4, node_hash(a, b))));
  EXPECT_FALSE(check_consistency(tree_of(3, node_hash(b, three)), {a, b, c, b},
                                 tree_of(4, node_hash(b, four))));
}

TEST_F(VerifyTest, a_tile_that_was_cut_has_no_root) {
  std::string tile = testing::read(journal_ / tile_path(0, 0, kPublished));
  tile.resize(tile.size() - sizeof(Hash));
  put(tile_path(0, 0, kPublished), tile);
  TileTree tree(real_disk(), journal_, kPublished);
  EXPECT_FAILS(tree.root(), Code::corrupt);
}

}  // namespace
}  // namespace versement::journal
