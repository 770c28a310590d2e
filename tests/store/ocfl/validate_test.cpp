// What the validator must do beyond the published fixtures: hostile bytes, places, order, bounds.
#include "store/ocfl/validate.hpp"

#include <algorithm>
#include <random>

#include <sys/stat.h>
#include <unistd.h>

#include "store/ocfl/codes.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/layout.hpp"
#include "store/ocfl/layouts.hpp"
#include "store/ocfl/root.hpp"
#include "store/ocfl/writer.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::ocfl {
namespace {

std::string codes_of(const std::vector<Problem>& problems) {
  std::string all;
  for (const Problem& problem : problems)
    all += problem.code + " ";
  return all;
}

TEST(Codes, are_all_of_the_specification_sorted_and_told_apart) {
  const auto codes = all_codes();
  EXPECT_TRUE(std::is_sorted(codes.begin(), codes.end(),
                             [](const auto& a, const auto& b) { return a.code < b.code; }));
  EXPECT_EQ(std::count_if(
                codes.begin(), codes.end(),
                [](const auto& each) { return !each.section.empty() && each.code.size() == 4; }),
            122);
  EXPECT_EQ(severity_of("E092"), Severity::error);
  EXPECT_EQ(severity_of("W010"), Severity::warning);
  EXPECT_EQ(severity_of("unreadable"), Severity::unread);
  EXPECT_EQ(code_info("E065"), nullptr);
  ASSERT_NE(code_info("E112"), nullptr);
  EXPECT_EQ(code_info("E112")->section, "4.4");
}

json::Object config(std::string_view text) {
  return *json::parse_object(text);
}

// The examples that the extensions print.
TEST(Layouts, put_the_examples_of_the_extensions_where_they_say) {
  const auto place = [](std::string_view name, std::string_view settings, std::string_view id) {
    const auto layout = Layout::make(name, config(settings));
    return layout ? layout->place_of(id).value_or("none") : layout.error().what();
  };
  EXPECT_EQ(place("0002-flat-direct-storage-layout", "{}", "object-01"), "object-01");
  EXPECT_EQ(place("0003-hash-and-id-n-tuple-storage-layout", "{}", "object-01"),
            "3c0/ff4/240/object-01");
  EXPECT_EQ(place("0003-hash-and-id-n-tuple-storage-layout",
                  R"({"digestAlgorithm":"md5","tupleSize":2,"numberOfTuples":15})", "object-01"),
            "ff/75/53/44/92/48/5e/ab/b3/9f/86/35/67/28/88/object-01");
  EXPECT_EQ(place("0003-hash-and-id-n-tuple-storage-layout",
                  R"({"tupleSize":0,"numberOfTuples":0})", "object-01"),
            "object-01");
  EXPECT_EQ(place("0004-hashed-n-tuple-storage-layout", "{}", "object-01"),
            "3c0/ff4/240/3c0ff4240c1e116dba14c7627f2319b58aa3d77606d0d90dfc6161608ac987d4");
  EXPECT_EQ(place("0004-hashed-n-tuple-storage-layout",
                  R"({"digestAlgorithm":"md5","tupleSize":2,"numberOfTuples":15,)"
                  R"("shortObjectRoot":true})",
                  "object-01"),
            "ff/75/53/44/92/48/5e/ab/b3/9f/86/35/67/28/88/4e");
  EXPECT_EQ(
      place("0006-flat-omit-prefix-storage-layout", R"({"delimiter":":"})", "namespace:12887296"),
      "12887296");
  EXPECT_EQ(place("0007-n-tuple-omit-prefix-storage-layout",
                  R"({"delimiter":":","tupleSize":4,"numberOfTuples":2})", "namespace:12887296"),
            "1288/7296/12887296");
  EXPECT_EQ(place("0007-n-tuple-omit-prefix-storage-layout",
                  R"({"delimiter":"edu/","tupleSize":3,"numberOfTuples":3,)"
                  R"("zeroPadding":"right","reverseObjectRoot":true})",
                  "https://institution.edu/344879388"),
            "883/978/443/344879388");
  EXPECT_FALSE(Layout::make("0006-flat-omit-prefix-storage-layout", config("{}")));
  EXPECT_FAILS(Layout::make("0011-direct-clean-path-layout", config("{}")), Code::unsupported);
}

class ValidatorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(write_object("object", "urn:x"));
    good_ = testing::read(object_ / "inventory.json");
  }

  Result<void> write_object(const Path& place, std::string_view id) {
    TRY(make_folders(real_disk(), (dir_.path() / place).parent_path()));
    TRY_SET(ObjectWriter writer,
            ObjectWriter::begin(real_disk(), dir_.path() / place, *ObjectId::parse(id)));
    TRY(writer.add(LogicalPath::literal("a.txt"), "one"));
    TRY(writer.add(LogicalPath::literal("d/b.txt"), "two"));
    TRY(writer.finish({Timestamp(0), "m", "me", "mailto:me@example.org"}));
    return {};
  }

  // The same inventory in root and version, with sidecars that fit.
  void put_inventory(const std::string& text) {
    for (const Path& folder : {object_, object_ / "v1"}) {
      replace(folder / "inventory.json", text);
      replace(folder / "inventory.json.sha512",
              write_sidecar(digest_of(Algorithm::sha512, std::string_view(text))));
    }
  }

  static void replace(const Path& file, const std::string& text) {
    (void)real_disk().remove_file(file);
    testing::write(file, text);
  }

  std::string changed(const std::string& from, const std::string& to) const {
    std::string text = good_;
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    if (at != std::string::npos) text.replace(at, from.size(), to);
    return text;
  }

  std::vector<Problem> problems(bool content = true) const {
    return check_one_object(real_disk(), object_, {.content = content, .threads = 4, .stop = {}})
        .problems;
  }

  std::string codes_with(const std::string& inventory) {
    put_inventory(inventory);
    return codes_of(problems());
  }

  testing::TemporaryFolder dir_;
  const Path object_ = dir_ / "object";
  std::string good_;
};

