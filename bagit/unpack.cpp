#include "bagit/unpack.hpp"

#include <errno.h>

#include <memory>
#include <optional>
#include <vector>

#include <archive.h>
#include <archive_entry.h>

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

struct FreeArchive {
  void operator()(archive* a) const { archive_read_free(a); }
};

// What libarchive's callback needs, and the error that it cannot carry.
struct Stream {
  explicit Stream(const ReadBytes& read_in) : read(read_in) {}
  const ReadBytes& read;
  std::vector<std::byte> buffer = std::vector<std::byte>(limits::kChunkBytes);
  std::optional<Error> error;
};

la_ssize_t read_callback(archive* a, void* data, const void** block) {
  auto* const stream = static_cast<Stream*>(data);
  auto count = stream->read(stream->buffer);
  if (!count) {
    archive_set_error(a, EIO, "%s", count.error().what().c_str());
    stream->error = std::move(count).error();
    return -1;
  }
  *block = stream->buffer.data();
  return static_cast<la_ssize_t>(*count);
}

class TarReader {
 public:
  TarReader(const ReadBytes& read, const UnpackLimits& bounds, MemberSink& sink)
      : stream_(read), bounds_(bounds), sink_(sink) {}

  Result<void> run() {
    archive_.reset(archive_read_new());
    archive_read_support_format_tar(archive_.get());
    if (archive_read_open(archive_.get(), &stream_, nullptr, read_callback, nullptr) != ARCHIVE_OK) {
      return failed();
    }
    while (true) {
      archive_entry* entry = nullptr;
      const int code = archive_read_next_header(archive_.get(), &entry);
      if (code == ARCHIVE_EOF) return {};
      if (code != ARCHIVE_OK) return failed();
      if (++members_ > bounds_.members_max) {
        return Error(Code::limit, "the archive has more than " +
                                      std::to_string(bounds_.members_max) + " members");
      }
      TRY(member(entry));
    }
  }

 private:
  Error failed() {
    if (stream_.error) return std::move(*stream_.error);
    const char* const text = archive_error_string(archive_.get());
    return Error(Code::corrupt, "not a whole tar archive: " +
                                    std::string(text != nullptr ? text : "unknown fault"))
        .as("archive-corrupt");
  }

  Result<void> member(archive_entry* entry) {
    const char* const raw = archive_entry_pathname(entry);
    const std::string name = raw != nullptr ? raw : "";
    const auto kind = archive_entry_filetype(entry);
    if (kind == AE_IFDIR) return {};
    if (kind != AE_IFREG || archive_entry_hardlink(entry) != nullptr) {
      return Error(Code::invalid, "'" + printable(name) + "' is no regular file")
          .as("archive-special-file");
    }
    auto path = LogicalPath::parse(name);
    if (!path) return std::move(path).error().as("archive-path");
    const ArchiveMember found{
        .path = std::move(*path),
        .size_bytes = static_cast<std::uint64_t>(archive_entry_size(entry)),
        .header_offset = static_cast<std::uint64_t>(archive_read_header_position(archive_.get()))};
    TRY(sink_.begin(found));
    TRY(data(found));
    return sink_.end();
  }

  Result<void> data(const ArchiveMember& found) {
    std::uint64_t done = 0;
    while (true) {
      const void* block = nullptr;
      std::size_t size = 0;
      la_int64_t offset = 0;
      const int code = archive_read_data_block(archive_.get(), &block, &size, &offset);
      if (code == ARCHIVE_EOF) break;
      if (code != ARCHIVE_OK) return failed();
      if (static_cast<std::uint64_t>(offset) != done) {
        return Error(Code::invalid, "'" + found.path.text() + "' is sparse").as("archive-sparse");
      }
      done += size;
      total_ += size;
      if (total_ > bounds_.total_bytes_max) return Error(Code::limit, "the archive is too large");
      TRY(sink_.data({static_cast<const std::byte*>(block), size}));
    }
    if (done != found.size_bytes) {
      return Error(Code::corrupt, "'" + found.path.text() + "' ends early").as("archive-corrupt");
    }
    return {};
  }

  Stream stream_;
  const UnpackLimits bounds_;
  MemberSink& sink_;
  std::unique_ptr<archive, FreeArchive> archive_;
  std::uint64_t members_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

Result<void> read_tar(const ReadBytes& read, const UnpackLimits& limits, MemberSink& sink) {
  return TarReader(read, limits, sink).run();
}

}  // namespace versement::bagit
