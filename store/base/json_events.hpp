// JSON as a stream of events, for documents that are too large to hold as values.
#pragma once

#include <memory>
#include <string_view>

#include "store/base/result.hpp"

namespace versement::json {

enum class Kind { object, array, text, other };  // other: a number, true, false or null

// Is told what a document holds, in its order. Views last as long as the call.
class Events {
 public:
  Events() = default;
  virtual ~Events() = default;
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;

  // A member's name. Names that occur twice are the listener's matter.
  virtual void name(std::string_view name) = 0;
  // A value begins; for a text, `text` is the whole of it.
  virtual void value(Kind kind, std::string_view text) = 0;
  // The object or array that began last and has not ended ends.
  virtual void end() = 0;
};

// Reads one JSON text as json::parse does (RFC 8259, UTF-8 without BOM, no more than kJsonDepthMax
// deep, nothing after it), piece by piece. Holds no more than the longest text.
class EventReader {
 public:
  explicit EventReader(Events& events);
  EventReader(const EventReader&) = delete;
  EventReader& operator=(const EventReader&) = delete;
  ~EventReader();

  // Errors: invalid, with the byte. After an error nothing more may be fed.
  Result<void> feed(std::string_view piece);
  // Errors: invalid when the text is not whole.
  Result<void> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace versement::json
