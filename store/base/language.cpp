#include "store/base/language.hpp"

#include <algorithm>

#include <unicode/uloc.h>

#include "store/base/text.hpp"

namespace versement {
namespace {

// Parts of one to eight letters or digits between hyphens, the first one of letters: what
// xsd:language permits.
bool has_form(std::string_view tag) {
  bool first = true;
  for (const std::string_view part : split(tag, '-')) {
    const bool good =
        !part.empty() && part.size() <= 8 && std::all_of(part.begin(), part.end(), [&](char c) {
          const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
          return letter || (!first && c >= '0' && c <= '9');
        });
    if (!good) return false;
    first = false;
  }
  return true;
}

}  // namespace

std::string language_code(std::string_view tag) {
  if (tag.size() > 64 || !has_form(tag)) return {};
  const std::string language = lower_ascii(tag.substr(0, tag.find('-')));
  const std::string code = uloc_getISO3Language(language.c_str());
  return code.empty() ? std::string(tag) : code;
}

}  // namespace versement
