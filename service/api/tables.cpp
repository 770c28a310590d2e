#include "service/api/tables.hpp"

#include <algorithm>

#include "mets/package.hpp"
#include "mets/table.hpp"
#include "service/transfer/bag.hpp"
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

// As they were deposited. Of an item without files the folder or file that stands for it.
Result<void> deposited_files(const Context& context,
                             const Described& described,
                             std::uint32_t version,
                             const mets::TableItem::Each& each) {
  const std::string payload = mets::payload_folder();
  Result<void> went;
  bool any = false;
  TRY(store::for_each_file(
      context.store, described.item.slug, version, [&](const index::FileRow& row) {
        if (!row.path.starts_with(payload)) return true;
        any = true;
        went = each({.filename = row.original_name,
                     .data_path = std::string_view(row.path).substr(payload.size())});
        return static_cast<bool>(went);
      }));
  TRY(std::move(went));
  const std::string folder = json::text_at(described.record, "folder");
  return any || folder.empty() ? Result<void>() : each({.filename = folder, .data_path = {}});
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
                                       "' has a later version than the transfer, and its seal is "
                                       "older than these tables: read METS and Dublin Core in the "
                                       "bag")
          .as("table-outdated");
    }
    described.item.files = [&](const mets::TableItem::Each& each) {
      return table.in_bag
                 ? transfer::for_each_table_file(context.store, described.item.slug, head, each)
                 : deposited_files(context, described, head, each);
    };
    const Sink into = add;
    TRY(table.kind == TableKind::rights ? mets::rights_rows(described.item, into)
                                        : metadata.rows(described.item, into));
  }
  const Digest digest = hasher.finish().front();
  http::Representation representation;
  representation.source = spool;
  representation.etag = "\"" + digest.hex() + "\"";
  representation.media_type = kTableMediaType;
  representation.file_name = table.file_name;
  representation.digest = digest;
  representation.immutable = false;
  return http::respond(call.request, std::move(representation));
}

}  // namespace versement::api
