#include "store/ocfl/writer.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include <fcntl.h>

#include "store/base/direct.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"
#include "store/ocfl/findings.hpp"
#include "store/ocfl/layout.hpp"
#include "store/ocfl/strict_inventory.hpp"
#include "store/ocfl/texts.hpp"

namespace versement::ocfl {
namespace {

// Small files are gathered in memory: one sync writes many of them.
constexpr std::uint64_t kDirectBytesMin = 1u << 20;
constexpr mode_t kFileMode = 0444;
constexpr mode_t kFolderMode = 0755;

struct Copied {
  std::uint64_t size_bytes = 0;
  std::uint32_t crc32 = 0;
  std::vector<Digest> digests;
};

StagedFile facts_of(const LogicalPath& path, const Copied& copied) {
  return {.path = path,
          .content_path = {},
          .size_bytes = copied.size_bytes,
          .crc32 = copied.crc32,
          .sha512 = copied.digests[0],
          .sha256 = copied.digests[1]};
}

std::vector<Algorithm> algorithms_for(std::span<const Digest> supplied) {
  std::vector<Algorithm> algorithms{Algorithm::sha512, Algorithm::sha256};
  for (const Digest& digest : supplied) {
    if (std::find(algorithms.begin(), algorithms.end(), digest.algorithm()) == algorithms.end()) {
      algorithms.push_back(digest.algorithm());
    }
  }
  return algorithms;
}

// Fills `into` from `offset` on, or up to the source's end.
Result<std::size_t> fill(Source& source, std::uint64_t offset, std::span<std::byte> into) {
  const std::uint64_t left = source.size_bytes() - offset;
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left));
  std::size_t done = 0;
  while (done < wanted) {
    TRY_SET(const std::size_t count,
            source.read_at(offset + done, into.subspan(done, wanted - done)));
    if (count == 0) return Error(Code::corrupt, "the source ends before its time");
    done += count;
  }
  return done;
}

// A file being written, hashed on the way.
class Incoming {
 public:
  // `direct`: past the page cache; all chunks but the last are whole blocks then.
  static Result<Incoming> create(Disk& disk,
                                 const Path& to,
                                 bool direct,
                                 std::span<const Algorithm> algorithms) {
    Incoming incoming(disk, to, algorithms);
    if (direct) {
      TRY_SET(DirectWriter writer, DirectWriter::create(disk, to, kFileMode));
      incoming.direct_ = std::move(writer);
    } else {
      TRY_SET(incoming.cached_, disk.open(to, O_WRONLY | O_CREAT | O_EXCL, kFileMode));
    }
    return incoming;
  }

  Result<void> take(std::span<const std::byte> chunk) {
    hasher_.update(chunk);
    copied_.crc32 = crc32_update(copied_.crc32, chunk);
    copied_.size_bytes += chunk.size();
    return direct_ ? direct_->write(chunk) : write_all(*disk_, cached_, chunk, to_);
  }

  Result<Copied> finish() {
    if (direct_) {
      TRY(direct_->close());
    } else {
      TRY(disk_->close(std::move(cached_), to_));
    }
    copied_.digests = hasher_.finish();
    return std::move(copied_);
  }

 private:
  Incoming(Disk& disk, Path to, std::span<const Algorithm> algorithms)
      : disk_(&disk), to_(std::move(to)), hasher_(algorithms) {}

  Disk* disk_;
  Path to_;
  Hasher hasher_;
  Copied copied_;
  std::optional<DirectWriter> direct_;
  Fd cached_;
};

Result<Copied> copy(Disk& disk,
                    Source& source,
                    const Path& to,
                    std::span<const Algorithm> algorithms,
                    const std::stop_token& stop) {
  const std::uint64_t size = source.size_bytes();
  DirectBuffer buffer(std::min<std::uint64_t>(limits::kDirectChunkBytes, size));
  TRY_SET(Incoming incoming, Incoming::create(disk, to, size >= kDirectBytesMin, algorithms));
  for (std::uint64_t offset = 0; offset < size;) {
    if (stop.stop_requested())
      return Error(Code::cancelled, "stopped while writing " + to.native());
    TRY_SET(const std::size_t count, fill(source, offset, buffer.all()));
    TRY(incoming.take(std::span<const std::byte>(buffer.all()).first(count)));
    offset += count;
  }
  return incoming.finish();
}

