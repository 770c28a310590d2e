#include <thread>

#include "store/base/digest.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/journal/log.hpp"
#include "store/journal/merkle.hpp"
#include "store/journal/tail.hpp"
#include "store/journal/tile.hpp"
#include "store/journal/verify.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/fixed_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::journal {
namespace {

using testing::FixedClock;
using testing::TemporaryFolder;

// The tree over the eight entries that RFC 6962's reference implementations use as test vectors.
TEST(Merkle, roots_are_those_of_the_reference) {
  std::vector<std::string> entries;
  for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                          "606162636465666768696a6b6c6d6e6f"}) {
    entries.push_back(*bytes_of_hex(hex));
  }
  const std::vector<std::string> roots{
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  Frontier tree;
  std::vector<Hash> leaves;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    leaves.push_back(leaf_hash(entries[i]));
    tree.append(leaves.back());
    EXPECT_EQ(hex_of(tree.root()), roots[i]);
    EXPECT_EQ(hex_of(root_of(leaves)), roots[i]);
  }
  EXPECT_EQ(hex_of(Frontier().root()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(Tile, names_are_those_of_the_specification) {
  EXPECT_EQ(tile_path(0, 1234067), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path(2, 0, 5), "tile/2/000.p/5");
  EXPECT_EQ(bundle_path(67, 3), "tile/entries/067.p/3");
}

TEST(Tile, bundles_refuse_to_be_cut) {
  std::string bundle;
  append_to_bundle("abc", &bundle);
  append_to_bundle("", &bundle);
  auto entries = entries_of_bundle(bundle);
  ASSERT_OK(entries);
  ASSERT_EQ(entries->size(), 2u);
  EXPECT_EQ((*entries)[0], "abc");
  EXPECT_FAILS(entries_of_bundle(bundle.substr(0, 4)), Code::corrupt);
  EXPECT_FAILS(entries_of_bundle(bundle.substr(0, 6)), Code::corrupt);
}

TEST(Checkpoint, a_note_is_verified_by_its_key_only) {
  const TemporaryFolder dir;
  auto signer = Signer::create(real_disk(), dir / "key", "archive.example/a");
  auto other = Signer::create(real_disk(), dir / "other", "archive.example/a");
  ASSERT_OK(signer);
  ASSERT_OK(other);
  const std::string note = signer->sign({.origin = "archive.example/a", .size = 7});
  auto read = read_checkpoint(note, signer->key());
  ASSERT_OK(read);
  EXPECT_EQ(read->size, 7u);
  EXPECT_FAILS(read_checkpoint(note, other->key()), Code::corrupt);
  std::string altered = note;
  altered[altered.find("7\n")] = '8';
  EXPECT_FAILS(read_checkpoint(altered, signer->key()), Code::corrupt);
  auto again = Signer::open(real_disk(), dir / "key");
  ASSERT_OK(again);
  EXPECT_EQ(again->key().text(), signer->key().text());
}

TEST(Checkpoint, a_key_that_others_can_read_is_refused) {
  const TemporaryFolder dir;
  ASSERT_OK(Signer::create(real_disk(), dir / "key", "a"));
  ASSERT_OK(real_disk().set_mode(dir / "key", 0644));
  EXPECT_FAILS(Signer::open(real_disk(), dir / "key"), Code::denied);
}

class LogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(Log::create(real_disk(), folder_, dir_ / "key", "archive.example/test"));
  }

  Result<std::unique_ptr<Log>> open(std::chrono::milliseconds delay = std::chrono::hours(1)) {
    TRY_SET(Signer signer, Signer::open(real_disk(), dir_ / "key"));
    LogOptions options;
    options.publish_delay = delay;
    options.apply = [this](std::uint64_t first, std::span<const Entry> entries) -> Result<void> {
      EXPECT_EQ(first, applied_);
      applied_ += entries.size();
      return {};
    };
    TRY_SET(auto log, Log::open(real_disk(), folder_, std::move(signer), std::move(options)));
    applied_ = log->size();
    log->start();
    return log;
  }

  Event event(const std::string& text) {
    Event event;
    event.time = clock_.now();
    event.id = Uuid::at(event.time);
    event.type = "test";
    event.agent = "tester";
    event.detail["text"] = text;
    return event;
  }

  void append(Log& log, int count) {
    for (int i = 0; i < count; ++i)
      ASSERT_OK(log.append(event("n" + std::to_string(i))));
  }

  JournalReport verified() {
    auto key = key_beside(real_disk(), folder_);
    EXPECT_OK(key);
    auto report =
        verify_journal(real_disk(), folder_, {.key = *key}, [](std::uint64_t, std::string_view) {});
    EXPECT_OK(report);
    return *report;
  }

  Path tail() { return *find_tail(real_disk(), folder_); }

  TemporaryFolder dir_;
  Path folder_ = dir_ / "journal";
  FixedClock clock_;
  std::uint64_t applied_ = 0;
};

