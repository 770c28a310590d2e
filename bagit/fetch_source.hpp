// The fetch.txt of a holey bag (RFC 8493 section 2.2.3), made where it is read: one line for each
// file that the bag lists and does not have. For a million files it would be a text of 250 MB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "bagit/archive_source.hpp"

namespace versement::bagit {

// Thread safe. It keeps where every sixteenth line begins.
class FetchSource : public Source {
 public:
  // Lists the members from number `first` on. What is above the bag's own paths has `top_bytes`
  // bytes in the members' names. A file's URL is `base` and its path, percent-coded as far as a URL
  // asks for; in the path of the line CR, LF and '%' are.
  FetchSource(std::shared_ptr<const MemberList> members,
              std::size_t first,
              std::size_t top_bytes,
              std::string base);

  std::uint64_t size_bytes() const override { return size_bytes_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;
  std::size_t memory_bytes() const {
    return begins_.capacity() * sizeof(std::uint64_t) + base_.capacity();
  }

 private:
  std::string line(const std::string& name, std::size_t member) const;

  std::shared_ptr<const MemberList> members_;
  std::size_t first_;
  std::size_t top_bytes_;
  std::string base_;
  std::vector<std::uint64_t> begins_;  // of each block of lines
  std::uint64_t size_bytes_ = 0;
};

}  // namespace versement::bagit
