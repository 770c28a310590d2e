#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <map>
#include <set>

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

#include "bagit/open.hpp"
#include "bagit/rules.hpp"
#include "store/base/digest.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::bagit {
namespace {

using testing::TemporaryFolder;
using Files = std::map<std::string, std::string>;
using Words = std::vector<std::string>;
using namespace std::string_literals;

// Keeps all that a tree shows.
struct Everything : Visitor {
  std::vector<Entry> entries;
  Files files;
  Words findings;  // "code" or "code path"
  std::string current;
  bool wants = true;
  bool open = false;

  Result<bool> entry(Entry entry) override {
    EXPECT_FALSE(open);
    open = wants && entry.kind == EntryKind::file && sequential;
    current = entry.path;
    if (open) files[current].clear();
    entries.push_back(std::move(entry));
    return wants;
  }
  Result<void> data(std::span<const std::byte> bytes) override {
    EXPECT_TRUE(open);
    files[current].append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  Result<void> end() override {
    EXPECT_TRUE(open);
    EXPECT_EQ(files[current].size(), entries.back().size_bytes);
    open = false;
    return {};
  }
  void finding(std::string code, std::string path, std::string detail) override {
    EXPECT_EQ(rule(code).code, code);
    EXPECT_FALSE(detail.empty());
    findings.push_back(path.empty() ? code : code + " " + path);
  }
  bool sequential = false;
};

struct Seen {
  std::vector<Entry> entries;
  Files files;
  Words findings;  // of the container
  Words faults;    // of content: "reason path"
  std::string error;
  Form form = Form::folder;

  const Entry* entry(const std::string& path) const {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry& each) { return each.path == path; });
    return found == entries.end() ? nullptr : &*found;
  }
};

Result<std::string> read_all(Stream& stream) {
  std::string bytes;
  // No power of two: runs of sparse files and blocks of compressors end elsewhere.
  std::vector<std::byte> buffer(777);
  while (true) {
    TRY_SET(const std::size_t got, stream.read(buffer));
    if (got == 0) return bytes;
    bytes.append(reinterpret_cast<const char*>(buffer.data()), got);
  }
}

Seen look(Tree& tree) {
  Seen seen;
  seen.form = tree.form();
  Everything all;
  all.sequential = tree.sequential();
  const auto visited = tree.visit(all, {});
  if (!visited) seen.error = visited.error().reason() + ": " + visited.error().what();
  seen.entries = std::move(all.entries);
  seen.findings = std::move(all.findings);
  seen.files = std::move(all.files);
  if (tree.sequential()) return seen;
  for (std::size_t i = 0; i < seen.entries.size(); ++i) {
    const Entry& entry = seen.entries[i];
    if (entry.kind != EntryKind::file) continue;
    auto stream = tree.open(i, entry.path);
    auto bytes = stream ? read_all(**stream) : Result<std::string>(stream.error());
    if (bytes) {
      EXPECT_EQ(bytes->size(), entry.size_bytes);
      seen.files[entry.path] = *std::move(bytes);
    } else {
      EXPECT_FALSE(bytes.error().reason().empty());
      seen.faults.push_back(bytes.error().reason() + " " + entry.path);
    }
  }
  return seen;
}

Seen look_at_file(const Path& path, const ArchiveLimits& limits = {}) {
  auto tree = open_archive(real_disk(), path, limits);
  if (tree) return look(**tree);
  Seen seen;
  seen.error = std::string(code_name(tree.error().code())) + ": " + tree.error().what();
  return seen;
}

Seen look(const std::string& bytes, const ArchiveLimits& limits = {}) {
  const TemporaryFolder folder;
  testing::write(folder / "bag.bin", bytes);
  return look_at_file(folder / "bag.bin", limits);
}

ReadBytes pipe_of(std::string bytes) {
  return [bytes = std::move(bytes),
          at = std::size_t{0}](std::span<std::byte> into) mutable -> Result<std::size_t> {
    const std::size_t got = std::min({into.size(), bytes.size() - at, std::size_t{1000}});
    std::memcpy(into.data(), bytes.data() + at, got);
    at += got;
    return got;
  };
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, bytes.size()) + 64, '\0');
  std::string in = bytes;
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  EXPECT_EQ(deflateEnd(&stream), Z_OK);
  return out;
}

std::string deflated(const std::string& bytes) {
  const std::string whole = gzip(bytes);
  return whole.substr(10, whole.size() - 18);
}

// ---------------------------------------------------------------------------- by libarchive

using Pack = int (*)(archive*);

std::string packed_by_libarchive(Pack format, Pack filter, const Files& files) {
  archive* const a = archive_write_new();
  EXPECT_EQ(format(a), ARCHIVE_OK);
  if (filter != nullptr) {
    EXPECT_EQ(filter(a), ARCHIVE_OK);
  }
  std::string out(4u << 20, '\0');
  std::size_t used = 0;
  EXPECT_EQ(archive_write_open_memory(a, out.data(), out.size(), &used), ARCHIVE_OK);
  for (const auto& [path, content] : files) {
    archive_entry* const entry = archive_entry_new();
    const bool folder = path.ends_with('/');
    archive_entry_set_pathname_utf8(entry, path.c_str());
    archive_entry_set_filetype(entry, folder ? AE_IFDIR : AE_IFREG);
    archive_entry_set_perm(entry, folder ? 0755 : 0644);
    archive_entry_set_size(entry, static_cast<la_int64_t>(content.size()));
    EXPECT_EQ(archive_write_header(a, entry), ARCHIVE_OK) << path;
    if (!folder) {
      EXPECT_EQ(archive_write_data(a, content.data(), content.size()),
                static_cast<la_ssize_t>(content.size()));
    }
    archive_entry_free(entry);
  }
  EXPECT_EQ(archive_write_close(a), ARCHIVE_OK);
  archive_write_free(a);
  out.resize(used);
  return out;
}

