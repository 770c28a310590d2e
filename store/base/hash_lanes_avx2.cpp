// Four lanes of SHA-512 for processors with AVX2. CMake builds this file for them; hash_lanes.cpp
// asks the processor before it calls.
#include "store/base/hash_lanes_kernel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace versement::lanes {
namespace {

struct Avx2 {
  using Vector = __m256i;
  using Words = std::uint64_t __attribute__((vector_size(32)));
  static constexpr std::size_t kLanes = 4;

  static Vector load(const std::uint64_t* from) {
    return _mm256_loadu_si256(reinterpret_cast<const Vector*>(from));
  }
  static void store(std::uint64_t* to, Vector v) {
    _mm256_storeu_si256(reinterpret_cast<Vector*>(to), v);
  }
  static Vector all(std::uint64_t word) { return _mm256_set1_epi64x(static_cast<long long>(word)); }
  static Vector add(Vector x, Vector y) {
    return reinterpret_cast<Vector>(reinterpret_cast<Words>(x) + reinterpret_cast<Words>(y));
  }
  static Vector exclusive_or(Vector x, Vector y, Vector z) {
    return _mm256_xor_si256(_mm256_xor_si256(x, y), z);
  }
  static Vector choose(Vector x, Vector y, Vector z) {
    return _mm256_xor_si256(_mm256_and_si256(_mm256_xor_si256(y, z), x), z);
  }
  static Vector majority(Vector x, Vector y, Vector z) {
    return _mm256_or_si256(_mm256_and_si256(x, y), _mm256_and_si256(_mm256_or_si256(x, y), z));
  }
  template <int kBits>
  static Vector right(Vector x) {
    return _mm256_or_si256(_mm256_srli_epi64(x, kBits), _mm256_slli_epi64(x, 64 - kBits));
  }
  static Vector large0(Vector x) { return exclusive_or(right<28>(x), right<34>(x), right<39>(x)); }
  static Vector large1(Vector x) { return exclusive_or(right<14>(x), right<18>(x), right<41>(x)); }
  static Vector small0(Vector x) {
    return exclusive_or(right<1>(x), right<8>(x), _mm256_srli_epi64(x, 7));
  }
  static Vector small1(Vector x) {
    return exclusive_or(right<19>(x), right<61>(x), _mm256_srli_epi64(x, 6));
  }

  // Four words of four lanes at a time: rows become columns, big-endian words the machine's.
  [[gnu::always_inline]] static void words(const unsigned char* const* data,
                                           std::size_t offset,
                                           Vector* w) {
    const Vector swap = _mm256_broadcastsi128_si256(
        _mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
#pragma GCC unroll 4
    for (std::size_t part = 0; part < 4; ++part) {
      Vector r[4];
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) {
        const unsigned char* const from = data[i] + offset + part * 32;
        r[i] = _mm256_shuffle_epi8(_mm256_loadu_si256(reinterpret_cast<const Vector*>(from)), swap);
      }
      const Vector low_a = _mm256_unpacklo_epi64(r[0], r[1]);
      const Vector high_a = _mm256_unpackhi_epi64(r[0], r[1]);
      const Vector low_b = _mm256_unpacklo_epi64(r[2], r[3]);
      const Vector high_b = _mm256_unpackhi_epi64(r[2], r[3]);
      w[part * 4 + 0] = _mm256_permute2x128_si256(low_a, low_b, 0x20);
      w[part * 4 + 1] = _mm256_permute2x128_si256(high_a, high_b, 0x20);
      w[part * 4 + 2] = _mm256_permute2x128_si256(low_a, low_b, 0x31);
      w[part * 4 + 3] = _mm256_permute2x128_si256(high_a, high_b, 0x31);
    }
  }
};

}  // namespace

void compress_avx2(std::uint64_t* state, const unsigned char* const* data, std::size_t blocks) {
  compress_lanes<Avx2>(state, data, blocks);
}

}  // namespace versement::lanes
#endif
