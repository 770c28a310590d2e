// A package rendered into memory.
#pragma once

#include <map>
#include <string>

#include "mets/package.hpp"
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

}  // namespace versement::testing
