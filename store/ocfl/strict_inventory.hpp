// An inventory as a validator reads it: every rule about one inventory by itself is checked, every
// fault is a finding, and what can be understood is kept, compactly.
//
// The document is never held whole: a list of 20,000 files with three digests each is 10 MB of JSON
// and 2 MB here.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/base/digest.hpp"
#include "store/base/disk.hpp"
#include "store/ocfl/findings.hpp"
#include "store/ocfl/texts.hpp"

namespace versement::ocfl {

enum class Spec { v1_0, v1_1 };

std::string_view spec_name(Spec spec);  // "1.1"

// One path under one digest.
struct Entry {
  TextId path = 0;
  TextId digest = 0;  // as written
  TextId lower = 0;   // in lower case
};

struct StrictVersion {
  std::string name;          // "v1"
  std::uint32_t number = 0;  // 0 when the name is none of a version
  std::string created, message, user_name, user_address;
  std::vector<Entry> state;  // sorted by path id
};

struct StrictFixity {
  std::string algorithm;
  std::vector<Entry> entries;
};

struct StrictInventory {
  bool is_json = false;  // else nothing below is known
  std::string id, type, head;
  std::optional<Algorithm> algorithm;  // sha512 or sha256
  std::optional<std::string> content_directory_key;
  std::string content_directory = "content";  // safe to be a part of a path
  std::optional<Spec> spec;                   // what `type` says
  bool has_manifest = false;
  std::vector<Entry> manifest;          // sorted by path id; clean paths only
  std::vector<StrictFixity> fixity;     // clean paths only
  std::vector<StrictVersion> versions;  // sorted by number; those without one come first
  bool has_digests = false;             // all of its bytes were read
  Digest sha512;
  Digest sha256;

  const StrictVersion* version(std::uint32_t number) const;
  std::uint32_t head_number() const { return versions.empty() ? 0 : versions.back().number; }
  Digest own_digest() const { return algorithm == Algorithm::sha256 ? sha256 : sha512; }
};

// "v12" and "v0012" are 12; 0 for what is no version's name.
std::uint32_t version_of_name(std::string_view name);

// Reads the inventory at `file`, called `name` in the findings. `declared` is the version of OCFL
// that the object declares; without it (inventories of versions) the one that `type` says holds.
StrictInventory read_strictly(Disk& disk,
                              const Path& file,
                              const std::string& name,
                              std::optional<Spec> declared,
                              Texts& texts,
                              Findings& findings);

}  // namespace versement::ocfl
