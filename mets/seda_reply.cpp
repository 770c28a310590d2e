#include "mets/seda_reply.hpp"

#include <algorithm>
#include <initializer_list>
#include <map>
#include <set>

#include "mets/xml_scan.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::mets {
namespace {

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kNamespace = "fr:gouv:culture:archivesdefrance:seda:";
constexpr std::string_view kUnitOfItem = "AU-";
// What an entry of a set needs besides its text.
constexpr std::size_t kNodeBytes = 72;

Error wrong(std::string_view reason, std::string what) {
  return Error(Code::invalid, std::move(what)).as(reason);
}

std::string shown(std::string_view text) {
  return "'" + printable(text.substr(0, 100)) + "'";
}

// xsd:dateTime, whose zone may lack.
bool is_date_time(const std::string& text) {
  return Timestamp::parse(text).operator bool() || Timestamp::parse(text + "Z").operator bool();
}

struct Coded {
  std::string_view code;
  SedaCode means;
};
// What is not the receiver's last word is unknown, though the list has it.
constexpr Coded kCodes[] = {
    {"OK", {SedaOutcome::accepted, "done"}},
    {"WARNING", {SedaOutcome::accepted_in_part, "done with a reservation, or in part"}},
    {"KO", {SedaOutcome::refused, "failed; nothing was taken"}},
    {"FATAL", {SedaOutcome::unknown, "stopped by a technical failure; it may go on"}},
    {"000", {SedaOutcome::accepted, "accepted"}},
    {"001", {SedaOutcome::accepted, "accepted, with comments"}},
    {"002", {SedaOutcome::unknown, "in order; the control authority was asked"}},
    {"101", {SedaOutcome::refused, "malformed message"}},
    {"102", {SedaOutcome::unknown, "the system is not available for the moment"}},
    {"103", {SedaOutcome::unknown, "the message had been received before"}},
    {"104", {SedaOutcome::refused, "the message is in error"}},
    {"200", {SedaOutcome::refused, "unknown originating agency"}},
    {"201", {SedaOutcome::refused, "unknown archive"}},
    {"202", {SedaOutcome::refused, "unknown transferring agency"}},
    {"203", {SedaOutcome::refused, "not as the data profile asks"}},
    {"204", {SedaOutcome::refused, "a format that is not handled"}},
    {"205", {SedaOutcome::refused, "a format other than the declared one"}},
    {"206", {SedaOutcome::refused, "invalid signature of the message"}},
    {"207", {SedaOutcome::refused, "invalid digests"}},
    {"208", {SedaOutcome::refused, "not available: the delay has not elapsed"}},
    {"209", {SedaOutcome::refused, "the archive is not there any more"}},
    {"210", {SedaOutcome::refused, "unknown archive"}},
    {"211", {SedaOutcome::refused, "an attachment is missing"}},
    {"212", {SedaOutcome::refused, "derogation refused"}},
    {"213", {SedaOutcome::refused, "wrong identifier of a document"}},
    {"300", {SedaOutcome::refused, "invalid agreement"}},
    {"301", {SedaOutcome::refused, "not as the agreement says: quota"}},
    {"302", {SedaOutcome::refused, "not as the agreement says: originating agency"}},
    {"303", {SedaOutcome::refused, "not as the agreement says: transferring agency"}},
    {"304", {SedaOutcome::refused, "not as the agreement says: archival agency"}},
    {"305", {SedaOutcome::refused, "not as the agreement says: documents are not signed"}},
    {"306", {SedaOutcome::refused, "not as the agreement says: volume"}},
    {"307", {SedaOutcome::refused, "not as the agreement says: format"}},
    {"308", {SedaOutcome::refused, "not as the agreement says: digests are missing"}},
    {"309", {SedaOutcome::refused, "not as the agreement says: the message is not signed"}},
    {"310", {SedaOutcome::refused, "not as the agreement says: invalid signatures"}},
    {"311", {SedaOutcome::refused, "not as the agreement says: signatures were not verified"}},
    {"312", {SedaOutcome::refused, "not as the agreement says: dates"}},
    {"400", {SedaOutcome::refused, "the request was rejected"}},
    {"404", {SedaOutcome::refused, "the message was not found"}},
};

// The graver one of two: what was refused stays so, and nothing unknown becomes a consent.
SedaOutcome graver(SedaOutcome a, SedaOutcome b) {
  for (const SedaOutcome each :
       {SedaOutcome::refused, SedaOutcome::unknown, SedaOutcome::accepted_in_part}) {
    if (a == each || b == each) return each;
  }
  return a;
}

class Reader : public XmlEvents {
 public:
  Result<void> open(const XmlTag& tag) override {
    Level level;
    level.bindings = bindings_.size();
    TRY(bind(tag));
    std::string_view name = tag.name();
    std::string_view prefix;
    if (const std::size_t colon = name.find(':'); colon != std::string_view::npos) {
      prefix = name.substr(0, colon);
      name.remove_prefix(colon + 1);
    }
    const std::string& space = space_of(prefix);
    if (levels_.empty()) TRY(begin(name, space));
    // What is of another vocabulary, and all below it, is an extension that says nothing here.
    level.foreign = space != space_ || (!levels_.empty() && levels_.back().foreign);
    if (!level.foreign) {
      level.name = name;
      TRY(enter(level, tag));
    }
    if (!levels_.empty()) levels_.back().parent = true;
    levels_.push_back(std::move(level));
    text_.clear();
    return {};
  }

