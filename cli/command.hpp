// A subcommand: its place in the tree and what it does.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "cli/client.hpp"
#include "cli/console.hpp"
#include "cli/exit.hpp"

namespace versement::cli {

// Flags that hold for all subcommands.
struct Globals {
  std::string server;
  std::string token_file;
  std::string ca_file;
  std::string config_file;
  std::string progress = "auto";
  bool json = false, plain = false, quiet = false, yes = false, no_input = false;
  unsigned timeout_seconds = 60;
};

// The token in a file. Errors: denied when others can read the file; invalid.
Result<std::string> read_token(const std::string& file);

// What a subcommand works with.
class Session {
 public:
  Session(Globals globals, Console& console) : globals_(std::move(globals)), console_(console) {}

  Console& console() { return console_; }
  const Globals& globals() const { return globals_; }
  // The client, made at its first use. Errors: invalid or denied for the configuration.
  Result<Client*> client();
  // Prints an error and returns its exit status.
  int fail(const Error& error);
  // Asks before something that cannot be undone. True to go on; with --yes without asking.
  // Errors: invalid when nobody can be asked.
  Result<bool> confirm(const std::string& question);

  // Follows a job until it ends; returns its last state as the API shows it.
  Result<json::Object> follow(const std::string& path, std::string_view what);

 private:
  Globals globals_;
  Console& console_;
  std::unique_ptr<Client> client_;
};

using Action = std::function<int(Session&)>;

// Gathers the tree; the one action whose subcommand was named is run afterwards.
class Tree {
 public:
  explicit Tree(CLI::App& root) : root_(root) {}
  CLI::App& root() { return root_; }
  // A group ("item") or a subcommand below one.
  CLI::App* add(CLI::App* parent, const std::string& name, const std::string& help);
  // What the subcommand does.
  void action(CLI::App* command, Action action);
  const Action& chosen() const { return chosen_; }

 private:
  CLI::App& root_;
  Action chosen_;
};

// Each file of subcommands.
void add_item_commands(Tree& tree);
void add_ingest_commands(Tree& tree);
void add_audit_commands(Tree& tree);
void add_transfer_commands(Tree& tree);
void add_pull_command(Tree& tree);
void add_system_commands(Tree& tree);
void add_local_commands(Tree& tree);
void add_journal_commands(Tree& tree);
void add_seda_commands(Tree& tree);
void add_adopt_command(Tree& tree, CLI::App* group);  // "adopt" below "store"
void add_self_commands(Tree& tree);
void add_bag_commands(Tree& tree, CLI::App* group);  // below "bag", but for "validate"

// Prints a record as facts or as JSON.
int show_record(Session& session,
                const json::Object& record,
                const std::vector<std::pair<std::string, std::string>>& facts);
// GET of a list as a table or as {"items": […]}.
int show_list(Session& session,
              const std::string& path,
              const std::vector<std::string>& header,
              const std::function<std::vector<std::string>(const json::Object&)>& row);

// "proof" below a group: fetches the proof that `path` makes an address of.
void add_proof_command(Tree& tree,
                       CLI::App* group,
                       const std::string& what,
                       const std::string& help,
                       const std::function<std::string(const std::string&)>& path);

// "metadata" below a group: fetches metadata.csv or rights.csv of what is named.
void add_metadata_command(Tree& tree,
                          CLI::App* group,
                          const std::string& what,
                          const std::string& help,
                          const std::string& base);

// A path segment of an address.
std::string segment(const std::string& text);

}  // namespace versement::cli
