#include "bagit/folder_lines.hpp"

#include "bagit/charset.hpp"
#include "store/base/limits.hpp"

namespace versement::bagit {

Result<void> folder_lines(Disk& disk,
                          const Path& file,
                          const std::string& encoding,
                          const std::function<Result<void>(std::size_t, std::string_view)>& each) {
  TRY_SET(const std::string bytes, read_file(disk, file, limits::kManifestBytesMax));
  TRY_SET(Decoder decoder, Decoder::make(encoding));
  std::string text;
  TRY(decoder.decode(as_bytes(bytes), &text));
  TRY(decoder.finish());
  return for_each_line(text, each);
}

std::string listed_path(const Declaration& declaration, std::string_view coded) {
  const bool old = !declaration.at_least(1, 0);
  bool strange = false;
  std::string path = old ? decode_old_path(coded) : decode_path(coded, &strange);
  // 0.97 section 2.2.3: a slash in front is the base folder. A "./" means nothing.
  if (old && path.starts_with('/')) path.erase(0, 1);
  while (path.starts_with("./"))
    path.erase(0, 2);
  return path;
}

}  // namespace versement::bagit
