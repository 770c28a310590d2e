// Text: hexadecimal, base64, percent-coding; UTF-8, normal forms and case folding through ICU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.hpp"

namespace versement {

std::string hex_of(std::span<const std::byte> bytes);  // lower case
Result<std::string> bytes_of_hex(std::string_view hex);

std::string base64_of(std::span<const std::byte> bytes);  // RFC 4648 section 4, padded
std::string base64_of(std::string_view bytes);
// Errors: invalid for any character, length or padding that RFC 4648 does not have.
Result<std::string> bytes_of_base64(std::string_view text);

// Codes every byte but A-Z a-z 0-9 and those of `kept` as %XX, upper case.
std::string percent_encode(std::string_view bytes, std::string_view kept = "-._~");
// Errors: invalid when a % is not followed by two hexadecimal digits.
Result<std::string> percent_decode(std::string_view text);

// RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view bytes);
// The offset of the first byte that is no UTF-8.
std::optional<std::size_t> first_invalid_utf8(std::string_view bytes);

// Normal forms. Requires: valid UTF-8.
std::string nfc(std::string_view text);
bool is_nfc(std::string_view text);
// NFC of the full case folding: two names with equal keys collide on some file system.
std::string collision_key(std::string_view text);
// Folded for search: compatibility forms, case and accents taken away.
std::string search_key(std::string_view text);

// Accents of the Latin, Greek and Cyrillic alphabets taken away; case and all else kept.
std::string unaccented(std::string_view text);

// Columns that a terminal needs to show this text.
std::size_t display_width(std::string_view text);

// Bytes that are not for a person's eyes (controls, directional overrides, bad UTF-8) written as
// \xNN or \u{NNNN}; everything else as it is. For messages and logs.
std::string printable(std::string_view bytes);

std::string lower_ascii(std::string_view text);
bool equal_ignoring_ascii_case(std::string_view a, std::string_view b);
std::string_view trim(std::string_view text, std::string_view blanks = " \t");
std::vector<std::string_view> split(std::string_view text, char separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

// Decimal digits only, no sign, no blanks; nullopt on overflow too.
std::optional<std::uint64_t> parse_decimal(std::string_view text);

// "1.4 MiB": for people.
std::string human_bytes(std::uint64_t bytes);

}  // namespace versement
