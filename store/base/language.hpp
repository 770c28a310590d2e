// Languages: the codes of two letters that descriptions use, and those of three that archives ask
// for.
#pragma once

#include <string>
#include <string_view>

namespace versement {

// The ISO 639-2 code ("fra", "khm") of a language tag ("fr", "km-KH"); a tag that has none comes
// back as it is when it has the form of a language tag (BCP 47), else nothing does.
std::string language_code(std::string_view tag);

}  // namespace versement
