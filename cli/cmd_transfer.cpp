// versement agreement, transfer.
#include <map>

#include "bagit/validate.hpp"
#include "cli/command.hpp"
#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

// As which archives a sealed transfer is to be had, as the server tells: a zip is not possible of
// every bag. Nothing where its bag is closed to this token.
json::Object bag_summary(Session& session, const json::Object& t) {
  if (session.console().json() || json::text_at(t, "seal_digest").empty()) return {};
  auto client = session.client();
  if (!client) return {};
  auto reply = (*client)->get("/v1/transfers/" + json::text_at(t, "id") + "/bag");
  return reply ? std::move(reply->body) : json::Object();
}

int show_transfer(Session& session, const json::Object& t) {
  std::string actions;
  for (const json::Value& action : json::array_at(t, "allowed_actions")) {
    if (!action.is_string()) continue;
    actions += (actions.empty() ? "" : ", ") + std::string(std::string_view(action.get_string()));
  }
  std::string refused;
  for (const auto& each : json::object_at(t, "refused_items"))
    refused += (refused.empty() ? "" : ", ") + std::string(each.key());
  const json::Object bag = bag_summary(session, t);
  const auto address = [&bag](std::string_view archive) {
    return json::text_at(json::object_at(bag, archive), "url");
  };
  return show_record(
      session, t,
      {{"transfer", json::text_at(t, "reference")},
       {"id", json::text_at(t, "id")},
       {"title", localized(json::object_at(t, "title"))},
       {"agreement", json::text_at(t, "agreement")},
       {"state", json::text_at(t, "state")},
       {"waiting for", json::text_at(t, "waiting_for")},
       {"you may", actions},
       {"items", std::to_string(json::number_at(t, "item_count"))},
       {"bag files", json::number_at(t, "file_count") == 0
                         ? ""
                         : std::to_string(json::number_at(t, "file_count"))},
       {"payload",
        json::number_at(t, "size_bytes") == 0 ? "" : human_bytes(json::number_at(t, "size_bytes"))},
       {"seal digest", json::text_at(t, "seal_digest")},
       {"bag as tar", address("tar")},
       {"bag as zip", address("zip")},
       {"bag, no payload", address("holey")},
       {"for SEDA systems", address("seda")},
       {"accession number", json::text_at(t, "accession_number")},
       {"offered", local_time(json::text_at(t, "offered_at"))},
       {"custody since", local_time(json::text_at(t, "custody_granted_at"))},
       {"refused items", refused},
       {"rejected because", json::text_at(t, "reject_reason")},
       {"last anomaly", json::text_at(t, "last_anomaly")}});
}

// POST of an act and its answer.
int act(Session& session,
        const std::string& transfer,
        const std::string& name,
        const json::Object& body,
        std::string_view next) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->post("/v1/transfers/" + segment(transfer) + "/" + name, body);
  if (!reply) return session.fail(reply.error());
  const int status = show_transfer(session, reply->body);
  if (!next.empty()) session.console().note("Next: versement " + std::string(next));
  return status;
}

struct CreateFlags {
  std::string reference, title, language = "fr", agreement, description;
};

int create(Session& session, const CreateFlags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  json::Object body;
  body["reference"] = flags.reference;
  body["title"] =
      json::Object{{flags.language, flags.title.empty() ? flags.reference : flags.title}};
  body["agreement"] = flags.agreement;
  if (!flags.description.empty()) {
    body["description"] = json::Object{{flags.language, flags.description}};
  }
  auto reply = (*client)->post("/v1/transfers", body);
  if (!reply) return session.fail(reply.error());
  session.console().note("Next: versement transfer add " + flags.reference + " ITEM…");
  return show_transfer(session, reply->body);
}

struct AddFlags {
  std::string transfer, collection;
  std::vector<std::string> items;
};

int add(Session& session, const AddFlags& flags) {
  json::Object body;
  json::Array items;
  for (const std::string& item : flags.items)
    items.emplace_back(item);
  if (!items.empty()) body["items"] = std::move(items);
  if (!flags.collection.empty()) body["collection"] = flags.collection;
  if (body.empty()) {
    session.console().failure(Error(Code::invalid, "name items, or a --collection"), kUsage, {});
    return kUsage;
  }
  return act(session, flags.transfer, "items", body, "transfer seal " + flags.transfer);
}

