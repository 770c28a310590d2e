#include "store/journal/event.hpp"

#include "store/base/limits.hpp"

namespace versement::journal {

Result<std::string> entry_of(const Event& event) {
  json::Object object;
  object["v"] = 1;
  object["id"] = event.id.text();
  object["type"] = event.type;
  object["time"] = event.time.text();
  object["agent"] = event.agent;
  object["outcome"] = event.outcome;
  if (!event.objects.empty()) object["objects"] = event.objects;
  if (!event.detail.empty()) object["detail"] = event.detail;
  std::string entry = json::write(object);
  if (entry.size() > limits::kEntryBytesMax) {
    return Error(Code::limit, "the event '" + event.type + "' has " + std::to_string(entry.size()) +
                                  " bytes; a journal entry has at most " +
                                  std::to_string(limits::kEntryBytesMax));
  }
  // What cannot be read again would make the journal unreadable for good.
  if (auto again = json::parse_object(entry, limits::kEntryBytesMax); !again) {
    return std::move(again).error().during("the event '" + event.type + "' cannot be journaled");
  }
  return entry;
}

Result<Event> event_of(std::string_view entry) {
  TRY_SET(const json::Object object, json::parse_object(entry, limits::kEntryBytesMax));
  if (json::number_at(object, "v") != 1) {
    return Error(Code::unsupported, "a journal entry of a version that this program does not know");
  }
  Event event;
  TRY_SET(event.id, Uuid::parse(json::text_at(object, "id")));
  TRY_SET(event.time, Timestamp::parse(json::text_at(object, "time")));
  event.type = json::text_at(object, "type");
  event.agent = json::text_at(object, "agent");
  event.outcome = json::text_at(object, "outcome");
  event.objects = json::object_at(object, "objects");
  event.detail = json::object_at(object, "detail");
  if (event.type.empty()) return Error(Code::invalid, "a journal entry without a type");
  return event;
}

}  // namespace versement::journal
