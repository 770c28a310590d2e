#include "store/ocfl/layout.hpp"

#include "store/base/text.hpp"

namespace versement::ocfl {
namespace {

constexpr std::size_t kEncodedIdMax = 100;
constexpr std::size_t kSafeNameBytesMax = 100;
constexpr std::size_t kSafePathBytesMax = 400;  // S3 keys end at 1024 bytes, prefix included.
constexpr std::size_t kExtensionBytesMax = 12;

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_safe_name(std::string_view name) {
  if (name.empty() || name.size() > kSafeNameBytesMax || !is_alphanumeric(name.front()))
    return false;
  for (const char c : name) {
    if (!is_alphanumeric(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

bool is_safe_path(std::string_view path) {
  if (path.size() > kSafePathBytesMax || path.starts_with("x/")) return false;
  for (const std::string_view name : split(path, '/')) {
    if (!is_safe_name(name)) return false;
  }
  return true;
}

// ".jpg" of "a/Vue du marché.jpg", when it is plain; else nothing.
std::string extension_of(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  const std::size_t slash = path.rfind('/');
  if (dot == std::string_view::npos || (slash != std::string_view::npos && dot < slash)) return {};
  const std::string_view extension = path.substr(dot + 1);
  if (extension.size() > kExtensionBytesMax || !is_safe_name(extension)) return {};
  return "." + std::string(extension);
}

}  // namespace

std::string object_folder_name(std::string_view id, Algorithm algorithm) {
  // Only the percent codes are to be lower case; the id itself keeps its letters.
  std::string name;
  for (const char c : id) {
    if (is_alphanumeric(c) || c == '-' || c == '_') {
      name += c;
    } else {
      name += lower_ascii(percent_encode(std::string_view(&c, 1), ""));
    }
  }
  if (name.size() <= kEncodedIdMax) return name;
  return name.substr(0, kEncodedIdMax) + "-" + digest_of(algorithm, id).hex();
}

Path object_path(const ObjectId& id) {
  const std::string hash = digest_of(Algorithm::sha256, id.text()).hex();
  return Path(hash.substr(0, 2)) / hash.substr(2, 2) / object_folder_name(id.text());
}

std::string content_path(std::string_view logical_path, std::string_view sha512_hex) {
  if (is_safe_path(logical_path)) return std::string(logical_path);
  return "x/" + std::string(sha512_hex.substr(0, 32)) + extension_of(logical_path);
}

}  // namespace versement::ocfl
