// A package rendered into memory.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "mets/package.hpp"
#include "mets/sip.hpp"
#include "tests/support/expect.hpp"

namespace versement::testing {

// What a producer hands on.
inline std::string text_of(const Produce& produce) {
  std::string text;
  EXPECT_OK(produce([&](std::string_view bytes) -> Result<void> {
    text += bytes;
    return {};
  }));
  return text;
}

// All files of the package but its payload, by path.
inline std::map<std::string, std::string> rendered(const mets::PackageInput& input) {
  std::map<std::string, std::string> files;
  EXPECT_OK(mets::render_package(
      input, [&](const mets::GeneratedFile& file, const Produce& bytes) -> Result<mets::Held> {
        std::string& text = files[file.path];
        text = text_of(bytes);
        return mets::Held{.size_bytes = text.size(), .sha512 = digest_of(Algorithm::sha512, text)};
      }));
  return files;
}

// The METS at `path` as it reads in a SIP.
inline std::string submitted(const std::string& mets,
                             const mets::Submission& submission,
                             const std::map<std::string, mets::Held>& changed) {
  const auto base = std::make_shared<MemorySource>(mets);
  auto splices = mets::sip_splices(*base, submission, changed);
  EXPECT_OK(splices);
  mets::SplicedSource source(base, splices ? *splices : std::vector<mets::Splice>());
  auto text = read_source(source, SIZE_MAX);
  EXPECT_OK(text);
  return text ? *text : std::string();
}

// All files that rendered() gives as those of a SIP.
inline std::map<std::string, std::string> submitted(std::map<std::string, std::string> files,
                                                    const mets::Submission& submission) {
  std::map<std::string, mets::Held> changed;
  for (auto& [path, text] : files) {
    if (!path.ends_with("/METS.xml")) continue;
    text = submitted(text, submission, {});
    changed[path] = {.size_bytes = text.size(), .sha512 = digest_of(Algorithm::sha512, text)};
  }
  std::string& root = files.at("METS.xml");
  root = submitted(root, submission, changed);
  return files;
}

}  // namespace versement::testing
