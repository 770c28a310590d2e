#include "tests/support/temporary_folder.hpp"

#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace versement::testing {
namespace {

void must(bool done, const Path& path) {
  if (done) return;
  perror(path.c_str());
  std::abort();
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
  (void)real_disk();  // Made before this, so that it is there when a static one is removed.
  const char* const base = std::getenv("TMPDIR");
  std::string pattern = std::string(base != nullptr ? base : "/tmp") + "/versement-test-XXXXXX";
  must(::mkdtemp(pattern.data()) != nullptr, pattern);
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  (void)remove_tree(real_disk(), path_);  // A folder left behind fails no test.
}

std::string read(const Path& path) {
  auto bytes = read_file(real_disk(), path, 1u << 30);
  must(static_cast<bool>(bytes), path);
  return *bytes;
}

void write(const Path& path, std::string_view bytes) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  must(fd && write_all(real_disk(), fd, as_bytes(bytes), path), path);
}

void flip_bit(const Path& path, std::uint64_t offset) {
  struct stat before = {};
  must(::stat(path.c_str(), &before) == 0, path);
  must(::chmod(path.c_str(), 0644) == 0, path);
  const Fd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
  char byte = 0;
  must(fd && ::pread(fd.get(), &byte, 1, static_cast<off_t>(offset)) == 1, path);
  byte = static_cast<char>(byte ^ 1);
  must(::pwrite(fd.get(), &byte, 1, static_cast<off_t>(offset)) == 1, path);
  must(::fchmod(fd.get(), before.st_mode) == 0, path);
  const timespec times[2] = {before.st_atim, before.st_mtim};
  must(::futimens(fd.get(), times) == 0, path);
}

}  // namespace versement::testing
