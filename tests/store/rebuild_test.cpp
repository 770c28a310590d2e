// The index made anew: by many threads, in several starts, beside an old one.
#include <algorithm>

#include "store/catch_up.hpp"
#include "store/sources.hpp"
#include "tests/support/store_fixture.hpp"

namespace versement::store {
namespace {

constexpr int kItems = 10;
constexpr int kJobs = 1500;  // enough for the bulk

class RebuildTest : public testing::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    for (int i = 0; i < kItems; ++i)
      ASSERT_OK(deposit("F-" + std::to_string(i), "bytes " + std::to_string(i)));
    std::vector<journal::Entry> entries;
    for (int i = 0; i < kJobs; ++i) {
      journal::Event event = store_->event(journal::type::kJobQueued, "tester");
      event.objects["job"] = "job-" + std::to_string(i);
      event.detail["kind"] = "nothing";
      entries.push_back({.event = std::move(event), .attachment = nullptr});
    }
    ASSERT_OK(store_->journal().append(std::move(entries)));
    for (int i = 0; i < kItems; ++i)
      ASSERT_OK(deposit("G-" + std::to_string(i), "more " + std::to_string(i)));
    wanted_ = *store_->index().fingerprint();
    entries_ = store_->index().position();
    store_.reset();
  }

  Path index() const { return data() / "index"; }
  Path index_old() const { return data() / "index.old"; }

  static void copy(const Path& from, const Path& to) {
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
  }
  static void damage(const Path& folder) { testing::write(folder / "CURRENT", "no manifest\n"); }

  // The store without bring_up().
  Result<std::unique_ptr<Store>> prepare(bool rebuild) {
    StoreOptions how = options();
    how.rebuild_index = rebuild;
    return Store::prepare(real_disk(), clock_, how);
  }

  // What every start must come to, whatever it found.
  void expect_whole(Store& store) {
    EXPECT_FALSE(store.starting());
    EXPECT_TRUE(store.answers_reads());
    EXPECT_EQ(store.index().position(), entries_);
    EXPECT_TRUE(*store.index().fingerprint() == wanted_);
    EXPECT_FALSE(*path_exists(real_disk(), index_old()));
    EXPECT_OK(store.append(store.event(journal::type::kServiceStarted, "tester")));
    entries_ += 1;
    wanted_ = *store.index().fingerprint();
  }

  void expect_start(bool rebuild, bool serves) {
    auto store = prepare(rebuild);
    ASSERT_OK(store);
    EXPECT_EQ((*store)->answers_reads(), serves);
    ASSERT_OK((*store)->bring_up());
    expect_whole(**store);
  }

  std::unique_ptr<journal::Log> open_log() {
    auto signer = journal::Signer::open(real_disk(), data() / "secrets/journal.key");
    EXPECT_OK(signer);
    auto log = journal::Log::open(real_disk(), data() / "journal", std::move(*signer), {});
    EXPECT_OK(log);
    return std::move(*log);
  }

  static std::unique_ptr<index::Index> open_index(const Path& folder) {
    auto opened = index::Index::open(real_disk(), folder, {});
    EXPECT_OK(opened);
    return std::move(*opened);
  }

  // Makes an index of the first so many entries.
  void make_index(const Path& folder, std::uint64_t end, std::size_t threads = 1) {
    const auto log = open_log();
    const auto made = open_index(folder);
    ObjectSources sources(real_disk(), data() / "store", data() / "evidence");
    ASSERT_OK(
        catch_up({.log = *log, .index = *made, .sources = sources, .threads = threads}, end, {}));
    ASSERT_EQ(made->position(), end);
  }

  std::string wanted_;  // fingerprint of the index that the store has written
  std::uint64_t entries_ = 0;
};

TEST_F(RebuildTest, the_rows_are_the_same_whatever_the_number_of_threads) {
  for (const std::size_t threads : {1u, 2u, 8u}) {
    const Path folder = folder_ / ("made-by-" + std::to_string(threads));
    make_index(folder, entries_, threads);
    EXPECT_TRUE(*open_index(folder)->fingerprint() == wanted_) << threads << " threads";
  }
}

TEST_F(RebuildTest, what_was_stopped_in_the_middle_goes_on_there) {
  const auto log = open_log();
  ObjectSources sources(real_disk(), data() / "store", data() / "evidence");
  std::uint64_t reached = 0;
  {
    const auto half = open_index(folder_ / "made");
    std::stop_source stop;
    const CatchUp work{.log = *log, .index = *half, .sources = sources, .threads = 2, .tell = [&] {
                         if (half->position() > entries_ / 2) stop.request_stop();
                       }};
    EXPECT_FAILS(catch_up(work, entries_, stop.get_token()), Code::cancelled);
    reached = half->position();
    EXPECT_GT(reached, entries_ / 2);
    EXPECT_LT(reached, entries_);
  }
  const auto made = open_index(folder_ / "made");
  EXPECT_EQ(made->position(), reached);
  ASSERT_OK(catch_up({.log = *log, .index = *made, .sources = sources}, entries_, {}));
  EXPECT_TRUE(*made->fingerprint() == wanted_);
}

