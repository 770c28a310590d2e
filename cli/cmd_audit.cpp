// versement audit, incident.
#include "cli/command.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

// Worst first: damage, then what could not be checked.
int audit_status(const json::Object& audit) {
  const std::string state = json::text_at(audit, "state");
  if (state == "failed") return kServer;
  if (state == "cancelled") return kUnchecked;
  const std::string verdict = json::text_at(audit, "verdict");
  if (verdict == "clean") return kOk;
  return verdict == "damaged" ? kDamage : kUnchecked;
}

Result<json::Array> outcomes_of(Client& client, const std::string& id) {
  json::Array outcomes;
  TRY(client.list("/v1/audits/" + id + "/outcomes?limit=1000", [&](const json::Object& outcome) {
    outcomes.emplace_back(outcome);
    return true;
  }));
  return outcomes;
}

int report(Session& session, Client& client, const json::Object& audit) {
  const int status = audit_status(audit);
  const std::string id = json::text_at(audit, "id");
  auto outcomes = outcomes_of(client, id);
  if (!outcomes) return session.fail(outcomes.error());
  if (session.console().json()) {
    json::Object document = audit;
    document["outcomes"] = std::move(*outcomes);
    document["exit_code"] = status;
    session.console().document(document);
    return status;
  }
  for (const json::Value& value : *outcomes) {
    const json::Object& outcome = value.get_object();
    std::string owner = json::text_at(outcome, "owner");
    if (owner.empty()) owner = "store";
    session.console().line(printable(json::text_at(outcome, "outcome") + "  " + owner + "  " +
                                     json::text_at(outcome, "path") + "  " +
                                     json::text_at(outcome, "detail")));
  }
  const json::Object& totals = json::object_at(audit, "totals");
  session.console().facts(
      {{"audit", id},
       {"state", json::text_at(audit, "state")},
       {"failed because", json::text_at(json::object_at(audit, "problem"), "detail")},
       {"verdict", json::text_at(audit, "verdict")},
       {"verified", std::to_string(json::number_at(totals, "verified")) + " of " +
                        std::to_string(json::number_at(totals, "due")) + " files, " +
                        human_bytes(json::number_at(totals, "bytes_read")) + " read"},
       {"evidence", json::text_at(audit, "evidence_digest")}});
  if (status == kDamage) session.console().note("Next: versement incident list");
  return status;
}

struct RunFlags {
  std::string collection;
  std::string item;
};

int run_audit(Session& session, const RunFlags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  json::Object scope;
  if (!flags.collection.empty()) scope["collection"] = flags.collection;
  if (!flags.item.empty()) scope["item"] = flags.item;
  json::Object body;
  if (!scope.empty()) body["scope"] = std::move(scope);
  auto reply = (*client)->post("/v1/audits", body);
  if (!reply) return session.fail(reply.error());
  auto ended = session.follow("/v1/audits/" + json::text_at(reply->body, "id"), "Audit");
  if (!ended) return session.fail(ended.error());
  return report(session, **client, *ended);
}

int show_audit(Session& session, const std::string& id) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->get("/v1/audits/" + segment(id));
  if (!reply) return session.fail(reply.error());
  return report(session, **client, reply->body);
}

struct PolicyFlags {
  std::string id, interval, collection;
};

int add_policy(Session& session, const PolicyFlags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  json::Object body{{"id", flags.id}, {"interval", flags.interval}};
  if (!flags.collection.empty()) body["collection"] = flags.collection;
  auto reply = (*client)->post("/v1/audit-policies", body);
  if (!reply) return session.fail(reply.error());
  return show_record(session, reply->body, {{"policy", flags.id}, {"interval", flags.interval}});
}

int remove_policy(Session& session, const std::string& id) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->remove("/v1/audit-policies/" + segment(id));
  if (!reply) return session.fail(reply.error());
  return show_record(session, {{"id", id}, {"removed", true}}, {{"removed policy", id}});
}

struct ResolveFlags {
  std::string id, resolution, note;
};

int resolve(Session& session, const ResolveFlags& flags) {
  auto sure = session.confirm("Close incident " + flags.id + " as " + flags.resolution + "?");
  if (!sure) {
    session.console().failure(sure.error(), kUsage, {});
    return kUsage;
  }
  if (!*sure) return kRefused;
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->post("/v1/incidents/" + segment(flags.id) + "/resolve",
                               {{"resolution", flags.resolution}, {"note", flags.note}});
  if (!reply) return session.fail(reply.error());
  return show_record(session, reply->body,
                     {{"incident", flags.id}, {"state", json::text_at(reply->body, "state")}});
}

int show_incident(Session& session, const std::string& id) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->get("/v1/incidents/" + segment(id));
  if (!reply) return session.fail(reply.error());
  const json::Object& incident = reply->body;
  return show_record(session, incident,
                     {{"incident", json::text_at(incident, "id")},
                      {"kind", json::text_at(incident, "kind")},
                      {"state", json::text_at(incident, "state")},
                      {"concerns", json::text_at(incident, "owner")},
                      {"file", json::text_at(incident, "path")},
                      {"expected", json::text_at(incident, "expected")},
                      {"found", json::text_at(incident, "found")},
                      {"detail", json::text_at(incident, "detail")},
                      {"audit", json::text_at(incident, "audit_id")},
                      {"opened", local_time(json::text_at(incident, "opened_at"))}});
}

