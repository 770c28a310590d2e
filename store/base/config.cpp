#include "store/base/config.hpp"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <stdexcept>

// Some malformed texts run into the library's own assertions ("[~]", say): they are refused like
// all others instead of ending the program.
[[noreturn]] static void refuse_toml() {
  throw std::logic_error("this is not TOML");
}
#define TOML_ASSERT(expression) (static_cast<bool>(expression) ? void() : refuse_toml())
#include <toml++/toml.h>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

extern char** environ;

namespace versement {
namespace {

std::string scalar_text(const toml::node& node) {
  if (const auto text = node.value<std::string>()) return *text;
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  return {};
}

// The offset of the first byte above ASCII that stands in no string and no comment: TOML has none
// there, and the library's search for blanks is not defined for most of them.
std::optional<std::size_t> first_stray_letter(std::string_view text) {
  std::size_t at = text.starts_with("\xEF\xBB\xBF") ? 3 : 0;
  while (at < text.size()) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 0x80) return at;
    if (c == '#') {
      at = std::min(text.find('\n', at), text.size());
    } else if (c == '"' || c == '\'') {
      const std::string triple(3, c);
      const std::string_view end =
          text.substr(at).starts_with(triple) ? std::string_view(triple) : text.substr(at, 1);
      at += end.size();
      while (at < text.size() && !text.substr(at).starts_with(end))
        at += c == '"' && text[at] == '\\' ? std::size_t{2} : std::size_t{1};
      at += end.size();
    } else {
      ++at;
    }
  }
  return std::nullopt;
}

}  // namespace

Result<void> Config::read_toml(Disk& disk, const Path& path) {
  TRY_SET(const std::string text, read_file(disk, path, limits::kConfigBytesMax));
  if (const auto stray = first_stray_letter(text)) {
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*stray), '\n');
    return Error(Code::invalid, path.native() + ":" + std::to_string(line) +
                                    ": letters beyond ASCII stand in quotes only");
  }
  toml::table table;
  try {
    table = toml::parse(text, path.native());
  } catch (const toml::parse_error& error) {
    const auto& at = error.source().begin;
    return Error(Code::invalid, path.native() + ":" + std::to_string(at.line) + ":" +
                                    std::to_string(at.column) + ": " +
                                    std::string(error.description()));
  } catch (const std::logic_error& error) {
    return Error(Code::invalid, path.native() + ": " + error.what());
  }
  const auto given = [&](const toml::node& node) {
    Given out{scalar_text(node),
              {},
              false,
              path.native() + ":" + std::to_string(node.source().begin.line) + ":" +
                  std::to_string(node.source().begin.column)};
    if (const toml::array* const array = node.as_array()) {
      out.is_list = true;
      for (const toml::node& entry : *array)
        out.list.push_back(scalar_text(entry));
    }
    return out;
  };
  for (const auto& [section, node] : table) {
    const toml::table* const inner = node.as_table();
    if (inner == nullptr) {
      given_[std::string(section.str())] = given(node);
      continue;
    }
    for (const auto& [key, value] : *inner) {
      given_[std::string(section.str()) + "." + std::string(key.str())] = given(value);
    }
  }
  return {};
}

void Config::read_environment(std::string_view prefix) {
  for (char** at = environ; *at != nullptr; ++at) {
    const std::string_view entry = *at;
    const std::string_view name = entry.substr(0, entry.find('='));
    const std::size_t gap = name.find("__", prefix.size());
    if (!name.starts_with(prefix) || name.size() == entry.size() || gap == std::string_view::npos) {
      continue;
    }
    const std::string key = lower_ascii(name.substr(prefix.size(), gap - prefix.size())) + "." +
                            lower_ascii(name.substr(gap + 2));
    Given given{
        std::string(entry.substr(name.size() + 1)), {}, false, "environment " + std::string(name)};
    for (const std::string_view part : split(given.text, ',')) {
      if (!trim(part).empty()) given.list.emplace_back(trim(part));
    }
    given_[key] = std::move(given);
  }
}

Result<Config> Config::load(Disk& disk, const Path& path, std::string_view environment_prefix) {
  Config config;
  if (!path.empty()) TRY(config.read_toml(disk, path));
  config.read_environment(std::string(environment_prefix) + "_");
  return config;
}

const Config::Given* Config::take(const std::string& key, const std::string& shown_default) {
  asked_.insert(key);
  const auto found = given_.find(key);
  if (found == given_.end()) {
    in_force_[key] = {shown_default, "default"};
    return nullptr;
  }
  in_force_[key] = {found->second.is_list ? join(found->second.list, ",") : found->second.text,
                    found->second.where};
  return &found->second;
}

void Config::fault(const Given& given, const std::string& key, const std::string& wanted) {
  faults_.push_back(given.where + ": " + key + " must be " + wanted);
}

