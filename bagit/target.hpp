// What went wrong with a bag in the making, told of the name that its user gave it.
#pragma once

#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

// The same error with `target` where it names `part`, the temporary beside it, and what to do when
// nothing may be written there.
Error about_target(const Error& error, const Path& part, const Path& target);

}  // namespace versement::bagit
