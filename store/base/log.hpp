// The log: JSON lines or text to standard error. The one door to spdlog.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "store/base/result.hpp"

namespace versement::log {

enum class Level { debug, info, warning, error };
enum class Format { json, text };

// A field of a line: a name and a value. Values are escaped; a text cannot forge a line.
using Field = std::pair<std::string_view, std::string>;

void configure(Level level, Format format);
Result<Level> parse_level(std::string_view text);

// One line: `event` is a fixed text, what varies stands in the fields. No secrets. Thread safe.
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::debug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::info, event, fields);
}
inline void warning(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::warning, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::error, event, fields);
}

}  // namespace versement::log
