// versement status, token, events.
#include "cli/command.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

std::string counts_text(const json::Object& counts) {
  std::string text;
  for (const auto& member : counts) {
    text += (text.empty() ? "" : ", ") + std::to_string(json::number_at(counts, member.key())) +
            " " + std::string(member.key());
  }
  return text.empty() ? "none" : text;
}

int status(Session& session) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->get("/v1/status");
  if (!reply) return session.fail(reply.error());
  const json::Object& s = reply->body;
  const json::Object& journal = json::object_at(s, "journal");
  return show_record(
      session, s,
      {{"version", json::text_at(s, "version")},
       {"up since", local_time(json::text_at(s, "started_at"))},
       {"store", std::to_string(json::number_at(s, "items")) + " items, " +
                     std::to_string(json::number_at(s, "files")) + " files, " +
                     human_bytes(json::number_at(s, "bytes"))},
       {"takes deposits",
        json::text_at(s, "read_only").empty() ? "yes" : "no: " + json::text_at(s, "read_only")},
       {"fixity", counts_text(json::object_at(s, "objects_by_fixity"))},
       {"open incidents", std::to_string(json::number_at(s, "incidents_open"))},
       {"transfers", counts_text(json::object_at(s, "transfers"))},
       {"jobs running", std::to_string(json::number_at(s, "jobs_running"))},
       {"journal", std::to_string(json::number_at(journal, "tree_size")) + " entries"},
       {"free", human_bytes(json::number_at(s, "bytes_free"))}});
}

struct TokenFlags {
  std::string name, role, agreement, expires, out;
};

int create_token(Session& session, const TokenFlags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  if (!flags.out.empty()) {
    const auto there = path_exists(real_disk(), flags.out);
    if (!there) return session.fail(there.error());
    if (*there) {
      session.console().failure(
          Error(Code::exists, flags.out + " is there already; name another file"), kUsage, {});
      return kUsage;
    }
  }
  json::Object body{{"name", flags.name}, {"role", flags.role}};
  if (!flags.agreement.empty()) body["agreement"] = flags.agreement;
  if (!flags.expires.empty()) body["expires_at"] = flags.expires;
  auto reply = (*client)->post("/v1/tokens", body);
  if (!reply) return session.fail(reply.error());
  json::Object token = reply->body;
  if (!flags.out.empty()) {
    const std::string secret = json::text_at(token, "secret") + "\n";
    if (auto written = publish_file(real_disk(), flags.out, as_bytes(secret), 0600); !written) {
      // The secret is in nobody's hands: the token is of no use any more.
      session.console().note("The token " + json::text_at(token, "id") +
                             " was made, but its secret could not be written; revoke it.");
      return session.fail(written.error());
    }
    token.erase("secret");
    token["token_file"] = flags.out;
  }
  return show_record(session, token,
                     {{"token", json::text_at(token, "id")},
                      {"name", json::text_at(token, "name")},
                      {"role", json::text_at(token, "role")},
                      {"agreement", json::text_at(token, "agreement")},
                      {"secret (shown once)", json::text_at(token, "secret")},
                      {"in file", json::text_at(token, "token_file")}});
}

int events(Session& session, const std::string& type) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  json::Array all;
  std::vector<std::vector<std::string>> rows;
  std::string after;
  while (true) {
    std::string path = "/v1/events?limit=1000";
    if (!after.empty()) path += "&after=" + after;
    if (!type.empty()) path += "&type=" + segment(type);
    auto reply = (*client)->get(path);
    if (!reply) return session.fail(reply.error());
    for (const json::Value& value : json::array_at(reply->body, "items")) {
      const json::Object& event = value.get_object();
      all.emplace_back(event);
      const json::Object& objects = json::object_at(event, "objects");
      std::string concerns;
      for (const std::string_view name : {"item", "transfer", "collection", "job"}) {
        if (concerns.empty()) concerns = json::text_at(objects, name);
      }
      rows.push_back({std::to_string(json::number_at(event, "index")),
                      local_time(json::text_at(event, "time")), json::text_at(event, "type"),
                      json::text_at(event, "agent"), json::text_at(event, "outcome"), concerns});
    }
    if (!json::flag_at(reply->body, "more")) break;
    after = std::to_string(json::number_at(reply->body, "next_after"));
  }
  if (session.console().json()) {
    session.console().document(json::Object{{"items", std::move(all)}});
  } else {
    session.console().table({"INDEX", "TIME", "EVENT", "AGENT", "OUTCOME", "CONCERNS"}, rows);
  }
  return kOk;
}

