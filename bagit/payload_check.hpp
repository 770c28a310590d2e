// Reads what the manifests list, once, and compares.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <vector>

#include "bagit/contents.hpp"
#include "bagit/manifests.hpp"
#include "bagit/notes.hpp"
#include "bagit/validate.hpp"

namespace versement::bagit {

class PayloadCheck {
 public:
  PayloadCheck(Tree& tree,
               Contents& contents,
               const Links& links,
               const Manifests& manifests,
               Notes& notes,
               const ValidateOptions& options,
               const std::string& stamp)
      : tree_(tree),
        contents_(contents),
        links_(links),
        manifests_(manifests),
        notes_(notes),
        options_(options),
        fingerprint_(stamp) {}

  // Errors: cancelled.
  Result<void> run();

  std::uint64_t files() const { return done_files_; }
  std::uint64_t bytes() const { return done_bytes_; }
  bool resumed() const { return resumed_; }

 private:
  class Pass;

  // One file and the lines of it, first to last.
  struct Work {
    std::uint32_t file;
    std::uint32_t first;
    std::uint32_t last;
  };

  void plan();
  void resume();
  void read_in_parallel();
  void work();
  Result<void> read_in_order();
  Result<void> read(const Work& work, std::size_t index, std::vector<std::byte>& buffer);
  std::uint32_t content_of(std::uint32_t file) const;
  std::vector<Algorithm> wanted(const Work& work) const;
  bool is_known(const Work& work) const;
  // Compares with what the lines say; `digests` are of wanted().
  void compare(const Work& work, std::size_t index, std::span<const Digest> digests);
  void note(std::size_t index,
            std::string_view code,
            const std::string& path,
            std::string detail,
            About about);
  void unread(std::size_t index, const std::string& path, const Error& why);
  void count(std::uint64_t bytes);
  void finished(std::size_t index);
  void keep_checkpoint();

  Tree& tree_;
  Contents& contents_;
  const Links& links_;
  const Manifests& manifests_;
  Notes& notes_;
  const ValidateOptions& options_;

  std::vector<Work> works_;  // in the order of their paths
  std::uint64_t files_total_ = 0;
  std::uint64_t bytes_total_ = 0;
  bool resumed_ = false;
  std::string fingerprint_;
  std::atomic<std::size_t> next_{0};

  std::mutex mutex_;
  std::uint64_t done_files_ = 0;  // Guarded by mutex_ while files are read, as are those below.
  std::uint64_t done_bytes_ = 0;
  std::vector<bool> finished_;
  std::size_t whole_ = 0;                      // all before it are finished
  std::multimap<std::size_t, Finding> found_;  // by the work they belong to, for checkpoints
  std::chrono::steady_clock::time_point kept_at_ = std::chrono::steady_clock::now();
};

}  // namespace versement::bagit
