// Eight lanes of SHA-512 for processors with AVX-512 (F, BW). CMake builds this file for them;
// hash_lanes.cpp asks the processor before it calls.
#include "store/base/hash_lanes_kernel.hpp"

#if defined(__x86_64__)
#include <immintrin.h>

namespace versement::lanes {
namespace {

struct Avx512 {
  using Vector = __m512i;
  using Words = std::uint64_t __attribute__((vector_size(64)));
  static constexpr std::size_t kLanes = 8;

  static Vector load(const std::uint64_t* from) { return _mm512_loadu_si512(from); }
  static void store(std::uint64_t* to, Vector v) { _mm512_storeu_si512(to, v); }
  static Vector all(std::uint64_t word) { return _mm512_set1_epi64(static_cast<long long>(word)); }
  static Vector add(Vector x, Vector y) {
    return reinterpret_cast<Vector>(reinterpret_cast<Words>(x) + reinterpret_cast<Words>(y));
  }
  static Vector exclusive_or(Vector x, Vector y, Vector z) {
    return _mm512_ternarylogic_epi64(x, y, z, 0x96);
  }
  static Vector choose(Vector x, Vector y, Vector z) {
    return _mm512_ternarylogic_epi64(x, y, z, 0xCA);
  }
  static Vector majority(Vector x, Vector y, Vector z) {
    return _mm512_ternarylogic_epi64(x, y, z, 0xE8);
  }
  static Vector large0(Vector x) {
    return exclusive_or(_mm512_ror_epi64(x, 28), _mm512_ror_epi64(x, 34), _mm512_ror_epi64(x, 39));
  }
  static Vector large1(Vector x) {
    return exclusive_or(_mm512_ror_epi64(x, 14), _mm512_ror_epi64(x, 18), _mm512_ror_epi64(x, 41));
  }
  static Vector small0(Vector x) {
    return exclusive_or(_mm512_ror_epi64(x, 1), _mm512_ror_epi64(x, 8), _mm512_srli_epi64(x, 7));
  }
  static Vector small1(Vector x) {
    return exclusive_or(_mm512_ror_epi64(x, 19), _mm512_ror_epi64(x, 61), _mm512_srli_epi64(x, 6));
  }

  // Eight words of eight lanes: rows become columns, big-endian words become the machine's.
  [[gnu::always_inline]] static void turn(const unsigned char* const* data,
                                          std::size_t offset,
                                          Vector* w) {
    const Vector swap =
        _mm512_broadcast_i32x4(_mm_set_epi8(8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    Vector r[8];
#pragma GCC unroll 8
    for (std::size_t i = 0; i < 8; ++i)
      r[i] = _mm512_shuffle_epi8(_mm512_loadu_si512(data[i] + offset), swap);
#pragma GCC unroll 2
    for (std::size_t odd = 0; odd < 2; ++odd) {
      Vector t[4];
#pragma GCC unroll 4
      for (std::size_t i = 0; i < 4; ++i) {
        t[i] = odd == 0 ? _mm512_unpacklo_epi64(r[2 * i], r[2 * i + 1])
                        : _mm512_unpackhi_epi64(r[2 * i], r[2 * i + 1]);
      }
      const Vector even_a = _mm512_shuffle_i64x2(t[0], t[1], 0x88);
      const Vector odd_a = _mm512_shuffle_i64x2(t[0], t[1], 0xDD);
      const Vector even_b = _mm512_shuffle_i64x2(t[2], t[3], 0x88);
      const Vector odd_b = _mm512_shuffle_i64x2(t[2], t[3], 0xDD);
      w[0 + odd] = _mm512_shuffle_i64x2(even_a, even_b, 0x88);
      w[4 + odd] = _mm512_shuffle_i64x2(even_a, even_b, 0xDD);
      w[2 + odd] = _mm512_shuffle_i64x2(odd_a, odd_b, 0x88);
      w[6 + odd] = _mm512_shuffle_i64x2(odd_a, odd_b, 0xDD);
    }
  }
  [[gnu::always_inline]] static void words(const unsigned char* const* data,
                                           std::size_t offset,
                                           Vector* w) {
    turn(data, offset, w);
    turn(data, offset + 64, w + 8);
  }
};

}  // namespace

void compress_avx512(std::uint64_t* state, const unsigned char* const* data, std::size_t blocks) {
  compress_lanes<Avx512>(state, data, blocks);
}

}  // namespace versement::lanes
#endif
