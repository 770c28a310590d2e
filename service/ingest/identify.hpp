// What format a file has: libmagic, and the PRONOM id where we know it.
#pragma once

#include <cstddef>
#include <span>

#include "mets/package.hpp"

namespace versement::ingest {

// Looks at the beginning of a file (64 KiB are enough). Thread safe. Never fails: what nobody knows
// is application/octet-stream.
mets::Format identify(std::span<const std::byte> beginning);

}  // namespace versement::ingest
