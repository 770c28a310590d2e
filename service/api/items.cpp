// Items, their versions and files.
#include "service/api/context.hpp"
#include "store/base/text.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

namespace keys = store::keys;

json::Object fixity_of(const json::Object& verification) {
  json::Object fixity;
  const std::string state = json::text_at(verification, "state");
  fixity["state"] = state.empty() ? "never_verified" : state;
  for (const std::string_view name : {"last_verified_at", "audit_id"}) {
    if (const std::string value = json::text_at(verification, name); !value.empty()) {
      fixity[name] = value;
    }
  }
  return fixity;
}

Result<json::Object> show_item(const Context& context, const json::Object& record) {
  const std::string slug = json::text_at(record, "id");
  json::Object object;
  object["id"] = slug;
  object["collection"] = json::text_at(record, "collection");
  object["metadata"] = json::object_at(record, "metadata");
  if (record.contains("original")) object["original"] = json::object_at(record, "original");
  object["head_version"] = json::number_at(record, "head_version");
  object["file_count"] = json::number_at(record, "file_count");
  object["size_bytes"] = json::number_at(record, "size_bytes");
  object["created_at"] = json::text_at(record, "created_at");
  object["updated_at"] = json::text_at(record, "updated_at");
  object["ocfl_object"] = json::text_at(record, "object");
  TRY_SET(const json::Object verification,
          store::verification_record(context.store, "item " + slug));
  object["fixity"] = fixity_of(verification);
  json::Array transfers;
  const std::string prefix = keys::transfers_of_item(slug);
  std::vector<std::string> ids;
  TRY(context.store.index().scan(prefix, "", [&](std::string_view key, std::string_view) {
    ids.emplace_back(keys::rest(key, prefix));
    return true;
  }));
  for (const std::string& id : ids) {
    TRY_SET(const json::Object transfer, store::transfer_record(context.store, id));
    json::Object entry;
    entry["id"] = id;
    entry["reference"] = json::text_at(transfer, "reference");
    entry["state"] = json::text_at(transfer, "state");
    transfers.emplace_back(std::move(entry));
  }
  object["transfers"] = std::move(transfers);
  return object;
}

json::Object show_file(std::string_view slug, std::uint32_t version, const index::FileRow& row) {
  json::Object object;
  const std::string id = index::file_id(slug, row.path);
  object["id"] = id;
  object["path"] = row.path;
  object["size_bytes"] = row.size_bytes;
  json::Object digests;
  digests["sha512"] = row.sha512.hex();
  digests["sha256"] = row.sha256.hex();
  object["digests"] = std::move(digests);
  object["media_type"] = row.media_type;
  object["role"] = row.role;
  if (!row.original_name.empty()) object["original_name"] = row.original_name;
  if (!row.format_name.empty() || !row.puid.empty()) {
    json::Object format;
    if (!row.puid.empty()) format["puid"] = row.puid;
    if (!row.format_name.empty()) format["name"] = row.format_name;
    if (!row.format_version.empty()) format["version"] = row.format_version;
    format["basis"] = "magic";
    object["format"] = std::move(format);
  }
  object["content_url"] = "/v1/items/" + std::string(slug) + "/versions/" +
                          std::to_string(version) + "/files/" + id + "/content";
  return object;
}

Result<std::uint32_t> version_of(const Call& call) {
  const auto number = parse_decimal(call.parameter("version"));
  if (!number || *number == 0 || *number > 0xFFFFFFFFu) {
    return Error(Code::not_found, "there is no such version");
  }
  return static_cast<std::uint32_t>(*number);
}

Result<json::Object> version_record(const Context& context, const Call& call) {
  TRY_SET(const std::uint32_t number, version_of(call));
  auto record = context.store.index().record(keys::version(call.parameter("item_id"), number));
  if (!record && record.error().code() == Code::not_found) {
    return Error(Code::not_found, "the item has no such version");
  }
  return record;
}

Result<Response> list_items(const Context& context, const Call& call) {
  const std::string collection = call.request.query_text("collection");
  const std::string identifier = call.request.query_text("identifier");
  const auto item_of = [&context](std::string_view slug) -> Result<std::optional<json::Object>> {
    TRY_SET(const json::Object record, store::item_record(context.store, slug));
    TRY_SET(json::Object shown, show_item(context, record));
    return std::optional(std::move(shown));
  };
  if (!identifier.empty()) {
    const std::string prefix = keys::identifiers(search_key(identifier));
    return list_records(context, call, prefix, [&](std::string_view key, std::string_view) {
      return item_of(keys::rest(key, prefix));
    });
  }
  const std::string prefix =
      collection.empty() ? keys::Key('I').get() : keys::items_of_collection(collection);
  return list_records(context, call, prefix,
                      [&](std::string_view, std::string_view slug) { return item_of(slug); });
}

Result<Response> file_content(const Context& context,
                              const Call& call,
                              const std::string& slug,
                              std::uint32_t version,
                              const std::string& path) {
  TRY_SET(const json::Object record, store::item_record(context.store, slug));
  TRY_SET(const index::FileRow row, context.store.file_row(slug, version, path));
  TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(record, "object")));
  TRY(store::check_item_object(context.store, slug, version));
  if (row.content_path.empty()) {
    return Error(Code::corrupt, "the object is damaged in the store").as("content-corrupt");
  }
  http::Representation representation;
  const std::string owner = "item " + slug;
  TRY(store::refuse_damaged_file(context.store, owner, row.content_path));
  representation.source = context.store.file(owner, object, row);
  representation.etag = "\"" + row.sha512.hex().substr(0, 64) + "\"";
  representation.media_type = row.media_type.empty() ? "application/octet-stream" : row.media_type;
  representation.file_name = LogicalPath::literal(path).name();
  representation.digest = row.sha256;
  return http::respond(call.request, std::move(representation));
}

