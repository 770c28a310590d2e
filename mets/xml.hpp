// XML: writing in a stable order without a tree in memory, reading with limits. The only pugixml.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/result.hpp"
#include "store/base/source.hpp"

namespace versement::mets {

// Writes XML 1.0 in UTF-8, indented by two blanks. Elements must be closed in the order in which
// they were opened; the destructor asserts that all were.
class XmlWriter {
 public:
  using Attribute = std::pair<std::string_view, std::string_view>;

  // The document is kept, for take().
  XmlWriter();
  // A part of a document, to stand below so many open elements; likewise kept.
  explicit XmlWriter(std::size_t depth) : depth_(depth) {}
  // It is handed on piece by piece. What the sink says is known at finish(); after a failure it
  // gets nothing more.
  explicit XmlWriter(const Sink& sink);
  ~XmlWriter();
  XmlWriter(const XmlWriter&) = delete;
  XmlWriter& operator=(const XmlWriter&) = delete;

  // An attribute whose value is empty is left out.
  void open(std::string_view name, std::initializer_list<Attribute> attributes = {});
  void close();
  // An element without content, or with text only.
  void empty(std::string_view name, std::initializer_list<Attribute> attributes);
  void text(std::string_view name,
            std::string_view value,
            std::initializer_list<Attribute> attributes = {});
  void comment(std::string_view value);

  // The document. Requires: everything is closed; there is no sink.
  std::string take();
  // Hands on the rest. Requires: everything is closed; there is a sink. Errors: those of the sink.
  Result<void> finish();

 private:
  void start(std::string_view name, std::initializer_list<Attribute> attributes);
  void indent();
  void pass_on();
  const Sink* sink_ = nullptr;
  std::optional<Error> error_;  // of the sink
  std::string out_;
  std::vector<std::string> open_;
  std::size_t depth_ = 0;  // of what is written at the top
};

// The characters that XML gives a meaning, escaped; those that XML 1.0 cannot hold become U+FFFD.
std::string xml_escaped(std::string_view text);
void append_xml_escaped(std::string_view text, std::string* out);

// One element of a document that was read.
class XmlElement {
 public:
  std::string_view name() const;  // with its prefix, as written
  std::string_view attribute(std::string_view name) const;
  std::string_view text() const;
  // Calls `each` for the elements directly below.
  void for_each_child(const std::function<void(const XmlElement&)>& each) const;

 private:
  friend class XmlDocument;
  void* node_ = nullptr;
};

// A short document as a tree: what an XmlScanner takes (mets/xml_scan.hpp), of kXmlTreeBytesMax
// bytes at most. CDATA is text; processing instructions are left out.
class XmlDocument {
 public:
  // Errors: invalid ("xml-…") with the byte where that is known; limit.
  static Result<XmlDocument> parse(std::string_view bytes);
  XmlDocument(const XmlDocument&) = delete;
  XmlDocument& operator=(const XmlDocument&) = delete;
  XmlDocument(XmlDocument&&) noexcept;
  XmlDocument& operator=(XmlDocument&&) noexcept;
  ~XmlDocument();

  XmlElement root() const;

 private:
  struct State;
  explicit XmlDocument(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace versement::mets
