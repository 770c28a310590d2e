// Archives that exist nowhere, against independent readers and an independent writing of the same:
// any piece of one is the slice of the whole.
#include <clocale>
#include <cstring>
#include <map>
#include <random>

#include <archive.h>
#include <archive_entry.h>

#include "bagit/tar.hpp"
#include "bagit/zip.hpp"
#include "store/base/digest.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/read_range.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::bagit {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

const Timestamp kTime(1'700'000'000'000);

std::shared_ptr<const MemberList> list_of(const Files& files) {
  auto members = std::make_shared<MemberList>();
  for (const auto& [path, content] : files)
    members->add(path, content.size(), crc32_update(0, as_bytes(content)));
  members->shrink();
  return members;
}

OpenMember memory_of(const Files& files) {
  return [&files](std::size_t member) {
    return Result<std::shared_ptr<Source>>(std::make_shared<ViewSource>(files[member].second));
  };
}

// What libarchive finds, which reads a zip by its central directory and compares the CRC.
Files read_back(const std::string& bytes) {
  setlocale(LC_CTYPE, "C.UTF-8");
  Files files;
  archive* const a = archive_read_new();
  archive_read_support_format_tar(a);
  archive_read_support_format_zip_seekable(a);
  EXPECT_EQ(archive_read_open_memory(a, bytes.data(), bytes.size()), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
    std::string content(static_cast<std::size_t>(archive_entry_size(entry)), '?');
    EXPECT_EQ(archive_entry_mtime(entry), kTime.ms() / 1000);
    EXPECT_EQ(archive_entry_mode(entry), 0100644u);
    EXPECT_EQ(archive_read_data(a, content.data(), content.size()),
              static_cast<la_ssize_t>(content.size()));
    files.emplace_back(archive_entry_pathname(entry), std::move(content));
  }
  archive_read_free(a);
  return files;
}

