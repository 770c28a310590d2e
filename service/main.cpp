// versementd: flags, then the daemon.
#include <csignal>
#include <iostream>

#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <malloc.h>

#include "service/daemon.hpp"
#include "service/net/probe.hpp"
#include "store/base/version.hpp"

namespace versement::service {
namespace {

constexpr int kOk = 0;
constexpr int kUsage = 3;
constexpr int kFailed = 4;

struct Flags {
  std::string config;
  std::vector<std::string> listen;
  std::vector<std::string> inboxes;
  std::optional<std::string> data, tls_cert, tls_key, origin, log_level, log_format;
  bool init = false, init_if_empty = false, rebuild_index = false, replace_key = false;
  bool check_config = false, print_config = false, health = false, ready = false;
};

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config,
                 "Settings file (TOML); versementd(8) lists the settings");
  app.add_option("--data", flags.data, "Data folder [data.path]");
  app.add_option("--listen", flags.listen,
                 "Address to listen on, such as 127.0.0.1:8480; may be repeated [server.listen]");
  app.add_option("--inbox", flags.inboxes,
                 "Folder below which deposits may lie; may be repeated [ingest.inbox]");
  app.add_option("--tls-cert", flags.tls_cert, "Certificate chain, PEM [server.tls_cert]");
  app.add_option("--tls-key", flags.tls_key, "Its private key, PEM [server.tls_key]");
  app.add_option("--origin", flags.origin,
                 "With --init: the journal's name, such as archive.example/fonds [journal.origin]");
  app.add_option("--log-level", flags.log_level, "debug, info, warning or error [log.level]");
  app.add_option("--log-format", flags.log_format, "json or text [log.format]");
  app.add_flag("--init", flags.init,
               "Make a new data folder and the first administrator's token, and end");
  app.add_flag("--init-if-empty", flags.init_if_empty,
               "The same where the data folder is empty, then serve; for containers");
  app.add_flag("--rebuild-index", flags.rebuild_index,
               "Make the index anew from the journal; the old one serves reads meanwhile");
  app.add_flag("--replace-journal-key", flags.replace_key,
               "Hand the journal over to a new signing key, and end; stop the daemon first");
  app.add_flag("--check-config", flags.check_config, "Check the settings and end: 0 good, 3 not");
  app.add_flag("--print-config", flags.print_config,
               "Print the settings in force and where each comes from, and end");
  app.add_flag("--health", flags.health, "Ask the running daemon whether it is alive: 0 yes, 4 no");
  app.add_flag("--ready", flags.ready, "With --health: whether it takes deposits, too");
  app.set_version_flag("--version", std::string("versementd ") + kVersion);
  app.footer(
      "Examples:\n"
      "  versementd --init --data /srv/versement --origin archive.example/phnom-penh\n"
      "  versementd --data /srv/versement --inbox /srv/scans --listen 127.0.0.1:8480\n"
      "Exit status: 0 stopped as asked, 3 usage or settings, 4 the service could not run.");
}

Result<Settings> settings_of(const Flags& flags, Config& config) {
  const auto take = [&](const std::optional<std::string>& value, const std::string& key,
                        const std::string& flag) {
    if (value) config.set(key, {*value}, flag);
  };
  take(flags.data, "data.path", "--data");
  take(flags.tls_cert, "server.tls_cert", "--tls-cert");
  take(flags.tls_key, "server.tls_key", "--tls-key");
  take(flags.origin, "journal.origin", "--origin");
  take(flags.log_level, "log.level", "--log-level");
  take(flags.log_format, "log.format", "--log-format");
  if (!flags.listen.empty()) config.set("server.listen", flags.listen, "--listen");
  if (!flags.inboxes.empty()) config.set("ingest.inbox", flags.inboxes, "--inbox");
  return read_settings(config);
}

int failed(const Error& error, int code) {
  std::cerr << "versementd: " << error.what() << "\n";
  return code;
}

