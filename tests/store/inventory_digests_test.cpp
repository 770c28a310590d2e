#include "store/inventory_digests.hpp"

#include <thread>

#include <fcntl.h>
#include <sys/stat.h>

#include "tests/support/store_fixture.hpp"

namespace versement::store {
namespace {

// Counts how often a file is opened.
class CountingDisk : public Disk {
 public:
  Result<Fd> open(const Path& path, int flags, mode_t mode) override {
    ++opened;
    return Disk::open(path, flags, mode);
  }
  int opened = 0;
};

std::string sha512(std::string_view bytes) {
  return digest_of(Algorithm::sha512, bytes).hex();
}

class InventoryDigestsTest : public ::testing::Test {
 protected:
  // What was changed in the last moments is always read.
  static void wait_until_settled() { std::this_thread::sleep_for(std::chrono::milliseconds(2100)); }

  testing::TemporaryFolder folder_;
  CountingDisk disk_;
  InventoryDigests digests_{disk_};
};

TEST_F(InventoryDigestsTest, a_file_that_stays_the_same_is_read_once) {
  testing::write(folder_ / "a", "one");
  wait_until_settled();
  for (int i = 0; i < 5; ++i)
    EXPECT_EQ(*digests_.of(folder_ / "a"), sha512("one"));
  EXPECT_EQ(disk_.opened, 1);
}

TEST_F(InventoryDigestsTest, a_change_is_seen_even_with_size_and_times_restored) {
  testing::write(folder_ / "a", "one");
  wait_until_settled();
  struct stat before = {};
  ASSERT_EQ(::stat((folder_ / "a").c_str(), &before), 0);
  ASSERT_OK(digests_.of(folder_ / "a"));
  testing::write(folder_ / "a", "two");
  const std::array times{before.st_atim, before.st_mtim};
  ASSERT_EQ(::utimensat(AT_FDCWD, (folder_ / "a").c_str(), times.data(), 0), 0);
  EXPECT_EQ(*digests_.of(folder_ / "a"), sha512("two"));
}

TEST_F(InventoryDigestsTest, a_file_that_takes_the_place_of_another_is_read) {
  testing::write(folder_ / "a", "one");
  testing::write(folder_ / "b", "two");
  wait_until_settled();
  ASSERT_OK(digests_.of(folder_ / "a"));
  ASSERT_OK(disk_.rename_over(folder_ / "b", folder_ / "a"));
  EXPECT_EQ(*digests_.of(folder_ / "a"), sha512("two"));
}

TEST_F(InventoryDigestsTest, what_was_written_a_moment_ago_is_read_again) {
  testing::write(folder_ / "a", "one");
  ASSERT_OK(digests_.of(folder_ / "a"));
  ASSERT_OK(digests_.of(folder_ / "a"));
  EXPECT_EQ(disk_.opened, 2);
}

TEST_F(InventoryDigestsTest, what_is_no_file_has_no_digest) {
  EXPECT_FAILS(digests_.of(folder_ / "nothing"), Code::not_found);
  EXPECT_FAILS(digests_.of(folder_.path()), Code::invalid);
}

class CheckedObject : public testing::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    auto object = deposit("F-1", "bytes");
    ASSERT_OK(object);
    folder_of_object_ = store_->object_folder(*object);
  }

  // Writes other bytes, and the sidecar that goes with them.
  static void exchange(const Path& folder, const std::string& from, const std::string& to) {
    std::string bytes = testing::read(folder / "inventory.json");
    const std::size_t at = bytes.find(from);
    ASSERT_NE(at, std::string::npos);
    bytes.replace(at, from.size(), to);
    for (const std::string name : {"inventory.json", "inventory.json.sha512"})
      ASSERT_OK(real_disk().set_mode(folder / name, 0644));
    testing::write(folder / "inventory.json", bytes);
    testing::write(folder / "inventory.json.sha512", sha512(bytes) + " inventory.json\n");
  }

  // `told`: what is said of it, to whoever opens incidents.
  void expect_refused(const std::string& told) {
    told_.clear();
    store_->set_on_damage([this](const std::string& owner, const std::string& path, const Error&) {
      told_ += owner + " " + path;
    });
    const auto checked = check_item_object(*store_, "F-1", 1);
    EXPECT_FAILS(checked, Code::corrupt);
    EXPECT_EQ(checked.error().reason(), "content-corrupt");
    EXPECT_EQ(told_, told);
  }

  Path folder_of_object_;
  std::string told_;
};

TEST_F(CheckedObject, is_served_as_long_as_its_inventories_are_the_journals) {
  EXPECT_OK(check_item_object(*store_, "F-1", 1));
  EXPECT_FAILS(check_item_object(*store_, "F-2", 1), Code::not_found);
  EXPECT_FAILS(check_item_object(*store_, "F-1", 2), Code::not_found);
}

TEST_F(CheckedObject, is_not_served_with_another_inventory_of_the_version) {
  exchange(folder_of_object_ / "v1", "METS", "meta");
  expect_refused("item F-1 v1/inventory.json");
}

TEST_F(CheckedObject, is_not_served_with_another_inventory_of_the_object) {
  exchange(folder_of_object_, "METS", "meta");
  expect_refused("item F-1 inventory.json");
}

TEST_F(CheckedObject, is_not_served_without_its_inventory) {
  ASSERT_OK(real_disk().set_mode(folder_of_object_ / "v1", 0755));
  ASSERT_OK(real_disk().remove_file(folder_of_object_ / "v1/inventory.json"));
  expect_refused("item F-1 v1/inventory.json");
}

// The old index may know less than the root has until the start has looked at interrupted deposits.
TEST_F(CheckedObject, is_not_judged_by_its_newest_inventory_before_the_start_is_done) {
  exchange(folder_of_object_, "METS", "meta");
  store_.reset();
  StoreOptions how = options();
  how.rebuild_index = true;
  auto store = Store::prepare(real_disk(), clock_, how);
  ASSERT_OK(store);
  store_ = std::move(*store);
  EXPECT_OK(check_item_object(*store_, "F-1", 1));
  ASSERT_OK(store_->bring_up());
  expect_refused("item F-1 inventory.json");
}

TEST_F(CheckedObject, is_served_while_versions_are_added) {
  std::atomic<bool> done{false};
  std::thread reader([&] {
    while (!done)
      EXPECT_OK(check_item_object(*store_, "F-1", 1));
  });
  for (int i = 0; i < 20; ++i) {
    const json::Object item = *item_record(*store_, "F-1");
    const ObjectId object = *ObjectId::parse(json::text_at(item, "object"));
    auto version = store_->begin_version(object, json::text_at(item, "inventory_digest"));
    EXPECT_OK(version);
    if (!version) break;
    EXPECT_OK((*version)->add(LogicalPath::literal("METS.xml"), std::to_string(i), {}));
    journal::Event event = store_->event(journal::type::kIngestion, "tester");
    event.objects["item"] = "F-1";
    event.objects["collection"] = "c";
    EXPECT_OK(store_->commit(std::move(*version), {clock_.now(), "m", "t", ""}, std::move(event)));
  }
  done = true;
  reader.join();
}

}  // namespace
}  // namespace versement::store
