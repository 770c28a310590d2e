// Reads the tag files of a bag, each from its beginning to its end: its digests, its text in UTF-8,
// its lines.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <stop_token>
#include <string>

#include "bagit/charset.hpp"
#include "bagit/contents.hpp"
#include "bagit/notes.hpp"
#include "bagit/tagfile.hpp"

namespace versement::bagit {

class TagReader {
 public:
  TagReader(Tree& tree, Contents& contents, Notes& notes, std::stop_token stop)
      : tree_(tree), contents_(contents), notes_(notes), stop_(std::move(stop)) {}

  // Calls `each` for the lines of a file in the character set `encoding`, and remembers its digests
  // of `algorithms`. What cannot be read is noted. Returns false when the file was not read to its
  // end. Errors: cancelled.
  Result<bool> lines(std::uint32_t file,
                     const std::string& encoding,
                     std::span<const Algorithm> algorithms,
                     const LineSplitter::Each& each);
  // The bytes of a small file. Nothing when it could not be read, which is noted.
  Result<std::optional<std::string>> bytes(std::uint32_t file,
                                           std::span<const Algorithm> algorithms,
                                           std::size_t bytes_max);

 private:
  using Take = std::function<void(std::span<const std::byte>)>;
  Result<bool> read(std::uint32_t file, std::span<const Algorithm> algorithms, const Take& take);
  Result<void> stream(std::uint32_t file, const Take& take);

  Tree& tree_;
  Contents& contents_;
  Notes& notes_;
  const std::stop_token stop_;
};

// Notes why a file could not be read: the rule that its archive breaks, or "file.unreadable".
void note_unread(Notes& notes, const std::string& path, const Error& why);

// A rule's code as an error's reason, or "file.unreadable".
std::string_view code_of(const Error& error);

}  // namespace versement::bagit
