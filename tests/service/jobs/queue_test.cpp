// Durable jobs: run once, in order within a lane, again after a restart, cancelled by a wish.
#include "service/jobs/queue.hpp"

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <stdexcept>
#include <thread>

#include "tests/support/store_fixture.hpp"

namespace versement::jobs {
namespace {

// Lets the handler wait for the test and the test for the handler.
class Door {
 public:
  void open() {
    const std::scoped_lock lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return open_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

class QueueTest : public testing::StoreFixture {
 protected:
  // The journal's last word on a job.
  json::Object ended(const Uuid& id) {
    for (int i = 0; i < 2000; ++i) {
      auto record = store_->index().record(store::keys::job(id.text()));
      if (record && json::text_at(*record, "state") != "queued") return std::move(*record);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    ADD_FAILURE() << "the job does not end";
    return {};
  }
};

TEST_F(QueueTest, AJobRunsAndItsEndIsJournaled) {
  Queue queue(*store_);
  queue.handle("count", "lane", [](const Running& running) -> Result<Ending> {
    EXPECT_EQ(json::text_at(running.job.request, "what"), "sheep");
    EXPECT_EQ(running.job.agent, "marie");
    Ending ending;
    ending.result["sheep"] = 7;
    return ending;
  });
  ASSERT_OK(queue.start());
  const auto id = queue.submit("count", "marie", {{"what", "sheep"}});
  ASSERT_OK(id);
  const json::Object record = ended(*id);
  EXPECT_EQ(json::text_at(record, "state"), "succeeded");
  EXPECT_EQ(json::number_at(json::object_at(record, "result"), "sheep"), 7u);
  queue.stop();
  EXPECT_FALSE(queue.live(id->text()).has_value());
}

TEST_F(QueueTest, AFailureAndAnExceptionEndTheJobWithTheirReason) {
  Queue queue(*store_);
  queue.handle("fail", "lane", [](const Running&) -> Result<Ending> {
    return Error(Code::corrupt, "it was broken").as("very-broken");
  });
  queue.handle("throw", "lane",
               [](const Running&) -> Result<Ending> { throw std::runtime_error("out of sheep"); });
  ASSERT_OK(queue.start());
  const auto failed = queue.submit("fail", "a", {});
  const auto thrown = queue.submit("throw", "a", {});
  ASSERT_OK(failed);
  ASSERT_OK(thrown);
  json::Object record = ended(*failed);
  EXPECT_EQ(json::text_at(record, "state"), "failed");
  EXPECT_EQ(json::text_at(json::object_at(record, "problem"), "code"), "very-broken");
  record = ended(*thrown);
  EXPECT_EQ(json::text_at(record, "state"), "failed");
  EXPECT_EQ(json::text_at(json::object_at(record, "problem"), "detail"), "out of sheep");
  queue.stop();
}

TEST_F(QueueTest, OneLaneRunsInOrderAndLanesRunSideBySide) {
  Door door;
  std::mutex mutex;
  std::vector<std::string> order;
  const auto note = [&](const std::string& what) {
    const std::scoped_lock lock(mutex);
    order.push_back(what);
  };
  Queue queue(*store_);
  queue.handle("slow", "one", [&](const Running& running) -> Result<Ending> {
    door.wait();
    note(json::text_at(running.job.request, "name"));
    return Ending{};
  });
  queue.handle("quick", "two", [&](const Running&) -> Result<Ending> {
    note("quick");
    door.open();
    return Ending{};
  });
  ASSERT_OK(queue.start());
  const auto first = queue.submit("slow", "a", {{"name", "first"}});
  const auto second = queue.submit("slow", "a", {{"name", "second"}});
  const auto quick = queue.submit("quick", "a", {});
  ASSERT_OK(first);
  ASSERT_OK(second);
  ASSERT_OK(quick);
  ended(*second);
  queue.stop();
  EXPECT_EQ(order, (std::vector<std::string>{"quick", "first", "second"}));
}

TEST_F(QueueTest, WhatWasStoppedOrNeverBegunGoesOnAtTheNextStart) {
  Uuid running;
  Uuid waiting;
  {
    Door began;
    Queue queue(*store_);
    queue.handle("work", "lane", [&](const Running& job) -> Result<Ending> {
      began.open();
      while (!job.stop.stop_requested())
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return Error(Code::cancelled, "stopped");
    });
    ASSERT_OK(queue.start());
    auto id = queue.submit("work", "a", {{"n", 1}});
    ASSERT_OK(id);
    running = *id;
    id = queue.submit("work", "a", {{"n", 2}});
    ASSERT_OK(id);
    waiting = *id;
    began.wait();
    EXPECT_EQ(queue.live(running.text())->state, "running");
    EXPECT_EQ(queue.live(waiting.text())->state, "queued");
    EXPECT_EQ(queue.running(), 1u);
    queue.stop();
  }
  store_.reset();
  open();
  std::vector<std::uint64_t> order;
  Queue queue(*store_);
  queue.handle("work", "lane", [&](const Running& job) -> Result<Ending> {
    order.push_back(json::number_at(job.job.request, "n"));
    return Ending{};
  });
  ASSERT_OK(queue.start());
  EXPECT_EQ(json::text_at(ended(waiting), "state"), "succeeded");
  EXPECT_EQ(json::text_at(ended(running), "state"), "succeeded");
  queue.stop();
  EXPECT_EQ(order, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(QueueTest, APersonCancelsWhatRunsAndWhatWaits) {
  Door began;
  std::atomic<int> runs{0};
  Queue queue(*store_);
  queue.handle("work", "lane", [&](const Running& job) -> Result<Ending> {
    ++runs;
    began.open();
    while (!job.stop.stop_requested())
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return Error(Code::cancelled, "stopped");
  });
  ASSERT_OK(queue.start());
  const auto running = queue.submit("work", "a", {});
  const auto waiting = queue.submit("work", "a", {});
  ASSERT_OK(running);
  ASSERT_OK(waiting);
  began.wait();
  ASSERT_OK(queue.cancel(*waiting, "marie"));
  EXPECT_EQ(json::text_at(ended(*waiting), "state"), "cancelled");
  ASSERT_OK(queue.cancel(*running, "marie"));
  EXPECT_EQ(json::text_at(ended(*running), "state"), "cancelled");
  EXPECT_FAILS(queue.cancel(*waiting, "marie"), Code::conflict);
  queue.stop();
  EXPECT_EQ(runs, 1);
}

// The handler never looks at its stop, and the daemon is killed: a copy of its folder is what the
// next start finds.
TEST_F(QueueTest, a_cancelled_job_that_was_cut_off_ends_as_cancelled_at_the_next_start) {
  const Path kept = folder_ / "kept";
  Uuid id;
  {
    Door began;
    Door killed;
    Queue queue(*store_);
    queue.handle("work", "lane", [&](const Running&) -> Result<Ending> {
      began.open();
      killed.wait();
      return Ending{};
    });
    ASSERT_OK(queue.start());
    const auto submitted = queue.submit("work", "a", {});
    ASSERT_OK(submitted);
    id = *submitted;
    began.wait();
    ASSERT_OK(queue.cancel(id, "marie"));
    EXPECT_EQ(queue.live(id.text())->state, "cancelling");
    std::filesystem::copy(data(), kept, std::filesystem::copy_options::recursive);
    killed.open();
    queue.stop();
  }
  std::filesystem::remove_all(kept / "index");
  store_.reset();
  std::filesystem::remove_all(data());
  std::filesystem::rename(kept, data());
  open();

  Queue queue(*store_);
  bool ran = false;
  queue.handle("work", "lane", [&](const Running&) -> Result<Ending> {
    ran = true;
    return Ending{};
  });
  ASSERT_OK(queue.start());
  const json::Object record = ended(id);
  EXPECT_EQ(json::text_at(record, "state"), "cancelled");
  EXPECT_EQ(json::text_at(json::object_at(record, "problem"), "code"), "cancelled");
  queue.stop();
  EXPECT_FALSE(ran);
}

TEST_F(QueueTest, ProgressIsReadWhileTheJobRunsAndNotAfterwards) {
  Door told;
  Door seen;
  Queue queue(*store_);
  queue.handle("work", "lane", [&](const Running& job) -> Result<Ending> {
    const int done = 3;
    job.show_progress([&done] { return json::Object{{"done_items", done}}; });
    told.open();
    seen.wait();
    return Ending{};
  });
  ASSERT_OK(queue.start());
  const auto id = queue.submit("work", "a", {});
  ASSERT_OK(id);
  told.wait();
  const auto live = queue.live(id->text());
  ASSERT_TRUE(live.has_value());
  EXPECT_EQ(json::number_at(live->progress, "done_items"), 3u);
  EXPECT_TRUE(queue.any("work", [](const Job&) { return true; }));
  EXPECT_FALSE(queue.any("other", [](const Job&) { return true; }));
  seen.open();
  ended(*id);
  queue.stop();
}

}  // namespace
}  // namespace versement::jobs
