#include <array>
#include <clocale>
#include <cstring>
#include <map>
#include <random>

#include <archive.h>
#include <archive_entry.h>

#include "bagit/tagfile.hpp"
#include "bagit/tar.hpp"
#include "bagit/untar.hpp"
#include "tests/support/expect.hpp"

namespace versement::bagit {
namespace {

using Files = std::map<std::string, std::string>;

TEST(TagFile, only_lf_cr_and_percent_are_coded) {
  bool strange = false;
  EXPECT_EQ(encode_path("a%b\nc\rd é"), "a%25b%0Ac%0Dd é");
  EXPECT_EQ(decode_path("a%25b%0ac%0Dd é", &strange), "a%b\nc\rd é");
  EXPECT_FALSE(strange);
  EXPECT_EQ(decode_path("100%20", &strange), "100%20");
  EXPECT_TRUE(strange);
  EXPECT_EQ(decode_path("%2525", &strange), "%25");
}

TEST(TagFile, the_declaration_is_exact) {
  EXPECT_TRUE(parse_bagit_txt(write_bagit_txt()));
  EXPECT_TRUE(parse_bagit_txt("BagIt-Version: 0.97\r\nTag-File-Character-Encoding: UTF-8"));
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\xEF\xBB\xBF"
       "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n",
       "bagit.bom"},
      {"BagIt-Version: 1.0\n", "bagit.format"},
      {"BagIt-version: 1.0\nTag-File-Character-Encoding: UTF-8\n", "bagit.format"},
      {"BagIt-Version: .97\nTag-File-Character-Encoding: UTF-8\n", "bagit.format"},
      {"BagIt-Version: 2.0\nTag-File-Character-Encoding: UTF-8\n", "bagit.version"},
      {"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\nx\n", "bagit.format"},
  };
  for (const auto& [text, reason] : cases) {
    const auto parsed = parse_bagit_txt(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().reason(), reason) << text;
  }
}

TEST(TagFile, manifest_lines_end_in_three_ways) {
  std::vector<std::string> paths;
  ASSERT_OK(parse_manifest("ab  data/one\rcd\tdata/two \r\nef *./data/three",
                           [&](std::string_view, std::string path) {
                             paths.push_back(std::move(path));
                             return Result<void>();
                           }));
  EXPECT_EQ(paths, (std::vector<std::string>{"data/one", "data/two ", "data/three"}));
  EXPECT_FAILS(
      parse_manifest("abcdef\n", [](std::string_view, std::string) { return Result<void>(); }),
      Code::invalid);
}

TEST(TagFile, bag_info_goes_there_and_back) {
  const BagInfo info{{"Source-Organization", "Apur"}, {"Note", "a: b"}, {"Note", "again"}};
  auto back = parse_bag_info(write_bag_info(info));
  ASSERT_OK(back);
  EXPECT_EQ(*back, info);
  EXPECT_FAILS(parse_bag_info(" continuation of nothing\n"), Code::invalid);
  EXPECT_FAILS(parse_bag_info("no colon\n"), Code::invalid);
  EXPECT_FALSE(parse_oxum("18446744073709551616.1"));
  EXPECT_EQ(parse_oxum("12.3")->streams, 3u);
}

// ---------------------------------------------------------------------------- tar

TarSource tar_of(const Files& files) {
  auto members = std::make_shared<MemberList>();
  auto bytes = std::make_shared<std::vector<std::string>>();
  for (const auto& [path, content] : files) {
    members->add(path, content.size());
    bytes->push_back(content);
  }
  return {
      std::move(members), Timestamp(1'700'000'000'000), [bytes](std::size_t member) {
        return Result<std::shared_ptr<Source>>(std::make_shared<MemorySource>((*bytes)[member]));
      }};
}

std::string range(TarSource& tar, std::uint64_t first, std::uint64_t length) {
  std::string out(length, '?');
  std::size_t done = 0;
  while (done < length) {
    const auto rest = std::as_writable_bytes(std::span(out).subspan(done));
    const auto count = tar.read_at(first + done, rest);
    EXPECT_OK(count);
    if (!count || *count == 0) break;
    done += *count;
  }
  out.resize(done);
  return out;
}

// What an independent reader finds. libarchive composes names, so only NFC names are compared.
Files read_with_libarchive(const std::string& bytes) {
  setlocale(LC_CTYPE, "C.UTF-8");
  Files files;
  archive* const a = archive_read_new();
  archive_read_support_format_tar(a);
  EXPECT_EQ(archive_read_open_memory(a, bytes.data(), bytes.size()), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
    std::string& content = files[archive_entry_pathname(entry)];
    content.resize(static_cast<std::size_t>(archive_entry_size(entry)));
    EXPECT_EQ(archive_read_data(a, content.data(), content.size()),
              static_cast<la_ssize_t>(content.size()));
  }
  archive_read_free(a);
  return files;
}

