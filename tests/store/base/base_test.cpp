// The smaller parts of store/base: time, ids, paths, digests, CSV, files.
#include <thread>
#include <unordered_set>

#include <fcntl.h>
#include <unistd.h>

#include "store/base/compress.hpp"
#include "store/base/csv.hpp"
#include "store/base/digest.hpp"
#include "store/base/ids.hpp"
#include "store/base/limits.hpp"
#include "store/base/metrics.hpp"
#include "store/base/path.hpp"
#include "store/base/pool.hpp"
#include "store/base/publish.hpp"
#include "store/base/source.hpp"
#include "store/base/time.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement {
namespace {

using testing::read;
using testing::TemporaryFolder;

TEST(Time, reads_rfc_3339_and_writes_utc) {
  auto time = Timestamp::parse("2026-01-15T10:30:00.250+01:00");
  ASSERT_OK(time);
  EXPECT_EQ(time->text(), "2026-01-15T09:30:00.250Z");
  EXPECT_EQ(time->text_seconds(), "2026-01-15T09:30:00Z");
  EXPECT_EQ(time->date(), "2026-01-15");
}

TEST(Time, refuses_days_and_zones_that_do_not_exist) {
  for (const char* text :
       {"2026-02-31T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-15T24:00:00Z",
        "2026-01-15T09:30:00", "2026-01-15 09:30:00Z", "2026-01-15T09:30:00+25:00",
        "2026-01-15T09:30:00.Z", "2026-01-15T09:30Z", ""}) {
    EXPECT_FAILS(Timestamp::parse(text), Code::invalid);
  }
}

TEST(Time, durations) {
  EXPECT_EQ(parse_duration("P90D")->count(), 90 * 86400);
  EXPECT_EQ(parse_duration("P1DT12H")->count(), 36 * 3600);
  EXPECT_EQ(duration_text(*parse_duration("PT90M")), "PT5400S");
  EXPECT_EQ(duration_text(*parse_duration("P90D")), "P90D");
  for (const char* text : {"", "P", "PT", "90D", "P90", "P1H", "PT1D", "P-1D", "P99999999999D"}) {
    EXPECT_FAILS(parse_duration(text), Code::invalid);
  }
}

TEST(Ids, version_5_ids_are_those_of_the_rfc) {
  auto dns = Uuid::parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
  ASSERT_OK(dns);
  EXPECT_EQ(Uuid::of_name(*dns, "www.example.com").text(), "2ed6657d-e927-568b-95e1-2665a8aea6a2");
}

TEST(Ids, version_7_ids_begin_with_the_time_and_differ) {
  std::unordered_set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const Uuid id = Uuid::at(Timestamp(0x0193529c7c1e));
    EXPECT_TRUE(id.text().starts_with("0193529c-7c1e-7"));
    EXPECT_TRUE(seen.insert(id.text()).second);
  }
}

TEST(Ids, slugs_are_strict_and_the_nearest_one_is_readable) {
  EXPECT_OK(Slug::parse("PP-PHOTO-0001"));
  for (const char* text : {"", "-a", ".a", "a b", "é", "a/b", "a:b"}) {
    EXPECT_FAILS(Slug::parse(text), Code::invalid);
  }
  EXPECT_FAILS(Slug::parse(std::string(129, 'a')), Code::invalid);
  EXPECT_EQ(Slug::nearest("ark:/13960/t7vn1tv4g#leaf 7").text(), "ark-13960-t7vn1tv4g-leaf-7");
  EXPECT_EQ(Slug::nearest("Marché central, façade").text(), "Marche-central-facade");
  EXPECT_EQ(Slug::nearest("ផ្សារ").text(), "");
}

