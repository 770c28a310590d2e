// versement ingest, job.
#include <cstdlib>
#include <memory>

#include "cli/command.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

struct IngestFlags {
  std::string folder;
  std::string collection;
  bool dry_run = false;
  bool new_versions = false;
};

std::string absolute(const std::string& folder) {
  const std::unique_ptr<char, void (*)(void*)> real(::realpath(folder.c_str(), nullptr), ::free);
  return real ? std::string(real.get()) : folder;  // It may lie on the server only.
}

// Prints findings as "error  code  row 12  path: detail (remedy)".
Result<void> show_findings(Session& session, Client& client, const std::string& id) {
  return client.list("/v1/ingests/" + id + "/findings?limit=1000", [&](const json::Object& f) {
    const bool told = json::text_at(f, "code") == "new-version";
    if (json::text_at(f, "severity") == "info" && !told) return true;
    std::string line = json::text_at(f, "severity") + "  " + json::text_at(f, "code") + "  ";
    if (json::number_at(f, "row") > 0) {
      line += "row " + std::to_string(json::number_at(f, "row")) + "  ";
    }
    const std::string where =
        json::text_at(f, "path").empty() ? json::text_at(f, "item_id") : json::text_at(f, "path");
    line += where + ": " + json::text_at(f, "detail");
    if (const std::string remedy = json::text_at(f, "remedy"); !remedy.empty()) {
      line += " (" + remedy + ")";
    }
    session.console().line(printable(line));
    return true;
  });
}

// An ingest that left something out found something wrong.
int ingest_status(const json::Object& ingest) {
  const std::string state = json::text_at(ingest, "state");
  if (state == "failed") return kServer;
  if (state == "cancelled") return kUnchecked;
  return json::number_at(ingest, "errors") > 0 ? kDamage : kOk;
}

int report(Session& session, Client& client, const json::Object& ingest) {
  const int status = ingest_status(ingest);
  if (session.console().json()) {
    json::Object document = ingest;
    json::Array findings;
    auto listed = client.list("/v1/ingests/" + json::text_at(ingest, "id") + "/findings?limit=1000",
                              [&](const json::Object& finding) {
                                findings.emplace_back(finding);
                                return true;
                              });
    if (!listed) return session.fail(listed.error());
    document["findings"] = std::move(findings);
    document["exit_code"] = status;
    session.console().document(document);
    return status;
  }
  if (auto shown = show_findings(session, client, json::text_at(ingest, "id")); !shown) {
    return session.fail(shown.error());
  }
  const json::Object& problem = json::object_at(ingest, "problem");
  const bool dry = json::flag_at(ingest, "dry_run");
  const std::string state = json::text_at(ingest, "state");
  if (!ingest.contains("items_found") && (state == "failed" || state == "cancelled")) {
    session.console().facts(
        {{"ingest", json::text_at(ingest, "id")},
         {"state", state},
         {"because", json::text_at(problem, "detail")},
         {"what is stored", "stays; run it again to go on: what is there is found unchanged"}});
    return status;
  }
  session.console().facts(
      {{"ingest", json::text_at(ingest, "id") + (dry ? " (dry run: nothing was stored)" : "")},
       {"state", json::text_at(ingest, "state")},
       {"failed because", json::text_at(problem, "detail")},
       {"items found", std::to_string(json::number_at(ingest, "items_found"))},
       {dry ? "would be stored" : "stored",
        std::to_string(json::number_at(ingest, "items_stored"))},
       {"new versions", std::to_string(json::number_at(ingest, "items_updated"))},
       {"unchanged", std::to_string(json::number_at(ingest, "items_unchanged"))},
       {"rejected", std::to_string(json::number_at(ingest, "items_rejected"))},
       {"errors, warnings", std::to_string(json::number_at(ingest, "errors")) + ", " +
                                std::to_string(json::number_at(ingest, "warnings"))}});
  return status;
}

int ingest(Session& session, const IngestFlags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  json::Object body;
  body["collection"] = flags.collection;
  body["source"] = json::Object{{"type", "inbox"}, {"path", absolute(flags.folder)}};
  if (flags.new_versions) body["existing"] = "new_version";
  auto reply =
      (*client)->post(std::string("/v1/ingests") + (flags.dry_run ? "?dry_run=true" : ""), body);
  if (!reply) return session.fail(reply.error());
  auto ended = session.follow("/v1/ingests/" + json::text_at(reply->body, "id"), "Ingest");
  if (!ended) return session.fail(ended.error());
  return report(session, **client, *ended);
}

int show_ingest(Session& session, const std::string& id) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->get("/v1/ingests/" + segment(id));
  if (!reply) return session.fail(reply.error());
  return report(session, **client, reply->body);
}

