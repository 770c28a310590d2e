// Paths and digests of an object, each kept once and known by a number: an inventory of a hundred
// thousand files names each of its paths and digests in many places.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

namespace versement::ocfl {

using TextId = std::uint32_t;

// Not thread safe while it grows. Views stay as long as it lives.
class Texts {
 public:
  TextId intern(std::string_view text);
  std::optional<TextId> find(std::string_view text) const;
  std::string_view at(TextId id) const { return views_[id]; }
  std::size_t size() const { return views_.size(); }

 private:
  static constexpr TextId kFree = UINT32_MAX;

  // Where this text is, or would be put.
  std::size_t slot_of(std::string_view text) const;
  void grow();
  std::string_view keep(std::string_view text);

  std::vector<std::string_view> views_;
  std::vector<TextId> slots_;  // a power of two, at most half full
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t left_ = 0;  // bytes free in the last block
  char* next_ = nullptr;
};

}  // namespace versement::ocfl
