#include "service/api/tokens.hpp"

#include "service/api/context.hpp"
#include "store/base/limits.hpp"
#include "store/base/log.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

constexpr std::string_view kPrefix = "vrs_";
constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kNameBytesMax = 200;

Path digests_path(const store::Store& store) {
  return store.layout().secrets / "tokens.json";
}

std::string new_secret() {
  std::array<std::byte, kSecretBytes> bytes{};
  random_bytes(bytes);
  return std::string(kPrefix) + hex_of(bytes);
}

json::Object shown(const json::Object& record) {
  json::Object object = record;
  object.erase("revision");
  object.erase("updated_at");
  return object;
}

// The journal knows tokens by name only: without the file of their digests none of them works.
Result<void> tell_lost_tokens(const store::Store& store) {
  std::size_t lost = 0;
  TRY(store.index().scan(store::keys::Key('k').get(), "",
                         [&](std::string_view, std::string_view value) {
                           const auto record = json::parse_object(value);
                           if (record && !record->contains("revoked_at")) ++lost;
                           return true;
                         }));
  if (lost == 0) return {};
  log::warning(
      "the file of the tokens' digests is missing, so no token is accepted; bring it back "
      "from a copy; or stop the service, move secrets/admin-token away, and make a new "
      "administrator's token with versementd --init",
      {{"file", digests_path(store).native()}, {"tokens", std::to_string(lost)}});
  return {};
}

}  // namespace

Result<std::unique_ptr<Tokens>> Tokens::load(store::Store& store) {
  auto tokens = std::make_unique<Tokens>(store);
  TRY(tokens->reload());
  return tokens;
}

Result<void> Tokens::reload() {
  const std::scoped_lock changing(change_mutex_);
  auto text = read_file(store_.disk(), digests_path(store_), limits::kConfigBytesMax);
  if (!text && text.error().code() == Code::not_found) {
    TRY(tell_lost_tokens(store_));
    text = std::string("{}");
  }
  if (!text) return std::move(text).error();
  auto object = json::parse_object(*text);
  if (!object) return std::move(object).error().during(digests_path(store_).native());
  std::map<std::string, std::string> digests;
  std::unordered_map<std::string, Held> held;
  for (const auto& member : *object) {
    const std::string id(member.key());
    const std::string digest = json::text_at(*object, member.key());
    auto record = store_.index().record(store::keys::token(id));
    // A digest whose event never became durable: the token was never handed out.
    if (!record && record.error().code() == Code::not_found) continue;
    if (!record) return std::move(record).error();
    if (record->contains("revoked_at")) continue;
    digests[id] = digest;
    held[digest] = held_of(*record);
  }
  const std::unique_lock lock(mutex_);
  digests_ = std::move(digests);
  held_ = std::move(held);
  return {};
}

Tokens::Held Tokens::held_of(const json::Object& record) {
  Held held;
  held.principal.token_id = json::text_at(record, "id");
  held.principal.name = json::text_at(record, "name");
  held.principal.role =
      http::role_of_name(json::text_at(record, "role")).value_or(http::Role::reader);
  held.principal.agreement = json::text_at(record, "agreement");
  if (auto expires = Timestamp::parse(json::text_at(record, "expires_at"))) {
    held.expires_at = *expires;
  }
  return held;
}

Result<void> Tokens::save(const std::map<std::string, std::string>& digests) {
  json::Object object;
  for (const auto& [id, digest] : digests)
    object[id] = digest;
  return replace_file(store_.disk(), digests_path(store_),
                      as_bytes(json::write_pretty(object) + "\n"), 0600);
}

Result<TokenCreated> Tokens::create(const TokenRequest& request, std::string_view agent) {
  const std::scoped_lock changing(change_mutex_);
  TokenCreated created;
  created.secret = new_secret();
  const std::string digest = digest_of(Algorithm::sha256, created.secret).hex();
  journal::Event event = store_.event(journal::type::kTokenCreated, agent);
  const std::string id = Uuid::at(event.time).text();
  json::Object record;
  record["id"] = id;
  record["name"] = request.name;
  record["role"] = http::role_name(request.role);
  // Enough to find a token in a configuration, far too little to guess it.
  record["prefix"] = created.secret.substr(0, kPrefix.size() + 4);
  if (!request.agreement.empty()) record["agreement"] = request.agreement;
  if (request.expires_at) record["expires_at"] = request.expires_at->text();
  event.objects["token"] = id;
  event.detail["token"] = record;

  std::map<std::string, std::string> digests;
  {
    const std::shared_lock lock(mutex_);
    digests = digests_;
  }
  digests[id] = digest;
  TRY(save(digests));
  TRY(store_.append(std::move(event)));
  TRY_SET(created.record, store_.index().record(store::keys::token(id)));
  const std::unique_lock lock(mutex_);
  digests_ = std::move(digests);
  held_[digest] = held_of(created.record);
  return created;
}