// The same of bytes whose number is known only at their end. Up to a chunk they are written as a
// small file.
Result<Copied> copy(Disk& disk,
                    const Produce& produce,
                    const Path& to,
                    std::span<const Algorithm> algorithms) {
  DirectBuffer buffer(limits::kDirectChunkBytes);
  const std::span<std::byte> all = buffer.all();
  std::size_t held = 0;
  std::optional<Incoming> incoming;
  const auto pass_on = [&](bool direct) -> Result<void> {
    if (!incoming) {
      TRY_SET(incoming, Incoming::create(disk, to, direct, algorithms));
    }
    TRY(incoming->take(all.first(held)));
    held = 0;
    return {};
  };
  const Sink sink = [&](std::string_view bytes) -> Result<void> {
    while (!bytes.empty()) {
      if (held == all.size()) TRY(pass_on(true));
      const std::size_t count = std::min(bytes.size(), all.size() - held);
      std::memcpy(all.data() + held, bytes.data(), count);
      held += count;
      bytes.remove_prefix(count);
    }
    return {};
  };
  TRY(produce(sink));
  if (held > 0 || !incoming) TRY(pass_on(false));
  return incoming->finish();
}

Result<void> compare(std::span<const Digest> supplied,
                     std::span<const Digest> found,
                     const LogicalPath& path) {
  for (const Digest& wanted : supplied) {
    const auto same = std::find_if(found.begin(), found.end(), [&](const Digest& digest) {
      return digest.algorithm() == wanted.algorithm();
    });
    if (same == found.end() || *same != wanted) {
      return Error(Code::invalid, path.text() + ": the supplied " +
                                      std::string(algorithm_name(wanted.algorithm())) + " is " +
                                      wanted.hex() + ", but the file has " +
                                      (same == found.end() ? "none" : same->hex()))
          .as("digest-mismatch");
    }
  }
  return {};
}

// Reads what was written as a stranger would: an inventory that breaks a rule must not be stored.
Result<void> check_inventory(Disk& disk, const Path& path, const Digest& digest) {
  Texts texts;
  Findings findings;
  const StrictInventory read =
      read_strictly(disk, path, std::string(kInventoryName), Spec::v1_1, texts, findings);
  for (const Problem& problem : findings.take()) {
    if (!any_fault({problem})) continue;
    return Error(problem.severity() == Severity::unread ? Code::io : Code::corrupt,
                 "our own inventory: " + problem.code + ": " + problem.detail)
        .as(problem.code);
  }
  if (read.has_digests && read.own_digest() == digest) return {};
  return Error(Code::corrupt, "our own inventory is not what was written").as("E060");
}

}  // namespace

ObjectWriter::ObjectWriter(Disk& disk, Path folder, Inventory inventory)
    : disk_(&disk),
      folder_(std::move(folder)),
      inventory_(std::move(inventory)),
      version_(inventory_.head() + 1) {
  inventory_.versions[version_];
}

Result<ObjectWriter> ObjectWriter::begin(Disk& disk, const Path& folder, const ObjectId& id) {
  Inventory inventory;
  inventory.id = id.text();
  ObjectWriter writer(disk, folder, std::move(inventory));
  TRY(disk.make_folder(folder, kFolderMode));
  writer.folders_.insert(folder);
  TRY(writer.make_parents(writer.version_folder() / "content" / "any"));
  return writer;
}

