#include "bagit/upgrade.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <utility>

#include <sys/stat.h>

#include "bagit/tagfile.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::bagit {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryFolder;
using Files = std::map<std::string, std::string>;

class UpgradeTest : public ::testing::Test {
 protected:
  UpgradeTest() {
    options_.bag = folder_ / "old";
    options_.target = folder_ / "new";
    options_.time = Timestamp(1'700'000'000'000);
    options_.threads = 2;
  }

  // A bag of version 0.97 with MD5 only, whose paths are not coded.
  void make_old() {
    put("bagit.txt", "BagIt-Version: 0.97\nTag-File-Character-Encoding: UTF-8\n");
    put("bag-info.txt", "Source-Organization  :  Apur\nNote: folded\n  line\n");
    put("data/100 %.txt", "payload");
    put("data/%25", "percent");
    put("data/caf\xC3\xA9", "");
    put("metadata/mods.xml", "<mods/>");
    list("manifest-md5.txt", {"data/100 %.txt", "data/%25", "data/caf\xC3\xA9"});
    list("tagmanifest-md5.txt", {"bagit.txt", "bag-info.txt", "manifest-md5.txt"});
  }

  void put(const std::string& path, const std::string& bytes) {
    fs::create_directories((options_.bag / path).parent_path());
    testing::write(options_.bag / path, bytes);
  }
  void list(const std::string& manifest, const std::vector<std::string>& paths) {
    std::string text;
    for (const std::string& path : paths)
      text +=
          digest_of(Algorithm::md5, testing::read(options_.bag / path)).hex() + "  " + path + "\n";
    put(manifest, text);
  }

  static Files read_folder(const Path& bag) {
    Files files;
    for (const auto& entry : fs::recursive_directory_iterator(bag)) {
      if (entry.is_regular_file())
        files[fs::relative(entry.path(), bag).native()] = testing::read(entry.path());
    }
    return files;
  }

  std::string verdict_of(const Path& bag) {
    const auto report = validate(real_disk(), bag, {.mode = Mode::strict, .threads = 2});
    EXPECT_OK(report);
    if (!report) return {};
    std::string out(verdict_name(report->verdict));
    for (const Finding& finding : report->findings)
      out += "; " + to_text(finding);
    return out;
  }

  std::vector<std::string> beside() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().native());
    std::sort(names.begin(), names.end());
    return names;
  }

  TemporaryFolder folder_;
  UpgradeOptions options_;
};

TEST_F(UpgradeTest, an_old_bag_becomes_one_of_today) {
  make_old();
  const Files before = read_folder(options_.bag);

  const auto upgraded = upgrade_bag(real_disk(), options_);

  ASSERT_OK(upgraded);
  ASSERT_TRUE(upgraded->made);
  EXPECT_EQ(upgraded->from_version, "0.97");
  EXPECT_EQ(verdict_of(options_.target), "valid");
  EXPECT_TRUE(read_folder(options_.bag) == before);
  const Files after = read_folder(options_.target);
  EXPECT_EQ(after.at("bagit.txt"), write_bagit_txt());
  EXPECT_EQ(after.at("bag-info.txt"),
            "Source-Organization: Apur\nNote: folded line\nPayload-Oxum: 14.3\n");
  for (const char* const manifest : {"manifest-md5.txt", "manifest-sha512.txt"}) {
    EXPECT_NE(after.at(manifest).find("  data/100 %25.txt\n"), std::string::npos);
    EXPECT_NE(after.at(manifest).find("  data/%2525\n"), std::string::npos);
  }
  for (const char* const file :
       {"bagit.txt", "bag-info.txt", "manifest-md5.txt", "tagmanifest-md5.txt"})
    EXPECT_EQ(after.at("metadata/bagit-original/" + std::string(file)), before.at(file));
  EXPECT_EQ(after.at("metadata/mods.xml"), "<mods/>");
  EXPECT_NE(after.at("metadata/premis-upgrade.xml").find("BagIt 0.97 (UTF-8, md5) to 1.0"),
            std::string::npos);
  EXPECT_EQ(beside(), (std::vector<std::string>{"new", "old"}));
}

TEST_F(UpgradeTest, payload_is_shared_and_not_copied) {
  make_old();
  ASSERT_OK(upgrade_bag(real_disk(), options_));
  struct stat old_file = {};
  struct stat new_file = {};
  ASSERT_EQ(::stat((options_.bag / "data/%25").c_str(), &old_file), 0);
  ASSERT_EQ(::stat((options_.target / "data/%25").c_str(), &new_file), 0);
  EXPECT_EQ(old_file.st_ino, new_file.st_ino);
}

