// Sealing: pins the versions of a transfer's items, makes sure that their bytes were verified, and
// writes the small files that turn them into a bag. No payload byte is copied.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "store/base/json.hpp"
#include "store/store.hpp"

namespace versement::transfer {

struct SealProgress {
  std::atomic<std::uint64_t> done_items{0}, total_items{0};
};

struct SealOptions {
  std::string agent;
  std::string job;
  // Reads an item again and says whether every byte is right; used when its last verification is
  // older than the agreement permits.
  std::function<Result<void>(const std::string& slug)> verify;
};

// Seals a draft. The transfer is sealed when the event is in the journal; a job that is run again
// after that finds it sealed and has nothing to do.
// Errors: conflict ("transfer-empty", "transition-not-allowed", "open-incident",
// "payload-not-verified"); those of the store.
Result<json::Object> seal(store::Store& store,
                          const std::string& transfer_id,
                          const SealOptions& options,
                          SealProgress& progress,
                          const std::stop_token& stop);

// SHA-512 of tagmanifest-sha512.txt: whoever has the bag can compute it, and it stands for every
// byte of it.
inline constexpr std::string_view kSealedFile = "tagmanifest-sha512.txt";

}  // namespace versement::transfer
