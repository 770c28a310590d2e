#include "mets/xml.hpp"

#include <cassert>
#include <set>

#include <pugixml.hpp>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_forbidden_control(unsigned char c) {
  return c < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

}  // namespace

std::string xml_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      // Written as they are they would come back as blanks from an attribute.
      case '\t':
        out += "&#9;";
        break;
      case '\n':
        out += "&#10;";
        break;
      case '\r':
        out += "&#13;";
        break;
      default:
        if (is_forbidden_control(static_cast<unsigned char>(c))) {
          out += kReplacement;
        } else if (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF") {
          out += kReplacement;  // U+FFFE and U+FFFF are no characters of XML.
          i += 2;
        } else {
          out += c;
        }
    }
  }
  return out;
}

XmlWriter::XmlWriter() : out_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}
XmlWriter::~XmlWriter() {
  assert(open_.empty());
}

void XmlWriter::start(std::string_view name, std::initializer_list<Attribute> attributes) {
  out_.append(2 * open_.size(), ' ');
  out_ += '<';
  out_ += name;
  for (const auto& [key, value] : attributes) {
    if (value.empty()) continue;
    out_ += ' ';
    out_ += key;
    out_ += "=\"";
    out_ += xml_escaped(value);
    out_ += '"';
  }
}

void XmlWriter::open(std::string_view name, std::initializer_list<Attribute> attributes) {
  start(name, attributes);
  out_ += ">\n";
  open_.emplace_back(name);
}

void XmlWriter::close() {
  assert(!open_.empty());
  const std::string name = std::move(open_.back());
  open_.pop_back();
  out_.append(2 * open_.size(), ' ');
  out_ += "</" + name + ">\n";
}

void XmlWriter::empty(std::string_view name, std::initializer_list<Attribute> attributes) {
  start(name, attributes);
  out_ += "/>\n";
}

void XmlWriter::text(std::string_view name,
                     std::string_view value,
                     std::initializer_list<Attribute> attributes) {
  start(name, attributes);
  out_ += '>';
  out_ += xml_escaped(value);
  out_ += "</";
  out_ += name;
  out_ += ">\n";
}

void XmlWriter::comment(std::string_view value) {
  assert(value.find("--") == std::string_view::npos);
  out_.append(2 * open_.size(), ' ');
  out_ += "<!-- ";
  out_ += value;
  out_ += " -->\n";
}

std::string XmlWriter::take() {
  assert(open_.empty());
  return std::move(out_);
}

// ---------------------------------------------------------------------------- reading

namespace {

Error wrong(std::string_view reason, const std::string& what) {
  return Error(Code::invalid, what).as(reason);
}

bool has_forbidden_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_forbidden_control(static_cast<unsigned char>(text[i]))) return true;
    const std::string_view three = text.substr(i, 3);
    if (three == "\xEF\xBF\xBE" || three == "\xEF\xBF\xBF") return true;
  }
  return false;
}

// What pugixml lets by. Walks without recursion: the depth is the document's, not ours.
class Checker : public pugi::xml_tree_walker {
 public:
  bool for_each(pugi::xml_node& node) override {
    if (depth() >= static_cast<int>(limits::kXmlDepthMax)) {
      return fail(Error(Code::limit, "elements nest more than 256 deep").as("xml-depth"));
    }
    if (node.type() == pugi::node_doctype) {
      return fail(
          wrong("xml-doctype", "a DOCTYPE is not accepted: it can name files and entities"));
    }
    // References to characters may have made what the bytes did not hold: check the text itself.
    if (has_forbidden_character(node.value()) || !is_utf8(node.value())) {
      return fail(wrong("xml-character", "a text holds a character that XML forbids"));
    }
    if (node.type() == pugi::node_element && depth() == 0 && ++roots_ > 1) {
      return fail(wrong("xml-roots", "there is more than one root element"));
    }
    if (node.type() == pugi::node_pcdata && depth() == 0) {
      return fail(wrong("xml-roots", "there is text outside the root element"));
    }
    return attributes(node);
  }

  int roots() const { return roots_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  bool fail(Error error) {
    error_ = std::move(error);
    return false;
  }

  bool attributes(const pugi::xml_node& node) {
    std::set<std::string_view> seen;
    for (const pugi::xml_attribute attribute : node.attributes()) {
      if (!seen.insert(attribute.name()).second) {
        return fail(wrong("xml-attribute", "the attribute '" + printable(attribute.name()) +
                                               "' stands twice in one element"));
      }
      if (has_forbidden_character(attribute.value()) || !is_utf8(attribute.value())) {
        return fail(wrong("xml-character", "an attribute holds a character that XML forbids"));
      }
    }
    return true;
  }

  int roots_ = 0;
  std::optional<Error> error_;
};

}  // namespace

struct XmlDocument::State {
  pugi::xml_document document;
};

XmlDocument::XmlDocument(std::unique_ptr<State> state) : state_(std::move(state)) {}
XmlDocument::XmlDocument(XmlDocument&&) noexcept = default;
XmlDocument& XmlDocument::operator=(XmlDocument&&) noexcept = default;
XmlDocument::~XmlDocument() = default;

Result<XmlDocument> XmlDocument::parse(std::string_view bytes) {
  if (bytes.size() > limits::kXmlBytesMax) {
    return Error(Code::limit, "XML of " + human_bytes(bytes.size())).as("xml-size");
  }
  if (const auto bad = first_invalid_utf8(bytes)) {
    return wrong("xml-encoding", "byte " + std::to_string(*bad) + ": not UTF-8");
  }
  auto state = std::make_unique<State>();
  constexpr unsigned kFlags = pugi::parse_default | pugi::parse_doctype | pugi::parse_fragment;
  const pugi::xml_parse_result parsed =
      state->document.load_buffer(bytes.data(), bytes.size(), kFlags, pugi::encoding_utf8);
  if (!parsed) {
    return wrong("xml-syntax",
                 "byte " + std::to_string(parsed.offset) + ": " + parsed.description());
  }
  Checker checker;
  state->document.traverse(checker);
  if (checker.error()) return *checker.error();
  if (checker.roots() != 1) return wrong("xml-roots", "there is no root element");
  return XmlDocument(std::move(state));
}

XmlElement XmlDocument::root() const {
  XmlElement root;
  root.node_ = state_->document.document_element().internal_object();
  return root;
}

namespace {

pugi::xml_node node_of(void* node) {
  return pugi::xml_node(static_cast<pugi::xml_node_struct*>(node));
}

}  // namespace

std::string_view XmlElement::name() const {
  return node_of(node_).name();
}

std::string_view XmlElement::attribute(std::string_view name) const {
  return node_of(node_).attribute(std::string(name).c_str()).value();
}

std::string_view XmlElement::text() const {
  return node_of(node_).child_value();
}

void XmlElement::for_each_child(const std::function<void(const XmlElement&)>& each) const {
  for (const pugi::xml_node child : node_of(node_).children()) {
    if (child.type() != pugi::node_element) continue;
    XmlElement element;
    element.node_ = child.internal_object();
    each(element);
  }
}

}  // namespace versement::mets
