// The validator against the published fixtures of OCFL and of other validators.
#include <cstdlib>
#include <map>
#include <set>

#include "store/base/text.hpp"
#include "store/ocfl/validate.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::ocfl {
namespace {

struct Line {
  std::string path, kind, spec, verdict;
  std::set<std::string> codes;
};

std::set<std::string> words(std::string_view text) {
  std::set<std::string> words;
  for (const std::string_view word : split(text, ',')) {
    if (!word.empty()) words.emplace(word);
  }
  return words;
}

std::vector<Line> lines_of(const std::string& table) {
  std::vector<Line> lines;
  for (const std::string_view line : split(table, '\n')) {
    const auto fields = split(line, '\t');
    if (fields.size() < 5 || fields[0] == "path") continue;
    lines.push_back({std::string(fields[0]), std::string(fields[1]), std::string(fields[2]),
                     std::string(fields[3]), words(fields[4])});
  }
  return lines;
}

// OCFL 1.1 split some codes; either one is right.
bool has(const std::set<std::string>& found, const std::string& code) {
  static const std::map<std::string, std::string> kSplit{
      {"E037", "E110"}, {"E041", "E106"}, {"E056", "E111"}, {"E001", "E104"}};
  const auto other = kSplit.find(code);
  return found.contains(code) || (other != kSplit.end() && found.contains(other->second));
}

std::vector<Problem> problems_of(const Path& path, const std::string& kind, bool content) {
  if (kind == "object") {
    return check_one_object(real_disk(), path, {.content = content, .threads = 2, .stop = {}})
        .problems;
  }
  std::vector<Problem> all;
  RootCheckOptions options;
  options.content = content;
  options.threads = 4;
  options.each = [&](const CheckedObject& object) {
    all.insert(all.end(), object.problems.begin(), object.problems.end());
  };
  const auto own = check_root_contents(real_disk(), path, options);
  EXPECT_TRUE(own);
  if (own) all.insert(all.end(), own->begin(), own->end());
  return all;
}

std::string verdict_of(const std::vector<Problem>& problems) {
  std::string verdict = "valid";
  for (const Problem& problem : problems) {
    if (problem.severity() == Severity::error || problem.severity() == Severity::unread)
      return "invalid";
    if (problem.severity() == Severity::warning) verdict = "warn";
  }
  return verdict;
}

std::string told(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    text += "  " + problem.code + " " + problem.path + " " + problem.pointer.substr(0, 60) + ": " +
            problem.detail.substr(0, 120) + "\n";
  }
  return text;
}

TEST(Conformance, every_fixture_has_its_verdict_and_its_codes) {
  const Path shared = Path(VERSEMENT_SHARED) / "ocfl-fixtures";
  const auto table = read_file(real_disk(), shared / "expected.tsv", 1 << 20);
  if (!table) GTEST_SKIP() << "the fixtures are not here: " << shared.native();
  const testing::TemporaryFolder dir;
  const std::string unpack = "tar -xJf '" + (shared / "ocfl-fixtures.tar.xz").native() + "' -C '" +
                             dir.path().native() + "'";
  ASSERT_EQ(std::system(unpack.c_str()), 0);  // NOLINT(concurrency-mt-unsafe): no other thread.
  std::size_t passed = 0;
  const auto lines = lines_of(*table);
  for (const Line& line : lines) {
    const auto problems = problems_of(dir / line.path, line.kind, true);
    std::set<std::string> found;
    for (const Problem& problem : problems)
      found.insert(problem.code);
    bool good = verdict_of(problems) == line.verdict;
    EXPECT_EQ(verdict_of(problems), line.verdict) << line.path << "\n" << told(problems);
    for (const std::string& code : line.codes) {
      good = good && has(found, code);
      EXPECT_TRUE(has(found, code)) << line.path << " lacks " << code << "\n" << told(problems);
    }
    passed += good ? 1 : 0;
  }
  RecordProperty("passed", static_cast<int>(passed));
  EXPECT_GE(lines.size(), 198u);
  EXPECT_EQ(passed, lines.size());
}

}  // namespace
}  // namespace versement::ocfl
