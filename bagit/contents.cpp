#include "bagit/contents.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>

#include "bagit/names.hpp"
#include "bagit/tagfile.hpp"
#include "store/base/disk.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

constexpr std::size_t kBlockBytes = 1u << 20;
// A path over more links than the kernel follows (ELOOP).
constexpr int kLinksMax = 40;

std::string_view first_name(std::string_view path) {
  return path.substr(0, path.find('/'));
}

// Archives are named as the folder in them, with one of these behind (RFC 8493 dropped the section
// on serialisation; 0.97 has it as section 4).
std::string_view without_extension(std::string_view name) {
  for (const std::string_view end : {".tar.gz", ".tgz", ".tar", ".zip"}) {
    if (name.size() > end.size() &&
        equal_ignoring_ascii_case(name.substr(name.size() - end.size()), end)) {
      return name.substr(0, name.size() - end.size());
    }
  }
  return name;
}

bool is_tag_name(std::string_view name) {
  return name == "bagit.txt" || name == "bag-info.txt" || name == "package-info.txt" ||
         name == "fetch.txt" || parse_manifest_name(name).has_value();
}

// The path that a link at `from` leads to, from the base; nothing when it leaves it.
std::optional<std::string> joined(std::string_view from, std::string_view target) {
  if (target.empty() || target.front() == '/') return std::nullopt;
  std::vector<std::string_view> names = split(from, '/');
  names.pop_back();
  for (const std::string_view name : split(target, '/')) {
    if (name.empty() || name == ".") continue;
    if (name != "..") {
      names.push_back(name);
    } else if (names.empty()) {
      return std::nullopt;
    } else {
      names.pop_back();
    }
  }
  std::string path;
  for (const std::string_view name : names) {
    if (!path.empty()) path += '/';
    path += name;
  }
  return path;
}

}  // namespace

const char* Arena::put(std::string_view bytes) {
  if (bytes.size() > left_) {
    const std::size_t size = std::max(kBlockBytes, bytes.size());
    // Not value-initialised: what is never used needs no memory.
    blocks_.push_back(std::unique_ptr<char[]>(new char[size]));
    next_ = blocks_.back().get();
    left_ = size;
  }
  char* const place = next_;
  if (!bytes.empty()) std::memcpy(place, bytes.data(), bytes.size());
  next_ += bytes.size();
  left_ -= bytes.size();
  return place;
}

// ---------------------------------------------------------------------------- reading the tree

class Contents::Loader : public Visitor {
 public:
  Loader(Contents& contents,
         const Eager& eager,
         const Say& say,
         const std::function<void(std::uint64_t, std::uint64_t)>& read)
      : contents_(contents), eager_(eager), say_(say), read_(read) {}

  Result<bool> entry(Entry entry) override {
    if (contents_.files_.size() == kNone) {
      return Error(Code::limit, "more than four thousand million entries");
    }
    name_bytes_ += entry.path.size();
    if (name_bytes_ > limits::kBagNamesBytesMax) {
      return Error(Code::limit,
                   "the names in the bag need more than " + human_bytes(limits::kBagNamesBytesMax))
          .as("path.depth");
    }
    File file;
    file.name = contents_.arena_.put(entry.path);
    file.length = static_cast<std::uint32_t>(entry.path.size());
    file.number = static_cast<std::uint32_t>(contents_.files_.size());
    file.size_bytes = entry.size_bytes;
    file.changed_ns = entry.changed_ns;
    file.kind = entry.kind;
    if (entry.kind == EntryKind::link) {
      file.target = contents_.arena_.put(entry.target + '\0');
    }
    contents_.files_.push_back(file);
    if (entry.kind != EntryKind::file) return false;
    return begin(entry);
  }

  Result<void> data(std::span<const std::byte> bytes) override {
    bytes_ += bytes.size();
    if (hasher_) hasher_->update(bytes);
    if (keeping_) kept_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    read_(files_, bytes_);
    return {};
  }

  Result<void> end() override {
    ++files_;
    File& file = contents_.files_.back();
    if (keeping_) {
      contents_.kept_bytes_ += kept_.size();
      contents_.kept_.emplace_back(file.name, std::move(kept_));
    }
    if (hasher_) {
      const auto digests = hasher_->finish();
      contents_.remember(static_cast<std::uint32_t>(contents_.files_.size() - 1), digests);
    }
    return {};
  }

