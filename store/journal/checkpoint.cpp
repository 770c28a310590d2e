#include "store/journal/checkpoint.hpp"

#include <algorithm>
#include <cstring>

#include <openssl/evp.h>

#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"

namespace versement::journal {
namespace {

constexpr std::string_view kDash = "\xE2\x80\x94 ";  // an em dash and a blank open a signature line
constexpr std::string_view kPrivatePrefix = "PRIVATE+KEY+";
constexpr std::size_t kSignatureBytes = 64;
constexpr std::size_t kTimeBytes = 8;  // before a witness's signature, big-endian

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

const unsigned char* raw(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// Fails only for want of memory or of the algorithm; there is no journal without it.
void must(bool done) {
  if (!done) std::abort();
}

std::array<std::byte, 32> public_of_seed(std::span<const std::byte, 32> seed) {
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed), seed.size()));
  std::array<std::byte, 32> out{};
  std::size_t length = out.size();
  must(key && EVP_PKEY_get_raw_public_key(key.get(), reinterpret_cast<unsigned char*>(out.data()),
                                          &length) == 1);
  return out;
}

// The first four bytes of SHA-256(name, LF, kind, key).
std::array<std::byte, 4> key_id(std::string_view name,
                                KeyKind kind,
                                std::span<const std::byte> key) {
  std::string text(name);
  text += '\n';
  text += static_cast<char>(kind);
  text.append(reinterpret_cast<const char*>(key.data()), key.size());
  const Digest digest = digest_of(Algorithm::sha256, text);
  std::array<std::byte, 4> id{};
  std::copy_n(digest.bytes().begin(), id.size(), id.begin());
  return id;
}

std::string encoded_key(KeyKind kind, std::span<const std::byte> key) {
  std::string text(1, static_cast<char>(kind));
  text.append(reinterpret_cast<const char*>(key.data()), key.size());
  return base64_of(text);
}

struct KeyText {
  std::string name;
  KeyKind kind = KeyKind::log;
  std::array<std::byte, 4> id{};
  std::array<std::byte, 32> key{};
};

// "NAME+HASH+BASE64"; base64 itself may hold a '+'.
Result<KeyText> parse_key(std::string_view text) {
  const Error wrong(Code::invalid, "this is not a key as signed notes write it");
  const std::size_t first = text.find('+');
  if (first == std::string_view::npos) return wrong;
  const std::size_t second = text.find('+', first + 1);
  if (second == std::string_view::npos) return wrong;
  KeyText out;
  out.name = text.substr(0, first);
  TRY(check_origin(out.name));
  TRY_SET(const std::string id, bytes_of_hex(text.substr(first + 1, second - first - 1)));
  TRY_SET(const std::string key, bytes_of_base64(text.substr(second + 1)));
  if (id.size() != 4 || key.size() != 33) return wrong;
  out.kind = static_cast<KeyKind>(key.front());
  if (out.kind != KeyKind::log && out.kind != KeyKind::witness) return wrong;
  std::memcpy(out.id.data(), id.data(), id.size());
  std::memcpy(out.key.data(), key.data() + 1, 32);
  return out;
}

bool signature_is_right(std::span<const std::byte, 32> key,
                        std::string_view text,
                        std::string_view signature) {
  const std::unique_ptr<EVP_PKEY, FreeKey> pkey(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, raw(key), key.size()));
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  must(context != nullptr);
  return pkey && EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, pkey.get()) == 1 &&
         EVP_DigestVerify(context.get(), raw(as_bytes(signature)), signature.size(),
                          raw(as_bytes(text)), text.size()) == 1;
}

// What the signature is over.
std::string signed_text(KeyKind kind, std::string_view text, std::uint64_t seconds) {
  if (kind == KeyKind::log) return std::string(text);
  return "cosignature/v1\ntime " + std::to_string(seconds) + "\n" + std::string(text);
}

