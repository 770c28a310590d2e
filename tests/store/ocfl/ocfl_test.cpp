#include "store/ocfl/inventory.hpp"
#include "store/ocfl/layout.hpp"
#include "store/ocfl/root.hpp"
#include "store/ocfl/validate.hpp"
#include "store/ocfl/writer.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::ocfl {
namespace {

using testing::TemporaryFolder;

// The ids of the examples in extension 0003, whose digests it prints.
TEST(Layout, folder_names_are_those_of_the_extension) {
  EXPECT_EQ(object_path(*ObjectId::parse("urn:object-01")).filename(), "urn%3aobject-01");
  EXPECT_EQ(object_folder_name("object-01"), "object-01");
  EXPECT_EQ(object_folder_name("..hor/rib:l\xC3\xA8-$id"), "%2e%2ehor%2frib%3al%c3%a8-%24id");
  const std::string longest = std::string(60, 'a') + std::string(40, '/');
  EXPECT_EQ(object_folder_name(longest),
            (std::string(60, 'a') + "%2f%2f%2f%2f%2f%2f%2f%2f%2f%2f%2f%2f%2f").substr(0, 100) +
                "%" + "-" + digest_of(Algorithm::sha256, longest).hex())
      << object_folder_name(longest);
}

TEST(Layout, two_tuples_of_two_characters_of_the_sha256) {
  const ObjectId id = *ObjectId::parse("ark:/12345/x");
  const std::string hash = digest_of(Algorithm::sha256, "ark:/12345/x").hex();
  EXPECT_EQ(object_path(id), Path(hash.substr(0, 2)) / hash.substr(2, 2) / "ark%3a%2f12345%2fx");
}

TEST(Layout, content_paths_are_plain_ascii_or_made_of_the_digest) {
  const std::string digest(128, 'a');
  EXPECT_EQ(content_path("metadata/dc.xml", digest), "metadata/dc.xml");
  const std::string hashed = "x/" + std::string(32, 'a');
  EXPECT_EQ(content_path("Vue du marché.jpg", digest), hashed + ".jpg");
  EXPECT_EQ(content_path("a b.tif", digest), hashed + ".tif");
  EXPECT_EQ(content_path(".hidden", digest), hashed + ".hidden");
  EXPECT_EQ(content_path("x/taken", digest), hashed);
  EXPECT_EQ(content_path(std::string(101, 'a'), digest), hashed);
  EXPECT_EQ(content_path("a/b.très long", digest), hashed);
}

Inventory small_inventory() {
  Inventory inventory;
  inventory.id = "urn:x";
  const std::string digest(128, 'a');
  inventory.manifest[digest] = {"v1/content/a"};
  inventory.versions[1] = {
      "2026-01-15T09:30:00Z", "first", "me", "mailto:me@example.org", {{digest, {"a", "b"}}}};
  inventory.fixity["sha256"][std::string(64, 'b')] = {"v1/content/a"};
  return inventory;
}

TEST(Inventory, what_is_written_is_read_back) {
  const std::string text = write_inventory(small_inventory());
  auto read = parse_inventory(text);
  ASSERT_OK(read);
  EXPECT_EQ(write_inventory(*read), text);
  EXPECT_EQ(read->head(), 1u);
  EXPECT_EQ(read->versions[1].state.begin()->second, (std::vector<std::string>{"a", "b"}));
}

TEST(Inventory, names_the_rule_that_is_broken) {
  const std::string good = write_inventory(small_inventory());
  const auto broken = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    EXPECT_NE(text.find(from), std::string::npos) << from;
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
      text.replace(at, from.size(), to);
    const auto read = parse_inventory(text);
    return read ? std::string("accepted") : read.error().reason();
  };
  EXPECT_EQ(broken("\"head\":\"v1\"", "\"head\":\"v2\""), "E040");
  EXPECT_EQ(broken("\"v1\":{", "\"v2\":{"), "E010");
  EXPECT_EQ(broken("\"v1\":{", "\"one\":{"), "E046");
  EXPECT_EQ(broken("sha512\"", "md5\""), "E025");
  EXPECT_EQ(broken("v1/content/a", "../../etc/passwd"), "E100");
  EXPECT_EQ(broken("[\"a\",\"b\"]", "[\"a\",\"a\"]"), "E052");
  EXPECT_EQ(broken("[\"a\",\"b\"]", "[\"/a\"]"), "E052");
  EXPECT_EQ(broken("\"id\":\"urn:x\"", "\"id\":\"\""), "E036");
  EXPECT_EQ(broken("{\"digest", "{,\"digest"), "E033");
  EXPECT_EQ(broken("\"state\":{\"a", "\"state\":{\"b"), "E050");
}

