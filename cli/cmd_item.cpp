// versement item, collection.
#include "cli/command.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

std::string title_of(const json::Object& item) {
  return localized(json::object_at(json::object_at(item, "metadata"), "title"));
}

std::vector<std::string> item_row(const json::Object& item) {
  return {json::text_at(item, "id"),
          std::to_string(json::number_at(item, "file_count")),
          human_bytes(json::number_at(item, "size_bytes")),
          json::text_at(json::object_at(item, "fixity"), "state"),
          json::text_at(item, "collection"),
          title_of(item)};
}

struct ListFlags {
  std::string collection;
  std::string identifier;
};

int list_items(Session& session, const ListFlags& flags) {
  std::string path = "/v1/items?limit=1000";
  if (!flags.collection.empty()) path += "&collection=" + segment(flags.collection);
  if (!flags.identifier.empty()) path += "&identifier=" + segment(flags.identifier);
  return show_list(session, path, {"ITEM", "FILES", "SIZE", "FIXITY", "COLLECTION", "TITLE"},
                   item_row);
}

// "license: CC BY 4.0; disseminate Allow".
std::string statement_text(const json::Object& statement) {
  std::vector<std::string> parts;
  for (const char* const name : {"status", "terms", "citation", "note"}) {
    if (std::string text = json::text_at(statement, name); !text.empty()) {
      parts.push_back(std::move(text));
    }
  }
  for (const json::Value& value : json::array_at(statement, "grants")) {
    if (!value.is_object()) continue;
    const json::Object& grant = value.get_object();
    parts.push_back(json::text_at(grant, "act") + " " + json::text_at(grant, "restriction"));
  }
  const std::size_t files = json::array_at(statement, "files").size();
  if (files > 0) parts.push_back("of " + std::to_string(files) + " files");
  return json::text_at(statement, "basis") + ": " + join(parts, "; ");
}

std::string statements_text(const json::Object& rights) {
  std::vector<std::string> texts;
  for (const json::Value& value : json::array_at(rights, "statements")) {
    if (value.is_object()) texts.push_back(statement_text(value.get_object()));
  }
  return join(texts, " | ");
}

int show_item(Session& session, const std::string& id) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->get("/v1/items/" + segment(id));
  if (!reply) return session.fail(reply.error());
  const json::Object& item = reply->body;
  const json::Object& metadata = json::object_at(item, "metadata");
  const json::Object& rights = json::object_at(metadata, "rights");
  const json::Object& original = json::object_at(item, "original");
  const json::Object& fixity = json::object_at(item, "fixity");
  return show_record(session, item,
                     {{"item", json::text_at(item, "id")},
                      {"title", title_of(item)},
                      {"date", json::text_at(metadata, "date")},
                      {"collection", json::text_at(item, "collection")},
                      {"files", std::to_string(json::number_at(item, "file_count"))},
                      {"size", human_bytes(json::number_at(item, "size_bytes"))},
                      {"credit", localized(json::object_at(rights, "credit_line"))},
                      {"owner", localized(json::object_at(rights, "owner"))},
                      {"conditions", localized(json::object_at(rights, "conditions"))},
                      {"reproduction", json::text_at(rights, "reproduction")},
                      {"rights", statements_text(rights)},
                      {"shelfmark", json::text_at(original, "shelfmark")},
                      {"box", json::text_at(original, "box")},
                      {"extent", json::text_at(original, "extent")},
                      {"fixity", json::text_at(fixity, "state") + ", last verified " +
                                     local_time(json::text_at(fixity, "last_verified_at"))},
                      {"OCFL object", json::text_at(item, "ocfl_object")},
                      {"stored", local_time(json::text_at(item, "created_at"))}});
}

int show_collection(Session& session, const std::string& id) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->get("/v1/collections/" + segment(id));
  if (!reply) return session.fail(reply.error());
  const json::Object& collection = reply->body;
  const json::Object& rights = json::object_at(collection, "rights");
  return show_record(
      session, collection,
      {{"collection", json::text_at(collection, "id")},
       {"title", localized(json::object_at(collection, "title"))},
       {"items", std::to_string(json::number_at(collection, "item_count"))},
       {"size", human_bytes(json::number_at(collection, "size_bytes"))},
       {"agency", json::text_at(json::object_at(collection, "originating_agency"), "name")},
       {"credit", localized(json::object_at(rights, "credit_line"))},
       {"owner", localized(json::object_at(rights, "owner"))},
       {"conditions", localized(json::object_at(rights, "conditions"))},
       {"NAAN", json::text_at(collection, "naan")},
       {"made", local_time(json::text_at(collection, "created_at"))}});
}

int list_files(Session& session, const std::string& id) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  auto reply = (*client)->get("/v1/items/" + segment(id));
  if (!reply) return session.fail(reply.error());
  const std::string path = "/v1/items/" + segment(id) + "/versions/" +
                           std::to_string(json::number_at(reply->body, "head_version")) +
                           "/files?limit=1000";
  return show_list(
      session, path, {"SIZE", "FORMAT", "SHA-512", "PATH"},
      [](const json::Object& file) -> std::vector<std::string> {
        const std::string digest = json::text_at(json::object_at(file, "digests"), "sha512");
        return {human_bytes(json::number_at(file, "size_bytes")), json::text_at(file, "media_type"),
                digest.substr(0, 16) + "…", json::text_at(file, "path")};
      });
}

struct SipFlags {
  std::string id, agreement, to;
  std::uint32_t version = 0;  // 0: the newest
  bool replacement = false;
};

