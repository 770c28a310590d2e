// Brings the files that a bag's fetch.txt names. The list comes from a stranger and tells this
// machine whom to talk to, so nothing is asked of anybody who was not permitted: by name before the
// first connection, by address at each one, and again at every redirection.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "bagit/fetch.hpp"

namespace versement::cli {

struct FetchOptions {
  std::set<std::string> hosts;  // lower case: "host" for 443 (http: 80), or "host:port"
  bool any_host = false;
  bool allow_http = false;
  bool allow_private = false;
  std::uint64_t bytes_max = 0;  // of a file whose length fetch.txt does not tell
  std::size_t jobs = 4;
  std::chrono::milliseconds wait{60'000};  // for one read
  // Who sends less than 1 KiB a second for this time, or for `wait` where that is longer, is given
  // up.
  std::chrono::milliseconds slow_after{60'000};
  std::string ca_file;
  // Shown to whoever is asked. Requires: `hosts` has one host only, and any_host is not set.
  std::string token;
  std::stop_token stop;
};

struct FetchFailure {
  std::string path;
  Error error;
};

struct FetchResumed {
  std::string path;
  std::uint64_t bytes = 0;  // that an earlier run had left
};

// A server that is asked no more: it failed again and again in the same way.
struct FetchGivenUp {
  std::string host;         // as --host takes it
  std::string why;          // the failure
  std::uint64_t files = 0;  // that it was not asked for any more
};

struct Fetched {
  std::uint64_t files = 0;             // that are whole
  std::uint64_t bytes = 0;             // of them, received by this run
  std::uint64_t resumed_bytes = 0;     // of them, that earlier runs had left
  std::uint64_t kept_bytes = 0;        // of files that failed, for the next run
  std::vector<FetchResumed> resumed;   // by path; whole now
  std::vector<FetchFailure> failures;  // by path
  std::vector<FetchGivenUp> given_up;  // by host
};

// How far it is; read from another thread.
struct FetchProgress {
  std::atomic<std::uint64_t> files{0};
  std::atomic<std::uint64_t> bytes{0};
};

// Why a URL may not be fetched; empty when it may.
std::string refusal_of_url(const std::string& url, const FetchOptions& options);
// "host" or "host:port" of a URL, as --host takes it; the URL itself when it has none.
std::string host_of_url(const std::string& url);

// An entity tag that promises the same bytes (RFC 9110 section 8.8.3), and is sent back as it is.
bool is_strong_tag(std::string_view tag);
// What stands beside a part: of which URL it is, by digest, and the tag of what was answered.
std::string mark_of(const std::string& url, const std::string& tag);
// The tag; empty when the mark is not one, or of another URL.
std::string tag_of_mark(std::string_view mark, const std::string& url);

// Fetches all items into the bag. Each is written under a temporary name in `.versement-fetch`,
// made durable and renamed when its length and every digest are right, so that a file of the bag is
// whole or not there. What came before a connection was cut is used by the next attempt for the
// same URL; a `.versement-fetch` that others made is removed.
//
// Requires: each URL may be fetched (refusal_of_url).
// Errors: what keeps it from fetching at all (io, denied, no_space), cancelled. The failure of one
// file is one of the failures: corrupt for other bytes than the manifests', limit for more bytes
// than announced, denied for an address, network, not_found, unavailable.
Result<Fetched> fetch_items(const Path& bag,
                            const std::vector<bagit::FetchItem>& items,
                            const FetchOptions& options,
                            FetchProgress& progress);

}  // namespace versement::cli
