// JSON: strict reading, canonical writing. The only door to Boost.JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/value.hpp>

#include "store/base/limits.hpp"
#include "store/base/result.hpp"
#include "store/base/time.hpp"

namespace versement::json {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

// Reads one JSON text (RFC 8259): UTF-8 without BOM, no duplicate names, no more than
// kJsonDepthMax deep, nothing after it. Errors: invalid, with the byte; limit.
Result<Value> parse(std::string_view text, std::size_t bytes_max = limits::kJsonBodyBytesMax);
// The same for a text that must be an object.
Result<Object> parse_object(std::string_view text,
                            std::size_t bytes_max = limits::kJsonBodyBytesMax);

// Canonical: names sorted as bytes, no blanks, only what must be escaped is. The same value gives
// the same bytes.
std::string write(const Value& value);
std::string write(const Object& object);
// The same, indented, for people and files that people read.
std::string write_pretty(const Value& value);

// Lenient look-ups in values of our own making: a default where the name or type is another.
std::string text_at(const Object& object, std::string_view name);
std::uint64_t number_at(const Object& object, std::string_view name);
bool flag_at(const Object& object, std::string_view name);
const Object& object_at(const Object& object, std::string_view name);
const Array& array_at(const Object& object, std::string_view name);

// One fault in a document from outside: where, a stable word, a sentence.
struct Fault {
  std::string pointer;  // RFC 6901
  std::string code;
  std::string detail;
};

// Reads an object from outside, name by name, and collects every fault instead of stopping at the
// first. Names that were never asked for are faults too.
//
//   Reader in(object, "");
//   const std::string title = in.text("title", {.required = true});
//   const std::vector<Fault> faults = std::move(in).faults();
class Reader {
 public:
  struct Rule {
    bool required = false;
    std::size_t bytes_max = 65536;
  };

  Reader(const Object& object, std::string pointer)
      : object_(object), pointer_(std::move(pointer)) {}

  std::optional<std::string> text(std::string_view name, Rule rule);
  std::optional<std::string> text(std::string_view name) { return text(name, Rule()); }
  std::optional<std::uint64_t> number(std::string_view name,
                                      std::uint64_t max,
                                      bool required = false);
  std::optional<bool> flag(std::string_view name);
  std::optional<Timestamp> time(std::string_view name);
  const Object* object(std::string_view name, bool required = false);
  const Array* array(std::string_view name, std::size_t count_max, bool required = false);

  void fault(std::string_view name, std::string_view code, std::string detail);
  void take(std::vector<Fault> more);
  std::string pointer_of(std::string_view name) const;

  // All faults, those for unknown names included. The reader is used up.
  std::vector<Fault> faults() &&;

 private:
  const Value* find(std::string_view name, bool required);

  const Object& object_;
  std::string pointer_;
  std::vector<std::string> asked_;
  std::vector<Fault> faults_;
};

}  // namespace versement::json
