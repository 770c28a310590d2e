// versement: the command.
#include <csignal>
#include <iostream>
#include <set>

#include "cli/command.hpp"
#include "store/base/config.hpp"
#include "store/base/log.hpp"
#include "store/base/version.hpp"

namespace versement::cli {
namespace {

void add_globals(CLI::App& app, Globals& globals) {
  app.add_option("--server", globals.server,
                 "Address of the server (http://127.0.0.1:8480) [VERSEMENT_SERVER]");
  app.add_option("--token-file", globals.token_file,
                 "File that holds the token, readable by its owner only [VERSEMENT_TOKEN_FILE]");
  app.add_option("--ca", globals.ca_file,
                 "Certificate authority of the server, PEM [VERSEMENT_CA]");
  app.add_option("--config", globals.config_file,
                 "Settings ($XDG_CONFIG_HOME/versement/config.toml)");
  app.add_option("--progress", globals.progress, "auto, always, never or json");
  app.add_option("--timeout", globals.timeout_seconds, "Seconds to wait for the server (60)");
  app.add_flag("--json", globals.json, "One JSON document on standard output, always");
  app.add_flag("--plain", globals.plain, "Tables with tabs and without a header");
  app.add_flag("-q,--quiet", globals.quiet, "Nothing but the answer");
  app.add_flag("-y,--yes", globals.yes, "Confirm what would be asked");
  app.add_flag("--no-input", globals.no_input, "Never ask");
  app.set_version_flag("--version", std::string("versement ") + kVersion);
}

OutputOptions output_of(const Globals& globals) {
  OutputOptions options;
  options.json = globals.json;
  options.plain = globals.plain;
  options.quiet = globals.quiet;
  if (globals.progress == "always") options.progress = ProgressMode::always;
  if (globals.progress == "never") options.progress = ProgressMode::never;
  if (globals.progress == "json") options.progress = ProgressMode::json;
  return options;
}

// Where a command line leaves the tree: which word is no subcommand, what may have been meant, and
// whose help says more.
std::string suggestion(const CLI::App& root, int argc, char** argv) {
  const CLI::App* app = &root;
  std::string reached = "versement";
  std::string unknown;
  for (int i = 1; i < argc && unknown.empty(); ++i) {
    const std::string word = argv[i];
    if (word.starts_with("-")) continue;
    std::set<std::string> known;
    const CLI::App* next = nullptr;
    for (const CLI::App* each : app->get_subcommands([](const CLI::App*) { return true; })) {
      known.insert(each->get_name());
      if (each->get_name() == word) next = each;
    }
    if (next != nullptr) {
      app = next;
      reached += " " + word;
    } else if (known.empty()) {
      break;  // An argument of a command.
    } else {
      unknown = "'" + word + "' is no subcommand of '" + reached + "'. ";
      if (const auto near = did_you_mean(word, known)) unknown += "Did you mean '" + *near + "'? ";
    }
  }
  return unknown + "Try: " + reached + " --help";
}

int usage_error(const Globals& globals, const std::string& what) {
  const Console console(output_of(globals));
  console.failure(Error(Code::invalid, what).as("usage"), kUsage, {});
  return kUsage;
}

int run(int argc, char** argv) {
  CLI::App app("Archival preservation and transfer: the command", "versement");
  app.fallthrough();  // Before the subcommands are added: global flags may stand behind them.
  app.require_subcommand(1);
  Globals globals;
  add_globals(app, globals);
  app.footer(
      "Exit status: 0 all well, 1 damage or invalid, 2 not everything could be checked, 3 usage,\n"
      "4 server or network, 5 refused.\n"
      "Example: versement --server https://archive.example --token-file ~/.versement-token status");
  Tree tree(app);
  add_system_commands(tree);
  add_item_commands(tree);
  add_ingest_commands(tree);
  add_audit_commands(tree);
  add_transfer_commands(tree);
  add_pull_command(tree);
  add_local_commands(tree);
  add_journal_commands(tree);
  add_seda_commands(tree);
  add_self_commands(tree);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help and --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    // The flag may not have been reached.
    for (int i = 1; i < argc; ++i)
      globals.json = globals.json || std::string_view(argv[i]) == "--json";
    return usage_error(globals, std::string(error.what()) + ". " + suggestion(app, argc, argv));
  }
  const std::set<std::string> modes{"auto", "always", "never", "json"};
  if (!modes.contains(globals.progress)) {
    return usage_error(globals, "--progress is auto, always, never or json");
  }
  Console console(output_of(globals));
  Session session(globals, console);
  return tree.chosen()(session);
}

}  // namespace
}  // namespace versement::cli

int main(int argc, char** argv) {
  (void)::signal(SIGPIPE, SIG_IGN);
  versement::log::configure(versement::log::Level::warning, versement::log::Format::text);
  try {
    const int status = versement::cli::run(argc, argv);
    std::cout.flush();
    if (std::cout || status != versement::cli::kOk) return status;
    // An answer that nobody can read is none: a full disk behind a redirection, say.
    std::cerr << "versement: the answer could not be written to standard output\n";
    return versement::cli::kUnchecked;
  } catch (const std::exception& error) {
    std::cerr << "versement: " << error.what() << "\n";
    return versement::cli::kServer;
  }
}
