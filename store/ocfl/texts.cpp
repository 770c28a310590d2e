#include "store/ocfl/texts.hpp"

#include <cstring>
#include <functional>

namespace versement::ocfl {
namespace {

// Small first, for the many objects with few files.
constexpr std::size_t kFirstBlockBytes = 4 * 1024;
constexpr std::size_t kBlockBytes = 256 * 1024;
constexpr std::size_t kFirstSlots = 64;

}  // namespace

TextId Texts::intern(std::string_view text) {
  if (views_.size() * 2 >= slots_.size()) grow();
  const std::size_t slot = slot_of(text);
  if (slots_[slot] != kFree) return slots_[slot];
  slots_[slot] = static_cast<TextId>(views_.size());
  views_.push_back(keep(text));
  return slots_[slot];
}

std::optional<TextId> Texts::find(std::string_view text) const {
  if (slots_.empty()) return std::nullopt;
  const TextId id = slots_[slot_of(text)];
  return id == kFree ? std::nullopt : std::optional(id);
}

std::size_t Texts::slot_of(std::string_view text) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = std::hash<std::string_view>()(text) & mask;
  while (slots_[slot] != kFree && views_[slots_[slot]] != text)
    slot = (slot + 1) & mask;
  return slot;
}

void Texts::grow() {
  slots_.assign(slots_.empty() ? kFirstSlots : slots_.size() * 2, kFree);
  for (TextId id = 0; id < views_.size(); ++id)
    slots_[slot_of(views_[id])] = id;
}

std::string_view Texts::keep(std::string_view text) {
  if (text.empty()) return {};
  if (text.size() > left_) {
    const std::size_t usual = blocks_.empty() ? kFirstBlockBytes : kBlockBytes;
    left_ = text.size() > usual ? text.size() : usual;
    blocks_.push_back(std::make_unique<char[]>(left_));
    next_ = blocks_.back().get();
  }
  std::memcpy(next_, text.data(), text.size());
  const std::string_view kept(next_, text.size());
  next_ += text.size();
  left_ -= text.size();
  return kept;
}

}  // namespace versement::ocfl
