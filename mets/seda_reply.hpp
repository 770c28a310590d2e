// What a SEDA system answers to a transfer: Acknowledgement, ArchiveTransferReply and
// ArchiveTransferRequestReply of SEDA 2.1, 2.2 and 2.3.
//
// A message comes from outside, and custody hangs on it: what stands twice, contradicts itself or
// is not known is never taken for a consent.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mets/seda.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"
#include "store/base/source.hpp"

namespace versement::mets {

enum class SedaMessage { acknowledgement, transfer_reply, request_reply };
// The name of its root element.
std::string_view seda_message_name(SedaMessage message);

enum class SedaOutcome {
  received,          // an acknowledgement: it arrived, nothing is said of what it holds
  accepted,          //
  accepted_in_part,  // or with a reservation
  refused,           //
  unknown,           // no code, one of no list, or one that is not final
};
std::string_view seda_outcome_name(SedaOutcome outcome);

// What a reply code means. Two lists are in use: VITAM's words (OK, WARNING, KO, FATAL), and the
// numbers of SEDA 0.2 and 1.0, which MEDONA systems still send.
struct SedaCode {
  SedaOutcome outcome = SedaOutcome::unknown;
  std::string_view meaning;  // in English, for people; empty when the code is in no list
};
SedaCode seda_code(std::string_view code);

struct SedaReplyEvent {
  std::string about;  // id of the unit, object or group; empty: of the whole message
  std::string type_code, type, time, outcome, outcome_detail, message, data;
};

struct SedaReplyUnit {
  std::string id;    // that of the manifest, or the receiver's
  std::string item;  // slug; empty when the reply does not tell
  std::vector<std::string> system_ids;
  std::vector<std::string> archival_agency_ids;
  // Nothing where no event of the unit says anything: then the message's outcome holds.
  std::optional<SedaOutcome> outcome;
};

struct SedaReplyObject {
  std::string id, system_id, group_system_id, digest_algorithm, digest;
};

struct SedaReply {
  SedaMessage message = SedaMessage::acknowledgement;
  SedaVersion version = kSedaDefault;
  std::string identifier;                       // of the message itself
  std::string request_identifier;               // of what it answers
  std::string date, grant_date, transfer_date;  // as they came: xsd:dateTime, the zone may lack
  std::vector<std::string> comments;
  std::string agreement, reply_code, code_list_version;
  std::string archival_agency, transferring_agency, sender, receiver;
  SedaOutcome outcome = SedaOutcome::unknown;
  std::vector<SedaReplyEvent> events;
  std::vector<SedaReplyUnit> units;
  std::vector<SedaReplyObject> objects;
};

// Reads a message. Errors: invalid ("xml-…", "seda-not-a-reply", "seda-duplicate", "seda-missing",
// "seda-date", "seda-contradiction"); unsupported ("seda-version"); limit ("seda-limit").
Result<SedaReply> read_seda_reply(Source& source);

json::Object to_json(const SedaReply& reply);

}  // namespace versement::mets
