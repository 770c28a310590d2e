// SHA512_CTX and SHA512_Update are the only way to let OpenSSL go on from a state that is ours;
// they are called deprecated since 3.0 and are still what EVP calls.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "store/base/hash_lanes.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <mutex>

#include <openssl/sha.h>

#include "store/base/hash_lanes_kernel.hpp"
#include "store/base/pool.hpp"

namespace versement::lanes {

#if defined(__x86_64__)
void compress_avx2(std::uint64_t* state, const unsigned char* const* data, std::size_t blocks);
void compress_avx512(std::uint64_t* state, const unsigned char* const* data, std::size_t blocks);
#endif

extern const std::uint64_t kRoundConstants[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc,
    0x3956c25bf348b538, 0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118,
    0xd807aa98a3030242, 0x12835b0145706fbe, 0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2,
    0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235, 0xc19bf174cf692694,
    0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5,
    0x983e5152ee66dfab, 0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4,
    0xc6e00bf33da88fc2, 0xd5a79147930aa725, 0x06ca6351e003826f, 0x142929670a0e6e70,
    0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed, 0x53380d139d95b3df,
    0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30,
    0xd192e819d6ef5218, 0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8,
    0x19a4c116b8d2d0c8, 0x1e376c085141ab53, 0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8,
    0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373, 0x682e6ff3d6b2b8a3,
    0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b,
    0xca273eceea26619c, 0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178,
    0x06f067aa72176fba, 0x0a637dc5a2c898a6, 0x113f9804bef90dae, 0x1b710b35131c471b,
    0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc, 0x431d67c49c100d4c,
    0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

namespace {

constexpr std::size_t kBlock = 128;
constexpr std::size_t kLanesMax = 8;
// With fewer streams OpenSSL is faster than a vector with empty lanes.
constexpr std::size_t kAvx512LanesMin = 3;
constexpr std::size_t kAvx2LanesMin = 3;

using Compress = void (*)(std::uint64_t*, const unsigned char* const*, std::size_t);

bool runs(Kernel kernel) {
#if defined(__x86_64__)
  if (kernel == Kernel::avx512) {
    return __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0;
  }
  if (kernel == Kernel::avx2) return __builtin_cpu_supports("avx2") != 0;
#endif
  return kernel == Kernel::openssl;
}

Compress compress_of(Kernel kernel) {
#if defined(__x86_64__)
  if (kernel == Kernel::avx512) return compress_avx512;
  if (kernel == Kernel::avx2) return compress_avx2;
#endif
  (void)kernel;
  return nullptr;
}

const unsigned char* bytes_of(std::span<const std::byte> bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

std::string_view kernel_name(Kernel kernel) {
  switch (kernel) {
    case Kernel::avx512:
      return "avx512";
    case Kernel::avx2:
      return "avx2";
    case Kernel::openssl:
      break;
  }
  return "openssl";
}

std::size_t kernel_lanes(Kernel kernel) {
  switch (kernel) {
    case Kernel::avx512:
      return 8;
    case Kernel::avx2:
      return 4;
    case Kernel::openssl:
      break;
  }
  return 1;
}

std::vector<Kernel> available_kernels() {
  std::vector<Kernel> found;
  for (const Kernel kernel : {Kernel::openssl, Kernel::avx2, Kernel::avx512}) {
    if (runs(kernel)) found.push_back(kernel);
  }
  return found;
}

// ---------------------------------------------------------------------------- Sha512

Sha512::Sha512()
    : state_{0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
             0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179} {}

void Sha512::compress(std::span<const std::byte> blocks) {
  SHA512_CTX context = {};
  context.md_len = SHA512_DIGEST_LENGTH;
  std::copy(state_.begin(), state_.end(), context.h);
  // No digest that is wrong may ever come of it.
  if (SHA512_Update(&context, blocks.data(), blocks.size()) != 1) std::abort();
  std::copy(std::begin(context.h), std::end(context.h), state_.begin());
}

std::span<const std::byte> Sha512::complete_block(std::span<const std::byte> bytes) {
  const std::size_t waiting = length_ % kBlock;
  if (waiting == 0) return bytes;
  const std::size_t count = std::min(kBlock - waiting, bytes.size());
  std::memcpy(block_.data() + waiting, bytes.data(), count);
  length_ += count;
  if (waiting + count == kBlock) compress(block_);
  return bytes.subspan(count);
}

void Sha512::keep_rest(std::span<const std::byte> rest) {
  if (rest.empty()) return;
  std::memcpy(block_.data(), rest.data(), rest.size());
  length_ += rest.size();
}

void Sha512::update(std::span<const std::byte> bytes) {
  bytes = complete_block(bytes);
  const std::size_t whole = bytes.size() / kBlock * kBlock;
  if (whole > 0) compress(bytes.first(whole));
  length_ += whole;
  keep_rest(bytes.subspan(whole));
}

std::array<std::byte, 64> Sha512::finish() {
  const std::uint64_t length = length_;
  // A one, zeros, and the length in bits as 16 bytes: up to the end of a block.
  std::array<std::byte, 2 * kBlock> padding{};
  padding[0] = std::byte{0x80};
  const std::size_t waiting = length % kBlock;
  const std::size_t size = (waiting < kBlock - 16 ? kBlock : 2 * kBlock) - waiting;
  for (std::size_t i = 0; i < 8; ++i) {
    padding[size - 1 - i] = static_cast<std::byte>(length << 3 >> (8 * i));
  }
  padding[size - 9] = static_cast<std::byte>(length >> 61);
  update(std::span<const std::byte>(padding).first(size));
  std::array<std::byte, 64> digest{};
  for (std::size_t i = 0; i < digest.size(); ++i) {
    digest[i] = static_cast<std::byte>(state_[i / 8] >> (56 - 8 * (i % 8)));
  }
  return digest;
}

// ---------------------------------------------------------------------------- Scheduler

// Keeps the lanes of one kernel filled from a list of parts.
class Scheduler {
 public:
  Scheduler(std::span<const Part> parts, Kernel kernel)
      : parts_(parts),
        compress_(compress_of(kernel)),
        lanes_(kernel_lanes(kernel)),
        live_min_(kernel == Kernel::avx512 ? kAvx512LanesMin : kAvx2LanesMin) {}

  void run() {
    fill();
    while (live_ >= live_min_ && compress_ != nullptr) {
      step();
      fill();
    }
    // What is left is too little to fill the lanes.
    for (std::size_t i = 0; i < live_; ++i)
      slots_[i].stream->update(slots_[i].left);
    for (; next_ < parts_.size(); ++next_)
      parts_[next_].stream->update(parts_[next_].bytes);
  }

 private:
  struct Slot {
    Sha512* stream = nullptr;
    std::span<const std::byte> left;
  };

  // Drops the slots that have no whole block left and takes up further parts.
  void fill() {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < live_; ++i) {
      if (slots_[i].left.size() >= kBlock) {
        slots_[kept++] = slots_[i];
      } else {
        slots_[i].stream->keep_rest(slots_[i].left);
      }
    }
    live_ = kept;
    while (live_ < lanes_ && next_ < parts_.size()) {
      const Part& part = parts_[next_++];
      const auto left = part.stream->complete_block(part.bytes);
      if (left.size() < kBlock) {
        part.stream->keep_rest(left);
      } else {
        slots_[live_++] = {part.stream, left};
      }
    }
  }

  void step() {
    std::size_t blocks = slots_[0].left.size() / kBlock;
    for (std::size_t i = 1; i < live_; ++i)
      blocks = std::min(blocks, slots_[i].left.size() / kBlock);
    alignas(64) std::array<std::uint64_t, 8 * kLanesMax> state{};
    std::array<const unsigned char*, kLanesMax> data{};
    for (std::size_t lane = 0; lane < lanes_; ++lane) {
      // An empty lane repeats the first; what comes of it is dropped.
      const Slot& slot = slots_[lane < live_ ? lane : 0];
      data[lane] = bytes_of(slot.left);
      for (std::size_t word = 0; word < 8; ++word)
        state[word * lanes_ + lane] = slot.stream->state_[word];
    }
    compress_(state.data(), data.data(), blocks);
    for (std::size_t lane = 0; lane < live_; ++lane) {
      Slot& slot = slots_[lane];
      for (std::size_t word = 0; word < 8; ++word)
        slot.stream->state_[word] = state[word * lanes_ + lane];
      slot.stream->length_ += blocks * kBlock;
      slot.left = slot.left.subspan(blocks * kBlock);
    }
  }

  const std::span<const Part> parts_;
  const Compress compress_;
  const std::size_t lanes_;
  const std::size_t live_min_;
  std::size_t next_ = 0;
  std::array<Slot, kLanesMax> slots_;
  std::size_t live_ = 0;
};

void update_all(std::span<const Part> parts, Kernel kernel) {
  Scheduler(parts, kernel).run();
}

// ---------------------------------------------------------------------------- update_shared

namespace {

// Whoever finds a place free hashes what waits, its own part first. The others sleep until their
// part is done or they are told to hash themselves.
class Shared {
 public:
  Shared() : kernel_(available_kernels().back()), servers_max_(servers()) {}

  void update(const Part& part) {
    Waiting mine{part, {}, State::waiting};
    std::unique_lock lock(mutex_);
    if (servers_ >= servers_max_ && !is_full_load()) {
      waiting_.push_back(&mine);
      mine.changed.wait(lock, [&] { return mine.state != State::waiting; });
      if (mine.state == State::done) return;
    } else {
      ++servers_;
    }
    serve(&lock, &mine);
  }

 private:
  enum class State { waiting, serve, done };
  struct Waiting {
    Part part;
    std::condition_variable changed;
    State state;
  };

  // Never more than is needed to keep the lanes full: hashing side by side is faster than hashing
  // on two processors as long as something else is left for these to do.
  static std::size_t servers() { return std::max<std::size_t>(processor_count() / 3, 1); }

  // With enough waiting to fill another register, another processor loses nothing by hashing, too.
  bool is_full_load() const {
    return servers_ < processor_count() && waiting_.size() + 1 >= kLanesMax;
  }

  void serve(std::unique_lock<std::mutex>* lock, Waiting* mine) {
    std::vector<Waiting*> taken{mine};
    std::vector<Part> parts{mine->part};
    while (!waiting_.empty() && taken.size() < kLanesMax) {
      taken.push_back(waiting_.front());
      parts.push_back(waiting_.front()->part);
      waiting_.pop_front();
    }
    lock->unlock();
    update_all(parts, kernel_);
    lock->lock();
    for (Waiting* const each : taken) {
      each->state = State::done;
      if (each != mine) each->changed.notify_one();
    }
    const bool others_serve = servers_ > servers_max_ && waiting_.size() < kLanesMax;
    if (waiting_.empty() || others_serve) {
      --servers_;
    } else {
      // The place goes to the one that waits longest.
      Waiting* const next = waiting_.front();
      waiting_.pop_front();
      next->state = State::serve;
      next->changed.notify_one();
    }
  }

  const Kernel kernel_;
  const std::size_t servers_max_;
  std::mutex mutex_;
  std::deque<Waiting*> waiting_;  // Guarded by mutex_, as is the state of each.
  std::size_t servers_ = 0;       // Guarded by mutex_.
};

}  // namespace

void update_shared(const Part& part) {
  static Shared shared;
  shared.update(part);
}

}  // namespace versement::lanes
