#include "bagit/create.hpp"

#include <array>
#include <atomic>
#include <clocale>
#include <filesystem>
#include <map>

#include <fcntl.h>
#include <sys/stat.h>

#include <archive.h>
#include <archive_entry.h>

#include "bagit/target.hpp"
#include "bagit/validate.hpp"
#include "bagit/zip.hpp"
#include "store/base/text.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::bagit {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;
using Files = std::map<std::string, std::string>;

class CreateTest : public ::testing::Test {
 protected:
  CreateTest() {
    fs::create_directory(source());
    options_.sources = {source()};
    options_.target = folder_ / "bag";
    options_.time = Timestamp(1'700'000'000'000);
    options_.threads = 2;
  }

  Path source() const { return folder_ / "source"; }
  void put(const std::string& name, const std::string& bytes = "bytes") {
    fs::create_directories((source() / name).parent_path());
    testing::write(source() / name, bytes);
  }

  // What lies beside the source.
  std::vector<std::string> beside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path() != source()) names.push_back(entry.path().filename().native());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  static Files read_folder(const Path& bag) {
    Files files;
    for (const auto& entry : fs::recursive_directory_iterator(bag)) {
      if (entry.is_regular_file())
        files[fs::relative(entry.path(), bag).native()] = testing::read(entry.path());
    }
    return files;
  }

  // By libarchive, without the name of the bag in front.
  static Files read_archive(const Path& file) {
    setlocale(LC_CTYPE, "C.UTF-8");
    Files files;
    archive* const a = archive_read_new();
    archive_read_support_format_tar(a);
    archive_read_support_format_zip(a);
    EXPECT_EQ(archive_read_open_filename(a, file.c_str(), 65536), ARCHIVE_OK);
    archive_entry* entry = nullptr;
    while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
      const std::string path = archive_entry_pathname(entry);
      std::string& content = files[path.substr(path.find('/') + 1)];
      content.resize(static_cast<std::size_t>(archive_entry_size(entry)));
      EXPECT_EQ(archive_read_data(a, content.data(), content.size()),
                static_cast<la_ssize_t>(content.size()));
    }
    archive_read_free(a);
    return files;
  }

  TemporaryFolder folder_;
  CreateOptions options_;
};

TEST_F(CreateTest, a_folder_becomes_a_valid_bag_and_stays_as_it_was) {
  put("a/one.txt");
  put("two % three.txt", "");
  const auto before = fs::last_write_time(source());

  const auto created = create_bag(real_disk(), options_);

  ASSERT_OK(created);
  EXPECT_EQ(created->files, 2u);
  EXPECT_EQ(created->octets, 5u);
  EXPECT_TRUE(created->findings.empty());
  const auto report = validate(real_disk(), options_.target, {});
  ASSERT_OK(report);
  EXPECT_EQ(report->verdict, Verdict::valid);
  EXPECT_EQ(report->tag_manifest_digest, created->tag_manifest_digest);
  EXPECT_EQ(fs::last_write_time(source()), before);
  EXPECT_EQ(read_folder(source()).size(), 2u);
  EXPECT_EQ(beside(), std::vector<std::string>{"bag"});
  const Files files = read_folder(options_.target);
  EXPECT_NE(files.at("manifest-sha512.txt").find("  data/two %25 three.txt\n"), std::string::npos);
  EXPECT_EQ(files.at("bag-info.txt").substr(0, 28), "Bagging-Date: 2023-11-14\nBag");
}

TEST_F(CreateTest, tag_manifests_list_every_other_tag_file_in_all_algorithms) {
  put("a");
  options_.algorithms = {Algorithm::sha512, Algorithm::sha256, Algorithm::md5};
  ASSERT_OK(create_bag(real_disk(), options_));
  const Files files = read_folder(options_.target);
  for (const char* const algorithm : {"sha512", "sha256", "md5"}) {
    const std::string& listed = files.at("tagmanifest-" + std::string(algorithm) + ".txt");
    for (const char* const file : {"bag-info.txt", "bagit.txt", "manifest-md5.txt",
                                   "manifest-sha256.txt", "manifest-sha512.txt"})
      EXPECT_NE(listed.find(std::string("  ") + file + "\n"), std::string::npos);
    EXPECT_EQ(listed.find("tagmanifest"), std::string::npos);
  }
}

