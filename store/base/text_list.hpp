// Many texts that mostly begin as the one before them: paths in their order. A million of them need
// some 20 bytes each instead of a hundred.
//
// They lie in one row of bytes, in blocks of kBlock. The first text of a block stands there whole;
// of each other one only what it does not share with the one before it. Whoever wants one text
// reads its block from the beginning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace versement {

// Thread safe once nothing is added any more.
class TextList {
 public:
  static constexpr std::size_t kBlock = 16;

  void add(std::string_view text);
  // Gives back what was set aside for further texts.
  void shrink();

  std::size_t size() const { return size_; }
  std::string at(std::size_t index) const;
  std::size_t memory_bytes() const;

  // Goes on from a text to the next ones at the cost of one each.
  class Cursor {
   public:
    // Requires: index < list.size(); the list stays as it is.
    Cursor(const TextList& list, std::size_t index);
    const std::string& text() const { return text_; }
    // Requires: there is a further text.
    void next();

   private:
    void read();

    const TextList& list_;
    std::size_t at_ = 0;  // of the text that comes next, in bytes_
    std::string text_;
  };

 private:
  void put_number(std::size_t value);
  std::size_t take_number(std::size_t* at) const;

  std::string bytes_;                 // of each text: what it shares, what follows in bytes, these
  std::vector<std::uint64_t> first_;  // where each block begins
  std::size_t size_ = 0;
  std::string last_;
};

}  // namespace versement
