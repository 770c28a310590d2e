// Items from what other tools have packed: an OCFL storage root, or bags, in folders and archives.
//
// Each object, or bag, becomes one item. Its files keep their logical paths, and the digests of its
// inventory or manifests are compared when the bytes are stored. The tag files of a bag become
// documentation of the item: with the manifests it can be shown later what came in.
#pragma once

#include <stop_token>

#include "service/ingest/plan.hpp"

namespace versement::ingest {

enum class Packed { no, ocfl_root, bag, archive, bags };

// What the deposit is, by what lies at its top. Errors: not_found, denied, io; invalid
// ("deposit-not-a-folder") when it is neither a folder nor a file.
Result<Packed> packed_kind(Disk& disk, const Path& deposit, const std::stop_token& stop);

// Plans one item for each object or bag. What is wrong with one is a finding, and the item is
// rejected; description and rights come from the caller. Bags are validated, every byte, first.
// Errors: io for the folder itself; cancelled.
Result<void> adopt(Disk& disk,
                   const Path& deposit,
                   Packed kind,
                   const std::stop_token& stop,
                   const Looked& looked,
                   Plan* plan);

}  // namespace versement::ingest