// The text that is signed (its last LF included) and the signature lines behind the blank line.
struct Note {
  std::string_view text;
  std::vector<std::string_view> signatures;
};

Result<Note> split_note(std::string_view note) {
  if (note.size() > limits::kCheckpointBytesMax) return Error(Code::limit, "a note of over 64 KiB");
  const std::size_t blank = note.rfind("\n\n");
  if (blank == std::string_view::npos || !note.ends_with('\n')) {
    return Error(Code::invalid, "not a signed note: no blank line before the signatures");
  }
  Note out;
  out.text = note.substr(0, blank + 1);
  auto lines = split(note.substr(blank + 2), '\n');
  lines.pop_back();
  for (const std::string_view line : lines) {
    if (!line.starts_with(kDash))
      return Error(Code::invalid, "not a signed note: a signature line begins wrongly");
    out.signatures.push_back(line.substr(kDash.size()));
  }
  return out;
}

}  // namespace

Result<void> check_origin(std::string_view origin) {
  bool good = !origin.empty() && origin.size() <= 200;
  for (const char c : origin)
    good = good && c > ' ' && c < 0x7F && c != '+';
  if (good) return {};
  return Error(Code::invalid,
               "'" + printable(origin.substr(0, 200)) +
                   "' cannot name a journal: use visible ASCII without blanks or '+', "
                   "such as archive.example/phnom-penh");
}

Result<VerifierKey> VerifierKey::parse(std::string_view text) {
  TRY_SET(const KeyText parsed, parse_key(text));
  if (key_id(parsed.name, parsed.kind, parsed.key) != parsed.id) {
    return Error(Code::invalid, "this key's hash does not fit its name and bytes");
  }
  VerifierKey key;
  key.text_ = text;
  key.name_ = parsed.name;
  key.kind_ = parsed.kind;
  key.id_ = parsed.id;
  key.key_ = parsed.key;
  return key;
}

std::optional<std::uint64_t> VerifierKey::signed_at(std::string_view note) const {
  const auto parts = split_note(note);
  if (!parts) return std::nullopt;
  const std::size_t time_bytes = kind_ == KeyKind::witness ? kTimeBytes : 0;
  for (const std::string_view line : parts->signatures) {
    const std::size_t blank = line.find(' ');
    if (blank == std::string_view::npos || line.substr(0, blank) != name_) continue;
    const auto bytes = bytes_of_base64(line.substr(blank + 1));
    if (!bytes || bytes->size() != id_.size() + time_bytes + kSignatureBytes) continue;
    if (std::memcmp(bytes->data(), id_.data(), id_.size()) != 0) continue;
    const std::string_view rest = std::string_view(*bytes).substr(id_.size());
    std::uint64_t seconds = 0;
    for (const char c : rest.substr(0, time_bytes))
      seconds = seconds << 8 | static_cast<unsigned char>(c);
    if (signature_is_right(key_, signed_text(kind_, parts->text, seconds),
                           rest.substr(time_bytes))) {
      return seconds;
    }
  }
  return std::nullopt;
}

Result<Signer> Signer::create(Disk& disk, const Path& path, std::string_view name, KeyKind kind) {
  TRY(check_origin(name));
  Signer signer;
  random_bytes(signer.seed_);
  const auto key = public_of_seed(signer.seed_);
  const auto id = key_id(name, kind, key);
  const std::string middle = std::string(name) + "+" + hex_of(id) + "+";
  TRY_SET(signer.key_, VerifierKey::parse(middle + encoded_key(kind, key)));
  TRY(publish_file(
      disk, path,
      as_bytes(std::string(kPrivatePrefix) + middle + encoded_key(kind, signer.seed_) + "\n"),
      0600));
  return signer;
}