TEST_F(RebuildTest, a_crash_in_the_bulk_loses_the_position_with_the_rows) {
  const auto log = open_log();
  ObjectSources sources(real_disk(), data() / "store", data() / "evidence");
  const auto half = open_index(folder_ / "made");
  std::vector<journal::Entry> entries;
  ASSERT_OK(log->for_each(0, 100, [&](std::uint64_t, std::string_view text) -> Result<void> {
    TRY_SET(auto event, journal::event_of(text));
    entries.push_back({.event = std::move(event), .attachment = nullptr});
    return {};
  }));
  const std::span<const journal::Entry> all(entries);
  ASSERT_OK(half->apply(0, all.first(20), sources, index::Durability::logged));
  ASSERT_OK(half->apply(20, all.subspan(20, 60), sources, index::Durability::bulk));

  // A copy of an open index is what a crash would leave.
  copy(folder_ / "made", folder_ / "crashed in the bulk");
  const auto crashed = open_index(folder_ / "crashed in the bulk");
  EXPECT_LE(crashed->position(), 80u);
  make_index(folder_ / "as far", crashed->position());
  EXPECT_FALSE(*crashed->difference(*open_index(folder_ / "as far"), {}));

  // A logged write behind the bulk takes the bulk with it.
  ASSERT_OK(half->apply(80, all.subspan(80), sources, index::Durability::logged));
  copy(folder_ / "made", folder_ / "crashed behind it");
  const auto behind = open_index(folder_ / "crashed behind it");
  EXPECT_EQ(behind->position(), 100u);
  make_index(folder_ / "a hundred", 100);
  EXPECT_FALSE(*behind->difference(*open_index(folder_ / "a hundred"), {}));
}

TEST_F(RebuildTest, a_difference_is_named_by_its_first_key) {
  make_index(folder_ / "a", 60);
  make_index(folder_ / "b", 60);
  make_index(folder_ / "longer", 62);
  const auto a = open_index(folder_ / "a");
  const auto b = open_index(folder_ / "b");
  const auto longer = open_index(folder_ / "longer");
  EXPECT_FALSE(*a->difference(*b, {}));
  const auto found = a->difference(*longer, {});
  ASSERT_OK(found);
  ASSERT_TRUE(found->has_value());
  EXPECT_TRUE(*found == *longer->difference(*a, {}));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FAILS(a->difference(*b, stop.get_token()), Code::cancelled);
}

TEST_F(RebuildTest, the_old_index_serves_reads_until_the_new_one_is_there) {
  auto store = prepare(true);
  ASSERT_OK(store);
  EXPECT_TRUE((*store)->answers_reads());
  ASSERT_TRUE((*store)->starting());
  EXPECT_EQ((*store)->starting()->position, 0u);
  EXPECT_EQ((*store)->starting()->target, entries_);
  EXPECT_OK(item_record(**store, "F-1"));
  EXPECT_TRUE(*(*store)->index().fingerprint() == wanted_);
  EXPECT_TRUE(*path_exists(real_disk(), index_old()));

  // Nothing is written, and the error says why.
  const auto appended = (*store)->append((*store)->event(journal::type::kServiceStarted, "t"));
  EXPECT_FAILS(appended, Code::unavailable);
  EXPECT_EQ(appended.error().reason(), "starting");
  const auto begun = (*store)->begin(ObjectId::of_uuid(Uuid::at(clock_.now())));
  EXPECT_FAILS(begun, Code::unavailable);
  EXPECT_EQ(begun.error().reason(), "starting");

  const index::Index& before = (*store)->index();
  ASSERT_OK((*store)->bring_up());
  EXPECT_NE(&(*store)->index(), &before);
  // Who still reads the old one can do so to the end.
  EXPECT_OK(before.record(keys::item("F-2")));
  expect_whole(**store);
}

TEST_F(RebuildTest, a_stopped_start_leaves_both_and_the_next_one_ends_it) {
  {
    auto store = prepare(true);
    ASSERT_OK(store);
    std::stop_source stop;
    stop.request_stop();
    EXPECT_FAILS((*store)->bring_up(stop.get_token()), Code::cancelled);
    EXPECT_TRUE((*store)->starting());
    EXPECT_TRUE((*store)->answers_reads());
  }
  EXPECT_TRUE(*path_exists(real_disk(), index_old()));
  expect_start(false, true);
}

TEST_F(RebuildTest, with_no_index_nothing_is_answered_until_it_is_made) {
  ASSERT_OK(remove_tree(real_disk(), index()));
  expect_start(false, false);
}

