// One object, checked by itself. For validate.cpp; others include validate.hpp.
#pragma once

#include <optional>
#include <stop_token>

#include "store/base/disk.hpp"
#include "store/base/pool.hpp"
#include "store/ocfl/strict_inventory.hpp"
#include "store/ocfl/validate.hpp"

namespace versement::ocfl {

struct ObjectSurroundings {
  std::optional<Spec> root;  // what the root declares
  bool content = true;
  std::size_t threads = 1;
  Pool* helpers = nullptr;  // reads files of large objects side by side
  std::stop_token stop;
};

CheckedObject check_object_at(Disk& disk, const Path& folder, const ObjectSurroundings& around);

}  // namespace versement::ocfl
