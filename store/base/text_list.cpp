#include "store/base/text_list.hpp"

#include <algorithm>
#include <cassert>

namespace versement {

void TextList::put_number(std::size_t value) {
  while (value >= 0x80) {
    bytes_ += static_cast<char>(0x80u | (value & 0x7Fu));
    value >>= 7u;
  }
  bytes_ += static_cast<char>(value);
}

std::size_t TextList::take_number(std::size_t* at) const {
  std::size_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes_[(*at)++]);
    value |= static_cast<std::size_t>(byte & 0x7Fu) << shift;
    if (byte < 0x80) return value;
  }
}

void TextList::add(std::string_view text) {
  std::size_t shared = 0;
  if (size_ % kBlock == 0) {
    first_.push_back(bytes_.size());
  } else {
    const auto end = std::mismatch(last_.begin(), last_.end(), text.begin(), text.end());
    shared = static_cast<std::size_t>(end.first - last_.begin());
  }
  put_number(shared);
  put_number(text.size() - shared);
  bytes_ += text.substr(shared);
  last_ = text;
  ++size_;
}

void TextList::shrink() {
  bytes_.shrink_to_fit();
  first_.shrink_to_fit();
}

std::string TextList::at(std::size_t index) const {
  return Cursor(*this, index).text();
}

std::size_t TextList::memory_bytes() const {
  return bytes_.capacity() + first_.capacity() * sizeof(first_[0]) + last_.capacity();
}

TextList::Cursor::Cursor(const TextList& list, std::size_t index) : list_(list) {
  assert(index < list.size_);
  at_ = list_.first_[index / kBlock];
  read();
  for (std::size_t skip = index % kBlock; skip > 0; --skip)
    read();
}

void TextList::Cursor::next() {
  read();
}

void TextList::Cursor::read() {
  assert(at_ < list_.bytes_.size());
  const std::size_t shared = list_.take_number(&at_);
  const std::size_t rest = list_.take_number(&at_);
  text_.resize(shared);
  text_.append(list_.bytes_, at_, rest);
  at_ += rest;
}

}  // namespace versement