int seal(Session& session, const std::string& transfer) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->post("/v1/transfers/" + segment(transfer) + "/seal", {});
  if (!reply) return session.fail(reply.error());
  auto ended = session.follow("/v1/jobs/" + json::text_at(reply->body, "id"), "Sealing");
  if (!ended) return session.fail(ended.error());
  if (json::text_at(*ended, "state") != "succeeded") {
    const json::Object& problem = json::object_at(*ended, "problem");
    const std::string reason = json::text_at(problem, "code");
    const int status = reason == "payload-not-verified" ? kDamage : kRefused;
    session.console().failure(Error(Code::conflict, json::text_at(problem, "detail")).as(reason),
                              status, problem);
    return status;
  }
  auto sealed = (*client)->get("/v1/transfers/" + segment(transfer));
  if (!sealed) return session.fail(sealed.error());
  session.console().note("Next: versement transfer offer " + transfer);
  return show_transfer(session, sealed->body);
}

// Of a bag that was pulled: what the receiver has read stands for itself.
Result<std::string> seal_digest_of(const std::string& bag) {
  TRY_SET(const std::string bytes,
          read_file(real_disk(), Path(bag) / "tagmanifest-sha512.txt", limits::kTagFileBytesMax));
  return digest_of(Algorithm::sha512, bytes).hex();
}

struct ReceiveFlags {
  std::string transfer, bag, seal_digest, accession, message, reason, granted;
};

// The seal digest from --bag or --seal-digest. Errors: invalid when neither is given.
Result<std::string> digest_from(const ReceiveFlags& flags) {
  if (!flags.seal_digest.empty()) return flags.seal_digest;
  if (!flags.bag.empty()) return seal_digest_of(flags.bag);
  return Error(Code::invalid, "name the bag that you read with --bag, or its --seal-digest");
}

int usage(Session& session, const Error& error) {
  session.console().failure(error, kUsage, {});
  return kUsage;
}

int acknowledge(Session& session, const ReceiveFlags& flags) {
  bagit::ValidateOptions options;
  auto report = bagit::validate(real_disk(), flags.bag, options);
  if (!report) return usage(session, report.error());
  json::Object body;
  auto digest = seal_digest_of(flags.bag);
  if (!digest) return usage(session, digest.error());
  body["seal_digest"] = *digest;
  json::Array anomalies;
  for (const bagit::Finding& finding : report->findings) {
    // As many as one journal entry can hold.
    if (finding.severity != bagit::Severity::error || anomalies.size() == 100) continue;
    anomalies.emplace_back(
        json::Object{{"code", finding.code}, {"path", printable(finding.path).substr(0, 250)}});
  }
  const bool whole = report->verdict == bagit::Verdict::valid;
  // The tag manifest itself is in no manifest; its digest is the seal's.
  body["files_ok"] = whole ? report->files + 1 : 0;
  body["validator"] = "versement";
  if (!anomalies.empty()) body["anomalies"] = std::move(anomalies);
  const int status = act(session, flags.transfer, "acknowledge", body,
                         whole ? "transfer accept " + flags.transfer + " --bag " + flags.bag : "");
  return status == kOk && !whole ? kDamage : status;
}

int accept(Session& session, const ReceiveFlags& flags) {
  auto digest = digest_from(flags);
  if (!digest) return usage(session, digest.error());
  auto sure = session.confirm("Accept transfer " + flags.transfer + " and take its items over?");
  if (!sure) return usage(session, sure.error());
  if (!*sure) return kRefused;
  json::Object body{{"seal_digest", *digest}};
  if (!flags.accession.empty()) body["accession_number"] = flags.accession;
  if (!flags.message.empty()) body["message"] = flags.message;
  if (!flags.granted.empty()) body["custody_granted_at"] = flags.granted;
  return act(session, flags.transfer, "accept", body, "");
}

int reject(Session& session, const ReceiveFlags& flags) {
  auto sure = session.confirm("Reject transfer " + flags.transfer + "?");
  if (!sure) return usage(session, sure.error());
  if (!*sure) return kRefused;
  return act(session, flags.transfer, "reject", {{"reason", flags.reason}}, "");
}

int withdraw(Session& session, const std::string& transfer, const std::string& note) {
  auto sure = session.confirm("Withdraw transfer " + transfer + "? Its downloads end.");
  if (!sure) return usage(session, sure.error());
  if (!*sure) return kRefused;
  json::Object body;
  if (!note.empty()) body["note"] = note;
  return act(session, transfer, "withdraw", body, "");
}

