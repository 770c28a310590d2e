#include "store/store.hpp"

#include <cerrno>
#include <map>
#include <thread>

#include "store/commit.hpp"
#include "store/journal/evidence.hpp"
#include "store/journal/tile.hpp"
#include "store/journal/verify.hpp"
#include "store/ocfl/validate.hpp"
#include "tests/support/store_fixture.hpp"

namespace versement::store {
namespace {

using testing::StoreFixture;

class StoreTest : public StoreFixture {
 protected:
  void expect_whole(const ObjectId& object) {
    const auto checked = ocfl::check_one_object(real_disk(), store_->object_folder(object), {});
    EXPECT_FALSE(ocfl::any_fault(checked.problems)) << checked.problems.front().detail;
  }
};

TEST_F(StoreTest, a_deposit_is_there_verified_and_in_the_journal) {
  auto object = deposit("F-1", "bytes of the sheet");
  ASSERT_OK(object);
  expect_whole(*object);
  auto item = item_record(*store_, "F-1");
  ASSERT_OK(item);
  EXPECT_EQ(json::number_at(*item, "file_count"), 1u);
  EXPECT_EQ(json::number_at(*item, "package_file_count"), 2u);
  auto row = store_->file_row("F-1", 1, "representations/master/data/fiche é.txt");
  ASSERT_OK(row);
  EXPECT_EQ(row->sha512, digest_of(Algorithm::sha512, "bytes of the sheet"));
  EXPECT_EQ(*read_source(*store_->file("item s", *object, *row), 1000), "bytes of the sheet");
  // Staging is gone, the object is read-only.
  EXPECT_TRUE(list_sorted(real_disk(), store_->layout().work)->empty());
  EXPECT_EQ(real_disk().info(store_->object_folder(*object))->mode, 0555u);
}

TEST_F(StoreTest, an_object_is_never_replaced) {
  const ObjectId object = *ObjectId::parse("ark:/12345/one");
  const auto store_one = [&]() -> Result<Committed> {
    TRY_SET(auto deposit, store_->begin(object));
    TRY(deposit->add(LogicalPath::literal("a"), "x", {}));
    journal::Event event = store_->event(journal::type::kIngestion, "t");
    event.objects["item"] = "one";
    return store_->commit(std::move(deposit), {clock_.now(), "m", "t", ""}, std::move(event));
  };
  ASSERT_OK(store_one());
  EXPECT_FAILS(store_one(), Code::exists);
  expect_whole(object);
}

TEST_F(StoreTest, a_deposit_that_is_given_up_leaves_no_trace) {
  {
    auto deposit = store_->begin(ObjectId::of_uuid(Uuid::at(clock_.now())));
    ASSERT_OK(deposit);
    ASSERT_OK((*deposit)->add(LogicalPath::literal("a"), "x", {}));
  }
  EXPECT_TRUE(list_sorted(real_disk(), store_->layout().work)->empty());
}

TEST_F(StoreTest, many_deposits_at_once_share_the_syncs) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([this, t] {
      for (int i = 0; i < 5; ++i) {
        EXPECT_OK(deposit("T-" + std::to_string(t) + "-" + std::to_string(i), std::to_string(i)));
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  std::size_t items = 0;
  ASSERT_OK(store_->index().scan(keys::Key('i').get(), "", [&](std::string_view, std::string_view) {
    ++items;
    return true;
  }));
  EXPECT_EQ(items, 40u);
}

TEST_F(StoreTest, the_index_made_anew_is_the_same_index) {
  for (int i = 0; i < 20; ++i)
    ASSERT_OK(deposit("F-" + std::to_string(i), std::to_string(i)));
  const auto before = store_->index().fingerprint();
  ASSERT_OK(before);
  store_.reset();
  ASSERT_OK(remove_tree(real_disk(), data() / "index"));
  open();
  EXPECT_EQ(*store_->index().fingerprint(), *before);
}

TEST_F(StoreTest, files_that_fit_no_entry_come_back_from_evidence) {
  const ObjectId object = ObjectId::of_uuid(Uuid::at(clock_.now()));
  auto deposit = store_->begin(object);
  ASSERT_OK(deposit);
  for (int i = 0; i < 600; ++i) {
    const std::string path = "data/" + std::string(60, 'n') + std::to_string(i);
    ASSERT_OK((*deposit)->add(LogicalPath::literal(path), std::to_string(i), {}));
  }
  journal::Event event = store_->event(journal::type::kIngestion, "t");
  event.objects["item"] = "big";
  ASSERT_OK(store_->commit(std::move(*deposit), {clock_.now(), "m", "t", ""}, std::move(event)));
  const auto before = store_->index().fingerprint();
  store_.reset();
  ASSERT_OK(remove_tree(real_disk(), data() / "index"));
  open();
  EXPECT_EQ(*store_->index().fingerprint(), *before);
  EXPECT_EQ(json::number_at(*item_record(*store_, "big"), "package_file_count"), 600u);
}

TEST_F(StoreTest, one_process_at_a_time) {
  EXPECT_FAILS(Store::open(real_disk(), clock_, options()), Code::conflict);
}

TEST_F(StoreTest, a_folder_that_is_not_mounted_is_not_an_empty_store) {
  store_.reset();
  StoreOptions elsewhere = options();
  elsewhere.data = folder_ / "nothing";
  EXPECT_FAILS(Store::open(real_disk(), clock_, elsewhere), Code::not_found);
  ASSERT_OK(real_disk().make_folder(folder_ / "nothing"));
  EXPECT_FAILS(Store::open(real_disk(), clock_, elsewhere), Code::not_found);
}

TEST_F(StoreTest, a_new_store_needs_an_empty_folder) {
  testing::write(folder_ / "file", "x");
  EXPECT_FAILS(Store::create(real_disk(), clock_, folder_.path(), "archive.example/x"),
               Code::exists);
}

TEST_F(StoreTest, staging_without_an_intent_is_swept) {
  store_.reset();
  ASSERT_OK(make_folders(real_disk(), data() / "work/tx-half/object/v1/content"));
  testing::write(data() / "work/tx-half/object/v1/content/a", "half");
  open();
  EXPECT_EQ(store_->recovered().dropped, 1u);
  EXPECT_TRUE(list_sorted(real_disk(), data() / "work")->empty());
}

// What a crash leaves between the rename and the journal: the object, and its intent.
class VersionTest : public StoreTest {
 protected:
  using Fill = std::function<void(Deposit&)>;

  void SetUp() override {
    StoreTest::SetUp();
    auto object = deposit("F-1", "first bytes");
    ASSERT_OK(object);
    object_ = *object;
  }

  std::string head() const {
    return json::text_at(*item_record(*store_, "F-1"), "inventory_digest");
  }

  Result<Committed> add_version(const std::string& base, const Fill& fill) {
    TRY_SET(auto deposit, store_->begin_version(object_, base));
    fill(*deposit);
    journal::Event event = store_->event(journal::type::kIngestion, "tester");
    event.objects["item"] = "F-1";
    event.objects["collection"] = "c";
    event.detail["metadata"] = json::Object{{"title", json::Object{{"fr", "Fiche"}}}};
    return store_->commit(std::move(deposit), {clock_.now(), "m", "t", "mailto:t@example.org"},
                          std::move(event));
  }

  index::FileRow row(std::uint32_t version, const std::string& path) const {
    auto found = store_->file_row("F-1", version, path);
    EXPECT_OK(found);
    return found ? *found : index::FileRow();
  }

  static constexpr const char* kPayload = "representations/master/data/fiche é.txt";
  ObjectId object_;
};

TEST_F(VersionTest, adds_replaces_keeps_and_leaves_out) {
  ASSERT_OK(add_version(head(), [&](Deposit& deposit) {
    EXPECT_OK(deposit.keep(row(1, kPayload)));
    EXPECT_OK(deposit.add(LogicalPath::literal("METS.xml"), "<mets v='2'/>", {}));
    EXPECT_OK(deposit.add(LogicalPath::literal("new"), "new bytes", {}));
  }));
  expect_whole(object_);
  EXPECT_EQ(row(2, kPayload).content_path, row(1, kPayload).content_path);
  EXPECT_EQ(row(2, "METS.xml").content_path, "v2/content/METS.xml");
  EXPECT_EQ(*read_source(*store_->file("item s", object_, row(1, "METS.xml")), 100), "<mets/>");
  EXPECT_EQ(*read_source(*store_->file("item s", object_, row(2, "METS.xml")), 100),
            "<mets v='2'/>");
  ASSERT_OK(add_version(head(), [&](Deposit& deposit) {
    EXPECT_OK(deposit.add(LogicalPath::literal("METS.xml"), "<mets/>", {}));  // as version 1 had it
    EXPECT_FAILS(deposit.keep(row(1, "METS.xml")), Code::exists);
    index::FileRow wrong = row(2, "new");
    wrong.sha512 = digest_of(Algorithm::sha512, "other");
    EXPECT_FAILS(deposit.keep(wrong), Code::not_found);
  }));
  expect_whole(object_);
  EXPECT_EQ(row(3, "METS.xml").content_path, "v1/content/METS.xml");
  EXPECT_FAILS(store_->file_row("F-1", 3, kPayload), Code::not_found);
  // No content folder for a version that brought no bytes.
  EXPECT_FALSE(*path_exists(real_disk(), store_->object_folder(object_) / "v3" / "content"));
  EXPECT_EQ(json::number_at(*item_record(*store_, "F-1"), "head_version"), 3u);
  EXPECT_EQ(inventories_of_item(*store_, "F-1")->size(), 3u);
  // Staging is gone, what is stored is closed.
  EXPECT_TRUE(list_sorted(real_disk(), store_->layout().work)->empty());
  for (const char* folder : {"", "v1", "v2", "v3"}) {
    EXPECT_EQ(real_disk().info(store_->object_folder(object_) / folder)->mode, 0555u) << folder;
  }
  EXPECT_EQ(real_disk().info(store_->object_folder(object_) / "inventory.json")->mode, 0444u);
}

TEST_F(VersionTest, another_version_that_came_first_is_a_conflict) {
  const std::string base = head();
  const auto fill = [](Deposit& deposit) {
    EXPECT_OK(deposit.add(LogicalPath::literal("METS.xml"), "<mets v='2'/>", {}));
  };
  auto slow = store_->begin_version(object_, base);
  ASSERT_OK(slow);
  ASSERT_OK((*slow)->add(LogicalPath::literal("METS.xml"), "<mets v='slow'/>", {}));
  ASSERT_OK(add_version(base, fill));
  EXPECT_FAILS(add_version(base, fill), Code::conflict);
  journal::Event event = store_->event(journal::type::kIngestion, "tester");
  event.objects["item"] = "F-1";
  EXPECT_FAILS(store_->commit(std::move(*slow), {clock_.now(), "m", "t", ""}, std::move(event)),
               Code::conflict);
  expect_whole(object_);
  EXPECT_EQ(json::number_at(*item_record(*store_, "F-1"), "head_version"), 2u);
}

TEST_F(VersionTest, the_index_is_the_same_when_it_is_made_again) {
  ASSERT_OK(add_version(head(), [&](Deposit& deposit) {
    EXPECT_OK(deposit.keep(row(1, kPayload)));
    EXPECT_OK(deposit.add(LogicalPath::literal("METS.xml"), "<mets v='2'/>", {}));
  }));
  const auto rows = [&] {
    std::map<std::string, std::string> all;
    EXPECT_OK(store_->index().scan("", "", [&](std::string_view key, std::string_view value) {
      all.emplace(key, value);
      return true;
    }));
    return all;
  };
  const auto before = rows();
  const Path index = store_->layout().index;
  store_.reset();
  ASSERT_OK(remove_tree(real_disk(), index));
  open();
  EXPECT_EQ(rows(), before);
}

// Another byte comes back from what was staged, as from a disk with a bad cable.
class ForgetfulDisk : public Disk {
 public:
  Result<std::size_t> read_at(const Fd& fd,
                              std::span<std::byte> into,
                              std::uint64_t offset,
                              const Path& path) override {
    auto count = Disk::read_at(fd, into, offset, path);
    if (count && *count > 0 && path.native().find("/content/METS.xml") != std::string::npos) {
      into[0] ^= std::byte{1};
    }
    return count;
  }
};

TEST_F(StoreTest, what_is_read_back_otherwise_is_not_acknowledged) {
  store_.reset();
  ForgetfulDisk disk;
  auto opened = Store::open(disk, clock_, options());
  ASSERT_OK(opened);
  store_ = std::move(*opened);
  const auto stored = deposit("F-1", "x");
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().reason(), "read-back-mismatch");
  store_.reset();
  open();
  EXPECT_FAILS(item_record(*store_, "F-1"), Code::not_found);
  EXPECT_TRUE(list_sorted(real_disk(), data() / "work")->empty());
}

TEST_F(VersionTest, bytes_that_came_again_must_be_whole_in_the_store) {
  testing::flip_bit(store_->object_folder(object_) / "v1/content/METS.xml", 3);
  const auto added = add_version(head(), [&](Deposit& deposit) {
    EXPECT_OK(deposit.add(LogicalPath::literal("METS.xml"), "<mets/>", {}));
    EXPECT_OK(deposit.add(LogicalPath::literal("new"), "new bytes", {}));
  });
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().reason(), "stored-content-damaged");
  EXPECT_EQ(json::number_at(*item_record(*store_, "F-1"), "head_version"), 1u);
}

// The machine goes down at one call; what it left is met by the next start.
class DyingDisk : public Disk {
 public:
  enum class At { put_inventory, append, cleaning };
  explicit DyingDisk(At at) : at_(at) {}
  Result<void> rename_over(const Path& from, const Path& to) override {
    const bool inventory = to.filename() == "inventory.json";
    if (dying && at_ == At::put_inventory && inventory) return dead();
    return Disk::rename_over(from, to);
  }
  Result<void> sync_data(const Fd& fd, const Path& path) override {
    const bool tail = path.filename().native().starts_with("tail-");
    if (dying && at_ == At::append && tail) return dead();
    return Disk::sync_data(fd, path);
  }
  Result<std::size_t> write_at(const Fd& fd,
                               std::span<const std::byte> bytes,
                               std::uint64_t offset,
                               const Path& path) override {
    const bool tail = path.filename().native().starts_with("tail-");
    if (dying && at_ == At::append && tail) return dead();
    return Disk::write_at(fd, bytes, offset, path);
  }
  Result<void> remove_file(const Path& path) override {
    if (dying && at_ == At::cleaning && path.filename() == kIntentName) return dead();
    return Disk::remove_file(path);
  }
  bool dying = false;

