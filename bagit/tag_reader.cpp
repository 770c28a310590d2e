#include "bagit/tag_reader.hpp"

#include <algorithm>

#include "store/base/disk.hpp"
#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {
namespace {

// Of a tree that is read from its beginning to its end, one file.
class One : public Visitor {
 public:
  One(std::uint32_t number, const std::function<void(std::span<const std::byte>)>& take)
      : number_(number), take_(take) {}
  Result<bool> entry(Entry /*entry*/) override { return next_++ == number_; }
  Result<void> data(std::span<const std::byte> bytes) override {
    take_(bytes);
    return {};
  }
  Result<void> end() override { return {}; }
  // Was said when the tree was listed.
  void finding(std::string /*code*/, std::string /*path*/, std::string /*detail*/) override {}

 private:
  const std::uint32_t number_;
  std::uint32_t next_ = 0;
  const std::function<void(std::span<const std::byte>)>& take_;
};

}  // namespace

std::string_view code_of(const Error& error) {
  const auto all = rules();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const Rule& each) { return each.code == error.reason(); });
  return found == all.end() ? "file.unreadable" : found->code;
}

void note_unread(Notes& notes, const std::string& path, const Error& why) {
  notes.say(code_of(why), path, why.what());
}

Result<bool> TagReader::lines(std::uint32_t file,
                              const std::string& encoding,
                              std::span<const Algorithm> algorithms,
                              const LineSplitter::Each& each) {
  const std::string path(contents_.at(file).path());
  auto made = Decoder::make(encoding);
  if (!made) return Error(std::move(made).error());  // The declaration was judged before.
  Decoder decoder = *std::move(made);
  LineSplitter splitter;
  std::string text;
  Result<void> sound;
  bool first = true;
  const auto take = [&](std::span<const std::byte> bytes) {
    if (!sound) return;
    text.clear();
    sound = decoder.decode(bytes, &text);
    std::string_view left = text;
    if (first && !left.empty()) {
      first = false;
      if (decoder.is_utf8() && left.starts_with("\xEF\xBB\xBF")) {
        notes_.say("encoding.bom", path, "");
        left.remove_prefix(3);
      }
    }
    splitter.feed(left, each);
  };
  TRY_SET(const bool whole, read(file, algorithms, take));
  if (whole && sound) sound = decoder.finish();
  splitter.finish(each);
  if (!sound) notes_.say("encoding.invalid", path, sound.error().what());
  if (splitter.too_long() > 0) {
    notes_.say("tagfile.size", path, "has a line of more than 1 MiB",
               {.line = splitter.too_long()});
  }
  return whole && static_cast<bool>(sound);
}

Result<std::optional<std::string>> TagReader::bytes(std::uint32_t file,
                                                    std::span<const Algorithm> algorithms,
                                                    std::size_t bytes_max) {
  std::string all;
  bool large = false;
  const auto take = [&](std::span<const std::byte> bytes) {
    large = large || bytes.size() > bytes_max - all.size();
    if (!large) all.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  TRY_SET(const bool whole, read(file, algorithms, take));
  if (large) {
    notes_.say("tagfile.size", std::string(contents_.at(file).path()),
               "is larger than " + human_bytes(bytes_max));
  }
  if (!whole || large) return std::optional<std::string>();
  return std::optional<std::string>(std::move(all));
}

Result<bool> TagReader::read(std::uint32_t file,
                             std::span<const Algorithm> algorithms,
                             const Take& take) {
  Hasher hasher(algorithms);
  const auto both = [&](std::span<const std::byte> bytes) {
    hasher.update(bytes);
    take(bytes);
  };
  const auto done = stream(file, both);
  if (!done && done.error().code() == Code::cancelled) return done.error();
  if (!done) {
    note_unread(notes_, std::string(contents_.at(file).path()), done.error());
    return false;
  }
  contents_.remember(file, hasher.finish());
  return true;
}

Result<void> TagReader::stream(std::uint32_t file, const Take& take) {
  const File& found = contents_.at(file);
  if (const std::string* const kept = contents_.kept(file)) {
    take(as_bytes(*kept));
    return {};
  }
  if (tree_.sequential()) {
    if (!tree_.repeatable()) {
      return Error(Code::limit,
                   "is too large to be kept of an archive that comes through a pipe; "
                   "give the archive as a file")
          .as("tagfile.size");
    }
    One one(found.number, take);
    return tree_.visit(one, stop_);
  }
  TRY_SET(const auto stream, tree_.open(found.number, contents_.path_in_tree(file)));
  std::vector<std::byte> buffer(limits::kChunkBytes);
  while (!stop_.stop_requested()) {
    TRY_SET(const std::size_t count, stream->read(buffer));
    if (count == 0) return {};
    take(std::span<const std::byte>(buffer).first(count));
  }
  return Error(Code::cancelled, "stopped");
}

}  // namespace versement::bagit
