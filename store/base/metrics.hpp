// Counters and gauges in the text format of Prometheus (version 0.0.4).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace versement {

// Labels in the order in which they are written: {{"code", "200"}, …}.
using Labels = std::map<std::string, std::string>;

// What the program counts. Thread safe.
class Metrics {
 public:
  enum class Kind { counter, gauge };

  // Says once what a name means; every name is described before it is used.
  void describe(const std::string& name, Kind kind, const std::string& help);
  void add(const std::string& name, const Labels& labels, double by = 1);
  void set(const std::string& name, const Labels& labels, double value);
  // Forgets all values of a name, before a set of labels that may have shrunk is written anew.
  void clear(const std::string& name);

  std::string render() const;

 private:
  struct Family {
    Kind kind = Kind::counter;
    std::string help;
    std::map<Labels, double> values;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;  // Guarded by mutex_.
};

}  // namespace versement
