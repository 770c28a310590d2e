// A representation of a hundred thousand files is written in bounded memory.
#include <fstream>
#include <string>

#include <gtest/gtest.h>

#include "mets/package.hpp"
#include "tests/support/expect.hpp"

namespace versement::mets {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kOwnMemory = false;  // of which the sanitizer takes a multiple
#else
constexpr bool kOwnMemory = true;
#endif

constexpr std::size_t kFiles = kOwnMemory ? 100'000 : 2'000;
constexpr double kMemoryMibMax = 64;

// What the process has in memory now, or had at most: "VmRSS:", "VmHWM:".
double memory_mib(const std::string& name) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != name) continue;
    double kib = 0;
    status >> kib;
    return kib / 1024;
  }
  return 0;
}

Payload many_files() {
  Payload payload;
  payload.count = kFiles;
  payload.for_each = [](const Payload::Each& each) -> Result<void> {
    PayloadFile file;
    file.sha512 = digest_of(Algorithm::sha512, std::string_view("x"));
    file.format = {"image/jpeg", "JPEG", "1.01", "fmt/43"};
    for (std::size_t i = 0; i < kFiles; ++i) {
      file.path = "pellicule/scan-" + std::to_string(1'000'000 + i) + ".jpg";
      file.original_name = "objects/" + file.path;
      file.size_bytes = i;
      TRY(each(file));
    }
    return {};
  };
  return payload;
}

TEST(MetsAtScale, a_hundred_thousand_files_are_written_in_64_mib) {
  PackageInput input;
  input.objid = "LARGE";
  input.description.title = {{"fr", "Cent mille vues"}};
  input.created = *Timestamp::parse("2026-01-15T09:30:00Z");
  input.files = many_files();
  std::ofstream("/proc/self/clear_refs") << "5";  // the peak from here on
  const double before = memory_mib("VmRSS:");
  std::uint64_t written = 0;
  std::size_t named = 0;
  ASSERT_OK(
      render_package(input, [&](const GeneratedFile& file, const Produce& bytes) -> Result<Held> {
        Hasher hasher({Algorithm::sha512});
        Held held;
        const auto sink = [&](std::string_view piece) -> Result<void> {
          hasher.update(std::as_bytes(std::span(piece)));
          held.size_bytes += piece.size();
          if (file.path == "representations/master/METS.xml") {
            for (std::size_t at = piece.find("<mets:file "); at != std::string_view::npos;
                 at = piece.find("<mets:file ", at + 1)) {
              ++named;
            }
          }
          return {};
        };
        TRY(bytes(sink));
        held.sha512 = hasher.finish().front();
        written += held.size_bytes;
        return held;
      }));
  EXPECT_GT(written, kFiles * 1000);
  // A name may lie across two pieces; there are few of them.
  EXPECT_GT(named, kFiles * 9 / 10);
  if (!kOwnMemory) GTEST_SKIP() << "memory is not measured under a sanitizer";
  const double peak = memory_mib("VmHWM:");
  ASSERT_GT(before, 0);
  EXPECT_LT(peak - before, kMemoryMibMax);
  RecordProperty("peak_mib", static_cast<int>(peak - before));
}

}  // namespace
}  // namespace versement::mets
