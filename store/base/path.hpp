// LogicalPath: a path that cannot leave its root. Parsed once at the door; inside, the type is the
// proof.
#pragma once

#include <compare>
#include <string>
#include <string_view>

#include "store/base/result.hpp"

namespace versement {

// A relative path of one or more names between single slashes; valid UTF-8, no name is empty, "."
// or "..", no NUL and no control characters (OCFL 1.1 section 3.5.3.1 asks for the first rules, the
// last are ours: such names cannot be written into a manifest, a header or a letter). At most
// kPathBytesMax bytes, kPathDepthMax names of at most kNameBytesMax bytes.
class LogicalPath {
 public:
  // Errors: invalid, with the rule that was broken; limit.
  static Result<LogicalPath> parse(std::string_view text);
  // Requires: a text of our own that holds to the rules; asserts it.
  static LogicalPath literal(std::string_view text);

  const std::string& text() const { return text_; }
  std::string_view name() const;    // the last name
  std::string_view folder() const;  // all before the last slash; empty at the top
  LogicalPath operator/(const LogicalPath& below) const;

  friend auto operator<=>(const LogicalPath&, const LogicalPath&) = default;

 private:
  explicit LogicalPath(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace versement
