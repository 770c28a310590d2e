// Members of an archive as files of their own, for as long as they are needed.
//
// Nothing of the archive becomes a name on our disk: each member lies under its number in one flat
// folder, so that neither "..", links, devices nor two names that are one on this disk can do harm.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>

#include "bagit/archive.hpp"
#include "store/base/disk.hpp"
#include "store/base/result.hpp"

namespace versement::ingest {

struct Member {
  std::uint32_t number = 0;  // in the archive's own order
  std::string path;          // that it must have there
  std::uint64_t size_bytes = 0;
};

struct UnpackFrom {
  Disk& disk;
  const Path& archive;
  const FileInfo& info;  // when it was judged
  bagit::ArchiveLimits limits;
};

// The bytes of one member. Errors: limit; else as Unpacked::make.
Result<std::string> read_member(const UnpackFrom& from,
                                const Member& member,
                                std::size_t bytes_max,
                                const std::stop_token& stop);

class Unpacked {
 public:
  // Makes `folder` with these members in it. `members` are sorted by number. The archive must be
  // what it was when it was judged. Nothing is synced: after a crash the folder is of no use, and
  // the start removes it.
  // Errors: conflict ("file-changed"); those of Stream::read; no_space, cancelled, io.
  static Result<std::unique_ptr<Unpacked>> make(const UnpackFrom& from,
                                                Disk& disk,
                                                const Path& folder,
                                                std::span<const Member> members,
                                                const std::stop_token& stop);
  // Removes the folder.
  ~Unpacked();
  Unpacked(const Unpacked&) = delete;
  Unpacked& operator=(const Unpacked&) = delete;

  Path file(std::uint32_t number) const { return folder_ / std::to_string(number); }

 private:
  Unpacked(Disk& disk, const Path& folder) : disk_(disk), folder_(folder) {}

  Disk& disk_;
  const Path folder_;
};

}  // namespace versement::ingest