  Result<void> text(std::string_view text) override {
    if (levels_.empty() || levels_.back().foreign) return {};
    if (text_.size() + text.size() > limits::kSedaReplyTextBytesMax) {
      return too_much("a text of more than " + human_bytes(limits::kSedaReplyTextBytesMax));
    }
    text_ += text;
    return {};
  }

  Result<void> close(std::string_view /*name*/) override {
    const Level& level = levels_.back();
    if (level.parent) text_.clear();
    if (!level.foreign) TRY(leave(std::string(trim(text_, kBlanks))));
    text_.clear();
    bindings_.resize(levels_.back().bindings);
    levels_.pop_back();
    return {};
  }

  Result<SedaReply> take() {
    const bool acknowledgement = reply_.message == SedaMessage::acknowledgement;
    const std::string_view answered =
        acknowledgement ? "MessageReceivedIdentifier" : "MessageRequestIdentifier";
    const std::pair<std::string_view, const std::string&> needed[] = {
        {"Date", reply_.date},
        {"MessageIdentifier", reply_.identifier},
        {answered, reply_.request_identifier}};
    for (const auto& [name, value] : needed) {
      if (value.empty()) return wrong("seda-missing", std::string(name) + " is missing");
    }
    reply_.outcome = acknowledgement ? SedaOutcome::received : seda_code(reply_.reply_code).outcome;
    judge_events();
    return std::move(reply_);
  }

 private:
  struct Level {
    std::string name;  // without prefix; empty when foreign
    bool foreign = false;
    bool parent = false;              // it has elements below, so what text it has is no value
    std::size_t bindings = 0;         // of name spaces, before this element
    std::optional<std::size_t> unit;  // that begins here
    std::optional<std::size_t> object;
    std::string id;
  };

  static Error too_much(const std::string& what) {
    return Error(Code::limit, what).as("seda-limit");
  }

  Result<void> bind(const XmlTag& tag) {
    for (const auto& [name, value] : tag.attributes()) {
      if (name != "xmlns" && !name.starts_with("xmlns:")) continue;
      TRY(keep(name.size() + value.size()));
      bindings_.emplace_back(name == "xmlns" ? std::string() : name.substr(6), value);
    }
    return {};
  }

  const std::string& space_of(std::string_view prefix) const {
    static const std::string none;
    const auto nearest = std::find_if(bindings_.rbegin(), bindings_.rend(),
                                      [&](const auto& binding) { return binding.first == prefix; });
    if (nearest != bindings_.rend()) return nearest->second;
    return none;
  }

  Result<void> begin(std::string_view name, const std::string& space) {
    if (!space.starts_with(kNamespace)) {
      return wrong("seda-not-a-reply", "the root element is no message of SEDA");
    }
    const std::string_view version = std::string_view(space).substr(kNamespace.size());
    const auto known = version.starts_with("v") ? seda_version_of(version.substr(1))
                                                : std::optional<SedaVersion>();
    if (!known) {
      return Error(Code::unsupported,
                   "a message of SEDA " + shown(version) + "; 2.1, 2.2 and 2.3 are read")
          .as("seda-version");
    }
    reply_.version = *known;
    space_ = space;
    for (const SedaMessage message :
         {SedaMessage::acknowledgement, SedaMessage::transfer_reply, SedaMessage::request_reply}) {
      if (name != seda_message_name(message)) continue;
      reply_.message = message;
      return {};
    }
    return wrong("seda-not-a-reply", shown(name) +
                                         " is no reply to a transfer: Acknowledgement, "
                                         "ArchiveTransferReply or ArchiveTransferRequestReply");
  }