  void finding(std::string code, std::string path, std::string detail) override {
    contents_.faulty_ = true;
    const bool foreign = code == "serialization.method" && path.empty();
    const bool limited = code == "serialization.limit" || code == "serialization.ratio";
    contents_.cut_ = contents_.cut_ || foreign || limited;
    if (code == "file.unreadable" || code == "path.depth") contents_.unseen_.insert(path);
    say_(code, std::move(path), std::move(detail));
  }

 private:
  // Returns whether its bytes are wanted as they go by.
  bool begin(const Entry& entry) {
    hasher_.reset();
    kept_.clear();
    const std::size_t slash = entry.path.find('/');
    const std::string_view name =
        std::string_view(entry.path).substr(slash == std::string::npos ? 0 : slash + 1);
    keeping_ =
        is_tag_name(name) && entry.size_bytes <= eager_.tag_bytes_max - contents_.kept_bytes_;
    if (const auto manifest = parse_manifest_name(name)) {
      if (const auto algorithm = algorithm_of_manifest(manifest->algorithm)) {
        named_.insert(*algorithm);
      }
    }
    if (eager_.hash) {
      std::set<Algorithm> wanted(named_);
      if (wanted.empty()) wanted.insert(eager_.algorithms.begin(), eager_.algorithms.end());
      const std::vector<Algorithm> list(wanted.begin(), wanted.end());
      if (!list.empty()) hasher_.emplace(std::span<const Algorithm>(list));
    }
    return true;  // Even of files that nobody asks for the archive's own proofs are to be checked.
  }

  Contents& contents_;
  const Eager& eager_;
  const Say& say_;
  const std::function<void(std::uint64_t, std::uint64_t)>& read_;
  std::set<Algorithm> named_;  // by the manifests that went by
  std::optional<Hasher> hasher_;
  bool keeping_ = false;
  std::string kept_;
  std::uint64_t files_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t name_bytes_ = 0;
};

Result<void> Contents::load(Tree& tree,
                            const Eager& eager,
                            const Say& say,
                            const std::function<void(std::uint64_t, std::uint64_t)>& read,
                            const std::stop_token& stop) {
  archive_ = tree.form() != Form::folder && tree.form() != Form::plan;
  archive_name_ = tree.name();
  Loader loader(*this, eager, say, read);
  TRY(tree.visit(loader, stop));
  if (archive_) {
    drop_unsafe(say);
    find_base(say);
    strip_base();
    drop_unsafe(say);  // "bag//etc/passwd" is so only without the folder in front.
  }
  sort();
  return {};
}

// What is named so that it would lie elsewhere is said and left out: nothing is opened by it.
void Contents::drop_unsafe(const Say& say) {
  std::erase_if(files_, [&](const File& file) {
    const std::string_view code = unsafe_path(file.path());
    if (code.empty()) return false;
    say(code, std::string(file.path()), "the archive has a member of this name");
    return true;
  });
}

// An archive holds one folder, which is the bag, and nothing beside it (0.97 section 4).
void Contents::find_base(const Say& say) {
  constexpr std::size_t kTopsSaid = 16;
  std::set<std::string_view> tops;
  bool loose = false;
  for (const File& file : files_) {
    const std::string_view path = file.path();
    if (tops.size() < kTopsSaid) tops.insert(first_name(path));
    loose = loose || (file.kind != EntryKind::folder && path.find('/') == std::string_view::npos);
  }
  const auto declared = [&](const std::string& base) {
    return std::any_of(files_.begin(), files_.end(),
                       [&](const File& file) { return file.path() == base + "bagit.txt"; });
  };
  if (tops.empty()) {
    if (!faulty_) say("serialization.top-level", "", "the archive is empty");
    return;
  }
  if (tops.size() == 1 && !loose) {
    base_ = std::string(*tops.begin()) + "/";
    // What comes through a pipe has no name.
    if (archive_name_ != "-" && without_extension(archive_name_) != *tops.begin()) {
      say("serialization.name", "",
          "the archive " + archive_name_ + " holds the folder " + std::string(*tops.begin()));
    }
    return;
  }
  if (declared("")) {
    say("serialization.top-level", "", "the bag has no folder of its own in the archive");
    return;
  }
  const auto bag = std::find_if(tops.begin(), tops.end(), [&](std::string_view top) {
    return declared(std::string(top) + "/");
  });
  if (bag != tops.end()) base_ = std::string(*bag) + "/";
  for (const std::string_view top : tops) {
    if (base_ == std::string(top) + "/") continue;
    say("serialization.top-level", std::string(top), "lies beside the folder of the bag");
  }
}

