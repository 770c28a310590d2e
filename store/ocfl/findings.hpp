// What a validator has to say, collected.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.hpp"
#include "store/ocfl/codes.hpp"

namespace versement::ocfl {

struct Problem {
  std::string code;     // "E092"; all are in codes.hpp
  std::string path;     // from the object's folder, or from the root for what is of no object
  std::string detail;   // what was found there
  std::string pointer;  // into the inventory at `path`, or of the entry that was broken (RFC 6901)

  Severity severity() const { return severity_of(code); }
};

// True when something is an error, or could not be read: what keeps a copy from being called good.
bool any_fault(const std::vector<Problem>& problems);

// Bounded: of an object where everything is wrong it keeps the first thousands, and the first of
// each code. Not thread safe.
class Findings {
 public:
  void say(std::string_view code, std::string path, std::string detail, std::string pointer = {});
  // An error of reading is no verdict about the bytes: `code` is for what was read and is wrong.
  void say(const Error& error, std::string_view code, std::string path);

  // Sorted by path, then code: the same object gives the same findings in the same order.
  std::vector<Problem> take();

 private:
  std::vector<Problem> problems_;
  std::set<std::string, std::less<>> codes_;
  std::uint64_t left_out_ = 0;
};

// One more step of a JSON pointer, with its escapes.
std::string pointer_step(std::string_view name);

}  // namespace versement::ocfl
