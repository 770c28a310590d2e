#include "store/ocfl/validate_root.hpp"

#include <algorithm>

#include "store/base/json.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/ocfl/root.hpp"

namespace versement::ocfl {
namespace {

constexpr std::string_view kBegin = "0=ocfl_";
constexpr std::string_view kLayoutFileName = "ocfl_layout.json";
constexpr std::string_view kExtensionsName = "extensions";

class RootFiles {
 public:
  RootFiles(Disk& disk, const Path& root, Findings& findings)
      : disk_(disk), root_(root), findings_(findings) {}

  RootFacts run(const std::vector<DirEntry>& entries) {
    declaration(entries);
    facts_.layout_unknown = "the root has no ocfl_layout.json";
    for (const DirEntry& entry : entries) {
      if (entry.kind == FileKind::regular) own_file(entry.name);
      if (entry.name == kLayoutFileName && entry.kind == FileKind::regular) layout();
      if (entry.name == kExtensionsName && entry.kind == FileKind::folder) extensions();
    }
    return std::move(facts_);
  }

 private:
  void say(std::string_view code, std::string path, std::string detail) {
    findings_.say(code, std::move(path), std::move(detail));
  }

  void own_file(const std::string& name) {
    const auto info = disk_.info(root_ / name);
    if (info && info->links > 1) say("E090", name, "a hard link: the file has another name");
  }

  void declaration(const std::vector<DirEntry>& entries) {
    std::vector<std::string> names;
    for (const DirEntry& entry : entries) {
      if (entry.kind != FileKind::regular) continue;
      const std::string& name = entry.name;
      if (name.starts_with(kBegin)) {
        names.push_back(name);
      } else if (name.starts_with("0=")) {
        say("E079", name, "no declaration of a root is named so");
      } else if (name.find("=ocfl_") != name.npos) {
        say("E078", name, "no declaration of a root is named so");
      } else if (name.starts_with("0ocfl_")) {
        say("E075", name, "no declaration of a root is named so");
      }
    }
    if (names.empty()) {
      say("E069", std::string(kRootDeclarationName),
          "there is no declaration 0=ocfl_1.1 or 0=ocfl_1.0");
    }
    if (names.size() > 1) say("E076", names.back(), std::to_string(names.size()) + " declarations");
    for (const std::string& name : names) {
      const std::string version = name.substr(kBegin.size());
      if (version == "1.0" || version == "1.1") {
        facts_.spec = version == "1.0" ? Spec::v1_0 : Spec::v1_1;
      } else {
        say("E077", name, "OCFL 1.0 and 1.1 are known here");
      }
      const auto text = read_file(disk_, root_ / name, limits::kSidecarBytesMax);
      if (!text) {
        findings_.say(text.error(), "E080", name);
      } else if (*text != name.substr(2) + "\n") {
        say("E080", name, "its text is '" + printable(*text) + "'");
      }
    }
  }

  void layout() {
    const std::string name(kLayoutFileName);
    facts_.layout_unknown = "ocfl_layout.json does not say it";
    const auto text = read_file(disk_, root_ / name, limits::kConfigBytesMax);
    if (!text) {
      findings_.say(text.error(), "E070", name);
      return;
    }
    const auto object = json::parse_object(*text);
    if (!object) {
      say("E070", name, object.error().what());
      return;
    }
    for (const char* key : {"extension", "description"}) {
      const bool is_text = object->contains(key) && object->at(key).is_string();
      if (!is_text) say("E070", name, std::string(key) + " is missing, or no text");
    }
    const std::string extension = json::text_at(*object, "extension");
    if (extension.empty()) return;
    if (!is_registered_extension(extension)) {
      say("E071", name, "'" + printable(extension) + "' is not registered");
      return;
    }
    configuration(extension);
  }

  void configuration(const std::string& extension) {
    const std::string name = std::string(kExtensionsName) + "/" + extension + "/config.json";
    json::Object config;
    auto text = read_file(disk_, root_ / name, limits::kConfigBytesMax);
    if (text) {
      auto object = json::parse_object(*text);
      if (!object) {
        say("E083", name, "no object can be found by it: " + object.error().what());
        return;
      }
      config = *std::move(object);
    } else if (text.error().code() != Code::not_found) {
      findings_.say(text.error(), "E083", name);
      return;
    }
    auto layout = Layout::make(extension, config);
    if (layout) {
      facts_.layout = *std::move(layout);
    } else if (layout.error().code() == Code::unsupported) {
      facts_.layout_unknown = layout.error().what();
    } else {
      say("E083", name, "no object can be found by it: " + layout.error().what());
      facts_.layout_unknown = layout.error().what();
    }
  }

  void extensions() {
    const std::string folder(kExtensionsName);
    const auto entries = list_sorted(disk_, root_ / folder);
    if (!entries) {
      findings_.say(entries.error(), "E112", folder);
      return;
    }
    if (entries->empty()) say("E073", folder, "an empty folder");
    for (const DirEntry& entry : *entries) {
      const std::string path = folder + "/" + entry.name;
      if (entry.kind == FileKind::folder) {
        if (!is_registered_extension(entry.name)) say("W016", path, "it is not registered");
        const auto inside = list_sorted(disk_, root_ / path);
        if (inside && inside->empty()) say("E073", path, "an empty folder");
      } else if (entry.kind == FileKind::regular) {
        say("E112", path, "a file");
      } else {
        say("E090", path, "a link or special file");
      }
    }
  }

  Disk& disk_;
  const Path& root_;
  Findings& findings_;
  RootFacts facts_;
};

}  // namespace

RootFacts check_root_files(Disk& disk,
                           const Path& root,
                           const std::vector<DirEntry>& entries,
                           Findings& findings) {
  return RootFiles(disk, root, findings).run(entries);
}

}  // namespace versement::ocfl
