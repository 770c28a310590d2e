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

std::string range(Source& source,
                  std::uint64_t first,
                  std::uint64_t length,
                  std::size_t step = 1u << 16) {
  std::string out(length, '?');
  std::size_t done = 0;
  while (done < length) {
    const auto rest = std::as_writable_bytes(std::span(out).subspan(done));
    const auto count = source.read_at(first + done, rest.first(std::min(step, rest.size())));
    EXPECT_OK(count);
    if (!count || *count == 0) break;
    done += *count;
  }
  out.resize(done);
  return out;
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
  const std::string whole = range(zip, 0, zip.size_bytes());
  ASSERT_EQ(whole.size(), zip.size_bytes());
  EXPECT_TRUE(read_back(whole) == files);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::uint64_t at = zip.offset_of(i);
    EXPECT_EQ(whole.substr(at, 4), "PK\3\4");
    EXPECT_TRUE(whole.substr(at + 30, files[i].first.size()) == files[i].first) << i;
  }
  EXPECT_EQ(range(zip, whole.size(), 1), "");
}

TEST(ZipSource, no_member_is_an_archive_too) {
  ZipSource zip(list_of({}), kTime, memory_of({}));
  EXPECT_EQ(zip.size_bytes(), 22u);
  EXPECT_EQ(range(zip, 0, 22).substr(0, 4), "PK\5\6");
}

}  // namespace
}  // namespace versement::bagit