std::vector<std::string> job_row(const json::Object& job) {
  return {json::text_at(job, "id"), json::text_at(job, "kind"), json::text_at(job, "state"),
          json::text_at(job, "agent"), local_time(json::text_at(job, "created_at"))};
}

int job_act(Session& session, const std::string& id, bool cancel) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  const std::string path = "/v1/jobs/" + segment(id);
  auto reply = cancel ? (*client)->post(path + "/cancel", {}) : (*client)->get(path);
  if (!reply) return session.fail(reply.error());
  const json::Object& job = reply->body;
  return show_record(session, job,
                     {{"job", json::text_at(job, "id")},
                      {"kind", json::text_at(job, "kind")},
                      {"state", json::text_at(job, "state")},
                      {"agent", json::text_at(job, "agent")},
                      {"problem", json::text_at(json::object_at(job, "problem"), "detail")},
                      {"result", json::text_at(job, "result_url")}});
}

}  // namespace

namespace {

void add_deposit(Tree& tree,
                 CLI::App* command,
                 const std::string& folder_help,
                 const std::string& example) {
  auto flags = std::make_shared<IngestFlags>();
  command->add_option("DEPOSIT", flags->folder, folder_help + ", below an inbox of the service");
  command->add_option("--collection", flags->collection, "Collection of the items");
  command->add_flag("-n,--dry-run", flags->dry_run, "Say everything that is wrong, store nothing");
  command->add_flag("--new-versions", flags->new_versions,
                    "An item that is there with other files or another description gets a "
                    "further version; without this it is refused");
  command->footer(
      "Exit status: 0 all stored, 1 something is wrong with the deposit (what is right was "
      "stored),\n4 the service failed, 5 refused.\nExample: " +
      example);
  tree.action(command, [flags, name = command->get_name()](Session& s) {
    if (!flags->folder.empty() && !flags->collection.empty()) return ingest(s, *flags);
    s.console().failure(Error(Code::invalid, name + " needs DEPOSIT and --collection; see --help"),
                        kUsage, {});
    return kUsage;
  });
}

}  // namespace

void add_adopt_command(Tree& tree, CLI::App* group) {
  add_deposit(
      tree,
      tree.add(group, "adopt",
               "Take the objects of another program's OCFL root, or a folder of its bags, "
               "into the store; each is validated first"),
      "OCFL root, bag (folder, tar, tar.gz, zip), or folder of bags such as Archivematica's AIPs",
      "versement store adopt /srv/aips --collection phnom-penh --dry-run");
}

void add_ingest_commands(Tree& tree) {
  CLI::App* const ingest_command = tree.add(
      &tree.root(), "ingest", "Take a folder of scans with its metadata, or bags, into the store");
  add_deposit(tree, ingest_command,
              "Folder with objects/ and metadata/metadata.csv, or what store adopt takes: a bag, "
              "also in a tar, tar.gz or zip",
              "versement ingest /srv/scans/campagne-1994 --collection phnom-penh --dry-run");
  {
    CLI::App* const command = tree.add(ingest_command, "list", "List ingests");
    tree.action(command, [](Session& s) {
      return show_list(s, "/v1/ingests",
                       {"INGEST", "STATE", "COLLECTION", "STORED", "REJECTED", "BEGAN"},
                       [](const json::Object& each) -> std::vector<std::string> {
                         return {json::text_at(each, "id"),
                                 json::text_at(each, "state"),
                                 json::text_at(each, "collection"),
                                 std::to_string(json::number_at(each, "items_stored")),
                                 std::to_string(json::number_at(each, "items_rejected")),
                                 local_time(json::text_at(each, "created_at"))};
                       });
    });
  }
  {
    CLI::App* const command = tree.add(ingest_command, "show", "Show an ingest with its findings");
    auto id = std::make_shared<std::string>();
    command->add_option("INGEST", *id, "Ingest id")->required();
    tree.action(command, [id](Session& s) { return show_ingest(s, *id); });
  }
  CLI::App* const job = tree.add(&tree.root(), "job", "Long work");
  job->require_subcommand(1);
  {
    CLI::App* const command = tree.add(job, "list", "List jobs");
    tree.action(command, [](Session& s) {
      return show_list(s, "/v1/jobs", {"JOB", "KIND", "STATE", "AGENT", "BEGAN"}, job_row);
    });
  }
  for (const bool cancel : {false, true}) {
    CLI::App* const command =
        tree.add(job, cancel ? "cancel" : "show", cancel ? "Ask a job to end" : "Show one job");
    auto id = std::make_shared<std::string>();
    command->add_option("JOB", *id, "Job id")->required();
    tree.action(command, [id, cancel](Session& s) { return job_act(s, *id, cancel); });
  }
}

}  // namespace versement::cli
