// XML read from its beginning to its end, for documents that are too large for a tree in memory.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/result.hpp"

namespace versement::mets {

// The start of an element. Names are as written, with their prefix; values have no entities left.
class XmlTag {
 public:
  std::string_view name() const { return name_; }
  // Empty where there is none.
  std::string_view attribute(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& attributes() const { return attributes_; }

 private:
  friend class XmlScanner;
  std::string name_;
  std::vector<std::pair<std::string, std::string>> attributes_;
};

// Is told what a document holds, in its order; an error ends the reading.
class XmlEvents {
 public:
  XmlEvents() = default;
  virtual ~XmlEvents() = default;
  XmlEvents(const XmlEvents&) = delete;
  XmlEvents& operator=(const XmlEvents&) = delete;

  virtual Result<void> open(const XmlTag& tag) = 0;
  // Between two of the others; a text may come in several parts. Blanks are text, too.
  virtual Result<void> text(std::string_view text) = 0;
  virtual Result<void> close(std::string_view name) = 0;
};

// Reads one document: no DOCTYPE, no entities but the five of XML, UTF-8, one root, no attribute
// twice, no prefix that is not declared, at most kXmlDepthMax levels, kXmlAttributesMax attributes
// of an element, kXmlNameBytesMax bytes of a name and kXmlBytesMax bytes. Processing instructions
// and comments are left out. Holds no more than the longest tag or text, which kXmlTokenBytesMax
// bounds.
class XmlScanner {
 public:
  explicit XmlScanner(XmlEvents& events);
  ~XmlScanner();
  XmlScanner(const XmlScanner&) = delete;
  XmlScanner& operator=(const XmlScanner&) = delete;

  // Errors: invalid ("xml-…") with the byte; limit; those of the listener. After an error nothing
  // more may be fed.
  Result<void> feed(std::string_view piece);
  // Errors: invalid when the document is not whole.
  Result<void> finish();

  // Where in the document the tag or text lies that the listener is being told of.
  struct Place {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
  };
  Place place() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether a scanner takes the text. Errors: its own.
Result<void> check_xml(std::string_view text);

}  // namespace versement::mets
