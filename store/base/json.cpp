#include "store/base/json.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/src.hpp>
#include <boost/json/value_stack.hpp>

#include "store/base/characters.hpp"
#include "store/base/text.hpp"

namespace versement::json {
namespace {

// Builds the value and refuses names that an object has already: two readers might pick different
// ones.
class Handler {
 public:
  // NOLINTBEGIN(readability-identifier-naming): the parser asks for these names.
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);
  // NOLINTEND(readability-identifier-naming)

  using Ec = boost::json::error_code;
  using View = boost::json::string_view;

  bool on_document_begin(Ec& /*ec*/) {
    stack_.reset();
    return true;
  }
  bool on_document_end(Ec& /*ec*/) { return true; }
  bool on_object_begin(Ec& /*ec*/) {
    names_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t count, Ec& /*ec*/) {
    names_.pop_back();
    stack_.push_object(count);
    return true;
  }
  bool on_array_begin(Ec& /*ec*/) { return true; }
  bool on_array_end(std::size_t count, Ec& /*ec*/) {
    stack_.push_array(count);
    return true;
  }
  bool on_key_part(View part, std::size_t /*count*/, Ec& /*ec*/) {
    key_.append(part.data(), part.size());
    return true;
  }
  bool on_key(View part, std::size_t /*count*/, Ec& ec) {
    key_.append(part.data(), part.size());
    stack_.push_key(key_);
    const auto [at, inserted] = names_.back().insert(std::exchange(key_, std::string()));
    if (inserted) return true;
    duplicate_ = *at;
    ec = boost::json::error::syntax;
    return false;
  }
  bool on_string_part(View part, std::size_t /*count*/, Ec& /*ec*/) {
    stack_.push_chars(part);
    return true;
  }
  bool on_string(View part, std::size_t /*count*/, Ec& /*ec*/) {
    stack_.push_string(part);
    return true;
  }
  bool on_number_part(View /*part*/, Ec& /*ec*/) { return true; }
  bool on_int64(std::int64_t value, View /*text*/, Ec& /*ec*/) {
    stack_.push_int64(value);
    return true;
  }
  bool on_uint64(std::uint64_t value, View /*text*/, Ec& /*ec*/) {
    stack_.push_uint64(value);
    return true;
  }
  bool on_double(double value, View /*text*/, Ec& ec) {
    if (!std::isfinite(value)) {  // "1e999" is grammar, but no number that we could keep.
      ec = boost::json::error::not_number;
      return false;
    }
    stack_.push_double(value);
    return true;
  }
  bool on_bool(bool value, Ec& /*ec*/) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(Ec& /*ec*/) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(View /*part*/, Ec& /*ec*/) { return true; }
  bool on_comment(View /*part*/, Ec& /*ec*/) { return true; }

  Value release() { return stack_.release(); }
  const std::string& duplicate() const { return duplicate_; }

 private:
  boost::json::value_stack stack_;
  std::vector<std::unordered_set<std::string>> names_;
  std::string key_;
  std::string duplicate_;
};

// What is no UTF-8 is replaced (U+FFFD): whatever we write, we and others can read again.
std::string repaired(std::string_view text) {
  std::string out;
  while (const auto bad = first_invalid_utf8(text)) {
    out += text.substr(0, *bad);
    out += "\xEF\xBF\xBD";
    text.remove_prefix(*bad + 1);
  }
  return out += text;
}

void write_string(std::string_view text, std::string* out) {
  if (!is_utf8(text)) return write_string(repaired(text), out);
  *out += '"';
  for (const char c : text) {
    const auto value = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      *out += '\\';
      *out += c;
    } else if (value < 0x20) {
      constexpr std::string_view kShort = "btnvfr";  // 0x08 to 0x0D
      if (value >= 0x08 && value <= 0x0D && value != 0x0B) {
        *out += '\\';
        *out += kShort[value - 0x08u];
      } else {
        *out += "\\u00";
        *out += "0123456789abcdef"[value >> 4];
        *out += "0123456789abcdef"[value & 15u];
      }
    } else {
      *out += c;
    }
  }
  *out += '"';
}

// `indent` is negative for the compact form. Depth is bounded: values come from parse() or from us.
class Writer {
 public:
  explicit Writer(bool pretty) : pretty_(pretty) {}

