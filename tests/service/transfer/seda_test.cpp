#include "service/transfer/seda.hpp"

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <thread>
#include <vector>

#include "store/base/digest.hpp"
#include "store/query.hpp"
#include "tests/support/fixed_clock.hpp"
#include "tests/support/sealed_transfer.hpp"

namespace versement::transfer {
namespace {

using namespace std::chrono_literals;

// A disk on which an item's Dublin Core cannot be opened as long as the gate is shut.
class GateDisk : public Disk {
 public:
  Result<Fd> open(const Path& path, int flags, mode_t mode) override {
    if (path.filename() == "dc.xml") {
      std::unique_lock lock(mutex_);
      ++waiting_;
      ++opened_;
      changed_.notify_all();
      changed_.wait(lock, [this] { return !shut_; });
      --waiting_;
    }
    return Disk::open(path, flags, mode);
  }
  void shut() {
    const std::scoped_lock lock(mutex_);
    shut_ = true;
    opened_ = 0;
  }
  void let_through() {
    const std::scoped_lock lock(mutex_);
    shut_ = false;
    changed_.notify_all();
  }
  void wait_for_somebody() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_ > 0; });
  }
  std::size_t opened() {
    const std::scoped_lock lock(mutex_);
    return opened_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool shut_ = false;        // Guarded by mutex_, as is what follows.
  std::size_t waiting_ = 0;  // at the gate
  std::size_t opened_ = 0;
};

class SedaArchivesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(store::Store::create(disk_, clock_, folder_ / "data", "archive.example/test"));
    store::StoreOptions options;
    options.data = folder_ / "data";
    options.min_free_bytes = 0;
    auto opened = store::Store::open(disk_, clock_, options);
    ASSERT_OK(opened);
    store_ = std::move(*opened);
    testing::write_deposit(folder_ / "deposit", "first", "Titre");
    ingest::IngestRequest request;
    request.job = Uuid::at(clock_.now());
    request.agent = "tester";
    request.folder = folder_ / "deposit";
    request.collection = *Slug::parse("c");
    ingest::IngestProgress progress;
    const auto stored = run_ingest(*store_, request, progress, {});
    ASSERT_OK(stored);
    ASSERT_EQ(stored->items_stored, 2u);
    ASSERT_OK(testing::make_draft(*store_, {"A-1", "B-1"}));
    ASSERT_OK(testing::seal_draft(*store_));
    auto record = store::transfer_record(*store_, testing::kTransfer);
    ASSERT_OK(record);
    transfer_ = std::move(*record);
  }

  using Asked = std::future<Result<SedaArchives::Archive>>;
  Asked ask(SedaArchives& archives, mets::SedaVersion version = mets::SedaVersion::v2_2) {
    return std::async(std::launch::async,
                      [this, &archives, version] { return archives.archive(transfer_, version); });
  }

  // The first one has begun; it makes the manifest as soon as the gate opens.
  Asked begin(SedaArchives& archives) {
    disk_.shut();
    auto first = ask(archives);
    disk_.wait_for_somebody();
    return first;
  }

  testing::TemporaryFolder folder_;
  testing::FixedClock clock_;
  GateDisk disk_;
  std::unique_ptr<store::Store> store_;
  json::Object transfer_;
};

TEST_F(SedaArchivesTest, all_who_ask_at_once_get_the_one_that_is_made) {
  SedaArchives archives(*store_);
  Asked first = begin(archives);
  std::vector<Asked> others;
  others.reserve(8);
  for (int i = 0; i < 8; ++i)
    others.push_back(ask(archives));
  disk_.let_through();

  const auto made = first.get();
  ASSERT_OK(made);
  for (Asked& other : others) {
    const auto got = other.get();
    ASSERT_OK(got);
    EXPECT_EQ(*got, *made);
  }
  // Each item's record is read for the objects and again for the units, by one maker.
  EXPECT_EQ(disk_.opened(), 4u);
  EXPECT_EQ(archives.made(transfer_, mets::SedaVersion::v2_2), *made);
  EXPECT_EQ(archives.made(transfer_, mets::SedaVersion::v2_1), nullptr);
}

TEST_F(SedaArchivesTest, nobody_waits_longer_than_the_bound) {
  SedaArchives archives(*store_, 20ms);
  Asked first = begin(archives);

  for (const auto version : {mets::SedaVersion::v2_2, mets::SedaVersion::v2_3}) {
    const auto late = archives.archive(transfer_, version);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), Code::unavailable);
    EXPECT_EQ(late.error().reason(), "being-made");
  }

  disk_.let_through();
  ASSERT_OK(first.get());
  EXPECT_OK(archives.archive(transfer_, mets::SedaVersion::v2_2));
  EXPECT_OK(archives.archive(transfer_, mets::SedaVersion::v2_3));
}