 private:
  static Error dead() { return {Code::io, "the machine went down"}; }
  const At at_;
};

class InterruptedVersion : public VersionTest {
 protected:
  // Adds a second version; the store is closed then.
  void add_until(DyingDisk::At at) {
    store_.reset();
    DyingDisk disk(at);
    auto opened = Store::open(disk, clock_, options());
    ASSERT_OK(opened);
    store_ = std::move(*opened);
    disk.dying = true;
    const auto added = add_version(head(), [&](Deposit& deposit) {
      EXPECT_OK(deposit.add(LogicalPath::literal("METS.xml"), "<mets v='2'/>", {}));
    });
    EXPECT_EQ(static_cast<bool>(added), at == DyingDisk::At::cleaning);
    store_.reset();
  }

  std::uint64_t head_version() const {
    return json::number_at(*item_record(*store_, "F-1"), "head_version");
  }
};

TEST_F(InterruptedVersion, is_completed_and_its_inventory_put_in_place) {
  for (const auto at : {DyingDisk::At::put_inventory, DyingDisk::At::append}) {
    const std::uint64_t before = head_version();
    add_until(at);
    open();
    EXPECT_EQ(store_->recovered().completed, 1u);
    EXPECT_EQ(head_version(), before + 1);
    expect_whole(object_);
    EXPECT_EQ(real_disk().info(store_->object_folder(object_))->mode, 0555u);
    ASSERT_OK(add_version(head(), [&](Deposit& deposit) {
      EXPECT_OK(deposit.add(LogicalPath::literal("METS.xml"), "<mets/>", {}));
    }));
  }
}

TEST_F(InterruptedVersion, is_put_into_quarantine_alone_when_it_is_damaged) {
  const Path content = store_->object_folder(object_) / "v2/content/METS.xml";
  add_until(DyingDisk::At::append);  // Its inventory is the object's already.
  testing::flip_bit(content, 2);
  open();
  EXPECT_EQ(store_->recovered().quarantined, 1u);
  EXPECT_EQ(head_version(), 1u);
  expect_whole(object_);
}

TEST_F(InterruptedVersion, is_journaled_once) {
  add_until(DyingDisk::At::cleaning);
  ASSERT_EQ(list_sorted(real_disk(), data() / "work")->size(), 1u);
  open();
  EXPECT_EQ(store_->recovered().completed, 0u);
  EXPECT_EQ(head_version(), 2u);
  EXPECT_TRUE(list_sorted(real_disk(), data() / "work")->empty());
}

class InterruptedTest : public StoreTest {
 protected:
  void interrupt(bool installed, bool damaged) {
    leave(installed, damaged);
    open();
  }