TEST_F(CreateTest, info_of_the_user_comes_first_and_ours_follows) {
  put("a");
  options_.info = {{"Source-Organization", "Apur"}, {"bagging-date", "2020-01-01"}};
  ASSERT_OK(create_bag(real_disk(), options_));
  const std::string info = testing::read(options_.target / "bag-info.txt");
  EXPECT_TRUE(info.starts_with("Source-Organization: Apur\nbagging-date: 2020-01-01\nBag-Size: "));
  EXPECT_EQ(info.find("Bagging-Date"), std::string::npos);
  EXPECT_NE(info.find("Payload-Oxum: 5.1\n"), std::string::npos);
}

TEST_F(CreateTest, labels_that_cannot_be_written_are_refused) {
  put("a");
  for (const auto& label :
       {"a:b", "", " a", "a ", "a\nb", "Payload-Oxum", "payload-oxum", "\xFF"}) {
    options_.info = {{label, "x"}};
    EXPECT_FAILS(create_bag(real_disk(), options_), Code::invalid);
  }
  EXPECT_EQ(beside(), std::vector<std::string>{});
}

TEST_F(CreateTest, an_empty_payload_is_a_bag) {
  for (const BagForm form : {BagForm::folder, BagForm::tar, BagForm::zip}) {
    options_.form = form;
    options_.target = folder_ / ("bag" + std::to_string(static_cast<int>(form)));
    ASSERT_OK(create_bag(real_disk(), options_));
  }
  EXPECT_TRUE(fs::is_directory(folder_ / "bag0" / "data"));
  EXPECT_TRUE(read_archive(folder_ / "bag1").contains("data/"));
  EXPECT_TRUE(read_archive(folder_ / "bag2").contains("data/"));
}

