#include "store/base/direct.hpp"

#include <cstring>

#include <fcntl.h>

#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement {
namespace {

// A file system without direct transfers, or with larger blocks than ours.
class PlainDisk : public Disk {
 public:
  explicit PlainDisk(bool opens) : opens_(opens) {}
  Result<Fd> open(const Path& path, int flags, mode_t mode) override {
    if ((flags & O_DIRECT) == 0) return Disk::open(path, flags, mode);
    ++asked;
    if (!opens_) return Error(Code::unsupported, "no direct transfers");
    // Such a descriptor would refuse each transfer.
    TRY_SET(Fd fd, Disk::open(path, flags & ~O_DIRECT, mode));
    refusing_ = fd.get();
    return fd;
  }
  Result<std::size_t> write_at(const Fd& fd,
                               std::span<const std::byte> bytes,
                               std::uint64_t offset,
                               const Path& path) override {
    if (fd.get() == refusing_) return Error(Code::unsupported, "larger blocks");
    return Disk::write_at(fd, bytes, offset, path);
  }
  Result<std::size_t> read_at(const Fd& fd,
                              std::span<std::byte> into,
                              std::uint64_t offset,
                              const Path& path) override {
    if (fd.get() == refusing_) {
      refusing_ = -1;  // Its number will be used again.
      return Error(Code::unsupported, "larger blocks");
    }
    return Disk::read_at(fd, into, offset, path);
  }

  int asked = 0;

 private:
  const bool opens_;
  int refusing_ = -1;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i)
    text[i] = static_cast<char>('a' + (i * 7 + i / 4096) % 26);
  return text;
}

Result<void> write_through(Disk& disk, const Path& path, const std::string& text) {
  TRY_SET(DirectWriter writer, DirectWriter::create(disk, path, 0444));
  DirectBuffer buffer(3 * kDirectBlockBytes);
  for (std::size_t at = 0; at < text.size(); at += buffer.all().size()) {
    const std::string part = text.substr(at, buffer.all().size());
    std::memcpy(buffer.all().data(), part.data(), part.size());
    TRY(writer.write(std::span<const std::byte>(buffer.all()).first(part.size())));
  }
  return writer.close();
}

Result<std::string> read_through(Disk& disk, const Path& path, std::uint64_t size) {
  std::string text;
  TRY(read_direct(disk, path, size, [&](std::span<const std::byte> chunk) -> Result<void> {
    text.append(reinterpret_cast<const char*>(chunk.data()), chunk.size());
    return {};
  }));
  return text;
}

class Direct : public ::testing::TestWithParam<std::size_t> {
 protected:
  testing::TemporaryFolder folder_;
};

TEST_P(Direct, what_is_written_is_read_on_each_kind_of_file_system) {
  const std::string text = pattern(GetParam());
  PlainDisk none(false);
  PlainDisk larger(true);
  int number = 0;
  for (Disk* const disk : std::initializer_list<Disk*>{&real_disk(), &none, &larger}) {
    const Path path = folder_ / std::to_string(number++);
    ASSERT_OK(write_through(*disk, path, text));
    EXPECT_TRUE(testing::read(path) == text);  // Too long to be printed.
    const auto info = real_disk().info(path);
    ASSERT_OK(info);
    EXPECT_EQ(info->mode, 0444u);
    const auto again = read_through(*disk, path, text.size());
    ASSERT_OK(again);
    EXPECT_TRUE(*again == text);
  }
  EXPECT_GE(none.asked, 2);
  EXPECT_GE(larger.asked, 2);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes,
    Direct,
    ::testing::Values(0, 1, 4095, 4096, 4097, 12'288, 100'000, 1'048'576, 2'500'001));

