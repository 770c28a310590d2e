// An owned file descriptor.
#pragma once

#include <utility>

namespace versement {

// Closes its descriptor when it goes. Close through Disk::close where a late error would matter.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int number) : number_(number) {}
  Fd(Fd&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Fd& operator=(Fd&& other) noexcept;
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd();

  int get() const { return number_; }
  explicit operator bool() const { return number_ >= 0; }
  // Gives the descriptor away; the caller closes it.
  int release() { return std::exchange(number_, -1); }
  void reset();

 private:
  int number_ = -1;
};

}  // namespace versement
