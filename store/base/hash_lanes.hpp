// SHA-512 (FIPS 180-4) of many streams side by side: one stream cannot be split, but a vector
// register holds the same word of four or eight streams.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace versement::lanes {

// What hashes several streams at once. `openssl` takes them one after the other.
enum class Kernel { openssl, avx2, avx512 };

std::string_view kernel_name(Kernel kernel);
std::size_t kernel_lanes(Kernel kernel);  // streams side by side; 1 for openssl
// What this processor can run, the fastest last.
std::vector<Kernel> available_kernels();

// One stream. Not thread safe; streams of their own may be used at the same time.
class Sha512 {
 public:
  Sha512();
  // Hashes now, alone, through OpenSSL.
  void update(std::span<const std::byte> bytes);
  // The stream is used up.
  std::array<std::byte, 64> finish();

 private:
  friend class Scheduler;
  // Fills up a block that an earlier part began; returns what is left of `bytes`.
  std::span<const std::byte> complete_block(std::span<const std::byte> bytes);
  void compress(std::span<const std::byte> blocks);
  void keep_rest(std::span<const std::byte> rest);

  std::array<std::uint64_t, 8> state_;
  std::array<std::byte, 128> block_{};  // the first length_ % 128 bytes are waiting
  std::uint64_t length_ = 0;
};

// The next bytes of one stream.
struct Part {
  Sha512* stream;
  std::span<const std::byte> bytes;
};

// Hashes the parts, as many side by side as the kernel takes; when one ends, the next takes its
// lane. Each stream may occur once.
void update_all(std::span<const Part> parts, Kernel kernel);

// The same for threads that do not know of each other: parts that arrive while others are being
// hashed are taken together. Returns when `part` is hashed. Thread safe.
void update_shared(const Part& part);

}  // namespace versement::lanes
