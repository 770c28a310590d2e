// Checkpoints: signed statements of the journal's size and root hash (C2SP tlog-checkpoint, as a
// C2SP signed note with an Ed25519 signature).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
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

// What a key signs with it: its number stands before the key's bytes (C2SP signed-note).
enum class KeyKind : char {
  log = 1,      // Ed25519 over the note's text
  witness = 4,  // Ed25519 over time and text (C2SP tlog-cosignature)
};

// A public key as notes name it: "NAME+HASH+BASE64".
class VerifierKey {
 public:
  static Result<VerifierKey> parse(std::string_view text);
  KeyKind kind() const { return kind_; }
  const std::string& text() const { return text_; }
  const std::string& name() const { return name_; }
  // True if one of the note's signatures is this key's and right.
  bool verifies(std::string_view note) const { return signed_at(note).has_value(); }
  // When a witness signed it, in seconds since 1970; 0 of a log's key, whose signatures have no
  // time. Nothing where there is no right signature.
  std::optional<std::uint64_t> signed_at(std::string_view note) const;
  bool operator==(const VerifierKey& other) const { return text_ == other.text_; }

 private:
  friend class Signer;
  std::string text_;
  std::string name_;
  KeyKind kind_ = KeyKind::log;
  std::array<std::byte, 4> id_{};
  std::array<std::byte, 32> key_{};
};

// The private key. Its file is one line "PRIVATE+KEY+NAME+HASH+BASE64", mode 0600, which the note
// tools of the Go project read as well. Thread safe.
class Signer {
 public:
  // Makes a new key and publishes it as `path`. Errors: exists; io.
  static Result<Signer> create(Disk& disk,
                               const Path& path,
                               std::string_view name,
                               KeyKind kind = KeyKind::log);
  // Errors: denied when others may read the file; invalid; not_found.
  static Result<Signer> open(Disk& disk, const Path& path);

  const VerifierKey& key() const { return key_; }
  // The note: three lines, a blank line, one signature.
  std::string sign(const Checkpoint& checkpoint) const;
  // A note of this text, which must end with LF, with one signature.
  std::string sign_note(std::string_view text) const;
  // The note with a signature of this key more, made at `seconds` since 1970 if it is a witness's.
  // Errors: invalid when it is none.
  Result<std::string> add_signature(std::string_view note, std::uint64_t seconds = 0) const;

 private:
  std::string signature_line(std::string_view text, std::uint64_t seconds) const;

  VerifierKey key_;
  std::array<std::byte, 32> seed_{};
};

// The text of a note, its last LF included: what its signatures are over. Errors: invalid; limit.
Result<std::string_view> text_of_note(std::string_view note);
// Reads a note without asking who signed it. Errors: invalid; limit.
Result<Checkpoint> parse_checkpoint(std::string_view note);
// Reads a note and checks that `key` signed it.
// Errors: invalid for its form; corrupt ("journal-signature") when no signature of the key is
// right, or ("journal-origin") when it is of a journal of another name than the key.
Result<Checkpoint> read_checkpoint(std::string_view note, const VerifierKey& key);

// Names of logs and keys: 1 to 200 visible ASCII characters, no blank, no '+'.
Result<void> check_origin(std::string_view origin);

}  // namespace versement::journal
