// Items from what other tools have packed: an OCFL storage root, or folders that are bags.
//
// Each object, or bag, becomes one item. Its files keep their logical paths, and the digests of its
// inventory or manifests are compared when the bytes are stored.
#pragma once

#include <stop_token>

#include "service/ingest/plan.hpp"

namespace versement::ingest {

enum class Packed { no, ocfl_root, bag, bags };

// What the folder is, by what lies at its top. Errors: io.
Result<Packed> packed_kind(Disk& disk, const Path& folder);

// Plans one item for each object or bag. What is wrong with one is a finding, and the item is
// rejected; description and rights come from the caller. Bags are validated, every byte, first.
// Errors: io for the folder itself; cancelled.
Result<void> adopt(
    Disk& disk, const Path& folder, Packed kind, const std::stop_token& stop, Plan* plan);

}  // namespace versement::ingest