class WriterTest : public ::testing::Test {
 protected:
  Result<StagedObject> write(const std::vector<std::pair<std::string, std::string>>& files) {
    TRY_SET(ObjectWriter writer,
            ObjectWriter::begin(real_disk(), dir_ / "object", *ObjectId::parse("urn:x")));
    for (const auto& [path, bytes] : files)
      TRY(writer.add(LogicalPath::literal(path), bytes));
    return writer.finish({Timestamp(0), "m", "me", "mailto:me@example.org"});
  }
  std::vector<Problem> problems() {
    return check_one_object(real_disk(), dir_ / "object", {}).problems;
  }
  TemporaryFolder dir_;
};

TEST_F(WriterTest, an_object_is_valid_and_keeps_names_as_they_are) {
  const std::string nfd = "Proce\xCC\x80s.pdf";
  auto staged = write({{"METS.xml", "<mets/>"}, {"data/" + nfd, "one"}, {"data/ផ្សារ.txt", "two"}});
  ASSERT_OK(staged);
  EXPECT_TRUE(problems().empty()) << problems().front().detail;
  auto loaded = load_inventory(real_disk(), dir_ / "object");
  ASSERT_OK(loaded);
  const auto& state = loaded->inventory.versions.at(1).state;
  EXPECT_EQ(state.at(digest_of(Algorithm::sha512, "one").hex()).front(), "data/" + nfd);
  EXPECT_EQ(staged->inventory_digest, loaded->digest);
}

TEST_F(WriterTest, the_same_bytes_are_stored_once) {
  auto staged = write({{"a.txt", "same"}, {"b.txt", "same"}, {"c.txt", "other"}});
  ASSERT_OK(staged);
  EXPECT_TRUE(problems().empty());
  auto loaded = load_inventory(real_disk(), dir_ / "object");
  ASSERT_OK(loaded);
  EXPECT_EQ(loaded->inventory.manifest.size(), 2u);
}

TEST_F(WriterTest, paths_that_differ_in_case_only_get_content_paths_that_do_not) {
  auto staged = write({{"a.txt", "one"}, {"A.txt", "two"}});
  ASSERT_OK(staged);
  auto loaded = load_inventory(real_disk(), dir_ / "object");
  ASSERT_OK(loaded);
  const auto content_of = [&](std::string_view bytes) {
    return loaded->inventory.manifest.at(digest_of(Algorithm::sha512, bytes).hex()).front();
  };
  EXPECT_EQ(content_of("one"), "v1/content/a.txt");
  EXPECT_EQ(content_of("two").substr(0, 13), "v1/content/x/");
}

TEST_F(WriterTest, files_are_named_to_be_synced_one_by_one_only_when_they_are_few) {
  auto few = write({{"a.txt", "one"}, {"b.txt", "two"}});
  ASSERT_OK(few);
  EXPECT_EQ(few->written_count, 7u);  // with two inventories, their sidecars and the declaration
  EXPECT_EQ(few->written_files.size(), 7u);
  ASSERT_OK(remove_tree(real_disk(), dir_ / "object"));
  std::vector<std::pair<std::string, std::string>> files;
  for (std::size_t i = 0; i <= kWrittenNamedMax; ++i)
    files.emplace_back(std::to_string(i), "file " + std::to_string(i));
  auto many = write(files);
  ASSERT_OK(many);
  EXPECT_EQ(many->written_count, files.size() + 5);
  EXPECT_TRUE(many->written_files.empty());
}