Result<Signer> Signer::open(Disk& disk, const Path& path) {
  TRY_SET(const FileInfo info, disk.info(path));
  if ((info.mode & 0077u) != 0) {
    return Error(Code::denied, path.native() +
                                   " can be read by others; a signing key is its owner's alone: "
                                   "chmod 600 it, and think about a new key");
  }
  TRY_SET(const std::string file, read_file(disk, path, limits::kConfigBytesMax));
  std::string_view text = trim(file, " \t\r\n");
  if (!text.starts_with(kPrivatePrefix)) {
    return Error(Code::invalid, path.native() + " is not a private key of a journal");
  }
  auto parsed = parse_key(text.substr(kPrivatePrefix.size()));
  if (!parsed) return std::move(parsed).error().during(path.native());
  Signer signer;
  signer.seed_ = parsed->key;
  const auto key = public_of_seed(signer.seed_);
  TRY_SET(signer.key_, VerifierKey::parse(parsed->name + "+" + hex_of(parsed->id) + "+" +
                                          encoded_key(parsed->kind, key)));
  return signer;
}

std::string Signer::signature_line(std::string_view text, std::uint64_t seconds) const {
  const std::string over = signed_text(key_.kind_, text, seconds);
  const std::unique_ptr<EVP_PKEY, FreeKey> key(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed_), seed_.size()));
  const std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
  std::string line(reinterpret_cast<const char*>(key_.id_.data()), key_.id_.size());
  if (key_.kind_ == KeyKind::witness) {
    for (int shift = 56; shift >= 0; shift -= 8)
      line += static_cast<char>(seconds >> shift & 0xFFu);
  }
  const std::size_t at = line.size();
  line.resize(at + kSignatureBytes);
  std::size_t length = kSignatureBytes;
  must(key && context &&
       EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
       EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(line.data()) + at, &length,
                      raw(as_bytes(over)), over.size()) == 1);
  return std::string(kDash) + key_.name_ + " " + base64_of(std::string_view(line)) + "\n";
}

std::string Signer::sign_note(std::string_view text) const {
  return std::string(text) + "\n" + signature_line(text, 0);
}

Result<std::string> Signer::add_signature(std::string_view note, std::uint64_t seconds) const {
  TRY_SET(const std::string_view text, text_of_note(note));
  return std::string(note) + signature_line(text, seconds);
}

std::string Signer::sign(const Checkpoint& checkpoint) const {
  return sign_note(checkpoint.origin + "\n" + std::to_string(checkpoint.size) + "\n" +
                   base64_of(checkpoint.root) + "\n");
}

Result<std::string_view> text_of_note(std::string_view note) {
  TRY_SET(const Note parts, split_note(note));
  return parts.text;
}

Result<Checkpoint> parse_checkpoint(std::string_view note) {
  TRY_SET(const std::string_view text, text_of_note(note));
  const auto lines = split(text, '\n');
  // Origin, size, root, and the empty piece behind the last LF. More lines are extensions.
  if (lines.size() < 4 || lines[0].empty())
    return Error(Code::invalid, "not a checkpoint: three lines are needed");
  const auto size = parse_decimal(lines[1]);
  TRY_SET(const std::string root, bytes_of_base64(lines[2]));
  if (!size || root.size() != sizeof(Hash)) {
    return Error(Code::invalid, "not a checkpoint: its size or root hash is malformed");
  }
  Checkpoint checkpoint;
  checkpoint.origin = lines[0];
  checkpoint.size = *size;
  std::memcpy(checkpoint.root.data(), root.data(), root.size());
  return checkpoint;
}

Result<Checkpoint> read_checkpoint(std::string_view note, const VerifierKey& key) {
  TRY_SET(Checkpoint checkpoint, parse_checkpoint(note));
  if (!key.verifies(note)) {
    return Error(Code::corrupt, "the checkpoint bears no right signature of " + key.text())
        .as("journal-signature");
  }
  if (checkpoint.origin != key.name()) {
    return Error(Code::corrupt, "the checkpoint is of '" + printable(checkpoint.origin) +
                                    "', its key of " + key.name())
        .as("journal-origin");
  }
  return checkpoint;
}

}  // namespace versement::journal
