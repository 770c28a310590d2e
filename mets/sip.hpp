// A package of the store as an E-ARK SIP 2.2.0: the same files, but for the headers of its METS
// files, which say under which agreement and by whom it is submitted (docs/format/package.md).
//
// A METS may list a hundred thousand files. What reads otherwise in the SIP is a few lines of it:
// they are spliced in where the stored bytes are read.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "mets/package.hpp"
#include "store/base/source.hpp"

namespace versement::mets {

// What the header of a SIP says besides that of the AIP.
struct Submission {
  std::string agreement;   // its reference at the archive
  Organisation submitter;  // who hands over; not empty
  Organisation archive;    // who takes over; not empty
  // Whether the archive has the item from an earlier submission, which this one takes the place of:
  // nothing that the AIP could know.
  bool replaces = false;
};

// In place of the bytes from `begin` up to `end` stands `text`.
struct Splice {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::string text;
};

// What makes the METS of an AIP that of a SIP, in rising order. `changed` are the files that the
// METS names and that are others in the SIP, by their path from it; without any, nothing behind the
// header is read. Requires: the METS is one of ours, of an AIP.
// Errors: invalid ("mets-header" where it is none of ours, "mets-reference" where it does not name
// what changed, "xml-…"); limit; those of the source.
Result<std::vector<Splice>> sip_splices(Source& mets,
                                        const Submission& submission,
                                        const std::map<std::string, Held>& changed);

// Bytes with splices in them. Requires: the splices lie in `base`, in rising order, none in
// another.
class SplicedSource final : public Source {
 public:
  SplicedSource(std::shared_ptr<Source> base, std::vector<Splice> splices);

  std::uint64_t size_bytes() const override { return size_bytes_; }
  Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) override;
  Result<FileRun> run_at(std::uint64_t offset) override;

 private:
  // The place of a byte: in the text of a splice, or in the base as far as the next splice.
  struct Place {
    const Splice* splice = nullptr;
    std::uint64_t offset = 0;
    std::uint64_t left = 0;
  };
  Place place_of(std::uint64_t offset) const;

  const std::shared_ptr<Source> base_;
  const std::vector<Splice> splices_;
  std::uint64_t size_bytes_ = 0;
};

}  // namespace versement::mets
