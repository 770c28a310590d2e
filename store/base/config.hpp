// Configuration: a TOML file behind settings with types. The only toml++.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement {

// The settings of a file, by "section.key", overridden by environment variables
// PREFIX_SECTION__KEY. Each value is asked for once with its type; what nobody asked for is unknown
// and refused, with line and column.
class Config {
 public:
  // An empty path: no file, environment only. Errors: not_found; invalid with line and column.
  static Result<Config> load(Disk& disk, const Path& path, std::string_view environment_prefix);

  // What a flag of the command line says goes before file and environment. An empty value is an
  // empty value.
  void set(const std::string& key, std::vector<std::string> values, const std::string& where);

  std::string text(const std::string& key, const std::string& otherwise);
  bool flag(const std::string& key, bool otherwise);
  std::uint64_t number(const std::string& key, std::uint64_t otherwise, std::uint64_t max);
  // "10s", "5m", "2h", "90d".
  std::chrono::milliseconds duration(const std::string& key, std::chrono::milliseconds otherwise);
  // "10GiB", "64MiB", "4096".
  std::uint64_t size(const std::string& key, std::uint64_t otherwise);
  std::vector<std::string> list(const std::string& key, const std::vector<std::string>& otherwise);

  // Errors: invalid, naming every fault: values of another type, unknown keys and what may have
  // been meant.
  Result<void> finish() const;

  // What was asked for, with the value in force and where it came from.
  struct InForce {
    std::string value;
    std::string source;  // "default", "FILE:LINE", "environment NAME"
  };
  const std::map<std::string, InForce>& in_force() const { return in_force_; }

 private:
  struct Given {
    std::string text;               // of a scalar
    std::vector<std::string> list;  // of an array
    bool is_list = false;
    std::string where;
  };
  Result<void> read_toml(Disk& disk, const Path& path);
  void read_environment(std::string_view prefix);
  const Given* take(const std::string& key, const std::string& shown_default);
  void fault(const Given& given, const std::string& key, const std::string& wanted);

  std::map<std::string, Given> given_;
  std::set<std::string> asked_;
  std::map<std::string, InForce> in_force_;
  std::vector<std::string> faults_;
};

Result<std::chrono::milliseconds> parse_short_duration(std::string_view text);
Result<std::uint64_t> parse_size(std::string_view text);

// The one of `known` that is nearest to a mistyped word, if any is near.
std::optional<std::string> did_you_mean(std::string_view word, const std::set<std::string>& known);

}  // namespace versement
