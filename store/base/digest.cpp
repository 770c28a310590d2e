#include "store/base/digest.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "store/base/disk.hpp"
#include "store/base/text.hpp"

namespace versement {
namespace {

struct Described {
  Algorithm algorithm;
  std::string_view name;
  std::size_t bytes;
  const EVP_MD* (*md)();
};

constexpr std::array<Described, 6> kAlgorithms{{
    {Algorithm::md5, "md5", 16, EVP_md5},
    {Algorithm::sha1, "sha1", 20, EVP_sha1},
    {Algorithm::sha256, "sha256", 32, EVP_sha256},
    {Algorithm::sha384, "sha384", 48, EVP_sha384},
    {Algorithm::sha512, "sha512", 64, EVP_sha512},
    {Algorithm::blake2b_512, "blake2b-512", 64, EVP_blake2b512},
}};

const Described& described(Algorithm algorithm) {
  return kAlgorithms.at(static_cast<std::size_t>(algorithm));
}

// OpenSSL fails here only when memory is gone or the build lacks the algorithm; no digest that is
// wrong may ever come of it.
void must(int openssl_result) {
  if (openssl_result != 1) std::abort();
}

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};

// Slicing by 8: eight table look-ups for eight bytes.
constexpr auto kCrcTables = [] {
  std::array<std::array<std::uint32_t, 256>, 8> tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int bit = 0; bit < 8; ++bit)
      c = (c & 1u) != 0 ? 0xEDB88320u ^ (c >> 1) : c >> 1;
    tables[0][i] = c;
  }
  for (std::uint32_t i = 0; i < 256; ++i) {
    for (std::size_t t = 1; t < 8; ++t) {
      tables[t][i] = (tables[t - 1][i] >> 8) ^ tables[0][tables[t - 1][i] & 0xFFu];
    }
  }
  return tables;
}();

}  // namespace

std::string_view algorithm_name(Algorithm algorithm) {
  return described(algorithm).name;
}

std::optional<Algorithm> algorithm_of_name(std::string_view name) {
  for (const Described& each : kAlgorithms) {
    if (each.name == name) return each.algorithm;
  }
  return std::nullopt;
}

std::size_t digest_bytes(Algorithm algorithm) {
  return described(algorithm).bytes;
}

Digest::Digest(Algorithm algorithm, std::span<const std::byte> bytes) : algorithm_(algorithm) {
  assert(bytes.size() == digest_bytes(algorithm));
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

Result<Digest> Digest::from_hex(Algorithm algorithm, std::string_view hex) {
  const std::size_t length = digest_bytes(algorithm);
  if (hex.size() != length * 2) {
    return Error(Code::invalid, "a " + std::string(algorithm_name(algorithm)) + " digest has " +
                                    std::to_string(length * 2) + " hexadecimal digits, not " +
                                    std::to_string(hex.size()));
  }
  Digest digest;
  digest.algorithm_ = algorithm;
  TRY_SET(const std::string bytes, bytes_of_hex(hex));
  std::memcpy(digest.bytes_.data(), bytes.data(), bytes.size());
  return digest;
}

std::span<const std::byte> Digest::bytes() const {
  return std::span(bytes_).first(digest_bytes(algorithm_));
}

std::string Digest::hex() const {
  return hex_of(bytes());
}

struct Hasher::State {
  std::vector<Algorithm> algorithms;
  std::vector<std::unique_ptr<EVP_MD_CTX, FreeContext>> contexts;
};

Hasher::Hasher(std::span<const Algorithm> algorithms) : state_(std::make_unique<State>()) {
  for (const Algorithm algorithm : algorithms) {
    std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    must(context ? 1 : 0);
    must(EVP_DigestInit_ex(context.get(), described(algorithm).md(), nullptr));
    state_->algorithms.push_back(algorithm);
    state_->contexts.push_back(std::move(context));
  }
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
  // Slices that stay in the first-level cache while each algorithm passes over them.
  constexpr std::size_t kSlice = 16 * 1024;
  while (!bytes.empty()) {
    const auto slice = bytes.first(std::min(bytes.size(), kSlice));
    for (const auto& context : state_->contexts) {
      must(EVP_DigestUpdate(context.get(), slice.data(), slice.size()));
    }
    bytes = bytes.subspan(slice.size());
  }
}

std::vector<Digest> Hasher::finish() {
  std::vector<Digest> digests;
  for (std::size_t i = 0; i < state_->contexts.size(); ++i) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> buffer{};
    unsigned length = 0;
    must(EVP_DigestFinal_ex(state_->contexts[i].get(), buffer.data(), &length));
    digests.emplace_back(state_->algorithms[i], std::as_bytes(std::span(buffer)).first(length));
  }
  return digests;
}

Digest digest_of(Algorithm algorithm, std::span<const std::byte> bytes) {
  Hasher hasher({algorithm});
  hasher.update(bytes);
  return hasher.finish().front();
}

Digest digest_of(Algorithm algorithm, std::string_view text) {
  return digest_of(algorithm, as_bytes(text));
}

std::uint32_t crc32_update(std::uint32_t crc, std::span<const std::byte> bytes) {
  crc = ~crc;
  const auto* at = reinterpret_cast<const unsigned char*>(bytes.data());
  std::size_t left = bytes.size();
  const auto& t = kCrcTables;
  while (left >= 8) {
    std::uint32_t low = 0;
    std::uint32_t high = 0;
    std::memcpy(&low, at, 4);  // Little-endian, as x86-64 and our arm64 targets are.
    std::memcpy(&high, at + 4, 4);
    low ^= crc;
    crc = t[7][low & 0xFFu] ^ t[6][(low >> 8) & 0xFFu] ^ t[5][(low >> 16) & 0xFFu] ^
          t[4][low >> 24] ^ t[3][high & 0xFFu] ^ t[2][(high >> 8) & 0xFFu] ^
          t[1][(high >> 16) & 0xFFu] ^ t[0][high >> 24];
    at += 8;
    left -= 8;
  }
  while (left-- > 0)
    crc = (crc >> 8) ^ t[0][(crc ^ *at++) & 0xFFu];
  return ~crc;
}

void random_bytes(std::span<std::byte> into) {
  must(RAND_bytes(reinterpret_cast<unsigned char*>(into.data()), static_cast<int>(into.size())));
}

}  // namespace versement