Files sample() {
  std::string noise;
  for (int i = 0; i < 20'000; ++i)
    noise += std::to_string(i * i);
  return {{"bag/", ""},
          {"bag/bagit.txt", "x"},
          {"bag/data/", ""},
          {"bag/data/empty", ""},
          {"bag/data/noise", noise},
          {"bag/data/" + std::string(80, 'n') + "/" + std::string(80, 'n'), "long name"},
          {"bag/data/zeros", std::string(100'000, '\0')}};
}

Files without_folders(Files files) {
  std::erase_if(files, [](const auto& each) { return each.first.ends_with('/'); });
  return files;
}

TEST(Archive, what_libarchive_packs_is_read_without_a_finding) {
  const Files files = sample();
  struct Case {
    Pack format;
    Pack filter;
    Form form;
  };
  const std::vector<Case> cases{
      {archive_write_set_format_pax, nullptr, Form::tar},
      {archive_write_set_format_ustar, nullptr, Form::tar},
      {archive_write_set_format_gnutar, nullptr, Form::tar},
      {archive_write_set_format_pax, archive_write_add_filter_gzip, Form::tar_gz},
      {archive_write_set_format_gnutar, archive_write_add_filter_gzip, Form::tar_gz},
      {archive_write_set_format_zip, nullptr, Form::zip},
  };
  for (const Case& each : cases) {
    const std::string bytes = packed_by_libarchive(each.format, each.filter, files);
    const Seen seen = look(bytes);
    EXPECT_EQ(seen.error, "");
    EXPECT_EQ(seen.form, each.form);
    EXPECT_EQ(seen.findings, Words{});
    EXPECT_EQ(seen.faults, Words{});
    EXPECT_TRUE(seen.files == without_folders(files));
    EXPECT_EQ(seen.entries.size(), files.size());
    if (each.form == Form::zip) continue;

    const auto piped = open_stream(pipe_of(bytes), "bag");
    EXPECT_TRUE(piped->sequential());
    EXPECT_FALSE(piped->repeatable());
    const Seen through = look(*piped);
    EXPECT_EQ(through.error, "");
    EXPECT_EQ(through.form, each.form);
    EXPECT_EQ(through.findings, Words{});
    EXPECT_TRUE(through.files == seen.files);
  }
}

TEST(Archive, bags_of_other_projects_have_sound_containers) {
  const Path cases = Path(VERSEMENT_SHARED) / "bagit-cases";
  if (!std::filesystem::exists(cases)) GTEST_SKIP() << "bagit-cases is not here";
  std::ifstream table(cases / "expected.tsv");
  std::size_t archives = 0;
  for (std::string line; std::getline(table, line);) {
    const auto tab = line.find('\t');
    const std::string form = line.substr(tab + 1, line.find('\t', tab + 1) - tab - 1);
    if (form == "dir" || form == "form") continue;
    const std::string name = line.substr(0, tab);
    const Seen seen = look_at_file(cases / name);
    ++archives;
    EXPECT_EQ(seen.error, "") << name;
    EXPECT_EQ(seen.faults, Words{}) << name;
    EXPECT_FALSE(seen.files.empty()) << name;
    for (const std::string& finding : seen.findings)
      EXPECT_EQ(finding, "serialization.no-end") << name;
  }
  EXPECT_GE(archives, 19u);
}

TEST(Archive, anything_else_is_refused_by_name) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\xFD"
       "7zXZ\0 rest"s,
       "xz"},
      {"BZh91AY", "bzip2"},
      {"7z\xBC\xAF\x27\x1C rest", "7z"},
      {"\x28\xB5\x2F\xFD rest", "zstd"},
      {"", "an empty file"},
      {std::string(2000, '\0'), "nothing but zeros"},
      {"a plain text", "no archive"},
  };
  for (const auto& [bytes, word] : cases) {
    const Seen seen = look(bytes);
    EXPECT_TRUE(seen.error.starts_with("unsupported: ")) << seen.error;
    EXPECT_NE(seen.error.find(word), std::string::npos) << seen.error;
    const Seen piped = look(*open_stream(pipe_of(bytes), "bag"));
    // What comes through a pipe is told as a finding: nothing else is known of it.
    const bool known = bytes.size() > 3 && bytes.front() != '\0' && bytes != "a plain text";
    EXPECT_EQ(piped.findings, (Words{known ? "serialization.method" : "serialization.malformed"}));
  }
  const TemporaryFolder folder;
  EXPECT_FAILS(open_archive(real_disk(), folder.path()), Code::invalid);
  EXPECT_FAILS(open_archive(real_disk(), folder / "none"), Code::not_found);
}

// ---------------------------------------------------------------------------- tar by hand

struct Head {
  std::string name;
  char kind = '0';
  std::string link = {};
  std::string content = {};
  std::string size = {};  // another than the content's
  std::string magic = "ustar\00000"s;
  std::vector<std::pair<std::size_t, std::string>> patches = {};
};

std::string octal_of(std::uint64_t value, int digits) {
  std::array<char, 32> text{};
  (void)std::snprintf(text.data(), text.size(), "%0*llo", digits,
                      static_cast<unsigned long long>(value));
  return text.data();
}

std::string padded(std::string bytes) {
  bytes.resize((bytes.size() + 511) / 512 * 512, '\0');
  return bytes;
}

std::string head_of(const Head& head) {
  std::string block(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    block.replace(at, text.size(), text);
  };
  put(0, head.name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, head.size.empty() ? octal_of(head.content.size(), 11) : head.size);
  put(136, "00000000000");
  block[156] = head.kind;
  put(157, head.link);
  put(257, head.magic);
  for (const auto& [at, text] : head.patches)
    put(at, text);
  put(148, "        ");
  unsigned sum = 0;
  for (const char each : block)
    sum += static_cast<unsigned char>(each);
  put(148, octal_of(sum, 6) + '\0');
  return block;
}

std::string member(const Head& head) {
  return head_of(head) + padded(head.content);
}

std::string record(const std::string& key, const std::string& value) {
  const std::string rest = " " + key + "=" + value + "\n";
  std::size_t length = rest.size() + 1;
  while (std::to_string(length).size() + rest.size() != length)
    ++length;
  return std::to_string(length) + rest;
}

std::string pax(const std::vector<std::pair<std::string, std::string>>& records, char kind = 'x') {
  std::string content;
  for (const auto& [key, value] : records)
    content += record(key, value);
  return member({.name = "pax", .kind = kind, .content = content});
}

const std::string kTarEnd(1024, '\0');

std::string two_files() {
  return member({.name = "bag/a", .content = "first"}) +
         member({.name = "bag/b", .content = "second"});
}

TEST(TarTree, reads_names_and_kinds_of_every_writer) {
  const std::string bytes =
      member({.name = "./", .kind = '5'}) + member({.name = "./bag/", .kind = '5'}) +
      member({.name = "././bag/dot", .content = "1"}) +
      member({.name = "bag/v7", .kind = '\0', .content = "2", .magic = ""}) +
      member({.name = "bag/v7folder/", .kind = '\0', .magic = ""}) +
      member({.name = "bag/contiguous", .kind = '7', .content = "3"}) +
      member({.name = "tail", .content = "4", .patches = {{345, "bag/prefix"}}}) +
      member({.name = "bag/gnu", .content = "5", .magic = "ustar  ", .patches = {{345, "atime"}}}) +
      member({.name = "././@LongLink",
              .kind = 'L',
              .content = "bag/" + std::string(300, 'L') + '\0'}) +
      member({.name = "short", .content = "6"}) +
      member({.name = "././@LongLink", .kind = 'K', .content = std::string(200, 'K') + '\0'}) +
      member({.name = "bag/link", .kind = '2', .link = "short"}) +
      pax({{"comment", "all of it"}}, 'g') + pax({{"path", "bag/e\u0301"}, {"size", "7"}}) +
      member({.name = "short", .content = "7 bytes", .size = "00000000000"}) +
      pax({{"linkpath", "pax target"}}) +
      member({.name = "bag/paxlink", .kind = '2', .link = "x"}) +
      member({.name = "bag/base256", .content = "8", .size = "\x80\0\0\0\0\0\0\0\0\0\0\x01"s}) +
      member({.name = "volume", .kind = 'V'}) + member({.name = "../out", .content = "9"}) +
      member({.name = "/etc/passwd", .content = "10"}) + kTarEnd;
  const Files files{
      {"bag/dot", "1"},           {"bag/v7", "2"},      {"bag/contiguous", "3"},
      {"bag/prefix/tail", "4"},   {"bag/gnu", "5"},     {"bag/" + std::string(300, 'L'), "6"},
      {"bag/e\u0301", "7 bytes"}, {"bag/base256", "8"}, {"../out", "9"},
      {"/etc/passwd", "10"}};
  for (const std::string& each : {bytes, gzip(bytes)}) {
    const Seen seen = look(each);

    EXPECT_EQ(seen.error, "");
    EXPECT_EQ(seen.findings, Words{});
    EXPECT_EQ(seen.files, files);
    EXPECT_EQ(seen.entries.size(), files.size() + 4);
    ASSERT_NE(seen.entry("bag/v7folder"), nullptr);
    EXPECT_EQ(seen.entry("bag/v7folder")->kind, EntryKind::folder);
    ASSERT_NE(seen.entry("bag/link"), nullptr);
    EXPECT_EQ(seen.entry("bag/link")->kind, EntryKind::link);
    EXPECT_EQ(seen.entry("bag/link")->target, std::string(200, 'K'));
    ASSERT_NE(seen.entry("bag/paxlink"), nullptr);
    EXPECT_EQ(seen.entry("bag/paxlink")->target, "pax target");
  }
}

// Two runs of data with a hole before, between and behind.
std::string sparse_content() {
  return std::string(1000, '\0') + std::string(700, 'a') + std::string(300, '\0') +
         std::string(50, 'b') + std::string(5000, '\0');
}

std::string sparse_data() {
  return std::string(700, 'a') + std::string(50, 'b');
}

TEST(TarTree, holes_of_sparse_files_are_zeros_in_all_four_ways_to_write_them) {
  const std::string old = member({.name = "bag/old",
                                  .kind = 'S',
                                  .content = sparse_data(),
                                  .magic = "ustar  ",
                                  .patches = {{386, octal_of(1000, 11)},
                                              {398, octal_of(700, 11)},
                                              {410, octal_of(2000, 11)},
                                              {422, octal_of(50, 11)},
                                              {483, octal_of(7050, 11)}}});
  // The first run stands in the header, which says that a block of others follows.
  std::string more = head_of({.name = "bag/more",
                              .kind = 'S',
                              .content = sparse_data(),
                              .magic = "ustar  ",
                              .patches = {{386, octal_of(1000, 11)},
                                          {398, octal_of(700, 11)},
                                          {482, "\1"},
                                          {483, octal_of(7050, 11)}}});
  std::string others(512, '\0');
  others.replace(0, 11, octal_of(2000, 11));
  others.replace(12, 11, octal_of(50, 11));
  more += others + padded(sparse_data());
  const std::string pax00 = pax({{"GNU.sparse.size", "7050"},
                                 {"GNU.sparse.numblocks", "2"},
                                 {"GNU.sparse.offset", "1000"},
                                 {"GNU.sparse.numbytes", "700"},
                                 {"GNU.sparse.offset", "2000"},
                                 {"GNU.sparse.numbytes", "50"}}) +
                            member({.name = "bag/pax00", .content = sparse_data()});
  const std::string pax01 = pax({{"GNU.sparse.size", "7050"},
                                 {"GNU.sparse.numblocks", "2"},
                                 {"GNU.sparse.name", "bag/pax01"},
                                 {"GNU.sparse.map", "1000,700,2000,50"}}) +
                            member({.name = "bag/GNUSparseFile.1/pax01", .content = sparse_data()});
  const std::string pax10 = pax({{"GNU.sparse.major", "1"},
                                 {"GNU.sparse.minor", "0"},
                                 {"GNU.sparse.name", "bag/pax10"},
                                 {"GNU.sparse.realsize", "7050"}}) +
                            member({.name = "bag/GNUSparseFile.1/pax10",
                                    .content = padded("2\n1000\n700\n2000\n50\n") + sparse_data()});
  Files files;
  for (const char* name : {"bag/old", "bag/more", "bag/pax00", "bag/pax01", "bag/pax10"})
    files[name] = sparse_content();
  files["bag/last"] = "after all of these";
  const std::string bytes = old + more + pax00 + pax01 + pax10 +
                            member({.name = "bag/last", .content = "after all of these"}) + kTarEnd;
  for (const std::string& each : {bytes, gzip(bytes)}) {
    const Seen seen = look(each);
    EXPECT_EQ(seen.error, "");
    EXPECT_EQ(seen.findings, Words{});
    EXPECT_TRUE(seen.files == files);
  }
}

TEST(TarTree, maps_of_sparse_files_must_be_those_of_their_data) {
  const auto with = [](const std::string& map, const std::string& size) {
    return look(pax({{"GNU.sparse.size", size}, {"GNU.sparse.map", map}}) +
                member({.name = "bag/a", .content = std::string(10, 'x')}) + kTarEnd)
        .findings;
  };
  const Words malformed{"serialization.malformed"};
  EXPECT_EQ(with("5,10", "100"), Words{});
  EXPECT_EQ(with("5,10,100,0", "100"), Words{});
  EXPECT_EQ(with("", "10"), malformed);
  EXPECT_EQ(with("5,11", "100"), malformed);
  EXPECT_EQ(with("5,9", "100"), malformed);
  EXPECT_EQ(with("5,10", "14"), malformed);
  EXPECT_EQ(with("5,6,8,4", "100"), malformed);
  EXPECT_EQ(with("5,10,7", "100"), malformed);
  EXPECT_EQ(with("18446744073709551615,10", "18446744073709551615"), malformed);
}

TEST(TarTree, a_hard_link_is_the_file_that_it_names) {
  const std::string bytes =
      two_files() + member({.name = "bag/one", .kind = '1', .link = "bag/a"}) +
      member({.name = "bag/two", .kind = '1', .link = "./bag/one"}) +
      member({.name = "bag/sized", .kind = '1', .link = "bag/b", .size = "00000000006"}) +
      member({.name = "bag/c", .content = "third"}) + kTarEnd;
  for (const std::string& each : {bytes, gzip(bytes)}) {
    const Seen seen = look(each);
    EXPECT_EQ(seen.error, "");
    EXPECT_EQ(seen.findings, Words{});
    EXPECT_EQ(seen.files, (Files{{"bag/a", "first"},
                                 {"bag/b", "second"},
                                 {"bag/one", "first"},
                                 {"bag/two", "first"},
                                 {"bag/sized", "second"},
                                 {"bag/c", "third"}}));
  }
  // What has gone by on a pipe does not come again.
  const Seen piped = look(*open_stream(pipe_of(bytes), "bag"));
  EXPECT_TRUE(piped.error.starts_with("serialization.hard-link: ")) << piped.error;
  EXPECT_NE(piped.error.find("save the archive to a file"), std::string::npos);
}

// Wants some files only, as one who reads manifests first and the payload later does.
struct Choosy : Everything {
  std::set<std::string> chosen;
  Result<bool> entry(Entry entry) override {
    wants = chosen.contains(entry.path);
    return Everything::entry(std::move(entry));
  }
};

TEST(TarTree, entries_have_the_same_numbers_whatever_is_wanted) {
  std::string tar = two_files();
  for (const char* name : {"bag/a1", "bag/a2", "bag/a3"})
    tar += member({.name = name, .kind = '1', .link = "bag/a"});
  for (const char* name : {"bag/b1", "bag/b2"})
    tar += member({.name = name, .kind = '1', .link = "bag/b"});
  const TemporaryFolder folder;
  testing::write(folder / "bag.tgz", gzip(tar + kTarEnd));
  auto tree = open_archive(real_disk(), folder / "bag.tgz");
  ASSERT_OK(tree);
  std::vector<Words> orders;
  for (const std::set<std::string>& chosen :
       {std::set<std::string>{}, {"bag/a1"}, {"bag/a3", "bag/b1"}, {"bag/a", "bag/b2"}}) {
    Choosy visitor;
    visitor.sequential = true;
    visitor.chosen = chosen;
    ASSERT_OK((*tree)->visit(visitor, {}));
    EXPECT_EQ(visitor.findings, Words{});
    Words& order = orders.emplace_back();
    for (const Entry& each : visitor.entries)
      order.push_back(each.path);
    EXPECT_EQ(visitor.files.size(), chosen.size());
    for (const auto& [path, bytes] : visitor.files)
      EXPECT_EQ(bytes, path.starts_with("bag/a") ? "first" : "second") << path;
  }
  EXPECT_EQ(orders[0].size(), 7u);
  for (const Words& order : orders)
    EXPECT_EQ(order, orders[0]);
}

TEST(TarTree, too_many_hard_links_in_what_is_compressed_are_refused_and_read_without_gzip) {
  std::string bytes = two_files();
  for (int i = 0; i < 20; ++i)
    bytes += member({.name = "bag/" + std::to_string(i), .kind = '1', .link = "bag/a"});
  bytes += kTarEnd;
  EXPECT_EQ(look(bytes).files.size(), 22u);
  const Seen seen = look(gzip(bytes));
  EXPECT_TRUE(seen.error.starts_with("serialization.limit: ")) << seen.error;
}

TEST(TarTree, each_fault_of_a_container_has_its_code) {
  const std::string good = two_files();
  const auto findings = [](const std::string& bytes) {
    const Seen plain = look(bytes);
    const Seen packed = look(gzip(bytes));
    EXPECT_EQ(plain.error, "");
    EXPECT_EQ(packed.error, "");
    EXPECT_EQ(plain.findings, packed.findings);
    return plain.findings;
  };
  EXPECT_EQ(findings(good + kTarEnd), Words{});
  EXPECT_EQ(findings(good + kTarEnd + std::string(9000, '\0')), Words{});
  EXPECT_EQ(findings(good), Words{"serialization.no-end"});
  EXPECT_EQ(findings(good + std::string(512, '\0')), Words{"serialization.no-end"});
  // Without the padding of the last member.
  EXPECT_EQ(findings(good.substr(0, good.size() - 506)), Words{"serialization.no-end"});
  EXPECT_EQ(findings(good + kTarEnd + std::string(512, '\0') + "x"),
            Words{"serialization.trailing-data"});
  EXPECT_EQ(findings(good + std::string(512, '\0') + good), Words{"serialization.trailing-data"});
  EXPECT_EQ(findings(good + kTarEnd + good + kTarEnd), Words{"serialization.trailing-data"});
  EXPECT_EQ(findings(good.substr(0, good.size() - 507)), Words{"serialization.truncated bag/b"});
  EXPECT_EQ(findings(good.substr(0, 1500)), Words{"serialization.truncated"});
  EXPECT_EQ(findings(good + pax({{"path", "x"}})), Words{"serialization.truncated"});
  EXPECT_EQ(findings(good + std::string(512, 'x') + kTarEnd), Words{"serialization.malformed"});
  EXPECT_EQ(findings(good + pax({{"path", "x"}}) + kTarEnd), Words{"serialization.malformed"});
  EXPECT_EQ(findings(pax({{"path", "all/the/same"}}, 'g') + good + kTarEnd),
            Words{"serialization.malformed"});
  EXPECT_EQ(findings(good + good + kTarEnd),
            (Words{"serialization.duplicate bag/a", "serialization.duplicate bag/b"}));
  EXPECT_EQ(findings(good + member({.name = "./bag/a", .content = "other"}) + kTarEnd),
            Words{"serialization.duplicate bag/a"});
  EXPECT_EQ(findings(good + member({.name = "bag/a", .kind = '5'}) + kTarEnd),
            Words{"serialization.duplicate bag/a"});
  EXPECT_EQ(findings(member({.name = "bag/", .kind = '5'}) + member({.name = "bag", .kind = '5'}) +
                     good + kTarEnd),
            Words{});
  EXPECT_EQ(
      findings(good + member({.name = "bag/l", .kind = '1', .link = "/etc/passwd"}) + kTarEnd),
      Words{"serialization.hard-link bag/l"});
  EXPECT_EQ(findings(member({.name = "bag/l", .kind = '1', .link = "bag/a"}) + good + kTarEnd),
            Words{"serialization.hard-link bag/l"});
  EXPECT_EQ(findings(good + member({.name = "bag/f", .kind = '5', .content = "x"}) + kTarEnd),
            Words{"serialization.malformed bag/f"});
  EXPECT_EQ(findings(good + member({.name = "bag/m", .kind = 'M', .content = "x"}) + kTarEnd),
            Words{"serialization.method bag/m"});
  EXPECT_EQ(findings(good + member({.name = "", .content = "x"}) + kTarEnd),
            Words{"serialization.malformed"});
  for (const char kind : {'3', '4', '6'}) {
    const std::string bytes = good + member({.name = "bag/s", .kind = kind}) + kTarEnd;
    EXPECT_EQ(findings(bytes), Words{"serialization.special-file bag/s"});
    EXPECT_EQ(look(bytes).entry("bag/s")->kind, EntryKind::special);
  }
}

TEST(TarTree, extension_headers_of_one_member_must_agree) {
  const auto named = [](char kind, const std::string& name) {
    return member({.name = "././@LongLink", .kind = kind, .content = name + '\0'});
  };
  const auto findings = [](const std::string& headers, const Head& head) {
    return look(two_files() + headers + member(head) + kTarEnd).findings;
  };
  const Head file{.name = "bag/c", .content = "x"};
  const Head link{.name = "bag/c", .kind = '2', .link = "x"};
  const Words malformed{"serialization.malformed"};
  EXPECT_EQ(findings(pax({{"path", "bag/d"}}) + named('L', "bag/e"), file), malformed);
  EXPECT_EQ(findings(named('L', "bag/e") + pax({{"path", "bag/d"}}), file), malformed);
  EXPECT_EQ(findings(named('L', "bag/e") + named('L', "bag/d"), file), malformed);
  EXPECT_EQ(findings(pax({{"path", "bag/d"}, {"path", "bag/e"}}), file), malformed);
  EXPECT_EQ(findings(pax({{"path", "bag/d"}}) + pax({{"path", "bag/e"}}), file), malformed);
  EXPECT_EQ(findings(pax({{"size", "1"}, {"size", "600"}}), file), malformed);
  EXPECT_EQ(findings(pax({{"linkpath", "a"}}) + named('K', "b"), link), malformed);
  EXPECT_EQ(findings(pax({{"path", "bag/d"}, {"size", "1"}}) + named('L', "bag/d"), file), Words{});
  EXPECT_EQ(findings(pax({{"linkpath", "a"}}) + named('K', "a"), link), Words{});
}

TEST(TarTree, a_member_that_claims_more_than_there_is_can_be_listed_and_not_read) {
  const Seen seen =
      look(member({.name = "bag/a", .content = "first"}) +
           head_of({.name = "bag/huge", .size = "\x80\0\0\0\x0F\0\0\0\0\0\0\0"s}) + "some");
  EXPECT_EQ(seen.findings, Words{"serialization.truncated bag/huge"});
  EXPECT_EQ(seen.faults, Words{"serialization.truncated bag/huge"});
  EXPECT_EQ(seen.files, (Files{{"bag/a", "first"}}));
}

// ---------------------------------------------------------------------------- zip by hand

std::string le(std::uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i)
    bytes += static_cast<char>(value >> (8 * i));
  return bytes;
}