  Result<void> keep(std::size_t bytes) {
    kept_bytes_ += bytes;
    if (kept_bytes_ <= limits::kSedaReplyKeptBytesMax) return {};
    return too_much("more than " + human_bytes(limits::kSedaReplyKeptBytesMax) + " of texts");
  }

  template <class Entry>
  static Result<Entry*> add(std::vector<Entry>& to, std::string_view what) {
    if (to.size() >= limits::kSedaReplyEntriesMax) {
      return too_much("more than " + std::to_string(limits::kSedaReplyEntriesMax) + " " +
                      std::string(what));
    }
    return &to.emplace_back();
  }

  Result<void> enter(Level& level, const XmlTag& tag) {
    if (levels_.empty()) return {};
    if (levels_.size() == 1) TRY(keep(level.name.size() + kNodeBytes));
    if (levels_.size() == 1 && level.name != "Comment" && !seen_.insert(level.name).second) {
      return wrong("seda-duplicate", "the message has two elements " + shown(level.name));
    }
    level.id = tag.attribute("id");
    TRY(keep(level.id.size()));
    if (level.name == "ArchiveUnit" && in_package()) {
      if (level.id.empty()) return wrong("seda-missing", "an ArchiveUnit without an id");
      TRY(claim(level.id));
      TRY_SET(SedaReplyUnit* const unit, add(reply_.units, "units"));
      unit->id = level.id;
      if (level.id.starts_with(kUnitOfItem)) {
        const std::string slug = level.id.substr(kUnitOfItem.size());
        if (Slug::parse(slug)) unit->item = slug;
      }
      level.unit = reply_.units.size() - 1;
    }
    if (level.name == "BinaryDataObject" && in_package()) {
      if (!level.id.empty()) TRY(claim(level.id));
      TRY_SET(SedaReplyObject* const object, add(reply_.objects, "objects"));
      object->id = level.id;
      level.object = reply_.objects.size() - 1;
    }
    if (level.name == "MessageDigest" && levels_.back().object) {
      SedaReplyObject& object = reply_.objects[*levels_.back().object];
      object.digest_algorithm = tag.attribute("algorithm");
      TRY(keep(object.digest_algorithm.size()));
    }
    if (level.name == "Event") {
      TRY_SET(SedaReplyEvent* const event, add(reply_.events, "events"));
      event->about = owner();
      TRY(keep(event->about.size()));
    }
    return {};
  }

  Result<void> claim(const std::string& id) {
    TRY(keep(id.size() + kNodeBytes));
    if (ids_.insert(id).second) return {};
    return wrong("seda-duplicate", "the id " + shown(id) + " stands twice");
  }

  bool in_package() const { return levels_.size() > 1 && levels_[1].name == "DataObjectPackage"; }

  // Of whom an event tells: the nearest unit, object or group around it.
  std::string owner() const {
    const auto nearest = std::find_if(levels_.rbegin(), levels_.rend(), [](const Level& level) {
      return level.unit || level.object || level.name == "DataObjectGroup";
    });
    return nearest == levels_.rend() ? std::string() : nearest->id;
  }

  Result<void> set(std::string& field, std::string value, std::string_view name) {
    if (!field.empty() && !value.empty()) {
      return wrong("seda-duplicate", std::string(name) + " stands twice");
    }
    TRY(keep(value.size()));
    field = std::move(value);
    return {};
  }

  Result<void> leave(std::string text) {
    const std::string& name = levels_.back().name;
    if (levels_.size() == 2) return leave_field(name, std::move(text));
    if (levels_.size() < 3) return {};
    const Level& above = levels_[levels_.size() - 2];
    if (levels_.size() == 3) TRY(leave_party(above.name, name, text));
    if (above.name == "Event") return leave_event(name, std::move(text));
    if (above.object) return leave_object(reply_.objects[*above.object], name, std::move(text));
    if (above.name == "Content" && levels_.size() > 3 && levels_[levels_.size() - 3].unit) {
      return leave_unit(reply_.units[*levels_[levels_.size() - 3].unit], name, std::move(text));
    }
    return {};
  }

