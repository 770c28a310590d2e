// A transfer as the tests hand it over: an agreement, items that are there, and the seal.
#pragma once

#include <string>
#include <vector>

#include "service/ingest/run.hpp"
#include "service/transfer/seal.hpp"
#include "store/store.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::testing {

inline constexpr const char* kTransfer = "019bc0fd-89c2-747d-bc8c-b58341d878a2";

// Two items, A-1 of one file and B-1 of two, in a folder as it is deposited.
inline void write_deposit(const Path& deposit,
                          const std::string& bytes,
                          const std::string& title,
                          const std::string& conditions = "Libre") {
  for (const char* below : {"objects/a", "objects/b", "metadata"})
    ASSERT_OK(make_folders(real_disk(), deposit / below));
  write(deposit / "objects/a/scan é.txt", bytes);
  write(deposit / "objects/b/recto.txt", "recto");
  write(deposit / "objects/b/verso.txt", "verso");
  write(deposit / "metadata/metadata.csv",
        "filename,identifier,dc.title,dc.rights,credit,owner\n"
        "objects/a/scan é.txt,A-1," +
            title + "," + conditions +
            ",Apur,Apur\n"
            "objects/b/recto.txt,B-1,Deux," +
            conditions +
            ",Apur,Apur\n"
            "objects/b/verso.txt,B-1,,,,\n");
}

// Journals a draft with these items, and the agreement that it needs.
inline Result<void> make_draft(store::Store& store, const std::vector<std::string>& slugs) {
  journal::Event agreement = store.event(journal::type::kAgreementCreated, "tester");
  agreement.objects["agreement"] = "a";
  const json::Object party{{"id", "p"}, {"name", "P"}};
  agreement.detail["agreement"] =
      json::Object{{"id", "a"}, {"transferring_agency", party}, {"archival_agency", party}};
  TRY(store.append(std::move(agreement)));
  journal::Event transfer = store.event(journal::type::kTransferCreated, "tester");
  transfer.objects["transfer"] = kTransfer;
  transfer.detail["transfer"] =
      json::Object{{"id", kTransfer},  {"reference", "V-1"},
                   {"agreement", "a"}, {"title", json::Object{{"fr", "Versement"}}},
                   {"state", "draft"}, {"item_count", 0}};
  TRY(store.append(std::move(transfer)));
  journal::Event items = store.event(journal::type::kTransferItemsAdded, "tester");
  items.objects["transfer"] = kTransfer;
  json::Array added;
  for (const std::string& slug : slugs)
    added.emplace_back(slug);
  items.detail["items"] = std::move(added);
  TRY(store.append(std::move(items)));
  return {};
}

inline Result<void> seal_draft(store::Store& store) {
  transfer::SealOptions options;
  options.agent = "tester";
  options.job = "job";
  options.verify = [](const std::string&) { return Result<void>(); };
  transfer::SealProgress progress;
  TRY(transfer::seal(store, kTransfer, options, progress, {}));
  return {};
}

}  // namespace versement::testing
