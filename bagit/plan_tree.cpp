#include "bagit/plan_tree.hpp"

namespace versement::bagit {
namespace {

class SourceStream : public Stream {
 public:
  explicit SourceStream(std::shared_ptr<Source> source) : source_(std::move(source)) {}

  Result<std::size_t> read(std::span<std::byte> into) override {
    TRY_SET(const std::size_t count, source_->read_at(offset_, into));
    offset_ += count;
    return count;
  }

 private:
  const std::shared_ptr<Source> source_;
  std::uint64_t offset_ = 0;
};

}  // namespace

PlanTree::PlanTree(std::string name, List list, Open open)
    : name_(std::move(name)), list_(std::move(list)), open_(std::move(open)) {}

Result<void> PlanTree::visit(Visitor& visitor, const std::stop_token& stop) {
  return list_([&](const std::string& path, std::uint64_t size_bytes) -> Result<void> {
    if (stop.stop_requested()) return Error(Code::cancelled, "stopped");
    Entry entry;
    entry.path = path;
    entry.size_bytes = size_bytes;
    TRY(visitor.entry(std::move(entry)));
    return {};
  });
}

Result<std::unique_ptr<Stream>> PlanTree::open(std::size_t number, const std::string& /*path*/) {
  TRY_SET(auto source, open_(number));
  return std::unique_ptr<Stream>(std::make_unique<SourceStream>(std::move(source)));
}

}  // namespace versement::bagit