// A member, and what its two headers say; empty means: the truth.
struct Zipped {
  std::string name;
  std::string content = {};
  unsigned method = 0;
  unsigned flags = 0;
  std::string packed = {};  // else the content, deflated for method 8
  std::optional<std::uint32_t> crc = {};
  std::optional<std::uint64_t> size = {};
  std::optional<std::uint64_t> packed_size = {};
  std::string extra = {};
  std::string local_extra = {};
  std::string local_name = {};
  std::optional<unsigned> local_method = {};
  std::optional<unsigned> local_flags = {};
  std::optional<std::uint32_t> local_crc = {};
  std::optional<std::uint64_t> local_size = {};
  std::optional<std::uint64_t> local_packed_size = {};
  std::string behind = {};  // after the data: a descriptor, or rubbish
  unsigned mode = 0100644;
  std::optional<std::uint64_t> offset = {};  // in the directory
};

struct Built {
  std::string members;
  std::string directory;
  std::size_t count = 0;
};

Built built(const std::vector<Zipped>& all) {
  Built zip;
  for (const Zipped& each : all) {
    std::string packed = each.packed;
    if (packed.empty()) packed = each.method == 8 ? deflated(each.content) : each.content;
    const auto crc = each.crc.value_or(crc32_update(0, as_bytes(each.content)));
    const auto size = each.size.value_or(each.content.size());
    const auto packed_size = each.packed_size.value_or(packed.size());
    const std::string local_name = each.local_name.empty() ? each.name : each.local_name;
    const auto offset = each.offset.value_or(zip.members.size());
    zip.members +=
        "PK\3\4" + le(20, 2) + le(each.local_flags.value_or(each.flags), 2) +
        le(each.local_method.value_or(each.method), 2) + le(0, 4) +
        le(each.local_crc.value_or(crc), 4) + le(each.local_packed_size.value_or(packed_size), 4) +
        le(each.local_size.value_or(size), 4) + le(local_name.size(), 2) +
        le(each.local_extra.size(), 2) + local_name + each.local_extra + packed + each.behind;
    zip.directory += "PK\1\2" + le(3 << 8 | 20, 2) + le(20, 2) + le(each.flags, 2) +
                     le(each.method, 2) + le(0, 4) + le(crc, 4) + le(packed_size, 4) + le(size, 4) +
                     le(each.name.size(), 2) + le(each.extra.size(), 2) + le(0, 2) + le(0, 2) +
                     le(0, 2) + le(std::uint64_t{each.mode} << 16, 4) + le(offset, 4) + each.name +
                     each.extra;
    ++zip.count;
  }
  return zip;
}

