// The content files of one object, read once each for all digests that its inventories say of them.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <span>
#include <stop_token>
#include <vector>

#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/pool.hpp"
#include "store/ocfl/findings.hpp"
#include "store/ocfl/texts.hpp"

namespace versement::ocfl {

// One digest that an inventory says of one file.
struct Want {
  TextId path = 0;
  TextId digest = 0;  // in lower case
  Algorithm algorithm = Algorithm::sha512;
  bool fixity = false;        // else of the manifest
  std::uint32_t version = 0;  // whose inventory says it; 0 for the object's
};

class ContentCheck {
 public:
  // `wants` and `files` are sorted by path. Nothing of them may change while run() runs.
  ContentCheck(Disk& disk,
               const Path& folder,
               const Texts& texts,
               const std::vector<TextId>& files,
               const std::vector<Want>& wants,
               Findings& findings,
               const std::stop_token& stop)
      : disk_(disk),
        folder_(folder),
        texts_(texts),
        files_(files),
        wants_(wants),
        findings_(findings),
        stop_(stop) {}

  // Reads all files, with the help of up to `threads` - 1 threads of `helpers`; returns the bytes.
  std::uint64_t run(Pool* helpers, std::size_t threads);
  // Looks at names only: links and special files.
  void look();

 private:
  void work();
  void check(TextId path, std::vector<std::byte>& buffer);
  Result<void> read(TextId path, std::span<const Want> wants, std::vector<std::byte>& buffer);
  void compare(const Want& want, std::string_view found);
  void say(std::string_view code, TextId path, std::string detail, std::string pointer = {});

  Disk& disk_;
  const Path& folder_;
  const Texts& texts_;
  const std::vector<TextId>& files_;
  const std::vector<Want>& wants_;
  Findings& findings_;  // Guarded by mutex_ while run() runs.
  const std::stop_token& stop_;
  std::atomic<std::size_t> next_{0};
  std::atomic<std::uint64_t> bytes_{0};
  std::mutex mutex_;
  std::condition_variable ended_;
  std::size_t helping_ = 0;  // Guarded by mutex_.
};

}  // namespace versement::ocfl
