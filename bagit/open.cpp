#include "bagit/open.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "bagit/inflate.hpp"
#include "bagit/tar_header.hpp"
#include "bagit/tar_tree.hpp"
#include "bagit/zip_tree.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

using namespace std::string_view_literals;

struct Magic {
  std::string_view bytes;
  std::string_view name;
};

// What people pack bags in and we do not read.
constexpr std::array kOthers{
    Magic{"\xFD"
          "7zXZ\0"sv,
          "xz"},
    Magic{"BZh"sv, "bzip2"},
    Magic{"7z\xBC\xAF\x27\x1C"sv, "7z"},
    Magic{"\x28\xB5\x2F\xFD"sv, "zstd"},
    Magic{"\x04\x22\x4D\x18"sv, "lz4"},
    Magic{"Rar!\x1A\x07"sv, "rar"},
    Magic{"\x1F\x9D"sv, "compress (.Z)"},
    Magic{"LZIP"sv, "lzip"},
    Magic{"MSCF"sv, "cab"},
    Magic{"070701"sv, "cpio"},
    Magic{"070707"sv, "cpio"},
    Magic{"!<arch>\n"sv, "ar"},
    Magic{"xar!"sv, "xar"},
    Magic{"%PDF-"sv, "PDF"},
};

constexpr std::string_view kGzip = "\x1F\x8B";
// A member, the end of an archive without members, the mark of a split archive.
constexpr std::array kZip{"PK\3\4"sv, "PK\5\6"sv, "PK\7\10"sv, "PK00PK\3\4"sv};

bool is_tar(std::string_view head) {
  if (head.size() < kTarBlock) return false;
  TarBlock block;
  std::copy_n(as_bytes(head).begin(), kTarBlock, block.begin());
  // A header with damage is for the reader to name.
  return is_tar_header(block) || head.substr(257, 5) == "ustar";
}

bool is_zip(std::string_view head) {
  return std::any_of(kZip.begin(), kZip.end(), [&](auto each) { return head.starts_with(each); });
}

Error no_archive(std::string_view name, std::string_view head) {
  std::string looks = "no archive that we know";
  std::string_view code = "serialization.malformed";
  for (const Magic& each : kOthers) {
    if (!head.starts_with(each.bytes)) continue;
    looks = each.name;
    code = "serialization.method";
  }
  if (is_zip(head)) {
    return Error(Code::unsupported,
                 "a zip cannot be read from a pipe: its directory stands at its "
                 "end; give it as a file")
        .as("serialization.method");
  }
  if (head.empty()) looks = "an empty file";
  if (!head.empty() && head.find_first_not_of('\0') == std::string_view::npos) {
    looks = "nothing but zeros at its beginning";
  }
  return Error(Code::unsupported,
               "'" + printable(name) + "' is " + looks +
                   ": read are tar, tar.gz and zip; unpack it, or pack it as one of these")
      .as(code);
}

// Gives back what was read already, then what follows.
class HeadInput : public ByteInput {
 public:
  HeadInput(std::string head, ReadBytes rest) : head_(std::move(head)), rest_(std::move(rest)) {}
  Result<std::size_t> read(std::span<std::byte> into) override {
    std::size_t got = std::min(into.size(), head_.size() - at_);
    std::copy_n(as_bytes(head_).begin() + static_cast<std::ptrdiff_t>(at_), got, into.begin());
    at_ += got;
    if (got == 0) {
      TRY_SET(got, rest_(into));
    }
    offset_ += got;
    return got;
  }
  std::uint64_t offset() const override { return offset_; }
  std::uint64_t packed_bytes() const override { return offset_; }

 private:
  std::string head_;
  std::size_t at_ = 0;
  ReadBytes rest_;
  std::uint64_t offset_ = 0;
};

Result<std::string> head_of(const ReadBytes& read) {
  std::string head(kTarBlock, '\0');
  std::size_t done = 0;
  while (done < head.size()) {
    TRY_SET(const std::size_t got, read(std::as_writable_bytes(std::span(head).subspan(done))));
    if (got == 0) break;
    done += got;
  }
  head.resize(done);
  return head;
}

}  // namespace

Result<std::unique_ptr<Tree>> open_archive(Disk& disk,
                                           const Path& path,
                                           const ArchiveLimits& limits) {
  TRY_SET(auto file, ArchiveFile::open(disk, path));
  FileInput input(file);
  TRY_SET(const std::string head,
          head_of([&](std::span<std::byte> into) { return input.read(into); }));
  if (head.starts_with(kGzip)) {
    std::string name = file->name();
    BeginInput begin = [file, limits]() -> Result<std::unique_ptr<ByteInput>> {
      return std::unique_ptr<ByteInput>(
          std::make_unique<GzipInput>(std::make_unique<FileInput>(file), limits));
    };
    return tar_stream_tree(Form::tar_gz, std::move(name), true, std::move(begin), limits);
  }
  if (is_tar(head)) return tar_tree(std::move(file), limits);
  if (is_zip(head)) return zip_tree(std::move(file), limits);
  // Programs that unpack themselves have a zip behind them.
  TRY_SET(const bool zip, ends_as_zip(*file));
  if (zip) return zip_tree(std::move(file), limits);
  return no_archive(file->name(), head);
}

std::unique_ptr<Tree> open_stream(ReadBytes read, std::string name, const ArchiveLimits& limits) {
  auto head = head_of(read);
  const bool gzip = head && head->starts_with(kGzip);
  BeginInput begin = [head, gzip, name, limits,
                      read = std::move(read)]() -> Result<std::unique_ptr<ByteInput>> {
    if (!head) return head.error();
    if (!gzip && !is_tar(*head)) return no_archive(name, *head);
    std::unique_ptr<ByteInput> input = std::make_unique<HeadInput>(*head, read);
    if (gzip) input = std::make_unique<GzipInput>(std::move(input), limits);
    return input;
  };
  return tar_stream_tree(gzip ? Form::tar_gz : Form::tar, std::move(name), false, std::move(begin),
                         limits);
}

}  // namespace versement::bagit