TEST_F(WriterTest, a_supplied_digest_that_is_wrong_ends_the_deposit) {
  auto writer = ObjectWriter::begin(real_disk(), dir_ / "object", *ObjectId::parse("urn:x"));
  ASSERT_OK(writer);
  MemorySource source("bytes");
  const std::vector<Digest> wrong{digest_of(Algorithm::md5, "other")};
  const auto added = writer->add(LogicalPath::literal("a"), source, wrong, {});
  ASSERT_FALSE(added);
  EXPECT_EQ(added.error().reason(), "digest-mismatch");
  const std::vector<Digest> right{digest_of(Algorithm::md5, "bytes")};
  ASSERT_OK(writer->add(LogicalPath::literal("a"), source, right, {}));
  ASSERT_OK(writer->finish({Timestamp(0), "m", "me", ""}));
  auto loaded = load_inventory(real_disk(), dir_ / "object");
  ASSERT_OK(loaded);
  EXPECT_TRUE(loaded->inventory.fixity.contains("md5"));
}

TEST_F(WriterTest, the_validator_finds_each_damage_by_its_code) {
  ASSERT_OK(write({{"METS.xml", "<mets/>"}, {"data/a.bin", std::string(5000, 'x')}}));
  const Path object = dir_ / "object";
  const auto codes = [&] {
    std::string all;
    for (const Problem& problem : problems())
      all += problem.code + " ";
    return all;
  };
  ASSERT_EQ(codes(), "");
  const Path content = object / "v1/content/data/a.bin";
  testing::flip_bit(content, 4000);
  EXPECT_EQ(codes(), "E092 E093 ");
  testing::flip_bit(content, 4000);
  testing::write(object / "v1/content/stray", "x");
  EXPECT_EQ(codes(), "E023 ");
  ASSERT_OK(real_disk().remove_file(object / "v1/content/stray"));
  testing::write(object / "note.txt", "x");
  EXPECT_EQ(codes(), "E001 ");
  ASSERT_OK(real_disk().remove_file(object / "note.txt"));
  ASSERT_EQ(::symlink("a.bin", (object / "v1/content/data/link").c_str()), 0);
  EXPECT_EQ(codes(), "E090 ");
  ASSERT_OK(real_disk().remove_file(object / "v1/content/data/link"));
  ASSERT_OK(real_disk().make_folder(object / "v1/content/empty"));
  EXPECT_EQ(codes(), "E024 ");
  ASSERT_OK(real_disk().remove_folder(object / "v1/content/empty"));
  testing::flip_bit(object / "inventory.json.sha512", 3);
  EXPECT_EQ(codes(), "E060 ");
  testing::flip_bit(object / "inventory.json.sha512", 3);
  testing::flip_bit(object / "0=ocfl_object_1.1", 3);
  EXPECT_EQ(codes(), "E007 ");
  testing::flip_bit(object / "0=ocfl_object_1.1", 3);
  ASSERT_OK(real_disk().remove_file(content));
  EXPECT_EQ(codes(), "E024 E092 E093 ");  // Its folder is empty now.
}

TEST(Root, a_new_root_is_recognised_and_another_folder_is_not) {
  const TemporaryFolder dir;
  EXPECT_FAILS(check_root(real_disk(), dir.path()), Code::not_found);
  ASSERT_OK(create_root(real_disk(), dir.path()));
  EXPECT_OK(check_root(real_disk(), dir.path()));
}

}  // namespace
}  // namespace versement::ocfl
