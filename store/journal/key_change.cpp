#include "store/journal/key_change.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "store/base/text.hpp"

namespace versement::journal {
namespace {

constexpr std::string_view kTitle = "Versement: the key of a journal is replaced";
constexpr std::array<std::string_view, 5> kMembers{"origin", "size", "root", "old", "new"};

Error wrong_key(const std::string& what) {
  return Error(Code::corrupt, what).as("journal-key");
}

}  // namespace

std::string key_statement(const Signer& before, const Signer& after, const Checkpoint& tree) {
  const std::string note =
      before.sign_note(std::string(kTitle) + "\norigin " + tree.origin + "\nsize " +
                       std::to_string(tree.size) + "\nroot " + base64_of(tree.root) + "\nold " +
                       before.key().text() + "\nnew " + after.key().text() + "\n");
  return *after.add_signature(note);  // A note that was just made.
}

Result<KeyChange> read_key_statement(std::string_view note) {
  const Error wrong(Code::invalid, "this is no statement about a journal's key");
  TRY_SET(const std::string_view text, text_of_note(note));
  const auto lines = split(text, '\n');  // The last piece is empty.
  if (lines.size() != kMembers.size() + 2 || lines[0] != kTitle) return wrong;
  std::array<std::string_view, kMembers.size()> values;
  for (std::size_t i = 0; i < kMembers.size(); ++i) {
    const std::string_view line = lines[i + 1];
    if (!line.starts_with(kMembers.at(i)) || line.substr(kMembers.at(i).size(), 1) != " ")
      return wrong;
    values.at(i) = line.substr(kMembers.at(i).size() + 1);
  }
  KeyChange change;
  change.tree.origin = values[0];
  const auto size = parse_decimal(values[1]);
  TRY_SET(const std::string root, bytes_of_base64(values[2]));
  if (!size || root.size() != sizeof(Hash)) return wrong;
  change.tree.size = *size;
  std::memcpy(change.tree.root.data(), root.data(), root.size());
  TRY_SET(change.before, VerifierKey::parse(values[3]));
  TRY_SET(change.after, VerifierKey::parse(values[4]));
  for (const VerifierKey* const key : {&change.before, &change.after}) {
    if (key->kind() != KeyKind::log || key->name() != change.tree.origin) return wrong;
    if (!key->verifies(note)) {
      return wrong_key("the replacement of a key bears no right signature of " + key->text());
    }
  }
  return change;
}

Result<void> KeySuccession::take(const Event& event, const Checkpoint& tree) {
  if (event.type == type::kStoreCreated && tree.size == 0) {
    const std::string key = json::text_at(event.detail, "journal_key");
    if (key.empty()) return {};  // Stores of before this was noted.
    auto first = VerifierKey::parse(key);
    if (!first) return wrong_key("the journal's first key: " + first.error().what());
    first_ = *std::move(first);
    return {};
  }
  if (event.type != type::kKeyReplaced) return {};
  auto change = read_key_statement(json::text_at(event.detail, "statement"));
  if (!change) return wrong_key(change.error().what());
  if (change->tree.origin != tree.origin || change->tree.size != tree.size ||
      change->tree.root != tree.root) {
    return wrong_key("the replacement of a key was stated of another journal or place");
  }
  const VerifierKey* const known = newest();
  if (known != nullptr && !(*known == change->before)) {
    return wrong_key("a key is replaced that was not in force: " + change->before.text());
  }
  changes_.push_back(*std::move(change));
  return {};
}

// The checkpoint over the event itself bears both signatures; those behind it the new key's.
const VerifierKey* KeySuccession::in_force(std::uint64_t size) const {
  const auto change = std::find_if(changes_.rbegin(), changes_.rend(),
                                   [&](const KeyChange& each) { return each.tree.size < size; });
  if (change != changes_.rend()) return &change->after;
  if (!changes_.empty()) return &changes_.front().before;
  return first_ ? &*first_ : nullptr;
}

bool KeySuccession::has(const VerifierKey& key) const {
  return (first_ && *first_ == key) ||
         std::any_of(changes_.begin(), changes_.end(), [&](const KeyChange& change) {
           return change.before == key || change.after == key;
         });
}

}  // namespace versement::journal
