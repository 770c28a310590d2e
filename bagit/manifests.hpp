// Manifests: what a bag's manifests and fetch.txt say of which file (RFC 8493 sections 2.1.3, 2.2.1
// and 2.2.3), held against what is there. Some 25 bytes and a digest for each line.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bagit/contents.hpp"
#include "bagit/notes.hpp"
#include "bagit/tag_reader.hpp"
#include "bagit/tagfile.hpp"
#include "store/base/digest.hpp"

namespace versement::bagit {

// Links inside the bag, and the files that they lead to.
using Links = std::map<std::uint32_t, std::uint32_t>;

// One line of a manifest.
struct Listing {
  const char* digest = nullptr;  // raw bytes; none where it cannot be compared
  std::uint32_t file = 0;        // of the contents
  std::uint32_t line = 0;
  std::uint32_t manifest = 0;
};

class Manifests {
 public:
  Manifests(Contents& contents,
            const Links& links,
            Notes& notes,
            TagReader& reader,
            const Declaration& declaration,
            Mode mode,
            std::span<const Algorithm> tag_algorithms)
      : contents_(contents),
        links_(links),
        notes_(notes),
        reader_(reader),
        declaration_(declaration),
        mode_(mode),
        tag_algorithms_(tag_algorithms) {}

  // Reads all of them and fetch.txt, and judges everything but content. Errors: cancelled.
  Result<void> read();

  // The lines of files that are there, sorted by file.
  std::span<const Listing> listings() const { return {listings_.data(), present_}; }
  Algorithm algorithm_of(const Listing& listing) const {
    return manifests_[listing.manifest].algorithm.value();
  }
  const std::string& name_of(const Listing& listing) const {
    return manifests_[listing.manifest].name;
  }
  bool is_listed(std::uint32_t file) const;

  std::vector<std::string> names(bool tag) const;  // of algorithms
  std::vector<Algorithm> algorithms() const;
  std::uint64_t fetchable_files() const { return fetchable_files_; }
  std::uint64_t fetchable_bytes() const { return fetchable_bytes_; }
  std::uint64_t fetchable_unknown() const { return fetchable_unknown_; }

 private:
  struct Manifest {
    std::string name;
    std::string algorithm_name;
    std::optional<Algorithm> algorithm;
    bool tag = false;
    std::uint32_t file = 0;
    bool read = false;  // to its end: what it omits is known
  };
  struct Absent {
    std::string_view path;
    std::uint32_t listing = 0;
  };
  struct Fetch {
    std::uint32_t file = 0;  // of the contents, or behind them the absent ones
    std::uint32_t line = 0;
    std::optional<std::uint64_t> length;
  };

  bool old() const { return !declaration_.at_least(1, 0); }
  std::uint32_t count() const { return static_cast<std::uint32_t>(contents_.files().size()); }

  void find_manifests();
  Result<void> read_manifest(std::uint32_t number);
  void take(std::uint32_t number, std::size_t line_number, std::string_view line);
  // The file that a coded path means; noted when nothing may be opened by it.
  struct Named {
    std::string path;
    std::uint32_t file = Contents::kNone;
    bool usable = false;
  };
  Named look_up(const std::string& in, std::size_t line, std::string_view coded, bool fetch);
  bool is_in_place(const Manifest& manifest, const std::string& path, std::size_t line);

  void resolve_absent();
  void match_normal_forms();
  Result<void> read_fetch();
  void take_fetch(std::size_t number, std::string_view line);
  bool is_in_every_manifest(std::uint32_t file) const;
  bool is_in_tag_manifest(std::uint32_t file) const;
  void judge_lines();
  void judge_group(std::span<const Listing> group);
  void judge_missing();
  void judge_unlisted();
  void judge_tag_manifests();
  void judge_algorithms();
  std::span<const Listing> group_of(std::uint32_t file) const;
  std::string path_of(std::uint32_t file) const;

  Contents& contents_;
  const Links& links_;
  Notes& notes_;
  TagReader& reader_;
  const Declaration& declaration_;
  const Mode mode_;
  const std::span<const Algorithm> tag_algorithms_;

  std::vector<Manifest> manifests_;
  std::vector<Listing> listings_;  // sorted by file once all are read; absent ones last
  std::size_t present_ = 0;        // of listings_
  std::vector<Absent> absent_;     // sorted by path, each path once, when all are read
  // Absent paths that are there under another Unicode form, and the file.
  std::map<std::uint32_t, std::uint32_t> moved_;
  std::vector<Fetch> fetch_;
  std::uint32_t hint_ = Contents::kNone;
  std::uint64_t fetchable_files_ = 0;
  std::uint64_t fetchable_bytes_ = 0;
  std::uint64_t fetchable_unknown_ = 0;
};

}  // namespace versement::bagit
