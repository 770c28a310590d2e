// A version of an item as an E-ARK SIP: a zip that exists nowhere, with the files of the package as
// they lie in the store, and METS files whose header is that of a submission (mets/sip.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "bagit/zip.hpp"
#include "mets/sip.hpp"
#include "service/transfer/kept.hpp"
#include "store/base/json.hpp"
#include "store/base/limits.hpp"
#include "store/store.hpp"

namespace versement::transfer {

// The number of the layout: a change of any byte is another one.
inline constexpr std::uint64_t kSipSerialisation = 1;

struct SipArchive {
  std::shared_ptr<bagit::ArchiveSource> zip;
  std::string etag;  // strong; with the digest of METS.xml, from which that of every file follows
};

// What an agreement's record says of a submission under it.
mets::Submission submission_of(const json::Object& agreement);

// Thread safe.
class Sips {
 public:
  explicit Sips(store::Store& store, std::size_t plan_bytes_kept = limits::kPlanBytesKept)
      : store_(store), kept_(plan_bytes_kept) {}

  // The same bytes at every call for the same version and submission. Reads the version's METS
  // files, each once or twice. Requires: the item has the version.
  // Errors: corrupt ("content-corrupt") when a METS is not what was stored; those of check_crcs.
  Result<SipArchive> archive(std::string_view slug,
                             std::uint32_t version,
                             const mets::Submission& submission);

 private:
  store::Store& store_;
  std::mutex making_;  // One at a time: a large one needs its memory once.
  Kept<SipArchive> kept_;
};

}  // namespace versement::transfer
