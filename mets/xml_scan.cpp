#include "mets/xml_scan.hpp"

#include <algorithm>
#include <charconv>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::string_view kDoctype = "<!DOCTYPE";
// "&#x0010FFFF;" and some more noughts.
constexpr std::size_t kReferenceBytesMax = 64;

bool is_blank(char c) {
  return kBlanks.find(c) != std::string_view::npos;
}

// Bytes above ASCII are taken for letters: the few that are none do no harm in a name.
bool is_name_start(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == ':' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool is_name_part(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

// Cuts a name off the front; empty where there is none.
std::string_view take_name(std::string_view* from) {
  std::size_t length = 0;
  if (!from->empty() && is_name_start(from->front())) {
    while (length < from->size() && is_name_part((*from)[length]))
      ++length;
  }
  const std::string_view name = from->substr(0, length);
  from->remove_prefix(length);
  return name;
}

// How many were cut off.
std::size_t skip_blanks(std::string_view* from) {
  const std::size_t count = std::min(from->find_first_not_of(kBlanks), from->size());
  from->remove_prefix(count);
  return count;
}

bool is_character(std::uint32_t point) {
  return point == 0x9 || point == 0xA || point == 0xD || (point >= 0x20 && point <= 0xD7FF) ||
         (point >= 0xE000 && point <= 0xFFFD) || (point >= 0x10000 && point <= 0x10FFFF);
}

void append_utf8(std::uint32_t point, std::string* out) {
  const auto put = [&](std::uint32_t byte) { *out += static_cast<char>(byte); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xC0 | (point >> 6));
    put(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    put(0xE0 | (point >> 12));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  } else {
    put(0xF0 | (point >> 18));
    put(0x80 | ((point >> 12) & 0x3F));
    put(0x80 | ((point >> 6) & 0x3F));
    put(0x80 | (point & 0x3F));
  }
}

}  // namespace

std::string_view XmlTag::attribute(std::string_view name) const {
  for (const auto& [key, value] : attributes_) {
    if (key == name) return value;
  }
  return {};
}

struct XmlScanner::State {
  explicit State(XmlEvents& events_in) : events(events_in) {}

  XmlEvents& events;
  std::string held;          // the beginning of a token whose end has not come
  std::size_t searched = 0;  // of it, without finding that end
  char quote = 0;            // open there
  std::uint64_t offset = 0;  // of held in the document
  std::uint64_t length = 0;  // of the token that is looked at, which begins there
  bool in_root = false;
  bool had_root = false;
  std::vector<std::string> open;
  std::vector<std::pair<std::size_t, std::string>> prefixes;  // with the depth that has them
  XmlTag tag;
  std::string decoded;
  const char* taken = nullptr;    // where the token begins that is looked at
  std::uint64_t declared_at = 0;  // where a declaration may stand

  Error wrong(std::string_view reason, const std::string& what) const {
    return Error(Code::invalid, "byte " + std::to_string(offset) + ": " + what).as(reason);
  }
  // The same for a place within the token.
  Error wrong_at(const char* place, std::string_view reason, const std::string& what) const {
    const auto byte = offset + static_cast<std::uint64_t>(place - taken);
    return Error(Code::invalid, "byte " + std::to_string(byte) + ": " + what).as(reason);
  }
  Error limit(std::string_view reason, const std::string& what) const {
    return Error(Code::limit, "byte " + std::to_string(offset) + ": " + what).as(reason);
  }
  Error syntax(const std::string& what) const { return wrong("xml-syntax", what); }

  // The length of the token at the front of `text`, 0 when its end is not there yet.
  std::size_t token(std::string_view text) {
    if (text.front() != '<') {
      const std::size_t end = text.find('<', searched);
      return end == std::string_view::npos ? 0 : end;
    }
    const auto to = [&](std::string_view begin, std::string_view end) -> std::size_t {
      // The end may have begun in what was searched before, but not within the beginning.
      const std::size_t from =
          std::max(begin.size(), searched < end.size() ? 0 : searched - end.size());
      const std::size_t found = text.find(end, from);
      return found == std::string_view::npos ? 0 : found + end.size();
    };
    if (text.starts_with("<!--")) return to("<!--", "-->");
    if (text.starts_with("<![CDATA[")) return to("<![CDATA[", "]]>");
    if (text.starts_with("<?")) return to("<?", "?>");
    // It is refused: where it ends does not matter.
    if (text.starts_with(kDoctype)) return kDoctype.size();
    // Too short to tell what it is.
    for (const std::string_view begin : {std::string_view("<!--"), std::string_view("<![CDATA["),
                                         std::string_view("<?"), kDoctype}) {
      if (begin.starts_with(text)) return 0;
    }
    if (searched <= 1) quote = 0;
    for (std::size_t i = std::max<std::size_t>(searched, 1); i < text.size(); ++i) {
      const char c = text[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '>') {
        return i + 1;
      }
    }
    return 0;
  }

  Result<void> take(std::string_view text) {
    taken = text.data();
    if (const auto bad = first_invalid_utf8(text)) {
      return wrong_at(taken + *bad, "xml-encoding", "not UTF-8");
    }
    if (offset == 0) {
      if (text.substr(0, 4).find('\0') != std::string_view::npos) {
        return wrong("xml-encoding", "UTF-16 or UTF-32; write it as UTF-8");
      }
      if (text.starts_with(kByteOrderMark)) {
        text.remove_prefix(kByteOrderMark.size());
        declared_at = kByteOrderMark.size();
        if (text.empty()) return {};
      }
    }
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      const bool control = c < 0x20 && !is_blank(text[i]);
      const bool none =
          c == 0xEF && (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF");
      if (control || none) {
        return wrong_at(&text[i], "xml-character", "a character that XML forbids");
      }
    }
    if (text.front() != '<') return characters(text);
    if (text.starts_with("<!--")) return comment(text.substr(4, text.size() - 7));
    if (text.starts_with("<![CDATA[")) return data(text.substr(9, text.size() - 12));
    if (text.starts_with("<?")) return instruction(text.substr(2, text.size() - 4));
    if (text.starts_with(kDoctype)) {
      return wrong("xml-doctype", "a DOCTYPE is not accepted: it can name files and entities");
    }
    if (text.starts_with("</")) return end_tag(text.substr(2, text.size() - 3));
    return start_tag(text.substr(1, text.size() - 2));
  }

  Result<void> characters(std::string_view text) {
    if (!in_root) {
      if (text.find_first_not_of(kBlanks) == std::string_view::npos) return {};
      return wrong("xml-roots", "there is text outside the root element");
    }
    if (const std::size_t at = text.find("]]>"); at != std::string_view::npos) {
      return wrong_at(&text[at], "xml-syntax", "']]>' stands in a text");
    }
    TRY(decode(text, false));
    return events.text(decoded);
  }

  Result<void> comment(std::string_view text) const {
    if (text.find("--") != std::string_view::npos || text.ends_with('-')) {
      return syntax("'--' stands in a comment");
    }
    return {};
  }

  Result<void> data(std::string_view text) {
    if (!in_root) return wrong("xml-roots", "there is text outside the root element");
    return events.text(text);
  }

  Result<void> instruction(std::string_view text) const {
    const std::string_view name = take_name(&text);
    if (name.empty()) return syntax("a processing instruction without a name");
    TRY(check_length(name));
    if (!text.empty() && !is_blank(text.front())) {
      return syntax("the name of a processing instruction is none");
    }
    if (lower_ascii(name) != "xml") return {};
    if (name == "xml" && offset == declared_at) return declaration(text);
    return syntax("an XML declaration that is not at the beginning");
  }

  Result<void> declaration(std::string_view text) const {
    const auto value_of = [&](std::string_view name) -> std::string_view {
      const std::size_t at = text.find(name);
      if (at == std::string_view::npos) return {};
      const std::size_t quoted = text.find_first_of("\"'", at);
      if (quoted == std::string_view::npos) return {};
      return text.substr(quoted + 1, text.find(text[quoted], quoted + 1) - quoted - 1);
    };
    if (value_of("version") != "1.0") return syntax("it is not XML 1.0");
    const std::string encoding = lower_ascii(value_of("encoding"));
    if (encoding.empty() || encoding == "utf-8" || encoding == "us-ascii") return {};
    return wrong("xml-encoding",
                 "it calls itself " + printable(encoding.substr(0, 40)) + "; write it as UTF-8");
  }

  Result<void> check_length(std::string_view name) const {
    if (name.size() <= limits::kXmlNameBytesMax) return {};
    return limit("xml-name", "a name of " + std::to_string(name.size()) + " bytes");
  }

  Result<void> start_tag(std::string_view text) {
    const bool ends = text.ends_with('/');
    if (ends) text.remove_suffix(1);
    const std::string_view name = take_name(&text);
    if (name.empty()) return syntax("a tag without a name");
    TRY(check_length(name));
    if (!in_root && had_root) {
      return wrong("xml-roots", "there is more than one root element");
    }
    if (open.size() >= limits::kXmlDepthMax) {
      return limit("xml-depth", "elements nest more than 256 deep");
    }
    tag.name_ = name;
    tag.attributes_.clear();
    while (true) {
      const bool divided = skip_blanks(&text) > 0;
      if (text.empty()) break;
      if (!divided) return syntax("an attribute without a blank before it");
      TRY(attribute(&text));
    }
    std::vector<std::string_view> names;
    for (const auto& [key, value] : tag.attributes_)
      names.push_back(key);
    std::sort(names.begin(), names.end());
    if (const auto twice = std::adjacent_find(names.begin(), names.end()); twice != names.end()) {
      return wrong("xml-attribute",
                   "the attribute '" + printable(*twice) + "' stands twice in one element");
    }
    TRY(check_prefix(tag.name_));
    for (const auto& [key, value] : tag.attributes_) {
      if (!key.starts_with(kDeclares)) TRY(check_prefix(key));
    }
    had_root = true;
    TRY(events.open(tag));
    open.push_back(tag.name_);
    if (ends) TRY(leave());
    in_root = !open.empty();
    return {};
  }

  Result<void> attribute(std::string_view* text) {
    const std::string_view name = take_name(text);
    if (name.empty()) return syntax("an attribute without a name");
    TRY(check_length(name));
    if (tag.attributes_.size() == limits::kXmlAttributesMax) {
      return limit(
          "xml-attribute-count",
          "an element with more than " + std::to_string(limits::kXmlAttributesMax) + " attributes");
    }
    skip_blanks(text);
    if (!text->starts_with('=')) return syntax("an attribute without a value");
    text->remove_prefix(1);
    skip_blanks(text);
    if (text->empty() || (text->front() != '"' && text->front() != '\'')) {
      return syntax("the value of an attribute is not quoted");
    }
    const std::size_t end = text->find(text->front(), 1);
    if (end == std::string_view::npos) return syntax("the value of an attribute does not end");
    const std::string_view value = text->substr(1, end - 1);
    if (value.find('<') != std::string_view::npos) return syntax("'<' stands in an attribute");
    TRY(decode(value, true));
    text->remove_prefix(end + 1);
    tag.attributes_.emplace_back(name, decoded);
    return name.starts_with(kDeclares) ? declare(name.substr(kDeclares.size()), value)
                                       : Result<void>();
  }

  // ------------------------------------------------------------------ namespaces

  static constexpr std::string_view kDeclares = "xmlns:";

  Result<void> declare(std::string_view prefix, std::string_view uri) {
    if (prefix == "xmlns" || uri.empty()) {
      return wrong("xml-namespace", "the prefix '" + printable(prefix) + "' cannot be declared so");
    }
    prefixes.emplace_back(open.size() + 1, prefix);
    return {};
  }

  Result<void> check_prefix(std::string_view name) const {
    const std::size_t colon = name.find(':');
    if (colon == std::string_view::npos) return {};
    const std::string_view prefix = name.substr(0, colon);
    const std::string_view local = name.substr(colon + 1);
    const bool declared =
        prefix == "xml" || std::any_of(prefixes.rbegin(), prefixes.rend(),
                                       [&](const auto& each) { return each.second == prefix; });
    const bool good = !local.empty() && local.find(':') == std::string_view::npos;
    if (declared && good) return {};
    return wrong("xml-namespace",
                 "'" + printable(name.substr(0, 80)) +
                     (good ? "' has a prefix that is not declared" : "' is no name with a prefix"));
  }

  // Out of the element that is open last.
  Result<void> leave() {
    TRY(events.close(open.back()));
    while (!prefixes.empty() && prefixes.back().first >= open.size())
      prefixes.pop_back();
    open.pop_back();
    return {};
  }

  Result<void> end_tag(std::string_view text) {
    const std::string_view name = take_name(&text);
    skip_blanks(&text);
    if (name.empty() || !text.empty()) return syntax("an end tag is not one");
    if (open.empty() || open.back() != name) {
      return syntax("the end tag of '" + printable(name) + "' ends nothing that is open");
    }
    TRY(leave());
    in_root = !open.empty();
    return {};
  }

  // Replaces references and line ends (XML 1.0, 2.11 and 3.3.3).
  Result<void> decode(std::string_view text, bool value) {
    decoded.clear();
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (c == '&') {
        const std::size_t end = text.substr(i, kReferenceBytesMax).find(';');
        if (end == std::string_view::npos) {
          return wrong_at(&text[i], "xml-entity", "an & that begins no reference; write &amp;");
        }
        TRY(reference(text.substr(i + 1, end - 1)));
        i += end;
      } else if (c == '\r') {
        if (text.substr(i + 1, 1) != "\n") decoded += value ? ' ' : '\n';
      } else if (value && (c == '\n' || c == '\t')) {
        decoded += ' ';
      } else {
        decoded += c;
      }
    }
    return {};
  }

  Result<void> reference(std::string_view name) {
    constexpr std::pair<std::string_view, char> kNamed[] = {
        {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    for (const auto& [known, c] : kNamed) {
      if (name != known) continue;
      decoded += c;
      return {};
    }
    if (!name.starts_with('#')) {
      return wrong_at(name.data(), "xml-entity",
                      "the entity '" + printable(name) + "' is none of XML's five");
    }
    const bool hexadecimal = name.starts_with("#x");
    name.remove_prefix(hexadecimal ? 2 : 1);
    std::uint32_t point = 0;
    const auto [end, error] =
        std::from_chars(name.data(), name.data() + name.size(), point, hexadecimal ? 16 : 10);
    const bool number = error == std::errc() && end == name.data() + name.size();
    if (!number || !is_character(point)) {
      return wrong_at(name.data(), "xml-character", "a reference to a character that XML forbids");
    }
    append_utf8(point, &decoded);
    return {};
  }
};

XmlScanner::XmlScanner(XmlEvents& events) : state_(std::make_unique<State>(events)) {}
XmlScanner::~XmlScanner() = default;

Result<void> XmlScanner::feed(std::string_view piece) {
  State& s = *state_;
  if (s.offset + s.held.size() + piece.size() > limits::kXmlBytesMax) {
    return Error(Code::limit, "XML of more than " + human_bytes(limits::kXmlBytesMax))
        .as("xml-size");
  }
  s.held += piece;
  std::size_t done = 0;
  while (done < s.held.size()) {
    const std::string_view rest = std::string_view(s.held).substr(done);
    const std::size_t length = s.token(rest);
    if (length == 0) {
      s.searched = rest.size();
      if (rest.size() <= limits::kXmlTokenBytesMax) break;
      return Error(Code::limit,
                   "a tag or text of more than " + human_bytes(limits::kXmlTokenBytesMax))
          .as("xml-size");
    }
    s.searched = 0;
    s.length = length;
    TRY(s.take(rest.substr(0, length)));
    done += length;
    s.offset += length;
  }
  s.held.erase(0, done);
  return {};
}

Result<void> XmlScanner::finish() {
  State& s = *state_;
  if (!s.held.empty()) {
    if (s.held.front() == '<') return s.syntax("the document ends within a tag");
    s.length = s.held.size();
    TRY(s.take(s.held));
    s.held.clear();
  }
  if (!s.open.empty()) return s.syntax("the document ends before its elements do");
  if (!s.had_root) return s.wrong("xml-roots", "there is no root element");
  return {};
}

XmlScanner::Place XmlScanner::place() const {
  return {.begin = state_->offset, .end = state_->offset + state_->length};
}

Result<void> check_xml(std::string_view text) {
  class Silent : public XmlEvents {
    Result<void> open(const XmlTag& /*tag*/) override { return {}; }
    Result<void> text(std::string_view /*text*/) override { return {}; }
    Result<void> close(std::string_view /*name*/) override { return {}; }
  } silent;
  XmlScanner scanner(silent);
  for (; !text.empty(); text.remove_prefix(std::min(text.size(), limits::kChunkBytes)))
    TRY(scanner.feed(text.substr(0, limits::kChunkBytes)));
  return scanner.finish();
}

}  // namespace versement::mets
