// versement collection metadata, transfer metadata.
#include <iostream>

#include "cli/command.hpp"

namespace versement::cli {
namespace {

struct Flags {
  std::string name;
  std::string to;
  bool rights = false;
};

Result<void> fetch_to_output(Client& client, const std::string& path) {
  auto fetched = client.download(
      path, 0, "", [](const Download&) -> Result<void> { return {}; },
      [&](std::span<const std::byte> bytes) -> Result<void> {
        std::cout.write(reinterpret_cast<const char*>(bytes.data()),
                        static_cast<std::streamsize>(bytes.size()));
        if (std::cout) return {};
        return Error(Code::io, "the output takes nothing more");
      });
  if (!fetched) return std::move(fetched).error();
  std::cout << std::flush;
  return {};
}

int fetch(Session& session, const std::string& base, const Flags& flags) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  const std::string path =
      base + segment(flags.name) + (flags.rights ? "/rights.csv" : "/metadata.csv");
  auto done =
      flags.to.empty() ? fetch_to_output(**client, path) : (*client)->fetch_file(path, flags.to);
  if (!done) return session.fail(done.error());
  if (!flags.to.empty()) session.console().note("written to " + flags.to);
  return kOk;
}

}  // namespace

void add_metadata_command(Tree& tree,
                          CLI::App* group,
                          const std::string& what,
                          const std::string& help,
                          const std::string& base) {
  CLI::App* const command = tree.add(group, "metadata", help);
  auto flags = std::make_shared<Flags>();
  command->add_option(what, flags->name, "Whose descriptions")->required();
  command->add_flag("--rights", flags->rights, "rights.csv in place of metadata.csv");
  command->add_option("-o,--output", flags->to, "File to write; it must not be there yet");
  tree.action(command, [flags, base](Session& s) { return fetch(s, base, *flags); });
}

}  // namespace versement::cli
