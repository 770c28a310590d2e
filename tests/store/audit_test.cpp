#include <algorithm>
#include <cerrno>
#include <thread>

#include <sys/stat.h>
#include <unistd.h>

#include "store/audit/object.hpp"
#include "store/audit/run.hpp"
#include "tests/support/store_fixture.hpp"

namespace versement::audit {
namespace {

class AuditTest : public testing::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    auto object = deposit("F-1", "bytes of the sheet");
    ASSERT_OK(object);
    object_ = store_->object_folder(*object);
    ASSERT_OK(deposit("F-2", "others"));
    // As an insider with write access would.
    Path folder = object_;
    for (const char* name : {"", "v1", "content", "x"}) {
      folder /= name;
      ASSERT_OK(real_disk().set_mode(folder, 0755));
    }
    auto entries = list_sorted(real_disk(), folder);
    ASSERT_OK(entries);
    ASSERT_EQ(entries->size(), 1u);
    payload_ = folder / entries->front().name;
  }

  // The verdict, then "outcome path" of what is not verified.
  std::vector<std::string> audit() {
    AuditProgress progress;
    auto result = run_audit(*store_, Uuid::at(clock_.now()), Scope(), 2, progress, {});
    EXPECT_OK(result);
    std::vector<std::string> out{std::string(result->totals.verdict())};
    for (const Damage& damage : result->damage) {
      out.push_back(std::string(outcome_name(damage.outcome.outcome)) + " " + damage.owner + " " +
                    damage.outcome.path);
    }
    std::sort(out.begin() + 1, out.end());
    return out;
  }

  std::string below(const Path& path) const { return path.lexically_relative(object_).native(); }

  using List = std::vector<std::string>;
  Path object_;
  Path payload_;
};

TEST_F(AuditTest, a_whole_store_is_clean) {
  EXPECT_EQ(audit(), List{"clean"});
}

TEST_F(AuditTest, a_flipped_bit_is_a_mismatch_even_with_the_times_restored) {
  testing::flip_bit(payload_, 5);
  EXPECT_EQ(audit(), (List{"damaged", "mismatch item F-1 " + below(payload_)}));
}

TEST_F(AuditTest, a_file_cut_short_is_a_mismatch) {
  ASSERT_EQ(::truncate(payload_.c_str(), 3), 0);
  EXPECT_EQ(audit(), (List{"damaged", "mismatch item F-1 " + below(payload_)}));
}

TEST_F(AuditTest, a_deleted_file_is_missing) {
  ASSERT_OK(real_disk().remove_file(payload_));
  EXPECT_EQ(audit(), (List{"damaged", "missing item F-1 " + below(payload_),
                           "unexpected item F-1 " + below(payload_.parent_path())}));
}

TEST_F(AuditTest, an_added_file_is_unexpected) {
  testing::write(object_ / "v1/content/extra", "x");
  EXPECT_EQ(audit(), (List{"damaged", "unexpected item F-1 v1/content/extra"}));
}

TEST_F(AuditTest, a_link_in_the_place_of_a_file_is_an_impostor) {
  testing::write(folder_ / "elsewhere", "bytes of the sheet");
  ASSERT_OK(real_disk().remove_file(payload_));
  ASSERT_EQ(::symlink((folder_ / "elsewhere").c_str(), payload_.c_str()), 0);
  EXPECT_EQ(audit(), (List{"damaged", "unexpected item F-1 " + below(payload_)}));
}

TEST_F(AuditTest, a_pipe_in_the_place_of_a_file_does_not_hang_the_audit) {
  ASSERT_OK(real_disk().remove_file(payload_));
  ASSERT_EQ(::mkfifo(payload_.c_str(), 0644), 0);
  EXPECT_EQ(audit(), (List{"damaged", "unexpected item F-1 " + below(payload_)}));
}