  void value(const Value& value) {
    switch (value.kind()) {
      case boost::json::kind::object:
        object(value.get_object());
        break;
      case boost::json::kind::array:
        array(value.get_array());
        break;
      case boost::json::kind::string:
        write_string(value.get_string(), &out_);
        break;
      default:
        out_ += boost::json::serialize(value);
    }
  }

  void object(const Object& object) {
    std::vector<std::pair<std::string_view, const Value*>> members;
    members.reserve(object.size());
    for (const auto& member : object)
      members.emplace_back(member.key(), &member.value());
    std::sort(members.begin(), members.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    out_ += '{';
    ++depth_;
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i > 0) out_ += ',';
      line();
      write_string(members[i].first, &out_);
      out_ += pretty_ ? ": " : ":";
      value(*members[i].second);
    }
    --depth_;
    if (!members.empty()) line();
    out_ += '}';
  }

  std::string take() { return std::move(out_); }

 private:
  void array(const Array& array) {
    out_ += '[';
    ++depth_;
    for (std::size_t i = 0; i < array.size(); ++i) {
      if (i > 0) out_ += ',';
      line();
      value(array[i]);
    }
    --depth_;
    if (!array.empty()) line();
    out_ += ']';
  }

  void line() {
    if (pretty_) out_ += '\n' + std::string(2 * depth_, ' ');
  }

  bool pretty_;
  std::size_t depth_ = 0;
  std::string out_;
};

const Value* find_in(const Object& object, std::string_view name) {
  return object.if_contains(name);
}

}  // namespace

Result<Value> parse(std::string_view text, std::size_t bytes_max) {
  if (text.size() > bytes_max) {
    return Error(Code::limit, "JSON of " + std::to_string(text.size()) + " bytes; at most " +
                                  std::to_string(bytes_max) + " are read");
  }
  boost::json::parse_options options;
  options.max_depth = limits::kJsonDepthMax;
  boost::json::basic_parser<Handler> parser(options);
  boost::json::error_code ec;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && consumed < text.size()) {
    const std::string_view rest = text.substr(consumed);
    if (rest.find_first_not_of(" \t\r\n") != std::string_view::npos) {
      ec = boost::json::error::extra_data;
    }
  }
  if (!ec) return parser.handler().release();
  const std::string& duplicate = parser.handler().duplicate();
  if (!duplicate.empty() || ec == boost::json::error::syntax) {
    // The parser's own syntax errors leave `duplicate` empty, and so does a repeated "".
    if (!duplicate.empty()) {
      return Error(Code::invalid, "byte " + std::to_string(consumed) + ": the name '" +
                                      printable(duplicate) + "' stands twice in one object");
    }
  }
  const bool deep = ec == boost::json::error::too_deep;
  return Error(deep ? Code::limit : Code::invalid,
               "byte " + std::to_string(consumed) + ": not JSON (" + ec.message() + ")");
}

Result<Object> parse_object(std::string_view text, std::size_t bytes_max) {
  TRY_SET(Value value, parse(text, bytes_max));
  if (!value.is_object()) return Error(Code::invalid, "not a JSON object");
  return std::move(value.get_object());
}

std::string write(const Value& value) {
  Writer writer(false);
  writer.value(value);
  return writer.take();
}

std::string write(const Object& object) {
  Writer writer(false);
  writer.object(object);
  return writer.take();
}

std::string write_pretty(const Value& value) {
  Writer writer(true);
  writer.value(value);
  return writer.take();
}

std::string text_at(const Object& object, std::string_view name) {
  const Value* const value = find_in(object, name);
  return value != nullptr && value->is_string() ? std::string(std::string_view(value->get_string()))
                                                : std::string();
}

std::uint64_t number_at(const Object& object, std::string_view name) {
  const Value* const value = find_in(object, name);
  if (value == nullptr) return 0;
  if (value->is_uint64()) return value->get_uint64();
  if (value->is_int64() && value->get_int64() >= 0) {
    return static_cast<std::uint64_t>(value->get_int64());
  }
  return 0;
}

