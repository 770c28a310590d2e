// Bearer tokens: who holds which, checked without the disk. Of a secret only its SHA-256 is kept.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "service/http/auth.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"
#include "store/base/time.hpp"
#include "store/store.hpp"

namespace versement::api {

struct TokenRequest {
  std::string name;  // the agent in the journal
  http::Role role = http::Role::reader;
  std::string agreement;  // of a receiver
  std::optional<Timestamp> expires_at;
};

struct TokenCreated {
  json::Object record;
  std::string secret;  // shown once, kept nowhere
};

// Thread safe.
class Tokens {
 public:
  // Knows none until reload().
  explicit Tokens(store::Store& store) : store_(store) {}
  static Result<std::unique_ptr<Tokens>> load(store::Store& store);
  // Reads the digests in secrets/tokens.json and the records in the index.
  Result<void> reload();

  Result<TokenCreated> create(const TokenRequest& request, std::string_view agent);
  // Errors: not_found.
  Result<void> revoke(const std::string& id, std::string_view agent);

  enum class Refusal { missing, invalid, expired };
  struct Checked {
    std::optional<http::Principal> principal;
    Refusal refusal = Refusal::missing;
  };
  // Looks at an Authorization field.
  Checked check(std::string_view authorization) const;

 private:
  struct Held {
    http::Principal principal;
    std::optional<Timestamp> expires_at;
  };
  Result<void> save(const std::map<std::string, std::string>& digests);
  static Held held_of(const json::Object& record);

  store::Store& store_;
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Held> held_;  // by digest; guarded by mutex_
  std::map<std::string, std::string> digests_;  // by id; guarded by mutex_
  std::mutex change_mutex_;                     // One change at a time; before mutex_.
};

}  // namespace versement::api