TEST_F(AuditTest, an_inventory_rewritten_with_its_sidecar_is_found_by_the_journal) {
  auto loaded = ocfl::load_inventory(real_disk(), object_);
  ASSERT_OK(loaded);
  loaded->inventory.versions[1].message = "forged";
  const std::string bytes = ocfl::write_inventory(loaded->inventory);
  for (const Path& place : {object_, object_ / "v1"}) {
    ASSERT_OK(real_disk().set_mode(place / "inventory.json", 0644));
    ASSERT_OK(real_disk().set_mode(place / "inventory.json.sha512", 0644));
    testing::write(place / "inventory.json", bytes);
    testing::write(place / "inventory.json.sha512",
                   ocfl::write_sidecar(digest_of(Algorithm::sha512, bytes)));
  }
  EXPECT_EQ(audit(), (List{"damaged", "mismatch item F-1 inventory.json"}));
}

TEST_F(AuditTest, a_damaged_root_inventory_does_not_hide_the_rest) {
  testing::flip_bit(object_ / "inventory.json", 30);
  testing::flip_bit(payload_, 5);
  EXPECT_EQ(audit(), (List{"damaged", "mismatch item F-1 inventory.json",
                           "mismatch item F-1 " + below(payload_)}));
}

TEST_F(AuditTest, a_deleted_object_is_missing) {
  ASSERT_OK(remove_tree(real_disk(), object_));
  const auto found = audit();
  EXPECT_EQ(found[0], "damaged");
  EXPECT_NE(std::find(found.begin(), found.end(), "missing item F-1 "), found.end());
}

TEST_F(AuditTest, an_object_that_the_journal_does_not_know_is_unexpected) {
  const ObjectId stranger = *ObjectId::parse("urn:uuid:stranger");
  const Path folder = store_->object_folder(stranger);
  ASSERT_OK(make_folders(real_disk(), folder.parent_path()));
  auto writer = ocfl::ObjectWriter::begin(real_disk(), folder, stranger);
  ASSERT_OK(writer);
  ASSERT_OK(writer->add(LogicalPath::literal("a"), "x"));
  ASSERT_OK(writer->finish({clock_.now(), "m", "t", ""}));
  EXPECT_EQ(audit(),
            (List{"damaged",
                  "unexpected  " + folder.lexically_relative(store_->layout().root).native()}));
}

TEST_F(AuditTest, a_stray_file_in_the_hierarchy_is_unexpected) {
  testing::write(object_.parent_path() / "stray", "x");
  const auto found = audit();
  ASSERT_EQ(found.size(), 2u);
  EXPECT_TRUE(found[1].starts_with("unexpected  "));
}

// A disk that gives other bytes, or none, for a while.
class UnsteadyDisk : public Disk {
 public:
  std::string target;
  int wrong_reads = 0;
  int failing_reads = 0;
  Result<std::size_t> read_at(const Fd& fd,
                              std::span<std::byte> into,
                              std::uint64_t offset,
                              const Path& path) override {
    TRY_SET(const std::size_t count, Disk::read_at(fd, into, offset, path));
    if (path.native().find(target) == std::string::npos || count == 0) return count;
    if (failing_reads > 0) {
      --failing_reads;
      return Error::from_errno(EIO, "read " + path.native());
    }
    if (wrong_reads > 0) {
      --wrong_reads;
      into[0] ^= std::byte{1};
    }
    return count;
  }
};

class UnsteadyTest : public AuditTest {
 protected:
  std::vector<Outcome> check(UnsteadyDisk& disk) {
    disk.target = below(payload_);
    const auto inventories = store::inventories_of_item(*store_, "F-1");
    EXPECT_OK(inventories);
    std::vector<Outcome> bad;
    std::atomic<std::uint64_t> bytes{0};
    EXPECT_OK(check_object(disk, {object_, *inventories}, {}, bytes, [&](FileOutcome&& outcome) {
      if (outcome.outcome != Outcome::verified) bad.push_back(outcome.outcome);
    }));
    return bad;
  }
};