TEST_F(CreateTest, folder_tar_and_zip_hold_the_same) {
  put("a/one.txt", std::string(100'000, 'x'));
  put("b", std::string(512, 'y'));
  put("c", "");
  put("d\ne\rf");
  put("é " + std::string(200, 'n'));
  ASSERT_OK(create_bag(real_disk(), options_));
  const Files files = read_folder(options_.target);
  for (const auto& [form, name] : std::vector<std::pair<BagForm, std::string>>{
           {BagForm::tar, "b.tar"}, {BagForm::zip, "b.zip"}}) {
    options_.form = form;
    options_.target = folder_ / name;
    ASSERT_OK(create_bag(real_disk(), options_));
    EXPECT_TRUE(read_archive(options_.target) == files) << name;
  }
}

TEST_F(CreateTest, the_same_input_gives_the_same_bytes) {
  for (int i = 0; i < 40; ++i)
    put("f" + std::to_string(i), std::string(static_cast<std::size_t>(i) * 1000, 'x'));
  options_.validate = false;
  for (const BagForm form : {BagForm::tar, BagForm::zip}) {
    options_.form = form;
    options_.target = folder_ / "bag.x";
    options_.threads = 4;
    ASSERT_OK(create_bag(real_disk(), options_));
    const std::string first = testing::read(options_.target);
    fs::remove(options_.target);
    options_.threads = 1;
    ASSERT_OK(create_bag(real_disk(), options_));
    EXPECT_TRUE(testing::read(options_.target) == first);
    fs::remove(options_.target);
  }
}

TEST_F(CreateTest, several_sources_stand_under_their_names) {
  put("x/one");
  put("y/two");
  put("three");
  options_.sources = {source() / "x", source() / "y/two", source() / "three"};
  ASSERT_OK(create_bag(real_disk(), options_));
  const Files files = read_folder(options_.target / "data");
  EXPECT_TRUE(files.contains("x/one") && files.contains("two") && files.contains("three"));

  options_.target = folder_ / "again";
  put("z/three");
  options_.sources = {source() / "three", source() / "z/three"};
  EXPECT_FAILS(create_bag(real_disk(), options_), Code::invalid);
}

TEST_F(CreateTest, nothing_is_written_over) {
  put("a");
  testing::write(options_.target, "precious");
  EXPECT_FAILS(create_bag(real_disk(), options_), Code::exists);
  EXPECT_EQ(testing::read(options_.target), "precious");
}

// All paths of an archive begin with it.
TEST_F(CreateTest, an_archive_whose_folder_would_lead_elsewhere_is_refused) {
  put("a.txt");
  for (const bool validate : {false, true}) {
    options_.validate = validate;
    for (const char* const name : {"...tar", "..tar", ".tar", "~.tar", "~root.tar", "C:.tar",
                                   "c:x.tar", "a\\b.tar", "a\nb.tar", "a\x7F.tar"}) {
      options_.form = BagForm::tar;
      options_.target = folder_ / name;
      EXPECT_FAILS(create_bag(real_disk(), options_), Code::invalid);
    }
    options_.form = BagForm::zip;
    options_.target = folder_ / "...zip";
    EXPECT_FAILS(create_bag(real_disk(), options_), Code::invalid);
  }
  EXPECT_TRUE(beside().empty());
}

TEST_F(CreateTest, the_folder_in_an_archive_is_called_as_the_validator_expects) {
  put("a.txt");
  options_.form = BagForm::tar;
  for (const char* const name : {"my.bag", "my.bag.tar", "v1.2", "my.TAR", "it's ~fine.tar"}) {
    options_.target = folder_ / name;
    ASSERT_OK(create_bag(real_disk(), options_));
    const auto report = validate(real_disk(), options_.target, {.threads = 2});
    ASSERT_OK(report);
    EXPECT_EQ(report->verdict, Verdict::valid) << name;
    EXPECT_TRUE(report->findings.empty()) << name << ": " << to_text(report->findings.front());
  }
}

TEST_F(CreateTest, a_target_inside_of_the_source_is_refused) {
  put("a/b");
  options_.target = source() / "a/bag";
  const auto refused = create_bag(real_disk(), options_);
  EXPECT_FAILS(refused, Code::invalid);
  EXPECT_EQ(refused.error().reason(), "target-in-source");
  EXPECT_EQ(read_folder(source()).size(), 1u);
}

TEST_F(CreateTest, a_bag_is_not_bagged_by_mistake) {
  put("a");
  ASSERT_OK(create_bag(real_disk(), options_));
  options_.sources = {options_.target};
  options_.target = folder_ / "outer";
  const auto refused = create_bag(real_disk(), options_);
  EXPECT_FAILS(refused, Code::invalid);
  EXPECT_EQ(refused.error().reason(), "source-is-a-bag");
  options_.nest = true;
  ASSERT_OK(create_bag(real_disk(), options_));
  EXPECT_TRUE(fs::exists(folder_ / "outer/data/bagit.txt"));
}

TEST_F(CreateTest, links_are_refused_or_followed_inside) {
  put("a");
  fs::create_symlink("a", source() / "link");
  EXPECT_EQ(create_bag(real_disk(), options_).error().reason(), "path.symlink");
  options_.follow_links = true;
  ASSERT_OK(create_bag(real_disk(), options_));
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(options_.target / "data/link")));
  options_.target = folder_ / "second";
  testing::write(folder_ / "outside", "secret");
  for (const char* const to : {"../outside", "nowhere", ".", "link2"}) {
    fs::remove(source() / "link2");
    fs::create_symlink(to, source() / "link2");
    EXPECT_EQ(create_bag(real_disk(), options_).error().reason(), "path.symlink");
  }
  EXPECT_FALSE(fs::exists(options_.target));
}

