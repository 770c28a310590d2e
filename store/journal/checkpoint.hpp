// Checkpoints: signed statements of the journal's size and root hash (C2SP tlog-checkpoint, as a
// C2SP signed note with an Ed25519 signature).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"
#include "store/journal/merkle.hpp"

namespace versement::journal {

// Where a data folder's store keeps a copy of the newest published checkpoint, for whoever finds
// the store alone, and against a journal that was exchanged.
inline constexpr std::string_view kHeadCopy = "store/versement-head.txt";

struct Checkpoint {
  std::string origin;  // names the log; a host and path by custom, without blanks or '+'
  std::uint64_t size = 0;
  Hash root = empty_root();
};

// A public key as notes name it: "NAME+HASH+BASE64".
class VerifierKey {
 public:
  static Result<VerifierKey> parse(std::string_view text);
  const std::string& text() const { return text_; }
  const std::string& name() const { return name_; }
  // True if one of the note's signatures is this key's and right.
  bool verifies(std::string_view note) const;

 private:
  friend class Signer;
  std::string text_;
  std::string name_;
  std::array<std::byte, 4> id_{};
  std::array<std::byte, 32> key_{};
};

// The private key. Its file is one line "PRIVATE+KEY+NAME+HASH+BASE64", mode 0600, which the note
// tools of the Go project read as well. Thread safe.
class Signer {
 public:
  // Makes a new key and publishes it as `path`. Errors: exists; io.
  static Result<Signer> create(Disk& disk, const Path& path, std::string_view name);
  // Errors: denied when others may read the file; invalid; not_found.
  static Result<Signer> open(Disk& disk, const Path& path);

  const VerifierKey& key() const { return key_; }
  // The note: three lines, a blank line, one signature.
  std::string sign(const Checkpoint& checkpoint) const;

 private:
  VerifierKey key_;
  std::array<std::byte, 32> seed_{};
};

// Reads a note and checks that `key` signed it.
// Errors: invalid for its form; corrupt ("journal-signature") when no signature of the key is
// right.
Result<Checkpoint> read_checkpoint(std::string_view note, const VerifierKey& key);

// Names of logs and keys: 1 to 200 visible ASCII characters, no blank, no '+'.
Result<void> check_origin(std::string_view origin);

}  // namespace versement::journal