int health(const Settings& settings, bool ready) {
  const auto status = net::probe(settings.server.listen.front(), ready ? "/readyz" : "/healthz",
                                 !settings.server.tls_certificate.empty());
  if (!status) return failed(status.error(), kFailed);
  if (*status == 200) return kOk;
  std::cerr << "versementd: the daemon answers " << *status << "\n";
  return kFailed;
}

int make_data_folder(const Settings& settings) {
  const auto token = init(real_disk(), real_clock(), settings);
  if (!token) return failed(token.error(), kFailed);
  std::cout << "Data folder " << settings.data.native() << " is ready.\n"
            << "The first administrator's token is in " << token->native()
            << " (only its owner can read it).\n"
            << "Next: versementd --data " << settings.data.native() << "\n";
  return kOk;
}

int replace_key(Settings settings) {
  settings.store.replace_key = true;
  const auto keys = replace_journal_key(real_disk(), real_clock(), settings);
  if (!keys) return failed(keys.error(), kFailed);
  std::cout << "The journal of " << settings.data.native() << " has a new key.\n"
            << "Old: " << keys->before << "\nNew: " << keys->after << "\n"
            << "Both have signed the entry that says so: whoever knows the old key can verify the "
               "journal, and finds the new one there.\n"
            << "Next: send the new key to those who check proofs with the old one.\n";
  return kOk;
}

Result<bool> is_empty_or_absent(const Path& folder) {
  auto entries = list_sorted(real_disk(), folder);
  if (entries) {
    // The root of a fresh file system; what a creation leaves that ended before it had begun.
    return std::all_of(entries->begin(), entries->end(), [](const DirEntry& entry) {
      return entry.name == "lost+found" || entry.name == "LOCK";
    });
  }
  if (entries.error().code() == Code::not_found) return true;
  return entries.error();
}

int run(const Flags& flags) {
  auto config = Config::load(real_disk(), flags.config, "VERSEMENTD");
  if (!config) return failed(config.error(), kUsage);
  auto settings = settings_of(flags, *config);
  if (!settings) return failed(settings.error(), kUsage);
  if (flags.print_config) std::cout << print_settings(*config);
  if (flags.print_config || flags.check_config) return kOk;
  if (flags.health) return health(*settings, flags.ready);
  log::configure(settings->log_level, settings->log_format);
  if (flags.init) return make_data_folder(*settings);
  if (flags.replace_key) return replace_key(*settings);
  if (flags.init_if_empty) {
    const auto empty = is_empty_or_absent(settings->data);
    if (!empty) return failed(empty.error(), kFailed);
    const auto half = lacks_first_token(real_disk(), *settings);
    if (!half) return failed(half.error(), kFailed);
    if ((*empty || *half) && make_data_folder(*settings) != kOk) return kFailed;
  }
  settings->store.rebuild_index = flags.rebuild_index;
  const auto served = serve(real_disk(), real_clock(), *settings);
  return served ? kOk : failed(served.error(), kFailed);
}

int daemon_main(int argc, char** argv) {
  // What is free in one arena is of no use to the threads of another: with one for each of many
  // workers a large ingest takes more memory, and is no faster.
  (void)::mallopt(M_ARENA_MAX, 4);
  // The data folder is 0750 and secrets/ 0700; what is below has the modes that its writer names.
  ::umask(0022);
  sigset_t set = {};
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR2})
    sigaddset(&set, number);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  CLI::App app("versementd: archival preservation and transfer daemon", "versementd");
  Flags flags;
  add_flags(app, flags);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help and --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    std::cerr << "versementd: " << error.what() << "\nTry: versementd --help\n";
    return kUsage;
  }
  try {
    return run(flags);
  } catch (const std::exception& error) {
    std::cerr << "versementd: " << error.what() << "\n";
    return kFailed;
  }
}

}  // namespace
}  // namespace versement::service

int main(int argc, char** argv) {
  return versement::service::daemon_main(argc, argv);
}
