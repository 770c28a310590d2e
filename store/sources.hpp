// What the index asks for when it meets an event without the writer at hand: files from the object
// in the store, long lists from evidence.
#pragma once

#include "store/base/disk.hpp"
#include "store/index/index.hpp"

namespace versement::store {

// Thread safe.
class ObjectSources : public index::Sources {
 public:
  ObjectSources(Disk& disk, Path root, Path evidence)
      : disk_(disk), root_(std::move(root)), evidence_(std::move(evidence)) {}

  // The object's inventory must be the one that the event names. When it is not, or is gone, the
  // rows come without digests and content paths: the item stays listed, and audits report it.
  Result<std::vector<index::FileRow>> rows_of(const journal::Event& event) override;
  Result<void> evidence(std::string_view digest,
                        const std::function<Result<void>(const json::Object&)>& each) override;

 private:
  Disk& disk_;
  const Path root_;
  const Path evidence_;
};

}  // namespace versement::store
