#include "service/api/tables.hpp"

#include <algorithm>

#include "mets/package.hpp"
#include "mets/table.hpp"
#include "store/base/digest.hpp"
#include "store/base/spool.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

struct Described {
  json::Object record;
  mets::TableItem item;
};

Result<Described> describe(const Context& context, const std::string& slug) {
  TRY_SET(json::Object record, store::item_record(context.store, slug));
  Described out;
  out.item.slug = slug;
  out.item.description = mets::description_of(json::object_at(record, "metadata"));
  out.item.original = mets::original_of(json::object_at(record, "original"));
  out.record = std::move(record);
  return out;
}

Result<void> add_files(const Context& context,
                       std::uint32_t version,
                       bool in_bag,
                       Described* described) {
  mets::TableItem& item = described->item;
  const std::string payload = mets::payload_folder();
  const std::string notice = "representations/" + std::string(mets::kNotice) + "/data/";
  TRY(store::for_each_file(context.store, item.slug, version, [&](const index::FileRow& row) {
    const bool data = row.path.starts_with(payload);
    if (data) {
      item.files.push_back({in_bag ? "data/" + item.slug + "/" + row.path : row.original_name,
                            row.path.substr(payload.size())});
    } else if (in_bag && row.path.starts_with(notice)) {
      item.files.push_back({"data/" + item.slug + "/" + row.path, ""});
    }
    return true;
  }));
  const std::string folder = json::text_at(described->record, "folder");
  if (item.files.empty() && !in_bag && !folder.empty()) item.files.push_back({folder, ""});
  return {};
}

}  // namespace

Result<Response> table_response(const Context& context, const Call& call, TableOf table) {
  std::sort(table.items.begin(), table.items.end());
  mets::MetadataTable metadata;
  if (table.kind == TableKind::metadata) {
    for (const auto& [slug, version] : table.items) {
      TRY_SET(const Described described, describe(context, slug));
      TRY(metadata.add(described.item.description, described.item.original));
    }
  }
  const auto spool =
      std::make_shared<Spool>(context.store.disk(), context.store.work_name("table"));
  Hasher hasher{Algorithm::sha256};
  const auto add = [&](std::string_view text) {
    hasher.update(as_bytes(text));
    return spool->add(text);
  };
  TRY(add(table.kind == TableKind::metadata ? metadata.header() : mets::rights_header()));
  for (const auto& [slug, version] : table.items) {
    TRY_SET(Described described, describe(context, slug));
    const auto head = static_cast<std::uint32_t>(json::number_at(described.record, "head_version"));
    if (version != 0 && version != head) {
      return Error(Code::conflict, "item '" + slug +
                                       "' has a later version than the transfer; the tables of the "
                                       "sealed bag say how it was described")
          .as("not-ready");
    }
    TRY(add_files(context, head, table.in_bag, &described));
    if (table.kind == TableKind::rights) {
      TRY(add(mets::rights_rows(described.item)));
    } else {
      TRY_SET(const std::string rows, metadata.rows(described.item));
      TRY(add(rows));
    }
  }
  const Digest digest = hasher.finish().front();
  http::Representation representation;
  representation.source = spool;
  representation.etag = "\"" + digest.hex() + "\"";
  representation.media_type = "text/csv; charset=utf-8; header=present";
  representation.file_name = table.file_name;
  representation.digest = digest;
  representation.immutable = false;
  return http::respond(call.request, std::move(representation));
}

}  // namespace versement::api
