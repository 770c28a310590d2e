#include "store/index/records.hpp"

#include <cstring>

#include "store/base/ids.hpp"

namespace versement::index {
namespace {

constexpr std::uint64_t kCrc32Max = 0xFFFF'FFFF;
constexpr std::uint64_t kNoCrc32 = kCrc32Max + 1;

void put_text(std::string_view text, std::string* out) {
  const auto length = static_cast<std::uint32_t>(text.size());
  out->append(reinterpret_cast<const char*>(&length), sizeof(length));
  *out += text;
}

// Reads what put_text and raw copies wrote; remembers when the bytes did not suffice.
class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

  template <class Number>
  Number number() {
    Number value{};
    const std::string_view raw = take(sizeof(value));
    if (good_) std::memcpy(&value, raw.data(), sizeof(value));
    return value;
  }
  std::string text() { return std::string(take(number<std::uint32_t>())); }
  Digest digest(Algorithm algorithm) {
    const std::string_view raw = take(digest_bytes(algorithm));
    return good_ ? Digest(algorithm, as_bytes(raw)) : Digest();
  }
  bool good() const { return good_ && bytes_.empty(); }

 private:
  std::string_view take(std::size_t count) {
    if (!good_ || bytes_.size() < count) {
      good_ = false;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  std::string_view bytes_;
  bool good_ = true;
};

void put_bytes(std::span<const std::byte> bytes, std::string* out) {
  out->append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

Error damaged_row() {
  return {Code::corrupt, "a damaged row in the index; delete index/ and start again"};
}

}  // namespace

std::string encode(const FileRow& row) {
  std::string out;
  out.append(reinterpret_cast<const char*>(&row.size_bytes), sizeof(row.size_bytes));
  const std::uint64_t crc32 = row.crc32 ? *row.crc32 : kNoCrc32;
  out.append(reinterpret_cast<const char*>(&crc32), sizeof(crc32));
  put_bytes(row.sha512.bytes(), &out);
  put_bytes(row.sha256.bytes(), &out);
  for (const std::string* text : {&row.content_path, &row.role, &row.media_type, &row.puid,
                                  &row.format_name, &row.format_version, &row.original_name}) {
    put_text(*text, &out);
  }
  return out;
}

Result<FileRow> decode_file_row(std::string_view path, std::string_view bytes) {
  Decoder in(bytes);
  FileRow row;
  row.path = path;
  row.size_bytes = in.number<std::uint64_t>();
  if (const auto crc32 = in.number<std::uint64_t>(); crc32 <= kCrc32Max) {
    row.crc32 = static_cast<std::uint32_t>(crc32);
  }
  row.sha512 = in.digest(Algorithm::sha512);
  row.sha256 = in.digest(Algorithm::sha256);
  for (std::string* text : {&row.content_path, &row.role, &row.media_type, &row.puid,
                            &row.format_name, &row.format_version, &row.original_name}) {
    *text = in.text();
  }
  if (!in.good()) return damaged_row();
  return row;
}

Result<FileFacts> decode_file_facts(std::string_view path, std::string_view bytes) {
  constexpr std::size_t kTexts = 7;
  constexpr std::size_t kNumbersBytes = 2 * sizeof(std::uint64_t) + 64 + 32;
  if (bytes.size() < kNumbersBytes + kTexts * sizeof(std::uint32_t)) return damaged_row();
  Decoder in(bytes);
  FileFacts facts;
  facts.path = path;
  facts.size_bytes = in.number<std::uint64_t>();
  (void)in.number<std::uint64_t>();  // the CRC
  facts.sha512 = in.digest(Algorithm::sha512);
  facts.sha256 = in.digest(Algorithm::sha256);
  facts.whole = in.number<std::uint32_t>() > 0;  // the length of the content path
  return facts;
}

std::string file_id(std::string_view slug, std::string_view path) {
  return Uuid::of_name(uuid_space(), std::string(slug) + "/" + std::string(path)).text();
}

json::Object file_facts(const FileRow& row) {
  json::Object facts;
  facts["path"] = row.path;
  facts["size"] = row.size_bytes;
  if (row.crc32) facts["crc32"] = *row.crc32;
  const auto set = [&](const char* name, const std::string& value) {
    if (!value.empty()) facts[name] = value;
  };
  set("role", row.role);
  set("media_type", row.media_type);
  set("puid", row.puid);
  set("format", row.format_name);
  set("format_version", row.format_version);
  set("original_name", row.original_name);
  return facts;
}

FileRow row_of_facts(const json::Object& facts) {
  FileRow row;
  row.path = json::text_at(facts, "path");
  row.size_bytes = json::number_at(facts, "size");
  const json::Value* const crc32 = facts.if_contains("crc32");
  const bool whole =
      crc32 != nullptr && (crc32->is_uint64() || (crc32->is_int64() && crc32->get_int64() >= 0));
  const std::uint64_t number = json::number_at(facts, "crc32");
  if (whole && number <= kCrc32Max) row.crc32 = static_cast<std::uint32_t>(number);
  row.role = json::text_at(facts, "role");
  row.media_type = json::text_at(facts, "media_type");
  row.puid = json::text_at(facts, "puid");
  row.format_name = json::text_at(facts, "format");
  row.format_version = json::text_at(facts, "format_version");
  row.original_name = json::text_at(facts, "original_name");
  return row;
}

}  // namespace versement::index
