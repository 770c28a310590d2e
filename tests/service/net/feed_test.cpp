#include "service/net/feed.hpp"

#include <random>
#include <thread>

#include <fcntl.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "store/base/digest.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::net {
namespace {

using testing::TemporaryFolder;

// Text and files in turns, as an archive has them.
class Mixed : public Source {
 public:
  Mixed(const std::vector<std::string>& texts, std::vector<std::shared_ptr<Source>> files) {
    for (std::size_t i = 0; i < texts.size(); ++i) {
      add(std::make_shared<MemorySource>(texts[i]));
      if (i < files.size()) add(files[i]);
    }
  }
  std::uint64_t size_bytes() const override { return size_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
    if (offset >= size_) return std::size_t{0};
    const auto& [first, source] = at(offset);
    return source->read_at(offset - first, into);
  }
  Result<FileRun> run_at(std::uint64_t offset) override {
    if (offset >= size_) return FileRun{};
    const auto& [first, source] = at(offset);
    return source->run_at(offset - first);
  }

 private:
  void add(std::shared_ptr<Source> source) {
    if (source->size_bytes() == 0) return;
    parts_.emplace_back(size_, source);
    size_ += source->size_bytes();
  }
  const std::pair<std::uint64_t, std::shared_ptr<Source>>& at(std::uint64_t offset) const {
    std::size_t i = parts_.size() - 1;
    while (parts_[i].first > offset)
      --i;
    return parts_[i];
  }
  std::vector<std::pair<std::uint64_t, std::shared_ptr<Source>>> parts_;
  std::uint64_t size_ = 0;
};

class FeedTest : public ::testing::Test {
 protected:
  std::shared_ptr<Source> file(const std::string& name, std::size_t bytes) {
    std::string text(bytes, '\0');
    for (char& c : text)
      c = static_cast<char>(random_());
    testing::write(dir_ / name, text);
    Expected expected;
    expected.crc32 = crc32_update(0, std::as_bytes(std::span(text)));
    expected.comparisons = comparisons_;
    expected.on_damage = [this](const Error&) { ++told_; };
    all_ += text;
    return std::make_shared<FileSource>(real_disk(), dir_ / name, bytes, expected);
  }
  std::string text(std::size_t bytes) {
    std::string made(bytes, static_cast<char>('a' + all_.size() % 26));
    all_ += made;
    return made;
  }

  void flip(const std::string& name, std::size_t at) {
    auto fd = real_disk().open(dir_ / name, O_RDWR);
    ASSERT_OK(fd);
    std::byte byte{};
    ASSERT_OK(real_disk().read_at(*fd, std::span(&byte, 1), at, dir_ / name));
    byte ^= std::byte{1};
    ASSERT_OK(real_disk().write_at(*fd, std::span(&byte, 1), at, dir_ / name));
  }

  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  // Takes what the feed gives as a socket does, at most `bite` bytes at once; calls `then` when
  // this much has been taken.
  Result<std::string> drain(Feed& feed,
                            std::size_t bite,
                            std::uint64_t when = kNever,
                            const std::function<void()>& then = {}) {
    std::string out;
    TRY(drain(feed, bite, &out, when, then));
    return out;
  }
  // The same for whoever wants to see what left before it failed.
  Result<void> drain(Feed& feed,
                     std::size_t bite,
                     std::string* taken,
                     std::uint64_t when = kNever,
                     const std::function<void()>& then = {}) {
    std::string& out = *taken;
    while (!feed.is_done()) {
      if (out.size() >= when) {
        when = kNever;
        then();
      }
      TRY_SET(const Feed::Piece piece, feed.next());
      if (piece.wait) continue;
      const std::size_t count = std::min<std::uint64_t>(bite, piece.length);
      if (piece.bytes.empty()) {
        ++by_kernel_;
        const std::size_t old = out.size();
        out.resize(old + count);
        EXPECT_EQ(::pread(piece.fd, out.data() + old, count, static_cast<off_t>(piece.file_offset)),
                  static_cast<ssize_t>(count));
      } else {
        out.append(reinterpret_cast<const char*>(piece.bytes.data()), count);
      }
      feed.sent(count);
    }
    return {};
  }

  bool is_right(const Result<std::string>& got, std::size_t offset, std::size_t length) const {
    return got && std::string_view(*got) == std::string_view(all_).substr(offset, length);
  }