struct AgreementFlags {
  std::string id, title, reference, from_id, from_name, to_id, to_name, age;
  bool sha256 = false;
  std::string seda_file;
  std::map<std::string, std::string> seda;  // texts by their names in the record
  std::vector<std::string> rules;           // NAME=CODE
};

// What of the agreement is for SEDA: the file's members, then the flags.
// Errors: invalid for a file that is no JSON object, or a rule without a code.
Result<json::Object> seda_of(const AgreementFlags& flags) {
  json::Object seda;
  if (!flags.seda_file.empty()) {
    TRY_SET(const std::string text,
            read_file(real_disk(), flags.seda_file, limits::kConfigBytesMax));
    auto read = json::parse_object(text);
    if (!read) return std::move(read).error().during(printable(flags.seda_file));
    seda = std::move(*read);
  }
  for (const auto& [name, value] : flags.seda) {
    if (!value.empty()) seda[name] = value;
  }
  json::Object rules = json::object_at(seda, "rules");
  for (const std::string& rule : flags.rules) {
    const std::size_t equals = rule.find('=');
    if (equals == std::string::npos) {
      return Error(Code::invalid, "--seda-rule takes NAME=CODE, such as access=ACC-00001");
    }
    rules[rule.substr(0, equals)] = rule.substr(equals + 1);
  }
  if (!rules.empty()) seda["rules"] = std::move(rules);
  return seda;
}

int create_agreement(Session& session, const AgreementFlags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  json::Object body;
  body["id"] = flags.id;
  body["title"] = json::Object{{"fr", flags.title.empty() ? flags.id : flags.title}};
  if (!flags.reference.empty()) body["reference"] = flags.reference;
  body["transferring_agency"] = json::Object{{"id", flags.from_id}, {"name", flags.from_name}};
  body["archival_agency"] = json::Object{{"id", flags.to_id}, {"name", flags.to_name}};
  if (!flags.age.empty()) body["max_fixity_age"] = flags.age;
  if (flags.sha256) body["digest_algorithms"] = json::Array{"sha512", "sha256"};
  auto seda = seda_of(flags);
  if (!seda) return usage(session, seda.error());
  if (!seda->empty()) body["seda"] = *std::move(seda);
  auto reply = (*client)->post("/v1/agreements", body);
  if (!reply) return session.fail(reply.error());
  return show_record(session, reply->body, {{"agreement", flags.id}});
}

void add_sender_commands(Tree& tree, CLI::App* transfer) {
  add_metadata_command(tree, transfer, "TRANSFER",
                       "Write the descriptions as metadata.csv, with paths in the bag",
                       "/v1/transfers/");
  {
    CLI::App* const command = tree.add(transfer, "create", "Begin a transfer");
    auto flags = std::make_shared<CreateFlags>();
    command->add_option("REFERENCE", flags->reference, "Its reference, such as 2026-V-001")
        ->required();
    command->add_option("--agreement", flags->agreement, "Agreement that it is made under")
        ->required();
    command->add_option("--title", flags->title, "Title");
    command->add_option("--description", flags->description, "What it holds");
    command->add_option("--language", flags->language, "Language of these texts (fr)");
    tree.action(command, [flags](Session& s) { return create(s, *flags); });
  }
  {
    CLI::App* const command = tree.add(transfer, "add", "Put items into a draft");
    auto flags = std::make_shared<AddFlags>();
    command->add_option("TRANSFER", flags->transfer, "Reference or id")->required();
    command->add_option("ITEM", flags->items, "Item ids");
    command->add_option("--collection", flags->collection, "All items of this collection");
    tree.action(command, [flags](Session& s) { return add(s, *flags); });
  }
  {
    CLI::App* const command = tree.add(transfer, "remove", "Take an item out of a draft");
    auto flags = std::make_shared<std::pair<std::string, std::string>>();
    command->add_option("TRANSFER", flags->first, "Reference or id")->required();
    command->add_option("ITEM", flags->second, "Item id")->required();
    tree.action(command, [flags](Session& s) {
      auto client = s.client();
      if (!client) return s.fail(client.error());
      auto reply = (*client)->remove("/v1/transfers/" + segment(flags->first) + "/items/" +
                                     segment(flags->second));
      if (!reply) return s.fail(reply.error());
      return show_record(s, {{"removed", flags->second}}, {{"removed", flags->second}});
    });
  }
  {
    CLI::App* const command =
        tree.add(transfer, "seal", "Pin the items' versions and make the bag");
    auto id = std::make_shared<std::string>();
    command->add_option("TRANSFER", *id, "Reference or id")->required();
    tree.action(command, [id](Session& s) { return seal(s, *id); });
  }
  {
    CLI::App* const command = tree.add(transfer, "offer", "Let the receiver pull the bag");
    auto id = std::make_shared<std::string>();
    command->add_option("TRANSFER", *id, "Reference or id")->required();
    tree.action(command, [id](Session& s) { return act(s, *id, "offer", {}, ""); });
  }
  {
    CLI::App* const command = tree.add(transfer, "withdraw", "Take a transfer back");
    auto flags = std::make_shared<std::pair<std::string, std::string>>();
    command->add_option("TRANSFER", flags->first, "Reference or id")->required();
    command->add_option("--note", flags->second, "Why");
    tree.action(command, [flags](Session& s) { return withdraw(s, flags->first, flags->second); });
  }
}