Result<void> Tokens::revoke(const std::string& id, std::string_view agent) {
  const std::scoped_lock changing(change_mutex_);
  std::map<std::string, std::string> digests;
  {
    const std::shared_lock lock(mutex_);
    digests = digests_;
  }
  const auto found = digests.find(id);
  if (found == digests.end()) {
    return Error(Code::not_found, "there is no token '" + printable(id) + "' in force");
  }
  const std::string digest = found->second;
  {
    const std::shared_lock lock(mutex_);
    const auto is_admin = [&](const std::string& key, bool lasting) {
      const auto held = held_.find(key);
      return held != held_.end() && held->second.principal.role == http::Role::admin &&
             !(lasting && held->second.expires_at);
    };
    const bool another = std::any_of(held_.begin(), held_.end(), [&](const auto& each) {
      return each.first != digest && is_admin(each.first, true);
    });
    if (is_admin(digest, false) && !another) {
      return Error(Code::conflict,
                   "this is the last administrator's token that does not expire; without it nobody "
                   "could make another. Make the other one first")
          .as("last-administrator");
    }
  }
  journal::Event event = store_.event(journal::type::kTokenRevoked, agent);
  event.objects["token"] = id;
  TRY(store_.append(std::move(event)));
  {
    const std::unique_lock lock(mutex_);
    held_.erase(digest);
    digests_.erase(id);
  }
  digests.erase(id);
  if (auto saved = save(digests); !saved) {
    // The journal says that it is revoked, and a start believes the journal.
    log::warning("the digest of a revoked token could not be removed",
                 {{"why", saved.error().what()}});
  }
  return {};
}

Tokens::Checked Tokens::check(std::string_view authorization) const {
  Checked checked;
  if (authorization.empty()) return checked;
  checked.refusal = Refusal::invalid;
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() > 256 ||
      lower_ascii(authorization.substr(0, kScheme.size())) != kScheme) {
    return checked;
  }
  const std::string_view secret = trim(authorization.substr(kScheme.size()));
  const std::string digest = digest_of(Algorithm::sha256, secret).hex();
  const std::shared_lock lock(mutex_);
  const auto found = held_.find(digest);
  if (found == held_.end()) return checked;
  if (found->second.expires_at && *found->second.expires_at <= store_.clock().now()) {
    checked.refusal = Refusal::expired;
    return checked;
  }
  checked.principal = found->second.principal;
  return checked;
}

// ---------------------------------------------------------------------------- the resource

void add_tokens(http::Router& router, Context& context) {
  router.add(
      {"GET", "/v1/tokens", Scope::tokens_admin, 0, [&context](const Call& call) {
         return list_records(
             context, call, store::keys::Key('k').get(),
             [](std::string_view, std::string_view value) -> Result<std::optional<json::Object>> {
               TRY_SET(const json::Object record, json::parse_object(value));
               return std::optional(shown(record));
             });
       }});
  router.add({"POST", "/v1/tokens", Scope::tokens_admin, kSmallBody,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object body, body_object(call));
                json::Reader in(body, "");
                TokenRequest request;
                request.name =
                    in.text("name", {.required = true, .bytes_max = kNameBytesMax}).value_or("");
                const std::string role = in.text("role", {.required = true}).value_or("");
                request.agreement = in.text("agreement").value_or("");
                request.expires_at = in.time("expires_at");
                if (request.expires_at && *request.expires_at <= context.store.clock().now()) {
                  in.fault("expires_at", "in-the-past", "the token would have expired already");
                }
                if (const auto known = http::role_of_name(role)) {
                  request.role = *known;
                } else if (!role.empty()) {
                  in.fault("role", "unknown-role",
                           "a role is admin, archivist, auditor, receiver or reader");
                }
                if (request.role == http::Role::receiver) {
                  const auto agreement = store::agreement_record(context.store, request.agreement);
                  if (!agreement) {
                    in.fault("agreement", "unknown-agreement",
                             "a receiver's token needs the agreement whose transfers it may see");
                  }
                }
                if (auto response = faults_response(std::move(in).faults())) return *response;
                TRY_SET(const TokenCreated made,
                        context.tokens.create(request, call.principal.name));
                json::Object object = shown(made.record);
                object["secret"] = made.secret;
                return created("/v1/tokens/" + json::text_at(object, "id"), object);
              }});
  router.add(
      {"GET", "/v1/tokens/self", Scope::none, 0, [&context](const Call& call) -> Result<Response> {
         if (call.principal.token_id.empty()) {
           return http::problem("token-missing", "This address tells about your own token.");
         }
         TRY_SET(const json::Object record,
                 context.store.index().record(store::keys::token(call.principal.token_id)));
         return http::json_response(200, shown(record));
       }});
  router.add({"DELETE", "/v1/tokens/{token_id}", Scope::tokens_admin, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY(context.tokens.revoke(call.parameter("token_id"), call.principal.name));
                return http::empty_response();
              }});
}

}  // namespace versement::api
