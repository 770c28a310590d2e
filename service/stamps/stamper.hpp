// Has the journal's checkpoints stamped by time authorities (RFC 3161), each at least as often as
// the settings say.
//
// A stamp that could not be had is owed: it is asked for again, at longer and longer distances, and
// then covers the newest checkpoint, and with it all that came before. What is owed follows from
// the journal, so no restart forgets it.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "store/store.hpp"

namespace versement::stamps {

struct StamperOptions {
  std::vector<std::string> urls;  // of the authorities
  std::string authorities_file;   // their certificates, PEM; empty: whoever answers
  std::string ca_file;            // for https, PEM; empty: the system's
  std::chrono::milliseconds every{std::chrono::hours(24)};
  std::chrono::milliseconds retry{std::chrono::minutes(1)};  // doubles up to an hour
};

struct AuthorityState {
  std::string url;
  std::optional<Timestamp> last;  // when the last stamp came
  std::uint64_t size = 0;         // entries that it covers
  bool overdue = false;
  std::string failure;  // why the last attempt failed; empty when it did not
};

// Thread safe.
class Stamper {
 public:
  // Reads the certificates and checks the addresses. Errors: invalid; not_found; io.
  static Result<std::unique_ptr<Stamper>> make(store::Store& store, const StamperOptions& options);
  ~Stamper();
  Stamper(const Stamper&) = delete;
  Stamper& operator=(const Stamper&) = delete;

  // Begins to look after the stamps, on a thread of its own.
  void start();
  void stop();
  // Asks each authority whose stamp is due; returns how many stamps came.
  std::size_t look();
  Result<std::vector<AuthorityState>> states() const;

 private:
  struct State;
  explicit Stamper(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace versement::stamps