Result<ObjectWriter> ObjectWriter::begin_version(Disk& disk,
                                                 const Path& folder,
                                                 LoadedInventory current) {
  const Inventory& inventory = current.inventory;
  if (inventory.algorithm != Algorithm::sha512 || inventory.content_directory != "content") {
    return Error(Code::unsupported,
                 inventory.id +
                     " was made by another program with another digest or content "
                     "folder; versions are added to objects of ours only");
  }
  ObjectWriter writer(disk, folder, std::move(current.inventory));
  writer.base_ = current.digest;
  TRY(disk.make_folder(folder, kFolderMode));
  writer.folders_.insert(folder);
  TRY(writer.make_parents(writer.version_folder() / "content" / "any"));
  return writer;
}

Path ObjectWriter::version_folder() const {
  return folder_ / Version(version_).folder();
}

Result<void> ObjectWriter::make_parents(const Path& file) {
  const Path parent = file.parent_path();
  if (folders_.contains(parent)) return {};
  TRY(make_parents(parent));
  TRY(disk_->make_folder(parent, kFolderMode));
  folders_.insert(parent);
  return {};
}

Result<StagedFile> ObjectWriter::add(const LogicalPath& path,
                                     Source& source,
                                     std::span<const Digest> supplied,
                                     const std::stop_token& stop) {
  if (!is_new(path.text())) {
    return Error(Code::exists, "the object has the path " + path.text() + " already");
  }
  // The content path may depend on the digest, which is known only afterwards.
  const Path temporary = version_folder() / "content" / ".incoming";
  const auto algorithms = algorithms_for(supplied);
  auto copied = copy(*disk_, source, temporary, algorithms, stop);
  Result<void> same;
  if (copied) same = compare(supplied, copied->digests, path);
  if (!copied || !same) {
    (void)disk_->remove_file(temporary);  // The whole folder goes when the object is given up.
    return copied ? std::move(same).error() : std::move(copied).error();
  }
  const std::span<const Digest> extra = std::span<const Digest>(copied->digests).subspan(2);
  return store(path, temporary, facts_of(path, *copied), extra);
}

Result<StagedFile> ObjectWriter::add(const LogicalPath& path, std::string_view bytes) {
  ViewSource source(bytes);
  return add(path, source, {}, {});
}

Result<StagedFile> ObjectWriter::add(const LogicalPath& path, const Produce& produce) {
  if (!is_new(path.text())) {
    return Error(Code::exists, "the object has the path " + path.text() + " already");
  }
  const Path temporary = version_folder() / "content" / ".incoming";
  auto copied = copy(*disk_, produce, temporary, algorithms_for({}));
  if (!copied) {
    (void)disk_->remove_file(temporary);  // As above; it may not be there yet.
    return std::move(copied).error();
  }
  return store(path, temporary, facts_of(path, *copied), {});
}

// Moves the written file to its content path, or drops it when the object has these bytes already.
Result<StagedFile> ObjectWriter::store(const LogicalPath& path,
                                       const Path& temporary,
                                       StagedFile facts,
                                       std::span<const Digest> checked) {
  const std::string sha512 = facts.sha512.hex();
  std::vector<std::string>& contents = inventory_.manifest[sha512];
  if (contents.empty()) {
    TRY_SET(const Path below, free_content_path(path, facts.sha512));
    const Path target = folder_ / below;
    TRY(make_parents(target));
    TRY(disk_->rename_new(temporary, target));
    wrote(target);
    contents.push_back(below.native());
    sha256_.emplace_back(facts.sha256, &contents.front());  // The map's nodes stay in their place.
    for (const Digest& digest : checked) {
      inventory_.fixity[std::string(algorithm_name(digest.algorithm()))][digest.hex()].push_back(
          below.native());
    }
  } else {
    TRY(disk_->remove_file(temporary));
  }
  facts.content_path = contents.front();
  inventory_.versions[version_].state[sha512].push_back(path.text());
  (void)logical_paths_.intern(path.text());
  return facts;
}

void ObjectWriter::wrote(const Path& path) {
  if (written_count_++ < kWrittenNamedMax) {
    written_.push_back(path.native());
  } else {
    written_.clear();
  }
}

