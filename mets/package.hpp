// The package of one item: an E-ARK CSIP 2.2.0 AIP with METS, PREMIS 3.0 and Dublin Core.
//
// The profile (which judges it satisfies, and why each odd choice) is docs/format/package.md. The
// same input gives the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mets/description.hpp"
#include "store/base/digest.hpp"
#include "store/base/ids.hpp"
#include "store/base/result.hpp"
#include "store/base/time.hpp"

namespace versement::mets {

inline constexpr std::string_view kRepresentation = "master";  // the digitised original
inline constexpr std::string_view kNotice = "analogue";        // of an item without files

struct Format {
  std::string media_type;
  std::string name;
  std::string version;
  std::string puid;  // PRONOM
};

// A deposited file as it was stored.
struct PayloadFile {
  std::string path;  // below representations/<name>/data
  std::uint64_t size_bytes = 0;
  Digest sha512;
  Format format;
  std::string original_name;     // its path in the deposit
  bool digest_supplied = false;  // and compared at the deposit
};

// A file that came with an item and tells of it: of a bag its tag files.
struct DocumentFile {
  std::string path;  // below documentation/
  std::uint64_t size_bytes = 0;
  Digest sha512;
  std::string media_type;
};

struct Organisation {
  std::string id;  // may be empty
  std::string name;
  bool empty() const { return name.empty(); }
};

struct PackageInput {
  std::string objid;  // the item's slug
  Description description;
  Original original;
  Organisation archivist;          // who describes and hands over; may be empty
  Timestamp created;               // of the OCFL version
  std::vector<Timestamp> earlier;  // of the versions before, the first one first
  bool read_back = true;           // stored bytes are read back before the package is acknowledged
  std::vector<PayloadFile> files;  // sorted by path
  std::vector<DocumentFile> documentation;  // likewise; none is called LISEZ-MOI.txt
  std::string received;                     // what it came in, as a sentence of an event; or empty
  std::vector<std::string> parts;           // slugs of the items that a group item describes
};

// A file that the package has besides its payload.
struct GeneratedFile {
  std::string path;  // in the package
  std::string bytes;
  std::string media_type;
  std::string role;  // "metadata", "documentation", "schema"
};

// Where payload files go: "representations/master/data/".
std::string payload_folder();
std::string documentation_folder();  // "documentation/"

// All files of the package but the payload, in the order in which they depend on each other:
// METS.xml last.
std::vector<GeneratedFile> render_package(const PackageInput& input);

// What the package holds at a path, as the second reader finds it.
struct Held {
  std::uint64_t size_bytes = 0;
  Digest sha512;
};
using Lookup = std::function<std::optional<Held>(const std::string& path)>;

// Reads the METS files of a package as a stranger would: well-formed, every reference to a file
// that is there with this size and digest, no deposited file that no METS names
// (`deposited_count`, documentation too).
// Errors: invalid ("mets-…"). For our own output any error is a defect of ours.
Result<void> check_package(const std::vector<GeneratedFile>& generated,
                           std::size_t deposited_count,
                           const Lookup& held);

// The METS that points at the item packages of a transfer.
struct TransferEntry {
  std::string slug;
  std::string label;
  Digest mets_sha512;  // of the item's METS.xml
  std::uint64_t mets_size_bytes = 0;
};
std::string render_transfer_mets(std::string_view objid,
                                 std::string_view label,
                                 Timestamp created,
                                 const Organisation& archivist,
                                 const Organisation& preservation,
                                 const std::vector<TransferEntry>& entries);

// The id of a file in METS and PREMIS: a version 5 UUID of OBJID and path.
Uuid file_uuid(std::string_view objid, std::string_view path);

}  // namespace versement::mets
