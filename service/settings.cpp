#include "service/settings.hpp"

#include <algorithm>
#include <filesystem>

#include "store/base/pool.hpp"

namespace versement::service {
namespace {

// What can stand in front of "/v1/…" in an address that others are given.
bool is_public_url(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const bool known = url.starts_with("http://") || url.starts_with("https://");
  return known && url.size() > scheme + 3 && url[scheme + 3] != '/' && !url.ends_with('/') &&
         std::all_of(url.begin(), url.end(), [](char c) {
           return c > ' ' && c < 0x7F &&
                  std::string_view("<>\"\\^`{|}@?#").find(c) == std::string_view::npos;
         });
}

}  // namespace

Result<Settings> read_settings(Config& config) {
  Settings s;
  s.data = config.text("data.path", s.data.native());
  s.store.min_free_bytes = config.size("data.min_free", s.store.min_free_bytes);
  s.store.min_free_inodes =
      config.number("data.min_free_inodes", s.store.min_free_inodes, 1'000'000'000);
  s.store.verify_after_write = config.flag("data.verify_after_write", true);
  s.store.index.cache_bytes = config.size("index.cache", s.store.index.cache_bytes);
  s.store.index.open_files_max =
      static_cast<int>(config.number("index.max_open_files", 512, 1'000'000));
  s.origin = config.text("journal.origin", s.origin);
  s.store.publish_delay = config.duration("journal.checkpoint_delay", s.store.publish_delay);
  s.stamps.urls = config.list("journal.timestamp_urls", {});
  s.stamps.authorities_file = config.text("journal.timestamp_authorities", "");
  s.stamps.ca_file = config.text("journal.timestamp_ca", "");
  s.stamps.every = config.duration("journal.timestamp_every", s.stamps.every);
  s.stamps.retry = config.duration("journal.timestamp_retry", s.stamps.retry);
  s.witnesses = config.list("journal.witnesses", {});
  s.inboxes = config.list("ingest.inbox", {});
  s.server.listen = config.list("server.listen", s.server.listen);
  s.server.tls_certificate = config.text("server.tls_cert", "");
  s.server.tls_key = config.text("server.tls_key", "");
  s.public_url = config.text("server.public_url", "");
  s.server.connections_max =
      config.number("server.max_connections", s.server.connections_max, 1'000'000);
  s.server.pool_threads = config.number("server.threads", s.server.pool_threads, 1024);
  s.server.timeouts.header = config.duration("server.header_timeout", s.server.timeouts.header);
  s.server.timeouts.body = config.duration("server.body_timeout", s.server.timeouts.body);
  s.server.timeouts.idle = config.duration("server.idle_timeout", s.server.timeouts.idle);
  s.server.timeouts.stall = config.duration("server.stall_timeout", s.server.timeouts.stall);
  s.server.shutdown_grace = config.duration("server.shutdown_grace", s.server.shutdown_grace);
  s.audit_threads = config.number("audit.workers", processor_count(), 256);
  s.policy_every = config.duration("audit.policy_interval", s.policy_every);
  const std::string level = config.text("log.level", "info");
  const std::string format = config.text("log.format", "json");
  s.access_log = config.flag("log.access", true);
  TRY(config.finish());
  TRY_SET(s.log_level, log::parse_level(level));
  if (s.data.empty()) return Error(Code::invalid, "data.path is empty; name the data folder");
  // What is told of files later must not depend on where the daemon was started.
  std::error_code failed;
  s.data = std::filesystem::absolute(s.data, failed).lexically_normal();
  if (failed) return Error(Code::io, "the current folder cannot be told: " + failed.message());
  if (s.server.listen.empty()) {
    return Error(Code::invalid, "server.listen is empty; name an address such as 127.0.0.1:8480");
  }
  for (const std::string& address : s.server.listen) {
    if (address.empty()) return Error(Code::invalid, "server.listen has an empty address");
  }
  if (s.server.connections_max == 0 || s.server.pool_threads == 0 || s.audit_threads == 0) {
    return Error(Code::invalid,
                 "server.max_connections, server.threads and audit.workers must be at least 1");
  }
  for (const auto timeout :
       {s.server.timeouts.header, s.server.timeouts.body, s.server.timeouts.idle,
        s.server.timeouts.stall, s.policy_every, s.stamps.every, s.stamps.retry}) {
    if (timeout > std::chrono::milliseconds(0)) continue;
    return Error(Code::invalid,
                 "server.*_timeout, audit.policy_interval, journal.timestamp_every and "
                 "journal.timestamp_retry must be longer than nothing");
  }
  if (format != "json" && format != "text") {
    return Error(Code::invalid, "log.format must be json or text, not '" + format + "'");
  }
  s.log_format = format == "json" ? log::Format::json : log::Format::text;
  if (s.server.tls_certificate.empty() != s.server.tls_key.empty()) {
    return Error(Code::invalid, "server.tls_cert and server.tls_key go together");
  }
  if (!s.public_url.empty() && !is_public_url(s.public_url)) {
    return Error(Code::invalid,
                 "server.public_url must be as in https://archive.example, without a name, a "
                 "query or a slash at its end");
  }
  return s;
}

std::string print_settings(const Config& config) {
  std::string out;
  for (const auto& [key, value] : config.in_force()) {
    out += key + " = " + value.value + "  # " + value.source + "\n";
  }
  return out;
}

}  // namespace versement::service