TEST_F(ValidatorTest, tells_what_is_wrong_with_one_inventory) {
  EXPECT_EQ(codes_with(good_), "");
  EXPECT_EQ(codes_with("\xEF\xBB\xBF" + good_), "E033 ");
  EXPECT_EQ(codes_with(good_ + "x"), "E033 ");
  EXPECT_EQ(codes_with(good_.substr(0, good_.size() - 1)), "E033 ");
  EXPECT_EQ(codes_with("[]"), "E033 ");
  EXPECT_EQ(codes_with("{\"id\":" + std::string(100000, '[')), "E033 E037 ");
  EXPECT_EQ(codes_with(changed("\"message\":\"m\"", "\"message\":\"\xFF\"")), "E033 ");
  EXPECT_EQ(codes_with(changed("\"head\":\"v1\"", "\"head\":\"v1\",\"head\":\"v1\"")), "E033 ");
  EXPECT_EQ(codes_with(changed("\"head\":\"v1\"", "\"head\":\"v1\",\"note\":1")), "E102 ");
  EXPECT_EQ(codes_with(changed("1970-01-01T00:00:00Z", "2026-02-31T00:00:00Z")), "E049 ");
  EXPECT_EQ(codes_with(changed("\"id\":\"urn:x\"", "\"id\":\"x\"")), "W005 ");
  EXPECT_EQ(codes_with(changed("\"head\":\"v1\"", "\"head\":\"v1\",\"contentDirectory\":\"..\"")),
            "E018 ");
  EXPECT_EQ(codes_with(changed("\"head\":\"v1\"", "\"head\":\"v1\",\"contentDirectory\":\"a/b\"")),
            "E017 ");
  EXPECT_EQ(
      codes_with(changed("\"fixity\":{", "\"fixity\":{\"size\":{\"3\":[\"v1/content/a.txt\"]},")),
      "");
}

TEST_F(ValidatorTest, opens_no_path_because_an_inventory_names_it) {
  testing::write(dir_ / "secret", "one");
  for (const char* path : {"../secret", "/etc/passwd", "v1/content/../../../secret"}) {
    std::string text = good_;
    for (std::size_t at = 0; (at = text.find("v1/content/a.txt", at)) != std::string::npos;)
      text.replace(at, 16, path);
    const std::string codes = codes_with(text);
    EXPECT_NE(codes.find(path[0] == '/' ? "E100 " : "E099 "), std::string::npos) << codes;
    EXPECT_EQ(codes.find("E092 "), std::string::npos) << codes;
    EXPECT_NE(codes.find("E023 "), std::string::npos) << codes;
  }
}

