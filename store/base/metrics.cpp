#include "store/base/metrics.hpp"

#include <array>
#include <cassert>
#include <cmath>
#include <cstdio>

namespace versement {
namespace {

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out;
}

std::string number(double value) {
  std::array<char, 40> buffer{};
  const bool whole = std::floor(value) == value && std::fabs(value) < 1e15;
  (void)std::snprintf(buffer.data(), buffer.size(), whole ? "%.0f" : "%.17g", value);
  return buffer.data();
}

}  // namespace

void Metrics::describe(const std::string& name, Kind kind, const std::string& help) {
  const std::scoped_lock lock(mutex_);
  families_[name].kind = kind;
  families_[name].help = help;
}

void Metrics::add(const std::string& name, const Labels& labels, double by) {
  const std::scoped_lock lock(mutex_);
  assert(families_.contains(name));
  families_[name].values[labels] += by;
}

void Metrics::set(const std::string& name, const Labels& labels, double value) {
  const std::scoped_lock lock(mutex_);
  assert(families_.contains(name));
  families_[name].values[labels] = value;
}

void Metrics::clear(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  families_[name].values.clear();
}

std::string Metrics::render() const {
  const std::scoped_lock lock(mutex_);
  std::string out;
  for (const auto& [name, family] : families_) {
    out += "# HELP " + name + " " + escaped(family.help) + "\n";
    out += "# TYPE " + name + (family.kind == Kind::counter ? " counter\n" : " gauge\n");
    for (const auto& [labels, value] : family.values) {
      out += name;
      if (!labels.empty()) {
        char separator = '{';
        for (const auto& [label, text] : labels) {
          out += separator + label + "=\"" + escaped(text) + "\"";
          separator = ',';
        }
        out += '}';
      }
      out += " " + number(value) + "\n";
    }
  }
  return out;
}

}  // namespace versement