TEST_F(RebuildTest, an_index_that_is_behind_serves_nobody) {
  ASSERT_OK(remove_tree(real_disk(), index()));
  make_index(index(), entries_ - 1);
  expect_start(false, false);
  // Neither does it as the old one.
  ASSERT_OK(remove_tree(real_disk(), index()));
  make_index(index(), entries_ - 1);
  expect_start(true, false);
}

// A crash may come between any two steps of the change.
TEST_F(RebuildTest, an_old_index_alone_is_gone_on_with) {
  ASSERT_OK(real_disk().rename_new(index(), index_old()));
  expect_start(false, true);
}

TEST_F(RebuildTest, a_new_index_that_has_begun_is_gone_on_with) {
  ASSERT_OK(real_disk().rename_new(index(), index_old()));
  make_index(index(), 40);
  auto store = prepare(true);  // A restart with the same flag begins nothing anew.
  ASSERT_OK(store);
  EXPECT_EQ((*store)->starting()->position, 40u);
  EXPECT_TRUE((*store)->answers_reads());
  ASSERT_OK((*store)->bring_up());
  expect_whole(**store);
}

TEST_F(RebuildTest, a_new_index_that_is_done_takes_the_place_of_the_old_one) {
  copy(index(), index_old());
  expect_start(false, true);
}

TEST_F(RebuildTest, a_new_index_that_is_ahead_of_the_old_one_takes_its_place) {
  make_index(index_old(), entries_ - 10);
  expect_start(false, true);
}

TEST_F(RebuildTest, an_old_index_that_was_half_removed_is_dropped) {
  copy(index(), index_old());
  ASSERT_OK(real_disk().remove_file(index_old() / "CURRENT"));
  expect_start(false, true);
}

TEST_F(RebuildTest, an_old_index_that_is_damaged_is_dropped) {
  ASSERT_OK(real_disk().rename_new(index(), index_old()));
  make_index(index(), 40);
  damage(index_old());
  expect_start(false, false);
}

TEST_F(RebuildTest, a_damaged_new_index_is_begun_anew) {
  copy(index(), index_old());
  damage(index());
  expect_start(false, true);
}

TEST_F(RebuildTest, a_damaged_index_is_not_set_aside) {
  damage(index());
  expect_start(true, false);
}

TEST_F(RebuildTest, an_old_index_with_other_rows_is_replaced_by_what_the_journal_says) {
  ASSERT_OK(remove_tree(real_disk(), index()));
  {
    // As many entries, but none of them.
    const auto wrong = open_index(index());
    ObjectSources sources(real_disk(), data() / "store", data() / "evidence");
    std::vector<journal::Entry> entries(entries_);
    ASSERT_OK(wrong->apply(0, entries, sources));
  }
  expect_start(true, true);
}

TEST_F(RebuildTest, a_journal_that_was_cut_back_does_not_cost_the_index_that_shows_it) {
  copy(data() / "journal", folder_ / "earlier journal");
  open();
  ASSERT_OK(deposit("later", "x"));
  wanted_ = *store_->index().fingerprint();
  store_.reset();
  ASSERT_OK(remove_tree(real_disk(), data() / "journal"));
  ASSERT_OK(real_disk().remove_file(data() / journal::kHeadCopy));
  copy(folder_ / "earlier journal", data() / "journal");

  auto store = prepare(true);
  ASSERT_OK(store);
  ASSERT_OK((*store)->bring_up());
  EXPECT_TRUE((*store)->read_only_reason());
  EXPECT_TRUE(*(*store)->index().fingerprint() == wanted_);
  EXPECT_TRUE(*path_exists(real_disk(), index()));
  EXPECT_FALSE(*path_exists(real_disk(), index_old()));
}

TEST_F(RebuildTest, entries_that_were_edited_leave_the_old_index_serving_and_nothing_written) {
  // The tail is checked when the journal is opened; the first bundle has to lie below it.
  open();
  for (int i = 0; i < 300; ++i) {
    journal::Event event = store_->event("test", "tester");
    event.detail["filler"] = std::string(60'000, 'x');
    ASSERT_OK(store_->append(std::move(event)));
  }
  ASSERT_OK(store_->journal().publish());
  wanted_ = *store_->index().fingerprint();
  store_.reset();
  const Path bundle = data() / "journal/tile/entries/000";
  std::string bytes = testing::read(bundle);
  const std::size_t at = bytes.find("tester");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'T';
  ASSERT_OK(real_disk().set_mode(bundle, 0644));
  testing::write(bundle, bytes);

  auto store = prepare(true);
  ASSERT_OK(store);
  journal::Log& before = (*store)->journal();
  ASSERT_OK((*store)->bring_up());
  EXPECT_TRUE((*store)->read_only_reason());
  EXPECT_TRUE(*(*store)->index().fingerprint() == wanted_);
  EXPECT_TRUE(*path_exists(real_disk(), index_old()));
  EXPECT_GT(before.size(), 0u);  // Who still reads the journal can do so to the end.
}

}  // namespace
}  // namespace versement::store
