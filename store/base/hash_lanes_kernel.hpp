// The SHA-512 rounds (FIPS 180-4, 6.4) over a vector of lanes, for the two files that compile them
// for one kind of processor each. Nothing here may become code that others could link: those files
// are built with instructions which the machine may lack.
#pragma once

#include <cstddef>
#include <cstdint>

namespace versement::lanes {

// One round constant for each of the 80 rounds.
extern const std::uint64_t kRoundConstants[80];

// `V` brings the vector and its operations: add, load, store, all (the same word in each lane), the
// two functions of three inputs, rotations and the schedule's two sums, and `words`, which turns
// the next block of each lane into sixteen vectors of one word per lane. `state` is eight rows of
// V::kLanes words. Reads `blocks` blocks of 128 bytes from each of `data`.
template <class V>
[[gnu::always_inline]] static inline void compress_lanes(std::uint64_t* state,
                                                         const unsigned char* const* data,
                                                         std::size_t blocks) {
  using Vector = typename V::Vector;
  Vector h[8];
  for (std::size_t i = 0; i < 8; ++i)
    h[i] = V::load(state + i * V::kLanes);
  for (std::size_t block = 0; block < blocks; ++block) {
    Vector w[16];
    V::words(data, block * 128, w);
    Vector a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
    for (std::size_t start = 0; start < 80; start += 16) {
#pragma GCC unroll 16
      for (std::size_t i = 0; i < 16; ++i) {
        if (start != 0) {
          w[i] = V::add(V::add(w[i], V::small0(w[(i + 1) & 15])),
                        V::add(w[(i + 9) & 15], V::small1(w[(i + 14) & 15])));
        }
        const Vector t1 = V::add(V::add(V::add(k, V::large1(e)), V::choose(e, f, g)),
                                 V::add(w[i], V::all(kRoundConstants[start + i])));
        const Vector t2 = V::add(V::large0(a), V::majority(a, b, c));
        k = g;
        g = f;
        f = e;
        e = V::add(d, t1);
        d = c;
        c = b;
        b = a;
        a = V::add(t1, t2);
      }
    }
    const Vector after[8] = {a, b, c, d, e, f, g, k};
    for (std::size_t i = 0; i < 8; ++i)
      h[i] = V::add(h[i], after[i]);
  }
  for (std::size_t i = 0; i < 8; ++i)
    V::store(state + i * V::kLanes, h[i]);
}

}  // namespace versement::lanes