void add_policy_commands(Tree& tree, CLI::App* audit) {
  CLI::App* const policy = tree.add(audit, "policy", "How often bytes are read again");
  policy->require_subcommand(1);
  {
    CLI::App* const command = tree.add(policy, "list", "List policies");
    tree.action(command, [](Session& s) {
      return show_list(s, "/v1/audit-policies", {"POLICY", "INTERVAL", "COLLECTION"},
                       [](const json::Object& each) -> std::vector<std::string> {
                         const std::string collection = json::text_at(each, "collection");
                         return {json::text_at(each, "id"), json::text_at(each, "interval"),
                                 collection.empty() ? "all" : collection};
                       });
    });
  }
  {
    CLI::App* const command = tree.add(policy, "add", "Read every byte again within an interval");
    auto flags = std::make_shared<PolicyFlags>();
    command->add_option("POLICY", flags->id, "Its id")->required();
    command->add_option("--interval", flags->interval, "Such as P90D")->required();
    command->add_option("--collection", flags->collection, "Only this collection");
    tree.action(command, [flags](Session& s) { return add_policy(s, *flags); });
  }
  {
    CLI::App* const command = tree.add(policy, "rm", "Remove a policy");
    auto id = std::make_shared<std::string>();
    command->add_option("POLICY", *id, "Its id")->required();
    tree.action(command, [id](Session& s) { return remove_policy(s, *id); });
  }
}

}  // namespace

void add_audit_commands(Tree& tree) {
  CLI::App* const audit = tree.add(&tree.root(), "audit", "Read stored bytes again and compare");
  audit->require_subcommand(1);
  {
    CLI::App* const command = tree.add(audit, "run", "Run an audit and wait for it");
    auto flags = std::make_shared<RunFlags>();
    command->add_option("--collection", flags->collection, "Only this collection");
    command->add_option("--item", flags->item, "Only this item");
    command->footer(
        "Exit status: 0 every file verified, 1 damage found, 2 some files could not be checked.");
    tree.action(command, [flags](Session& s) { return run_audit(s, *flags); });
  }
  {
    CLI::App* const command = tree.add(audit, "list", "List audits");
    tree.action(command, [](Session& s) {
      return show_list(s, "/v1/audits", {"AUDIT", "STATE", "VERDICT", "VERIFIED", "DUE", "BEGAN"},
                       [](const json::Object& each) -> std::vector<std::string> {
                         const json::Object& totals = json::object_at(each, "totals");
                         return {json::text_at(each, "id"),
                                 json::text_at(each, "state"),
                                 json::text_at(each, "verdict"),
                                 std::to_string(json::number_at(totals, "verified")),
                                 std::to_string(json::number_at(totals, "due")),
                                 local_time(json::text_at(each, "created_at"))};
                       });
    });
  }
  {
    CLI::App* const command = tree.add(audit, "show", "Show an audit with what it found");
    auto id = std::make_shared<std::string>();
    command->add_option("AUDIT", *id, "Audit id")->required();
    tree.action(command, [id](Session& s) { return show_audit(s, *id); });
  }
  add_policy_commands(tree, audit);

  CLI::App* const incident =
      tree.add(&tree.root(), "incident", "Losses, from detection to closure");
  incident->require_subcommand(1);
  {
    CLI::App* const command = tree.add(incident, "list", "List incidents");
    auto all = std::make_shared<bool>(false);
    command->add_flag("--all", *all, "Closed ones too");
    tree.action(command, [all](Session& s) {
      return show_list(
          s, std::string("/v1/incidents") + (*all ? "" : "?state=open"),
          {"INCIDENT", "KIND", "STATE", "CONCERNS", "FILE", "OPENED"},
          [](const json::Object& each) -> std::vector<std::string> {
            return {json::text_at(each, "id"),    json::text_at(each, "kind"),
                    json::text_at(each, "state"), json::text_at(each, "owner"),
                    json::text_at(each, "path"),  local_time(json::text_at(each, "opened_at"))};
          });
    });
  }
  {
    CLI::App* const command = tree.add(incident, "show", "Show one incident");
    auto id = std::make_shared<std::string>();
    command->add_option("INCIDENT", *id, "Incident id")->required();
    tree.action(command, [id](Session& s) { return show_incident(s, *id); });
  }
  {
    CLI::App* const command = tree.add(incident, "resolve", "Close an incident");
    auto flags = std::make_shared<ResolveFlags>();
    command->add_option("INCIDENT", flags->id, "Incident id")->required();
    command->add_option("--as", flags->resolution, "repaired, accepted_loss or false_alarm")
        ->required();
    command->add_option("--note", flags->note, "Why, and what was done")->required();
    tree.action(command, [flags](Session& s) { return resolve(s, *flags); });
  }
}

}  // namespace versement::cli