// Paths begin at the bag from here on; what lies beside it is no part of it.
void Contents::strip_base() {
  if (base_.empty()) return;
  std::erase_if(files_, [&](const File& file) {
    return file.length <= base_.size() || !file.path().starts_with(base_);
  });
  for (File& file : files_) {
    file.name += base_.size();
    file.length -= static_cast<std::uint32_t>(base_.size());
  }
}

void Contents::sort() {
  std::stable_sort(files_.begin(), files_.end(),
                   [](const File& a, const File& b) { return a.path() < b.path(); });
  const auto twins = std::unique(files_.begin(), files_.end(),
                                 [](const File& a, const File& b) { return a.path() == b.path(); });
  files_.erase(twins, files_.end());
  files_.shrink_to_fit();
}

// ---------------------------------------------------------------------------- looking things up

std::uint32_t Contents::find(std::string_view path) const {
  const auto found = std::lower_bound(
      files_.begin(), files_.end(), path,
      [](const File& file, std::string_view wanted) { return file.path() < wanted; });
  if (found == files_.end() || found->path() != path) return kNone;
  return static_cast<std::uint32_t>(found - files_.begin());
}

std::uint32_t Contents::find(std::string_view path, std::uint32_t* hint) const {
  // Folders stand between files: the next file is at most a few entries away.
  for (std::uint32_t step = 1; step <= 4; ++step) {
    const std::size_t next = *hint == kNone ? step - 1 : std::size_t{*hint} + step;
    if (next < files_.size() && files_[next].path() == path) {
      return *hint = static_cast<std::uint32_t>(next);
    }
  }
  const std::uint32_t found = find(path);
  if (found != kNone) *hint = found;
  return found;
}

bool Contents::is_unseen(std::string_view path) const {
  if (unseen_.empty()) return false;
  if (unseen_.contains("")) return true;
  for (std::size_t slash = path.find('/'); slash != std::string_view::npos;
       slash = path.find('/', slash + 1)) {
    if (unseen_.contains(path.substr(0, slash))) return true;
  }
  return unseen_.contains(path);
}

Contents::Led Contents::follow(std::uint32_t link) const {
  std::uint32_t at = link;
  for (int step = 0; step < kLinksMax; ++step) {
    const auto path = joined(files_[at].path(), files_[at].target);
    if (!path) return {.code = "path.symlink-escape"};
    if (path->empty()) return {.code = "path.symlink-directory"};
    at = find(*path);
    if (at == kNone) return {.code = "path.symlink-broken"};
    switch (files_[at].kind) {
      case EntryKind::file:
        return {.file = at, .code = {}};
      case EntryKind::folder:
        return {.code = "path.symlink-directory"};
      case EntryKind::special:
        return {.code = "path.special-file"};
      case EntryKind::link:
        break;
    }
  }
  return {.code = "path.symlink-broken"};
}

const std::string* Contents::kept(std::uint32_t file) const {
  // The name has lost the base folder in front since it was kept.
  const char* const begin = files_[file].name - base_.size();
  const auto found = std::find_if(kept_.begin(), kept_.end(),
                                  [&](const auto& each) { return each.first == begin; });
  return found == kept_.end() ? nullptr : &found->second;
}

// One byte says how many, then each its algorithm and its bytes.
void Contents::remember(std::uint32_t file, std::span<const Digest> digests) {
  std::string block(1, static_cast<char>(digests.size()));
  for (const Digest& digest : digests) {
    block += static_cast<char>(digest.algorithm());
    block.append(reinterpret_cast<const char*>(digest.bytes().data()), digest.bytes().size());
  }
  files_[file].digests = arena_.put(block);
}

bool Contents::known(std::uint32_t file, Algorithm algorithm, Digest* digest) const {
  const char* at = files_[file].digests;
  if (at == nullptr) return false;
  for (auto left = static_cast<unsigned char>(*at++); left > 0; --left) {
    const auto which = static_cast<Algorithm>(static_cast<unsigned char>(*at++));
    const std::size_t size = digest_bytes(which);
    if (which == algorithm) {
      *digest = Digest(which, std::as_bytes(std::span(at, size)));
      return true;
    }
    at += size;
  }
  return false;
}

std::string Contents::fingerprint() const {
  Hasher hasher({Algorithm::sha256});
  for (const File& file : files_) {
    std::string line(file.path());
    line += '\0' + std::to_string(file.size_bytes) + ' ' + std::to_string(file.changed_ns) + ' ' +
            std::to_string(static_cast<int>(file.kind)) + '\n';
    hasher.update(as_bytes(line));
  }
  return hasher.finish().front().hex();
}

}  // namespace versement::bagit
