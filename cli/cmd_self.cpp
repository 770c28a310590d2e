// versement completion, man, version: made from the tree of subcommands itself.
#include "cli/command.hpp"
#include "store/base/text.hpp"
#include "store/base/version.hpp"

namespace versement::cli {
namespace {

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* each) { return !each->get_name().empty(); });
}

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const CLI::App* each : subcommands(app))
    words += each->get_name() + " ";
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames())
      words += "--" + name + " ";
  }
  return words;
}

// Calls `each` with the words that lead to every subcommand.
void walk(const CLI::App& app,
          const std::string& path,
          const std::function<void(const std::string&, const CLI::App&)>& each) {
  each(path, app);
  for (const CLI::App* below : subcommands(app)) {
    walk(*below, path.empty() ? below->get_name() : path + " " + below->get_name(), each);
  }
}

std::string bash_completion(const CLI::App& root) {
  std::string cases;
  walk(root, "", [&](const std::string& path, const CLI::App& app) {
    cases += "    \"" + path + "\") words=\"" + words_of(app) + "\" ;;\n";
  });
  return "# bash completion of versement; put it into "
         "/usr/share/bash-completion/completions/versement\n"
         "_versement() {\n"
         "  local path=\"\" word words=\"\" i\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    word=\"${COMP_WORDS[i]}\"\n"
         "    [[ $word == -* ]] && continue\n"
         "    case \"$path ${word}\" in\n" +
         [&] {
           std::string known;
           walk(root, "", [&](const std::string& path, const CLI::App&) {
             if (path.empty()) return;
             const std::size_t blank = path.rfind(' ');
             const std::string parent = blank == std::string::npos ? "" : path.substr(0, blank);
             const std::string name = blank == std::string::npos ? path : path.substr(blank + 1);
             known += "      \"" + parent + " " + name + "\") path=\"" + path + "\" ;;\n";
           });
           return known;
         }() +
         "    esac\n"
         "  done\n"
         "  case \"$path\" in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "  [[ ${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "
         "\"${COMP_WORDS[COMP_CWORD]}\"))\n"
         "}\n"
         "complete -F _versement versement\n";
}

std::string zsh_completion(const CLI::App& root) {
  return "#compdef versement\nautoload -U +X bashcompinit && bashcompinit\n" +
         bash_completion(root);
}

std::string fish_completion(const CLI::App& root) {
  std::string out = "# fish completion of versement\ncomplete -c versement -f\n";
  walk(root, "", [&](const std::string& path, const CLI::App& app) {
    std::string condition = path.empty() ? "__fish_use_subcommand" : "__fish_seen_subcommand_from";
    if (!path.empty())
      condition +=
          " " + path.substr(path.rfind(' ') == std::string::npos ? 0 : path.rfind(' ') + 1);
    for (const CLI::App* each : subcommands(app)) {
      out += "complete -c versement -n '" + condition + "' -a " + each->get_name() + " -d '" +
             each->get_description() + "'\n";
    }
  });
  return out;
}

// Roff takes a dot or apostrophe at the beginning of a line for a request.
std::string roff(std::string_view text) {
  std::string out;
  for (const std::string_view line : split(text, '\n')) {
    if (!out.empty()) out += "\n.br\n";
    if (line.starts_with('.') || line.starts_with('\'')) out += "\\&";
    for (const char c : line) {
      if (c == '\\')
        out += "\\e";
      else if (c == '-')
        out += "\\-";
      else
        out += c;
    }
  }
  return out;
}

std::string man_page(const CLI::App& root) {
  std::string out =
      ".TH VERSEMENT 1 \"\" \"Versement " + std::string(kVersion) +
      "\" \"Versement\"\n.SH NAME\nversement \\- " + roff(root.get_description()) +
      "\n.SH SYNOPSIS\n.B versement\n[\\fIFLAGS\\fR] \\fICOMMAND\\fR ...\n.SH COMMANDS\n";
  walk(root, "", [&](const std::string& path, const CLI::App& app) {
    if (path.empty()) return;
    std::string synopsis = path;
    for (const CLI::Option* option :
         app.get_options([](const CLI::Option* o) { return o->get_positional(); })) {
      synopsis += " " + option->get_name();
    }
    out += ".TP\n.B " + roff("versement " + synopsis) + "\n" + roff(app.get_description()) + "\n";
    for (const CLI::Option* option : app.get_options([](const CLI::Option* o) {
           return o->nonpositional() && o->get_name() != "--help";
         })) {
      out += ".RS\n.TP\n.B " + roff(option->get_name()) + "\n" + roff(option->get_description()) +
             "\n.RE\n";
    }
    if (!app.get_footer().empty()) out += ".RS\n" + roff(app.get_footer()) + "\n.RE\n";
  });
  out += ".SH FLAGS\n";
  for (const CLI::Option* option : root.get_options()) {
    out += ".TP\n.B " + roff(option->get_name()) + "\n" + roff(option->get_description()) + "\n";
  }
  out +=
      ".SH EXIT STATUS\n"
      ".TP\n0\nAll well, and everything was checked.\n"
      ".TP\n1\nDamage was found, or something is invalid.\n"
      ".TP\n2\nNot everything could be checked.\n"
      ".TP\n3\nUsage or configuration.\n"
      ".TP\n4\nServer or network; trying again may help.\n"
      ".TP\n5\nRefused; trying again does not help.\n"
      ".TP\n130\nInterrupted.\n"
      ".PP\nAny other status is a failure.\n"
      ".SH ENVIRONMENT\n"
      ".TP\nVERSEMENT_SERVER\nAddress of the server, as \\-\\-server.\n"
      ".TP\nVERSEMENT_TOKEN_FILE\nFile with the token, as \\-\\-token\\-file.\n"
      ".TP\nVERSEMENT_CA\nCertificate authority, as \\-\\-ca.\n"
      ".SH SEE ALSO\nversementd(8)\n";
  return out;
}

}  // namespace

void add_self_commands(Tree& tree) {
  {
    CLI::App* const command = tree.add(&tree.root(), "completion", "Completion for a shell");
    auto shell = std::make_shared<std::string>();
    command->add_option("SHELL", *shell, "bash, zsh or fish")->required();
    tree.action(command, [&tree, shell](Session& s) {
      if (*shell == "bash") {
        s.console().line(bash_completion(tree.root()));
      } else if (*shell == "zsh") {
        s.console().line(zsh_completion(tree.root()));
      } else if (*shell == "fish") {
        s.console().line(fish_completion(tree.root()));
      } else {
        s.console().failure(Error(Code::invalid, "no completion for '" + printable(*shell) +
                                                     "'; bash, zsh and fish are known"),
                            kUsage, {});
        return kUsage;
      }
      return kOk;
    });
  }
  {
    CLI::App* const command = tree.add(&tree.root(), "man", "The manual page, for man -l -");
    tree.action(command, [&tree](Session& s) {
      s.console().line(man_page(tree.root()));
      return kOk;
    });
  }
  {
    CLI::App* const command = tree.add(&tree.root(), "version", "The version");
    tree.action(command, [](Session& s) {
      return show_record(s, {{"version", kVersion}}, {{"versement", kVersion}});
    });
  }
}

}  // namespace versement::cli