std::string end_record(const Built& zip, const std::string& comment = {}) {
  return "PK\5\6" + le(0, 4) + le(zip.count, 2) + le(zip.count, 2) + le(zip.directory.size(), 4) +
         le(zip.members.size(), 4) + le(comment.size(), 2) + comment;
}

std::string zip_of(const std::vector<Zipped>& all, const std::string& comment = {}) {
  const Built zip = built(all);
  return zip.members + zip.directory + end_record(zip, comment);
}

std::string descriptor(const std::string& content, std::size_t packed, bool signature, int width) {
  return (signature ? "PK\7\10"s : ""s) + le(crc32_update(0, as_bytes(content)), 4) +
         le(packed, width) + le(content.size(), width);
}

const std::string kText(500, 't');

TEST(ZipTree, reads_every_honest_form) {
  std::vector<Zipped> all{
      {.name = "bag/", .mode = 040755},
      {.name = "bag/stored", .content = kText},
      {.name = "bag/deflated", .content = kText, .method = 8},
      {.name = "bag/empty"},
      {.name = "bag/nothing deflated", .method = 8},
      {.name = "bag/e\u0301", .content = "1", .flags = 0x800},
      {.name = "bag/\x82", .content = "2"},
      {.name = "bag/link", .content = "stored", .mode = 0120777},
      {.name = "bag/back\\slash", .content = "3"},
      {.name = "../out", .content = "4"},
  };
  // The four forms of a data descriptor.
  for (const bool signature : {false, true}) {
    for (const int width : {4, 8}) {
      all.push_back({.name = "bag/descriptor" + std::to_string(width) + (signature ? "s" : ""),
                     .content = kText,
                     .method = 8,
                     .flags = 8,
                     .local_crc = 0,
                     .local_size = 0,
                     .local_packed_size = 0,
                     .behind = descriptor(kText, deflated(kText).size(), signature, width)});
    }
  }
  // Sizes in the extra field, in one header and in both.
  const std::string sizes = le(1, 2) + le(16, 2) + le(500, 8) + le(500, 8);
  all.push_back({.name = "bag/zip64",
                 .content = kText,
                 .size = 0xFFFFFFFF,
                 .packed_size = 0xFFFFFFFF,
                 .extra = sizes,
                 .local_extra = sizes});
  all.push_back({.name = "bag/local zip64",
                 .content = kText,
                 .local_extra = sizes,
                 .local_size = 0xFFFFFFFF,
                 .local_packed_size = 0xFFFFFFFF});
  const std::string raw = "bag/\x80";
  const std::string unicode = "bag/\u20AC";
  const std::string name_field = le(0x7075, 2) + le(5 + unicode.size(), 2) + "\1" +
                                 le(crc32_update(0, as_bytes(raw)), 4) + unicode;
  all.push_back({.name = raw, .content = "5", .extra = name_field, .local_extra = name_field});
  // Flags that differ and decide nothing; the name is ASCII.
  all.push_back({.name = "bag/flags", .content = "6", .local_flags = 0x802});

  const Seen seen = look(zip_of(all, "a comment"));

  EXPECT_EQ(seen.error, "");
  EXPECT_EQ(seen.form, Form::zip);
  EXPECT_EQ(seen.findings, Words{});
  EXPECT_EQ(seen.faults, Words{});
  const Files files{{"bag/stored", kText},
                    {"bag/deflated", kText},
                    {"bag/empty", ""},
                    {"bag/nothing deflated", ""},
                    {"bag/e\u0301", "1"},
                    {"bag/\u00E9", "2"},
                    {"bag/back\\slash", "3"},
                    {"../out", "4"},
                    {"bag/descriptor4", kText},
                    {"bag/descriptor4s", kText},
                    {"bag/descriptor8", kText},
                    {"bag/descriptor8s", kText},
                    {"bag/zip64", kText},
                    {"bag/local zip64", kText},
                    {unicode, "5"},
                    {"bag/flags", "6"}};
  EXPECT_TRUE(seen.files == files);
  ASSERT_NE(seen.entry("bag/link"), nullptr);
  EXPECT_EQ(seen.entry("bag/link")->kind, EntryKind::link);
  EXPECT_EQ(seen.entry("bag/link")->target, "stored");
  ASSERT_NE(seen.entry("bag"), nullptr);
  EXPECT_EQ(seen.entry("bag")->kind, EntryKind::folder);
}

