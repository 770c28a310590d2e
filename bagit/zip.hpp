// Writes the parts of a zip archive whose members are stored as they are (APPNOTE 6.3). No
// compression: whoever verifies it need not unpack, and the place of every member follows from the
// names and sizes. Zip64 only where a number needs it, as older readers do not know it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "store/base/time.hpp"

namespace versement::bagit {

struct ZipMember {
  std::string path;  // UTF-8; with '/' at its end: a folder
  std::uint64_t size_bytes = 0;
  std::uint32_t crc = 0;
  std::uint64_t header_at = 0;  // where its local header begins
  Timestamp modified;           // kept in UTC, in steps of two seconds, from 1980 on
};

// What stands before the bytes of a member; its length does not depend on the CRC.
std::string zip_header(const ZipMember& member);
// The central directory and what ends the archive. `at` is where it begins.
std::string zip_end(const std::vector<ZipMember>& members, std::uint64_t at);

}  // namespace versement::bagit