  Result<void> leave_field(const std::string& name, std::string text) {
    if (name == "Comment") {
      if (text.empty()) return {};
      TRY(keep(text.size()));
      TRY_SET(std::string* const comment, add(reply_.comments, "comments"));
      *comment = std::move(text);
      return {};
    }
    const bool acknowledgement = reply_.message == SedaMessage::acknowledgement;
    const std::map<std::string_view, std::string*> fields{
        {"Date", &reply_.date},
        {"MessageIdentifier", &reply_.identifier},
        {"ArchivalAgreement", &reply_.agreement},
        {"ReplyCode", &reply_.reply_code},
        {"GrantDate", &reply_.grant_date},
        {"TransferDate", &reply_.transfer_date},
        {acknowledgement ? "MessageReceivedIdentifier" : "MessageRequestIdentifier",
         &reply_.request_identifier}};
    const auto field = fields.find(name);
    if (field == fields.end()) return {};
    if (name.ends_with("Date") && !is_date_time(text)) {
      return wrong("seda-date", name + " " + shown(text) + " is no xsd:dateTime");
    }
    return set(*field->second, std::move(text), name);
  }

  Result<void> leave_party(const std::string& party,
                           const std::string& name,
                           const std::string& text) {
    if (party == "CodeListVersions" && name == "ReplyCodeListVersion") {
      return set(reply_.code_list_version, text, name);
    }
    if (name != "Identifier") return {};
    if (party == "ArchivalAgency") return set(reply_.archival_agency, text, party);
    if (party == "TransferringAgency") return set(reply_.transferring_agency, text, party);
    if (party == "Sender") return set(reply_.sender, text, party);
    if (party == "Receiver") return set(reply_.receiver, text, party);
    return {};
  }

  Result<void> leave_event(const std::string& name, std::string text) {
    SedaReplyEvent& event = reply_.events.back();
    const std::map<std::string_view, std::string*> fields{
        {"EventTypeCode", &event.type_code},      {"EventType", &event.type},
        {"EventDateTime", &event.time},           {"Outcome", &event.outcome},
        {"OutcomeDetail", &event.outcome_detail}, {"OutcomeDetailMessage", &event.message},
        {"EventDetailData", &event.data}};
    const auto field = fields.find(name);
    return field == fields.end() ? Result<void>() : set(*field->second, std::move(text), name);
  }

  Result<void> leave_object(SedaReplyObject& object, const std::string& name, std::string text) {
    if (name == "DataObjectSystemId") return set(object.system_id, std::move(text), name);
    if (name == "DataObjectGroupSystemId") {
      return set(object.group_system_id, std::move(text), name);
    }
    if (name == "MessageDigest") return set(object.digest, lower_ascii(text), name);
    return {};
  }

  Result<void> leave_unit(SedaReplyUnit& unit, const std::string& name, std::string text) {
    if (text.empty()) return {};
    if (name == "SystemId" || name == "ArchivalAgencyArchiveUnitIdentifier") {
      TRY(keep(text.size() + sizeof(std::string)));
      (name == "SystemId" ? unit.system_ids : unit.archival_agency_ids).push_back(std::move(text));
      return {};
    }
    if (name != "OriginatingSystemId" || !Slug::parse(text)) return {};
    TRY(keep(text.size()));
    if (unit.item.empty()) unit.item = text;
    if (unit.item == text) return {};
    return wrong("seda-contradiction", "unit " + shown(unit.id) + " is of the items " +
                                           shown(unit.item) + " and " + shown(text));
  }

  // A unit is what its events say; a message that consents is no full consent when one of them
  // does not.
  void judge_events() {
    std::map<std::string_view, std::size_t> units;
    for (std::size_t i = 0; i < reply_.units.size(); ++i)
      units[reply_.units[i].id] = i;
    bool doubted = false;
    for (const SedaReplyEvent& event : reply_.events) {
      if (event.outcome.empty()) continue;
      const SedaOutcome outcome = seda_code(event.outcome).outcome;
      doubted = doubted || outcome != SedaOutcome::accepted;
      const auto unit = units.find(event.about);
      if (event.about.empty() || unit == units.end()) continue;
      std::optional<SedaOutcome>& all = reply_.units[unit->second].outcome;
      all = all ? graver(*all, outcome) : outcome;
    }
    if (doubted && reply_.outcome == SedaOutcome::accepted) {
      reply_.outcome = SedaOutcome::accepted_in_part;
    }
  }

