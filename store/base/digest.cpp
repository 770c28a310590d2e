#include "store/base/digest.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>

#include <libdeflate.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "store/base/disk.hpp"
#include "store/base/hash_lanes.hpp"
#include "store/base/text.hpp"

namespace versement {
namespace {

struct Described {
  Algorithm algorithm;
  std::string_view name;
  std::size_t bytes;
  const EVP_MD* (*md)();
};

constexpr std::array<Described, 12> kAlgorithms{{
    {Algorithm::md5, "md5", 16, EVP_md5},
    {Algorithm::sha1, "sha1", 20, EVP_sha1},
    {Algorithm::sha256, "sha256", 32, EVP_sha256},
    {Algorithm::sha384, "sha384", 48, EVP_sha384},
    {Algorithm::sha512, "sha512", 64, EVP_sha512},
    {Algorithm::blake2b_512, "blake2b-512", 64, EVP_blake2b512},
    {Algorithm::sha224, "sha224", 28, EVP_sha224},
    {Algorithm::sha3_224, "sha3-224", 28, EVP_sha3_224},
    {Algorithm::sha3_256, "sha3-256", 32, EVP_sha3_256},
    {Algorithm::sha3_384, "sha3-384", 48, EVP_sha3_384},
    {Algorithm::sha3_512, "sha3-512", 64, EVP_sha3_512},
    {Algorithm::blake2s_256, "blake2s-256", 32, EVP_blake2s256},
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

// SHA-512, the slowest of those that every file needs, goes beside that of other threads.
struct Hasher::State {
  std::vector<Algorithm> algorithms;
  std::vector<std::unique_ptr<EVP_MD_CTX, FreeContext>> contexts;  // none for SHA-512
  std::optional<lanes::Sha512> sha512;
};

Hasher::Hasher(std::span<const Algorithm> algorithms) : state_(std::make_unique<State>()) {
  for (const Algorithm algorithm : algorithms) {
    state_->algorithms.push_back(algorithm);
    if (algorithm == Algorithm::sha512) {
      state_->sha512.emplace();
      continue;
    }
    std::unique_ptr<EVP_MD_CTX, FreeContext> context(EVP_MD_CTX_new());
    must(context ? 1 : 0);
    must(EVP_DigestInit_ex(context.get(), described(algorithm).md(), nullptr));
    state_->contexts.push_back(std::move(context));
  }
}

Hasher::Hasher(Hasher&&) noexcept = default;
Hasher& Hasher::operator=(Hasher&&) noexcept = default;
Hasher::~Hasher() = default;

void Hasher::update(std::span<const std::byte> bytes) {
  // Slices that stay in the cache while each algorithm passes over them.
  constexpr std::size_t kSlice = 16 * 1024;
  // Less is not worth waiting for others.
  constexpr std::size_t kSharedMin = 16 * 1024;
  constexpr std::size_t kSharedMax = 256 * 1024;
  if (state_->sha512) {
    for (auto left = bytes; !left.empty();) {
      const auto part = left.first(std::min(left.size(), kSharedMax));
      if (part.size() < kSharedMin) {
        state_->sha512->update(part);
      } else {
        lanes::update_shared({&*state_->sha512, part});
      }
      left = left.subspan(part.size());
    }
  }
  if (state_->contexts.empty()) return;
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
  auto context = state_->contexts.begin();
  for (const Algorithm algorithm : state_->algorithms) {
    if (algorithm == Algorithm::sha512) {
      digests.emplace_back(algorithm, state_->sha512->finish());
      continue;
    }
    std::array<unsigned char, EVP_MAX_MD_SIZE> buffer{};
    unsigned length = 0;
    must(EVP_DigestFinal_ex((context++)->get(), buffer.data(), &length));
    digests.emplace_back(algorithm, std::as_bytes(std::span(buffer)).first(length));
  }
  return digests;
}

Algorithm quicker_algorithm() {
  // Eight lanes outrun the processor's own instructions for SHA-256; four do not.
  return lanes::available_kernels().back() == lanes::Kernel::avx512 ? Algorithm::sha512
                                                                    : Algorithm::sha256;
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
  // It takes no bytes at all for a question after the first value.
  return bytes.empty() ? crc : libdeflate_crc32(crc, bytes.data(), bytes.size());
}

void random_bytes(std::span<std::byte> into) {
  must(RAND_bytes(reinterpret_cast<unsigned char*>(into.data()), static_cast<int>(into.size())));
}

}  // namespace versement
