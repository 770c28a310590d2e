#include "bagit/names.hpp"

#include <algorithm>
#include <array>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

bool is_letter(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

// What Windows keeps for devices, with or without an extension.
bool is_device(std::string_view name) {
  const std::string stem = lower_ascii(name.substr(0, name.find('.')));
  static constexpr auto kDevices =
      std::to_array<std::string_view>({"con", "prn", "aux", "nul", "conin$", "conout$"});
  if (std::find(kDevices.begin(), kDevices.end(), stem) != kDevices.end()) return true;
  return stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")) &&
         stem[3] >= '1' && stem[3] <= '9';
}

std::string windows_trouble(std::string_view name) {
  if (name.find_first_of("<>:\"\\|?*") != std::string_view::npos) {
    return "has one of the characters < > : \" \\ | ? *";
  }
  if (name.ends_with('.') || name.ends_with(' ')) return "ends with a dot or a blank";
  if (is_device(name)) return "is the name of a device";
  if (name.size() > limits::kNameBytesMax) return "has more than 255 bytes";
  return {};
}

bool is_junk_name(std::string_view name) {
  static constexpr auto kJunk = std::to_array<std::string_view>(
      {"$RECYCLE.BIN", ".AppleDouble", ".DS_Store", ".Spotlight-V100", ".TemporaryItems",
       ".Trashes", ".fseventsd", "System Volume Information", "Thumbs.db", "__MACOSX",
       "desktop.ini", "ehthumbs.db"});
  return name.starts_with("._") || std::find(kJunk.begin(), kJunk.end(), name) != kJunk.end();
}

}  // namespace

std::string_view unsafe_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) return "path.nul";
  if (path.starts_with('/')) return "path.absolute";
  if (path.starts_with('~')) return "path.tilde";
  if (path.starts_with("\\\\") || path.starts_with("//")) return "path.windows";
  if (path.size() >= 3 && is_letter(path[0]) && path[1] == ':' &&
      (path[2] == '\\' || path[2] == '/')) {
    return "path.windows";
  }
  long depth = 0;
  bool dots = false;
  for (const std::string_view name : split(path, '/')) {
    if (name == "..") {
      dots = true;
      if (--depth < 0) return "path.traversal";
    } else if (name == ".") {
      dots = true;
    } else if (!name.empty()) {
      ++depth;
    }
  }
  return dots ? "path.dot-segment" : "";
}

bool is_os_junk(std::string_view path) {
  const auto names = split(path, '/');
  return std::any_of(names.begin(), names.end(), is_junk_name);
}

void name_troubles(std::string_view path,
                   const std::function<void(std::string_view, std::string)>& each) {
  if (const auto wrong = first_invalid_utf8(path)) {
    each("name.not-utf8", "byte " + std::to_string(*wrong) + " of the name is no UTF-8");
  }
  if (std::any_of(path.begin(), path.end(), is_control)) each("name.control", "");
  for (const std::string_view name : split(path, '/')) {
    if (is_junk_name(name)) each("name.os-junk", "");
    if (std::string what = windows_trouble(name); !what.empty()) {
      each("name.windows", "'" + std::string(name) + "' " + what);
    }
  }
}

std::string without_empty_names(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '/' && out.ends_with('/')) continue;
    out += c;
  }
  return out;
}

}  // namespace versement::bagit
