// What versementd is told: file, environment and flags, with their defaults.
#pragma once

#include <string>
#include <vector>

#include "service/net/server.hpp"
#include "service/stamps/stamper.hpp"
#include "store/base/config.hpp"
#include "store/base/log.hpp"
#include "store/store.hpp"

namespace versement::service {

struct Settings {
  Path data = "/var/lib/versement";
  std::vector<std::string> inboxes;
  std::string origin = "versement.example/journal";
  stamps::StamperOptions stamps;
  std::vector<std::string> witnesses;  // public keys whose cosignatures are taken
  net::ServerOptions server;
  std::string public_url;  // "https://HOST[:PORT][/PATH]" for others to call; empty: as they do
  store::StoreOptions store;
  std::size_t audit_threads = 2;
  std::chrono::milliseconds policy_every{60'000};
  log::Level log_level = log::Level::info;
  log::Format log_format = log::Format::json;
  bool access_log = true;
};

// Reads all settings. Errors: invalid with file, line and column of every fault.
Result<Settings> read_settings(Config& config);

// "section.key = value  # where it comes from", one line each.
std::string print_settings(const Config& config);

}  // namespace versement::service