TEST_F(SedaArchivesTest, more_than_a_few_do_not_take_all_threads) {
  SedaArchives archives(*store_, 1h);
  Asked first = begin(archives);
  std::vector<Asked> asked;
  asked.reserve(30);
  for (int i = 0; i < 30; ++i)
    asked.push_back(ask(archives, i % 2 == 0 ? mets::SedaVersion::v2_2 : mets::SedaVersion::v2_3));
  // Those for whom there is no room are answered while nothing moves.
  std::size_t refused = 0;
  for (int look = 0; look < 2000 && refused < 18; ++look) {
    refused = static_cast<std::size_t>(std::count_if(asked.begin(), asked.end(), [](Asked& each) {
      return each.wait_for(0s) == std::future_status::ready;
    }));
    std::this_thread::sleep_for(5ms);
  }
  disk_.let_through();

  ASSERT_OK(first.get());
  std::size_t served = 0;
  for (Asked& each : asked) {
    const auto got = each.get();
    if (got) {
      ++served;
    } else {
      EXPECT_EQ(got.error().reason(), "being-made");
    }
  }
  EXPECT_EQ(refused, 18u);
  EXPECT_EQ(served, 12u);  // Eight waited for the first one's, four for a turn of their own.
}

TEST_F(SedaArchivesTest, a_stop_ends_the_making_and_the_waiting) {
  SedaArchives archives(*store_, 1h);
  Asked first = begin(archives);
  Asked same = ask(archives);
  Asked another = ask(archives, mets::SedaVersion::v2_3);

  archives.stop();

  // They do not wait for the disk, which still hangs.
  for (Asked* const each : {&same, &another}) {
    const auto got = each->get();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().reason(), "shutting-down");
  }
  disk_.let_through();
  const auto made = first.get();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().reason(), "shutting-down");
  EXPECT_EQ(disk_.opened(), 1u);  // One file more than were open, not the rest.
  EXPECT_FAILS(archives.archive(transfer_, mets::SedaVersion::v2_2), Code::cancelled);
}

TEST_F(SedaArchivesTest, a_failure_is_told_to_all_and_the_next_one_tries_again) {
  SedaArchives archives(*store_);
  Asked first = begin(archives);
  Asked other = ask(archives);
  const auto item = store::item_record(*store_, "B-1");
  ASSERT_OK(item);
  const auto row = store_->file_row("B-1", 1, "metadata/descriptive/dc.xml");
  ASSERT_OK(row);
  const Path dc =
      store_->object_folder(*ObjectId::parse(json::text_at(*item, "object"))) / row->content_path;
  const std::string was = testing::read(dc);
  ASSERT_OK(disk_.set_mode(dc, 0600));
  testing::flip_bit(dc, was.size() / 2);
  disk_.let_through();

  EXPECT_FAILS(first.get(), Code::corrupt);
  EXPECT_FAILS(other.get(), Code::corrupt);
  EXPECT_EQ(archives.made(transfer_, mets::SedaVersion::v2_2), nullptr);
  testing::flip_bit(dc, was.size() / 2);
  EXPECT_OK(archives.archive(transfer_, mets::SedaVersion::v2_2));
}

TEST_F(SedaArchivesTest, the_tag_is_known_before_and_another_for_each_seal_and_version) {
  const std::string tag = seda_etag(transfer_, mets::SedaVersion::v2_2);
  EXPECT_EQ(tag, "\"" + json::text_at(transfer_, "seal_digest").substr(0, 32) + "-seda2.2-1\"");
  EXPECT_NE(tag, seda_etag(transfer_, mets::SedaVersion::v2_3));
  json::Object other = transfer_;
  other["seal_digest"] = std::string(128, 'a');
  EXPECT_NE(tag, seda_etag(other, mets::SedaVersion::v2_2));
}

// The tag does not know the manifest's bytes. So whoever changes what a manifest looks like must
// count kSedaSerialisation up, and then put the new digest here.
TEST(SedaSerialisation, is_another_one_when_the_manifests_are) {
  std::vector<Path> files;
  for (const auto& entry : std::filesystem::directory_iterator(Path(VERSEMENT_SOURCE) / "tests" /
                                                               "mets" / "golden-seda"))
    files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::string all;
  for (const Path& file : files)
    all += file.filename().native() + "\n" + testing::read(file);
  EXPECT_EQ(kSedaSerialisation, 1u);
  EXPECT_EQ(digest_of(Algorithm::sha256, all).hex(),
            "73ff1f6065d50d4402c1cfdd0b3a5cde0f6797ea02fe27bed12a48771a280af8");
}

}  // namespace
}  // namespace versement::transfer