  std::mt19937 random_{42};
  const TemporaryFolder dir_;
  std::shared_ptr<Comparisons> comparisons_ = std::make_shared<Comparisons>();
  std::string all_;
  int told_ = 0;
  int by_kernel_ = 0;
};

TEST_F(FeedTest, any_range_is_what_the_source_holds) {
  std::vector<std::string> texts;
  std::vector<std::shared_ptr<Source>> files;
  for (const std::size_t bytes : {0u, 1u, 300u, 20'000u, 127u * 1024u, 128u * 1024u, 400'000u}) {
    texts.push_back(text(512));
    files.push_back(file("f" + std::to_string(bytes), bytes));
  }
  texts.push_back(text(1024));
  Mixed source(texts, files);
  ASSERT_EQ(source.size_bytes(), all_.size());
  for (const auto way : {Feed::Way::memory, Feed::Way::sendfile}) {
    for (int round = 0; round < 200; ++round) {
      const std::size_t offset = round == 0 ? 0 : random_() % all_.size();
      const std::size_t length = round == 0 ? all_.size() : random_() % (all_.size() - offset) + 1;
      Feed feed(source, offset, length, way);
      ASSERT_TRUE(is_right(drain(feed, random_() % 100'000 + 1), offset, length))
          << offset << " " << length;
    }
  }
  EXPECT_EQ(told_, 0);
}

TEST_F(FeedTest, a_byte_that_changes_while_it_is_sent_ends_the_answer) {
  for (const auto way : {Feed::Way::memory, Feed::Way::sendfile}) {
    all_.clear();
    told_ = 0;
    const auto source = file("big", 3 << 20);
    Feed feed(*source, 0, all_.size(), way);
    const auto got = drain(feed, 40'000, 1 << 20, [&] { flip("big", 2 << 20); });
    EXPECT_FAILS(got, Code::corrupt);
    EXPECT_EQ(told_, 1);
  }
}

TEST_F(FeedTest, a_small_file_that_is_wrong_is_not_sent_at_all) {
  Mixed source({text(512)}, {file("small", 20'000)});
  flip("small", 19'999);
  Feed feed(source, 0, all_.size(), Feed::Way::sendfile);
  EXPECT_FAILS(feed.next(), Code::corrupt);
  EXPECT_EQ(told_, 1);
}

// Nor does a byte of a larger one leave: what has left cannot be called back.
TEST_F(FeedTest, a_file_that_is_wrong_is_not_sent_at_all) {
  for (const auto way : {Feed::Way::memory, Feed::Way::sendfile}) {
    for (const std::size_t bytes : {100'000u, 200'000u, 900'000u, 40u << 20}) {
      all_.clear();
      const std::string before = text(60'000);  // It leaves room for a part of a small file.
      Mixed source({before}, {file("wrong", bytes)});
      flip("wrong", bytes - 1);
      told_ = 0;
      std::string out;
      Feed whole(source, 0, all_.size(), way);
      EXPECT_FAILS(drain(whole, 50'000, &out), Code::corrupt);
      EXPECT_TRUE(before.starts_with(out)) << bytes;
      // A part that is right of a file that is wrong.
      out.clear();
      Feed part(source, before.size() + 10, 1000, way);
      EXPECT_FAILS(drain(part, 50'000, &out), Code::corrupt);
      EXPECT_EQ(out.size(), 0u) << bytes;
      EXPECT_EQ(told_, 2);
    }
  }
}

TEST_F(FeedTest, what_was_compared_goes_by_the_kernel_and_the_end_from_memory) {
  std::vector<std::string> texts;
  std::vector<std::shared_ptr<Source>> files;
  for (const char* name : {"a", "b", "c"}) {
    texts.push_back(text(512));
    files.push_back(file(name, 9 << 20));
  }
  texts.push_back(text(1024));
  Mixed source(texts, files);
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));  // A younger file is not trusted.
  {
    Feed feed(source, 0, all_.size(), Feed::Way::sendfile);
    ASSERT_TRUE(is_right(drain(feed, 1 << 20), 0, all_.size()));
    EXPECT_GT(by_kernel_, 100);
  }
  // The bytes of "a" have gone out, but may still wait in a socket buffer when it is written to.
  Feed third(source, 0, all_.size(), Feed::Way::sendfile);
  EXPECT_FAILS(drain(third, 1 << 20, (9 << 20) + 2000, [&] { flip("a", 8 << 20); }), Code::corrupt);
  EXPECT_EQ(told_, 1);
}

TEST_F(FeedTest, a_file_that_shrinks_ends_the_answer) {
  const auto source = file("big", 3 << 20);
  Feed feed(*source, 0, all_.size(), Feed::Way::memory);
  const auto got =
      drain(feed, 40'000, 1 << 20, [&] { ASSERT_EQ(::truncate((dir_ / "big").c_str(), 100), 0); });
  EXPECT_FAILS(got, Code::corrupt);
  EXPECT_EQ(told_, 1);
}

}  // namespace
}  // namespace versement::net