TEST_F(UpgradeTest, package_info_and_other_character_sets_are_turned) {
  put("bagit.txt", "BagIt-Version: 0.95\nTag-File-Character-Encoding: ISO-8859-1\n");
  put("package-info.txt", "Source-Organization: Caf\xE9\n");
  put("data/caf\xC3\xA9", "x");
  put("manifest-md5.txt", digest_of(Algorithm::md5, "x").hex() + "  data/caf\xE9\n");
  const auto upgraded = upgrade_bag(real_disk(), options_);
  ASSERT_OK(upgraded);
  ASSERT_TRUE(upgraded->made);
  EXPECT_EQ(verdict_of(options_.target), "valid");
  const Files after = read_folder(options_.target);
  EXPECT_TRUE(after.at("bag-info.txt").starts_with("Source-Organization: Caf\xC3\xA9\n"));
  EXPECT_FALSE(after.contains("package-info.txt"));
  EXPECT_TRUE(after.contains("metadata/bagit-original/package-info.txt"));
}

TEST_F(UpgradeTest, an_upgraded_bag_needs_nothing_and_can_have_more) {
  make_old();
  ASSERT_OK(upgrade_bag(real_disk(), options_));
  options_.bag = options_.target;
  options_.target = folder_ / "third";
  const auto again = upgrade_bag(real_disk(), options_);
  ASSERT_OK(again);
  EXPECT_FALSE(again->made);
  EXPECT_FALSE(again->needed);
  EXPECT_FALSE(fs::exists(options_.target));
  options_.algorithms = {Algorithm::sha256};
  const auto more = upgrade_bag(real_disk(), options_);
  ASSERT_OK(more);
  EXPECT_EQ(more->algorithms.size(), 3u);
  EXPECT_EQ(more->originals, "metadata/bagit-original-2");
  EXPECT_EQ(verdict_of(options_.target), "valid");
}

TEST_F(UpgradeTest, a_bag_with_wrong_bytes_is_refused_with_what_is_wrong) {
  make_old();
  testing::flip_bit(options_.bag / "data/100 %.txt", 3);
  const auto refused = upgrade_bag(real_disk(), options_);
  ASSERT_OK(refused);
  EXPECT_FALSE(refused->made);
  EXPECT_EQ(refused->old.verdict, Verdict::invalid);
  ASSERT_FALSE(refused->old.findings.empty());
  EXPECT_EQ(refused->old.findings.back().code, "checksum.mismatch");
  EXPECT_EQ(refused->old.findings.back().path, "data/100 %.txt");
  EXPECT_EQ(beside(), std::vector<std::string>{"old"});
}

// A line that the validator takes for a file is one whose checksum counts, however it names it.
TEST_F(UpgradeTest, damage_behind_an_unusual_name_is_refused) {
  struct Case {
    const char* version;
    const char* file;
    const char* listed;
  };
  for (const Case& each : {Case{"1.0", "data/sub/x", "data//sub/x"},
                           {"1.0", "data/sub/x", "data/sub//x"},
                           {"0.97", "data/a%b", "data/a%25b"},
                           {"0.97", "data/a%0Ab", "data/a%0Ab"}}) {
    for (const bool damaged : {false, true}) {
      fs::remove_all(options_.bag);
      fs::remove_all(options_.target);
      put("bagit.txt",
          "BagIt-Version: " + std::string(each.version) + "\nTag-File-Character-Encoding: UTF-8\n");
      put(each.file, damaged ? "EVIL" : "good");
      put("manifest-md5.txt", digest_of(Algorithm::md5, "good").hex() + "  " + each.listed + "\n");

      const auto upgraded = upgrade_bag(real_disk(), options_);

      ASSERT_OK(upgraded);
      EXPECT_EQ(upgraded->made, !damaged) << each.listed;
      EXPECT_EQ(fs::exists(options_.target), !damaged) << each.listed;
      if (!damaged) continue;
      EXPECT_EQ(upgraded->old.verdict, Verdict::invalid) << each.listed;
      EXPECT_EQ(upgraded->old.findings.back().code, "checksum.mismatch") << each.listed;
      EXPECT_EQ(beside(), std::vector<std::string>{"old"});
    }
  }
}

// Somebody writes to the bag at a given moment: as a folder is opened once more, or as a file has
// been read.
class Meddled : public Disk {
 public:
  using Disk::info;
  std::function<void()> on_link;
  std::function<void()> on_read;
  Result<void> link_new(const Path& from, const Path& to) override {
    if (on_link) std::exchange(on_link, nullptr)();
    return Disk::link_new(from, to);
  }
  Result<std::size_t> read_at(const Fd& fd,
                              std::span<std::byte> into,
                              std::uint64_t offset,
                              const Path& path) override {
    auto count = Disk::read_at(fd, into, offset, path);
    if (on_read && path.filename() == "100 %.txt" &&
        path.native().find(".part-") != Path::string_type::npos) {
      std::exchange(on_read, nullptr)();
    }
    return count;
  }
};

