// RFC 8493's text files, both directions: bagit.txt, bag-info.txt, manifests.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/base/digest.hpp"
#include "store/base/result.hpp"

namespace versement::bagit {

// Section 2.1.3: LF, CR and % of a path are percent-coded in a manifest, and nothing else.
std::string encode_path(std::string_view path);
// Decodes exactly %0A, %0D and %25, once. A % before anything else stays as it is; `strange` then
// says so.
std::string decode_path(std::string_view text, bool* strange);
// As bags before 1.0 do it: %0A and %0D only.
std::string decode_old_path(std::string_view text);

// bagit.txt of a version 1.0 bag in UTF-8.
std::string write_bagit_txt();

struct Declaration {
  unsigned major = 0;
  unsigned minor = 0;
  std::string encoding;
  bool at_least(unsigned wanted_major, unsigned wanted_minor) const {
    return std::pair(major, minor) >= std::pair(wanted_major, wanted_minor);
  }
};
// Errors: invalid; reason() is the rule's code ("bagit.format" …).
Result<Declaration> parse_bagit_txt(std::string_view bytes);
// What a bagit.txt with faults of form most likely means, so that the rest of the bag can be
// judged; version 1.0 in UTF-8 where nothing tells.
Declaration guess_declaration(std::string_view bytes);

// Splits text that comes in pieces into lines, which end with LF, CR or CRLF; the last may lack it.
class LineSplitter {
 public:
  using Each = std::function<void(std::size_t number, std::string_view line)>;
  // Calls `each(number, line)` for the lines that end in these bytes. What of a line is beyond
  // kTagLineBytesMax is dropped, and too_long() says so.
  void feed(std::string_view text, const Each& each);
  // The last line, when no line end followed it.
  void finish(const Each& each);
  std::size_t too_long() const { return too_long_; }  // the first such line; 0: none

 private:
  void keep(std::string_view part);
  void end(const Each& each);

  std::string line_;
  std::size_t number_ = 0;
  std::size_t too_long_ = 0;
  bool begun_ = false;  // line_ may be empty and a line all the same
  bool after_cr_ = false;
};

// Calls `each(line number, line)` for the lines of a tag file, until one fails.
Result<void> for_each_line(std::string_view bytes,
                           const std::function<Result<void>(std::size_t, std::string_view)>& each);

// bag-info.txt: labels and values in order.
using BagInfo = std::vector<std::pair<std::string, std::string>>;
std::string write_bag_info(const BagInfo& info);
// Errors: invalid with the line.
Result<BagInfo> parse_bag_info(std::string_view bytes);

// Takes bag-info.txt line by line (RFC 8493 section 2.2.2). Folded lines keep their breaks and lose
// the blanks round them: "Except for linebreaks, such padding does not form part of the value".
class BagInfoReader {
 public:
  // `say(code, line, detail)` is told what is wrong; a bag older than 1.0 may have blanks where it
  // likes.
  using Say = std::function<void(std::string_view, std::size_t, std::string)>;
  BagInfoReader(bool old, Say say) : old_(old), say_(std::move(say)) {}

  void line(std::size_t number, std::string_view line);
  const BagInfo& info() const { return info_; }
  std::size_t line_of(std::size_t label) const { return lines_.at(label); }

 private:
  const bool old_;
  const Say say_;
  BagInfo info_;
  std::vector<std::size_t> lines_;  // where each label of info_ stands
  bool full_ = false;
};

// One line of a manifest, as it is written.
struct ManifestLine {
  std::string_view checksum;
  std::string_view path;  // coded; without an asterisk or "./" in front
  bool asterisk = false;
  bool dot_slash = false;
  bool escaped = false;  // md5sum puts a backslash before the checksum of an escaped path
};
// The parts of one line; nothing when it has not a checksum, blanks and a path.
std::optional<ManifestLine> parse_manifest_line(std::string_view line);

// Calls `each(checksum, decoded path)` for the lines of a manifest of version 1.0.
// Errors: invalid ("manifest.syntax") with the line; those of `each`.
Result<void> parse_manifest(
    std::string_view bytes,
    const std::function<Result<void>(std::string_view checksum, std::string path)>& each);

// Appends "CHECKSUM  PATH\n".
void append_manifest_line(const Digest& digest, std::string_view path, std::string* out);

// The algorithm that a manifest's name means, "sha512", "blake2b512"; nothing when it is not known.
std::optional<Algorithm> algorithm_of_manifest(std::string_view name);
// The same the other way, for manifests that we write.
std::string manifest_algorithm_name(Algorithm algorithm);

// The name of a manifest in the base folder: "manifest-sha512.txt", "tagmanifest-md5.txt".
struct ManifestName {
  bool tag = false;
  bool proper = true;     // lower case letters and digits, as section 2.1.3 wants
  std::string algorithm;  // in lower case, hyphens left out
};
// Nothing for any other file. Case does not matter, so that a wrong one is not passed over.
std::optional<ManifestName> parse_manifest_name(std::string_view name);

// One line of fetch.txt.
struct FetchLine {
  std::string_view url;
  std::optional<std::uint64_t> length;  // nothing for "-"
  std::string_view path;                // coded
};
// Nothing when it is not "URL LENGTH PATH".
std::optional<FetchLine> parse_fetch_line(std::string_view line);
// RFC 3986: a scheme, a colon and more, and nothing that a URI cannot have.
bool is_absolute_uri(std::string_view url);

// "octets.streams".
struct Oxum {
  std::uint64_t octets = 0;
  std::uint64_t streams = 0;
};
std::optional<Oxum> parse_oxum(std::string_view text);

}  // namespace versement::bagit