Result<StagedFile> ObjectWriter::keep(const StagedFile& known) {
  if (!is_new(known.path.text())) {
    return Error(Code::exists, "the object has the path " + known.path.text() + " already");
  }
  const std::string sha512 = known.sha512.hex();
  const DigestMap& before = inventory_.versions[version_ - 1].state;
  const auto same = before.find(sha512);
  if (same == before.end() || std::find(same->second.begin(), same->second.end(),
                                        known.path.text()) == same->second.end()) {
    return Error(Code::not_found,
                 "the version before has no file " + known.path.text() + " with these bytes");
  }
  StagedFile facts = known;
  facts.content_path = inventory_.manifest[sha512].front();
  inventory_.versions[version_].state[sha512].push_back(known.path.text());
  (void)logical_paths_.intern(known.path.text());
  kept_.insert(known.path.text());
  return facts;
}

Result<Path> ObjectWriter::free_content_path(const LogicalPath& path, const Digest& sha512) {
  const std::string hex = sha512.hex();
  std::string chosen = content_path(path.text(), hex);
  const auto taken = [this](const std::string& key) {
    if (content_keys_.find(key)) return true;
    (void)content_keys_.intern(key);
    return false;
  };
  if (taken(collision_key(chosen))) {
    // Taken by a path that differs in case only: S3 and Linux would keep both, others not.
    chosen = "x/" + hex.substr(0, 32);
    if (taken(chosen)) {
      return Error(Code::internal, "no free content path for " + path.text());
    }
  }
  return Path(Version(version_).folder()) / "content" / chosen;
}

Result<void> ObjectWriter::write_small(const Path& path, std::string_view bytes) {
  TRY_SET(Fd fd, disk_->open(path, O_WRONLY | O_CREAT | O_EXCL, kFileMode));
  TRY(write_all(*disk_, fd, as_bytes(bytes), path));
  TRY(disk_->close(std::move(fd), path));
  wrote(path);
  return {};
}

// The inventory of the version and that of the object, which are the same; the sidecars.
Result<Digest> ObjectWriter::write_inventories() {
  const std::array algorithms{inventory_.algorithm};
  std::optional<Digest> digest;
  for (const Path& place : {version_folder(), folder_}) {
    const Path path = place / kInventoryName;
    TRY_SET(const Copied copied,
            copy(
                *disk_, [this](const Sink& sink) { return write_inventory(inventory_, sink); },
                path, algorithms));
    wrote(path);
    digest = copied.digests.front();
    TRY(write_small(place / sidecar_name(inventory_.algorithm), write_sidecar(*digest)));
  }
  return *digest;
}

Result<StagedObject> ObjectWriter::finish(const VersionNote& note) {
  InventoryVersion& version = inventory_.versions[version_];
  version.created = note.created.text_seconds();
  version.message = note.message;
  version.user_name = note.user_name;
  version.user_address = note.user_address;
  for (auto& [digest, paths] : version.state)
    std::sort(paths.begin(), paths.end());
  if (written_count_ == 0) {  // No content folder when there is nothing in it (E024).
    TRY(disk_->remove_folder(version_folder() / "content"));
    folders_.erase(version_folder() / "content");
  }

  // Each list goes as soon as nothing needs it: all at once they are the most memory that a deposit
  // of many files takes.
  logical_paths_ = Texts();
  content_keys_ = Texts();
  for (const auto& [sha256, content] : sha256_)
    inventory_.fixity["sha256"][sha256.hex()].push_back(*content);
  sha256_ = {};

  StagedObject staged;
  TRY_SET(staged.inventory_digest, write_inventories());
  inventory_ = Inventory();
  TRY(check_inventory(*disk_, folder_ / kInventoryName, staged.inventory_digest));
  if (version_ == 1) TRY(write_small(folder_ / kObjectDeclarationName, kObjectDeclaration));
  staged.folder = folder_;
  staged.version = version_;
  staged.base = base_;
  staged.kept = std::move(kept_);
  staged.written_count = written_count_;
  staged.written_files = std::move(written_);
  staged.folders.assign(folders_.rbegin(), folders_.rend());
  return staged;
}

}  // namespace versement::ocfl
