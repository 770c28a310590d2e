// Event: one entry of the journal. What happened, when, to what, by whom, with which outcome.
#pragma once

#include <string>
#include <string_view>

#include "store/base/ids.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"
#include "store/base/time.hpp"

namespace versement::journal {

// The kinds of events. Where PREMIS' event vocabulary (id.loc.gov) has a word, it is that word.
namespace type {
inline constexpr std::string_view kStoreCreated = "store created";
inline constexpr std::string_view kServiceStarted = "service started";
inline constexpr std::string_view kServiceStopped = "service stopped";
inline constexpr std::string_view kCollectionCreated = "collection created";
inline constexpr std::string_view kCollectionChanged = "collection changed";
inline constexpr std::string_view kAgreementCreated = "agreement created";
inline constexpr std::string_view kTokenCreated = "token created";
inline constexpr std::string_view kTokenRevoked = "token revoked";
inline constexpr std::string_view kJobQueued = "job queued";
inline constexpr std::string_view kJobCancelling = "job cancelling";
inline constexpr std::string_view kJobFinished = "job finished";
inline constexpr std::string_view kIngestFinished = "ingest finished";
inline constexpr std::string_view kIngestion = "ingestion";  // PREMIS: ing
inline constexpr std::string_view kDepositAbandoned = "deposit abandoned";
inline constexpr std::string_view kFixityCheck = "fixity check";  // PREMIS: fix
inline constexpr std::string_view kPolicyCreated = "audit policy created";
inline constexpr std::string_view kPolicyRemoved = "audit policy removed";
inline constexpr std::string_view kIncidentOpened = "incident opened";
inline constexpr std::string_view kIncidentChanged = "incident changed";
inline constexpr std::string_view kTransferCreated = "transfer created";
inline constexpr std::string_view kTransferItemsAdded = "transfer items added";
inline constexpr std::string_view kTransferItemRemoved = "transfer item removed";
inline constexpr std::string_view kTransferSealed = "transfer sealed";
inline constexpr std::string_view kTransferActed = "transfer acted on";
inline constexpr std::string_view kKeyReplaced = "journal key replaced";
inline constexpr std::string_view kTimestamped = "checkpoint timestamped";
inline constexpr std::string_view kCosigned = "checkpoint cosigned";
}  // namespace type

struct Event {
  Uuid id;
  std::string type;
  Timestamp time;
  std::string agent;     // the name of the token, or "Versement" for the service itself
  json::Object objects;  // what it concerns: "item", "object", "version", "transfer", "run" …
  std::string outcome = "success";  // success, failure or warning
  json::Object detail;
};

// The bytes of the entry: canonical JSON. Errors: limit when it has more than kEntryBytesMax.
Result<std::string> entry_of(const Event& event);
// Errors: invalid.
Result<Event> event_of(std::string_view entry);

}  // namespace versement::journal