TEST_F(UnsteadyTest, wrong_once_and_right_when_read_anew_is_transient) {
  UnsteadyDisk disk;
  disk.wrong_reads = 1;
  EXPECT_EQ(check(disk), std::vector<Outcome>{Outcome::mismatch_transient});
  disk.wrong_reads = 2;
  EXPECT_EQ(check(disk), std::vector<Outcome>{Outcome::mismatch_transient});
  disk.wrong_reads = 3;
  EXPECT_EQ(check(disk), std::vector<Outcome>{Outcome::mismatch});
}

TEST_F(UnsteadyTest, an_error_of_the_device_is_never_a_mismatch) {
  UnsteadyDisk disk;
  disk.failing_reads = 1;
  EXPECT_EQ(check(disk), std::vector<Outcome>{Outcome::unreadable});
}

TEST_F(AuditTest, a_run_that_was_cut_goes_on_and_each_file_has_one_outcome) {
  for (int i = 0; i < 200; ++i)
    ASSERT_OK(deposit("G-" + std::to_string(i), std::to_string(i)));
  AuditProgress whole_progress;
  auto whole = run_audit(*store_, Uuid::at(clock_.now()), Scope(), 2, whole_progress, {});
  ASSERT_OK(whole);
  const Uuid run = Uuid::at(clock_.now());
  AuditProgress first;
  std::stop_source stop;
  std::thread stopper([&] {
    while (first.done_items < 70)
      std::this_thread::yield();
    stop.request_stop();
  });
  const auto cut = run_audit(*store_, run, Scope(), 2, first, stop.get_token());
  stopper.join();
  AuditProgress second;
  auto done = run_audit(*store_, run, Scope(), 2, second, {});
  ASSERT_OK(done);
  EXPECT_EQ(done->totals.counts, whole->totals.counts);
  EXPECT_EQ(done->objects, whole->objects);
  if (!cut) {
    EXPECT_LT(second.done_items, 202u);
  }
}

TEST_F(AuditTest, a_scope_leaves_out_what_was_verified_lately) {
  Scope scope;
  scope.due_before = *Timestamp::parse("2026-01-01T00:00:00Z");
  AuditProgress progress;
  auto nothing = run_audit(*store_, Uuid::at(clock_.now()), scope, 2, progress, {});
  ASSERT_OK(nothing);
  EXPECT_EQ(nothing->objects, 0u);
  scope.due_before = *Timestamp::parse("2027-01-01T00:00:00Z");
  auto all = run_audit(*store_, Uuid::at(clock_.now()), scope, 2, progress, {});
  ASSERT_OK(all);
  EXPECT_EQ(all->objects, 2u);
}

// Audits as the daemon journals them, and what the index counts of them for an item.
class ChecksTest : public AuditTest {
 protected:
  Result<journal::Event> run() {
    AuditProgress progress;
    const Uuid job = Uuid::at(clock_.now());
    TRY_SET(const auto result, run_audit(*store_, job, Scope(), 2, progress, {}));
    journal::Event event = store_->event(journal::type::kFixityCheck, "tester");
    event.objects["job"] = job.text();
    event.detail["result"] = result.to_json();
    return event;
  }
  void run_and_journal() {
    auto event = run();
    ASSERT_OK(event);
    ASSERT_OK(store_->append(std::move(*event)));
  }

  void add_version(bool read_back) {
    const json::Object item = *store::item_record(*store_, "F-1");
    const ObjectId object = *ObjectId::parse(json::text_at(item, "object"));
    auto deposit = store_->begin_version(object, json::text_at(item, "inventory_digest"));
    ASSERT_OK(deposit);
    const std::string text = std::to_string(json::number_at(item, "head_version"));
    ASSERT_OK((*deposit)->add(LogicalPath::literal("METS.xml"), "<mets v='" + text + "'/>", {}));
    journal::Event event = store_->event(journal::type::kIngestion, "tester");
    event.objects["item"] = "F-1";
    event.objects["collection"] = "c";
    event.detail["read_back"] = read_back;
    const ocfl::VersionNote note{event.time, "m", "t", "mailto:t@example.org"};
    ASSERT_OK(store_->commit(std::move(*deposit), note, std::move(event)));
  }