void add_receiver_commands(Tree& tree, CLI::App* transfer) {
  {
    CLI::App* const command = tree.add(transfer, "acknowledge",
                                       "Receiver: validate a pulled bag and say that it arrived");
    auto flags = std::make_shared<ReceiveFlags>();
    command->add_option("TRANSFER", flags->transfer, "Reference or id")->required();
    command->add_option("--bag", flags->bag, "Folder of the bag")->required();
    tree.action(command, [flags](Session& s) { return acknowledge(s, *flags); });
  }
  {
    CLI::App* const command = tree.add(transfer, "accept", "Receiver: take the items over");
    auto flags = std::make_shared<ReceiveFlags>();
    command->add_option("TRANSFER", flags->transfer, "Reference or id")->required();
    command->add_option("--bag", flags->bag, "Folder of the bag that you read");
    command->add_option("--seal-digest", flags->seal_digest, "Or its seal digest");
    command->add_option("--accession", flags->accession, "Accession number");
    command->add_option("--granted", flags->granted, "When custody passes, RFC 3339");
    command->add_option("--message", flags->message, "A remark");
    tree.action(command, [flags](Session& s) { return accept(s, *flags); });
  }
  {
    CLI::App* const command = tree.add(transfer, "reject", "Receiver: refuse the transfer");
    auto flags = std::make_shared<ReceiveFlags>();
    command->add_option("TRANSFER", flags->transfer, "Reference or id")->required();
    command->add_option("--reason", flags->reason, "Why")->required();
    tree.action(command, [flags](Session& s) { return reject(s, *flags); });
  }
}

int show_agreement(Session& session, const std::string& id) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->get("/v1/agreements/" + segment(id));
  if (!reply) return session.fail(reply.error());
  const json::Object& agreement = reply->body;
  const auto party = [&](std::string_view name) {
    const json::Object& object = json::object_at(agreement, name);
    return json::text_at(object, "name") + " (" + json::text_at(object, "id") + ")";
  };
  return show_record(session, agreement,
                     {{"agreement", json::text_at(agreement, "id")},
                      {"title", localized(json::object_at(agreement, "title"))},
                      {"reference", json::text_at(agreement, "reference")},
                      {"from", party("transferring_agency")},
                      {"to", party("archival_agency")},
                      {"max fixity age", json::text_at(agreement, "max_fixity_age")},
                      {"made", local_time(json::text_at(agreement, "created_at"))}});
}

