#include "store/ocfl/codes.hpp"

#include <algorithm>
#include <array>

namespace versement::ocfl {
namespace {

// 065, 068, 086, 091, 109 and W006 were withdrawn, or are of no validator. Codes with "(of tools)"
// bind writers and readers; the bytes on disk cannot break them, so they are never reported.
constexpr std::array kCodes{
    CodeInfo{"E001", "3.1", "something in the object's folder does not belong there"},
    CodeInfo{"E002", "3.2", "the object's declaration is not named as NAMASTE has it"},
    CodeInfo{"E003", "3.2", "there is not exactly one declaration of the object"},
    CodeInfo{"E004", "3.2", "the declaration names no version of OCFL that there is"},
    CodeInfo{"E005", "3.2", "the declaration's name does not begin with 0="},
    CodeInfo{"E006", "3.2", "the declaration's name does not go on with ocfl_object_"},
    CodeInfo{"E007", "3.2", "the declaration's text is not its name and a line feed"},
    CodeInfo{"E008", "3.3", "the object has no version"},
    CodeInfo{"E009", "3.3", "the versions do not begin with 1"},
    CodeInfo{"E010", "3.3", "the versions have a gap"},
    CodeInfo{"E011", "3.3", "a padded version does not begin with v0"},
    CodeInfo{"E012", "3.3", "the versions are padded in different ways"},
    CodeInfo{"E013", "3.3", "a version does not follow the padding of the first"},
    CodeInfo{"E014", "3.3", "a content path names the version otherwise than its folder is named"},
    CodeInfo{"E015", "3.3", "a file in a version's folder is neither inventory nor sidecar"},
    CodeInfo{"E016", "3.3.1", "a version with content has no content folder"},
    CodeInfo{"E017", "3.3.1", "contentDirectory has a slash, or is no name"},
    CodeInfo{"E018", "3.3.1", "contentDirectory is . or .."},
    CodeInfo{"E019", "3.3.1", "contentDirectory was not set from the first version on"},
    CodeInfo{"E020", "3.3.1", "contentDirectory changes between versions"},
    CodeInfo{"E021", "3.3.1",
             "the content folder is not called content, and no key says otherwise"},
    CodeInfo{"E022", "3.3.1", "other folders of a version are to be ignored (of tools)"},
    CodeInfo{"E023", "3.3.1", "a file in a content folder is not in the manifest"},
    CodeInfo{"E024", "3.3.1", "an empty folder in a content folder"},
    CodeInfo{"E025", "3.4", "digestAlgorithm is neither sha512 nor sha256"},
    CodeInfo{"E026", "3.4",
             "fixity algorithms come from the vocabulary or an extension (of tools)"},
    CodeInfo{"E027", "3.4", "all algorithms of the table are to be supported (of tools)"},
    CodeInfo{"E028", "3.4", "unknown fixity algorithms are to be ignored (of tools)"},
    CodeInfo{"E029", "3.4", "a SHA-1 digest is not hexadecimal"},
    CodeInfo{"E030", "3.4", "a SHA-256 digest is not hexadecimal"},
    CodeInfo{"E031", "3.4", "a SHA-512 digest is not hexadecimal"},
    CodeInfo{"E032", "3.4", "a BLAKE2b digest is not hexadecimal"},
    CodeInfo{"E033", "3.5", "the inventory is no JSON as the specification has it"},
    CodeInfo{"E034", "3.5", "the inventory is not named inventory.json"},
    CodeInfo{"E035", "3.5", "a content path is not separated by slashes"},
    CodeInfo{"E036", "3.5.1", "the inventory lacks id, type, digestAlgorithm or head"},
    CodeInfo{"E037", "3.5.1", "the id is not unique, or is no text"},
    CodeInfo{"E038", "3.5.1", "type is not that of the declared version of OCFL"},
    CodeInfo{"E039", "3.5.1", "digests are not of the digestAlgorithm"},
    CodeInfo{"E040", "3.5.1", "head is not the newest version"},
    CodeInfo{"E041", "3.5.1", "the inventory has no manifest"},
    CodeInfo{"E042", "3.5.2", "a content path is not below a version's content folder"},
    CodeInfo{"E043", "3.5.3", "the inventory has no versions"},
    CodeInfo{"E044", "3.5.3", "the block of versions has another name"},
    CodeInfo{"E045", "3.5.3", "versions is no object"},
    CodeInfo{"E046", "3.5.3", "the versions are not those that have folders"},
    CodeInfo{"E047", "3.5.3", "a version is no object"},
    CodeInfo{"E048", "3.5.3.1", "a version lacks created or state"},
    CodeInfo{"E049", "3.5.3.1", "created is no time of RFC 3339 with zone and seconds"},
    CodeInfo{"E050", "3.5.3.1", "a digest of a state is not in the manifest, to the letter"},
    CodeInfo{"E051", "3.5.3.1", "logical paths are not a list of texts"},
    CodeInfo{"E052", "3.5.3.1", "a logical path has an empty element, . or .."},
    CodeInfo{"E053", "3.5.3.1", "a logical path begins or ends with a slash"},
    CodeInfo{"E054", "3.5.3.1", "user is no object with a name"},
    CodeInfo{"E055", "3.5.4", "the fixity block has another name"},
    CodeInfo{"E056", "3.5.4", "the fixity block has no algorithms"},
    CodeInfo{"E057", "3.5.4", "a fixity block is not made as the manifest is"},
    CodeInfo{"E058", "3.6", "the inventory has no sidecar"},
    CodeInfo{"E059", "3.6", "the sidecar is of another algorithm than digestAlgorithm"},
    CodeInfo{"E060", "3.6", "the sidecar's digest is not the inventory's"},
    CodeInfo{"E061", "3.6", "the sidecar is not DIGEST inventory.json"},
    CodeInfo{"E062", "3.6", "the sidecar is written last (of tools)"},
    CodeInfo{"E063", "3.7", "the object has no inventory"},
    CodeInfo{"E064", "3.7", "the newest version's inventory is not the object's"},
    CodeInfo{"E066", "3.7", "an earlier version had another state"},
    CodeInfo{"E067", "3.9", "extensions/ of an object has more than folders of extensions"},
    CodeInfo{"E069", "4.1", "the root has no declaration"},
    CodeInfo{"E070", "4.1", "ocfl_layout.json lacks extension or description, or is no JSON"},
    CodeInfo{"E071", "4.1", "the layout is no registered extension"},
    CodeInfo{"E072", "4.1", "a file in the hierarchy is part of no object"},
    CodeInfo{"E073", "4.1", "an empty folder in the root"},
    CodeInfo{"E074", "4.1", "each root is independent (of tools)"},
    CodeInfo{"E075", "4.2", "the root's declaration is not named as NAMASTE has it"},
    CodeInfo{"E076", "4.2", "the root has more than one declaration"},
    CodeInfo{"E077", "4.2", "the root's declaration names no version of OCFL that there is"},
    CodeInfo{"E078", "4.2", "the root's declaration does not begin with 0="},
    CodeInfo{"E079", "4.2", "the root's declaration does not go on with ocfl_"},
    CodeInfo{"E080", "4.2", "the text of the root's declaration is not its name and a line feed"},
    CodeInfo{"E081", "4.2", "an object is of a later version of OCFL than the root"},
    CodeInfo{"E082", "4.3", "an object lies within an object"},
    CodeInfo{"E083", "4.3", "the object lies elsewhere than the layout says of its id"},
    CodeInfo{"E084", "4.3", "a file lies in a folder that leads to objects"},
    CodeInfo{"E085", "4.3", "a folder of the hierarchy ends in no object"},
    CodeInfo{"E087", "4.1", "unknown files in the root are to be ignored (of tools)"},
    CodeInfo{"E088", "4.1", "a folder in the root leads to no object and is no extension"},
    CodeInfo{"E089", "4.6", "features of other file systems are to be wrapped (of tools)"},
    CodeInfo{"E090", "4.6", "a link, or another thing than a file or folder"},
    CodeInfo{"E092", "3.5.2",
             "the content is missing or has another digest than the manifest says"},
    CodeInfo{"E093", "3.5.4", "the content has another digest than the fixity block says"},
    CodeInfo{"E094", "3.5.3.1", "message is no text"},
    CodeInfo{"E095", "3.5.3.1", "logical paths are not unique, or one is a folder of another"},
    CodeInfo{"E096", "3.5.2", "a digest stands twice in the manifest"},
    CodeInfo{"E097", "3.5.4", "a digest stands twice in a fixity block"},
    CodeInfo{"E098", "3.5.2", "a content path is no text"},
    CodeInfo{"E099", "3.5.2", "a content path has an empty element, . or .."},
    CodeInfo{"E100", "3.5.2", "a content path begins or ends with a slash"},
    CodeInfo{"E101", "3.5.2", "content paths are not unique, or one is a folder of another"},
    CodeInfo{"E102", "3.5", "the inventory has a key that the specification does not know"},
    CodeInfo{"E103", "3.7.1", "a version is of an earlier version of OCFL than the one before"},
    CodeInfo{"E104", "3.3", "a version's name does not begin with v"},
    CodeInfo{"E105", "3.3", "a version's number is none of 1, 2, 3 …"},
    CodeInfo{"E106", "3.5.2", "the manifest is no object"},
    CodeInfo{"E107", "3.5.2", "no state has this digest of the manifest"},
    CodeInfo{"E108", "3.3.1", "contentDirectory is no folder of the version"},
    CodeInfo{"E110", "3.5.1", "the id changes between versions"},
    CodeInfo{"E111", "3.5.4", "fixity is no object"},
    CodeInfo{"E112", "4.4", "extensions/ of the root has more than folders of extensions"},
    CodeInfo{"W001", "3.3", "version numbers are padded"},
    CodeInfo{"W002", "3.3", "a version has another folder than the content folder"},
    CodeInfo{"W003", "3.3.1", "a content folder without content"},
    CodeInfo{"W004", "3.4", "digestAlgorithm is not sha512"},
    CodeInfo{"W005", "3.5.1", "the id is no URI"},
    CodeInfo{"W007", "3.5.3.1", "a version has no message or no user"},
    CodeInfo{"W008", "3.5.3.1", "a user has no address"},
    CodeInfo{"W009", "3.5.3.1", "a user's address is no URI"},
    CodeInfo{"W010", "3.7", "a version has no inventory"},
    CodeInfo{"W011", "3.7",
             "created, message or user of a version was another in an earlier inventory"},
    CodeInfo{"W012", "3.8", "logs/ is for records of actions (of tools)"},
    CodeInfo{"W013", "3.9", "an extension of an object is not registered"},
    CodeInfo{"W014", "4.3", "the objects do not lie in one pattern"},
    CodeInfo{"W015", "4.3", "objects lie both in the root itself and in a hierarchy"},
    CodeInfo{"W016", "4.4", "an extension of the root is not registered"},
    CodeInfo{"layout-not-judged", "4.3", "the layout is not known here: places were not judged"},
    CodeInfo{"unreadable", "", "the system did not give the bytes"},
};

static_assert(kCodes.size() == 122 + 2);

}  // namespace

std::span<const CodeInfo> all_codes() {
  return kCodes;
}

const CodeInfo* code_info(std::string_view code) {
  const auto* const found = std::lower_bound(
      kCodes.begin(), kCodes.end(), code,
      [](const CodeInfo& each, std::string_view wanted) { return each.code < wanted; });
  return found != kCodes.end() && found->code == code ? found : nullptr;
}

Severity severity_of(std::string_view code) {
  if (code == "unreadable") return Severity::unread;
  if (code == "layout-not-judged") return Severity::note;
  return code.starts_with('W') ? Severity::warning : Severity::error;
}

std::string_view severity_name(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::unread:
      return "unread";
    case Severity::note:
      return "note";
  }
  return "error";
}

}  // namespace versement::ocfl
