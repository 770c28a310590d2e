// Validates one bag with the library bagit/ alone: a folder, a tar, a tar.gz or a zip.
// docs/bagit-library.md says how it is built.
#include <cstdio>

#include "bagit/validate.hpp"

int main(int argc, char** argv) {
  namespace bagit = versement::bagit;
  if (argc != 2) {
    std::fprintf(stderr, "usage: validate_bag BAG\n");
    return 3;
  }
  bagit::ValidateOptions options;
  options.mode = bagit::Mode::standard;  // lenient for old bags, strict for every MUST
  options.limits.total_bytes_max = std::uint64_t{1} << 40;  // what an archive may unpack to
  options.progress = [](const bagit::Progress& progress) {
    std::fprintf(stderr, "\r%llu bytes", static_cast<unsigned long long>(progress.bytes));
  };

  const auto report = bagit::validate(versement::real_disk(), argv[1], options);
  if (!report) {  // It could not be looked at: not there, no right to read it.
    std::fprintf(stderr, "\n%s\n", report.error().what().c_str());
    return 2;
  }
  for (const bagit::Finding& finding : report->findings)
    std::puts(bagit::to_text(finding).c_str());
  std::puts(std::string(bagit::verdict_name(report->verdict)).c_str());
  return report->verdict == bagit::Verdict::valid ? 0 : 1;
}
