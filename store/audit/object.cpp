#include "store/audit/object.hpp"

#include <map>
#include <optional>
#include <set>
#include <vector>

#include <fcntl.h>

#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/ocfl/inventory.hpp"

namespace versement::audit {
namespace {

constexpr int kRereads = 2;
constexpr std::size_t kDepthMax = 128;

struct Expected {
  Digest sha512;
  std::optional<Digest> sha256;
};

class ObjectCheck {
 public:
  ObjectCheck(Disk& disk,
              const ObjectToCheck& object,
              const std::stop_token& stop,
              std::atomic<std::uint64_t>& bytes_read,
              const std::function<void(FileOutcome&&)>& each)
      : disk_(disk), object_(object), stop_(stop), bytes_read_(bytes_read), each_(each) {}

  Result<void> run() {
    auto info = disk_.info(object_.folder);
    if (!info) {
      const bool missing = info.error().code() == Code::not_found;
      say(missing ? Outcome::missing : Outcome::unreadable, "", info.error().what());
      return {};
    }
    if (info->kind != FileKind::folder) {
      say(Outcome::unexpected, "", "something else stands where the object's folder should be");
      return {};
    }
    if (!expect()) return {};
    walk("", 0);
    for (const auto& [path, expected] : expected_) {
      if (seen_.contains(path)) continue;
      each_({.outcome = Outcome::missing,
             .path = path,
             .size_bytes = 0,
             .expected = expected.sha512.hex(),
             .found = {},
             .detail = "is not there"});
    }
    for (const std::string& path : seen_in_order_) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "stopped");
      TRY(check(path, expected_.at(path)));
    }
    return {};
  }

 private:
  void say(Outcome outcome, const std::string& path, const std::string& detail) {
    each_({.outcome = outcome,
           .path = path,
           .size_bytes = 0,
           .expected = {},
           .found = {},
           .detail = detail});
  }

  void expect_bytes(const std::string& path, std::string_view bytes) {
    expected_[path] = {digest_of(Algorithm::sha512, bytes), std::nullopt};
  }

  // Finds an inventory that is the journal's, and takes from it what must be there.
  bool expect() {
    std::optional<ocfl::Inventory> inventory;
    std::string bytes;
    std::string why;
    bool unread = false;
    const std::string wanted = object_.inventories.empty() ? "" : object_.inventories.back();
    const auto head = static_cast<std::uint32_t>(object_.inventories.size());
    for (const std::string& place : {std::string(), Version(head).folder()}) {
      auto read = read_file(disk_, object_.folder / place / ocfl::kInventoryName,
                            limits::kInventoryBytesMax);
      if (!read) {
        unread = unread || is_unanswered(read.error());
        if (why.empty()) why = read.error().what();
        continue;
      }
      if (digest_of(Algorithm::sha512, *read).hex() != wanted) {
        if (why.empty()) why = "the inventory is another than the journal says";
        continue;
      }
      auto parsed = ocfl::parse_inventory(*read);
      if (!parsed) continue;
      inventory = std::move(*parsed);
      bytes = std::move(*read);
      break;
    }
    if (!inventory) {
      each_({.outcome = unread ? Outcome::unreadable : Outcome::mismatch,
             .path = std::string(ocfl::kInventoryName),
             .size_bytes = 0,
             .expected = wanted,
             .found = {},
             .detail = why + "; without a right inventory no other file can be judged"});
      return false;
    }
    take(*inventory, bytes);
    return true;
  }

  void take(const ocfl::Inventory& inventory, const std::string& bytes) {
    expect_bytes(std::string(ocfl::kObjectDeclarationName), ocfl::kObjectDeclaration);
    const std::string name(ocfl::kInventoryName);
    const std::string sidecar_name = ocfl::sidecar_name(inventory.algorithm);
    const std::string sidecar =
        ocfl::write_sidecar(digest_of(inventory.algorithm, std::string_view(bytes)));
    for (const std::string& folder : {std::string(), Version(inventory.head()).folder() + "/"}) {
      expect_bytes(folder + name, bytes);
      expect_bytes(folder + sidecar_name, sidecar);
    }
    // Earlier versions keep the inventories that they had.
    for (std::uint32_t number = 1; number < object_.inventories.size(); ++number) {
      const auto digest = Digest::from_hex(Algorithm::sha512, object_.inventories[number - 1]);
      if (!digest) continue;  // The journal names none: what stands there is unexpected.
      const std::string folder = Version(number).folder() + "/";
      expected_[folder + name] = {*digest, std::nullopt};
      expect_bytes(folder + sidecar_name, ocfl::write_sidecar(*digest));
    }
    for (const auto& [hex, paths] : inventory.manifest) {
      const auto digest = Digest::from_hex(inventory.algorithm, hex);
      if (!digest) continue;  // The inventory is ours: its digest was right.
      for (const std::string& path : paths)
        expected_[path] = {*digest, std::nullopt};
    }
    const auto block = inventory.fixity.find("sha256");
    if (block == inventory.fixity.end()) return;
    for (const auto& [hex, paths] : block->second) {
      const auto digest = Digest::from_hex(Algorithm::sha256, hex);
      for (const std::string& path : paths) {
        const auto found = expected_.find(path);
        if (digest && found != expected_.end()) found->second.sha256 = *digest;
      }
    }
  }