TEST_F(ValidatorTest, waits_for_no_fifo_and_follows_no_link) {
  for (const char* name : {"inventory.json", "inventory.json.sha512", "0=ocfl_object_1.1",
                           "v1/inventory.json", "v1/content/a.txt"}) {
    const Path file = object_ / name;
    const std::string bytes = testing::read(file);
    ASSERT_OK(real_disk().set_mode(file.parent_path(), 0755));
    ASSERT_OK(real_disk().remove_file(file));
    ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
    EXPECT_NE(codes_of(problems()).find("E090 "), std::string::npos) << name;
    ASSERT_OK(real_disk().remove_file(file));
    ASSERT_EQ(::symlink("/dev/zero", file.c_str()), 0);
    EXPECT_NE(codes_of(problems()).find("E090 "), std::string::npos) << name;
    ASSERT_OK(real_disk().remove_file(file));
    testing::write(file, bytes);
  }
  EXPECT_EQ(codes_of(problems()), "");
}

TEST_F(ValidatorTest, the_fast_check_reads_no_content_and_sees_all_the_rest) {
  testing::flip_bit(object_ / "v1/content/a.txt", 0);
  EXPECT_EQ(codes_of(problems(false)), "");
  EXPECT_EQ(codes_of(problems(true)), "E092 E093 ");
  ASSERT_OK(real_disk().set_mode(object_ / "v1/content", 0755));
  ASSERT_OK(real_disk().remove_file(object_ / "v1/content/a.txt"));
  EXPECT_EQ(codes_of(problems(false)), "E092 E093 ");
}

// Fails, or throws, at each file and folder whose path ends so.
class ScarceDisk : public Disk {
 public:
  ScarceDisk(std::string end, int number) : end_(std::move(end)), number_(number) {}
  Result<Fd> open(const Path& path, int flags, mode_t mode) override {
    TRY(give(path));
    return Disk::open(path, flags, mode);
  }
  Result<void> list(const Path& path, const std::function<bool(const DirEntry&)>& each) override {
    TRY(give(path));
    return Disk::list(path, each);
  }

 private:
  Result<void> give(const Path& path) const {
    if (!path.native().ends_with(end_)) return {};
    if (number_ == ENOMEM) throw std::bad_alloc();
    return Error::from_errno(number_, "open " + path.native());
  }
  const std::string end_;
  const int number_;
};

TEST_F(ValidatorTest, what_the_system_does_not_give_is_no_damage) {
  for (const char* const place :
       {"/a.txt", "/v1", "/v1/content", "/v1/content/d", "/object", "/v1/inventory.json",
        "/object/inventory.json", "/v1/inventory.json.sha512"}) {
    for (const int number : {EMFILE, ENFILE, EACCES, EIO, ETIMEDOUT}) {
      ScarceDisk disk(place, number);
      const auto object =
          check_one_object(disk, object_, {.content = true, .threads = 4, .stop = {}});
      EXPECT_EQ(codes_of(object.problems), "unreadable ") << place << " " << number;
    }
  }
}

TEST_F(ValidatorTest, what_memory_is_wanting_for_is_not_called_whole) {
  ScarceDisk disk("/a.txt", ENOMEM);
  const auto object = check_one_object(disk, object_, {.content = true, .threads = 4, .stop = {}});
  EXPECT_EQ(codes_of(object.problems), "unreadable ");
}

// Whatever stands in an inventory: an answer, the same one each time, and none that is cut off.
TEST_F(ValidatorTest, two_thousand_broken_inventories_neither_crash_nor_hang) {
  std::mt19937 random(20261122);
  int valid = 0;
  for (int i = 0; i < 2000; ++i) {
    std::string text = good_;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t at = random() % text.size();
      switch (random() % 5) {
        case 0:
          text[at] = static_cast<char>(text[at] ^ (1 << random() % 8));
          break;
        case 1:
          text.resize(at + 1);
          break;
        case 2:
          text.insert(at, 1, "{}[]\",:\\0\xFF"[random() % 10]);
          break;
        case 3:
          text.insert(at, text.substr(random() % text.size(), random() % 200));
          break;
        default:
          text.erase(at, random() % 20);
          if (text.empty()) text = "x";
      }
    }
    put_inventory(text);
    const auto first = problems(false);
    valid += first.empty() ? 1 : 0;
    if (i % 100 == 0) {
      EXPECT_EQ(codes_of(problems(false)), codes_of(first));
    }
  }
  EXPECT_LT(valid, 200);  // Texts that may be anything: message, name.
}

