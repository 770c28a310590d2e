// Notes: the findings of one bag as they are made, from any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bagit/rules.hpp"

namespace versement::bagit {

// What a finding has beside code, path and detail.
struct About {
  std::size_t line = 0;
  std::string algorithm = {};
  std::string expected = {};
  std::string found = {};
  Severity at_most = Severity::unread;  // With `warning`, errors and unread become one.
};

class Notes {
 public:
  explicit Notes(Mode mode) : mode_(mode) {}

  void say(std::string_view code, std::string path, std::string detail, About about = {});
  // A finding that somebody else made.
  void add(Finding finding);

  bool has_errors() const;
  bool is_full() const;  // What comes now is only counted.
  bool has_unread() const;

  // Sorted; the notes are used up.
  std::vector<Finding> take();
  std::uint64_t left_out() const { return left_out_; }

 private:
  const Mode mode_;
  mutable std::mutex mutex_;
  std::vector<Finding> findings_;  // Guarded by mutex_, as are those below.
  std::uint64_t bytes_ = 0;        // of what findings_ say
  std::uint64_t left_out_ = 0;
  bool errors_ = false;
  bool unread_ = false;
};

}  // namespace versement::bagit
