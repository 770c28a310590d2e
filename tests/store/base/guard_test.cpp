#include "store/base/guard.hpp"

#include <thread>

#include <fcntl.h>

#include <gtest/gtest.h>

#include "store/base/digest.hpp"
#include "store/base/source.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement {
namespace {

using testing::TemporaryFolder;

class GuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    text_.resize(1 << 20);
    for (std::size_t i = 0; i < text_.size(); ++i)
      text_[i] = static_cast<char>(i * 7 + i / 256);
    testing::write(dir_ / "file", text_);
  }

  std::shared_ptr<Guard> guard() {
    Expected expected;
    expected.crc32 = crc32_update(0, std::as_bytes(std::span(text_)));
    expected.comparisons = comparisons_;
    expected.on_damage = [this](const Error&) { ++told_; };
    source_ = std::make_unique<FileSource>(real_disk(), dir_ / "file", text_.size(), expected);
    return source_->run_at(0)->guard;
  }

  void flip(std::size_t at) {
    std::string changed = text_;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    overwrite(changed);
  }
  // The same file, other bytes.
  void overwrite(const std::string& bytes) {
    auto fd = real_disk().open(dir_ / "file", O_WRONLY);
    ASSERT_OK(fd);
    ASSERT_OK(write_all(real_disk(), *fd, std::as_bytes(std::span(bytes)), dir_ / "file"));
  }

  std::span<const std::byte> part(std::size_t first, std::size_t count) const {
    return std::as_bytes(std::span(text_)).subspan(first, count);
  }

  static Result<void> settle(Guard::Pass& pass) {
    while (true) {
      TRY_SET(const bool settled, pass.settle());
      if (settled) return {};
    }
  }

  // A file that was written just now is not trusted yet.
  static void let_the_clock_tick() { std::this_thread::sleep_for(std::chrono::milliseconds(1100)); }

  // Of a file that was sent whole, and right.
  std::shared_ptr<Guard> trusted_guard() {
    let_the_clock_tick();
    auto all = guard();
    Guard::Pass pass(all);
    pass.take(0, part(0, text_.size()));
    EXPECT_OK(settle(pass));
    return all;
  }

  const TemporaryFolder dir_;
  std::string text_;
  std::shared_ptr<Comparisons> comparisons_ = std::make_shared<Comparisons>();
  std::unique_ptr<FileSource> source_;
  int told_ = 0;
};

TEST_F(GuardTest, what_was_sent_whole_and_right_is_trusted_afterwards) {
  const auto all = guard();
  EXPECT_FALSE(all->is_trusted());
  {
    Guard::Pass early(all);
    early.take(0, part(0, text_.size()));
    ASSERT_OK(settle(early));
    EXPECT_FALSE(all->is_trusted()) << "the file was written within this tick of the clock";
  }
  let_the_clock_tick();
  Guard::Pass pass(all);
  pass.take(0, part(0, 1000));
  pass.take(1000, part(1000, text_.size() - 1000));
  ASSERT_OK(settle(pass));
  EXPECT_TRUE(all->is_trusted());
  EXPECT_EQ(told_, 0);
}

TEST_F(GuardTest, a_wrong_byte_among_those_that_were_sent_is_told_of) {
  std::string sent = text_;
  sent[77] = static_cast<char>(sent[77] ^ 64);
  Guard::Pass pass(guard());
  pass.take(0, std::as_bytes(std::span(sent)));
  const auto settled = settle(pass);
  EXPECT_FAILS(settled, Code::corrupt);
  EXPECT_EQ(settled.error().reason(), "content-corrupt");
  EXPECT_EQ(told_, 1);
}

TEST_F(GuardTest, damage_outside_of_the_part_that_is_sent_is_found_too) {
  flip(900'000);
  Guard::Pass pass(guard());
  pass.take(1000, part(1000, 1000));
  EXPECT_FAILS(settle(pass), Code::corrupt);
  EXPECT_EQ(told_, 1);
}

TEST_F(GuardTest, a_part_of_a_file_that_is_right_settles) {
  Guard::Pass pass(guard());
  pass.take(1000, part(1000, 1000));
  ASSERT_OK(settle(pass));
}

TEST_F(GuardTest, who_was_cut_off_goes_on_from_what_was_compared) {
  const auto all = guard();
  {
    Guard::Pass first(all);
    first.take(0, part(0, 700'000));
  }
  const auto info = real_disk().info(dir_ / "file");
  ASSERT_OK(info);
  EXPECT_EQ(comparisons_->of(*info)->end, 700'000u);
  Guard::Pass second(all);
  second.take(700'000, part(700'000, 1000));
  ASSERT_OK(settle(second));
  EXPECT_EQ(comparisons_->of(*info)->end, text_.size());
}

TEST_F(GuardTest, a_trusted_file_that_is_written_to_is_compared_again) {
  const auto all = trusted_guard();
  Guard::Pass unseen(all);
  ASSERT_TRUE(unseen.is_trusted());
  unseen.take_unseen();
  flip(5);
  EXPECT_FALSE(*all->is_unchanged());
  EXPECT_FAILS(settle(unseen), Code::corrupt);
  EXPECT_EQ(told_, 1);
  EXPECT_FALSE(guard()->is_trusted());
}

TEST_F(GuardTest, right_bytes_written_anew_cut_the_answer_but_are_no_damage) {
  const auto all = trusted_guard();
  Guard::Pass unseen(all);
  unseen.take_unseen();
  overwrite(text_);
  const auto settled = settle(unseen);
  EXPECT_FAILS(settled, Code::conflict);
  EXPECT_EQ(settled.error().reason(), "content-changed");
  EXPECT_EQ(told_, 0);
}

TEST_F(GuardTest, a_file_of_another_size_or_none_is_told_of_when_it_is_opened) {
  Expected expected;
  expected.on_damage = [this](const Error&) { ++told_; };
  FileSource longer(real_disk(), dir_ / "file", text_.size() + 1, expected);
  EXPECT_FAILS(longer.run_at(0), Code::corrupt);
  FileSource none(real_disk(), dir_ / "none", 1, expected);
  EXPECT_FAILS(none.run_at(0), Code::corrupt);  // Nothing that a client could have got wrong.
  EXPECT_EQ(told_, 2);
  std::filesystem::create_symlink("file", dir_ / "link");
  FileSource link(real_disk(), dir_ / "link", text_.size(), expected);
  EXPECT_FAILS(link.run_at(0), Code::corrupt);
  EXPECT_EQ(told_, 3);
}

}  // namespace
}  // namespace versement
