#include "bagit/validate.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "bagit/charset.hpp"
#include "bagit/contents.hpp"
#include "bagit/names.hpp"
#include "bagit/plan_tree.hpp"
#include "bagit/tagfile.hpp"
#include "store/base/disk.hpp"
#include "store/base/limits.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/memory_tree.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::bagit {
namespace {

using testing::MemoryTree;
using testing::TemporaryFolder;

// ---------------------------------------------------------------------------- the table

TEST(Rules, are_sorted_by_code_and_each_stands_once) {
  for (std::size_t i = 1; i < rules().size(); ++i) {
    EXPECT_LT(rules()[i - 1].code, rules()[i].code);
  }
}

TEST(Rules, the_page_of_rules_has_each_of_them_and_no_other) {
  const std::string page = testing::read(Path(VERSEMENT_SOURCE) / "docs/bag-rules.md");
  const auto word = [](Severity severity) -> std::string {
    return severity == Severity::error    ? "error"
           : severity == Severity::unread ? "unread"
                                          : "warning";
  };
  std::size_t rows = 0;
  for (const Rule& rule : rules()) {
    const std::string row = "| `" + std::string(rule.code) + "` | " + std::string(rule.section) +
                            " | " + word(rule.lenient) + " | " + word(rule.standard) + " | " +
                            word(rule.strict) + " | " + std::string(rule.meaning) + " |";
    EXPECT_NE(page.find(row), std::string::npos) << row;
  }
  for (std::size_t at = page.find("| `"); at != std::string::npos; at = page.find("| `", at + 1))
    ++rows;
  EXPECT_EQ(rows, rules().size());
}

TEST(Rules, no_mode_is_milder_than_the_one_before_it) {
  for (const Rule& rule : rules()) {
    EXPECT_LE(rule.lenient, rule.standard) << rule.code;
    EXPECT_LE(rule.standard, rule.strict) << rule.code;
    EXPECT_FALSE(rule.meaning.empty()) << rule.code;
  }
}

// ---------------------------------------------------------------------------- text

std::string decoded(std::string_view charset, std::string_view bytes, std::size_t piece) {
  auto decoder = Decoder::make(charset);
  if (!decoder) return "refused";
  std::string text;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    const auto part = bytes.substr(at, piece);
    if (!decoder->decode(as_bytes(part), &text)) return text + "|bad";
  }
  return decoder->finish() ? text : text + "|bad";
}

TEST(Charset, pieces_may_end_in_the_middle_of_a_character) {
  for (const std::size_t piece : {1u, 2u, 3u, 100u}) {
    EXPECT_EQ(decoded("utf-8", "ភ្នំពេញ é", piece), "ភ្នំពេញ é");
    EXPECT_EQ(decoded("ISO-8859-1", "\xE9t\xE9", piece), "été");
    EXPECT_EQ(decoded("UTF-16", std::string_view("\xFF\xFE\xE9\0t\0", 6), piece), "ét");
    EXPECT_EQ(decoded("UTF-16", std::string_view("\xFE\xFF\0\xE9\0t", 6), piece), "ét");
    EXPECT_EQ(decoded("UTF-16", std::string_view("\0\xE9\0t", 4), piece), "ét");
    EXPECT_EQ(decoded("UTF-16LE", std::string_view("\x3D\xD8\0\xDE", 4), piece), "😀");
    EXPECT_EQ(decoded("windows-1252", "\x80", piece), "€");
  }
}

TEST(Charset, wrong_bytes_are_an_error_and_never_a_question_mark) {
  for (const std::size_t piece : {1u, 100u}) {
    EXPECT_EQ(decoded("UTF-8", "a\xFF", piece), "a|bad");
    EXPECT_EQ(decoded("UTF-8", "a\xC3", piece), "a|bad");
    EXPECT_EQ(decoded("UTF-8", "\xED\xA0\x80", piece), "|bad");
    EXPECT_EQ(decoded("US-ASCII", "a\xE9", piece), "a|bad");
    EXPECT_EQ(decoded("UTF-16BE", std::string_view("\0a\xD8\0", 4), piece), "a|bad");
  }
}

