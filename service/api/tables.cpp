#include "service/api/tables.hpp"

#include <algorithm>

#include <fcntl.h>

#include "mets/package.hpp"
#include "mets/table.hpp"
#include "service/transfer/bag.hpp"
#include "store/base/digest.hpp"
#include "store/query.hpp"

namespace versement::api {
namespace {

// What is kept in memory before it goes to the file.
constexpr std::size_t kBufferBytes = 256 * 1024;

// Bytes of a file without a name: it is gone when the last answer that reads it is.
class UnlinkedFile : public Source {
 public:
  UnlinkedFile(Disk& disk, Fd fd, Path path, std::uint64_t size_bytes)
      : disk_(disk), fd_(std::move(fd)), path_(std::move(path)), size_bytes_(size_bytes) {}
  std::uint64_t size_bytes() const override { return size_bytes_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override {
    return disk_.read_at(fd_, into, offset, path_);
  }

 private:
  Disk& disk_;
  Fd fd_;
  Path path_;
  std::uint64_t size_bytes_;
};

class Spool {
 public:
  static Result<Spool> open(const store::Store& store) {
    Disk& disk = store.disk();
    Path path = store.layout().work / ("table-" + Uuid::at(store.clock().now()).text());
    TRY_SET(Fd fd, disk.open(path, O_RDWR | O_CREAT | O_EXCL, 0600));
    TRY(disk.remove_file(path));
    return Spool(disk, std::move(fd), std::move(path));
  }

  Result<void> add(std::string_view text) {
    buffer_ += text;
    return buffer_.size() < kBufferBytes ? Result<void>() : flush();
  }

  Result<std::pair<std::shared_ptr<Source>, Digest>> finish() {
    TRY(flush());
    const Digest digest = hasher_.finish().front();
    return std::pair<std::shared_ptr<Source>, Digest>(
        std::make_shared<UnlinkedFile>(disk_, std::move(fd_), path_, size_bytes_), digest);
  }

 private:
  Spool(Disk& disk, Fd fd, Path path) : disk_(disk), fd_(std::move(fd)), path_(std::move(path)) {}

  Result<void> flush() {
    TRY(write_all(disk_, fd_, as_bytes(buffer_), path_));
    hasher_.update(as_bytes(buffer_));
    size_bytes_ += buffer_.size();
    buffer_.clear();
    return {};
  }

  Disk& disk_;
  Fd fd_;
  Path path_;
  std::string buffer_;
  std::uint64_t size_bytes_ = 0;
  Hasher hasher_{Algorithm::sha256};
};

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
  TRY_SET(Spool spool, Spool::open(context.store));
  TRY(spool.add(table.kind == TableKind::metadata ? metadata.header() : mets::rights_header()));
  for (const auto& [slug, version] : table.items) {
    TRY_SET(Described described, describe(context, slug));
    const auto head = static_cast<std::uint32_t>(json::number_at(described.record, "head_version"));
    if (version != 0 && version != head) {
      return Error(Code::conflict, "item '" + slug +
                                       "' has a later version than the transfer; the tables of the "
                                       "sealed bag say how it was described")
          .as("not-ready");
    }
    described.item.files = [&](const mets::TableItem::Each& each) {
      return table.in_bag ? transfer::for_each_table_file(context.store, slug, head, each)
                          : deposited_files(context, described, head, each);
    };
    const Sink into = [&spool](std::string_view text) { return spool.add(text); };
    TRY(table.kind == TableKind::rights ? mets::rights_rows(described.item, into)
                                        : metadata.rows(described.item, into));
  }
  TRY_SET(auto finished, spool.finish());
  http::Representation representation;
  representation.source = std::move(finished.first);
  representation.etag = "\"" + finished.second.hex() + "\"";
  representation.media_type = "text/csv; charset=utf-8; header=present";
  representation.file_name = table.file_name;
  representation.digest = finished.second;
  representation.immutable = false;
  return http::respond(call.request, std::move(representation));
}

}  // namespace versement::api
