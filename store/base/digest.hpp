// Digests: several in one pass over OpenSSL, and CRC-32 for zip.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/result.hpp"

namespace versement {

enum class Algorithm {
  md5,
  sha1,
  sha256,
  sha384,
  sha512,
  blake2b_512,
  sha224,
  sha3_224,
  sha3_256,
  sha3_384,
  sha3_512,
  blake2s_256,
};

// The name as OCFL writes it: "sha512", "blake2b-512". BagIt leaves the hyphens out.
std::string_view algorithm_name(Algorithm algorithm);
std::optional<Algorithm> algorithm_of_name(std::string_view name);
std::size_t digest_bytes(Algorithm algorithm);

// A digest of a known algorithm; a value that can be compared and put into a map.
class Digest {
 public:
  Digest() = default;
  // Requires: bytes has the algorithm's length.
  Digest(Algorithm algorithm, std::span<const std::byte> bytes);
  // Hexadecimal of either case. Errors: invalid when it is not the algorithm's length or not hex.
  static Result<Digest> from_hex(Algorithm algorithm, std::string_view hex);

  Algorithm algorithm() const { return algorithm_; }
  std::span<const std::byte> bytes() const;
  std::string hex() const;  // lower case

  friend auto operator<=>(const Digest&, const Digest&) = default;

 private:
  Algorithm algorithm_ = Algorithm::sha512;
  std::array<std::byte, 64> bytes_{};
};

// Digests of one stream, as many as asked for, in one pass. Not thread safe.
class Hasher {
 public:
  explicit Hasher(std::span<const Algorithm> algorithms);
  Hasher(std::initializer_list<Algorithm> algorithms)
      : Hasher(std::span<const Algorithm>(algorithms.begin(), algorithms.size())) {}
  Hasher(const Hasher&) = delete;
  Hasher& operator=(const Hasher&) = delete;
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  ~Hasher();

  void update(std::span<const std::byte> bytes);
  // In the order asked for. The hasher is used up.
  std::vector<Digest> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Which of SHA-512 and SHA-256 this machine computes faster when many files are hashed at once.
Algorithm quicker_algorithm();

Digest digest_of(Algorithm algorithm, std::span<const std::byte> bytes);
Digest digest_of(Algorithm algorithm, std::string_view text);

// CRC-32 as zip and gzip have it; begin with 0 and hand the last value in again.
std::uint32_t crc32_update(std::uint32_t crc, std::span<const std::byte> bytes);

// Random bytes from the system. There is no answer to a failure but to stop the program.
void random_bytes(std::span<std::byte> into);

}  // namespace versement