TEST(Path, cannot_leave_its_root) {
  EXPECT_OK(LogicalPath::parse("a/b c/ផ្សារ.jpg"));
  for (const char* text :
       {"", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a\nb", "a\x7f", "\xFF"}) {
    EXPECT_FAILS(LogicalPath::parse(text), Code::invalid);
  }
  EXPECT_FAILS(LogicalPath::parse(std::string("a\0b", 3)), Code::invalid);
  EXPECT_FAILS(LogicalPath::parse(std::string(256, 'a')), Code::limit);
  EXPECT_EQ(LogicalPath::literal("a/b/c").name(), "c");
  EXPECT_EQ(LogicalPath::literal("a/b/c").folder(), "a/b");
}

TEST(Digest, known_answers) {
  EXPECT_EQ(digest_of(Algorithm::sha256, "abc").hex(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(digest_of(Algorithm::md5, "").hex(), "d41d8cd98f00b204e9800998ecf8427e");
  EXPECT_EQ(crc32_update(0, as_bytes("123456789")), 0xCBF43926u);
  EXPECT_EQ(crc32_update(crc32_update(0, as_bytes("12345")), as_bytes("6789")), 0xCBF43926u);
}

TEST(Digest, one_pass_gives_what_single_passes_give) {
  const std::string text(100'000, 'x');
  Hasher hasher{Algorithm::sha512, Algorithm::sha256, Algorithm::md5};
  hasher.update(as_bytes(text).first(33'333));
  hasher.update(as_bytes(text).subspan(33'333));
  const auto digests = hasher.finish();
  ASSERT_EQ(digests.size(), 3u);
  EXPECT_EQ(digests[0], digest_of(Algorithm::sha512, text));
  EXPECT_EQ(digests[1], digest_of(Algorithm::sha256, text));
  EXPECT_EQ(digests[2], digest_of(Algorithm::md5, text));
}

TEST(Digest, reads_hexadecimal_of_the_right_length_only) {
  const std::string hex = digest_of(Algorithm::sha256, "abc").hex();
  EXPECT_OK(Digest::from_hex(Algorithm::sha256, hex));
  EXPECT_FAILS(Digest::from_hex(Algorithm::sha512, hex), Code::invalid);
  EXPECT_FAILS(Digest::from_hex(Algorithm::sha256, hex.substr(1) + "g"), Code::invalid);
}

TEST(Csv, reads_quotes_line_breaks_and_both_line_ends) {
  auto rows = csv::parse(
      "\xEF\xBB\xBF"
      "a,b\r\n\"x, \"\"y\"\"\nz\",\n , \nlast,1");
  ASSERT_OK(rows);
  ASSERT_EQ(rows->size(), 3u);
  EXPECT_EQ((*rows)[1].cells, (std::vector<std::string>{"x, \"y\"\nz", ""}));
  EXPECT_EQ((*rows)[1].line, 2u);
  EXPECT_EQ((*rows)[2].cells, (std::vector<std::string>{"last", "1"}));
  EXPECT_EQ((*rows)[2].line, 5u);
}

TEST(Csv, says_where_a_table_is_wrong) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"a,b\n1,\"x\ny", "line 2, column 2"}, {"a\n\"x\"y\n", "line 2, column 1"},
      {"a\nx\"y\n", "line 2, column 1"},     {"a\rb\n", "line 1"},
      {"a\n\xE9t\xE9\n", "line 2"},
  };
  for (const auto& [text, where] : cases) {
    const auto rows = csv::parse(text);
    ASSERT_FALSE(rows) << text;
    EXPECT_NE(rows.error().what().find(where), std::string::npos) << rows.error().what();
  }
  EXPECT_FAILS(csv::parse(std::string("a\0b", 3)), Code::invalid);
}

TEST(Csv, finds_all_faults_at_once_and_goes_on_behind_them) {
  std::vector<std::size_t> lines;
  const auto faults = csv::read("a,b\n\"x\"y,2\nx\"y,2\n1,2\n\"open", [&](csv::Row row) {
    lines.push_back(row.line);
    return true;
  });
  std::vector<std::string> told;
  for (const csv::Fault& fault : faults)
    told.push_back(csv::to_text(fault).substr(0, 16));
  EXPECT_EQ(told,
            (std::vector<std::string>{"line 2, column 1", "line 3, column 1", "line 5, column 1"}));
  EXPECT_EQ(lines, (std::vector<std::size_t>{1, 2, 3, 4}));
}

TEST(Csv, bounds_cells_columns_and_faults) {
  const auto first = [](const std::string& text) {
    const auto faults = csv::read(text, [](const csv::Row&) { return true; });
    return faults.empty() ? std::string() : faults.front().code;
  };
  EXPECT_EQ(first("\"" + std::string(limits::kCsvCellBytesMax, 'x') + "\""), "");
  EXPECT_EQ(first("\"" + std::string(limits::kCsvCellBytesMax + 1, 'x') + "\""), "table-limit");
  EXPECT_EQ(first(std::string(limits::kCsvColumnsMax - 1, ',') + "x"), "");
  EXPECT_EQ(first(std::string(limits::kCsvColumnsMax, ',') + "x"), "table-limit");
  std::string bad;
  for (std::size_t i = 0; i < limits::kCsvFaultsMax * 2; ++i)
    bad += "x\"\n";
  EXPECT_EQ(csv::read(bad, [](const csv::Row&) { return true; }).size(), limits::kCsvFaultsMax);
}

TEST(Csv, writes_what_it_reads_and_defuses_formulas) {
  const std::vector<std::string> cells{"plain", "a,b", "say \"x\"", "two\nlines", "=1+1", ""};
  const std::string row = csv::write_row(cells);
  EXPECT_EQ(row, "plain,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",'=1+1,\r\n");
  auto back = csv::parse(row);
  ASSERT_OK(back);
  EXPECT_EQ((*back)[0].cells[2], cells[2]);
}

TEST(Csv, gives_back_every_cell_that_it_defused) {
  const std::vector<std::string> cells{"=1",    "'=1",  "''=1", "+33",  "-",  "@x",
                                       "\ttab", "\rcr", "'\t",  "'",    "''", "'a",
                                       "l'été", "a=b",  "",     "plain"};
  auto back = csv::parse(csv::write_row(cells));
  ASSERT_OK(back);
  ASSERT_EQ(back->front().cells.size(), cells.size());
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::string& written = back->front().cells[i];
    EXPECT_EQ(std::string("=+-@\t\r").find(written.empty() ? 'x' : written[0]), std::string::npos);
    EXPECT_EQ(csv::restored(written), cells[i]);
  }
}

TEST(Publish, makes_a_file_whole_and_never_replaces) {
  const TemporaryFolder dir;
  ASSERT_OK(publish_file(real_disk(), dir / "a", as_bytes("first")));
  EXPECT_FAILS(publish_file(real_disk(), dir / "a", as_bytes("second")), Code::exists);
  EXPECT_EQ(read(dir / "a"), "first");
  ASSERT_OK(replace_file(real_disk(), dir / "a", as_bytes("third")));
  EXPECT_EQ(read(dir / "a"), "third");
  auto entries = list_sorted(real_disk(), dir.path());
  ASSERT_OK(entries);
  EXPECT_EQ(entries->size(), 1u);  // no temporary file is left
}

TEST(Disk, refuses_links_and_does_not_hang_on_a_fifo) {
  const TemporaryFolder dir;
  testing::write(dir / "file", "x");
  ASSERT_EQ(::symlink("file", (dir / "link").c_str()), 0);
  ASSERT_EQ(::mkfifo((dir / "fifo").c_str(), 0644), 0);
  EXPECT_FAILS(read_file(real_disk(), dir / "link", 10), Code::invalid);
  EXPECT_FAILS(read_file(real_disk(), dir / "fifo", 10), Code::invalid);
  EXPECT_FAILS(read_file(real_disk(), dir / "none", 10), Code::not_found);
  EXPECT_FAILS(read_file(real_disk(), dir / "file", 0), Code::limit);
}

TEST(Source, a_file_of_another_size_is_damage) {
  const TemporaryFolder dir;
  testing::write(dir / "file", "12345");
  FileSource right(real_disk(), dir / "file", 5);
  EXPECT_EQ(*read_source(right, 100), "12345");
  FileSource wrong(real_disk(), dir / "file", 6);
  EXPECT_FAILS(read_source(wrong, 100), Code::corrupt);
}

TEST(Compress, lines_come_back_and_damage_is_noticed) {
  const TemporaryFolder dir;
  std::string packed;
  Compressor compressor([&](std::span<const std::byte> bytes) -> Result<void> {
    packed.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  });
  for (int i = 0; i < 1000; ++i) {
    ASSERT_OK(compressor.write("line " + std::to_string(i * 7919) + "\n"));
  }
  ASSERT_OK(compressor.finish());
  testing::write(dir / "whole", packed);
  int count = 0;
  const auto each = [&](std::string_view) -> Result<void> {
    ++count;
    return {};
  };
  ASSERT_OK(for_each_compressed_line(real_disk(), dir / "whole", 100, each));
  EXPECT_EQ(count, 1000);
  testing::write(dir / "cut", packed.substr(0, packed.size() / 2));
  EXPECT_FAILS(for_each_compressed_line(real_disk(), dir / "cut", 100, each), Code::corrupt);
  testing::flip_bit(dir / "whole", packed.size() / 2);
  EXPECT_FAILS(for_each_compressed_line(real_disk(), dir / "whole", 100, each), Code::corrupt);
}

TEST(Pool, runs_everything_before_it_ends) {
  std::atomic<int> done{0};
  {
    Pool pool(4, 8);
    for (int i = 0; i < 200; ++i)
      pool.run([&] { ++done; });
    pool.drain();
    EXPECT_EQ(done, 200);
    for (int i = 0; i < 50; ++i)
      pool.run([&] { ++done; });
  }
  EXPECT_EQ(done, 250);
}

TEST(Pool, a_full_queue_is_told) {
  std::atomic<bool> go{false};
  Pool pool(1, 1);
  pool.run([&] {
    while (!go)
      std::this_thread::yield();
  });
  while (!pool.try_run([] {}))
    std::this_thread::yield();  // waits in the queue
  EXPECT_FALSE(pool.try_run([] {}));
  go = true;
}

TEST(Metrics, are_written_as_prometheus_reads_them) {
  Metrics metrics;
  metrics.describe("versement_http_requests_total", Metrics::Kind::counter, "Requests answered.");
  metrics.add("versement_http_requests_total", {{"code", "200"}, {"route", "a\"b"}});
  metrics.add("versement_http_requests_total", {{"code", "200"}, {"route", "a\"b"}}, 2);
  EXPECT_EQ(metrics.render(),
            "# HELP versement_http_requests_total Requests answered.\n"
            "# TYPE versement_http_requests_total counter\n"
            "versement_http_requests_total{code=\"200\",route=\"a\\\"b\"} 3\n");
}

TEST(NoLinksDisk, follows_no_link_in_any_part_of_a_path) {
  const testing::TemporaryFolder folder;
  ASSERT_OK(make_folders(real_disk(), folder / "real/sub"));
  testing::write(folder / "real/sub/file", "bytes");
  ASSERT_EQ(::symlink("real", (folder / "link").c_str()), 0);
  ASSERT_EQ(::symlink("file", (folder / "real/sub/last").c_str()), 0);
  NoLinksDisk disk;
  EXPECT_OK(disk.open(folder / "real/sub/file", O_RDONLY));
  EXPECT_EQ(disk.info(folder / "real/sub/file")->size_bytes, 5u);
  EXPECT_EQ(disk.info(folder / "real/sub/last")->kind, FileKind::link);
  EXPECT_EQ(list_sorted(disk, folder / "real/sub")->size(), 2u);
  EXPECT_FALSE(disk.open(folder / "real/sub/last", O_RDONLY));
  EXPECT_FALSE(disk.open(folder / "link/sub/file", O_RDONLY));
  EXPECT_FALSE(disk.info(folder / "link/sub/file"));
  EXPECT_FALSE(list_sorted(disk, folder / "link"));
  EXPECT_FAILS(disk.info(folder / "real/none"), Code::not_found);
}

}  // namespace
}  // namespace versement
