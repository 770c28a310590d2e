#include "bagit/name_check.hpp"

#include <algorithm>
#include <functional>
#include <set>
#include <vector>

#include "bagit/names.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

// A file's or folder's path, by the hash of what it collides with.
struct Key {
  std::size_t hash;
  std::string_view path;
};

bool is_ascii(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) & 0x80u) != 0; });
}

std::string key_of(std::string_view path) {
  if (is_ascii(path)) return lower_ascii(path);
  return is_utf8(path) ? collision_key(path) : std::string(path);
}

bool same_normal_form(std::string_view a, std::string_view b) {
  return is_utf8(a) && is_utf8(b) && nfc(a) == nfc(b);
}

void note_twins(const std::vector<std::string_view>& paths, Notes& notes) {
  // Few: those of one hash. Sorted by key, so that many of one hash do not take long either.
  std::vector<std::pair<std::string, std::string_view>> keyed;
  keyed.reserve(paths.size());
  for (const std::string_view path : paths)
    keyed.emplace_back(key_of(path), path);
  std::sort(keyed.begin(), keyed.end());
  for (std::size_t i = 1; i < keyed.size(); ++i) {
    if (keyed[i].first != keyed[i - 1].first || keyed[i].second == keyed[i - 1].second) continue;
    const std::string_view a = keyed[i - 1].second;
    const std::string_view b = keyed[i].second;
    if (same_normal_form(a, b)) {
      notes.say("name.normalization-twins", std::string(b),
                "differs from '" + std::string(a) + "' in its Unicode form only");
    } else {
      notes.say("name.case-twins", std::string(b),
                "is the same name as '" + std::string(a) + "' where case does not count");
    }
  }
}

}  // namespace

void check_names(const Contents& contents, Notes& notes) {
  std::vector<Key> keys;
  keys.reserve(contents.files().size());
  std::string_view before;
  for (const File& file : contents.files()) {
    const std::string_view path = file.path();
    // Paths are sorted: what two of them begin with has been looked at. (A folder may come twice,
    // as in "a", "a-b", "a/c"; the same thing is noted once all the same.)
    std::size_t begin = 0;
    const std::size_t both = std::min(path.size(), before.size());
    for (std::size_t i = 0; i < both && path[i] == before[i]; ++i) {
      const bool ends_there = i + 1 == before.size() || before[i + 1] == '/';
      if (i + 1 < path.size() && path[i + 1] == '/' && ends_there) begin = i + 2;
    }
    if (path.size() > limits::kPathBytesMax) {
      // Thousands of folders in one path: looked at as a whole, each trouble said once.
      keys.push_back({std::hash<std::string>()(key_of(path)), path});
      std::set<std::string, std::less<>> said;
      name_troubles(path, [&](std::string_view code, std::string detail) {
        if (said.emplace(code).second) notes.say(code, std::string(path), std::move(detail));
      });
      before = path;
      continue;
    }
    while (begin < path.size()) {
      const std::size_t end = std::min(path.find('/', begin), path.size());
      const std::string_view whole = path.substr(0, end);
      keys.push_back({std::hash<std::string>()(key_of(whole)), whole});
      name_troubles(path.substr(begin, end - begin),
                    [&](std::string_view code, std::string detail) {
                      notes.say(code, std::string(whole), std::move(detail));
                    });
      begin = end + 1;
    }
    before = path;
  }
  std::sort(keys.begin(), keys.end(), [](const Key& a, const Key& b) {
    return a.hash != b.hash ? a.hash < b.hash : a.path < b.path;
  });
  for (std::size_t i = 0; i < keys.size();) {
    std::vector<std::string_view> same{keys[i].path};
    std::size_t next = i + 1;
    for (; next < keys.size() && keys[next].hash == keys[i].hash; ++next)
      same.push_back(keys[next].path);
    if (same.size() > 1) note_twins(same, notes);
    i = next;
  }
}

}  // namespace versement::bagit