bool flag_at(const Object& object, std::string_view name) {
  const Value* const value = find_in(object, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

const Object& object_at(const Object& object, std::string_view name) {
  static const Object none;
  const Value* const value = find_in(object, name);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

const Array& array_at(const Object& object, std::string_view name) {
  static const Array none;
  const Value* const value = find_in(object, name);
  return value != nullptr && value->is_array() ? value->get_array() : none;
}

const Value* Reader::find(std::string_view name, bool required) {
  asked_.emplace_back(name);
  const Value* const value = find_in(object_, name);
  if (value == nullptr && required) fault(name, "missing", "'" + std::string(name) + "' is needed");
  return value;
}

std::optional<std::string> Reader::text(std::string_view name, Rule rule) {
  const Value* const value = find(name, rule.required);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) {
    fault(name, "wrong-type", "'" + std::string(name) + "' must be a text");
    return std::nullopt;
  }
  const std::string_view found = value->get_string();
  if (found.size() > rule.bytes_max) {
    fault(name, "too-long",
          "'" + std::string(name) + "' may have at most " + std::to_string(rule.bytes_max) +
              " bytes");
    return std::nullopt;
  }
  if (const auto control = first_control(found)) {
    fault(name, "control-character",
          "'" + std::string(name) + "' has the control character " + *control);
    return std::nullopt;
  }
  if (rule.required && found.empty()) {
    fault(name, "missing", "'" + std::string(name) + "' must not be empty");
    return std::nullopt;
  }
  return std::string(found);
}

std::optional<std::uint64_t> Reader::number(std::string_view name,
                                            std::uint64_t max,
                                            bool required) {
  const Value* const value = find(name, required);
  if (value == nullptr) return std::nullopt;
  const bool whole = value->is_uint64() || (value->is_int64() && value->get_int64() >= 0);
  const std::uint64_t found = number_at(object_, name);
  if (!whole || found > max) {
    fault(name, "out-of-range",
          "'" + std::string(name) + "' must be a whole number from 0 to " + std::to_string(max));
    return std::nullopt;
  }
  return found;
}

std::optional<bool> Reader::flag(std::string_view name) {
  const Value* const value = find(name, false);
  if (value == nullptr) return std::nullopt;
  if (!value->is_bool()) {
    fault(name, "wrong-type", "'" + std::string(name) + "' must be true or false");
    return std::nullopt;
  }
  return value->get_bool();
}

std::optional<Timestamp> Reader::time(std::string_view name) {
  const auto found = text(name, Rule{.bytes_max = 64});
  if (!found) return std::nullopt;
  auto parsed = Timestamp::parse(*found);
  if (!parsed) {
    fault(name, "bad-time", parsed.error().what());
    return std::nullopt;
  }
  return *parsed;
}

const Object* Reader::object(std::string_view name, bool required) {
  const Value* const value = find(name, required);
  if (value == nullptr) return nullptr;
  if (!value->is_object()) {
    fault(name, "wrong-type", "'" + std::string(name) + "' must be an object");
    return nullptr;
  }
  return &value->get_object();
}

const Array* Reader::array(std::string_view name, std::size_t count_max, bool required) {
  const Value* const value = find(name, required);
  if (value == nullptr) return nullptr;
  if (!value->is_array()) {
    fault(name, "wrong-type", "'" + std::string(name) + "' must be a list");
    return nullptr;
  }
  if (value->get_array().size() > count_max) {
    fault(name, "too-many",
          "'" + std::string(name) + "' may have at most " + std::to_string(count_max) + " entries");
    return nullptr;
  }
  return &value->get_array();
}

void Reader::fault(std::string_view name, std::string_view code, std::string detail) {
  faults_.push_back({pointer_of(name), std::string(code), std::move(detail)});
}

void Reader::take(std::vector<Fault> more) {
  faults_.insert(faults_.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
}

std::string Reader::pointer_of(std::string_view name) const {
  std::string out = pointer_ + "/";
  for (const char c : name) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::vector<Fault> Reader::faults() && {
  for (const auto& member : object_) {
    const std::string_view name = member.key();
    if (std::find(asked_.begin(), asked_.end(), name) == asked_.end()) {
      fault(name, "unknown-member", "'" + printable(name.substr(0, 100)) + "' is not known here");
    }
  }
  return std::move(faults_);
}

}  // namespace versement::json