void add_agreement_commands(Tree& tree) {
  CLI::App* const agreement = tree.add(&tree.root(), "agreement", "Conventions with an archive");
  agreement->require_subcommand(1);
  {
    CLI::App* const command = tree.add(agreement, "list", "List agreements");
    tree.action(command, [](Session& s) {
      return show_list(s, "/v1/agreements", {"AGREEMENT", "FROM", "TO", "TITLE"},
                       [](const json::Object& each) -> std::vector<std::string> {
                         return {
                             json::text_at(each, "id"),
                             json::text_at(json::object_at(each, "transferring_agency"), "name"),
                             json::text_at(json::object_at(each, "archival_agency"), "name"),
                             localized(json::object_at(each, "title"))};
                       });
    });
  }
  {
    CLI::App* const command = tree.add(agreement, "show", "Show one agreement");
    auto id = std::make_shared<std::string>();
    command->add_option("AGREEMENT", *id, "Agreement id")->required();
    tree.action(command, [id](Session& s) { return show_agreement(s, *id); });
  }
  {
    CLI::App* const command = tree.add(agreement, "create", "Make an agreement");
    auto flags = std::make_shared<AgreementFlags>();
    command->add_option("AGREEMENT", flags->id, "Its id")->required();
    command->add_option("--title", flags->title, "Title");
    command->add_option("--reference", flags->reference, "Reference of the signed convention");
    command->add_option("--from-id", flags->from_id, "Transferring agency: id")->required();
    command->add_option("--from", flags->from_name, "Transferring agency: name")->required();
    command->add_option("--to-id", flags->to_id, "Archival agency: id")->required();
    command->add_option("--to", flags->to_name, "Archival agency: name")->required();
    command->add_option("--max-fixity-age", flags->age,
                        "At sealing, bytes verified longer ago are read again (P7D)");
    command->add_flag("--sha256", flags->sha256, "Bags get a SHA-256 manifest as well");
    const std::pair<const char*, std::pair<const char*, const char*>> texts[] = {
        {"--seda-originating-agency", {"originating_agency", "SEDA: id of the originating agency"}},
        {"--seda-profile", {"archival_profile", "SEDA: archival profile"}},
        {"--seda-service-level", {"service_level", "SEDA: service level"}},
        {"--seda-acquisition", {"acquisition_information", "SEDA: how the archive acquires them"}},
        {"--seda-legal-status",
         {"legal_status", "SEDA: public_archive, private_archive or public_and_private_archive"}},
        {"--seda-final-action", {"final_action", "SEDA: keep or destroy"}}};
    for (const auto& [flag, what] : texts)
      command->add_option(flag, flags->seda[what.first], what.second);
    command
        ->add_option("--seda-rule", flags->rules,
                     "SEDA: NAME=CODE of a rule (appraisal, access, dissemination, reuse); "
                     "repeatable")
        ->allow_extra_args(false);
    command->add_option("--seda-file", flags->seda_file,
                        "SEDA: JSON object with all of these, and code_lists");
    tree.action(command, [flags](Session& s) { return create_agreement(s, *flags); });
  }
}

}  // namespace

void add_transfer_commands(Tree& tree) {
  add_agreement_commands(tree);
  CLI::App* const transfer = tree.add(&tree.root(), "transfer", "Handovers to an archive");
  transfer->require_subcommand(1);
  {
    CLI::App* const command = tree.add(transfer, "list", "List transfers");
    tree.action(command, [](Session& s) {
      return show_list(s, "/v1/transfers", {"TRANSFER", "STATE", "WAITING FOR", "ITEMS", "TITLE"},
                       [](const json::Object& each) -> std::vector<std::string> {
                         return {json::text_at(each, "reference"), json::text_at(each, "state"),
                                 json::text_at(each, "waiting_for"),
                                 std::to_string(json::number_at(each, "item_count")),
                                 localized(json::object_at(each, "title"))};
                       });
    });
  }
  {
    CLI::App* const command = tree.add(transfer, "show", "Show one transfer");
    auto id = std::make_shared<std::string>();
    command->add_option("TRANSFER", *id, "Reference or id")->required();
    tree.action(command, [id](Session& s) {
      auto client = s.client();
      if (!client) return s.fail(client.error());
      auto reply = (*client)->get("/v1/transfers/" + segment(*id));
      return reply ? show_transfer(s, reply->body) : s.fail(reply.error());
    });
  }
  add_proof_command(tree, transfer, "TRANSFER",
                    "Fetch the proof that the transfer's newest act is in the journal",
                    [](const std::string& id) { return "/v1/transfers/" + id + "/proof"; });
  {
    CLI::App* const command = tree.add(transfer, "items", "List the items of a transfer");
    auto id = std::make_shared<std::string>();
    command->add_option("TRANSFER", *id, "Reference or id")->required();
    tree.action(command, [id](Session& s) {
      return show_list(s, "/v1/transfers/" + segment(*id) + "/items?limit=1000",
                       {"ITEM", "VERSION", "FILES", "SIZE", "OUTCOME"},
                       [](const json::Object& each) -> std::vector<std::string> {
                         return {json::text_at(each, "item_id"),
                                 std::to_string(json::number_at(each, "version")),
                                 std::to_string(json::number_at(each, "file_count")),
                                 human_bytes(json::number_at(each, "size_bytes")),
                                 json::text_at(each, "outcome")};
                       });
    });
  }
  add_sender_commands(tree, transfer);
  add_receiver_commands(tree, transfer);
}

}  // namespace versement::cli