void add_token_commands(Tree& tree) {
  CLI::App* const token = tree.add(&tree.root(), "token", "Credentials");
  token->require_subcommand(1);
  {
    CLI::App* const command = tree.add(token, "list", "List tokens");
    tree.action(command, [](Session& s) {
      return show_list(
          s, "/v1/tokens", {"TOKEN", "BEGINS", "ROLE", "AGREEMENT", "NAME", "REVOKED"},
          [](const json::Object& each) -> std::vector<std::string> {
            return {json::text_at(each, "id"),   json::text_at(each, "prefix") + "…",
                    json::text_at(each, "role"), json::text_at(each, "agreement"),
                    json::text_at(each, "name"), local_time(json::text_at(each, "revoked_at"))};
          });
    });
  }
  {
    CLI::App* const command = tree.add(token, "create", "Make a token");
    auto flags = std::make_shared<TokenFlags>();
    command->add_option("NAME", flags->name, "Whose it is; the agent in the journal")->required();
    command->add_option("--role", flags->role, "admin, archivist, auditor, receiver or reader")
        ->required();
    command->add_option("--agreement", flags->agreement,
                        "Of a receiver: the agreement whose transfers it sees");
    command->add_option("--expires", flags->expires, "When it ends, RFC 3339");
    command->add_option("--out", flags->out,
                        "Write the secret to this new file (0600), show it nowhere");
    tree.action(command, [flags](Session& s) { return create_token(s, *flags); });
  }
  {
    CLI::App* const command = tree.add(token, "revoke", "End a token at once");
    auto id = std::make_shared<std::string>();
    command->add_option("TOKEN", *id, "Token id")->required();
    tree.action(command, [id](Session& s) {
      auto sure = s.confirm("Revoke token " + *id + "?");
      if (!sure) {
        s.console().failure(sure.error(), kUsage, {});
        return kUsage;
      }
      if (!*sure) return kRefused;
      auto client = s.client();
      if (!client) return s.fail(client.error());
      auto reply = (*client)->remove("/v1/tokens/" + segment(*id));
      if (!reply) return s.fail(reply.error());
      return show_record(s, {{"id", *id}, {"revoked", true}}, {{"revoked", *id}});
    });
  }
  {
    CLI::App* const command = tree.add(token, "self", "Show the token that is used");
    tree.action(command, [](Session& s) {
      auto client = s.client();
      if (!client) return s.fail(client.error());
      auto reply = (*client)->get("/v1/tokens/self");
      if (!reply) return s.fail(reply.error());
      return show_record(s, reply->body,
                         {{"token", json::text_at(reply->body, "id")},
                          {"name", json::text_at(reply->body, "name")},
                          {"role", json::text_at(reply->body, "role")},
                          {"agreement", json::text_at(reply->body, "agreement")}});
    });
  }
}

}  // namespace

void add_system_commands(Tree& tree) {
  CLI::App* const command =
      tree.add(&tree.root(), "status", "One screen: store, fixity, transfers");
  tree.action(command, status);
  add_token_commands(tree);
  CLI::App* const events_command = tree.add(&tree.root(), "events", "The journal's events");
  auto type = std::make_shared<std::string>();
  events_command->add_option("--type", *type, "Only this kind, such as 'ingestion'");
  tree.action(events_command, [type](Session& s) { return events(s, *type); });
}

}  // namespace versement::cli
