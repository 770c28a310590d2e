#include "store/base/path.hpp"

#include <cassert>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement {
namespace {

Result<void> check_name(std::string_view name) {
  if (name.empty()) return Error(Code::invalid, "an empty name between slashes");
  if (name == "." || name == "..") {
    return Error(Code::invalid, "the name '" + std::string(name) + "' points elsewhere");
  }
  if (name.size() > limits::kNameBytesMax) {
    return Error(Code::limit, "a name of " + std::to_string(name.size()) + " bytes; file systems " +
                                  "keep at most " + std::to_string(limits::kNameBytesMax));
  }
  for (const char c : name) {
    const auto value = static_cast<unsigned char>(c);
    if (value < 0x20 || value == 0x7F) return Error(Code::invalid, "a control character in a name");
  }
  return {};
}

Result<void> check_path(std::string_view text) {
  if (text.empty()) return Error(Code::invalid, "an empty path");
  if (text.size() > limits::kPathBytesMax) {
    return Error(Code::limit, "a path of " + std::to_string(text.size()) + " bytes");
  }
  if (!is_utf8(text)) return Error(Code::invalid, "bytes that are not UTF-8");
  const auto names = split(text, '/');
  if (names.size() > limits::kPathDepthMax) {
    return Error(Code::limit, "folders " + std::to_string(names.size()) + " deep");
  }
  for (const std::string_view name : names)
    TRY(check_name(name));
  return {};
}

}  // namespace

Result<LogicalPath> LogicalPath::parse(std::string_view text) {
  auto checked = check_path(text);
  if (!checked) return std::move(checked).error().during("path '" + printable(text) + "'");
  return LogicalPath(std::string(text));
}

LogicalPath LogicalPath::literal(std::string_view text) {
  assert(check_path(text));
  return LogicalPath(std::string(text));
}

std::string_view LogicalPath::name() const {
  const std::size_t slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view(text_)
                                    : std::string_view(text_).substr(slash + 1);
}

std::string_view LogicalPath::folder() const {
  const std::size_t slash = text_.rfind('/');
  return slash == std::string::npos ? std::string_view() : std::string_view(text_).substr(0, slash);
}

LogicalPath LogicalPath::operator/(const LogicalPath& below) const {
  return LogicalPath(text_ + "/" + below.text_);
}

}  // namespace versement
