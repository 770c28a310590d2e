#include "store/base/fd.hpp"

#include <unistd.h>

namespace versement {

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = std::exchange(other.number_, -1);
  }
  return *this;
}

Fd::~Fd() {
  reset();
}

void Fd::reset() {
  // Nothing was promised about this descriptor any more: who needs the outcome calls Disk::close.
  if (number_ >= 0) (void)::close(number_);
  number_ = -1;
}

}  // namespace versement
