// A folder that lives as long as its test.
#pragma once

#include <string>
#include <string_view>

#include "store/base/disk.hpp"

namespace versement::testing {

class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const Path& path() const { return path_; }
  Path operator/(std::string_view name) const { return path_ / name; }

 private:
  Path path_;
};

// Whole small files; a failure ends the test program.
std::string read(const Path& path);
void write(const Path& path, std::string_view bytes);
// Flips one bit in place, without changing the times or the permissions of the file.
void flip_bit(const Path& path, std::uint64_t offset);

}  // namespace versement::testing