  void walk(const std::string& folder, std::size_t depth) {
    if (depth > kDepthMax) {
      say(Outcome::unexpected, folder, "folders nest deeper than any object's");
      return;
    }
    auto entries = list_sorted(disk_, object_.folder / folder);
    if (!entries) {
      say(Outcome::unreadable, folder, entries.error().what());
      return;
    }
    if (entries->empty() && !folder.empty()) {
      say(Outcome::unexpected, folder, "an empty folder");
    }
    for (const DirEntry& entry : *entries) {
      const std::string path = folder.empty() ? entry.name : folder + "/" + entry.name;
      if (entry.kind == FileKind::folder) {
        walk(path, depth + 1);
      } else if (!expected_.contains(path)) {
        say(Outcome::unexpected, path, "the inventory does not know it");
      } else if (entry.kind != FileKind::regular) {
        seen_.insert(path);
        say(Outcome::unexpected, path, "a link or special file stands in the place of the file");
      } else {
        seen_.insert(path);
        seen_in_order_.push_back(path);
      }
    }
  }

  struct Read {
    std::uint64_t size_bytes = 0;
    Digest sha512;
    Digest sha256;
  };

  Result<Read> read(const std::string& path) {
    const Path file = object_.folder / path;
    TRY_SET(const Fd fd, disk_.open(file, O_RDONLY));
    TRY_SET(const FileInfo info, disk_.info(fd, file));
    if (info.kind != FileKind::regular || info.links > 1) {
      return Error(Code::invalid, file.native() + " is no file of its own");
    }
    // The medium is asked, not the memory; and no one's cache is filled with what we read.
    disk_.drop_cache(fd);
    Hasher hasher{Algorithm::sha512, Algorithm::sha256};
    std::vector<std::byte> buffer(limits::kChunkBytes);
    Read result;
    while (true) {
      if (stop_.stop_requested()) return Error(Code::cancelled, "stopped");
      TRY_SET(const std::size_t count, disk_.read_at(fd, buffer, result.size_bytes, file));
      if (count == 0) break;
      hasher.update(std::span<const std::byte>(buffer).first(count));
      result.size_bytes += count;
      bytes_read_ += count;
    }
    disk_.drop_cache(fd);
    const auto digests = hasher.finish();
    result.sha512 = digests[0];
    result.sha256 = digests[1];
    return result;
  }

  static bool matches(const Read& read, const Expected& expected) {
    return read.sha512 == expected.sha512 && (!expected.sha256 || read.sha256 == *expected.sha256);
  }

  Result<void> check(const std::string& path, const Expected& expected) {
    auto first = read(path);
    if (!first) return cannot_read(path, first.error());
    FileOutcome outcome{.outcome = Outcome::verified,
                        .path = path,
                        .size_bytes = first->size_bytes,
                        .expected = expected.sha512.hex(),
                        .found = first->sha512.hex(),
                        .detail = {}};
    if (!matches(*first, expected)) {
      outcome.outcome = Outcome::mismatch;
      for (int i = 0; i < kRereads && outcome.outcome == Outcome::mismatch; ++i) {
        auto again = read(path);
        if (!again) return cannot_read(path, again.error());
        if (matches(*again, expected)) {
          outcome.outcome = Outcome::mismatch_transient;
          outcome.detail = "other bytes at the first reading, the right ones when read anew";
        }
      }
    }
    each_(std::move(outcome));
    return {};
  }

  Result<void> cannot_read(const std::string& path, const Error& error) {
    if (error.code() == Code::cancelled) return error;
    if (error.code() == Code::invalid) {
      say(Outcome::unexpected, path, error.what());
    } else if (error.code() == Code::not_found) {
      say(Outcome::missing, path, error.what());
    } else {
      say(Outcome::unreadable, path, error.what());
    }
    return {};
  }

  Disk& disk_;
  const ObjectToCheck& object_;
  const std::stop_token& stop_;
  std::atomic<std::uint64_t>& bytes_read_;
  const std::function<void(FileOutcome&&)>& each_;
  std::map<std::string, Expected> expected_;
  std::set<std::string> seen_;
  std::vector<std::string> seen_in_order_;
};

}  // namespace

Result<void> check_object(Disk& disk,
                          const ObjectToCheck& object,
                          const std::stop_token& stop,
                          std::atomic<std::uint64_t>& bytes_read,
                          const std::function<void(FileOutcome&&)>& each) {
  return ObjectCheck(disk, object, stop, bytes_read, each).run();
}

}  // namespace versement::audit
