#include "store/base/text.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

namespace versement {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_ascii_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// ICU's own data is missing or broken: nothing that depends on names could be right.
void must(UErrorCode code) {
  if (U_FAILURE(code)) std::abort();
}

const icu::Normalizer2& normalizer_nfc() {
  static const icu::Normalizer2* const found = [] {
    UErrorCode code = U_ZERO_ERROR;
    const icu::Normalizer2* const normalizer = icu::Normalizer2::getNFCInstance(code);
    must(code);
    return normalizer;
  }();
  return *found;
}

bool is_ascii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

icu::StringPiece piece(std::string_view text) {
  return {text.data(), static_cast<std::int32_t>(text.size())};
}

std::string normalized(const icu::Normalizer2& normalizer, std::string_view text) {
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode code = U_ZERO_ERROR;
  normalizer.normalizeUTF8(0, piece(text), sink, nullptr, code);
  must(code);
  return out;
}

std::string case_folded(std::string_view text) {
  std::string out;
  icu::StringByteSink<std::string> sink(&out);
  UErrorCode code = U_ZERO_ERROR;
  icu::CaseMap::utf8Fold(U_FOLD_CASE_DEFAULT, piece(text), sink, nullptr, code);
  must(code);
  return out;
}

// Calls `each(code point, its bytes)`; the code point is negative where the bytes are no UTF-8.
template <class Each>
void for_each_code_point(std::string_view text, Each each) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(text.data());
  const auto length = static_cast<std::int64_t>(text.size());
  std::int64_t at = 0;
  while (at < length) {
    const std::int64_t start = at;
    UChar32 c = 0;
    U8_NEXT(bytes, at, length, c);
    each(c, text.substr(static_cast<std::size_t>(start), static_cast<std::size_t>(at - start)));
  }
}

// Marks that reorder or hide text on a terminal.
bool is_hidden_or_reordering(UChar32 c) {
  return (c >= 0x200E && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069) || c == 0x061C || c == 0xFEFF || c == 0x2028 || c == 0x2029;
}

}  // namespace

std::string hex_of(std::span<const std::byte> bytes) {
  std::string out(bytes.size() * 2, '\0');
  char* at = out.data();
  for (const std::byte b : bytes) {
    *at++ = kHexDigits[std::to_integer<std::size_t>(b) >> 4];
    *at++ = kHexDigits[std::to_integer<std::size_t>(b) & 15u];
  }
  return out;
}

Result<std::string> bytes_of_hex(std::string_view hex) {
  if (hex.size() % 2 != 0) return Error(Code::invalid, "an odd number of hexadecimal digits");
  std::string out;
  out.reserve(hex.size() / 2);
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = hex_value(hex[i]);
    const int low = hex_value(hex[i + 1]);
    if (high < 0 || low < 0) {
      return Error(Code::invalid, "'" + printable(hex.substr(i, 2)) + "' is not hexadecimal");
    }
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string base64_of(std::span<const std::byte> bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0u);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += k <= count ? kBase64[group >> (18 - 6 * k) & 63u] : '=';
    }
  }
  return out;
}

std::string base64_of(std::string_view bytes) {
  return base64_of(std::as_bytes(std::span<const char>(bytes.data(), bytes.size())));
}

Result<std::string> bytes_of_base64(std::string_view text) {
  const Error wrong(Code::invalid, "this is not base64");
  if (text.size() % 4 != 0) return wrong;
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    std::size_t padding = 0;
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 4; ++k) {
      const char c = text[i + k];
      const std::size_t value = kBase64.find(c);
      if (c == '=' && last && k >= 2) {
        ++padding;
        group <<= 6;
      } else if (value == std::string_view::npos || padding > 0) {
        return wrong;
      } else {
        group = group << 6 | static_cast<std::uint32_t>(value);
      }
    }
    // Bits that the padding leaves over must be zero, else two texts mean the same bytes.
    if (padding > 0 && (group & ((1u << (8 * padding)) - 1u)) != 0) return wrong;
    for (std::size_t k = 0; k < 3 - padding; ++k) {
      out += static_cast<char>(group >> (16 - 8 * k) & 0xFFu);
    }
  }
  return out;
}