TEST_F(CreateTest, special_files_and_names_without_utf8_are_refused) {
  put("a");
  ASSERT_EQ(::mkfifo((source() / "fifo").c_str(), 0600), 0);
  EXPECT_EQ(create_bag(real_disk(), options_).error().reason(), "path.special-file");
  fs::remove(source() / "fifo");
  put("caf\xE9");
  const auto refused = create_bag(real_disk(), options_);
  EXPECT_FAILS(refused, Code::invalid);
  EXPECT_EQ(refused.error().reason(), "name.not-utf8");
  EXPECT_NE(refused.error().what().find("\\xE9"), std::string::npos) << refused.error().what();
}

TEST_F(CreateTest, twins_of_normal_form_are_refused_even_of_folders) {
  put("caf\xC3\xA9/one");
  put("cafe\xCC\x81/two");
  EXPECT_EQ(create_bag(real_disk(), options_).error().reason(), "name.normalization-twins");
  EXPECT_EQ(beside(), std::vector<std::string>{});
}

TEST_F(CreateTest, case_twins_and_hidden_files_are_told) {
  put("Readme");
  put("README");
  put("sub/.DS_Store");
  fs::create_directory(source() / "empty");
  const auto created = create_bag(real_disk(), options_);
  ASSERT_OK(created);
  EXPECT_EQ(created->empty_folders, 1u);
  std::map<std::string, std::string> found;
  for (const Finding& finding : created->findings)
    found[finding.code] = finding.path;
  EXPECT_EQ(found["name.case-twins"], "data/Readme");
  EXPECT_EQ(found["name.os-junk"], "data/sub/.DS_Store");
  EXPECT_TRUE(fs::exists(options_.target / "data/sub/.DS_Store"));
}

// Writes to the source while it is read, or answers as a full or broken disk.
class Meddling : public Disk {
 public:
  using Disk::info;
  explicit Meddling(std::function<Result<void>(const Path&)> act) : act_(std::move(act)) {}
  Result<std::size_t> read_at(const Fd& fd,
                              std::span<std::byte> into,
                              std::uint64_t offset,
                              const Path& path) override {
    TRY(act_(path));
    return Disk::read_at(fd, into, offset, path);
  }

 private:
  const std::function<Result<void>(const Path&)> act_;
};

