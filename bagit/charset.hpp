// Character sets of tag files (RFC 8493 section 2.3), through iconv(3).
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "store/base/result.hpp"

namespace versement::bagit {

// Turns the bytes of one file into UTF-8, piece by piece. Not thread safe.
class Decoder {
 public:
  // `name` is a name of IANA's registry, in either case. UTF-16 and UTF-32 without a byte order
  // mark are big-endian, as RFC 2781 has it; the mark itself is left out of the text. Errors:
  // invalid for a name that is not IANA's; unsupported when this system cannot read it.
  static Result<Decoder> make(std::string_view name);

  // Appends the text of these bytes; what ends in the middle of a character waits for the next.
  // Errors: invalid, with the offset of the first byte that this character set does not have.
  Result<void> decode(std::span<const std::byte> bytes, std::string* text);
  // Errors: invalid when the bytes end in the middle of a character.
  Result<void> finish();

  bool is_utf8() const { return converter_ == nullptr && !wide_; }

 private:
  struct Close {
    void operator()(void* converter) const;
  };

  Decoder() = default;
  Result<void> convert(std::string* text);
  Error bad(std::size_t offset) const;
  Result<void> open(const std::string& name);

  std::string name_;
  std::unique_ptr<void, Close>
      converter_;           // none for UTF-8, and before the first bytes of a wide one
  bool wide_ = false;       // its first bytes may say in which order it is
  std::string waiting_;     // not yet turned into text
  std::size_t offset_ = 0;  // of the first byte of waiting_
};

}  // namespace versement::bagit
