// Characters that a reader does not see, or sees as something else: what texts may hold, and what
// of names is worth a warning.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace versement {

// The first character ("U+0007") that no description may hold: a control other than tab and line
// ends, also of U+0080 to U+009F, or one that XML 1.0 cannot write at all (U+FFFE, U+FFFF). A
// table would have it, and METS something else in its place. Requires: valid UTF-8.
std::optional<std::string> first_control(std::string_view text);

// The first that a name may hold and a person does not see: a control, a mark of direction, a blank
// without width, a line separator, a code point that is no character. Joiners and variation
// selectors belong to scripts and stay unsaid. Requires: valid UTF-8.
std::optional<std::string> first_hidden(std::string_view name);

}  // namespace versement