TEST(ZipTree, zip64_end_records_must_agree_with_the_old_one) {
  const Built zip = built({{.name = "bag/a", .content = "first"}});
  const auto with = [&](std::uint64_t count, const std::string& old, std::uint64_t length = 44) {
    const std::uint64_t at = zip.members.size() + zip.directory.size();
    return zip.members + zip.directory + "PK\6\6" + le(length, 8) + le(45, 2) + le(45, 2) +
           le(0, 8) + le(count, 8) + le(count, 8) + le(zip.directory.size(), 8) +
           le(zip.members.size(), 8) + "PK\6\7" + le(0, 4) + le(at, 8) + le(1, 4) + old;
  };
  const std::string full = "PK\5\6" + le(0, 4) + le(0xFFFF, 2) + le(0xFFFF, 2) + le(0xFFFFFFFF, 4) +
                           le(0xFFFFFFFF, 4) + le(0, 2);
  EXPECT_EQ(look(with(1, full)).findings, Words{});
  EXPECT_EQ(look(with(1, full)).files, (Files{{"bag/a", "first"}}));
  EXPECT_EQ(look(with(1, end_record(zip))).findings, Words{});
  const Words malformed{"serialization.malformed"};
  EXPECT_EQ(look(with(2, end_record(zip))).findings, malformed);
  EXPECT_EQ(look(with(2, full)).findings, malformed);
  EXPECT_EQ(look(with(1, full, 45)).findings, malformed);
  EXPECT_EQ(look(with(~std::uint64_t{0}, full)).findings, Words{"serialization.limit"});
}

