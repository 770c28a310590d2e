#include "service/stamps/stamper.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "client/post.hpp"
#include "store/base/limits.hpp"
#include "store/base/log.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"
#include "store/journal/stamp.hpp"
#include "store/query.hpp"

namespace versement::stamps {
namespace {

namespace keys = store::keys;
using std::chrono::milliseconds;

constexpr milliseconds kRetryMax = std::chrono::hours(1);
// An authority answers within a second or two.
constexpr client::Waits kWaits{.each = std::chrono::seconds(20), .all = std::chrono::seconds(40)};

struct Authority {
  std::string url;
  client::Url address;
  std::string failure;
  milliseconds wait{0};  // before the next attempt after a failure
  std::chrono::steady_clock::time_point not_before;
};

}  // namespace

struct Stamper::State {
  State(store::Store& store_in, const StamperOptions& options_in)
      : store(store_in), options(options_in) {}

  Result<AuthorityState> state_of(const Authority& authority) const;
  Result<void> stamp(const Authority& authority, const std::stop_token& stop);
  std::size_t look(const std::stop_token& stop);
  milliseconds until_next() const;

  store::Store& store;
  const StamperOptions options;
  client::TlsContext tls;
  std::optional<journal::StampAuthorities> trusted;

  std::mutex looking;        // One look at a time.
  mutable std::mutex mutex;  // Guards what follows.
  std::vector<Authority> authorities;
  std::condition_variable_any wake;
  std::jthread thread;  // Last: it uses all of this.
};

Result<AuthorityState> Stamper::State::state_of(const Authority& authority) const {
  AuthorityState state;
  state.url = authority.url;
  state.failure = authority.failure;
  auto record = store.index().record(keys::stamp(authority.url));
  if (!record && record.error().code() != Code::not_found) return std::move(record).error();
  if (record) {
    TRY_SET(state.last, Timestamp::parse(json::text_at(*record, "at")));
    state.size = json::number_at(*record, "size");
  }
  const Timestamp now = store.clock().now();
  // One from the future is of a clock that was wrong.
  state.overdue = !state.last || *state.last + options.every <= now || *state.last > now;
  return state;
}

Result<void> Stamper::State::stamp(const Authority& authority, const std::stop_token& stop) {
  TRY(store.journal().publish());
  TRY_SET(const std::string note, read_file(store.disk(), store.layout().journal / "checkpoint",
                                            limits::kCheckpointBytesMax));
  TRY_SET(const std::string request, journal::stamp_request(note));
  auto answered = client::post(authority.address, tls, "application/timestamp-query", request,
                               limits::kStampBytesMax, kWaits, stop);
  if (!answered && answered.error().reason() == "certificate-not-trusted") {
    return Error(Code::network,
                 answered.error().what() + ". Give its authority: journal.timestamp_ca");
  }
  TRY_SET(const client::PostAnswer answer, std::move(answered));
  if (answer.status != 200) {
    return Error(Code::network, "the time authority answers " + std::to_string(answer.status));
  }
  TRY_SET(const std::string token, journal::token_of_reply(answer.body, request, note));
  TRY_SET(const journal::Stamp stamp, trusted ? journal::verify_stamp(token, note, *trusted)
                                              : journal::read_stamp(token, note));
  TRY_SET(const journal::Checkpoint checkpoint, journal::parse_checkpoint(note));
  journal::Event event = store.event(journal::type::kTimestamped, kProgramName);
  event.detail["authority"] = authority.url;
  event.detail["checkpoint"] = note;
  event.detail["size"] = checkpoint.size;
  event.detail["token"] = base64_of(std::string_view(token));
  event.detail["time"] = stamp.time.text();
  event.detail["serial"] = stamp.serial;
  event.detail["signer"] = stamp.authority;
  TRY(store.append(std::move(event)));
  log::info("a time authority has stamped the journal", {{"authority", authority.url},
                                                         {"size", std::to_string(checkpoint.size)},
                                                         {"time", stamp.time.text()}});
  return {};
}

std::size_t Stamper::State::look(const std::stop_token& stop) {
  const std::scoped_lock one(looking);
  std::size_t stamped = 0;
  for (std::size_t i = 0; i < options.urls.size() && !stop.stop_requested(); ++i) {
    Authority authority;
    {
      const std::scoped_lock lock(mutex);
      authority = authorities[i];
    }
    auto state = state_of(authority);
    auto done = state ? Result<void>() : Result<void>(state.error());
    if (state && !state->overdue) continue;
    if (std::chrono::steady_clock::now() < authority.not_before) continue;
    if (done) done = stamp(authority, stop);
    const std::scoped_lock lock(mutex);
    Authority& kept = authorities[i];
    if (done) {
      kept.failure.clear();
      kept.wait = milliseconds(0);
      ++stamped;
    } else if (done.error().code() != Code::cancelled) {
      kept.failure = done.error().what();
      kept.wait = std::clamp(kept.wait * 2, options.retry, std::max(options.retry, kRetryMax));
      kept.not_before = std::chrono::steady_clock::now() + kept.wait;
      log::warning("a time stamp could not be had; it is asked for again",
                   {{"authority", kept.url},
                    {"why", kept.failure},
                    {"in_seconds", std::to_string(kept.wait.count() / 1000)}});
    }
  }
  return stamped;
}

// The clock may be set, so that nothing longer than a minute is slept at once.
milliseconds Stamper::State::until_next() const {
  const auto now = std::chrono::steady_clock::now();
  const std::scoped_lock lock(mutex);
  milliseconds wait = std::min<milliseconds>(options.every, std::chrono::minutes(1));
  for (const Authority& authority : authorities) {
    if (authority.wait.count() == 0) continue;
    const auto left = std::chrono::ceil<milliseconds>(authority.not_before - now);
    wait = std::min(wait, std::max(left, milliseconds(1)));
  }
  return wait;
}

Stamper::Stamper(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stamper::~Stamper() = default;

Result<std::unique_ptr<Stamper>> Stamper::make(store::Store& store, const StamperOptions& options) {
  auto state = std::make_unique<State>(store, options);
  for (const std::string& url : options.urls) {
    Authority authority;
    authority.url = url;
    auto address = client::Url::parse(url);
    if (!address) return std::move(address).error().during("journal.timestamp_urls");
    authority.address = *std::move(address);
    state->authorities.push_back(std::move(authority));
  }
  TRY_SET(state->tls, client::TlsContext::make(options.ca_file));
  if (!options.authorities_file.empty()) {
    TRY_SET(const std::string pem,
            read_file(store.disk(), options.authorities_file, limits::kConfigBytesMax));
    auto trusted = journal::StampAuthorities::parse(pem);
    if (!trusted) return std::move(trusted).error().during(options.authorities_file);
    state->trusted = *std::move(trusted);
  }
  return std::unique_ptr<Stamper>(new Stamper(std::move(state)));
}

void Stamper::start() {
  State* const state = state_.get();
  if (state->options.urls.empty()) return;
  state->thread = std::jthread([state](const std::stop_token& stop) {
    std::mutex sleeping;
    std::unique_lock lock(sleeping);
    while (!stop.stop_requested()) {
      state->look(stop);
      state->wake.wait_for(lock, stop, state->until_next(), [] { return false; });
    }
  });
}

void Stamper::stop() {
  state_->thread = std::jthread();  // Which asks the one before to stop, and waits for it.
}

std::size_t Stamper::look() {
  return state_->look({});
}

Result<std::vector<AuthorityState>> Stamper::states() const {
  std::vector<Authority> authorities;
  {
    const std::scoped_lock lock(state_->mutex);
    authorities = state_->authorities;
  }
  std::vector<AuthorityState> states;
  for (const Authority& authority : authorities) {
    TRY_SET(AuthorityState state, state_->state_of(authority));
    states.push_back(std::move(state));
  }
  return states;
}

}  // namespace versement::stamps
