// Who may do what.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace versement::http {

enum class Role { admin, archivist, auditor, receiver, reader };

std::string_view role_name(Role role);
std::optional<Role> role_of_name(std::string_view name);

// What an operation asks for.
enum class Scope {
  none,  // open to all
  items_read,
  content_read,
  items_write,  // collections and ingests too
  audits_read,  // audits, policies, incidents
  audits_write,
  transfers_read,
  transfers_write,
  transfers_receive,
  agreements_admin,
  jobs_read,
  jobs_write,
  events_read,
  journal_read,
  journal_cosign,
  tokens_admin,
  status_read,
};

std::string_view scope_name(Scope scope);
bool role_has(Role role, Scope scope);

// The caller: a token that was found and is in force.
struct Principal {
  std::string token_id;
  std::string name;  // the agent in the journal
  Role role = Role::reader;
  std::string agreement;  // of a receiver: the only agreement whose transfers it sees
};

}  // namespace versement::http
