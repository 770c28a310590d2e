// A sealed transfer as SEDA's receivers take it: a zip that exists nowhere, manifest.xml first,
// then the deposited files as Content/ID….ext.
//
// The manifest is made from the sealed bag alone (the pinned versions' packages, the agreement in
// it), once, into a file in work/ that has no name: the same transfer gives the same bytes after
// any start. It is kept for the transfers that were asked for last.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <utility>

#include "bagit/zip.hpp"
#include "mets/seda.hpp"
#include "service/transfer/kept.hpp"
#include "store/base/json.hpp"
#include "store/store.hpp"

namespace versement::transfer {

// The number of the archive's and the manifest's layout: a change of any byte of either is another
// one, as the entity tag has nothing else that tells them apart.
inline constexpr std::uint64_t kSedaSerialisation = 1;

// The strong entity tag of an archive, which is known before it is made: whatever the manifest says
// comes out of the sealed bag.
std::string seda_etag(const json::Object& transfer, mets::SedaVersion version);

// Thread safe.
class SedaArchives {
 public:
  using Archive = std::shared_ptr<bagit::ArchiveSource>;

  explicit SedaArchives(store::Store& store,
                        std::chrono::milliseconds wait_max = std::chrono::seconds(15));

  // The archive of a sealed transfer. Making the manifest reads two small files of each item; who
  // asks meanwhile waits for it, so long.
  // Errors: corrupt ("content-corrupt") when a package is not what was sealed; no_space;
  // unavailable ("being-made") when it takes longer, or too many wait; cancelled ("shutting-down").
  Result<Archive> archive(const json::Object& transfer, mets::SedaVersion version);
  // Nothing when it would have to be made.
  Archive made(const json::Object& transfer, mets::SedaVersion version);
  // Ends what is being made and all waiting, for good.
  void stop();

 private:
  struct Making;
  Result<Archive> make(const std::shared_ptr<Making>& making,
                       const json::Object& transfer,
                       mets::SedaVersion version);

  store::Store& store_;
  const std::chrono::milliseconds wait_max_;
  std::stop_source stop_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_, as is what follows. One at a time: a large one needs its memory once.
  std::shared_ptr<Making> making_;
  std::size_t waiting_ = 0;  // for a turn of their own
  Kept<bagit::ArchiveSource> kept_;
};

}  // namespace versement::transfer