  json::Object checks(const std::string& owner = "item F-1") {
    auto state = store::verification_record(*store_, owner);
    EXPECT_OK(state);
    return json::object_at(*state, "checks");
  }
};

TEST_F(ChecksTest, are_counted_from_the_newest_version_on) {
  EXPECT_FALSE(checks().contains("count"));
  run_and_journal();
  const std::string first = json::text_at(checks(), "last_at");
  EXPECT_EQ(json::text_at(checks(), "first_at"), first);
  run_and_journal();
  EXPECT_EQ(json::number_at(checks(), "count"), 2u);
  EXPECT_EQ(json::text_at(checks(), "first_at"), first);
  EXPECT_GT(json::text_at(checks(), "last_at"), first);
  EXPECT_FALSE(checks().contains("damaged"));

  for (const bool read_back : {true, false}) {
    add_version(read_back);
    EXPECT_FALSE(checks().contains("count"));
    run_and_journal();
    EXPECT_EQ(json::number_at(checks(), "count"), 1u);
  }
  EXPECT_EQ(json::number_at(checks("item F-2"), "count"), 4u);
}

TEST_F(ChecksTest, that_found_damage_are_told_apart) {
  testing::flip_bit(payload_, 5);
  run_and_journal();
  EXPECT_TRUE(json::flag_at(checks(), "last_damaged"));
  testing::flip_bit(payload_, 5);
  run_and_journal();
  EXPECT_FALSE(json::flag_at(checks(), "last_damaged"));
  EXPECT_EQ(json::number_at(checks(), "count"), 2u);
  EXPECT_EQ(json::number_at(checks(), "damaged"), 1u);
}

TEST_F(ChecksTest, begun_before_the_newest_version_are_none_since) {
  auto early = run();
  ASSERT_OK(early);
  add_version(true);
  ASSERT_OK(store_->append(std::move(*early)));
  EXPECT_FALSE(checks().contains("count"));
  EXPECT_EQ(json::number_at(checks("item F-2"), "count"), 1u);
}

TEST_F(ChecksTest, that_came_to_no_end_are_none) {
  auto evidence = store_->begin_evidence();
  ASSERT_OK(evidence);
  ASSERT_OK((*evidence)->line(json::Object{{"kind", "object"},
                                           {"owner", "item F-1"},
                                           {"outcome", "incomplete"},
                                           {"at", clock_.now().text()}}));
  journal::Event event = store_->event(journal::type::kFixityCheck, "tester");
  event.objects["job"] = Uuid::at(clock_.now()).text();
  event.detail["result"] = json::Object{{"evidence_digest", *(*evidence)->finish()}};
  ASSERT_OK(store_->append(std::move(event)));
  EXPECT_EQ(json::text_at(*store::verification_record(*store_, "item F-1"), "state"), "incomplete");
  EXPECT_FALSE(checks().contains("count"));
}

TEST_F(ChecksTest, are_the_same_in_an_index_made_anew) {
  run_and_journal();
  add_version(false);
  run_and_journal();
  const std::string wanted = *store_->index().fingerprint();
  store_.reset();
  std::filesystem::remove_all(data() / "index");
  open();
  EXPECT_TRUE(*store_->index().fingerprint() == wanted);
}

TEST(Totals, a_run_is_clean_only_if_every_file_is_verified) {
  for (std::size_t i = 0; i < kOutcomes; ++i) {
    Totals totals;
    totals.add(Outcome::verified);
    totals.add(static_cast<Outcome>(i));
    const auto outcome = static_cast<Outcome>(i);
    const bool damage = outcome == Outcome::mismatch || outcome == Outcome::missing ||
                        outcome == Outcome::unexpected;
    EXPECT_EQ(totals.verdict(), outcome == Outcome::verified ? "clean"
                                : damage                     ? "damaged"
                                                             : "incomplete");
    EXPECT_EQ(Totals::from_json(totals.to_json()).counts, totals.counts);
  }
}

}  // namespace
}  // namespace versement::audit