  // What a crash leaves, and no store is open.
  void leave(bool installed, bool damaged) {
    object_ = ObjectId::of_uuid(Uuid::at(clock_.now()));
    const Path tx = data() / "work/tx-1";
    ASSERT_OK(real_disk().make_folder(tx));
    auto writer = ocfl::ObjectWriter::begin(real_disk(), tx / "object", object_);
    ASSERT_OK(writer);
    ASSERT_OK(writer->add(LogicalPath::literal("a"), "content"));
    auto staged = writer->finish({clock_.now(), "m", "t", ""});
    ASSERT_OK(staged);
    journal::Event event = store_->event(journal::type::kIngestion, "t");
    event.objects = {{"item", "late"}, {"object", object_.text()}, {"version", 1}};
    event.detail = {
        {"inventory", staged->inventory_digest.hex()},
        {"files", json::Array{json::Object{{"path", "a"}, {"size", 7}, {"role", "payload"}}}}};
    const Path target = store_->object_folder(object_);
    const json::Object intent{{"v", 1},
                              {"version", 1},
                              {"target", target.lexically_relative(store_->layout().root).native()},
                              {"inventory", staged->inventory_digest.hex()},
                              {"event", *json::parse_object(*journal::entry_of(event))}};
    testing::write(tx / kIntentName, json::write(intent));
    if (installed) {
      ASSERT_OK(make_folders(real_disk(), target.parent_path()));
      ASSERT_OK(real_disk().rename_new(tx / "object", target));
    }
    if (damaged) testing::flip_bit(target / "v1/content/a", 2);
    store_.reset();
  }
  ObjectId object_;
};

TEST_F(InterruptedTest, an_object_in_the_root_gets_its_event) {
  interrupt(true, false);
  EXPECT_EQ(store_->recovered().completed, 1u);
  EXPECT_OK(item_record(*store_, "late"));
  expect_whole(object_);
  store_.reset();
  open();
  EXPECT_EQ(store_->recovered().completed, 0u);  // once is enough
}

TEST_F(InterruptedTest, an_object_that_never_got_there_is_dropped) {
  interrupt(false, false);
  EXPECT_EQ(store_->recovered().dropped, 1u);
  EXPECT_FAILS(item_record(*store_, "late"), Code::not_found);
}

TEST_F(InterruptedTest, a_damaged_object_goes_to_quarantine_with_an_incident) {
  interrupt(true, true);
  EXPECT_EQ(store_->recovered().quarantined, 1u);
  EXPECT_FAILS(item_record(*store_, "late"), Code::not_found);
  EXPECT_EQ(list_sorted(real_disk(), data() / "quarantine")->size(), 1u);
  std::size_t incidents = 0;
  ASSERT_OK(store_->index().scan(keys::Key('x').get(), "", [&](std::string_view, std::string_view) {
    ++incidents;
    return true;
  }));
  EXPECT_EQ(incidents, 1u);
}

// Somebody else could have written the file: it must not lead to an object that is not its own.
TEST_F(InterruptedTest, an_intent_that_contradicts_itself_touches_nothing) {
  const auto other = deposit("F-1", "x");
  ASSERT_OK(other);
  const std::string place =
      store_->object_folder(*other).lexically_relative(store_->layout().root).native();
  const std::vector<std::function<void(json::Object&)>> changes = {
      [&](json::Object& intent) { intent["target"] = place; },
      [](json::Object& intent) {
        intent["version"] = 3;
        intent["base"] = "b";
      },
      [](json::Object& intent) { intent["inventory"] = std::string(128, 'a'); },
      [](json::Object& intent) { intent["event"].as_object()["type"] = "test"; },
  };
  for (std::size_t i = 0; i < changes.size(); ++i) {
    leave(true, false);
    const Path file = data() / "work/tx-1/intent.json";
    json::Object intent = *json::parse_object(testing::read(file));
    changes[i](intent);
    testing::write(file, json::write(intent));
    open();
    EXPECT_EQ(store_->recovered().dropped, 1u) << i;
    EXPECT_EQ(store_->recovered().completed, 0u) << i;
    EXPECT_EQ(store_->recovered().quarantined, 0u) << i;
    expect_whole(*other);
    // It says nothing that could be told.
    EXPECT_FAILS(item_record(*store_, "late"), Code::not_found);
    const auto last = store_->journal().read(store_->journal().size() - 1);
    ASSERT_OK(last);
    EXPECT_EQ(last->find("late"), std::string::npos) << i;
  }
}

TEST_F(InterruptedTest, another_inventory_than_the_intent_names_goes_to_quarantine) {
  leave(true, false);
  const Path file = data() / "work/tx-1/intent.json";
  json::Object intent = *json::parse_object(testing::read(file));
  const std::string forged(128, 'a');
  intent["inventory"] = forged;
  intent["event"].as_object()["detail"].as_object()["inventory"] = forged;
  testing::write(file, json::write(intent));
  open();
  EXPECT_EQ(store_->recovered().quarantined, 1u);
  // The journal does not tell where this machine keeps its files.
  ASSERT_OK(store_->journal().for_each(
      0, store_->journal().size(), [&](std::uint64_t, std::string_view text) -> Result<void> {
        EXPECT_EQ(text.find(data().native()), std::string_view::npos);
        return {};
      }));
}

// The system gives no answer for one file, whatever the bytes are.
class ScarceDisk : public Disk {
 public:
  ScarceDisk(std::string name, int number) : name_(std::move(name)), number_(number) {}
  Result<Fd> open(const Path& path, int flags, mode_t mode) override {
    if (path.filename() == name_) return Error::from_errno(number_, "open " + path.native());
    return Disk::open(path, flags, mode);
  }

