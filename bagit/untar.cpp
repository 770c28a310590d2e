#include "bagit/untar.hpp"

#include <algorithm>
#include <vector>

#include "bagit/tar_header.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

Error corrupt(const std::string& what) {
  return Error(Code::corrupt, "not a whole tar archive: " + what).as("archive-corrupt");
}

class TarReader {
 public:
  TarReader(const ReadBytes& read, const ArchiveLimits& bounds, MemberSink& sink)
      : input_(read), bounds_(bounds), sink_(sink) {}

  Result<void> run() {
    TarHeaders headers(input_);
    TarItem item;
    bool zeros = false;
    while (true) {
      auto got = headers.next(&item);
      if (!got) return named(std::move(got).error());
      if (*got == TarHeaders::Got::end) return corrupt("it ends early");
      if (*got == TarHeaders::Got::zeros) {
        if (zeros) return {};
        zeros = true;
        continue;
      }
      if (zeros) return corrupt("a single block of zeros inside");
      TRY(take(item));
    }
  }

 private:
  // The reasons that callers of read_tar know.
  static Error named(Error error) {
    if (!is_archive_fault(error)) return error;
    if (error.code() == Code::corrupt) return std::move(error).as("archive-corrupt");
    return {error.code(), error.what()};
  }

  Result<void> take(const TarItem& item) {
    if (item.kind == '5') {
      if (item.stored_bytes != 0) return corrupt("a folder with content");
      return {};
    }
    if (item.sparse != TarSparse::none) {
      return Error(Code::invalid, "'" + printable(item.name) + "' is sparse").as("archive-sparse");
    }
    if (!item.is_file()) {
      return Error(Code::invalid, "'" + printable(item.name) + "' is no regular file")
          .as("archive-special-file");
    }
    // Some programs write folders as files whose name ends with a slash.
    if (item.name.ends_with('/') && item.stored_bytes == 0) return {};
    auto path = LogicalPath::parse(item.name);
    if (!path) return std::move(path).error().as("archive-path");
    return member({.path = std::move(*path),
                   .size_bytes = item.stored_bytes,
                   .header_offset = item.header_offset},
                  item.padding_bytes());
  }

  Result<void> member(const ArchiveMember& found, std::uint64_t padding) {
    if (++members_ > bounds_.members_max) {
      return Error(Code::limit,
                   "the archive has more than " + std::to_string(bounds_.members_max) + " members");
    }
    if (found.size_bytes > bounds_.total_bytes_max - total_) {
      return Error(Code::limit,
                   "the archive holds more than " + human_bytes(bounds_.total_bytes_max));
    }
    total_ += found.size_bytes;
    TRY(sink_.begin(found));
    std::uint64_t left = found.size_bytes;
    while (left > 0) {
      const auto into = std::span(buffer_).first(std::min<std::uint64_t>(left, buffer_.size()));
      TRY_SET(const std::size_t count, input_.read(into));
      if (count == 0) return corrupt("'" + found.path.text() + "' ends early");
      left -= count;
      TRY(sink_.data(into.first(count)));
    }
    TRY_SET(const std::uint64_t skipped, input_.skip(padding));
    if (skipped < padding) return corrupt("it ends early");
    return sink_.end();
  }

  FunctionInput input_;
  const ArchiveLimits& bounds_;
  MemberSink& sink_;
  std::vector<std::byte> buffer_ = std::vector<std::byte>(limits::kChunkBytes);
  std::uint64_t members_ = 0;
  std::uint64_t total_ = 0;
};

}  // namespace

Result<void> read_tar(const ReadBytes& read, const ArchiveLimits& limits, MemberSink& sink) {
  return TarReader(read, limits, sink).run();
}

}  // namespace versement::bagit