void Config::set(const std::string& key,
                 std::vector<std::string> values,
                 const std::string& where) {
  Given& given = given_[key];
  given.text = values.empty() ? std::string() : values.front();
  given.is_list = false;
  given.list = std::move(values);
  given.where = where;
}

std::string Config::text(const std::string& key, const std::string& otherwise) {
  const Given* const given = take(key, otherwise);
  if (given == nullptr) return otherwise;
  if (given->is_list) fault(*given, key, "a text");
  return given->text;
}

bool Config::flag(const std::string& key, bool otherwise) {
  const Given* const given = take(key, otherwise ? "true" : "false");
  if (given == nullptr) return otherwise;
  if (given->text != "true" && given->text != "false") fault(*given, key, "true or false");
  return given->text == "true";
}

std::uint64_t Config::number(const std::string& key, std::uint64_t otherwise, std::uint64_t max) {
  const Given* const given = take(key, std::to_string(otherwise));
  if (given == nullptr) return otherwise;
  const auto value = parse_decimal(given->text);
  if (value && *value <= max) return *value;
  fault(*given, key, "a whole number up to " + std::to_string(max));
  return otherwise;
}

std::chrono::milliseconds Config::duration(const std::string& key,
                                           std::chrono::milliseconds otherwise) {
  const Given* const given = take(key, std::to_string(otherwise.count()) + "ms");
  if (given == nullptr) return otherwise;
  if (const auto value = parse_short_duration(given->text)) return *value;
  fault(*given, key, "a duration such as 500ms, 10s, 5m, 2h or 90d");
  return otherwise;
}

std::uint64_t Config::size(const std::string& key, std::uint64_t otherwise) {
  const Given* const given = take(key, std::to_string(otherwise));
  if (given == nullptr) return otherwise;
  if (const auto value = parse_size(given->text)) return *value;
  fault(*given, key, "a size such as 4096, 64MiB or 10GiB");
  return otherwise;
}

std::vector<std::string> Config::list(const std::string& key,
                                      const std::vector<std::string>& otherwise) {
  const Given* const given = take(key, join(otherwise, ","));
  if (given == nullptr) return otherwise;
  const bool text = given->where.starts_with("environment ") || given->where.starts_with("--");
  if (given->is_list || text) return given->list;
  fault(*given, key, "a list: [\"…\"]");
  return otherwise;
}

Result<void> Config::finish() const {
  std::string all;
  for (const std::string& fault : faults_)
    all += (all.empty() ? "" : "\n") + fault;
  for (const auto& [key, given] : given_) {
    if (asked_.contains(key)) continue;
    all += (all.empty() ? "" : "\n") + given.where + ": '" + printable(key) + "' is not known";
    if (const auto near = did_you_mean(key, asked_)) all += "; did you mean '" + *near + "'?";
  }
  if (all.empty()) return {};
  return Error(Code::invalid, all);
}

Result<std::chrono::milliseconds> parse_short_duration(std::string_view text) {
  const Error wrong(Code::invalid, "'" + printable(text) + "' is not a duration such as 10s");
  const std::size_t end = text.find_first_not_of("0123456789");
  if (end == 0 || end == std::string_view::npos) return wrong;
  const auto value = parse_decimal(text.substr(0, end));
  const std::string_view unit = text.substr(end);
  const std::int64_t ms = unit == "ms"  ? 1
                          : unit == "s" ? 1000
                          : unit == "m" ? 60'000
                          : unit == "h" ? 3'600'000
                          : unit == "d" ? 86'400'000
                                        : 0;
  if (!value || ms == 0 || *value > 1'000'000'000) return wrong;
  return std::chrono::milliseconds(static_cast<std::int64_t>(*value) * ms);
}

Result<std::uint64_t> parse_size(std::string_view text) {
  const Error wrong(Code::invalid, "'" + printable(text) + "' is not a size such as 64MiB");
  const std::size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  const auto value = parse_decimal(text.substr(0, end));
  const std::string_view unit = text.substr(end);
  const unsigned shift = unit.empty() || unit == "B" ? 0
                         : unit == "KiB"             ? 10
                         : unit == "MiB"             ? 20
                         : unit == "GiB"             ? 30
                         : unit == "TiB"             ? 40
                                                     : 99;
  if (!value || shift == 99 || *value > (~std::uint64_t{0} >> shift)) return wrong;
  return *value << shift;
}

std::optional<std::string> did_you_mean(std::string_view word, const std::set<std::string>& known) {
  std::optional<std::string> best;
  std::size_t best_distance = 3;  // More than two slips is another word.
  for (const std::string& candidate : known) {
    std::vector<std::size_t> row(candidate.size() + 1);
    for (std::size_t i = 0; i < row.size(); ++i)
      row[i] = i;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t k = 1; k < row.size(); ++k) {
        const std::size_t above = row[k];
        row[k] = std::min(
            {above + 1, row[k - 1] + 1, diagonal + (word[i - 1] == candidate[k - 1] ? 0u : 1u)});
        diagonal = above;
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace versement
