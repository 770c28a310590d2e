#include "bagit/fetch_source.hpp"

#include <algorithm>
#include <cstring>

#include "bagit/tagfile.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

constexpr std::size_t kBlock = TextList::kBlock;

}  // namespace

FetchSource::FetchSource(std::shared_ptr<const MemberList> members,
                         std::size_t first,
                         std::size_t top_bytes,
                         std::string base)
    : members_(std::move(members)), first_(first), top_bytes_(top_bytes), base_(std::move(base)) {
  if (first_ >= members_->size()) return;
  begins_.reserve((members_->size() - first_) / kBlock + 1);
  TextList::Cursor name(members_->names(), first_);
  for (std::size_t member = first_;;) {
    if ((member - first_) % kBlock == 0) begins_.push_back(size_bytes_);
    size_bytes_ += line(name.text(), member).size();
    if (++member == members_->size()) return;
    name.next();
  }
}

std::string FetchSource::line(const std::string& name, std::size_t member) const {
  const std::string_view path = std::string_view(name).substr(top_bytes_);
  return base_ + percent_encode(path, "-._~/") + " " +
         std::to_string(members_->shape(member).size_bytes) + " " + encode_path(path) + "\n";
}

Result<std::size_t> FetchSource::read_at(std::uint64_t offset, std::span<std::byte> into) {
  if (offset >= size_bytes_) return std::size_t{0};
  const auto next = std::upper_bound(begins_.begin(), begins_.end(), offset);
  const auto block = static_cast<std::size_t>(next - begins_.begin()) - 1;
  std::size_t member = first_ + block * kBlock;
  std::uint64_t skip = offset - begins_[block];
  TextList::Cursor name(members_->names(), member);
  std::size_t done = 0;
  while (true) {
    const std::string text = line(name.text(), member);
    if (skip < text.size()) {
      const std::size_t count = std::min<std::size_t>(into.size() - done, text.size() - skip);
      std::memcpy(into.data() + done, text.data() + skip, count);
      done += count;
      skip = 0;
    } else {
      skip -= text.size();
    }
    if (done == into.size() || ++member == members_->size()) return done;
    name.next();
  }
}

}  // namespace versement::bagit
