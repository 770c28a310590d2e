#include "store/journal/evidence.hpp"

#include <atomic>

#include <fcntl.h>

#include "store/base/compress.hpp"
#include "store/base/digest.hpp"
#include "store/base/limits.hpp"
#include "store/base/publish.hpp"

namespace versement::journal {
namespace {

Result<void> check_digest_text(std::string_view digest) {
  auto parsed = Digest::from_hex(Algorithm::sha256, digest);
  if (!parsed) return std::move(parsed).error().during("name of an evidence file");
  return {};
}

}  // namespace

Path evidence_path(std::string_view digest) {
  return Path(std::string(digest.substr(0, 2))) / (std::string(digest) + ".jsonl.zst");
}

struct EvidenceWriter::State {
  State(Disk& disk_in, Path folder_in, Path temporary_in)
      : disk(disk_in), folder(std::move(folder_in)), temporary(std::move(temporary_in)) {}

  Result<void> take(std::span<const std::byte> bytes) {
    hasher.update(bytes);
    return write_all(disk, fd, bytes, temporary);
  }

  Disk& disk;
  Path folder;
  Path temporary;
  Fd fd;
  Hasher hasher{Algorithm::sha256};
  Compressor compressor{[this](std::span<const std::byte> bytes) { return take(bytes); }};
  bool finished = false;
};

EvidenceWriter::EvidenceWriter(std::unique_ptr<State> state) : state_(std::move(state)) {}

EvidenceWriter::~EvidenceWriter() {
  // Best effort: the next start sweeps .tmp-*.
  if (!state_->finished) (void)state_->disk.remove_file(state_->temporary);
}

Result<std::unique_ptr<EvidenceWriter>> EvidenceWriter::begin(Disk& disk, const Path& folder) {
  static std::atomic<unsigned> counter{0};
  const Path temporary = folder / (".tmp-evidence-" + std::to_string(counter.fetch_add(1)));
  auto state = std::make_unique<State>(disk, folder, temporary);
  TRY_SET(state->fd, disk.open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0444));
  return std::unique_ptr<EvidenceWriter>(new EvidenceWriter(std::move(state)));
}

Result<void> EvidenceWriter::line(const json::Object& value) {
  return state_->compressor.write(json::write(value) + "\n");
}

Result<std::string> EvidenceWriter::finish() {
  State& s = *state_;
  TRY(s.compressor.finish());
  TRY(s.disk.sync(s.fd, s.temporary));
  TRY(s.disk.close(std::move(s.fd), s.temporary));
  const std::string digest = s.hasher.finish().front().hex();
  const Path target = s.folder / evidence_path(digest);
  TRY(publish_folders(s.disk, target.parent_path()));
  auto renamed = s.disk.rename_new(s.temporary, target);
  // The same lines were recorded before: the same bytes are there already.
  if (!renamed && renamed.error().code() != Code::exists) return std::move(renamed).error();
  if (renamed) s.finished = true;
  TRY(sync_folder(s.disk, target.parent_path()));
  return digest;
}

Result<void> read_evidence(Disk& disk,
                           const Path& folder,
                           std::string_view digest,
                           const std::function<Result<void>(const json::Object&)>& each) {
  TRY(check_evidence(disk, folder, digest));
  return for_each_compressed_line(disk, folder / evidence_path(digest),
                                  limits::kEvidenceLineBytesMax,
                                  [&](std::string_view line) -> Result<void> {
                                    TRY_SET(const json::Object object, json::parse_object(line));
                                    return each(object);
                                  });
}

Result<void> check_evidence(Disk& disk, const Path& folder, std::string_view digest) {
  TRY(check_digest_text(digest));
  const Path path = folder / evidence_path(digest);
  TRY_SET(const Fd fd, disk.open(path, O_RDONLY | O_NONBLOCK));  // A FIFO would hold it up.
  TRY_SET(const FileInfo info, disk.info(fd, path));
  if (info.kind != FileKind::regular)
    return Error(Code::corrupt, path.native() + " is no file").as("evidence-mismatch");
  Hasher hasher{Algorithm::sha256};
  std::vector<std::byte> buffer(limits::kChunkBytes);
  std::uint64_t offset = 0;
  while (true) {
    TRY_SET(const std::size_t count, disk.read_at(fd, buffer, offset, path));
    if (count == 0) break;
    hasher.update(std::span<const std::byte>(buffer).first(count));
    offset += count;
  }
  if (hasher.finish().front().hex() != digest) {
    return Error(Code::corrupt, path.native() + " has other bytes than its name says")
        .as("evidence-mismatch");
  }
  return {};
}

}  // namespace versement::journal