TEST_F(UpgradeTest, a_change_in_the_middle_is_found_though_size_and_time_are_put_back) {
  make_old();
  options_.threads = 1;
  const Path file = options_.bag / "data/100 %.txt";
  Meddled disk;
  disk.on_read = [&] {
    const auto time = fs::last_write_time(file);
    testing::flip_bit(file, 3);
    fs::last_write_time(file, time);
  };
  const auto refused = upgrade_bag(disk, options_);
  EXPECT_FAILS(refused, Code::conflict);
  EXPECT_EQ(refused.error().reason(), "file.changed");
  EXPECT_EQ(beside(), std::vector<std::string>{"old"});
}

TEST_F(UpgradeTest, a_change_before_the_read_is_damage) {
  make_old();
  Meddled disk;
  disk.on_link = [&] { testing::flip_bit(options_.bag / "data/100 %.txt", 3); };
  const auto refused = upgrade_bag(disk, options_);
  ASSERT_OK(refused);
  EXPECT_FALSE(refused->made);
  EXPECT_EQ(refused->old.findings.back().code, "checksum.mismatch");
  EXPECT_EQ(beside(), std::vector<std::string>{"old"});
}

// Comes after the validator has looked and before the upgrade lists the files.
class LateFile : public Disk {
 public:
  using Disk::info;
  explicit LateFile(Path file) : file_(std::move(file)) {}
  Result<Fd> open(const Path& path, int flags, mode_t mode) override {
    if (path == file_.parent_path().parent_path() && ++opened_ == 2) testing::write(file_, "late");
    return Disk::open(path, flags, mode);
  }

 private:
  const Path file_;
  int opened_ = 0;
};

TEST_F(UpgradeTest, payload_that_no_manifest_lists_is_refused) {
  make_old();
  LateFile disk(fs::canonical(options_.bag) / "data/late");
  const auto refused = upgrade_bag(disk, options_);
  ASSERT_OK(refused);
  EXPECT_FALSE(refused->made);
  ASSERT_TRUE(fs::exists(options_.bag / "data/late"));
  ASSERT_FALSE(refused->old.findings.empty());
  EXPECT_EQ(refused->old.findings.back().code, "payload.unlisted");
  EXPECT_EQ(refused->old.findings.back().path, "data/late");
  EXPECT_EQ(beside(), std::vector<std::string>{"old"});
}

TEST_F(UpgradeTest, wrong_tag_files_and_missing_files_are_refused) {
  make_old();
  put("bag-info.txt", "Source-Organization: Somebody\n");
  auto refused = upgrade_bag(real_disk(), options_);
  ASSERT_OK(refused);
  EXPECT_EQ(refused->old.verdict, Verdict::invalid);
  make_old();
  fs::remove(options_.bag / "data/%25");
  refused = upgrade_bag(real_disk(), options_);
  ASSERT_OK(refused);
  EXPECT_EQ(refused->old.verdict, Verdict::invalid);
  EXPECT_EQ(beside(), std::vector<std::string>{"old"});
}

TEST_F(UpgradeTest, targets_that_are_there_or_inside_are_refused) {
  make_old();
  options_.target = options_.bag / "data/new";
  EXPECT_FAILS(upgrade_bag(real_disk(), options_), Code::invalid);
  options_.target = options_.bag;
  EXPECT_FAILS(upgrade_bag(real_disk(), options_), Code::invalid);
  options_.target = folder_ / "there";
  fs::create_directory(options_.target);
  EXPECT_FAILS(upgrade_bag(real_disk(), options_), Code::exists);
  for (const char* const name : {"new.tar", "new.zip", "new.tar.gz"}) {
    options_.target = folder_ / name;
    EXPECT_FAILS(upgrade_bag(real_disk(), options_), Code::unsupported);
  }
  EXPECT_EQ(beside(), (std::vector<std::string>{"old", "there"}));
}

// A file system where files have one name only, or that fails at the Nth file.
class NoLinks : public Disk {
 public:
  using Disk::info;
  NoLinks(Code code, int after) : code_(code), left_(after) {}
  Result<void> link_new(const Path& from, const Path& to) override {
    if (left_-- > 0) return Disk::link_new(from, to);
    return Error(code_, "no link");
  }

 private:
  const Code code_;
  int left_;
};

TEST_F(UpgradeTest, a_failure_leaves_only_the_old_bag) {
  make_old();
  const Files before = read_folder(options_.bag);
  for (const int after : {0, 1, 4}) {
    NoLinks disk(Code::unsupported, after);
    const auto refused = upgrade_bag(disk, options_);
    EXPECT_FAILS(refused, Code::unsupported);
    EXPECT_EQ(refused.error().reason(), "no-hard-links");
    EXPECT_EQ(beside(), std::vector<std::string>{"old"});
    EXPECT_TRUE(read_folder(options_.bag) == before);
  }
}

}  // namespace
}  // namespace versement::bagit
