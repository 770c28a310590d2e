// A data folder with a store in it, and the deposits that tests put there.
#pragma once

#include <memory>
#include <string>

#include "store/query.hpp"
#include "store/store.hpp"
#include "tests/support/expect.hpp"
#include "tests/support/fixed_clock.hpp"
#include "tests/support/temporary_folder.hpp"

namespace versement::testing {

class StoreFixture : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(store::Store::create(real_disk(), clock_, data(), "archive.example/test"));
    open();
  }

  Path data() const { return folder_ / "data"; }

  store::StoreOptions options() const {
    store::StoreOptions options;
    options.data = data();
    options.min_free_bytes = 0;
    return options;
  }

  void open() {
    auto opened = store::Store::open(real_disk(), clock_, options());
    ASSERT_OK(opened);
    store_ = std::move(*opened);
  }

  // Stores an item of one small file; returns its object id.
  Result<ObjectId> deposit(const std::string& slug, const std::string& bytes) {
    const ObjectId object = ObjectId::of_uuid(Uuid::at(clock_.now()));
    TRY_SET(auto deposit, store_->begin(object));
    index::FileRow row;
    row.role = "payload";
    row.media_type = "text/plain";
    TRY(deposit->add(LogicalPath::literal("representations/master/data/fiche é.txt"), bytes, row));
    TRY(deposit->add(LogicalPath::literal("METS.xml"), "<mets/>", {}));
    journal::Event event = store_->event(journal::type::kIngestion, "tester");
    event.objects["item"] = slug;
    event.objects["collection"] = "c";
    event.detail["read_back"] = true;
    event.detail["metadata"] = json::Object{{"title", json::Object{{"fr", "Fiche " + slug}}}};
    const ocfl::VersionNote note{event.time, "test", "tester", "mailto:tester@example.org"};
    TRY(store_->commit(std::move(deposit), note, std::move(event)));
    return object;
  }

  TemporaryFolder folder_;
  FixedClock clock_;
  std::unique_ptr<store::Store> store_;
};

}  // namespace versement::testing