TEST_F(LogTest, what_was_appended_is_there_after_a_start_and_verifies) {
  std::string first;
  {
    auto log = open();
    ASSERT_OK(log);
    append(**log, 700);
    EXPECT_EQ((*log)->size(), 700u);
    EXPECT_EQ(applied_, 700u);
    first = *(*log)->read(3);
  }
  auto log = open();
  ASSERT_OK(log);
  EXPECT_EQ((*log)->size(), 700u);
  EXPECT_EQ((*log)->published(), 700u);
  EXPECT_EQ(*(*log)->read(3), first);
  append(**log, 5);
  ASSERT_OK((*log)->publish());
  const JournalReport report = verified();
  EXPECT_TRUE(report.good()) << report.findings.front().detail;
  EXPECT_EQ(report.published, 705u);
}

TEST_F(LogTest, every_size_near_the_edge_of_a_tile_can_be_opened_again) {
  for (const int edge : {0, 256, 512}) {
    if (edge != 0) {
      auto log = open();
      ASSERT_OK(log);
      append(**log, edge - 4 - static_cast<int>((*log)->size()));
    }
    for (int i = 0; i < 12; ++i) {
      auto log = open();
      ASSERT_OK(log);
      ASSERT_OK((*log)->append(event("x")));
    }
  }
  const JournalReport report = verified();
  EXPECT_TRUE(report.good()) << report.findings.front().detail;
  EXPECT_EQ(report.published, 520u);
}

TEST_F(LogTest, a_group_without_its_checkpoint_is_cut) {
  {
    auto log = open();
    ASSERT_OK(log);
    append(**log, 10);
  }
  std::string bytes = testing::read(tail());
  std::uint64_t end = 0;
  ASSERT_OK(scan_tail(real_disk(), tail(), [&](const Frame& frame) -> Result<void> {
    end = frame.end_offset;
    return {};
  }));
  bytes.resize(end);
  append_frame(FrameKind::entry, 10, "{\"half\":1}", &bytes);
  testing::write(tail(), bytes + "torn frame");
  auto log = open();
  ASSERT_OK(log);
  EXPECT_EQ((*log)->size(), 10u);
  append(**log, 1);
  ASSERT_OK((*log)->publish());
  EXPECT_TRUE(verified().good());
}

TEST_F(LogTest, entries_that_a_checkpoint_covers_must_be_there) {
  {
    auto log = open();
    ASSERT_OK(log);
    append(**log, 10);
  }
  const std::string whole = testing::read(tail());
  testing::write(tail(), whole.substr(0, kTailHeaderBytes));
  const auto cut = open();
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().reason(), "journal-tampered");

  testing::write(tail(), whole);
  testing::flip_bit(tail(), kTailHeaderBytes + 40);
  const auto flipped = open();
  ASSERT_FALSE(flipped);
  EXPECT_EQ(flipped.error().reason(), "journal-tampered");
}

