#include "mets/xml_guard.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";

bool is_blank(char c) {
  return kBlanks.find(c) != std::string_view::npos;
}

// XML's letters beyond ASCII are not told apart: a name of them is only compared.
bool begins_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         static_cast<unsigned char>(c) >= 0x80;
}
bool in_name(char c) {
  return begins_name(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

class Guard {
 public:
  Guard(std::string_view text, std::size_t nodes_max) : text_(text), nodes_max_(nodes_max) {}

  Result<void> run() {
    TRY(check_encoding());
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
    if (rest().starts_with("<?xml") && rest().size() > 5 && is_blank(rest()[5])) {
      TRY(declaration());
    }
    while (at_ < text_.size()) {
      if (text_[at_] != '<') {
        TRY(characters());
      } else {
        TRY(markup());
      }
    }
    if (!open_.empty()) {
      return wrong("xml-syntax", "'" + printable(open_.back()) + "' is never closed");
    }
    return roots_ == 1 ? Result<void>() : wrong("xml-roots", "there is no root element");
  }

 private:
  std::string_view rest() const { return text_.substr(at_); }

  Error wrong(std::string_view reason, const std::string& what) const {
    return Error(Code::invalid, "byte " + std::to_string(at_) + ": " + what).as(reason);
  }
  Error limit(std::string_view reason, const std::string& what) const {
    return Error(Code::limit, "byte " + std::to_string(at_) + ": " + what).as(reason);
  }

  // ------------------------------------------------------------------ bytes

  Result<void> check_encoding() {
    const std::string_view begin = text_.substr(0, 4);
    if (begin.starts_with("\xFF\xFE") || begin.starts_with("\xFE\xFF") ||
        begin.find('\0') != std::string_view::npos) {
      return wrong("xml-encoding", "UTF-16 or UTF-32; write it as UTF-8");
    }
    const auto bad = first_invalid_utf8(text_);
    if (!bad) return {};
    at_ = *bad;
    return wrong("xml-encoding", "not UTF-8");
  }

  // What XML 1.0 section 2.2 has no character for. Requires: valid UTF-8.
  Result<void> check_characters(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto c = static_cast<unsigned char>(text[i]);
      const bool control = c < 0x20 && !is_blank(text[i]);
      const bool nonchar =
          c == 0xEF && (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF");
      if (!control && !nonchar) continue;
      at_ += i;
      return wrong("xml-character", "a character that XML forbids");
    }
    return {};
  }

  // The references of a text or value.
  Result<void> check_references(std::string_view text) {
    TRY(check_characters(text));
    for (std::size_t i = text.find('&'); i != std::string_view::npos; i = text.find('&', i + 1)) {
      const std::size_t end = text.substr(i, 64).find(';');
      if (end == std::string_view::npos) {
        at_ += i;
        return wrong("xml-entity", "an & that begins no reference; write &amp;");
      }
      TRY(check_reference(text.substr(i + 1, end - 1), i));
    }
    return {};
  }

  Result<void> check_reference(std::string_view name, std::size_t offset) {
    for (const std::string_view known : {"amp", "lt", "gt", "quot", "apos"}) {
      if (name == known) return {};
    }
    const bool hex = name.starts_with("#x");
    if (!name.starts_with('#')) {
      at_ += offset;
      return wrong("xml-entity", "the entity '" + printable(name) + "' is none of XML's five");
    }
    const std::string_view digits = name.substr(hex ? 2 : 1);
    std::uint32_t value = 0;
    bool good = !digits.empty();
    for (const char c : digits) {
      const std::string_view all = "0123456789abcdef";
      const char lower = c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c;
      const std::size_t digit = all.find(lower);
      good = good && digit < (hex ? 16u : 10u);
      if (!good) break;
      value = value * (hex ? 16 : 10) + static_cast<std::uint32_t>(digit);
      good = value <= 0x10FFFF;
    }
    const bool control = value < 0x20 && value != 9 && value != 10 && value != 13;
    const bool surrogate = value >= 0xD800 && value <= 0xDFFF;
    if (good && !control && !surrogate && value != 0xFFFE && value != 0xFFFF) return {};
    at_ += offset;
    return wrong("xml-character", "'&" + printable(name) + ";' is no character of XML");
  }

  // ------------------------------------------------------------------ markup

  Result<void> declaration() {
    const std::size_t end = rest().find("?>");
    if (end == std::string_view::npos) return wrong("xml-syntax", "<?xml is never closed");
    const std::string_view inside = rest().substr(5, end - 5);
    TRY(check_characters(inside));
    const auto value_of = [&](std::string_view name) -> std::string_view {
      const std::size_t at = inside.find(name);
      if (at == std::string_view::npos) return {};
      const std::size_t open = inside.find_first_of("\"'", at);
      if (open == std::string_view::npos) return {};
      return inside.substr(open + 1, inside.find(inside[open], open + 1) - open - 1);
    };
    if (value_of("version") != "1.0") return wrong("xml-syntax", "it is not XML 1.0");
    const std::string encoding = lower_ascii(value_of("encoding"));
    if (!encoding.empty() && encoding != "utf-8" && encoding != "us-ascii") {
      return wrong("xml-encoding",
                   "it calls itself " + printable(encoding.substr(0, 40)) + "; write it as UTF-8");
    }
    at_ += end + 2;
    return {};
  }

  Result<void> characters() {
    const std::size_t end = std::min(text_.find('<', at_), text_.size());
    const std::string_view text = text_.substr(at_, end - at_);
    if (open_.empty() && !trim(text, kBlanks).empty()) {
      return wrong("xml-roots", "there is text outside the root element");
    }
    if (const std::size_t cut = text.find("]]>"); cut != std::string_view::npos) {
      at_ += cut;
      return wrong("xml-syntax", "]]> outside of CDATA");
    }
    TRY(check_references(text));
    if (!trim(text, kBlanks).empty()) TRY(count());  // Blanks make no node.
    at_ = end;
    return {};
  }

  Result<void> markup() {
    if (rest().starts_with("<!--")) return comment();
    if (rest().starts_with("<![CDATA[")) {
      if (open_.empty()) return wrong("xml-roots", "there is CDATA outside the root element");
      return skip(9, "]]>");
    }
    if (rest().starts_with("<!DOCTYPE")) {
      return wrong("xml-doctype", "a DOCTYPE is not accepted: it can name files and entities");
    }
    if (rest().starts_with("<?")) return instruction();
    if (rest().starts_with("</")) return end_tag();
    return start_tag();
  }

  // Over what is not read further, up to its end.
  Result<void> skip(std::size_t begin, std::string_view end) {
    const std::size_t found = text_.find(end, at_ + begin);
    if (found == std::string_view::npos) {
      return wrong("xml-syntax", "no " + std::string(end) + " to the end");
    }
    TRY(check_characters(text_.substr(at_, found - at_)));
    TRY(count());
    at_ = found + end.size();
    return {};
  }

  Result<void> comment() {
    const std::size_t dashes = text_.find("--", at_ + 4);
    if (dashes != std::string_view::npos && text_.substr(dashes, 3) != "-->") {
      return wrong("xml-syntax", "-- inside a comment");
    }
    return skip(4, "-->");
  }

  Result<void> instruction() {
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n?", at_ + 2), text_.size());
    const std::string_view target = text_.substr(at_ + 2, end - at_ - 2);
    TRY(check_name(target));
    if (lower_ascii(target) == "xml") {
      return wrong("xml-syntax", "an XML declaration that is not at the beginning");
    }
    return skip(2, "?>");
  }

  Result<void> check_name(std::string_view name) {
    if (name.size() > kXmlNameBytesMax) {
      return limit("xml-name", "a name of " + std::to_string(name.size()) + " bytes");
    }
    if (!name.empty() && begins_name(name[0]) && std::all_of(name.begin(), name.end(), in_name)) {
      return {};
    }
    return wrong("xml-syntax", "'" + printable(name.substr(0, 40)) + "' is no name");
  }

  // The name that begins here.
  Result<std::string_view> name() {
    std::size_t end = at_;
    while (end < text_.size() && in_name(text_[end]))
      ++end;
    const std::string_view found = text_.substr(at_, end - at_);
    TRY(check_name(found));
    at_ = end;
    return found;
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_]))
      ++at_;
  }

  Result<void> start_tag() {
    if (open_.empty() && ++roots_ > 1) {
      return wrong("xml-roots", "there is more than one root element");
    }
    if (open_.size() == limits::kXmlDepthMax) {
      return limit("xml-depth", "elements nest more than 256 deep");
    }
    TRY(count());
    ++at_;
    TRY_SET(const std::string_view element, name());
    std::vector<std::string_view> attributes;
    while (true) {
      const bool blank = at_ < text_.size() && is_blank(text_[at_]);
      skip_blanks();
      if (at_ == text_.size()) return wrong("xml-syntax", "a tag without end");
      if (text_[at_] == '>' || text_[at_] == '/') break;
      if (!blank) return wrong("xml-syntax", "no blank before an attribute");
      TRY(attribute(&attributes));
    }
    open_.push_back(element);
    TRY(check_prefixes(element, attributes));
    const bool empty = text_[at_] == '/';
    if (empty) ++at_;
    if (at_ == text_.size() || text_[at_] != '>') return wrong("xml-syntax", "no > behind a /");
    ++at_;
    if (empty) leave();
    return {};
  }

  Result<void> attribute(std::vector<std::string_view>* attributes) {
    if (attributes->size() == kXmlAttributesMax) {
      return limit("xml-attribute-count", "an element with more than " +
                                              std::to_string(kXmlAttributesMax) + " attributes");
    }
    TRY(count());
    TRY_SET(const std::string_view attribute, name());
    if (std::find(attributes->begin(), attributes->end(), attribute) != attributes->end()) {
      return wrong("xml-attribute",
                   "the attribute '" + printable(attribute) + "' stands twice in one element");
    }
    attributes->push_back(attribute);
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != '=') {
      return wrong("xml-syntax", "an attribute without a value");
    }
    ++at_;
    skip_blanks();
    if (at_ == text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) {
      return wrong("xml-syntax", "a value without quotes");
    }
    const std::size_t end = text_.find(text_[at_], at_ + 1);
    if (end == std::string_view::npos) return wrong("xml-syntax", "a value without end");
    ++at_;
    const std::string_view value = text_.substr(at_, end - at_);
    if (value.find('<') != std::string_view::npos) return wrong("xml-syntax", "a < in a value");
    TRY(check_references(value));
    if (attribute.starts_with("xmlns:")) TRY(declare(attribute.substr(6), value));
    at_ = end + 1;
    return {};
  }

  // ------------------------------------------------------------------ namespaces

  Result<void> declare(std::string_view prefix, std::string_view uri) {
    if (prefix == "xmlns" || uri.empty()) {
      return wrong("xml-namespace", "the prefix '" + printable(prefix) + "' cannot be declared so");
    }
    prefixes_.emplace_back(open_.size() + 1, prefix);
    return {};
  }

  Result<void> check_prefixes(std::string_view element,
                              const std::vector<std::string_view>& attributes) {
    TRY(check_prefix(element));
    for (const std::string_view each : attributes) {
      if (!each.starts_with("xmlns:")) TRY(check_prefix(each));
    }
    return {};
  }

  Result<void> check_prefix(std::string_view name) {
    const std::size_t colon = name.find(':');
    if (colon == std::string_view::npos) return {};
    const std::string_view prefix = name.substr(0, colon);
    const std::string_view local = name.substr(colon + 1);
    const bool declared =
        prefix == "xml" || std::any_of(prefixes_.rbegin(), prefixes_.rend(),
                                       [&](const auto& each) { return each.second == prefix; });
    const bool good = !local.empty() && local.find(':') == std::string_view::npos;
    if (declared && good) return {};
    return wrong("xml-namespace",
                 "'" + printable(name.substr(0, 80)) +
                     (good ? "' has a prefix that is not declared" : "' is no name with a prefix"));
  }

  void leave() {
    while (!prefixes_.empty() && prefixes_.back().first >= open_.size())
      prefixes_.pop_back();
    open_.pop_back();
  }

  Result<void> end_tag() {
    at_ += 2;
    TRY_SET(const std::string_view closed, name());
    if (open_.empty() || open_.back() != closed) {
      return wrong("xml-syntax", "</" + printable(closed.substr(0, 80)) + "> closes nothing");
    }
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != '>') return wrong("xml-syntax", "a tag without end");
    ++at_;
    leave();
    return {};
  }

  Result<void> count() {
    if (++nodes_ <= nodes_max_) return {};
    return limit("xml-nodes",
                 "more than " + std::to_string(nodes_max_) + " elements and attributes");
  }

  const std::string_view text_;
  const std::size_t nodes_max_;
  std::size_t at_ = 0;
  std::size_t roots_ = 0;
  std::size_t nodes_ = 0;
  std::vector<std::string_view> open_;
  std::vector<std::pair<std::size_t, std::string_view>> prefixes_;  // with the depth that has them
};

}  // namespace

Result<void> guard_xml(std::string_view text, std::size_t nodes_max) {
  return Guard(text, nodes_max).run();
}

}  // namespace versement::mets