TEST_F(CreateTest, a_file_that_changes_while_it_is_read_is_an_error) {
  put("grows", std::string(600'000, 'x'));
  for (const char* const how : {"grow", "shrink", "touch"}) {
    put("grows", std::string(600'000, 'x'));
    Meddling disk([&](const Path& path) -> Result<void> {
      if (how == std::string("grow")) testing::write(path, std::string(700'000, 'y'));
      if (how == std::string("shrink")) testing::write(path, std::string(10, 'y'));
      if (how == std::string("touch")) testing::write(path, std::string(600'000, 'y'));
      return {};
    });
    const auto refused = create_bag(disk, options_);
    EXPECT_FAILS(refused, Code::invalid);
    EXPECT_EQ(refused.error().reason(), "file.changed") << how;
    EXPECT_EQ(beside(), std::vector<std::string>{}) << how;
  }
}

TEST_F(CreateTest, a_failing_disk_leaves_nothing) {
  put("a");
  put("b");
  for (const BagForm form : {BagForm::folder, BagForm::tar, BagForm::zip}) {
    options_.form = form;
    for (const Code code : {Code::io, Code::no_space}) {
      Meddling disk([&](const Path& path) -> Result<void> {
        return path.filename() == "b" ? Result<void>(Error(code, "it failed")) : Result<void>();
      });
      EXPECT_FAILS(create_bag(disk, options_), code);
      EXPECT_EQ(beside(), std::vector<std::string>{});
    }
  }
}

// What is written is not what is read back.
TEST_F(CreateTest, a_bag_that_does_not_read_back_is_not_announced) {
  put("a", "12345");
  std::atomic<bool> damaged{false};
  Meddling disk([&](const Path& path) -> Result<void> {
    const bool copy = path.native().find(".part-") != std::string::npos;
    if (copy && path.filename() == "a" && !damaged.exchange(true)) testing::flip_bit(path, 1);
    return {};
  });
  const auto refused = create_bag(disk, options_);
  EXPECT_FAILS(refused, Code::corrupt);
  EXPECT_EQ(refused.error().reason(), "bag-invalid");
  EXPECT_EQ(beside(), std::vector<std::string>{});
}

std::int64_t modified_seconds(const Path& path) {
  const auto info = real_disk().info(path);
  EXPECT_OK(info);
  return info ? info->modified_ms / 1000 : -1;
}

// By libarchive, of the member that ends so.
std::int64_t modified_in_archive(const Path& file, const std::string& ending) {
  std::int64_t found = -1;
  archive* const a = archive_read_new();
  archive_read_support_format_tar(a);
  EXPECT_EQ(archive_read_open_filename(a, file.c_str(), 65536), ARCHIVE_OK);
  archive_entry* entry = nullptr;
  while (archive_read_next_header(a, &entry) == ARCHIVE_OK) {
    if (std::string(archive_entry_pathname(entry)).ends_with(ending)) {
      found = archive_entry_mtime(entry);
    }
  }
  archive_read_free(a);
  return found;
}

void set_modified(const Path& file, std::int64_t ns) {
  const auto fd = real_disk().open(file, O_RDONLY);
  ASSERT_OK(fd);
  ASSERT_OK(real_disk().set_modified(*fd, ns, file));
}

TEST_F(CreateTest, the_payload_keeps_its_times_unless_one_time_is_asked_for) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  put("old");
  put("older");
  set_modified(source() / "old", 1'234'567'890 * kSecond + 123'456'789);
  set_modified(source() / "older", -1'000 * kSecond - 1);
  ASSERT_OK(create_bag(real_disk(), options_));
  const auto kept = real_disk().info(options_.target / "data/old");
  ASSERT_OK(kept);
  EXPECT_EQ(kept->modified_ns, 1'234'567'890 * kSecond + 123'456'789);
  EXPECT_EQ(real_disk().info(options_.target / "data/older")->modified_ns, -1'000 * kSecond - 1);
  EXPECT_EQ(modified_seconds(options_.target / "bagit.txt"), 1'700'000'000);

  options_.form = BagForm::tar;
  options_.target = folder_ / "bag.tar";
  ASSERT_OK(create_bag(real_disk(), options_));
  EXPECT_EQ(modified_in_archive(options_.target, "data/old"), 1'234'567'890);
  EXPECT_EQ(modified_in_archive(options_.target, "data/older"), 0);
  EXPECT_EQ(modified_in_archive(options_.target, "bagit.txt"), 1'700'000'000);

  options_.one_time = true;
  options_.target = folder_ / "one.tar";
  ASSERT_OK(create_bag(real_disk(), options_));
  EXPECT_EQ(modified_in_archive(options_.target, "data/old"), 1'700'000'000);
  options_.form = BagForm::folder;
  options_.target = folder_ / "one";
  ASSERT_OK(create_bag(real_disk(), options_));
  EXPECT_EQ(modified_seconds(options_.target / "data/old"), 1'700'000'000);
}

// Eleven octal digits and four bytes cannot hold every time that a file can have.
TEST_F(CreateTest, absurd_times_do_not_break_an_archive) {
  put("far");
  for (const std::int64_t seconds : {std::int64_t{-9'000'000'000}, std::int64_t{8'999'999'999}}) {
    set_modified(source() / "far", seconds * 1'000'000'000);
    for (const BagForm form : {BagForm::tar, BagForm::zip}) {
      options_.form = form;
      options_.target =
          folder_ / (std::to_string(seconds) + std::to_string(static_cast<int>(form)));
      ASSERT_OK(create_bag(real_disk(), options_));
    }
  }
}

TEST_F(CreateTest, empty_folders_are_named) {
  put("a");
  fs::create_directories(source() / "deep/none");
  for (int i = 0; i < 120; ++i)
    fs::create_directory(source() / ("empty" + std::to_string(i)));
  const auto created = create_bag(real_disk(), options_);
  ASSERT_OK(created);
  EXPECT_EQ(created->empty_folders, 121u);
  ASSERT_EQ(created->empty_folder_paths.size(), kEmptyFoldersNamed);
  EXPECT_EQ(Path(created->empty_folder_paths[0]), fs::canonical(source() / "deep/none"));
}

TEST(Target, errors_name_what_the_user_named) {
  const Error denied(Code::denied, "make folder /x/.nb.part-01: Permission denied");
  const Error told = about_target(denied, "/x/.nb.part-01", "/x/nb");
  EXPECT_EQ(told.code(), Code::denied);
  EXPECT_NE(told.what().find("make folder /x/nb: Permission denied"), std::string::npos);
  EXPECT_NE(told.what().find("may write to"), std::string::npos);
  const Error other = Error(Code::io, "open /y/a: Input/output error").as("why");
  EXPECT_EQ(about_target(other, "/x/.nb.part-01", "/x/nb").what(), other.what());
  EXPECT_EQ(about_target(other, "/x/.nb.part-01", "/x/nb").reason(), "why");
}

TEST_F(CreateTest, what_an_interrupted_run_left_is_named) {
  put("a");
  fs::create_directory(folder_ / ".bag.part-0123");
  const auto created = create_bag(real_disk(), options_);
  ASSERT_OK(created);
  ASSERT_EQ(created->left_over.size(), 1u);
  EXPECT_EQ(created->left_over[0].filename(), ".bag.part-0123");
}

TEST(BagForm, follows_from_the_extension) {
  EXPECT_EQ(*form_of_name("x/bag.TAR"), BagForm::tar);
  EXPECT_EQ(*form_of_name("bag.zip"), BagForm::zip);
  EXPECT_EQ(*form_of_name("bag.d"), BagForm::folder);
  EXPECT_FAILS(form_of_name("bag.tar.gz"), Code::unsupported);
  for (const char* const name : {"bag.tgz", "bag.zipx", "bag.7z", "bag.rar", "bag.tar.lz"})
    EXPECT_FAILS(form_of_name(name), Code::unsupported);
  EXPECT_EQ(*form_of_name("zipx"), BagForm::folder);
}

TEST(Zip, large_numbers_take_zip64) {
  constexpr std::uint64_t kLarge = 0xFFFFFFFF;
  const Timestamp time(1'700'000'000'000);
  const std::string small = zip_header({"a", kLarge - 1, 0, 0, time});
  const std::string large = zip_header({"a", kLarge, 0, 0, time});
  EXPECT_EQ(small.size(), 31u);
  EXPECT_EQ(large.size(), 51u);
  const std::vector<ZipMember> one{{"a", 1, 0, 0, time}};
  EXPECT_EQ(zip_end(one, 32).size(), 47u + 22u);
  EXPECT_EQ(zip_end(one, kLarge).size(), 47u + 56u + 20u + 22u);
  const std::vector<ZipMember> far{{"a", 1, 0, kLarge, time}};
  EXPECT_EQ(zip_end(far, 32).size(), 47u + 12u + 22u);
  const std::vector<ZipMember> many(0xFFFF, {"a", 1, 0, 0, time});
  EXPECT_EQ(zip_end(many, 32).size(), 0xFFFFu * 47u + 56u + 20u + 22u);
}

}  // namespace
}  // namespace versement::bagit