struct Collect : MemberSink {
  Files files;
  std::vector<std::uint64_t> offsets;
  std::string path;
  Result<void> begin(const ArchiveMember& member) override {
    path = member.path.text();
    files[path];
    offsets.push_back(member.header_offset);
    return {};
  }
  Result<void> data(std::span<const std::byte> bytes) override {
    files[path].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Result<void> end() override { return {}; }
};

Result<Files> read_with_ours(const std::string& bytes,
                             std::vector<std::uint64_t>* offsets = nullptr) {
  std::size_t at = 0;
  Collect sink;
  TRY(read_tar(
      [&](std::span<std::byte> into) {
        const std::size_t count = std::min(into.size(), bytes.size() - at);
        std::memcpy(into.data(), bytes.data() + at, count);
        at += count;
        return Result<std::size_t>(count);
      },
      {}, sink));
  if (offsets != nullptr) *offsets = sink.offsets;
  return sink.files;
}

Files awkward_files() {
  Files files{{"bag/bagit.txt", "x"},
              {"bag/empty", ""},
              {"bag/block", std::string(512, 'b')},
              {"bag/data/Marché 100 % – ផ្សារ.jpg", std::string(70'000, 'j')},
              {"bag/data/" + std::string(200, 'l') + ".txt", "long"},
              {"bag/data/" + std::string(90, 'e'), "exactly a hundred or so"}};
  return files;
}

TEST(Tar, two_readers_find_what_was_put_in) {
  TarSource tar = tar_of(awkward_files());
  const std::string whole = range(tar, 0, tar.size_bytes());
  ASSERT_EQ(whole.size(), tar.size_bytes());
  EXPECT_EQ(read_with_libarchive(whole), awkward_files());
  std::vector<std::uint64_t> offsets;
  const auto ours = read_with_ours(whole, &offsets);
  ASSERT_OK(ours);
  EXPECT_EQ(*ours, awkward_files());
  for (std::size_t i = 0; i < offsets.size(); ++i)
    EXPECT_EQ(offsets[i], tar.offset_of(i));
}

TEST(Tar, names_keep_their_normal_form) {
  const Files files{{"bag/Proce\xCC\x80s.pdf", "nfd"}, {"bag/Proc\xC3\xA8s.pdf", "nfc"}};
  TarSource tar = tar_of(files);
  const auto read = read_with_ours(range(tar, 0, tar.size_bytes()));
  ASSERT_OK(read);
  EXPECT_EQ(*read, files);
}

TEST(Tar, any_range_is_the_slice_of_the_whole) {
  TarSource tar = tar_of(awkward_files());
  const std::string whole = range(tar, 0, tar.size_bytes());
  std::mt19937_64 random(42);
  for (int i = 0; i < 2000; ++i) {
    const std::uint64_t first = random() % whole.size();
    const std::uint64_t length = random() % std::min<std::uint64_t>(whole.size() - first, 3000) + 1;
    ASSERT_EQ(range(tar, first, length), whole.substr(first, length)) << first << "+" << length;
  }
  EXPECT_EQ(range(tar, whole.size(), 1), "");
}

TEST(Tar, sizes_from_eight_gib_on_stand_in_a_pax_header) {
  const TarMember huge{"bag/huge", 9ull << 30};
  const std::string header = tar_header(huge, Timestamp(0));
  EXPECT_NE(header.find("size=9663676416\n"), std::string::npos);
  EXPECT_EQ(tar_header({"bag/small", 8'589'934'591}, Timestamp(0)).size(), 512u);
}

TEST(Untar, refuses_what_would_leave_the_folder_or_is_no_file) {
  TarSource tar = tar_of({{"bag/a", "x"}});
  const std::string good = range(tar, 0, tar.size_bytes());
  const auto with = [&](std::size_t at, std::string_view bytes) {
    std::string text = good;
    text.replace(at, bytes.size(), bytes);
    text.replace(148, 8, "        ");
    unsigned sum = 0;
    for (std::size_t i = 0; i < 512; ++i)
      sum += static_cast<unsigned char>(text[i]);
    std::array<char, 8> digits{};
    (void)std::snprintf(digits.data(), digits.size(), "%06o", sum);
    text.replace(148, 7, std::string(digits.data(), 7));
    const auto read = read_with_ours(text);
    return read ? std::string("accepted") : read.error().reason();
  };
  EXPECT_EQ(with(0, std::string_view("../a\0", 5)), "archive-path");
  EXPECT_EQ(with(0, std::string_view("/etc/x\0", 7)), "archive-path");
  EXPECT_EQ(with(156, "2"), "archive-special-file");
  EXPECT_EQ(with(156, "1"), "archive-special-file");
  EXPECT_EQ(with(156, "6"), "archive-special-file");
  EXPECT_EQ(with(156, "S"), "archive-sparse");
  EXPECT_EQ(with(124, "99999999999"), "archive-corrupt");
  EXPECT_EQ(with(156, "0"), "accepted");
}

TEST(Untar, every_cut_and_every_flipped_header_bit_is_noticed) {
  TarSource tar = tar_of({{"bag/a", "content"}, {"bag/é", "more"}});
  const std::string good = range(tar, 0, tar.size_bytes());
  for (std::size_t length = 0; length < good.size(); length += 64) {
    EXPECT_FALSE(read_with_ours(good.substr(0, length))) << length;
  }
  for (std::size_t at = 0; at < 512; ++at) {
    std::string text = good;
    text[at] = static_cast<char>(text[at] ^ 4);
    EXPECT_FALSE(read_with_ours(text)) << at;
  }
}

TEST(Untar, an_extension_that_claims_gigabytes_is_refused) {
  std::string block(512, '\0');
  TarSource tar = tar_of({{"bag/é", "x"}});
  std::string text = range(tar, 0, tar.size_bytes());
  text.replace(124, 11, "77777777777");
  text.replace(148, 8, "        ");
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i)
    sum += static_cast<unsigned char>(text[i]);
  std::array<char, 8> digits{};
  (void)std::snprintf(digits.data(), digits.size(), "%06o", sum);
  text.replace(148, 7, std::string(digits.data(), 7));
  EXPECT_FAILS(read_with_ours(text), Code::limit);
}

}  // namespace
}  // namespace versement::bagit
