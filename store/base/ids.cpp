#include "store/base/ids.hpp"

#include <array>
#include <cctype>

#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/base/text.hpp"

namespace versement {
namespace {

constexpr std::size_t kSlugCharactersMax = 128;
constexpr std::size_t kObjectIdEncodedMax = 100;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string uuid_text(std::span<const std::byte> bytes) {
  std::string text = hex_of(bytes);
  for (const std::size_t at : {20u, 16u, 12u, 8u})
    text.insert(at, 1, '-');
  return text;
}

void stamp(std::span<std::byte> bytes, unsigned version) {
  bytes[6] = (bytes[6] & std::byte{0x0F}) | std::byte(version << 4);
  bytes[8] = (bytes[8] & std::byte{0x3F}) | std::byte{0x80};
}

}  // namespace

Result<Uuid> Uuid::parse(std::string_view text) {
  bool good = text.size() == 36;
  for (std::size_t i = 0; good && i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    good = dash ? text[i] == '-' : std::isxdigit(static_cast<unsigned char>(text[i])) != 0;
  }
  if (!good) return Error(Code::invalid, "'" + printable(text) + "' is not a UUID");
  return Uuid(lower_ascii(text));
}

Uuid Uuid::at(Timestamp now) {
  std::array<std::byte, 16> bytes{};
  random_bytes(bytes);
  const auto ms = static_cast<std::uint64_t>(now.ms());
  for (std::size_t i = 0; i < 6; ++i)
    bytes[i] = std::byte(ms >> (40 - 8 * i) & 0xFFu);
  stamp(bytes, 7);
  return Uuid(uuid_text(bytes));
}

Uuid Uuid::of_name(const Uuid& space, std::string_view name) {
  std::string dashless;
  for (const char c : space.text()) {
    if (c != '-') dashless += c;
  }
  auto prefix = bytes_of_hex(dashless);
  assert(prefix);
  const Digest digest = digest_of(Algorithm::sha1, *prefix + std::string(name));
  std::array<std::byte, 16> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = digest.bytes()[i];
  stamp(bytes, 5);
  return Uuid(uuid_text(bytes));
}

const Uuid& uuid_space() {
  // Version 5 of the URL name space and "https://versement.example/".
  static const Uuid space = [] {
    auto urls = Uuid::parse("6ba7b811-9dad-11d1-80b4-00c04fd430c8");
    assert(urls);
    return Uuid::of_name(*urls, "https://versement.example/");
  }();
  return space;
}

Result<Slug> Slug::parse(std::string_view text) {
  bool good = !text.empty() && text.size() <= kSlugCharactersMax && is_alphanumeric(text.front());
  for (const char c : text)
    good = good && (is_alphanumeric(c) || c == '.' || c == '_' || c == '-');
  if (!good) {
    return Error(Code::invalid,
                 "'" + printable(text.substr(0, 200)) +
                     "' cannot be a name in addresses: use 1 to 128 of A-Z a-z 0-9 . _ - and begin "
                     "with a letter or digit");
  }
  return Slug(std::string(text));
}

Slug Slug::nearest(std::string_view text) {
  // Accents go, letters stay: NFKD without marks, but the case is kept.
  std::string out;
  for (const char c : unaccented(text)) {
    if (is_alphanumeric(c) || ((c == '.' || c == '_') && !out.empty())) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
    if (out.size() == kSlugCharactersMax) break;
  }
  while (!out.empty() && (out.back() == '-' || out.back() == '.'))
    out.pop_back();
  return Slug(std::move(out));
}

Result<ObjectId> ObjectId::parse(std::string_view text) {
  const std::size_t colon = text.find(':');
  bool good = colon != std::string_view::npos && colon > 0;
  for (const char c : text)
    good = good && c > ' ' && c < 0x7F;
  if (!good) {
    return Error(Code::invalid, "'" + printable(text.substr(0, 200)) + "' is not a URI");
  }
  if (percent_encode(text, "-_").size() > kObjectIdEncodedMax) {
    return Error(Code::limit, "the object id '" + std::string(text.substr(0, 200)) +
                                  "' has more than 100 characters once percent-coded");
  }
  return ObjectId(std::string(text));
}

ObjectId ObjectId::of_uuid(const Uuid& uuid) {
  return ObjectId("urn:uuid:" + uuid.text());
}

}  // namespace versement