TEST(ZipTree, each_fault_of_a_container_has_its_code) {
  const Zipped a{.name = "bag/a", .content = "first"};
  const Zipped b{.name = "bag/b", .content = kText, .method = 8};
  const auto findings = [](const std::string& bytes) {
    const Seen seen = look(bytes);
    EXPECT_EQ(seen.error, "");
    return seen.findings;
  };
  const auto of = [&](const Zipped& second) { return findings(zip_of({a, second})); };
  const auto changed = [&](auto change) {
    Zipped second = b;
    change(second);
    return of(second);
  };
  const Built zip = built({a, b});
  EXPECT_EQ(findings(zip_of({a, b})), Words{});
  EXPECT_EQ(findings(zip_of({})), Words{});

  // Bytes that belong to nothing.
  EXPECT_EQ(findings(zip_of({a, b}) + "x"), Words{"serialization.trailing-data"});
  EXPECT_EQ(findings("#!/bin/sh\n" + zip_of({a, b})), Words{"serialization.gap"});
  {
    Built hiding = zip;
    hiding.members += "hidden";
    EXPECT_EQ(findings(hiding.members + hiding.directory + end_record(hiding)),
              Words{"serialization.gap"});
  }
  EXPECT_EQ(findings(zip.members + zip.directory + "hidden" + end_record(zip)),
            Words{"serialization.gap"});
  EXPECT_EQ(changed([](Zipped& z) { z.behind = "hidden"; }), Words{"serialization.gap"});
  {
    Zipped first = a;
    first.behind = "hidden";
    EXPECT_EQ(findings(zip_of({first, b})), Words{"serialization.gap bag/b"});
    // A whole member that the directory does not have.
    first.behind = built({{.name = "bag/orphan", .content = "x"}}).members;
    EXPECT_EQ(findings(zip_of({first, b})), Words{"serialization.gap bag/b"});
  }
  // Two members of the same bytes, and one inside of another.
  EXPECT_EQ(
      look(zip_of({a, {.name = "bag/a", .content = "first", .offset = 0}})).findings,
      (Words{"serialization.gap bag/a", "serialization.duplicate bag/a", "serialization.gap"}));
  {
    const std::string inner = built({{.name = "bag/in", .content = "x"}}).members;
    Built outer = built({{.name = "bag/out", .content = inner}});
    const Built inside =
        built({{.name = "bag/in", .content = "x", .offset = outer.members.size() - inner.size()}});
    outer.directory += inside.directory;
    outer.count = 2;
    EXPECT_EQ(findings(outer.members + outer.directory + end_record(outer)),
              Words{"serialization.gap bag/in"});
  }

  // Two headers of one member.
  const Words mismatch{"serialization.header-mismatch bag/b"};
  EXPECT_EQ(changed([](Zipped& z) { z.local_name = "bag/c"; }), mismatch);
  EXPECT_EQ(changed([](Zipped& z) { z.local_method = 0; }), mismatch);
  EXPECT_EQ(changed([](Zipped& z) { z.local_crc = 1; }), mismatch);
  EXPECT_EQ(changed([](Zipped& z) { z.local_crc = 0; }), mismatch);
  EXPECT_EQ(changed([](Zipped& z) { z.local_size = 1; }), mismatch);
  EXPECT_EQ(changed([](Zipped& z) { z.local_packed_size = 1; }), mismatch);
  EXPECT_EQ(changed([](Zipped& z) { z.local_flags = 1; }), mismatch);
  EXPECT_EQ(changed([](Zipped& z) {
              z.flags = 8;
              z.local_crc = 0;
            }),
            mismatch);
  EXPECT_EQ(changed([](Zipped& z) {
              z.flags = 8;
              z.behind = descriptor("other", 7, true, 4);
            }),
            mismatch);
  const std::string stale = le(0x7075, 2) + le(6, 2) + "\1" + le(12345, 4) + "n";
  EXPECT_EQ(changed([&](Zipped& z) { z.extra = z.local_extra = stale; }), mismatch);

  EXPECT_EQ(changed([&](Zipped& z) {
              z.local_extra = le(0x7075, 2) + le(10, 2) + "\1" +
                              le(crc32_update(0, as_bytes(z.name)), 4) + "bag/c";
            }),
            mismatch);
  // Who knows no such field sees another file.
  const auto unicode = [](const std::string& raw, const std::string& name) {
    return le(0x7075, 2) + le(5 + name.size(), 2) + "\1" + le(crc32_update(0, as_bytes(raw)), 4) +
           name;
  };
  const std::string other = unicode("bag/b", "bag/c");
  EXPECT_EQ(of({.name = "bag/b", .extra = other, .local_extra = other}),
            Words{"serialization.header-mismatch bag/c"});
  const std::string same = unicode("bag/b", "bag/b");
  EXPECT_EQ(of({.name = "bag/b", .extra = same, .local_extra = same}), Words{});
  EXPECT_EQ(of({.name = "bag/\x80", .extra = unicode("bag/\x80", "bag/\u20AC")}),
            Words{"serialization.header-mismatch bag/\u20AC"});
  EXPECT_EQ(of({.name = "bag/\x82", .local_flags = 0x800}),
            Words{"serialization.header-mismatch bag/\u00E9"});

  // What is not read.
  EXPECT_EQ(changed([](Zipped& z) { z.flags = 1; }), Words{"serialization.encrypted bag/b"});
  EXPECT_EQ(changed([](Zipped& z) { z.method = 12; }), Words{"serialization.method bag/b"});
  EXPECT_EQ(look(zip_of({a, {.name = "bag/b", .content = "x", .method = 14}})).faults,
            Words{"serialization.method bag/b"});
  EXPECT_EQ(look(zip_of({a, {.name = "bag/b", .content = "x", .flags = 1}})).faults,
            Words{"serialization.encrypted bag/b"});

  EXPECT_EQ(findings(zip_of({a, b, a})), Words{"serialization.duplicate bag/a"});
  EXPECT_EQ(findings(zip_of({a, {.name = "./bag/a", .content = "x"}})),
            Words{"serialization.duplicate bag/a"});
  EXPECT_EQ(of({.name = "bag/f", .mode = 010644}), Words{"serialization.special-file bag/f"});
  EXPECT_EQ(of({.name = "bag/f/", .content = "x"}), Words{"serialization.malformed bag/f"});
  // Java deflates nothing to two bytes; all else in a folder is hidden from whoever unpacks it.
  EXPECT_EQ(of({.name = "bag/f/", .method = 8}), Words{});
  EXPECT_EQ(of({.name = "bag/f/", .method = 8, .packed = deflated("") + "hidden"}),
            Words{"serialization.gap bag/f"});
  EXPECT_EQ(of({.name = "bag/f/", .method = 8, .packed = "\xFF\xFF hidden"}),
            Words{"serialization.malformed bag/f"});
  EXPECT_EQ(of({.name = "bag/f/", .method = 8, .packed = deflated("hidden")}),
            Words{"serialization.crc bag/f"});
  EXPECT_EQ(of({.name = "bag/f/", .packed = "hidden"}), Words{"serialization.crc bag/f"});
  EXPECT_EQ(of({.name = "bag/c", .content = "x", .size = 7}), Words{"serialization.crc bag/c"});
  EXPECT_EQ(of({.name = "bag/c", .extra = "\1\0\xFF\xFF"s}), Words{"serialization.malformed"});
  EXPECT_EQ(of({.name = "bag/l", .content = std::string(5000, 'l'), .mode = 0120777}),
            Words{"serialization.limit bag/l"});
  EXPECT_EQ(of({.name = "bag/l", .content = "target", .crc = 7, .mode = 0120777}),
            Words{"serialization.crc bag/l"});
  EXPECT_EQ(findings(zip_of({a, b}, "a comment with" + end_record({}) + "inside")),
            Words{"serialization.malformed"});
  // Python reads the archive in the comment, others the one that has the comment.
  EXPECT_EQ(findings(zip_of({a, b}, zip_of({b}) + "!")), Words{"serialization.malformed"});
  EXPECT_EQ(findings(zip_of({a, b}, "PK\5\6 and nothing")), Words{});
  EXPECT_EQ(findings(zip_of({a, {.name = "bag/inner.zip", .content = zip_of({b})}})), Words{});
  EXPECT_EQ(findings(zip_of({a, b}, end_record({}))),
            (Words{"serialization.malformed", "serialization.gap"}));
  EXPECT_EQ(findings(zip.members), Words{"serialization.truncated"});
}

