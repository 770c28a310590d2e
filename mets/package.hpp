// The package of one item: an E-ARK CSIP 2.2.0 AIP with METS, PREMIS 3.0 and Dublin Core.
//
// The profile (which judges it satisfies, and why each odd choice) is docs/format/package.md. The
// same input gives the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mets/description.hpp"
#include "store/base/digest.hpp"
#include "store/base/ids.hpp"
#include "store/base/result.hpp"
#include "store/base/source.hpp"
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

// The payload of an item. A hundred thousand files need not be in memory for it.
struct Payload {
  using Each = std::function<Result<void>(const PayloadFile&)>;
  std::size_t count = 0;
  // Calls `each` for every file, by path, until it fails; each time the same. Needed with a count.
  std::function<Result<void>(const Each& each)> for_each;
};
Payload payload_of(std::vector<PayloadFile> files);

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

// The checks of an item's bytes since its version before: what audits found, in short.
struct FixityChecks {
  std::uint64_t count = 0;
  std::uint64_t damaged = 0;  // of them, those that found damage
  bool last_damaged = false;
  Timestamp first, last;
};

struct PackageInput {
  std::string objid;  // the item's slug
  Description description;
  Original original;
  Organisation archivist;          // who describes and hands over; may be empty
  Timestamp created;               // of the OCFL version
  std::vector<Timestamp> earlier;  // of the versions before, the first one first
  FixityChecks checks;             // of the version before; of a first one there are none
  bool read_back = true;           // stored bytes are read back before the package is acknowledged
  Payload files;
  std::vector<DocumentFile> documentation;  // likewise; none is called LISEZ-MOI.txt
  std::string received;                     // what it came in, as a sentence of an event; or empty
  std::vector<std::string> parts;           // slugs of the items that a group item describes
};

// A file that the package has besides its payload.
struct GeneratedFile {
  std::string path;  // in the package
  std::string media_type;
  std::string role;  // "metadata", "documentation", "schema"
};

// What the package holds at a path.
struct Held {
  std::uint64_t size_bytes = 0;
  Digest sha512;
};
// Keeps a file: takes what `bytes` hands on, and tells what it was.
using Keep = std::function<Result<Held>(const GeneratedFile& file, const Produce& bytes)>;

// Where payload files go: "representations/master/data/".
std::string payload_folder();
std::string documentation_folder();  // "documentation/"

// Renders all files of the package but the payload, in the order in which they depend on each
// other: METS.xml last. Memory does not grow with the files: those that list them are written piece
// by piece. Errors: those of `keep` and of the payload.
Result<void> render_package(const PackageInput& input, const Keep& keep);

// A file of the package as the second reader finds it: what is held there, and a number below
// their count that no other file has.
struct Found {
  Held held;
  std::size_t number = 0;
};
using Lookup = std::function<std::optional<Found>(const std::string& path)>;

// Reads the METS files of a package as a stranger would, while they are written: well-formed, every
// reference to a file that is there with this size and digest, and in the end no file but the
// package's own METS that none of them names.
class PackageCheck {
 public:
  explicit PackageCheck(Lookup lookup);
  ~PackageCheck();
  PackageCheck(const PackageCheck&) = delete;
  PackageCheck& operator=(const PackageCheck&) = delete;

  // What `bytes` hands on for the METS file at `path`, read on its way; what it names must be there
  // by then. Anything but a METS file is only handed on. Both must outlive the answer.
  // Errors: invalid ("mets-…", "xml-…"). For our own output any error is a defect of ours.
  Produce reading(const std::string& path, const Produce& bytes);
  // Requires: every METS was read. `files` is how many the package has, METS.xml among them.
  // Errors: invalid ("mets-incomplete").
  Result<void> finish(std::size_t files) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The METS that points at the item packages of a transfer.
struct TransferEntry {
  std::string slug;
  std::string label;
  Digest mets_sha512;  // of the item's METS.xml
  std::uint64_t mets_size_bytes = 0;
};
// `entries` is gone through twice.
struct TransferMets {
  std::string objid;
  std::string label;
  Timestamp created;
  Organisation archivist;
  Organisation preservation;
  using Each = std::function<Result<void>(const TransferEntry&)>;
  std::function<Result<void>(const Each& each)> entries;
};
Result<void> render_transfer_mets(const TransferMets& transfer, const Sink& sink);

// The id of a file in METS and PREMIS: a version 5 UUID of OBJID and path.
Uuid file_uuid(std::string_view objid, std::string_view path);

}  // namespace versement::mets
