// Contents: what is in a bag, listed once and kept small: a million files need some 100 bytes each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "bagit/tree.hpp"
#include "store/base/digest.hpp"

namespace versement::bagit {

// Bytes that stay where they are for as long as the arena lives.
class Arena {
 public:
  const char* put(std::string_view bytes);

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t left_ = 0;
  char* next_ = nullptr;
};

// One entry of the tree. Its path begins at the bag's base folder.
struct File {
  const char* name = nullptr;
  std::uint32_t length = 0;
  std::uint32_t number = 0;  // of the tree's entry
  std::uint64_t size_bytes = 0;
  std::int64_t changed_ns = 0;
  const char* digests = nullptr;  // taken already; see Contents::known
  const char* target = nullptr;   // of a link; ends with a NUL
  EntryKind kind = EntryKind::file;

  std::string_view path() const { return {name, length}; }
};

// What reading a tree from its beginning to its end gives beside the names.
struct Eager {
  bool hash = false;                  // take digests of what goes by
  std::vector<Algorithm> algorithms;  // of those whose manifests come later; else what these name
  std::size_t tag_bytes_max = 0;      // of tag files kept in memory, all together
};

class Contents {
 public:
  using Say = std::function<void(std::string_view code, std::string path, std::string detail)>;
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  Contents() = default;

  // Lists the tree and finds the bag's base folder in it. `say` is told what is wrong with the
  // tree; `read` now and then how many files and bytes went by. Errors: those of Tree::visit; limit
  // for more than four thousand million entries.
  Result<void> load(Tree& tree,
                    const Eager& eager,
                    const Say& say,
                    const std::function<void(std::uint64_t, std::uint64_t)>& read,
                    const std::stop_token& stop);

  // Sorted by path as bytes; of two entries of one path the first in the tree.
  std::span<const File> files() const { return files_; }
  const File& at(std::uint32_t index) const { return files_[index]; }
  // kNone when it is not there.
  std::uint32_t find(std::string_view path) const;
  // The same, quick when paths are asked for in their order; `hint` is the last answer.
  std::uint32_t find(std::string_view path, std::uint32_t* hint) const;

  // The folder in an archive that is the bag, with a slash; empty where the tree is the bag.
  const std::string& base() const { return base_; }
  // A file's path as the tree has it.
  std::string path_in_tree(std::uint32_t file) const {
    return base_ + std::string(files_[file].path());
  }

  // True when the tree was not listed to its end: what seems to be missing may be there.
  bool is_cut() const { return cut_ || (faulty_ && files_.empty()); }
  // True when the tree has said that something is wrong with it.
  bool is_faulty() const { return faulty_; }
  // True when this path lies where the tree could not be listed.
  bool is_unseen(std::string_view path) const;

  // Where a link leads: a file's index, or the code of the rule that it breaks.
  struct Led {
    std::uint32_t file = kNone;
    std::string_view code;
  };
  Led follow(std::uint32_t link) const;

  // The bytes of a tag file that load() kept; nothing when it did not.
  const std::string* kept(std::uint32_t file) const;

  // Digests that were taken when the file was read for another reason. Not thread safe.
  void remember(std::uint32_t file, std::span<const Digest> digests);
  // False when the file has none of this algorithm.
  bool known(std::uint32_t file, Algorithm algorithm, Digest* digest) const;

  Arena& arena() { return arena_; }

  // A digest over paths, sizes and times of all entries: another one, and something changed.
  std::string fingerprint() const;

 private:
  class Loader;

  void drop_unsafe(const Say& say);
  void find_base(const Say& say);
  void strip_base();
  void sort();

  Arena arena_;
  std::vector<File> files_;
  std::string base_;
  bool archive_ = false;
  bool cut_ = false;
  std::set<std::string, std::less<>> unseen_;
  bool faulty_ = false;
  std::string archive_name_;
  std::vector<std::pair<const char*, std::string>> kept_;  // by the name's place in the arena
  std::size_t kept_bytes_ = 0;
};

}  // namespace versement::bagit
