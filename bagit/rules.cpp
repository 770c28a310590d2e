#include "bagit/rules.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <tuple>

#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

constexpr Severity kNone = Severity::none;
constexpr Severity kWarn = Severity::warning;
constexpr Severity kError = Severity::error;
constexpr Severity kUnread = Severity::unread;

// Sorted by code. Where lenient mode only warns, what is meant is beyond doubt and no byte and no
// name goes unverified for it.
constexpr auto kRules = std::to_array<Rule>({
    {"baginfo.bag-count", "2.2.2", kWarn, kWarn, kWarn,
     "Bag-Count is not 'N of T' or 'N of ?', or there is no group that it counts"},
    {"baginfo.date", "2.2.2", kWarn, kWarn, kWarn, "Bagging-Date is not a date YYYY-MM-DD"},
    {"baginfo.label-whitespace", "2.2.2", kWarn, kWarn, kError,
     "a label of bag-info.txt begins or ends with a blank"},
    {"baginfo.repeated", "2.2.2", kWarn, kWarn, kWarn,
     "a label of bag-info.txt stands twice that should stand once"},
    {"baginfo.separator", "2.2.2", kWarn, kWarn, kError,
     "not one blank or tab follows the colon in bag-info.txt"},
    {"baginfo.syntax", "2.2.2", kError, kError, kError,
     "a line of bag-info.txt is neither 'Label: value' nor continues one"},
    {"bagit.bom", "2.1.1", kWarn, kError, kError, "bagit.txt begins with a byte order mark"},
    {"bagit.encoding", "2.1.1", kError, kError, kError,
     "bagit.txt names a character set that is not of IANA's registry"},
    {"bagit.format", "2.1.1", kError, kError, kError,
     "bagit.txt is not exactly the two lines that it must be"},
    {"bagit.missing", "2.1.1", kError, kError, kError, "there is no bagit.txt"},
    {"bagit.version", "2.1.1", kError, kError, kError, "bagit.txt names an unknown version"},
    {"checksum.mismatch", "3", kError, kError, kError,
     "the bytes of a file are not those that a manifest names"},
    {"data.missing", "2.1.2", kError, kError, kError, "there is no payload folder data/"},
    {"encoding.bom", "2.3", kWarn, kError, kError,
     "a tag file in UTF-8 begins with a byte order mark"},
    {"encoding.invalid", "2.3", kError, kError, kError,
     "a tag file has bytes that its character set does not have"},
    {"encoding.unsupported", "2.3", kUnread, kUnread, kUnread,
     "bagit.txt names a character set that this system cannot read"},
    {"fetch.duplicate", "2.2.3", kWarn, kWarn, kWarn, "fetch.txt names a file more than once"},
    {"fetch.length", "2.2.3", kWarn, kWarn, kWarn,
     "a file has not the length that fetch.txt announces"},
    {"fetch.syntax", "2.2.3", kError, kError, kError,
     "a line of fetch.txt is not 'URL LENGTH PATH'"},
    {"fetch.tag-file", "2.2.3", kError, kError, kError, "fetch.txt names a file outside of data/"},
    {"fetch.unlisted", "2.2.3", kError, kError, kError,
     "fetch.txt names a file that a payload manifest does not list"},
    {"fetch.url", "2.2.3", kError, kError, kError,
     "fetch.txt has something that is no absolute URL"},
    {"file.changed", "", kUnread, kUnread, kUnread, "a file changed while the bag was read"},
    {"file.unreadable", "", kUnread, kUnread, kUnread, "a file could not be read"},
    {"manifest.asterisk", "2.1.3", kWarn, kWarn, kError,
     "an asterisk of md5sum stands before a path"},
    {"manifest.checksum-form", "2.1.3", kError, kError, kError,
     "a checksum is not hexadecimal or not of its algorithm's length"},
    {"manifest.directory", "2.1.3", kError, kError, kError, "a manifest lists a folder"},
    {"manifest.duplicate", "2.1.3", kError, kError, kError,
     "a manifest lists a file more than once"},
    {"manifest.incomplete", "2.1.3", kError, kError, kError,
     "a payload file is not in every payload manifest"},
    {"manifest.name", "2.1.3", kWarn, kError, kError,
     "a manifest's name is not 'manifest-' and an algorithm in lower case"},
    {"manifest.none", "2.1.3", kError, kError, kError, "there is no payload manifest"},
    {"manifest.outside-data", "2.1.3", kError, kError, kError,
     "a payload manifest lists a file outside of data/"},
    {"manifest.percent-unencoded", "2.1.3", kWarn, kWarn, kError,
     "a % in a path codes neither LF, CR nor %"},
    {"manifest.repeated", "2.1.3", kWarn, kWarn, kWarn,
     "a manifest lists a file more than once, with one checksum, in a bag older than 1.0"},
    {"manifest.separator", "2.1.3", kError, kError, kError,
     "a path is escaped or separated by backslashes"},
    {"manifest.syntax", "2.1.3", kError, kError, kError,
     "a line of a manifest is not 'CHECKSUM PATH'"},
    {"manifest.unverifiable", "2.4", kUnread, kUnread, kUnread,
     "a manifest's algorithm is not known, so that its checksums cannot be verified"},
    {"manifest.weak-algorithm", "2.4", kWarn, kWarn, kWarn,
     "no manifest has an algorithm that withstands a forger"},
    {"name.case-twins", "6.1.1", kWarn, kWarn, kWarn,
     "two names differ by upper and lower case only"},
    {"name.control", "6.1.1", kWarn, kWarn, kWarn, "a name has control characters"},
    {"name.normalization", "6.1.1", kWarn, kWarn, kWarn,
     "a file is there under another Unicode form of its listed name"},
    {"name.normalization-twins", "6.1.1", kWarn, kWarn, kWarn,
     "two names differ by their Unicode form only"},
    {"name.not-utf8", "2.3", kWarn, kWarn, kWarn,
     "a name's bytes are no UTF-8: no manifest can list it by them"},
    {"name.os-junk", "6.1.1", kWarn, kWarn, kWarn,
     "a file of an operating system that nobody meant to send"},
    {"name.windows", "6.1.1", kWarn, kWarn, kWarn, "a name that Windows does not take"},
    {"oxum.mismatch", "2.2.2", kError, kError, kError,
     "Payload-Oxum is not the number of octets and files that are there"},
    {"oxum.missing", "2.2.2", kUnread, kUnread, kUnread,
     "there is no Payload-Oxum that a fast look could compare"},
    {"oxum.repeated", "2.2.2", kError, kError, kError, "Payload-Oxum stands more than once"},
    {"oxum.syntax", "2.2.2", kError, kError, kError, "Payload-Oxum is not 'OCTETS.FILES'"},
    {"path.absolute", "5.1", kError, kError, kError, "an absolute path"},
    {"path.depth", "", kUnread, kUnread, kUnread, "folders nest deeper than is looked at"},
    {"path.dot-segment", "5.1", kError, kError, kError,
     "a path with '..' or '.' inside, although it stays in the bag"},
    {"path.dot-slash", "2.1.3", kWarn, kWarn, kWarn, "a path with './' in front"},
    {"path.double-slash", "2.1.3", kWarn, kWarn, kWarn, "a path with an empty name in it"},
    {"path.nul", "5.1", kError, kError, kError, "a path with a NUL"},
    {"path.special-file", "3", kError, kError, kError, "a FIFO, socket or device: never opened"},
    {"path.symlink", "3", kWarn, kWarn, kWarn, "a link to a file of the bag"},
    {"path.symlink-broken", "3", kError, kError, kError,
     "a link that leads to nothing or in a circle"},
    {"path.symlink-directory", "3", kError, kError, kError, "a link to a folder"},
    {"path.symlink-escape", "5.1", kError, kError, kError, "a link that leads out of the bag"},
    {"path.tilde", "5.1", kError, kError, kError, "a path that begins with '~'"},
    {"path.traversal", "5.1", kError, kError, kError, "a path that leads out of the bag"},
    {"path.windows", "5.1", kError, kError, kError,
     "a path with a drive letter or of a Windows share"},
    {"payload.missing", "3", kError, kError, kError, "a listed payload file is not there"},
    {"payload.unlisted", "3", kError, kError, kError, "a payload file is in no manifest"},
    {"profile.bag-info-repeated", "", kError, kError, kError,
     "a label stands twice that the profile allows once"},
    {"profile.bag-info-required", "", kError, kError, kError,
     "bag-info.txt lacks a label of the profile"},
    {"profile.bag-info-value", "", kError, kError, kError, "a value is none of the profile's"},
    {"profile.data-not-empty", "", kError, kError, kError, "the profile wants an empty payload"},
    {"profile.fetch-forbidden", "", kError, kError, kError, "the profile allows no fetch.txt"},
    {"profile.fetch-required", "", kError, kError, kError, "the profile wants a fetch.txt"},
    {"profile.identifier", "", kError, kError, kError, "bag-info.txt does not name the profile"},
    {"profile.manifest-not-allowed", "", kError, kError, kError,
     "a payload manifest's algorithm is none of the profile's"},
    {"profile.manifest-required", "", kError, kError, kError,
     "a payload manifest of the profile is missing"},
    {"profile.payload-file-not-allowed", "", kError, kError, kError,
     "a payload file that the profile does not allow"},
    {"profile.payload-file-required", "", kError, kError, kError,
     "a payload file of the profile is missing"},
    {"profile.serialization", "", kError, kError, kError,
     "the bag is not packed, or is packed, as the profile wants"},
    {"profile.tag-file-not-allowed", "", kError, kError, kError,
     "a tag file that the profile does not allow"},
    {"profile.tag-file-required", "", kError, kError, kError,
     "a tag file of the profile is missing"},
    {"profile.tag-manifest-not-allowed", "", kError, kError, kError,
     "a tag manifest's algorithm is none of the profile's"},
    {"profile.tag-manifest-required", "", kError, kError, kError,
     "a tag manifest of the profile is missing"},
    {"profile.unchecked", "", kWarn, kWarn, kWarn,
     "the profile asks for something that BagIt Profiles does not know"},
    {"profile.unknown", "", kUnread, kUnread, kUnread,
     "bag-info.txt names a profile that is not at hand"},
    {"profile.version", "", kError, kError, kError,
     "the profile does not accept the bag's version"},
    {"serialization.crc", "", kError, kError, kError,
     "a member's bytes do not have its CRC or length"},
    {"serialization.duplicate", "", kError, kError, kError,
     "an archive has two members of one name"},
    {"serialization.encrypted", "", kUnread, kUnread, kUnread, "a member is encrypted"},
    {"serialization.gap", "", kError, kError, kError,
     "an archive has bytes that belong to no member"},
    {"serialization.hard-link", "", kError, kError, kError,
     "a hard link to no earlier file of the archive"},
    {"serialization.header-mismatch", "", kError, kError, kError,
     "the two headers of a zip's member do not agree"},
    {"serialization.limit", "", kUnread, kUnread, kUnread,
     "an archive is larger, deeper or more than the limits permit"},
    {"serialization.malformed", "", kError, kError, kError, "an archive's structure is damaged"},
    {"serialization.method", "", kUnread, kUnread, kUnread,
     "a member is packed in a way that is not read"},
    {"serialization.name", "", kWarn, kWarn, kWarn, "an archive is not named as the folder in it"},
    {"serialization.nested", "", kError, kError, kError,
     "the payload is packed once more inside the archive"},
    {"serialization.no-end", "", kWarn, kWarn, kWarn, "a tar archive lacks the blocks that end it"},
    {"serialization.ratio", "", kUnread, kUnread, kUnread,
     "an archive unpacks to so much more than it is that it looks like a bomb"},
    {"serialization.special-file", "", kError, kError, kError, "an archive has a FIFO or device"},
    {"serialization.top-level", "", kError, kError, kError,
     "an archive has not exactly one folder at its top"},
    {"serialization.trailing-data", "", kError, kError, kError,
     "bytes follow the end of an archive"},
    {"serialization.truncated", "", kError, kError, kError, "an archive ends early"},
    {"tagfile.blank-line", "2.3", kWarn, kWarn, kError, "an empty line in a tag file"},
    {"tagfile.missing", "2.2.1", kError, kError, kError, "a listed tag file is not there"},
    {"tagfile.size", "", kUnread, kUnread, kUnread, "a tag file is larger than is read"},
    {"tagmanifest.lists-payload", "2.2.1", kError, kError, kError,
     "a tag manifest lists a payload file"},
    {"tagmanifest.lists-tagmanifest", "2.2.1", kError, kError, kError,
     "a tag manifest lists a tag manifest"},
    {"tagmanifest.omits-manifest", "2.2.1", kError, kError, kError,
     "a tag manifest does not list a payload manifest"},
    {"tagmanifest.sets-differ", "2.2.1", kWarn, kWarn, kWarn,
     "tag manifests do not list the same files"},
});

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::none:
      return "none";
    case Severity::warning:
      return "warning";
    case Severity::error:
      return "error";
    case Severity::unread:
      return "unread";
  }
  return "error";
}

}  // namespace

