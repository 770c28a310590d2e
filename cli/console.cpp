#include "cli/console.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include <unistd.h>

#include "store/base/text.hpp"

namespace versement::cli {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kSignOfLife{30};

void pad(std::string* line, const std::string& cell, std::size_t width) {
  *line += cell;
  const std::size_t used = display_width(cell);
  if (used < width) line->append(width - used, ' ');
}

}  // namespace

Console::Console(OutputOptions options)
    : options_(options), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Console::table(const std::vector<std::string>& header,
                    const std::vector<std::vector<std::string>>& rows) const {
  if (options_.plain) {
    for (const auto& row : rows)
      std::cout << join(row, "\t") << "\n";
    return;
  }
  std::vector<std::size_t> widths;
  widths.reserve(header.size());
  for (const std::string& cell : header)
    widths.push_back(display_width(cell));
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], display_width(printable(row[i])));
    }
  }
  const auto print = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      pad(&line, printable(row[i]), last ? 0 : widths[i] + 2);
    }
    std::cout << line << "\n";
  };
  print(header);
  for (const auto& row : rows)
    print(row);
}

void Console::facts(const std::vector<std::pair<std::string, std::string>>& facts) const {
  std::size_t width = 0;
  for (const auto& [name, value] : facts)
    width = std::max(width, display_width(name));
  for (const auto& [name, value] : facts) {
    if (value.empty()) continue;
    if (options_.plain) {
      std::cout << name << "\t" << value << "\n";
      continue;
    }
    std::string line;
    pad(&line, name, width + 2);
    std::cout << line << printable(value) << "\n";
  }
}

void Console::document(const json::Value& value) const {
  std::cout << json::write_pretty(value) << "\n";
}

void Console::line(std::string_view text) const {
  std::cout << text << "\n";
}

void Console::note(std::string_view text) const {
  if (!options_.quiet && !options_.json) std::cerr << text << "\n";
}

void Console::failure(const Error& error, int status, const json::Object& problem) const {
  if (!options_.json) {
    std::cerr << "versement: " << printable(error.what()) << "\n";
    for (const json::Value& fault : json::array_at(problem, "errors")) {
      if (!fault.is_object()) continue;
      std::cerr << "  " << json::text_at(fault.get_object(), "pointer") << ": "
                << printable(json::text_at(fault.get_object(), "detail")) << "\n";
    }
    const std::string id = json::text_at(problem, "request_id");
    if (!id.empty()) std::cerr << "  (request " << id << ")\n";
    return;
  }
  json::Object out = problem;
  if (out.empty()) {
    out["code"] = error.reason().empty() ? std::string(code_name(error.code())) : error.reason();
    out["detail"] = error.what();
  }
  out["exit_code"] = status;
  document(out);
}

void Console::progress(std::string_view what, const json::Object& progress) {
  const std::scoped_lock lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  if (options_.progress == ProgressMode::never || options_.quiet) return;
  const bool machine = options_.progress == ProgressMode::json || options_.json;
  const bool redraw = terminal_ && !machine;
  const bool wanted = options_.progress != ProgressMode::automatic || terminal_;
  if (now - drawn_ < (redraw   ? std::chrono::milliseconds(kRedraw)
                      : wanted ? std::chrono::milliseconds(1000)
                               : std::chrono::milliseconds(kSignOfLife))) {
    return;
  }
  const bool first = drawn_ == std::chrono::steady_clock::time_point{};
  drawn_ = now;
  // Without a terminal the first line comes after half a minute: short work stays silent.
  if (first && !redraw && options_.progress == ProgressMode::automatic) return;
  if (machine) {
    if (options_.progress != ProgressMode::json) return;
    json::Object line = progress;
    line["type"] = "progress";
    std::cerr << json::write(line) << "\n";
  } else if (redraw) {
    std::cerr << "\r\x1b[K" << progress_text(what, progress) << std::flush;
    line_open_ = true;
  } else {
    std::cerr << progress_text(what, progress) << "\n";
  }
}

void Console::end_progress() {
  const std::scoped_lock lock(mutex_);
  if (std::exchange(line_open_, false)) std::cerr << "\r\x1b[K" << std::flush;
  drawn_ = {};
}

std::string progress_text(std::string_view what, const json::Object& progress) {
  std::string out(what);
  const std::uint64_t items = json::number_at(progress, "done_items");
  const std::uint64_t items_total = json::number_at(progress, "total_items");
  const std::uint64_t files = json::number_at(progress, "done_files");
  const std::uint64_t bytes = json::number_at(progress, "done_bytes");
  const std::uint64_t bytes_total = json::number_at(progress, "total_bytes");
  if (items_total > 0) {
    out += ": " + std::to_string(items) + " of " + std::to_string(items_total) + " items";
  }
  if (files > 0) out += ", " + std::to_string(files) + " files";
  if (bytes_total > 0) {
    out += ", " + human_bytes(bytes) + " of " + human_bytes(bytes_total) + " (" +
           std::to_string(bytes * 100 / bytes_total) + " %)";
  } else if (bytes > 0) {
    out += ", " + human_bytes(bytes);
  }
  const std::uint64_t rate = json::number_at(progress, "bytes_per_second");
  if (rate > 0) {
    out += ", " + human_bytes(rate) + "/s";
    if (bytes_total > bytes) out += ", " + std::to_string((bytes_total - bytes) / rate) + " s left";
  }
  return out;
}

std::string local_time(std::string_view text) {
  const auto time = Timestamp::parse(text);
  return time ? time->local_text() : std::string(text);
}

std::string localized(const json::Object& text) {
  const char* const language = std::getenv("LANG");
  if (language != nullptr) {
    std::string wanted = json::text_at(text, std::string_view(language).substr(0, 2));
    if (!wanted.empty()) return wanted;
  }
  std::string french = json::text_at(text, "fr");
  if (!french.empty()) return french;
  for (const auto& member : text) {
    if (member.value().is_string())
      return std::string(std::string_view(member.value().get_string()));
  }
  return {};
}

}  // namespace versement::cli
