// versement collection metadata, transfer metadata.
#include <iostream>

#include <fcntl.h>

#include "cli/command.hpp"
#include "store/base/disk.hpp"

namespace versement::cli {
namespace {

struct Flags {
  std::string name;
  std::string to;
  bool rights = false;
};

// Writes the table while it arrives. Errors: exists, when the file is there; io; what the server
// said.
Result<void> fetch_to_file(Client& client, const std::string& path, const std::string& to) {
  Disk& disk = real_disk();
  const Path target(to);
  std::uint64_t got = 0;
  std::uint64_t wanted = 0;
  Fd fd;
  auto fetched = client.download(
      path, 0, "",
      [&](const Download& download) -> Result<void> {
        wanted = download.total_bytes;
        TRY_SET(fd, disk.open(target, O_WRONLY | O_CREAT | O_EXCL, 0644));
        return {};
      },
      [&](std::span<const std::byte> bytes) -> Result<void> {
        got += bytes.size();
        return write_all(disk, fd, bytes, target);
      });
  if (!fetched && fd) (void)disk.remove_file(target);  // Half a table must not look like one.
  if (!fetched) return std::move(fetched).error();
  if (got == wanted) return disk.close(std::move(fd), target);
  (void)disk.remove_file(target);
  return Error(Code::network, "the table ended early; fetch it again");
}

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
      flags.to.empty() ? fetch_to_output(**client, path) : fetch_to_file(**client, path, flags.to);
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
