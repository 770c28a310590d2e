#include "mets/xml.hpp"

#include <cassert>

#include <pugixml.hpp>

#include "mets/xml_guard.hpp"
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
  // What pugixml lets by, and what would cost it memory or us the stack, is refused before.
  TRY(guard_xml(bytes));
  auto state = std::make_unique<State>();
  const pugi::xml_parse_result parsed = state->document.load_buffer(
      bytes.data(), bytes.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!parsed) {
    return Error(Code::invalid,
                 "byte " + std::to_string(parsed.offset) + ": " + parsed.description())
        .as("xml-syntax");
  }
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