TEST(DirectRead, ends_where_the_file_does) {
  const testing::TemporaryFolder folder;
  const std::string text = pattern(10'000);
  testing::write(folder / "short", text);
  const auto whole = read_through(real_disk(), folder / "short", 50'000);
  ASSERT_OK(whole);
  EXPECT_TRUE(*whole == text);
  const auto part = read_through(real_disk(), folder / "short", 5'000);
  ASSERT_OK(part);
  EXPECT_TRUE(*part == text.substr(0, 5'000));
}

// Takes less than it is given, as a full disk or a signal makes a real one do; and counts.
class StingyDisk : public Disk {
 public:
  explicit StingyDisk(std::size_t bytes) : bytes_(bytes) {}
  Result<Fd> open(const Path& path, int flags, mode_t mode) override {
    // Direct writes of uneven size would be refused: what is cut here is written through the cache.
    direct += (flags & O_DIRECT) != 0 ? 1 : 0;
    return Disk::open(path, flags & ~O_DIRECT, mode);
  }
  Result<std::size_t> write_at(const Fd& fd,
                               std::span<const std::byte> bytes,
                               std::uint64_t offset,
                               const Path& path) override {
    if (bytes_ == 0) return std::size_t{0};
    if (++writes == failing_write) return Error(Code::io, "write " + path.native() + ": failed");
    return Disk::write_at(fd, bytes.first(std::min(bytes.size(), bytes_)), offset, path);
  }
  Result<void> close(Fd fd, const Path& path) override {
    if (++closes == failing_close) return Error(Code::io, "close " + path.native() + ": failed");
    return Disk::close(std::move(fd), path);
  }

  int direct = 0, writes = 0, closes = 0;
  int failing_write = 0, failing_close = 0;

 private:
  const std::size_t bytes_;
};

TEST(DirectWrite, goes_on_where_the_disk_took_less) {
  const testing::TemporaryFolder folder;
  const std::string text = pattern(50'000);
  int number = 0;
  for (const std::size_t bytes : {100u, 4095u, 4096u, 5000u, 8192u, 12'287u}) {
    StingyDisk disk(bytes);
    const Path path = folder / std::to_string(number++);
    ASSERT_OK(write_through(disk, path, text));
    EXPECT_TRUE(testing::read(path) == text) << bytes;
    EXPECT_EQ(disk.direct, 1);
  }
}

TEST(DirectWrite, says_when_the_disk_takes_nothing_or_fails) {
  const testing::TemporaryFolder folder;
  StingyDisk full(0);
  EXPECT_FAILS(write_through(full, folder / "full", pattern(100)), Code::io);
  for (const int nth : {1, 2}) {
    StingyDisk failing(1u << 20);
    failing.failing_write = nth;
    EXPECT_FAILS(write_through(failing, folder / ("w" + std::to_string(nth)), pattern(20'000)),
                 Code::io);
    // Each of the two descriptors may hold back what was lost.
    StingyDisk closing(1u << 20);
    closing.failing_close = nth;
    EXPECT_FAILS(write_through(closing, folder / ("c" + std::to_string(nth)), pattern(20'000)),
                 Code::io);
  }
}

TEST(DirectWrite, asks_once_only_whether_it_goes_past_the_cache) {
  const testing::TemporaryFolder folder;
  class Refusing : public PlainDisk {
   public:
    Refusing() : PlainDisk(true) {}
    Result<std::size_t> write_at(const Fd& fd,
                                 std::span<const std::byte> bytes,
                                 std::uint64_t offset,
                                 const Path& path) override {
      auto count = PlainDisk::write_at(fd, bytes, offset, path);
      refused += count ? 0 : 1;
      return count;
    }
    int refused = 0;
  } disk;
  ASSERT_OK(write_through(disk, folder / "a", pattern(100'000)));
  EXPECT_EQ(disk.refused, 1);
}

TEST(DirectRead, drops_what_the_cache_holds_where_it_cannot_go_past_it) {
  const testing::TemporaryFolder folder;
  testing::write(folder / "a", pattern(10'000));
  class None : public PlainDisk {
   public:
    None() : PlainDisk(false) {}
    void drop_cache(const Fd& fd) override {
      ++drops;
      Disk::drop_cache(fd);
    }
    int drops = 0;
  } disk;
  ASSERT_OK(read_through(disk, folder / "a", 10'000));
  EXPECT_EQ(disk.drops, 1);
}

TEST(DirectWrite, never_over_another_file) {
  const testing::TemporaryFolder folder;
  testing::write(folder / "a", "old");
  const auto writer = DirectWriter::create(real_disk(), folder / "a", 0444);
  EXPECT_FAILS(writer, Code::exists);
  EXPECT_EQ(testing::read(folder / "a"), "old");
}

}  // namespace
}  // namespace versement
