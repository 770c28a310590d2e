// A sealed transfer as SEDA's receivers take it: a zip that exists nowhere, manifest.xml first,
// then the deposited files as Content/ID….ext.
//
// The manifest is made from the sealed bag alone (the pinned versions' packages, the agreement in
// it), once, into a file in work/ that has no name: the same transfer gives the same bytes after
// any start. It is kept for the transfers that were asked for last.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "bagit/zip.hpp"
#include "mets/seda.hpp"
#include "service/transfer/kept.hpp"
#include "store/base/json.hpp"
#include "store/store.hpp"

namespace versement::transfer {

// The number of the archive's and the manifest's layout: a change of any byte is another one.
inline constexpr std::uint64_t kSedaSerialisation = 1;

struct SedaArchive {
  std::shared_ptr<bagit::ArchiveSource> zip;
  std::string etag;  // strong; with the digest of the manifest, which has that of every file
};

// Thread safe.
class SedaArchives {
 public:
  explicit SedaArchives(store::Store& store);

  // The archive of a sealed transfer. Making the manifest reads two small files of each item.
  // Errors: corrupt ("content-corrupt") when a package is not what was sealed; no_space;
  // unavailable when too many wait for manifests of others.
  Result<SedaArchive> archive(const json::Object& transfer, mets::SedaVersion version);

 private:
  store::Store& store_;
  std::mutex making_;  // One manifest at a time. Before mutex_.
  std::mutex mutex_;
  std::size_t waiting_ = 0;  // Guarded by mutex_.
  Kept<SedaArchive> kept_;
};

}  // namespace versement::transfer