std::string percent_encode(std::string_view bytes, std::string_view kept) {
  std::string out;
  for (const char c : bytes) {
    if (is_ascii_alphanumeric(c) || kept.find(c) != std::string_view::npos) {
      out += c;
    } else {
      const auto value = static_cast<unsigned char>(c);
      out += '%';
      out += "0123456789ABCDEF"[value >> 4];
      out += "0123456789ABCDEF"[value & 15u];
    }
  }
  return out;
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Error(Code::invalid, "a % without two hexadecimal digits after it");
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::optional<std::size_t> first_invalid_utf8(std::string_view bytes) {
  if (is_ascii(bytes)) return std::nullopt;
  std::optional<std::size_t> found;
  for_each_code_point(bytes, [&](UChar32 c, std::string_view at) {
    if (c < 0 && !found) found = static_cast<std::size_t>(at.data() - bytes.data());
  });
  return found;
}

bool is_utf8(std::string_view bytes) {
  return !first_invalid_utf8(bytes);
}

std::string nfc(std::string_view text) {
  return is_ascii(text) ? std::string(text) : normalized(normalizer_nfc(), text);
}

bool is_nfc(std::string_view text) {
  if (is_ascii(text)) return true;
  UErrorCode code = U_ZERO_ERROR;
  const UBool answer = normalizer_nfc().isNormalizedUTF8(piece(text), code);
  must(code);
  return answer != 0;
}

std::string collision_key(std::string_view text) {
  return is_ascii(text) ? lower_ascii(text) : nfc(case_folded(nfc(text)));
}

std::string unaccented(std::string_view text) {
  if (is_ascii(text)) return std::string(text);
  UErrorCode code = U_ZERO_ERROR;
  const icu::Normalizer2* const decompose = icu::Normalizer2::getNFKDInstance(code);
  must(code);
  std::string out;
  // Khmer vowels and signs are marks too: only these combining accents go.
  for_each_code_point(normalized(*decompose, text), [&](UChar32 c, std::string_view bytes) {
    if (c < 0x0300 || c > 0x036F) out += bytes;
  });
  return out;
}

std::string search_key(std::string_view text) {
  return is_ascii(text) ? lower_ascii(text) : unaccented(case_folded(text));
}

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for_each_code_point(text, [&](UChar32 c, std::string_view bytes) {
    if (c < 0) {
      width += 4 * bytes.size();
      return;
    }
    const auto category = u_charType(c);
    const bool zero =
        category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK || category == U_FORMAT_CHAR;
    if (zero) return;
    const auto east_asian = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    width += east_asian == U_EA_FULLWIDTH || east_asian == U_EA_WIDE ? 2 : 1;
  });
  return width;
}

std::string printable(std::string_view bytes) {
  std::string out;
  for_each_code_point(bytes, [&](UChar32 c, std::string_view raw) {
    std::array<char, 16> buffer{};
    if (c < 0) {
      for (const char b : raw) {
        (void)std::snprintf(buffer.data(), buffer.size(), "\\x%02X",
                            static_cast<unsigned>(static_cast<unsigned char>(b)));
        out += buffer.data();
      }
    } else if (u_iscntrl(c) != 0 || is_hidden_or_reordering(c)) {
      (void)std::snprintf(buffer.data(), buffer.size(), "\\u{%X}", static_cast<unsigned>(c));
      out += buffer.data();
    } else {
      out += raw;
    }
  });
  return out;
}

std::string lower_ascii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool equal_ignoring_ascii_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && lower_ascii(a) == lower_ascii(b);
}

std::string_view trim(std::string_view text, std::string_view blanks) {
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  while (true) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + 1;
  }
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) out += separator;
    out += parts[i];
  }
  return out;
}

std::optional<std::uint64_t> parse_decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

std::string human_bytes(std::uint64_t bytes) {
  constexpr std::array<const char*, 6> kUnits{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 32> buffer{};
  (void)std::snprintf(buffer.data(), buffer.size(), unit == 0 ? "%.0f %s" : "%.1f %s", value,
                      kUnits.at(unit));
  return buffer.data();
}

}  // namespace versement
