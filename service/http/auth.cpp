#include "service/http/auth.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <utility>

namespace versement::http {
namespace {

constexpr std::array<std::pair<Role, std::string_view>, 5> kRoles{{
    {Role::admin, "admin"},
    {Role::archivist, "archivist"},
    {Role::auditor, "auditor"},
    {Role::receiver, "receiver"},
    {Role::reader, "reader"},
}};

constexpr std::array<std::pair<Scope, std::string_view>, 17> kScopes{{
    {Scope::none, ""},
    {Scope::items_read, "items:read"},
    {Scope::content_read, "content:read"},
    {Scope::items_write, "items:write"},
    {Scope::audits_read, "audits:read"},
    {Scope::audits_write, "audits:write"},
    {Scope::transfers_read, "transfers:read"},
    {Scope::transfers_write, "transfers:write"},
    {Scope::transfers_receive, "transfers:receive"},
    {Scope::agreements_admin, "agreements:admin"},
    {Scope::jobs_read, "jobs:read"},
    {Scope::jobs_write, "jobs:write"},
    {Scope::events_read, "events:read"},
    {Scope::journal_read, "journal:read"},
    {Scope::journal_cosign, "journal:cosign"},
    {Scope::tokens_admin, "tokens:admin"},
    {Scope::status_read, "status:read"},
}};

bool among(Scope scope, std::initializer_list<Scope> scopes) {
  return std::find(scopes.begin(), scopes.end(), scope) != scopes.end();
}

}  // namespace

std::string_view role_name(Role role) {
  for (const auto& [each, name] : kRoles) {
    if (each == role) return name;
  }
  return "reader";
}

std::optional<Role> role_of_name(std::string_view name) {
  for (const auto& [role, each] : kRoles) {
    if (each == name) return role;
  }
  return std::nullopt;
}

std::string_view scope_name(Scope scope) {
  for (const auto& [each, name] : kScopes) {
    if (each == scope) return name;
  }
  return "";
}

bool role_has(Role role, Scope scope) {
  if (scope == Scope::none) return true;
  switch (role) {
    // Everything but the receiver's acts: nobody hands over to himself.
    case Role::admin:
      return scope != Scope::transfers_receive;
    case Role::archivist:
      return among(
          scope, {Scope::items_read, Scope::content_read, Scope::items_write, Scope::audits_read,
                  Scope::transfers_read, Scope::transfers_write, Scope::jobs_read,
                  Scope::jobs_write, Scope::events_read, Scope::journal_read, Scope::status_read});
    case Role::auditor:
      return among(scope, {Scope::items_read, Scope::audits_read, Scope::audits_write,
                           Scope::jobs_read, Scope::jobs_write, Scope::events_read,
                           Scope::journal_read, Scope::journal_cosign, Scope::status_read});
    case Role::receiver:
      return among(scope, {Scope::transfers_read, Scope::transfers_receive, Scope::journal_read,
                           Scope::journal_cosign});
    case Role::reader:
      return among(scope, {Scope::items_read, Scope::status_read});
  }
  return false;
}

}  // namespace versement::http