Severity Rule::in(Mode mode) const {
  switch (mode) {
    case Mode::lenient:
      return lenient;
    case Mode::standard:
      return standard;
    case Mode::strict:
      return strict;
  }
  return strict;
}

std::span<const Rule> rules() {
  return kRules;
}

const Rule& rule(std::string_view code) {
  const auto found = std::find_if(kRules.begin(), kRules.end(),
                                  [code](const Rule& each) { return each.code == code; });
  assert(found != kRules.end());
  return *found;
}

bool operator<(const Finding& a, const Finding& b) {
  return std::tie(a.path, a.line, a.code, a.algorithm, a.detail, a.expected, a.found) <
         std::tie(b.path, b.line, b.code, b.algorithm, b.detail, b.expected, b.found);
}

json::Object to_json(const Finding& finding) {
  json::Object object;
  object["code"] = finding.code;
  object["severity"] = severity_name(finding.severity);
  const auto set = [&](const char* name, const std::string& value) {
    if (!value.empty()) object[name] = is_utf8(value) ? value : printable(value);
  };
  set("section", finding.section);
  set("path", finding.path);
  set("algorithm", finding.algorithm);
  set("expected", finding.expected);
  set("found", finding.found);
  set("detail", finding.detail);
  if (finding.line > 0) object["line"] = finding.line;
  return object;
}

std::string to_text(const Finding& finding) {
  std::string line(severity_name(finding.severity));
  line += "  " + finding.code;
  if (!finding.path.empty()) line += "  " + finding.path;
  if (finding.line > 0) line += " line " + std::to_string(finding.line);
  if (!finding.detail.empty()) line += ": " + finding.detail;
  if (!finding.expected.empty()) {
    line += finding.algorithm.empty() ? " (" : " (" + finding.algorithm + " ";
    line += "expected " + finding.expected + ", found " + finding.found + ")";
  }
  if (!finding.section.empty()) line += " [RFC 8493, " + finding.section + "]";
  return printable(line);
}

}  // namespace versement::bagit
