// The succession of a journal's keys. A key is replaced by an event which holds a statement that
// both keys have signed: whoever trusts the old one can trust the new one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.hpp"
#include "store/journal/checkpoint.hpp"
#include "store/journal/event.hpp"

namespace versement::journal {

struct KeyChange {
  Checkpoint tree;  // the journal before the event; its size is the event's index
  VerifierKey before;
  VerifierKey after;
};

// The statement: a signed note of six lines, which nobody can take for a checkpoint because its
// first line has blanks and its second is no number.
std::string key_statement(const Signer& before, const Signer& after, const Checkpoint& tree);
// Errors: invalid for its form; corrupt ("journal-key") when one of the signatures is not right.
Result<KeyChange> read_key_statement(std::string_view note);

// Follows the keys through a journal's entries. Not thread safe.
class KeySuccession {
 public:
  // Takes the next entry's event, if it is about keys. `tree` is the journal before it.
  // Errors: corrupt ("journal-key").
  Result<void> take(const Event& event, const Checkpoint& tree);

  // The key that signs a checkpoint of this size, as far as the entries say.
  const VerifierKey* in_force(std::uint64_t size) const;
  const VerifierKey* newest() const { return in_force(UINT64_MAX); }
  // True if this key is the newest one or came before it.
  bool has(const VerifierKey& key) const;

 private:
  std::optional<VerifierKey> first_;
  std::vector<KeyChange> changes_;
};

}  // namespace versement::journal
