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

// bag-info.txt: labels and values in order.
using BagInfo = std::vector<std::pair<std::string, std::string>>;
std::string write_bag_info(const BagInfo& info);
// Errors: invalid with the line.
Result<BagInfo> parse_bag_info(std::string_view bytes);

// One line of a manifest.
struct ManifestLine {
  std::size_t line = 0;  // from 1
  std::string checksum;  // as written
  std::string path;      // decoded, a leading "./" dropped
  bool asterisk = false;
  bool strange_percent = false;
};

// Appends "CHECKSUM  PATH\n".
void append_manifest_line(const Digest& digest, std::string_view path, std::string* out);

// Calls `each` for every line: lines end with LF, CR or CRLF, the last may lack it.
// Errors: invalid ("manifest.syntax") with the line; those of `each`.
Result<void> parse_manifest(std::string_view bytes,
                            const std::function<Result<void>(ManifestLine&&)>& each);

// "octets.streams".
struct Oxum {
  std::uint64_t octets = 0;
  std::uint64_t streams = 0;
};
std::optional<Oxum> parse_oxum(std::string_view text);

// Calls `each(line number, line)` for the lines of a tag file.
Result<void> for_each_line(std::string_view bytes,
                           const std::function<Result<void>(std::size_t, std::string_view)>& each);

}  // namespace versement::bagit
