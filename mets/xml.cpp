#include "mets/xml.hpp"

#include <cassert>

#include <pugixml.hpp>

#include "mets/xml_scan.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::mets {
namespace {

// What a writer keeps at most before it hands it on, but for one element.
constexpr std::size_t kPieceBytes = 64 * 1024;

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_forbidden_control(unsigned char c) {
  return c < 0x20 && c != '\t' && c != '\n' && c != '\r';
}

}  // namespace

void append_xml_escaped(std::string_view text, std::string* out) {
  std::size_t plain = 0;  // up to here everything was appended
  const auto instead = [&](std::size_t at, std::size_t length, std::string_view written) {
    out->append(text.substr(plain, at - plain));
    out->append(written);
    plain = at + length;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    switch (c) {
      case '&':
        instead(i, 1, "&amp;");
        break;
      case '<':
        instead(i, 1, "&lt;");
        break;
      case '>':
        instead(i, 1, "&gt;");
        break;
      case '"':
        instead(i, 1, "&quot;");
        break;
      // Written as they are they would come back as blanks from an attribute.
      case '\t':
        instead(i, 1, "&#9;");
        break;
      case '\n':
        instead(i, 1, "&#10;");
        break;
      case '\r':
        instead(i, 1, "&#13;");
        break;
      case '\xEF':  // U+FFFE and U+FFFF are no characters of XML.
        if (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF") {
          instead(i, 3, kReplacement);
          i += 2;
        }
        break;
      default:
        if (is_forbidden_control(static_cast<unsigned char>(c))) instead(i, 1, kReplacement);
    }
  }
  out->append(text.substr(plain));
}

std::string xml_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  append_xml_escaped(text, &out);
  return out;
}

XmlWriter::XmlWriter() : out_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}
XmlWriter::XmlWriter(const Sink& sink) : XmlWriter() {
  sink_ = &sink;
}
XmlWriter::~XmlWriter() {
  assert(open_.empty());
}

void XmlWriter::indent() {
  if (sink_ != nullptr && out_.size() >= kPieceBytes) pass_on();
  out_.append(2 * (depth_ + open_.size()), ' ');
}

void XmlWriter::pass_on() {
  if (!error_) {
    if (auto taken = (*sink_)(out_); !taken) error_ = std::move(taken).error();
  }
  out_.clear();
}

Result<void> XmlWriter::finish() {
  assert(open_.empty() && sink_ != nullptr);
  pass_on();
  if (error_) return std::move(*error_);
  return {};
}

void XmlWriter::start(std::string_view name, std::initializer_list<Attribute> attributes) {
  indent();
  out_ += '<';
  out_ += name;
  for (const auto& [key, value] : attributes) {
    if (value.empty()) continue;
    out_ += ' ';
    out_ += key;
    out_ += "=\"";
    append_xml_escaped(value, &out_);
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
  indent();
  out_ += "</";
  out_ += name;
  out_ += ">\n";
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
  append_xml_escaped(value, &out_);
  out_ += "</";
  out_ += name;
  out_ += ">\n";
}

void XmlWriter::comment(std::string_view value) {
  assert(value.find("--") == std::string_view::npos);
  indent();
  out_ += "<!-- ";
  out_ += value;
  out_ += " -->\n";
}

std::string XmlWriter::take() {
  assert(open_.empty() && sink_ == nullptr);
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
  if (bytes.size() > limits::kXmlTreeBytesMax) {
    return Error(Code::limit, "XML of " + human_bytes(bytes.size())).as("xml-size");
  }
  // What pugixml lets by, and what would cost us the stack, is refused before.
  TRY(check_xml(bytes));
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
