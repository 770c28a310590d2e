// What every resource of the API works with, and the small things that they share.
#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/api/tokens.hpp"
#include "service/http/conditional.hpp"
#include "service/http/problem.hpp"
#include "service/http/router.hpp"
#include "service/jobs/queue.hpp"
#include "service/stamps/stamper.hpp"
#include "service/transfer/bag.hpp"
#include "service/transfer/seda.hpp"
#include "service/transfer/sip.hpp"
#include "store/base/metrics.hpp"
#include "store/store.hpp"

namespace versement::api {

using http::Call;
using http::Response;
using http::Scope;

struct Context {
  store::Store& store;
  jobs::Queue& queue;
  Tokens& tokens;
  transfer::Bags& bags;
  transfer::SedaArchives& seda;
  transfer::Sips& sips;
  stamps::Stamper& stamper;
  Metrics& metrics;
  std::vector<journal::VerifierKey> witnesses;  // whose cosignatures are taken
  std::vector<Path> inboxes;    // real paths; deposits are taken from below them only
  std::string public_url = {};  // "https://HOST", without a slash; empty: as each client calls us
  bool encrypted = false;       // whether clients reach us by https
  Timestamp started_at;
  // One change of a transfer at a time: its state is looked at and left in one step.
  std::mutex transfer_mutex;
};

// The routes of each resource, one file each.
void add_items(http::Router& router, Context& context);
void add_collections(http::Router& router, Context& context);
void add_ingests(http::Router& router, Context& context);
void add_audits(http::Router& router, Context& context);
void add_incidents(http::Router& router, Context& context);
void add_agreements(http::Router& router, Context& context);
void add_transfers(http::Router& router, Context& context);
void add_jobs(http::Router& router, Context& context);
void add_journal(http::Router& router, Context& context);
void add_tokens(http::Router& router, Context& context);
void add_system(http::Router& router, Context& context);

// -- Bodies.
// The JSON object of a request. Errors: invalid ("malformed-request", "unsupported-media-type").
Result<json::Object> body_object(const Call& call);
// The answer to faults that a reader found; nothing when there are none.
std::optional<Response> faults_response(std::vector<json::Fault> faults);
// A text by language: {"fr": …, "en": …}. Faults go to the reader.
json::Object localized_text(json::Reader& in, std::string_view name, bool required);

// -- Lists: {"items": […], "next_cursor"?}.
struct PageRequest {
  std::size_t limit = 100;
  std::string after;  // key behind which the page begins
};
// Errors: invalid ("invalid-parameter", "invalid-cursor").
Result<PageRequest> page_request(const Call& call, std::string_view prefix);
Response page_response(json::Array items, const std::string& next_key);
// Lists the JSON records below a prefix. `show` makes the entry of a record, or nothing to leave it
// out.
using Show = std::function<Result<std::optional<json::Object>>(std::string_view key,
                                                               std::string_view value)>;
Result<Response> list_records(const Context& context,
                              const Call& call,
                              const std::string& prefix,
                              const Show& show);

// The proof of a journal entry as C2SP tlog-proof text. Errors: not_found; corrupt when the journal
// does not bear it out.
Result<Response> entry_proof(const Context& context, std::uint64_t index);

// -- Small things.
// A query parameter that may be left out, but is neither empty nor given twice. Parameters that an
// operation does not know are passed over, everywhere.  Errors: invalid ("invalid-parameter").
Result<std::optional<std::string>> single_parameter(const Call& call, std::string_view name);
bool flag_parameter(const Call& call, std::string_view name);
// 201 with Location and ETag.
Response created(const std::string& location, const json::Object& object);
// 200 with the revision as ETag.
Response found(const json::Object& record, const json::Object& shown);
constexpr std::size_t kSmallBody = 256 * 1024;

}  // namespace versement::api