  SedaReply reply_;
  std::string space_;
  std::vector<std::pair<std::string, std::string>> bindings_;  // prefix and name space
  std::vector<Level> levels_;
  std::set<std::string> seen_;  // of the message's own elements
  std::set<std::string> ids_;
  std::string text_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace

std::string_view seda_message_name(SedaMessage message) {
  switch (message) {
    case SedaMessage::acknowledgement:
      return "Acknowledgement";
    case SedaMessage::transfer_reply:
      return "ArchiveTransferReply";
    case SedaMessage::request_reply:
      return "ArchiveTransferRequestReply";
  }
  return {};
}

std::string_view seda_outcome_name(SedaOutcome outcome) {
  switch (outcome) {
    case SedaOutcome::received:
      return "received";
    case SedaOutcome::accepted:
      return "accepted";
    case SedaOutcome::accepted_in_part:
      return "accepted_in_part";
    case SedaOutcome::refused:
      return "refused";
    case SedaOutcome::unknown:
      return "unknown";
  }
  return {};
}

SedaCode seda_code(std::string_view code) {
  for (const Coded& each : kCodes) {
    if (each.code == code) return each.means;
  }
  return {};
}

Result<SedaReply> read_seda_reply(Source& source) {
  if (source.size_bytes() > limits::kSedaReplyBytesMax) {
    return Error(Code::limit, "a reply of " + human_bytes(source.size_bytes())).as("seda-limit");
  }
  Reader reader;
  XmlScanner scanner(reader);
  std::string piece(limits::kChunkBytes, '\0');
  for (std::uint64_t at = 0; at < source.size_bytes();) {
    TRY_SET(const std::size_t count, source.read_at(at, std::as_writable_bytes(std::span(piece))));
    TRY(scanner.feed(std::string_view(piece).substr(0, count)));
    at += count;
  }
  TRY(scanner.finish());
  return reader.take();
}

json::Object to_json(const SedaReply& reply) {
  json::Object object;
  const auto put = [](json::Object& into, const char* name, const std::string& value) {
    if (!value.empty()) into[name] = value;
  };
  const auto list = [](const std::vector<std::string>& values) {
    json::Array array;
    for (const std::string& value : values)
      array.emplace_back(value);
    return array;
  };
  object["message"] = seda_message_name(reply.message);
  object["version"] = seda_version_text(reply.version);
  object["outcome"] = seda_outcome_name(reply.outcome);
  put(object, "identifier", reply.identifier);
  put(object, "request_identifier", reply.request_identifier);
  put(object, "date", reply.date);
  put(object, "grant_date", reply.grant_date);
  put(object, "transfer_date", reply.transfer_date);
  put(object, "agreement", reply.agreement);
  put(object, "reply_code", reply.reply_code);
  put(object, "reply_code_meaning", std::string(seda_code(reply.reply_code).meaning));
  put(object, "reply_code_list", reply.code_list_version);
  put(object, "archival_agency", reply.archival_agency);
  put(object, "transferring_agency", reply.transferring_agency);
  put(object, "sender", reply.sender);
  put(object, "receiver", reply.receiver);
  if (!reply.comments.empty()) object["comments"] = list(reply.comments);
  json::Array events;
  for (const SedaReplyEvent& event : reply.events) {
    json::Object shown_event;
    put(shown_event, "about", event.about);
    put(shown_event, "type_code", event.type_code);
    put(shown_event, "type", event.type);
    put(shown_event, "time", event.time);
    put(shown_event, "outcome", event.outcome);
    put(shown_event, "outcome_detail", event.outcome_detail);
    put(shown_event, "message", event.message);
    put(shown_event, "data", event.data);
    events.emplace_back(std::move(shown_event));
  }
  object["events"] = std::move(events);
  json::Array units;
  for (const SedaReplyUnit& unit : reply.units) {
    json::Object shown_unit;
    put(shown_unit, "id", unit.id);
    put(shown_unit, "item_id", unit.item);
    if (unit.outcome) shown_unit["outcome"] = seda_outcome_name(*unit.outcome);
    if (!unit.system_ids.empty()) shown_unit["system_ids"] = list(unit.system_ids);
    if (!unit.archival_agency_ids.empty()) {
      shown_unit["archival_agency_ids"] = list(unit.archival_agency_ids);
    }
    units.emplace_back(std::move(shown_unit));
  }
  object["units"] = std::move(units);
  json::Array objects;
  for (const SedaReplyObject& each : reply.objects) {
    json::Object shown_object;
    put(shown_object, "id", each.id);
    put(shown_object, "system_id", each.system_id);
    put(shown_object, "group_system_id", each.group_system_id);
    put(shown_object, "digest_algorithm", each.digest_algorithm);
    put(shown_object, "digest", each.digest);
    objects.emplace_back(std::move(shown_object));
  }
  object["objects"] = std::move(objects);
  return object;
}

}  // namespace versement::mets
