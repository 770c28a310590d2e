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
#include "store/journal/stamp.hpp"

namespace versement::journal {

struct JournalFinding {
  std::string code;  // "journal-entry", "journal-tile", "journal-root", "journal-signature" …
  std::string file;
  std::string detail;
};

// What the entries hold of others who have seen the journal: stamps of time authorities (RFC 3161)
// and cosignatures of witnesses (C2SP tlog-cosignature).
struct Seen {
  std::uint64_t count = 0;
  std::uint64_t verified = 0;  // under an authority or key that the caller named
  std::uint64_t size = 0;      // entries under the newest verified one
  std::string by;              // whose it is
  std::string time;            // RFC 3339
};

struct JournalReport {
  std::string origin;
  std::uint64_t published = 0;  // entries under the public checkpoint
  std::uint64_t size = 0;       // and with those that are so far in the tail only
  std::string root;             // base64, of `published` entries
  std::string key;              // the one that signs now
  Seen stamps;
  Seen cosignatures;
  std::vector<JournalFinding> findings;
  bool good() const { return findings.empty(); }
};

// A checkpoint that somebody kept, and the file it was kept in.
struct KeptCheckpoint {
  std::string note;
  std::string file;
};

// Whom the caller trusts.
struct Trust {
  VerifierKey key;  // the journal's, or one that it had before
  std::vector<VerifierKey> witnesses = {};
  const StampAuthorities* authorities = nullptr;
};

// Walks the whole journal. `each` sees every entry in order once it has been hashed.
// A running daemon may append meanwhile. Errors: invalid when one of `known` is no checkpoint, and
// what keeps it from looking at all (not_found, denied, io).
// The trusted key may be an older one: then the entries must hand over from it to the one that
// signs. `known` are checkpoints that somebody kept: the journal must have each of them as its
// beginning, signed by the key it had then. A history that was rewritten or cut back does not,
// however well it is signed.
Result<JournalReport> verify_journal(
    Disk& disk,
    const Path& folder,
    const Trust& trust,
    const std::function<void(std::uint64_t index, std::string_view entry)>& each,
    std::span<const KeptCheckpoint> known = {});

// The public key that lies beside the journal. Good for finding accidents; against forgery use a
// key that came another way.
Result<VerifierKey> key_beside(Disk& disk, const Path& folder);

// The same for the journal of a data folder: the copy of the head that its store has counts as
// kept, the name in versement.json must be the journal's, and each evidence file that entries name
// must be there with the bytes that it had.
Result<JournalReport> verify_data_folder(
    Disk& disk,
    const Path& data,
    const Trust& trust,
    const std::function<void(std::uint64_t index, std::string_view entry)>& each,
    std::span<const KeptCheckpoint> known = {});

}  // namespace versement::journal
