// Rows of the index that are not plain JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/digest.hpp"
#include "store/base/json.hpp"
#include "store/base/result.hpp"
#include "store/journal/log.hpp"

namespace versement::index {

// One file of one version of an item.
struct FileRow {
  std::string path;  // logical
  std::uint64_t size_bytes = 0;
  std::optional<std::uint32_t> crc32;  // none where the journal says none
  Digest sha512;
  Digest sha256;
  std::string content_path;  // below the object
  std::string role;          // "payload", "metadata", "documentation", "schema"
  std::string media_type;
  std::string puid;
  std::string format_name;
  std::string format_version;
  std::string original_name;  // path in the deposit, as its bytes were
};

// What a manifest says of a file.
struct FileFacts {
  std::string_view path;
  std::uint64_t size_bytes = 0;
  Digest sha512;
  Digest sha256;
  bool whole = false;  // false where the object was damaged when the index was made
};

std::string encode(const FileRow& row);
// The beginning of a row only: a third of the time of all of it.
Result<FileFacts> decode_file_facts(std::string_view path, std::string_view bytes);
Result<FileRow> decode_file_row(std::string_view path, std::string_view bytes);

// The id of a file in addresses and in PREMIS: the same for the same path of the same item.
std::string file_id(std::string_view slug, std::string_view path);

// What the journal says of a file; digests and content path stand in the object's inventory.
json::Object file_facts(const FileRow& row);
FileRow row_of_facts(const json::Object& facts);

// The rows of the version that an "ingestion" event stored, handed along by the writer.
struct FileRows : journal::Attachment {
  std::vector<FileRow> rows;
};

}  // namespace versement::index
