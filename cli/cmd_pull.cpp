// versement pull.
#include "cli/command.hpp"
#include "cli/pull.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

struct Flags {
  std::string transfer;
  std::string to = ".";
  bool no_acknowledge = false;
  unsigned retries = 10;
};

int run(Session& session, const Flags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  Console& console = session.console();
  PullOptions options;
  options.to = flags.to;
  options.retries = flags.retries;
  options.progress = [&](const json::Object& progress) { console.progress("Pulling", progress); };
  options.note = [&](const std::string& text) { console.note("versement: " + text); };
  auto pulled = pull(**client, flags.transfer, options);
  console.end_progress();
  if (!pulled) return session.fail(pulled.error());
  json::Object document{{"bag", pulled->bag.native()},
                        {"seal_digest", pulled->seal_digest},
                        {"files", pulled->files},
                        {"bytes", pulled->bytes},
                        {"verdict", "valid"}};
  std::string state = "not acknowledged";
  if (!flags.no_acknowledge) {
    auto reply = (*client)->post("/v1/transfers/" + segment(flags.transfer) + "/acknowledge",
                                 {{"seal_digest", pulled->seal_digest},
                                  {"files_ok", pulled->files},
                                  {"validator", "versement"}});
    if (!reply) return session.fail(reply.error());
    state = json::text_at(reply->body, "state");
    document["state"] = state;
  }
  const int status =
      show_record(session, document,
                  {{"bag", pulled->bag.native()},
                   {"verdict", "valid: every file was checked as it arrived, and read again"},
                   {"files", std::to_string(pulled->files)},
                   {"size", human_bytes(pulled->bytes)},
                   {"seal digest", pulled->seal_digest},
                   {"transfer", state}});
  const std::string next = flags.no_acknowledge ? "acknowledge " : "accept ";
  console.note("Next: versement transfer " + next + flags.transfer + " --bag " +
               pulled->bag.native());
  return status;
}

}  // namespace

void add_pull_command(Tree& tree) {
  CLI::App* const command = tree.add(
      &tree.root(), "pull", "Receiver: fetch the bag of a transfer, check it, acknowledge it");
  auto flags = std::make_shared<Flags>();
  command->add_option("TRANSFER", flags->transfer, "Reference or id")->required();
  command->add_option("--to", flags->to, "Folder in which the bag is put (.)");
  command->add_flag("--no-acknowledge", flags->no_acknowledge, "Tell the sender nothing");
  command->add_option("--retries", flags->retries,
                      "Connections tried in a row without any progress (10)");
  command->footer(
      "A pull that was cut goes on where it broke when it is called again.\n"
      "Exit status: 0 the bag is there and valid, 1 what arrived is not what was sealed, 4 "
      "network,\n"
      "5 refused.");
  tree.action(command, [flags](Session& s) { return run(s, *flags); });
}

}  // namespace versement::cli
