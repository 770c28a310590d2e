#include "store/base/log.hpp"

#include <atomic>
#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "store/base/json.hpp"
#include "store/base/text.hpp"
#include "store/base/time.hpp"

namespace versement::log {
namespace {

std::atomic<Format> g_format{Format::text};

spdlog::logger& sink() {
  static const std::shared_ptr<spdlog::logger> logger = [] {
    auto made = std::make_shared<spdlog::logger>("versement",
                                                 std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%v");
    made->set_level(spdlog::level::info);
    return made;
  }();
  return *logger;
}

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view level_name(Level level) {
  switch (level) {
    case Level::debug:
      return "debug";
    case Level::info:
      return "info";
    case Level::warning:
      return "warning";
    case Level::error:
      return "error";
  }
  return "error";
}

std::string text_line(Level level, std::string_view event, std::initializer_list<Field> fields) {
  std::string line =
      real_clock().now().text() + " " + std::string(level_name(level)) + " " + std::string(event);
  for (const auto& [name, value] : fields)
    line += " " + std::string(name) + "=" + printable(value);
  return line;
}

std::string json_line(Level level, std::string_view event, std::initializer_list<Field> fields) {
  json::Object object;
  object["time"] = real_clock().now().text();
  object["level"] = level_name(level);
  object["event"] = event;
  for (const auto& [name, value] : fields)
    object[name] = printable(value);
  return json::write(object);
}

}  // namespace

void configure(Level level, Format format) {
  sink().set_level(spdlog_level(level));
  g_format = format;
}

Result<Level> parse_level(std::string_view text) {
  for (const Level level : {Level::debug, Level::info, Level::warning, Level::error}) {
    if (text == level_name(level)) return level;
  }
  return Error(Code::invalid,
               "'" + printable(text) + "' is no log level; use debug, info, warning or error");
}

void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
  const auto spd = spdlog_level(level);
  if (!sink().should_log(spd)) return;
  sink().log(
      spd, "{}",
      g_format == Format::json ? json_line(level, event, fields) : text_line(level, event, fields));
}

}  // namespace versement::log