int fetch_sip(Session& session, const SipFlags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  std::string path =
      "/v1/items/" + segment(flags.id) + "/sip.zip?agreement=" + segment(flags.agreement);
  if (flags.replacement) path += "&record_status=REPLACEMENT";
  if (flags.version > 0) path += "&version=" + std::to_string(flags.version);
  const auto fetched = (*client)->fetch_file(path, flags.to);
  if (!fetched) return session.fail(fetched.error());
  session.console().note("written to " + flags.to);
  return kOk;
}

struct CollectionFlags {
  std::string id, title, language = "fr";
  std::string conditions, credit, owner, reproduction;
  std::string agency_id, agency_name, naan;
};

int create_collection(Session& session, const CollectionFlags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  const auto text = [&](const std::string& value) { return json::Object{{flags.language, value}}; };
  json::Object body;
  body["id"] = flags.id;
  body["title"] = text(flags.title.empty() ? flags.id : flags.title);
  json::Object rights;
  if (!flags.conditions.empty()) rights["conditions"] = text(flags.conditions);
  if (!flags.credit.empty()) rights["credit_line"] = text(flags.credit);
  if (!flags.owner.empty()) rights["owner"] = text(flags.owner);
  if (!flags.reproduction.empty()) rights["reproduction"] = flags.reproduction;
  if (!rights.empty()) body["rights"] = std::move(rights);
  if (!flags.agency_id.empty()) {
    body["originating_agency"] = json::Object{{"id", flags.agency_id}, {"name", flags.agency_name}};
  }
  if (!flags.naan.empty()) body["naan"] = flags.naan;
  auto reply = (*client)->post("/v1/collections", body);
  if (!reply) return session.fail(reply.error());
  session.console().note("Next: versement ingest FOLDER --collection " + flags.id);
  return show_record(session, reply->body, {{"collection", flags.id}});
}

}  // namespace

void add_item_commands(Tree& tree) {
  CLI::App* const item = tree.add(&tree.root(), "item", "Items in the store");
  item->require_subcommand(1);
  {
    CLI::App* const command = tree.add(item, "list", "List items");
    auto flags = std::make_shared<ListFlags>();
    command->add_option("--collection", flags->collection, "Only this collection");
    command->add_option("--identifier", flags->identifier,
                        "Only items with this identifier (shelfmark, ARK, old number)");
    tree.action(command, [flags](Session& s) { return list_items(s, *flags); });
  }
  {
    CLI::App* const command = tree.add(item, "show", "Show one item");
    auto id = std::make_shared<std::string>();
    command->add_option("ITEM", *id, "Item id")->required();
    tree.action(command, [id](Session& s) { return show_item(s, *id); });
  }
  {
    CLI::App* const command = tree.add(item, "files", "List the files of an item's package");
    auto id = std::make_shared<std::string>();
    command->add_option("ITEM", *id, "Item id")->required();
    tree.action(command, [id](Session& s) { return list_files(s, *id); });
  }
  {
    CLI::App* const command =
        tree.add(item, "sip", "Write an item as an E-ARK SIP, for systems that take one at a time");
    auto flags = std::make_shared<SipFlags>();
    command->add_option("ITEM", flags->id, "Item id")->required();
    command->add_option("--agreement", flags->agreement, "Agreement that it is submitted under")
        ->required();
    command->add_option("--to", flags->to, "File to write; it must not be there yet")->required();
    command->add_option("--version", flags->version, "Version of the item, in place of the newest")
        ->check(CLI::PositiveNumber);
    command->add_flag("--replacement", flags->replacement,
                      "It takes the place of what the archive was sent before");
    tree.action(command, [flags](Session& s) { return fetch_sip(s, *flags); });
  }
  CLI::App* const collection = tree.add(&tree.root(), "collection", "Groups of items");
  collection->require_subcommand(1);
  {
    CLI::App* const command = tree.add(collection, "list", "List collections");
    tree.action(command, [](Session& s) {
      return show_list(s, "/v1/collections", {"COLLECTION", "ITEMS", "SIZE", "TITLE"},
                       [](const json::Object& each) -> std::vector<std::string> {
                         return {json::text_at(each, "id"),
                                 std::to_string(json::number_at(each, "item_count")),
                                 human_bytes(json::number_at(each, "size_bytes")),
                                 localized(json::object_at(each, "title"))};
                       });
    });
  }
  {
    CLI::App* const command = tree.add(collection, "show", "Show one collection");
    auto id = std::make_shared<std::string>();
    command->add_option("COLLECTION", *id, "Collection id")->required();
    tree.action(command, [id](Session& s) { return show_collection(s, *id); });
  }
  {
    CLI::App* const command = tree.add(collection, "create", "Make a collection");
    auto flags = std::make_shared<CollectionFlags>();
    command->add_option("COLLECTION", flags->id, "Its id, a name for addresses")->required();
    command->add_option("--title", flags->title, "Title");
    command->add_option("--language", flags->language, "Language of the texts given here (fr)");
    command->add_option("--conditions", flags->conditions,
                        "Conditions of reuse, for items that do not say them");
    command->add_option("--credit", flags->credit, "Credit line, for items without one");
    command->add_option("--owner", flags->owner, "Owner, for items that name none");
    command->add_option("--reproduction", flags->reproduction,
                        "allowed, allowed_with_credit, restricted or unknown");
    command->add_option("--agency-id", flags->agency_id, "Originating agency: id");
    command->add_option("--agency-name", flags->agency_name, "Originating agency: name")
        ->needs("--agency-id");
    command->add_option("--naan", flags->naan, "Name assigning authority number, for ARKs");
    tree.action(command, [flags](Session& s) { return create_collection(s, *flags); });
  }
  add_metadata_command(tree, collection, "COLLECTION",
                       "Write the descriptions as metadata.csv, for a deposit elsewhere",
                       "/v1/collections/");
}

}  // namespace versement::cli