TEST(ZipTree, a_part_of_a_split_archive_is_refused) {
  std::string bytes = zip_of({{.name = "bag/a", .content = "first"}});
  bytes[bytes.size() - 18] = 1;
  EXPECT_NE(look(bytes).error.find("split"), std::string::npos);
}

TEST(ZipTree, reading_a_member_to_its_end_proves_it) {
  const auto fault = [](const Zipped& only) {
    const Seen seen = look(zip_of({only}));
    EXPECT_EQ(seen.error, "");
    return seen.faults;
  };
  const auto packed = deflated(kText);
  EXPECT_EQ(fault({.name = "a", .content = kText, .method = 8}), Words{});
  EXPECT_EQ(fault({.name = "a", .content = kText, .crc = 1}), Words{"serialization.crc a"});
  EXPECT_EQ(fault({.name = "a", .content = kText, .method = 8, .crc = 1}),
            Words{"serialization.crc a"});
  EXPECT_EQ(fault({.name = "a", .content = kText, .method = 8, .size = 499}),
            Words{"serialization.crc a"});
  EXPECT_EQ(fault({.name = "a", .content = kText, .method = 8, .size = 501}),
            Words{"serialization.crc a"});
  EXPECT_EQ(fault({.name = "a", .content = kText, .method = 8, .packed = packed + "x"}),
            Words{"serialization.gap a"});
  EXPECT_EQ(fault({.name = "a",
                   .content = kText,
                   .method = 8,
                   .packed = packed.substr(0, packed.size() - 1)}),
            Words{"serialization.malformed a"});
  EXPECT_EQ(fault({.name = "a", .content = kText, .method = 8, .packed = "\xFF\xFF\xFF"}),
            Words{"serialization.malformed a"});
}

// ---------------------------------------------------------------------------- gzip