Files awkward_files() {
  return {{"bag/bagit.txt", "x"},
          {"bag/empty", ""},
          {"bag/block", std::string(512, 'b')},
          {"bag/data/Marché 100 % – ផ្សារ.jpg", std::string(70'000, 'j')},
          {"bag/data/" + std::string(300, 'l') + ".txt", "long"},
          {"bag/data/" + std::string(91, 'e'), "exactly a hundred"},
          {"bag/data/" + std::string(92, 'e'), "one more"}};
}

TEST(ZipSource, another_reader_finds_what_was_put_in) {
  const Files files = awkward_files();
  ZipSource zip(list_of(files), kTime, memory_of(files));
  const std::string whole = testing::read_range(zip, 0, zip.size_bytes());
  ASSERT_EQ(whole.size(), zip.size_bytes());
  EXPECT_TRUE(read_back(whole) == files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::uint64_t at = zip.offset_of(i);
    EXPECT_EQ(whole.substr(at, 4), "PK\3\4");
    EXPECT_TRUE(whole.substr(at + 30, files[i].first.size()) == files[i].first) << i;
  }
  EXPECT_EQ(testing::read_range(zip, whole.size(), 1), "");
}

TEST(ZipSource, no_member_is_an_archive_too) {
  ZipSource zip(list_of({}), kTime, memory_of({}));
  EXPECT_EQ(zip.size_bytes(), 22u);
  EXPECT_EQ(testing::read_range(zip, 0, 22).substr(0, 4), "PK\5\6");
}

TEST(TarSource, a_folder_is_one_for_another_reader) {
  auto members = std::make_shared<MemberList>();
  members->add("bag/data/", 0);
  members->add("bag/" + std::string(200, 'f') + "/", 0);
  TarSource tar(members, kTime, memory_of({}));
  const std::string whole = testing::read_range(tar, 0, tar.size_bytes());
  ASSERT_EQ(whole.size(), tar.size_bytes());
  archive* const a = archive_read_new();
  archive_read_support_format_tar(a);
  EXPECT_EQ(archive_read_open_memory(a, whole.data(), whole.size()), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  for (std::size_t member = 0; member < 2; ++member) {
    ASSERT_EQ(archive_read_next_header(a, &entry), ARCHIVE_OK);
    EXPECT_EQ(archive_entry_pathname(entry), members->path(member));
    EXPECT_EQ(archive_entry_mode(entry), 040755u);
  }
  EXPECT_EQ(archive_read_next_header(a, &entry), ARCHIVE_EOF);
  archive_read_free(a);
}

TEST(ArchiveSource, a_run_is_the_rest_of_a_file_and_of_nothing_else) {
  const testing::TemporaryFolder folder;
  testing::write(folder / "file", "0123456789");
  auto members = std::make_shared<MemberList>();
  members->add("bag/empty", 0);
  members->add("bag/file", 10);
  TarSource tar(members, kTime, [&](std::size_t member) {
    return Result<std::shared_ptr<Source>>(std::make_shared<FileSource>(
        real_disk(), folder / (member == 0 ? "empty" : "file"), member == 0 ? 0 : 10));
  });
  const std::uint64_t payload = 1024;
  const auto run = tar.run_at(payload + 4);
  ASSERT_OK(run);
  EXPECT_GE(run->fd, 0);
  EXPECT_EQ(run->offset, 4u);
  EXPECT_EQ(run->length, 6u);
  for (const std::uint64_t at :
       {std::uint64_t{0}, payload - 1, payload + 10, tar.size_bytes() - 1, tar.size_bytes()}) {
    const auto none = tar.run_at(at);
    ASSERT_OK(none);
    EXPECT_EQ(none->length, 0u) << at;
  }
}

// ---------------------------------------------------------------------------- any plan

// Bytes of any number which need no memory.
class Pattern : public Source {
 public:
  Pattern(std::uint64_t size_bytes, std::uint64_t key) : size_bytes_(size_bytes), key_(key) {}
  std::uint64_t size_bytes() const override { return size_bytes_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
    const std::uint64_t left = size_bytes_ - std::min(offset, size_bytes_);
    // Less than is asked for, as sources may.
    const std::size_t count = std::min<std::uint64_t>({into.size(), left, 3000});
    for (std::size_t i = 0; i < count; ++i)
      into[i] = at(offset + i);
    return count;
  }
  std::byte at(std::uint64_t offset) const {
    return static_cast<std::byte>(((offset + key_) * 0x9E3779B97F4A7C15u) >> 56u);
  }

 private:
  std::uint64_t size_bytes_;
  std::uint64_t key_;
};

struct Planned {
  std::string path;
  std::uint64_t size_bytes = 0;
  std::uint32_t crc = 0;
};

constexpr std::uint64_t kGiB = 1ull << 30;

class Chance {
 public:
  explicit Chance(std::uint64_t seed) : random_(seed) {}
  std::uint64_t below(std::uint64_t end) { return random_() % end; }
  bool one_in(std::uint64_t many) { return below(many) == 0; }

  std::string name() {
    switch (below(6)) {
      case 0:
        return "ផែនទី-" + std::to_string(below(1000)) + ".tif";
      case 1:
        return std::string(90 + below(20), 'n');  // round the 100 bytes of a tar's own field
      case 2:
        return std::string(250, 'd') + "/" + std::string(1 + below(250), 'f');
      case 3:
        return "Marché central " + std::to_string(below(10)) + " %.jpg";
      default:
        return "vue-" + std::to_string(below(100'000)) + ".jpg";
    }
  }

  std::vector<Planned> plan(std::size_t members, bool large) {
    std::vector<Planned> out;
    for (std::size_t i = 0; i < members; ++i) {
      Planned member;
      // The number makes it another name than all before.
      member.path = "bag/data/" + std::to_string(i / 7) + "/" + std::to_string(i) + "-" + name();
      member.size_bytes = size(large);
      member.crc = static_cast<std::uint32_t>(random_());
      out.push_back(std::move(member));
    }
    return out;
  }

 private:
  std::uint64_t size(bool large) {
    constexpr std::uint64_t kEdges[] = {0, 1, 511, 512, 513, 1024};
    constexpr std::uint64_t kLarge[] = {4 * kGiB - 2, 4 * kGiB - 1, 4 * kGiB,    8 * kGiB - 1,
                                        8 * kGiB,     9 * kGiB,     kGiB + 12345};
    if (large && one_in(5)) return kLarge[below(std::size(kLarge))];
    return one_in(3) ? kEdges[below(std::size(kEdges))] : below(5000);
  }

  std::mt19937_64 random_;
};

// The archive as one long row of parts, put together the plain way.
class Written {
 public:
  Written(const std::vector<Planned>& plan, bool zip) {
    std::vector<ZipMember> directory;
    for (std::size_t i = 0; i < plan.size(); ++i) {
      const Planned& each = plan[i];
      headers.push_back(size_);
      const ZipMember member{each.path, each.size_bytes, each.crc, size_, kTime};
      add(zip ? zip_header(member) : tar_header({each.path, each.size_bytes}, kTime));
      parts_.push_back({size_, each.size_bytes, {}, std::make_shared<Pattern>(each.size_bytes, i)});
      size_ += each.size_bytes;
      if (!zip) add(std::string((512 - each.size_bytes % 512) % 512, '\0'));
      directory.push_back(member);
    }
    tail = size_;
    add(zip ? zip_end(directory, size_) : std::string(1024, '\0'));
  }

  std::uint64_t size() const { return size_; }

  std::string slice(std::uint64_t first, std::uint64_t length) const {
    auto part = std::upper_bound(parts_.begin(), parts_.end(), first,
                                 [](std::uint64_t at, const Part& p) { return at < p.begin; });
    std::string out;
    for (--part; out.size() < length && part != parts_.end(); ++part) {
      std::uint64_t within = first + out.size() - part->begin;
      for (; within < part->length && out.size() < length; ++within) {
        out += part->payload ? static_cast<char>(part->payload->at(within)) : part->text[within];
      }
    }
    return out;
  }

  std::vector<std::uint64_t> headers;  // where each member begins
  std::uint64_t tail = 0;

 private:
  struct Part {
    std::uint64_t begin = 0;
    std::uint64_t length = 0;
    std::string text;
    std::shared_ptr<Pattern> payload;
  };
  void add(std::string text) {
    const std::uint64_t length = text.size();
    parts_.push_back({size_, length, std::move(text), nullptr});
    size_ += length;
  }

  std::vector<Part> parts_;
  std::uint64_t size_ = 0;
};

std::unique_ptr<ArchiveSource> source_of(const std::vector<Planned>& plan, bool zip) {
  auto members = std::make_shared<MemberList>();
  for (const Planned& each : plan)
    members->add(each.path, each.size_bytes, each.crc);
  members->shrink();
  OpenMember open = [members](std::size_t member) {
    return Result<std::shared_ptr<Source>>(
        std::make_shared<Pattern>(members->shape(member).size_bytes, member));
  };
  if (zip) return std::make_unique<ZipSource>(members, kTime, std::move(open));
  return std::make_unique<TarSource>(members, kTime, std::move(open));
}

// Lets libarchive read a source of any size, which leaps over what it need not see.
class Reader {
 public:
  explicit Reader(Source& source) : source_(source) {}

  // Names and sizes, in order.
  std::vector<std::pair<std::string, std::uint64_t>> list() {
    setlocale(LC_CTYPE, "C.UTF-8");
    archive* const a = archive_read_new();
    archive_read_support_format_tar(a);
    archive_read_support_format_zip_seekable(a);
    archive_read_set_read_callback(a, read);
    archive_read_set_skip_callback(a, skip);
    archive_read_set_seek_callback(a, seek);
    archive_read_set_callback_data(a, this);
    EXPECT_EQ(archive_read_open1(a), ARCHIVE_OK) << archive_error_string(a);
    std::vector<std::pair<std::string, std::uint64_t>> found;
    archive_entry* entry = nullptr;
    int status = ARCHIVE_OK;
    while ((status = archive_read_next_header(a, &entry)) == ARCHIVE_OK) {
      found.emplace_back(archive_entry_pathname(entry),
                         static_cast<std::uint64_t>(archive_entry_size(entry)));
    }
    EXPECT_EQ(status, ARCHIVE_EOF) << archive_error_string(a);
    archive_read_free(a);
    return found;
  }

 private:
  static la_ssize_t read(archive* /*a*/, void* self, const void** bytes) {
    auto& reader = *static_cast<Reader*>(self);
    const auto count = reader.source_.read_at(reader.at_, reader.buffer_);
    if (!count) return -1;
    *bytes = reader.buffer_.data();
    reader.at_ += *count;
    return static_cast<la_ssize_t>(*count);
  }
  static la_int64_t skip(archive* /*a*/, void* self, la_int64_t request) {
    auto& reader = *static_cast<Reader*>(self);
    const std::uint64_t left = reader.source_.size_bytes() - reader.at_;
    const std::uint64_t step = std::min(static_cast<std::uint64_t>(request), left);
    reader.at_ += step;
    return static_cast<la_int64_t>(step);
  }
  static la_int64_t seek(archive* /*a*/, void* self, la_int64_t offset, int whence) {
    auto& reader = *static_cast<Reader*>(self);
    const std::uint64_t from = whence == SEEK_SET   ? 0
                               : whence == SEEK_CUR ? reader.at_
                                                    : reader.source_.size_bytes();
    reader.at_ = from + static_cast<std::uint64_t>(offset);
    return static_cast<la_int64_t>(reader.at_);
  }

  Source& source_;
  std::uint64_t at_ = 0;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(1u << 16u);
};

void expect_any_range(std::uint64_t seed, std::size_t members, bool large, bool zip) {
  SCOPED_TRACE("seed " + std::to_string(seed) + (zip ? ", zip" : ", tar"));
  Chance chance(seed);
  const std::vector<Planned> plan = chance.plan(members, large);
  const Written written(plan, zip);
  const auto source = source_of(plan, zip);
  ASSERT_EQ(source->size_bytes(), written.size());
  for (std::size_t i = 0; i < plan.size(); ++i)
    ASSERT_EQ(source->offset_of(i), written.headers[i]) << i;
  const auto same = [&](std::uint64_t first, std::uint64_t length, std::size_t step) {
    ASSERT_TRUE(testing::read_range(*source, first, length, step) == written.slice(first, length))
        << first << " + " << length << " by " << step;
  };
  if (!large) same(0, written.size(), 1u << 20);
  for (int i = 0; i < 60; ++i) {
    // Anywhere, round the beginning of a member, and in what follows the last one.
    std::uint64_t first = chance.below(written.size());
    if (i % 3 == 1) {
      const std::uint64_t header = written.headers[chance.below(plan.size())];
      first = header - std::min<std::uint64_t>(header, chance.below(600));
    }
    if (i % 3 == 2) first = written.tail + chance.below(written.size() - written.tail);
    const std::uint64_t length = std::min(1 + chance.below(9000), written.size() - first);
    same(first, length, 1 + chance.below(700));
  }
  same(written.size() - 100, 100, 7);
  EXPECT_EQ(testing::read_range(*source, written.size(), 1), "");

  const auto found = Reader(*source).list();
  ASSERT_EQ(found.size(), plan.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    ASSERT_EQ(found[i].first, plan[i].path);
    ASSERT_EQ(found[i].second, plan[i].size_bytes) << i;
  }
}

TEST(AnyPlan, a_range_of_small_members_is_the_slice_of_the_whole) {
  std::random_device random;
  for (int round = 0; round < 15; ++round) {
    for (const bool zip : {false, true})
      expect_any_range(random(), 1 + random() % 80, false, zip);
  }
}

TEST(AnyPlan, a_range_behind_gigabytes_is_the_slice_of_the_whole) {
  std::random_device random;
  for (int round = 0; round < 15; ++round) {
    for (const bool zip : {false, true})
      expect_any_range(random(), 40 + random() % 80, true, zip);
  }
}

TEST(AnyPlan, a_zip_of_more_members_than_sixteen_bits_count) {
  constexpr std::size_t kMembers = 0x10003;
  std::vector<Planned> plan;
  for (std::size_t i = 0; i < kMembers; ++i)
    plan.push_back({"bag/data/" + std::to_string(i), 0, 0});
  const auto zip = source_of(plan, true);
  const Written written(plan, true);
  ASSERT_EQ(zip->size_bytes(), written.size());
  const std::uint64_t tail = written.size() - written.tail;
  EXPECT_TRUE(testing::read_range(*zip, written.tail, tail) == written.slice(written.tail, tail));
  EXPECT_EQ(Reader(*zip).list().size(), kMembers);
}

TEST(AnyPlan, a_member_needs_little) {
  constexpr std::size_t kMembers = 100'000;
  auto members = std::make_shared<MemberList>();
  for (std::size_t i = 0; i < kMembers; ++i) {
    members->add("2026-V-001/data/PP-PHOTO-" + std::to_string(100'000 + i / 10) +
                     "/representations/master/data/vue " + std::to_string(i) + ".jpg",
                 20'000, 1);
  }
  members->shrink();
  const TarSource tar(members, kTime, memory_of({}));
  const ZipSource zip(members, kTime, memory_of({}));
  EXPECT_LT(members->memory_bytes() + tar.memory_bytes() + zip.memory_bytes(), 50 * kMembers);
}

}  // namespace
}  // namespace versement::bagit