// The item as a submission under an agreement. It is nobody's transfer: what leaves with it is not
// journaled, and who may read the files of an item may have them so.
Result<Response> sip_zip(const Context& context, const Call& call) {
  const std::string& slug = call.parameter("item_id");
  const std::string agreement = call.request.query_text("agreement");
  if (agreement.empty()) {
    return Error(Code::invalid, "agreement is missing: a SIP says under which one it is submitted")
        .as("invalid-parameter");
  }
  TRY_SET(const json::Object item, store::item_record(context.store, slug));
  std::uint64_t version = json::number_at(item, "head_version");
  if (const std::string asked = call.request.query_text("version"); !asked.empty()) {
    const auto number = parse_decimal(asked);
    if (!number || *number == 0) {
      return Error(Code::invalid, "version is a number from 1 on").as("invalid-parameter");
    }
    if (*number > version) return Error(Code::not_found, "the item has no such version");
    version = *number;
  }
  const std::string status = call.request.query_text("record_status");
  if (!status.empty() && status != "NEW" && status != "REPLACEMENT") {
    return Error(Code::invalid, "record_status is NEW or REPLACEMENT").as("invalid-parameter");
  }
  TRY_SET(const json::Object terms, store::agreement_record(context.store, agreement));
  mets::Submission submission = transfer::submission_of(terms);
  submission.replaces = status == "REPLACEMENT";
  const auto number = static_cast<std::uint32_t>(version);
  TRY(store::check_item_object(context.store, slug, number));
  TRY(store::refuse_damaged_item(context.store, slug));
  TRY_SET(const transfer::SipArchive archive, context.sips.archive(slug, number, submission));
  http::Representation representation;
  representation.source = archive.zip;
  representation.etag = archive.etag;
  representation.media_type = "application/zip";
  representation.file_name = slug + ".sip.zip";
  // Another version or another agreement may be asked for at the same address.
  representation.immutable = false;
  Response response = http::respond(call.request, std::move(representation));
  if (response.source && call.request.method != "HEAD") TRY(archive.zip->check_at(response.offset));
  return response;
}

Result<std::string> path_of_file_id(const Context& context,
                                    const Call& call,
                                    std::uint32_t version) {
  TRY_SET(const auto path, context.store.index().get(keys::file_id(
                               call.parameter("item_id"), version, call.parameter("file_id"))));
  if (!path) return Error(Code::not_found, "the version has no such file");
  return *path;
}

}  // namespace

void add_items(http::Router& router, Context& context) {
  router.add({"GET", "/v1/items", Scope::items_read, 0,
              [&context](const Call& call) { return list_items(context, call); }});
  router.add({"GET", "/v1/items/{item_id}", Scope::items_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record,
                        store::item_record(context.store, call.parameter("item_id")));
                TRY_SET(const json::Object shown, show_item(context, record));
                return http::json_response(200, shown);
              }});
  router.add(
      {"GET", "/v1/items/{item_id}/versions", Scope::items_read, 0,
       [&context](const Call& call) -> Result<Response> {
         TRY(store::item_record(context.store, call.parameter("item_id")));
         return list_records(
             context, call, keys::versions(call.parameter("item_id")),
             [](std::string_view, std::string_view value) -> Result<std::optional<json::Object>> {
               TRY_SET(json::Object record, json::parse_object(value));
               return std::optional(std::move(record));
             });
       }});
  router.add({"GET", "/v1/items/{item_id}/versions/{version}", Scope::items_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const json::Object record, version_record(context, call));
                return http::json_response(200, record);
              }});
  router.add({"GET", "/v1/items/{item_id}/versions/{version}/files", Scope::items_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY(version_record(context, call));
                TRY_SET(const std::uint32_t version, version_of(call));
                const std::string& slug = call.parameter("item_id");
                const std::string prefix = keys::files(slug, version);
                return list_records(
                    context, call, prefix,
                    [&](std::string_view key,
                        std::string_view value) -> Result<std::optional<json::Object>> {
                      TRY_SET(const index::FileRow row,
                              index::decode_file_row(keys::rest(key, prefix), value));
                      return std::optional(show_file(slug, version, row));
                    });
              }});
  router.add({"GET", "/v1/items/{item_id}/versions/{version}/files/{file_id}", Scope::items_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY_SET(const std::uint32_t version, version_of(call));
                TRY_SET(const std::string path, path_of_file_id(context, call, version));
                const std::string& slug = call.parameter("item_id");
                TRY_SET(const index::FileRow row, context.store.file_row(slug, version, path));
                return http::json_response(200, show_file(slug, version, row));
              }});
  router.add({"GET", "/v1/items/{item_id}/versions/{version}/files/{file_id}/content",
              Scope::content_read, 0, [&context](const Call& call) -> Result<Response> {
                TRY_SET(const std::uint32_t version, version_of(call));
                TRY_SET(const std::string path, path_of_file_id(context, call, version));
                return file_content(context, call, call.parameter("item_id"), version, path);
              }});
  router.add({"GET", "/v1/items/{item_id}/versions/{version}/mets.xml", Scope::items_read, 0,
              [&context](const Call& call) -> Result<Response> {
                TRY(version_record(context, call));
                TRY_SET(const std::uint32_t version, version_of(call));
                return file_content(context, call, call.parameter("item_id"), version, "METS.xml");
              }});
  router.add({"GET", "/v1/items/{item_id}/sip.zip", Scope::content_read, 0,
              [&context](const Call& call) { return sip_zip(context, call); }});
}

}  // namespace versement::api