TEST(Gzip, each_fault_of_the_frame_has_its_code) {
  const std::string tar = two_files() + kTarEnd;
  const std::string good = gzip(tar);
  const auto findings = [](const std::string& bytes) {
    const Seen seen = look(bytes);
    EXPECT_EQ(seen.error, "");
    return seen.findings;
  };
  const auto flipped = [&](std::size_t at) {
    std::string bytes = good;
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    return findings(bytes);
  };
  EXPECT_EQ(findings(good), Words{});
  EXPECT_EQ(findings(gzip(tar.substr(0, 700)) + gzip("") + gzip(tar.substr(700))), Words{});
  EXPECT_EQ(findings(good + std::string(10'000, '\0')), Words{});
  EXPECT_EQ(findings(good + "x"), Words{"serialization.trailing-data"});
  EXPECT_EQ(findings(good + std::string(70'000, '\0') + "x"), Words{"serialization.trailing-data"});
  EXPECT_EQ(findings(good + "\x1F"), Words{"serialization.trailing-data"});
  EXPECT_EQ(findings(good + good), Words{"serialization.trailing-data"});
  EXPECT_EQ(flipped(good.size() - 8), Words{"serialization.crc"});
  EXPECT_EQ(flipped(good.size() - 1), Words{"serialization.crc"});
  EXPECT_EQ(findings(good.substr(0, good.size() - 1)), Words{"serialization.truncated"});
  EXPECT_EQ(findings(good.substr(0, 10)), Words{"serialization.truncated"});
  EXPECT_EQ(findings(gzip("no tar at all, and shorter than a block")),
            Words{"serialization.truncated"});
  EXPECT_EQ(findings(gzip(std::string(600, 'x'))), Words{"serialization.malformed"});
  EXPECT_EQ(findings(gzip("")), Words{"serialization.truncated"});
  std::string method = good;
  method[2] = 7;
  EXPECT_EQ(findings(method), Words{"serialization.malformed"});
}

// ---------------------------------------------------------------------------- all of them

TEST(Archive, every_cut_is_noticed) {
  const std::string tar = two_files() + kTarEnd;
  const std::string zip = zip_of(
      {{.name = "bag/a", .content = "first"}, {.name = "bag/b", .content = kText, .method = 8}});
  const TemporaryFolder folder;
  for (const std::string& bytes : {tar, gzip(tar), zip}) {
    for (std::size_t length = 0; length < bytes.size(); ++length) {
      // Not over the file before: file systems write that out at once.
      std::filesystem::remove(folder / "bag");
      testing::write(folder / "bag", bytes.substr(0, length));
      const Seen seen = look_at_file(folder / "bag");
      ASSERT_FALSE(seen.error.empty() && seen.findings.empty()) << length;
    }
  }
}

TEST(Archive, every_flipped_bit_of_what_has_a_crc_is_noticed) {
  const std::string tar = two_files() + kTarEnd;
  const TemporaryFolder folder;
  const std::string zip = zip_of({{.name = "bag/a", .content = kText, .method = 8}});
  const std::string tgz = gzip(tar);
  for (const std::string& good : {zip, tgz}) {
    const Seen before = look(good);
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ 2);
      std::filesystem::remove(folder / "bag");
      testing::write(folder / "bag", bytes);
      const Seen seen = look_at_file(folder / "bag");
      // What is not noticed has changed nothing: times, versions, comments.
      if (seen.error.empty() && seen.findings.empty() && seen.faults.empty()) {
        ASSERT_TRUE(seen.files == before.files || seen.entries.at(0).kind != EntryKind::file) << at;
      }
    }
  }
}

TEST(Archive, names_that_become_one_file_on_disk_are_one_name) {
  for (const std::string name : {"bag//a", "bag/./a", ".//bag/.//a", "bag/x/.", "/bag//a"}) {
    const std::string plain(plain_member_name(name));
    Words expected{"serialization.malformed " + plain};
    if (name != "bag/x/.") expected.push_back("serialization.duplicate " + plain);
    const std::string tar = member({.name = "bag/a", .content = "first"}) +
                            member({.name = name, .content = "other"}) + kTarEnd;
    EXPECT_EQ(look(tar).findings, expected) << name;
    EXPECT_EQ(look(gzip(tar)).findings, expected) << name;
    const std::string zip =
        zip_of({{.name = "bag/a", .content = "first"}, {.name = name, .content = "other"}});
    EXPECT_EQ(look(zip).findings, expected) << name;
  }
  // What the top is called in front, and a slash behind a folder, lead nowhere else.
  for (const std::string name : {"./bag/d/", "bag/d//", ".//bag/d", "./"}) {
    const std::string tar = member({.name = name, .kind = '5'}) + two_files() + kTarEnd;
    EXPECT_EQ(look(tar).findings, Words{}) << name;
  }
  // An absolute name is another rule's; unpacked it is the same file.
  EXPECT_EQ(look(two_files() + member({.name = "/bag/a", .content = "other"}) + kTarEnd).findings,
            Words{"serialization.duplicate /bag/a"});
}

TEST(Archive, what_has_members_below_it_is_a_folder) {
  const auto both = [](const std::string& name, const std::string& second) {
    const std::string tar =
        member({.name = name, .content = "x"}) + member({.name = second, .content = "y"}) + kTarEnd;
    const Words findings = look(tar).findings;
    EXPECT_EQ(look(gzip(tar)).findings, findings);
    EXPECT_EQ(
        look(zip_of({{.name = name, .content = "x"}, {.name = second, .content = "y"}})).findings,
        findings);
    return findings;
  };
  EXPECT_EQ(both("bag/a", "bag/a/b"), Words{"serialization.duplicate bag/a/b"});
  EXPECT_EQ(both("bag/a", "bag/a/b/c/d"), Words{"serialization.duplicate bag/a/b/c/d"});
  EXPECT_EQ(both("bag/a/b/c", "bag/a"), Words{"serialization.duplicate bag/a"});
  EXPECT_EQ(both("bag/a/b", "bag/ab"), Words{});
  // Unpacked, the file would go where the link leads.
  EXPECT_EQ(look(member({.name = "bag/l", .kind = '2', .link = "/tmp"}) +
                 member({.name = "bag/l/f", .content = "x"}) + kTarEnd)
                .findings,
            Words{"serialization.duplicate bag/l/f"});
  // A folder may be told of before or behind what is in it, and is no file to link to.
  EXPECT_EQ(
      look(member({.name = "bag/d/", .kind = '5'}) + member({.name = "bag/d/f", .content = "x"}) +
           member({.name = "bag", .kind = '5'}) + kTarEnd)
          .findings,
      Words{});
  EXPECT_EQ(
      look(two_files() + member({.name = "bag/h", .kind = '1', .link = "bag"}) + kTarEnd).findings,
      Words{"serialization.hard-link bag/h"});
  // Deep names are bounded by what their folders' names take together.
  std::string deep = "bag";
  for (int i = 0; i < 100; ++i)
    deep += "/d";
  EXPECT_EQ(look(zip_of({{.name = deep}}), {.directory_bytes_max = 5000}).findings,
            Words{"serialization.limit"});
}

TEST(Archive, a_visit_can_be_repeated_and_stopped) {
  const TemporaryFolder folder;
  testing::write(folder / "bag.tar", two_files() + kTarEnd);
  testing::write(folder / "bag.tgz", gzip(two_files() + kTarEnd));
  testing::write(folder / "bag.zip", zip_of({{.name = "bag/a", .content = "first"},
                                             {.name = "bag/b", .content = "second"}}));
  for (const char* name : {"bag.tar", "bag.tgz", "bag.zip"}) {
    auto tree = open_archive(real_disk(), folder / name);
    ASSERT_OK(tree);
    EXPECT_EQ((*tree)->name(), name);
    EXPECT_TRUE((*tree)->repeatable());
    const Seen first = look(**tree);
    const Seen second = look(**tree);
    EXPECT_EQ(first.files.size(), 2u);
    EXPECT_TRUE(first.files == second.files);

    std::stop_source stop;
    stop.request_stop();
    Everything all;
    EXPECT_FAILS((*tree)->visit(all, stop.get_token()), Code::cancelled);
    EXPECT_TRUE(all.entries.empty());
  }
}

// ---------------------------------------------------------------------------- limits

TEST(Archive, every_limit_is_kept) {
  const std::string tar = two_files() + kTarEnd;
  const std::string zip = packed_by_libarchive(archive_write_set_format_zip, nullptr,
                                               {{"bag/a", "first"}, {"bag/b", "second"}});
  const auto hits = [](const std::string& bytes, const ArchiveLimits& limits) {
    const Seen seen = look(bytes, limits);
    return std::any_of(seen.findings.begin(), seen.findings.end(),
                       [](const auto& each) { return each.starts_with("serialization.limit"); });
  };
  for (const std::string& bytes : {tar, gzip(tar), zip}) {
    EXPECT_FALSE(hits(bytes, {.members_max = 2, .total_bytes_max = 11, .name_bytes_max = 5}));
    EXPECT_TRUE(hits(bytes, {.members_max = 1}));
    EXPECT_TRUE(hits(bytes, {.total_bytes_max = 10}));
    EXPECT_TRUE(hits(bytes, {.name_bytes_max = 4}));
    EXPECT_TRUE(hits(bytes, {.directory_bytes_max = 20}));
  }
}

TEST(Archive, bombs_are_named_and_not_unpacked) {
  const std::string zeros(3u << 20, '\0');
  const ArchiveLimits small{.ratio_max = 100, .ratio_slack_bytes = 1000};
  const std::string tgz = gzip(member({.name = "bag/zeros", .content = zeros}) + kTarEnd);
  EXPECT_EQ(look(tgz).findings, Words{});
  EXPECT_EQ(look(tgz, small).findings, Words{"serialization.ratio bag/zeros"});
  const std::string zip =
      packed_by_libarchive(archive_write_set_format_zip, nullptr, {{"bag/zeros", zeros}});
  EXPECT_EQ(look(zip).findings, Words{});
  EXPECT_EQ(look(zip, small).findings, Words{"serialization.ratio"});
  const std::string sparse = pax({{"GNU.sparse.size", "99999999999"}, {"GNU.sparse.map", "0,1"}}) +
                             member({.name = "bag/sparse", .content = "x"}) + kTarEnd;
  EXPECT_EQ(look(sparse).findings, Words{"serialization.ratio bag/sparse"});
  // A hole of less than the limit, and names that have it again and again.
  std::string links = pax({{"GNU.sparse.size", "60000000"}, {"GNU.sparse.map", "0,1"}}) +
                      member({.name = "bag/0", .content = "x"});
  for (const char* name : {"bag/1", "bag/2"})
    links += member({.name = name, .kind = '1', .link = "bag/0"});
  links += kTarEnd;
  for (const std::string& each : {links, gzip(links)}) {
    Everything all;
    all.wants = false;
    const TemporaryFolder folder;
    testing::write(folder / "bag.bin", each);
    auto tree = open_archive(real_disk(), folder / "bag.bin");
    ASSERT_OK(tree);
    EXPECT_OK((*tree)->visit(all, {}));
    EXPECT_EQ(all.findings, Words{"serialization.ratio bag/1"});
  }
}

}  // namespace
}  // namespace versement::bagit
