// The bag of a sealed transfer as a view: where each of its files lies, and the whole as archives
// that exist nowhere.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "bagit/tar.hpp"
#include "bagit/zip.hpp"
#include "mets/table.hpp"
#include "service/transfer/kept.hpp"
#include "store/base/json.hpp"
#include "store/base/limits.hpp"
#include "store/store.hpp"

namespace versement::transfer {

struct BagFile {
  std::string path;  // in the bag: "data/SLUG/…", "manifest-sha512.txt"
  std::string item;  // slug; empty for tag files and the transfer's METS
  ObjectId object;
  std::uint32_t version = 1;
  index::FileRow row;

  // Whose file it is, as audits and incidents name it.
  std::string owner(const json::Object& transfer) const;
};

// Calls `each` for every file of the bag in the order of the tar: the declaration, tag manifests
// and manifests first, so that whoever reads the stream can check all that follows.
Result<void> for_each_bag_file(const store::Store& store,
                               const json::Object& transfer,
                               const std::function<bool(const BagFile&)>& each);

// Finds one file. Errors: not_found.
Result<BagFile> find_bag_file(const store::Store& store,
                              const json::Object& transfer,
                              std::string_view path);

// The files of an item, as the tables of a bag name them: its payload, of an item without files its
// notice (docs/format/tables.md).
Result<void> for_each_table_file(const store::Store& store,
                                 std::string_view slug,
                                 std::uint32_t version,
                                 const mets::TableItem::Each& each);

// Whether the object that the file lies in is what the journal says (store::check_item_object).
Result<void> check_bag_file(store::Store& store, const json::Object& transfer, const BagFile& file);

inline constexpr std::string_view kZipNotPossible = "zip-not-possible";
// Whether a zip can be made of the members. Errors: conflict (kZipNotPossible).
Result<void> check_crcs(const bagit::MemberList& members);

// The archives that a bag is served as. The holey one has the tag files only, and a fetch.txt that
// names where each file of the payload is to be had.
enum class Archive { tar, zip, holey_tar };

inline constexpr std::uint64_t kHoleySerialisation = 1;

// The number of the archive's layout, as it stands in the seal.
std::uint64_t serialisation_of(Archive form, const json::Object& transfer);

// The strong entity tag of an archive. `files_url`: see Bags::holey_tar; of the others it is no
// part.
std::string archive_etag(Archive form, const json::Object& transfer, std::string_view files_url);

// Bags as archives. The plans that were used last are kept, up to so many bytes. Thread safe.
class Bags {
 public:
  explicit Bags(store::Store& store, std::size_t plan_bytes_kept = limits::kPlanBytesKept);

  // Of a sealed transfer; the same bytes at every call, for ever.
  Result<std::shared_ptr<bagit::ArchiveSource>> tar(const json::Object& transfer);
  // Errors of zip: those of check_crcs, too.
  Result<std::shared_ptr<bagit::ArchiveSource>> zip(const json::Object& transfer);
  // `files_url` and a path in the bag make the address of a file.
  Result<std::shared_ptr<bagit::ArchiveSource>> holey_tar(const json::Object& transfer,
                                                          const std::string& files_url);

 private:
  struct Plan;
  struct Holey {
    std::shared_ptr<bagit::ArchiveSource> tar;
    std::size_t memory_bytes = 0;
  };
  static Holey lay_out_holey(const Plan& plan,
                             const json::Object& transfer,
                             const std::string& files_url);
  Result<std::shared_ptr<Plan>> plan(const json::Object& transfer);
  Result<std::shared_ptr<Plan>> make(const json::Object& transfer);

  store::Store& store_;
  std::mutex making_;  // One plan at a time: a large one needs its memory once.
  Kept<Plan> kept_;
  Kept<bagit::ArchiveSource> holey_;  // each of one transfer and one address
};

}  // namespace versement::transfer