TEST_F(LogTest, verification_finds_an_edit_anywhere) {
  {
    auto log = open();
    ASSERT_OK(log);
    append(**log, 300);
  }
  ASSERT_TRUE(verified().good());
  for (const char* name : {"tile/entries/000", "tile/0/000", "tile/0/001.p/44",
                           "tile/entries/001.p/44", "tile/1/000.p/1", "checkpoint"}) {
    const std::string before = testing::read(folder_ / name);
    testing::flip_bit(folder_ / name, before.size() / 2);
    EXPECT_FALSE(verified().good()) << name;
    testing::flip_bit(folder_ / name, before.size() / 2);
    EXPECT_TRUE(verified().good()) << name;
  }
}

TEST_F(LogTest, many_writers_share_groups_and_keep_their_order) {
  {
    auto log = open(std::chrono::milliseconds(1));
    ASSERT_OK(log);
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 100; ++i) {
          auto index = (*log)->append(event(std::to_string(t) + ":" + std::to_string(i)));
          EXPECT_OK(index);
          auto back = (*log)->read(*index);
          EXPECT_OK(back);
          EXPECT_NE(back->find(std::to_string(t) + ":" + std::to_string(i)), std::string::npos);
        }
      });
    }
    for (std::thread& thread : threads)
      thread.join();
    EXPECT_EQ((*log)->size(), 800u);
  }
  EXPECT_TRUE(verified().good());
}

TEST_F(LogTest, the_tail_is_begun_anew_when_it_is_long) {
  {
    auto log = open();
    ASSERT_OK(log);
    for (int i = 0; i < 600; ++i)
      ASSERT_OK((*log)->append(event(std::string(40'000, 'x'))));
    ASSERT_OK((*log)->publish());
    append(**log, 3);
  }
  EXPECT_EQ(tail().filename().native(), tail_name(512));
  auto log = open();
  ASSERT_OK(log);
  EXPECT_EQ((*log)->size(), 603u);
  EXPECT_TRUE(verified().good());
}

TEST_F(LogTest, an_entry_that_is_too_long_is_refused_and_nothing_else) {
  auto log = open();
  ASSERT_OK(log);
  EXPECT_FAILS((*log)->append(event(std::string(70'000, 'x'))), Code::limit);
  EXPECT_OK((*log)->append(event("fits")));
}

TEST_F(LogTest, bytes_that_are_no_utf_8_never_make_the_journal_unreadable) {
  {
    auto log = open();
    ASSERT_OK(log);
    ASSERT_OK((*log)->append(event("a name with \xff and \xc3")));
    ASSERT_OK((*log)->append(event("after")));
    EXPECT_OK(event_of(*(*log)->read(0)));
  }
  auto log = open();
  ASSERT_OK(log);
  EXPECT_EQ((*log)->size(), 2u);
  EXPECT_TRUE(verified().good());
}

TEST_F(LogTest, a_stray_file_like_a_tail_costs_nothing) {
  {
    auto log = open();
    ASSERT_OK(log);
    append(**log, 3);
  }
  for (const char* name : {"tail-old", "tail-99999999999999999999.bak", "tail-"})
    testing::write(folder_ / name, "no tail");
  ASSERT_OK(make_folders(real_disk(), folder_ / "tail-00000000000000000256"));
  {
    auto log = open();
    ASSERT_OK(log);
    EXPECT_EQ((*log)->size(), 3u);
  }
  // One that looks newer but is none keeps the service from starting; nothing is removed.
  testing::write(folder_ / "tail-00000000000000000512", "no tail");
  EXPECT_FALSE(open());
  ASSERT_OK(real_disk().remove_file(folder_ / "tail-00000000000000000512"));
  auto log = open();
  ASSERT_OK(log);
  EXPECT_EQ((*log)->size(), 3u);
}

}  // namespace
}  // namespace versement::journal