class RootTest : public ValidatorTest {
 protected:
  void SetUp() override {
    ASSERT_OK(create_root(real_disk(), root_));
    for (int i = 0; i < 40; ++i) {
      const std::string id = "urn:many:" + std::to_string(i);
      ASSERT_OK(write_object("root" / object_path(*ObjectId::parse(id)), id));
    }
  }

  struct Seen {
    std::vector<Path> places;
    std::vector<Problem> problems;
    std::uint64_t bytes = 0;
  };

  Seen check(RootCheckOptions options = {}) const {
    Seen seen;
    options.threads = 8;
    options.each = [&](const CheckedObject& object) {
      seen.places.push_back(object.path);
      seen.bytes += object.bytes;
      seen.problems.insert(seen.problems.end(), object.problems.begin(), object.problems.end());
    };
    const auto own = check_root_contents(real_disk(), root_, options);
    EXPECT_TRUE(own);
    if (own) seen.problems.insert(seen.problems.end(), own->begin(), own->end());
    return seen;
  }

  const Path root_ = dir_ / "root";
};

TEST_F(RootTest, objects_come_in_the_order_of_the_walk) {
  const Seen seen = check();
  EXPECT_EQ(codes_of(seen.problems), "");
  EXPECT_EQ(seen.places.size(), 40u);
  EXPECT_TRUE(std::is_sorted(seen.places.begin(), seen.places.end()));
}

// Without memory for one object: an answer all the same, and no waiting for ever.
class ThrowingDisk : public Disk {
 public:
  Result<FileInfo> info(const Path& path) override {
    if (path.native().ends_with("many%3a7/inventory.json.sha512")) throw std::bad_alloc();
    return Disk::info(path);
  }
  using Disk::info;
};

TEST_F(RootTest, an_exception_ends_one_object_only) {
  ThrowingDisk disk;
  std::size_t objects = 0;
  std::string codes;
  RootCheckOptions options;
  options.threads = 4;
  options.each = [&](const CheckedObject& object) {
    ++objects;
    codes += codes_of(object.problems);
  };
  ASSERT_OK(check_root_contents(disk, root_, options));
  EXPECT_EQ(objects, 40u);
  EXPECT_EQ(codes, "unreadable ");
}

TEST_F(RootTest, what_was_read_before_is_looked_at_but_not_read_again) {
  const Path half = check().places[19];
  RootCheckOptions options;
  options.was_read = [&](const Path& place) { return place <= half; };
  const Seen seen = check(options);
  EXPECT_EQ(seen.places.size(), 40u);
  EXPECT_EQ(seen.bytes, 20u * 6);
}

TEST_F(RootTest, an_object_that_lies_elsewhere_is_named_by_its_place) {
  ASSERT_OK(write_object("root/zz/zz/urn%3amany%3a1", "urn:many:1"));
  const Seen seen = check();
  ASSERT_EQ(codes_of(seen.problems), "E083 E037 ");
  EXPECT_EQ(seen.problems[0].path, "zz/zz/urn%3amany%3a1");
}

TEST_F(RootTest, what_does_not_belong_into_the_hierarchy_is_found) {
  testing::write(root_ / "notes.txt", "mine");
  EXPECT_EQ(codes_of(check().problems), "");
  ASSERT_OK(real_disk().make_folder(root_ / "empty"));
  ASSERT_EQ(::symlink("/", (root_ / "link").c_str()), 0);
  ASSERT_EQ(::mkfifo((root_ / "fifo").c_str(), 0600), 0);
  ASSERT_OK(real_disk().make_folder(root_ / "extensions/mine"));
  EXPECT_EQ(codes_of(check().problems), "E073 E073 W016 E090 E090 ");
}

}  // namespace
}  // namespace versement::ocfl
