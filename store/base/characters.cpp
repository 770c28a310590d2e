#include "store/base/characters.hpp"

#include <array>
#include <cstdint>
#include <cstdio>

#include <unicode/uchar.h>
#include <unicode/utf.h>

namespace versement {
namespace {

template <class Is>
std::optional<std::string> first(std::string_view text, Is is) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto length = static_cast<std::int64_t>(text.size());
  for (std::int64_t at = 0; at < length;) {
    UChar32 c = 0;
    U8_NEXT(bytes, at, length, c);
    if (c < 0 || !is(c)) continue;
    std::array<char, 16> name{};
    (void)std::snprintf(name.data(), name.size(), "U+%04X", static_cast<unsigned>(c));
    return name.data();
  }
  return std::nullopt;
}

bool is_control(UChar32 c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

// They choose between forms of letters, in Persian as in emoji.
bool is_joiner_or_selector(UChar32 c) {
  return c == 0x200C || c == 0x200D || (c >= 0xFE00 && c <= 0xFE0F);
}

}  // namespace

std::optional<std::string> first_control(std::string_view text) {
  return first(text, [](UChar32 c) {
    if (c == '\t' || c == '\n' || c == '\r') return false;
    return is_control(c) || c == 0xFFFE || c == 0xFFFF;
  });
}

std::optional<std::string> first_hidden(std::string_view name) {
  return first(name, [](UChar32 c) {
    if (c >= 0x20 && c < 0x7F) return false;
    if (is_control(c) || U_IS_UNICODE_NONCHAR(c) || c == 0x2028 || c == 0x2029) return true;
    return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0 &&
           !is_joiner_or_selector(c);
  });
}

}  // namespace versement