 private:
  const std::string name_;
  const int number_;
};

TEST_F(InterruptedTest, what_cannot_be_read_now_is_neither_dropped_nor_put_into_quarantine) {
  leave(true, false);
  for (const char* const name : {"a", "intent.json"}) {
    for (const int number : {EACCES, EMFILE, EIO}) {
      ScarceDisk disk(name, number);
      const auto opened = Store::open(disk, clock_, options());
      ASSERT_FALSE(opened) << name << " " << number;
      EXPECT_NE(opened.error().what().find("work/tx-1"), std::string::npos);
    }
  }
  EXPECT_EQ(list_sorted(real_disk(), data() / "quarantine")->size(), 0u);
  open();
  EXPECT_EQ(store_->recovered().completed, 1u);
  expect_whole(object_);
}

class Tampered : public StoreTest {
 protected:
  // The journal as it was before a deposit takes the place of the one after it.
  void roll_back() {
    const Path journal = data() / "journal";
    store_.reset();
    const Path copy = folder_ / "copy";
    std::filesystem::copy(journal, copy, std::filesystem::copy_options::recursive);
    open();
    ASSERT_OK(deposit("F-1", "x"));
    store_.reset();
    ASSERT_OK(remove_tree(real_disk(), journal));
    std::filesystem::copy(copy, journal, std::filesystem::copy_options::recursive);
  }

