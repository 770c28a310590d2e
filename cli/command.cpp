#include "cli/command.hpp"

#include <cstdlib>
#include <iostream>
#include <thread>

#include <unistd.h>

#include "store/base/config.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value != nullptr ? value : "";
}

// The first that is set.
std::string first_of(std::initializer_list<std::string> values) {
  for (const std::string& value : values) {
    if (!value.empty()) return value;
  }
  return {};
}

Path default_config() {
  const std::string home = environment("XDG_CONFIG_HOME");
  if (!home.empty()) return Path(home) / "versement" / "config.toml";
  return Path(environment("HOME")) / ".config" / "versement" / "config.toml";
}

}  // namespace

Result<std::string> read_token(const std::string& file) {
  TRY_SET(const FileInfo info, real_disk().info(file));
  if ((info.mode & 0077u) != 0) {
    return Error(Code::denied, "the token file " + file +
                                   " can be read by others; a token is a secret: chmod 600 " +
                                   file);
  }
  TRY_SET(const std::string text, read_file(real_disk(), file, limits::kConfigBytesMax));
  const std::string token(trim(text, " \t\r\n"));
  if (token.empty() || token.find_first_of(" \r\n\t") != std::string::npos) {
    return Error(Code::invalid, "the token file " + file + " holds no token");
  }
  return token;
}

Result<Client*> Session::client() {
  if (client_) return client_.get();
  Path config_path = globals_.config_file.empty() ? default_config() : Path(globals_.config_file);
  // Settings at the usual place are a convenience: absent, or out of reach of another user's
  // process, there are none. A file that was named must be there.
  if (globals_.config_file.empty() && !real_disk().info(config_path)) config_path.clear();
  TRY_SET(Config config, Config::load(real_disk(), config_path, "VERSEMENT_CONFIG"));
  const std::string server = config.text("default.server", "");
  const std::string token_file = config.text("default.token_file", "");
  const std::string ca = config.text("default.ca", "");
  TRY(config.finish());

  ServerAddress address;
  const std::string url = first_of({globals_.server, environment("VERSEMENT_SERVER"), server});
  if (!url.empty()) address.url = url;
  address.ca_file = first_of({globals_.ca_file, environment("VERSEMENT_CA"), ca});
  address.timeout = std::chrono::seconds(globals_.timeout_seconds);
  const std::string file =
      first_of({globals_.token_file, environment("VERSEMENT_TOKEN_FILE"), token_file});
  if (!file.empty()) {
    TRY_SET(address.token, read_token(file));
  } else if (const std::string token = environment("VERSEMENT_TOKEN"); !token.empty()) {
    console_.note("versement: VERSEMENT_TOKEN can be seen by other processes; use a token file");
    address.token = token;
  }
  TRY_SET(client_, Client::make(std::move(address)));
  return client_.get();
}

int Session::fail(const Error& error) {
  console_.end_progress();
  int status = exit_status(error);
  json::Object problem = client_ ? client_->problem() : json::Object();
  // Without an answer of a server it is the settings that are wrong.
  if (!client_) status = kUsage;
  Error shown = error;
  if (error.reason() == "token-missing") {
    shown = Error(error.code(),
                  error.what() + " Name a token file with --token-file or VERSEMENT_TOKEN_FILE.");
  }
  console_.failure(shown, status, problem);
  return status;
}

Result<bool> Session::confirm(const std::string& question) {
  if (globals_.yes) return true;
  if (globals_.no_input || ::isatty(STDIN_FILENO) != 1) {
    return Error(Code::invalid, "this needs a confirmation: add --yes");
  }
  std::cerr << question << " [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "yes" || answer == "o" || answer == "oui";
}

Result<json::Object> Session::follow(const std::string& path, std::string_view what) {
  TRY_SET(Client* const client, this->client());
  const auto started = std::chrono::steady_clock::now();
  auto pause = std::chrono::milliseconds(20);
  while (true) {
    TRY_SET(Reply reply, client->get(path));
    const std::string state = json::text_at(reply.body, "state");
    const bool live = state == "queued" || state == "running" || state == "cancelling";
    if (!live) {
      console_.end_progress();
      return std::move(reply.body);
    }
    json::Object progress = json::object_at(reply.body, "progress");
    const auto seconds =
        std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - started)
            .count();
    if (seconds > 0) {
      progress["bytes_per_second"] =
          json::number_at(progress, "done_bytes") / static_cast<std::uint64_t>(seconds);
    }
    console_.progress(what, progress);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::milliseconds(500));
  }
}

CLI::App* Tree::add(CLI::App* parent, const std::string& name, const std::string& help) {
  CLI::App* const command = parent->add_subcommand(name, help);
  command->fallthrough();
  return command;
}

void Tree::action(CLI::App* command, Action action) {
  // A command that has subcommands as well acts only when none of them was named.
  command->final_callback([this, command, action = std::move(action)] {
    if (command->get_subcommands().empty()) chosen_ = action;
  });
}

int show_record(Session& session,
                const json::Object& record,
                const std::vector<std::pair<std::string, std::string>>& facts) {
  if (session.console().json()) {
    session.console().document(record);
  } else {
    session.console().facts(facts);
  }
  return kOk;
}

int show_list(Session& session,
              const std::string& path,
              const std::vector<std::string>& header,
              const std::function<std::vector<std::string>(const json::Object&)>& row) {
  auto client = session.client();
  if (!client) return session.fail(client.error());
  json::Array items;
  std::vector<std::vector<std::string>> rows;
  auto listed = (*client)->list(path, [&](const json::Object& entry) {
    if (session.console().json()) {
      items.emplace_back(entry);
    } else {
      rows.push_back(row(entry));
    }
    return true;
  });
  if (!listed) return session.fail(listed.error());
  if (session.console().json()) {
    session.console().document(json::Object{{"items", std::move(items)}});
  } else {
    session.console().table(header, rows);
  }
  return kOk;
}

std::string segment(const std::string& text) {
  return percent_encode(text);
}

}  // namespace versement::cli
