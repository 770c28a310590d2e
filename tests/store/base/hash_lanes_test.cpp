#include "store/base/hash_lanes.hpp"

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <latch>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <openssl/sha.h>

#include "store/base/digest.hpp"
#include "store/base/text.hpp"

namespace versement::lanes {
namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string openssl_hex(const std::string& text) {
  std::array<unsigned char, SHA512_DIGEST_LENGTH> digest{};
  SHA512(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  return hex_of(std::as_bytes(std::span(digest)));
}

class Random {
 public:
  std::size_t below(std::size_t bound) {
    return std::uniform_int_distribution<std::size_t>(0, bound - 1)(engine_);
  }
  // Most of them around a block or two, where the padding has its edges.
  std::size_t length() {
    switch (below(8)) {
      case 0:
        return below(4096);
      case 1:
        return 128 * below(12);
      default:
        return below(300);
    }
  }
  std::string text(std::size_t size) {
    std::string text(size, '\0');
    for (std::size_t i = 0; i < size; i += 8) {
      const std::uint64_t word = engine_();
      std::memcpy(text.data() + i, &word, std::min<std::size_t>(8, size - i));
    }
    return text;
  }

 private:
  std::mt19937_64 engine_{2026};
};

TEST(HashLanes, gives_the_values_of_the_standard) {
  // The values of FIPS 180-4's examples.
  Sha512 empty;
  EXPECT_EQ(hex_of(empty.finish()),
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
            "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e");
  Sha512 abc;
  abc.update(bytes_of("abc"));
  EXPECT_EQ(hex_of(abc.finish()),
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
            "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

// Every kernel of this machine against OpenSSL: 10^6 inputs in all, groups of uneven number and
// length, each stream fed in several uneven parts.
TEST(HashLanes, each_kernel_equals_openssl) {
  const auto kernels = available_kernels();
  const std::size_t inputs = 1'000'000 / kernels.size();
  for (const Kernel kernel : kernels) {
    Random random;
    std::size_t done = 0;
    std::size_t wrong = 0;
    while (done < inputs) {
      const std::size_t count = 1 + random.below(20);
      std::vector<std::string> texts;
      for (std::size_t i = 0; i < count; ++i)
        texts.push_back(random.text(random.length()));
      std::vector<Sha512> streams(count);
      std::vector<std::size_t> fed(count, 0);
      for (std::size_t round = 0; round < 3; ++round) {
        std::vector<Part> parts;
        for (std::size_t i = 0; i < count; ++i) {
          const std::size_t left = texts[i].size() - fed[i];
          const std::size_t size = round == 2 ? left : random.below(left + 1);
          parts.push_back({&streams[i], bytes_of(texts[i]).subspan(fed[i], size)});
          fed[i] += size;
        }
        update_all(parts, kernel);
      }
      for (std::size_t i = 0; i < count; ++i) {
        if (hex_of(streams[i].finish()) != openssl_hex(texts[i])) ++wrong;
      }
      done += count;
    }
    EXPECT_EQ(wrong, 0u) << "kernel " << kernel_name(kernel);
  }
}

TEST(HashLanes, threads_share_them) {
  constexpr std::size_t kThreads = 12;
  std::vector<int> right(kThreads, 0);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        Random random;
        for (std::size_t i = 0; i < 40; ++i) {
          const std::string text = random.text(1 + 977 * (t + 1) * (i % 7) + i);
          Sha512 stream;
          for (std::size_t at = 0; at < text.size(); at += 5000)
            update_shared({&stream, bytes_of(text).subspan(
                                        at, std::min<std::size_t>(5000, text.size() - at))});
          right[t] += hex_of(stream.finish()) == openssl_hex(text) ? 1 : 0;
        }
      });
    }
  }
  for (std::size_t t = 0; t < kThreads; ++t)
    EXPECT_EQ(right[t], 40) << "thread " << t;
}

// More threads than lanes, each with one part: nobody comes later who could serve those that are
// left over. The threads are not joined, so that one that is forgotten fails the test.
TEST(HashLanes, nobody_is_left_waiting) {
  constexpr std::size_t kThreads = 32;
  struct Shared {
    std::string text;
    std::string wanted;
    std::latch begin{kThreads};
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t done = 0;   // Guarded by mutex.
    std::size_t right = 0;  // Guarded by mutex.
  };
  const auto shared = std::make_shared<Shared>();
  Random random;
  shared->text = random.text(4u << 20);
  shared->wanted = openssl_hex(shared->text);
  for (std::size_t t = 0; t < kThreads; ++t) {
    std::thread([shared] {
      Sha512 stream;
      shared->begin.arrive_and_wait();
      update_shared({&stream, bytes_of(shared->text)});
      const bool right = hex_of(stream.finish()) == shared->wanted;
      const std::scoped_lock lock(shared->mutex);
      ++shared->done;
      shared->right += right ? 1 : 0;
      shared->changed.notify_one();
    }).detach();
  }
  std::unique_lock lock(shared->mutex);
  shared->changed.wait_for(lock, std::chrono::seconds(60),
                           [&] { return shared->done == kThreads; });
  EXPECT_EQ(shared->done, kThreads);
  EXPECT_EQ(shared->right, kThreads);
}

TEST(HashLanes, a_hasher_gives_the_same_for_any_cut) {
  Random random;
  const std::string text = random.text(700'001);
  for (const std::size_t cut : {1u << 12, 8191u, 65'536u, 300'000u}) {
    Hasher hasher{Algorithm::md5, Algorithm::sha512, Algorithm::sha256};
    for (std::size_t at = 0; at < text.size(); at += cut)
      hasher.update(bytes_of(text).subspan(at, std::min(cut, text.size() - at)));
    const auto digests = hasher.finish();
    ASSERT_EQ(digests.size(), 3u);
    EXPECT_EQ(digests[0], digest_of(Algorithm::md5, text));
    EXPECT_EQ(digests[1].hex(), openssl_hex(text));
    EXPECT_EQ(digests[2], digest_of(Algorithm::sha256, text));
  }
}

}  // namespace
}  // namespace versement::lanes