  // What the index has is served, and nothing is written.
  void expect_read_only() {
    auto opened = Store::open(real_disk(), clock_, options());
    ASSERT_OK(opened);
    const auto why = (*opened)->read_only_reason();
    ASSERT_TRUE(why.has_value());
    EXPECT_NE(why->find("journal"), std::string::npos) << *why;
    EXPECT_OK(item_record(**opened, "F-1"));
    EXPECT_FAILS((*opened)->append((*opened)->event("test", "tester")), Code::unavailable);
    EXPECT_FAILS((*opened)->begin(ObjectId::of_uuid(Uuid::at(clock_.now()))), Code::unavailable);
  }

  void expect_refused() {
    const auto opened = Store::open(real_disk(), clock_, options());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().reason(), "journal-tampered") << opened.error().what();
  }
};

TEST_F(Tampered, a_journal_that_was_cut_back_leaves_the_service_read_only) {
  roll_back();
  expect_read_only();
}

TEST_F(Tampered, a_journal_that_was_cut_back_is_noticed_without_the_index) {
  roll_back();
  ASSERT_OK(remove_tree(real_disk(), data() / "index"));
  expect_refused();
}

TEST_F(Tampered, a_journal_that_was_cut_back_is_noticed_without_the_stores_copy_of_its_head) {
  roll_back();
  ASSERT_OK(real_disk().remove_file(data() / "store/versement-head.txt"));
  expect_read_only();
}

TEST_F(Tampered, the_head_of_another_journal_is_noticed) {
  ASSERT_OK(deposit("F-1", "x"));
  store_.reset();
  const Path other = folder_ / "other";
  ASSERT_OK(Store::create(real_disk(), clock_, other, "archive.example/test"));
  std::filesystem::copy_file(other / "store/versement-head.txt",
                             data() / "store/versement-head.txt",
                             std::filesystem::copy_options::overwrite_existing);
  expect_read_only();
}

// Signed by the right key, of the right size, and of another history.
TEST_F(Tampered, a_head_of_the_same_size_is_compared) {
  ASSERT_OK(deposit("F-1", "x"));
  ASSERT_OK(store_->journal().publish());
  const std::uint64_t size = store_->journal().published();
  store_.reset();
  const auto signer = journal::Signer::open(real_disk(), data() / "secrets/journal.key");
  ASSERT_OK(signer);
  const Path head = data() / "store/versement-head.txt";
  const std::string before = testing::read(head);
  testing::write(head, signer->sign({.origin = "archive.example/test",
                                     .size = size,
                                     .root = journal::leaf_hash("another history")}));
  expect_read_only();
  testing::write(head, before);
  open();
  EXPECT_FALSE(store_->read_only_reason().has_value());
}

TEST_F(Tampered, without_the_hash_tiles_nothing_is_believed) {
  ASSERT_OK(deposit("F-1", "x"));
  ASSERT_OK(store_->journal().publish());
  const std::uint64_t size = store_->journal().published();
  store_.reset();
  ASSERT_OK(real_disk().remove_file(data() / "journal" / journal::tile_path(0, 0, size)));
  expect_read_only();
}

// Entries below the tail are read from bundles only when the index is built anew.
TEST_F(Tampered, an_entry_that_was_edited_does_not_get_into_a_new_index) {
  for (int i = 0; i < 300; ++i) {
    journal::Event event = store_->event("test", "tester");
    event.detail["filler"] = std::string(60'000, 'x');
    ASSERT_OK(store_->append(std::move(event)));
    if (i != 100) continue;
    store_.reset();
    std::filesystem::copy(data() / "index", folder_ / "index",
                          std::filesystem::copy_options::recursive);
    open();
  }
  ASSERT_OK(store_->journal().publish());
  store_.reset();
  open();  // The tail begins behind the first bundle now.
  ASSERT_OK(deposit("F-1", "x"));
  store_.reset();
  const Path bundle = data() / "journal/tile/entries/000";
  std::string bytes = testing::read(bundle);
  const std::size_t at = bytes.rfind("xxxx");  // behind what that copy knows
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'y';
  ASSERT_OK(real_disk().set_mode(bundle, 0644));
  testing::write(bundle, bytes);
  open();  // The index knows the entries already.
  store_.reset();
  ASSERT_OK(remove_tree(real_disk(), data() / "index"));
  expect_refused();
  // One that knows the first of them, as from a copy, takes the others on trust no more than that.
  ASSERT_OK(remove_tree(real_disk(), data() / "index"));
  std::filesystem::copy(folder_ / "index", data() / "index",
                        std::filesystem::copy_options::recursive);
  {
    auto opened = Store::open(real_disk(), clock_, options());
    ASSERT_OK(opened);
    EXPECT_TRUE((*opened)->read_only_reason().has_value());
  }
  bytes[at] = 'x';
  testing::write(bundle, bytes);
  open();
  EXPECT_FALSE(store_->read_only_reason().has_value());
  EXPECT_OK(item_record(*store_, "F-1"));
}

TEST_F(StoreTest, space_that_is_kept_free_is_not_given_away) {
  store_.reset();
  StoreOptions greedy = options();
  greedy.min_free_bytes = 1ull << 60;
  auto opened = Store::open(real_disk(), clock_, greedy);
  ASSERT_OK(opened);
  EXPECT_FAILS((*opened)->reserve(1, 1), Code::no_space);
}

TEST_F(StoreTest, a_name_is_worked_on_by_one_at_a_time) {
  {
    const auto claim = store_->claim("item a");
    ASSERT_OK(claim);
    EXPECT_FAILS(store_->claim("item a"), Code::conflict);
  }
  EXPECT_OK(store_->claim("item a"));
}

TEST_F(StoreTest, evidence_is_named_by_its_bytes_and_damage_is_noticed) {
  auto writer = store_->begin_evidence();
  ASSERT_OK(writer);
  for (int i = 0; i < 100; ++i)
    ASSERT_OK((*writer)->line({{"n", i}}));
  const auto digest = (*writer)->finish();
  ASSERT_OK(digest);
  int lines = 0;
  ASSERT_OK(store_->read_evidence(*digest, [&](const json::Object& line) -> Result<void> {
    EXPECT_EQ(json::number_at(line, "n"), static_cast<std::uint64_t>(lines));
    ++lines;
    return {};
  }));
  EXPECT_EQ(lines, 100);
  const Path folder = store_->layout().evidence;
  EXPECT_OK(journal::check_evidence(real_disk(), folder, *digest));
  testing::flip_bit(store_->evidence_file(*digest), 20);
  EXPECT_FAILS(journal::check_evidence(real_disk(), folder, *digest), Code::corrupt);
  EXPECT_FAILS(store_->read_evidence("../../x", [](const json::Object&) { return Result<void>(); }),
               Code::invalid);
}

}  // namespace
}  // namespace versement::store