TEST(Charset, only_names_of_the_registry_are_taken) {
  for (const char* name :
       {"UTF-8//IGNORE", "utf8", "", "UTF-8 ", "klingon", "ISO-8859-1//TRANSLIT"}) {
    EXPECT_FAILS(Decoder::make(name), Code::invalid);
  }
}

TEST(LineSplitter, finds_the_same_lines_wherever_the_pieces_end) {
  const std::string text = "one\r\ntwo\rthree\n\nfive \xE2\x80\xA8 still five\x0B\r\r\nlast";
  const std::vector<std::string> wanted{
      "one", "two", "three", "", "five \xE2\x80\xA8 still five\x0B", "", "last"};
  for (std::size_t piece = 1; piece <= text.size(); ++piece) {
    std::vector<std::string> lines;
    std::size_t count = 0;
    LineSplitter splitter;
    const auto each = [&](std::size_t number, std::string_view line) {
      EXPECT_EQ(number, ++count);
      lines.emplace_back(line);
    };
    for (std::size_t at = 0; at < text.size(); at += piece)
      splitter.feed(std::string_view(text).substr(at, piece), each);
    splitter.finish(each);
    EXPECT_EQ(lines, wanted) << piece;
  }
}

TEST(LineSplitter, a_line_without_end_does_not_grow) {
  LineSplitter splitter;
  std::size_t longest = 0;
  const auto each = [&](std::size_t, std::string_view line) { longest = line.size(); };
  for (int i = 0; i < 5; ++i)
    splitter.feed(std::string(300'000, 'x'), each);
  splitter.finish(each);
  EXPECT_EQ(longest, limits::kTagLineBytesMax);
  EXPECT_EQ(splitter.too_long(), 1u);
}

TEST(ManifestLine, only_blanks_and_tabs_separate) {
  const auto line = parse_manifest_line("ab \t \xC2\xA0name with end ");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->checksum, "ab");
  EXPECT_EQ(line->path, "\xC2\xA0name with end ");
  EXPECT_TRUE(parse_manifest_line("ab *data/x")->asterisk);
  EXPECT_EQ(parse_manifest_line("ab ././data/x")->path, "data/x");
  EXPECT_TRUE(parse_manifest_line("\\ab  data/x\\ny")->escaped);
  for (const char* wrong : {"ab", "ab ", " data/x", "ab *", "ab ./"}) {
    EXPECT_FALSE(parse_manifest_line(wrong)) << wrong;
  }
}

TEST(ManifestName, says_the_algorithm_and_whether_it_is_written_as_it_must_be) {
  EXPECT_EQ(parse_manifest_name("tagmanifest-sha512.txt")->algorithm, "sha512");
  EXPECT_TRUE(parse_manifest_name("tagmanifest-sha512.txt")->tag);
  EXPECT_FALSE(parse_manifest_name("Manifest-SHA-512.txt")->proper);
  EXPECT_EQ(parse_manifest_name("Manifest-SHA-512.txt")->algorithm, "sha512");
  EXPECT_EQ(algorithm_of_manifest("sha3256"), Algorithm::sha3_256);
  EXPECT_EQ(algorithm_of_manifest("blake2b512"), Algorithm::blake2b_512);
  EXPECT_FALSE(algorithm_of_manifest("crc32"));
  for (const char* other : {"manifest-.txt", "metadata/manifest-md5.txt", "manifest-md5.txt.bak"}) {
    EXPECT_FALSE(parse_manifest_name(other)) << other;
  }
}

TEST(FetchLine, has_three_fields_and_the_path_goes_to_the_end) {
  const auto line = parse_fetch_line("https://example.org/a\t- data/a b ");
  ASSERT_TRUE(line);
  EXPECT_EQ(line->path, "data/a b ");
  EXPECT_FALSE(line->length);
  EXPECT_EQ(*parse_fetch_line("x:y 12 data/a")->length, 12u);
  for (const char* wrong : {"https://example.org/a 12", "https://example.org/a", "u -1 data/a",
                            "u 99999999999999999999 data/a", " u 1 data/a"}) {
    EXPECT_FALSE(parse_fetch_line(wrong)) << wrong;
  }
  EXPECT_TRUE(is_absolute_uri("https://example.org/a"));
  for (const char* wrong : {"/a", "a/b", "//host/a", "https:", ":x", "1a:b"}) {
    EXPECT_FALSE(is_absolute_uri(wrong)) << wrong;
  }
}

TEST(BagInfo, folded_lines_keep_their_breaks_and_lose_their_padding) {
  std::vector<std::string> said;
  BagInfoReader reader(false, [&](std::string_view code, std::size_t line, const std::string&) {
    said.push_back(std::string(code) + ":" + std::to_string(line));
  });
  std::size_t number = 0;
  for (const char* line : {" first", "A: one", "  two ", "\tthree", "B:no blank", "C : x", "D:  y",
                           "E:\tz", "no colon", "", ": empty", "F: "}) {
    reader.line(++number, line);
  }
  EXPECT_EQ(reader.info().front(), (std::pair<std::string, std::string>("A", "one\ntwo\nthree")));
  EXPECT_EQ(said, (std::vector<std::string>{"baginfo.syntax:1", "baginfo.separator:5",
                                            "baginfo.label-whitespace:6", "baginfo.separator:7",
                                            "baginfo.syntax:9", "tagfile.blank-line:10",
                                            "baginfo.syntax:11"}));
}

TEST(Names, what_leaves_the_bag_is_told_from_what_only_troubles) {
  const std::map<std::string, std::string> unsafe{{"/etc/passwd", "path.absolute"},
                                                  {"~/x", "path.tilde"},
                                                  {"~root/x", "path.tilde"},
                                                  {"../x", "path.traversal"},
                                                  {"data/../../x", "path.traversal"},
                                                  {"data/../x", "path.dot-segment"},
                                                  {"data/./x", "path.dot-segment"},
                                                  {"C:\\x", "path.windows"},
                                                  {"c:/x", "path.windows"},
                                                  {"\\\\host\\x", "path.windows"},
                                                  {std::string("a\0b", 3), "path.nul"}};
  for (const auto& [path, code] : unsafe)
    EXPECT_EQ(unsafe_path(path), code) << path;
  for (const char* good : {"data/..x", "data/x..", "data/a:b", "data/~", "...", "data//x"}) {
    EXPECT_EQ(unsafe_path(good), "") << good;
  }
  const auto troubles = [](std::string_view path) {
    std::string out;
    name_troubles(
        path, [&](std::string_view code, const std::string&) { out += std::string(code) + " "; });
    return out;
  };
  EXPECT_EQ(troubles("data/ភ្នំពេញ.tif"), "");
  EXPECT_EQ(troubles("data/aux.txt"), "name.windows ");
  EXPECT_EQ(troubles("data/a\x01"), "name.control ");
  EXPECT_EQ(troubles("data/.DS_Store"), "name.os-junk ");
  EXPECT_EQ(troubles("data/\xE9"), "name.not-utf8 ");
  EXPECT_EQ(troubles("data/end."), "name.windows ");
}

// ---------------------------------------------------------------------------- bags

// The findings of a report as "code:path", the verdict in front.
std::string text_of(const Result<Report>& report) {
  if (!report) return "error " + report.error().what();
  std::string out(verdict_name(report->verdict));
  for (const Finding& finding : report->findings) {
    out += " " + finding.code;
    if (!finding.path.empty()) out += ":" + finding.path;
  }
  return out;
}

class BagTest : public ::testing::Test {
 protected:
  void SetUp() override {
    put("data/a.txt", "alpha");
    put("data/sous dossier/é.txt", "beta");
    put("bagit.txt", write_bagit_txt());
    put("bag-info.txt", "Payload-Oxum: 9.2\n");
    std::string manifest;
    append_manifest_line(digest_of(Algorithm::sha512, "alpha"), "data/a.txt", &manifest);
    append_manifest_line(digest_of(Algorithm::sha512, "beta"), "data/sous dossier/é.txt",
                         &manifest);
    put("manifest-sha512.txt", manifest);
    seal();
  }

  void put(const std::string& path, const std::string& bytes) {
    ASSERT_OK(make_folders(real_disk(), (dir_ / path).parent_path()));
    testing::write(dir_ / path, bytes);
  }

  // Writes the tag manifest over what is there.
  void seal() {
    std::string manifest;
    for (const char* tag : {"bagit.txt", "bag-info.txt", "manifest-sha512.txt"}) {
      append_manifest_line(digest_of(Algorithm::sha512, testing::read(dir_ / tag)), tag, &manifest);
    }
    put("tagmanifest-sha512.txt", manifest);
  }

  // Adds a line to a file and makes the tag manifest right again.
  void add(const std::string& path, const std::string& text) {
    put(path, testing::read(dir_ / path) + text);
    seal();
  }

  std::string verdict(const ValidateOptions& options = {}) {
    return text_of(validate(real_disk(), dir_.path(), options));
  }

  TemporaryFolder dir_;
};

TEST_F(BagTest, a_good_bag_is_valid_and_stays_as_it_was) {
  struct stat before = {};
  struct stat after = {};
  // A time of access that reading would renew (relatime).
  const std::array<timespec, 2> old{{{1'000'000'000, 0}, {1'000'000'001, 0}}};
  ASSERT_EQ(::utimensat(AT_FDCWD, (dir_ / "data/a.txt").c_str(), old.data(), 0), 0);
  ASSERT_EQ(::stat((dir_ / "data/a.txt").c_str(), &before), 0);
  EXPECT_EQ(verdict(), "valid");
  ASSERT_EQ(::stat((dir_ / "data/a.txt").c_str(), &after), 0);
  EXPECT_EQ(before.st_mtim.tv_sec, after.st_mtim.tv_sec);
  EXPECT_EQ(before.st_atim.tv_sec, after.st_atim.tv_sec);
}

TEST_F(BagTest, each_damage_is_named) {
  testing::flip_bit(dir_ / "data/a.txt", 2);
  EXPECT_EQ(verdict(), "invalid checksum.mismatch:data/a.txt");
  testing::flip_bit(dir_ / "data/a.txt", 2);
  put("data/stray", "x");
  EXPECT_EQ(verdict(), "invalid oxum.mismatch:bag-info.txt payload.unlisted:data/stray");
  ASSERT_OK(real_disk().remove_file(dir_ / "data/stray"));
  ASSERT_OK(real_disk().remove_file(dir_ / "data/a.txt"));
  EXPECT_EQ(verdict(), "invalid oxum.mismatch:bag-info.txt payload.missing:data/a.txt");
  put("fetch.txt", "https://example.org/a 5 data/a.txt\n");
  EXPECT_EQ(verdict(), "incomplete");
}

TEST_F(BagTest, a_second_manifest_must_list_every_file) {
  std::string manifest;
  append_manifest_line(digest_of(Algorithm::md5, "alpha"), "data/a.txt", &manifest);
  put("manifest-md5.txt", manifest);
  EXPECT_EQ(verdict(),
            "invalid manifest.incomplete:data/sous dossier/é.txt "
            "tagmanifest.omits-manifest:tagmanifest-sha512.txt");
}

TEST_F(BagTest, a_manifest_of_an_unknown_algorithm_leaves_the_verdict_open) {
  put("manifest-crc32.txt", "00000000  data/a.txt\n00000000  data/sous dossier/é.txt\n");
  std::string tags = testing::read(dir_ / "tagmanifest-sha512.txt");
  append_manifest_line(digest_of(Algorithm::sha512, testing::read(dir_ / "manifest-crc32.txt")),
                       "manifest-crc32.txt", &tags);
  put("tagmanifest-sha512.txt", tags);
  EXPECT_EQ(verdict(), "unexaminable manifest.unverifiable:manifest-crc32.txt");
}

TEST_F(BagTest, links_and_pipes_are_named_and_never_opened) {
  ASSERT_EQ(::symlink("/etc/passwd", (dir_ / "data/link").c_str()), 0);
  ASSERT_EQ(::symlink("a.txt", (dir_ / "data/good").c_str()), 0);
  ASSERT_EQ(::symlink("circle", (dir_ / "data/circle").c_str()), 0);
  ASSERT_EQ(::symlink("sous dossier", (dir_ / "data/folder").c_str()), 0);
  ASSERT_EQ(::symlink("../../x", (dir_ / "data/out").c_str()), 0);
  ASSERT_EQ(::mkfifo((dir_ / "data/pipe").c_str(), 0644), 0);
  EXPECT_EQ(verdict(),
            "invalid path.symlink-broken:data/circle path.symlink-directory:data/folder "
            "path.symlink:data/good path.symlink-escape:data/link path.symlink-escape:data/out "
            "path.special-file:data/pipe");
}

TEST_F(BagTest, a_listed_link_is_compared_by_the_file_that_it_leads_to) {
  ASSERT_EQ(::symlink("a.txt", (dir_ / "data/good").c_str()), 0);
  std::string manifest = testing::read(dir_ / "manifest-sha512.txt");
  const std::string before = manifest;
  append_manifest_line(digest_of(Algorithm::sha512, "alpha"), "data/good", &manifest);
  put("manifest-sha512.txt", manifest);
  put("bag-info.txt", "Payload-Oxum: 14.3\n");
  seal();
  EXPECT_EQ(verdict(), "valid path.symlink:data/good");
  manifest = before;
  append_manifest_line(digest_of(Algorithm::sha512, "other"), "data/good", &manifest);
  put("manifest-sha512.txt", manifest);
  seal();
  EXPECT_EQ(verdict(), "invalid checksum.mismatch:data/good path.symlink:data/good");
}

TEST_F(BagTest, paths_that_leave_the_bag_are_refused) {
  std::string line;
  append_manifest_line(digest_of(Algorithm::sha512, "x"), "data/../../etc/passwd", &line);
  add("manifest-sha512.txt", line);
  EXPECT_EQ(verdict(), "invalid path.traversal:manifest-sha512.txt");
}

TEST_F(BagTest, a_name_of_another_unicode_form_is_found_hashed_and_warned_of) {
  const std::string nfd = "data/e\xCC\x81t\xC3\xA9";
  put("data/\xC3\xA9t\xC3\xA9", "gamma");
  std::string line;
  append_manifest_line(digest_of(Algorithm::sha512, "gamma"), nfd, &line);
  add("manifest-sha512.txt", line);
  put("bag-info.txt", "Payload-Oxum: 14.3\n");
  seal();
  EXPECT_EQ(verdict(), "valid name.normalization:" + nfd);
  put("data/\xC3\xA9t\xC3\xA9", "gamme");
  EXPECT_EQ(verdict(),
            "invalid name.normalization:" + nfd + " checksum.mismatch:data/\xC3\xA9t\xC3\xA9");
}

TEST_F(BagTest, fetch_may_name_a_file_that_is_there_in_another_unicode_form) {
  const std::string nfd = "data/e\xCC\x81t\xC3\xA9";
  put("data/\xC3\xA9t\xC3\xA9", "gamma");
  std::string line;
  append_manifest_line(digest_of(Algorithm::sha512, "gamma"), nfd, &line);
  add("manifest-sha512.txt", line);
  put("bag-info.txt", "Payload-Oxum: 14.3\n");
  put("fetch.txt", "https://example.org/x 5 " + nfd + "\n");
  seal();
  EXPECT_EQ(verdict(), "valid name.normalization:" + nfd);
}

TEST_F(BagTest, modes_weigh_faults_of_form_differently) {
  add("bag-info.txt", "\nLabel:value\n");
  EXPECT_EQ(verdict(), "valid tagfile.blank-line:bag-info.txt baginfo.separator:bag-info.txt");
  EXPECT_EQ(verdict({.mode = Mode::strict}),
            "invalid tagfile.blank-line:bag-info.txt baginfo.separator:bag-info.txt");
}

TEST_F(BagTest, a_look_that_hashes_nothing_never_says_valid) {
  testing::flip_bit(dir_ / "data/a.txt", 2);
  EXPECT_EQ(verdict({.depth = Depth::complete}), "complete");
  EXPECT_EQ(verdict({.depth = Depth::fast}), "oxum-matches");
  put("data/a.txt", "alph");
  EXPECT_EQ(verdict({.depth = Depth::fast}), "invalid oxum.mismatch:bag-info.txt");
  ASSERT_OK(real_disk().remove_file(dir_ / "bag-info.txt"));
  EXPECT_EQ(verdict({.depth = Depth::fast}), "unexaminable oxum.missing:bag-info.txt");
}

TEST_F(BagTest, what_was_verified_before_a_stop_is_not_read_again) {
  put("data/a.txt", "alphA");  // wrong, and found before the stop
  std::optional<Checkpoint> kept;
  std::stop_source stop;
  ValidateOptions options;
  options.threads = 1;  // In order: so that the stop comes before the last.
  options.stop = stop.get_token();
  options.keep = [&](const Checkpoint& checkpoint) { kept = checkpoint; };
  options.progress = [&](const Progress& progress) {
    if (progress.files_total > 0 && progress.files >= 4) stop.request_stop();
  };
  EXPECT_FAILS(validate(real_disk(), dir_.path(), options), Code::cancelled);
  ASSERT_TRUE(kept);
  ASSERT_GE(kept->done, 3u);

  ValidateOptions again;
  again.resume = kept;
  const auto report = validate(real_disk(), dir_.path(), again);
  EXPECT_EQ(text_of(report), "invalid checksum.mismatch:data/a.txt");
  EXPECT_TRUE(report->resumed);

  put("data/a.txt", "alpha");  // Another bag now: nothing of before counts.
  const auto changed = validate(real_disk(), dir_.path(), again);
  EXPECT_EQ(text_of(changed), "valid");
  EXPECT_FALSE(changed->resumed);
}

TEST_F(BagTest, a_manifest_that_cannot_be_read_proves_nothing_of_the_payload) {
  // Longer than any line that is read.
  add("manifest-sha512.txt", std::string(limits::kTagLineBytesMax + 1, 'x'));
  EXPECT_EQ(verdict(),
            "invalid manifest.syntax:manifest-sha512.txt tagfile.size:manifest-sha512.txt");
}

TEST_F(BagTest, manifests_without_number_are_not_read_without_end) {
  for (int i = 0; i < 70; ++i)
    put("manifest-x" + std::to_string(i) + ".txt", "");
  EXPECT_TRUE(verdict().starts_with("invalid manifest.incomplete"));
  const auto report = validate(real_disk(), dir_.path(), {});
  EXPECT_EQ(std::count_if(report->findings.begin(), report->findings.end(),
                          [](const Finding& each) {
                            return each.detail.find("is not read") != std::string::npos;
                          }),
            70 + 2 - 64);
}

// ---------------------------------------------------------------------------- other trees

// A bag whose payload comes first and its manifests last.
void fill(MemoryTree& tree, Algorithm algorithm, const std::string& base) {
  std::string manifest;
  append_manifest_line(digest_of(algorithm, "alpha"), "data/a", &manifest);
  tree.files = {{base + "data/a", "alpha"},
                {base + "bagit.txt", write_bagit_txt()},
                {base + "manifest-" + manifest_algorithm_name(algorithm) + ".txt", manifest}};
}

TEST(SequentialTree, a_file_that_came_before_its_manifest_is_read_in_a_second_pass) {
  MemoryTree tree;
  fill(tree, Algorithm::sha3_384, "bag/");
  tree.in_order = true;
  tree.shape = Form::tar_gz;
  EXPECT_EQ(text_of(validate(tree, {})), "valid");
  EXPECT_EQ(tree.visits, 2);
  tree.files[0].second = "alphA";
  EXPECT_EQ(text_of(validate(tree, {})), "invalid checksum.mismatch:data/a");
}

TEST(SequentialTree, manifests_in_front_need_one_pass) {
  MemoryTree tree;
  fill(tree, Algorithm::sha256, "bag/");
  std::swap(tree.files.front(), tree.files.back());
  tree.in_order = true;
  tree.shape = Form::tar_gz;
  EXPECT_EQ(text_of(validate(tree, {})), "valid");
  EXPECT_EQ(tree.visits, 1);
}

TEST(SequentialTree, of_a_pipe_is_known_what_was_hashed_as_it_went_by) {
  MemoryTree tree;
  fill(tree, Algorithm::sha256, "bag/");
  tree.in_order = true;
  tree.again = false;
  tree.shape = Form::tar;
  EXPECT_EQ(text_of(validate(tree, {})), "valid");
  EXPECT_EQ(tree.visits, 1);
  fill(tree, Algorithm::sha384, "bag/");
  tree.in_order = true;
  tree.again = false;
  tree.shape = Form::tar;
  EXPECT_EQ(text_of(validate(tree, {})), "unexaminable file.unreadable:data/a");
  EXPECT_EQ(text_of(validate(tree, {.algorithms = {Algorithm::sha384}})), "valid");
}

TEST(ArchiveTree, holds_one_folder_and_nothing_beside_it) {
  MemoryTree tree;
  fill(tree, Algorithm::sha512, "bag/");
  tree.shape = Form::zip;
  EXPECT_EQ(text_of(validate(tree, {})), "valid");
  tree.files.emplace_back("__MACOSX/x", "");
  EXPECT_EQ(text_of(validate(tree, {})), "invalid serialization.top-level:__MACOSX");
  fill(tree, Algorithm::sha512, "other/");
  tree.shape = Form::zip;
  EXPECT_EQ(text_of(validate(tree, {})), "valid serialization.name");
  fill(tree, Algorithm::sha512, "");
  tree.shape = Form::zip;
  EXPECT_EQ(text_of(validate(tree, {})), "invalid serialization.top-level");
  fill(tree, Algorithm::sha512, "bag/");
  tree.shape = Form::zip;
  tree.files.emplace_back("bag/../../etc/passwd", "x");
  EXPECT_EQ(text_of(validate(tree, {})), "invalid path.traversal:bag/../../etc/passwd");
}

TEST(VerifiedFiles, are_shown_with_the_digests_that_held_and_only_of_a_valid_bag) {
  MemoryTree tree;
  fill(tree, Algorithm::sha512, "bag/");
  std::string md5 = digest_of(Algorithm::md5, "alpha").hex() + "  data/a\n";
  tree.files.emplace_back("bag/manifest-md5.txt", md5 + md5);
  tree.files[1].second = "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n";
  tree.files.emplace_back("bag/bag-info.txt", "External-Identifier: X 1\n");
  tree.shape = Form::zip;
  std::vector<std::string> seen;
  ValidateOptions options;
  options.each_verified = [&](const VerifiedFile& file) {
    EXPECT_EQ(file.path_in_tree, "bag/" + std::string(file.path));
    EXPECT_EQ(tree.files.at(file.number).first, file.path_in_tree);
    seen.push_back(std::string(file.path) + " " + std::to_string(file.digests.size()));
  };
  const auto report = validate(tree, options);
  EXPECT_EQ(text_of(report), "valid manifest.repeated:manifest-md5.txt");
  EXPECT_EQ(seen, (std::vector<std::string>{"bag-info.txt 0", "bagit.txt 0", "data/a 2",
                                            "manifest-md5.txt 0", "manifest-sha512.txt 0"}));
  EXPECT_EQ(report->info, (BagInfo{{"External-Identifier", "X 1"}}));
  seen.clear();
  tree.files[0].second = "other";
  EXPECT_NE(text_of(validate(tree, options)).find("invalid"), std::string::npos);
  EXPECT_TRUE(seen.empty());
}

// An archive that has nothing in it and is only warned of.
class EmptyTree : public MemoryTree {
 public:
  Result<void> visit(Visitor& visitor, const std::stop_token& /*stop*/) override {
    visitor.finding("serialization.no-end", "", "");
    return {};
  }
};

TEST(ArchiveTree, nothing_at_all_is_no_valid_bag) {
  EmptyTree tree;
  tree.shape = Form::tar;
  EXPECT_EQ(text_of(validate(tree, {})),
            "invalid manifest.none serialization.no-end bagit.missing:bagit.txt data.missing:data");
}

TEST(PlannedTree, is_judged_as_a_folder_is) {
  MemoryTree files;
  fill(files, Algorithm::sha512, "");
  PlanTree tree(
      "bag",
      [&](const PlanTree::Each& each) -> Result<void> {
        for (const auto& [path, bytes] : files.files)
          TRY(each(path, bytes.size()));
        return {};
      },
      [&](std::size_t number) -> Result<std::shared_ptr<Source>> {
        return std::shared_ptr<Source>(std::make_shared<ViewSource>(files.files[number].second));
      });
  EXPECT_EQ(text_of(validate(tree, {.threads = 4})), "valid");
  files.files[0].second = "alphA";
  EXPECT_EQ(text_of(validate(tree, {})), "invalid checksum.mismatch:data/a");
  files.files[0].first = "data/b";
  EXPECT_EQ(text_of(validate(tree, {.depth = Depth::complete})),
            "invalid payload.missing:data/a payload.unlisted:data/b");
}

}  // namespace
}  // namespace versement::bagit
