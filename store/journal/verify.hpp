// Verifies a journal on disk without writing to it: every entry, every hash, every signature.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"
#include "store/journal/checkpoint.hpp"

namespace versement::journal {

struct JournalFinding {
  std::string code;  // "journal-entry", "journal-tile", "journal-root", "journal-signature" …
  std::string file;
  std::string detail;
};

struct JournalReport {
  std::string origin;
  std::uint64_t published = 0;  // entries under the public checkpoint
  std::uint64_t size = 0;       // and with those that are so far in the tail only
  std::string root;             // base64, of `published` entries
  std::vector<JournalFinding> findings;
  bool good() const { return findings.empty(); }
};

// A checkpoint that somebody kept, and the file it was kept in.
struct KeptCheckpoint {
  Checkpoint checkpoint;
  std::string file;
};

// Walks the whole journal. `each` sees every entry in order once it has been hashed.
// A running daemon may append meanwhile. Errors: only what keeps it from looking at all
// (not_found, denied, io).
// `known` are checkpoints that somebody kept, already found to be of this key: the journal must
// have each of them as its beginning. A history that was rewritten or cut back does not, however
// well it is signed.
Result<JournalReport> verify_journal(
    Disk& disk,
    const Path& folder,
    const VerifierKey& key,
    const std::function<void(std::uint64_t index, std::string_view entry)>& each,
    std::span<const KeptCheckpoint> known = {});

// The public key that lies beside the journal. Good for finding accidents; against forgery use a
// key that came another way.
Result<VerifierKey> key_beside(Disk& disk, const Path& folder);

// The same for the journal of a data folder: the copy of the head that its store has counts as
// kept. Finding: journal-head when that is no checkpoint of the key.
Result<JournalReport> verify_data_folder(
    Disk& disk,
    const Path& data,
    const VerifierKey& key,
    const std::function<void(std::uint64_t index, std::string_view entry)>& each,
    std::span<const KeptCheckpoint> known = {});

}  // namespace versement::journal
