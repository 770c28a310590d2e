#include "store/ocfl/validate_content.hpp"

#include <algorithm>
#include <exception>

#include <fcntl.h>

#include "store/base/limits.hpp"

namespace versement::ocfl {
namespace {

// Fewer files than this are read sooner by one thread than they are shared out.
constexpr std::size_t kFilesPerThread = 4;

// The files of which nothing is wanted still have to be regular files of their own.
std::string_view not_its_own(const FileInfo& info) {
  if (info.kind != FileKind::regular) return "a link or special file";
  return info.links > 1 ? "a hard link: the file has another name" : "";
}

}  // namespace

void ContentCheck::say(std::string_view code,
                       TextId path,
                       std::string detail,
                       std::string pointer) {
  const std::scoped_lock lock(mutex_);
  findings_.say(code, std::string(texts_.at(path)), std::move(detail), std::move(pointer));
}

void ContentCheck::look() {
  for (const TextId path : files_) {
    if (stop_.stop_requested()) return;
    const auto info = disk_.info(folder_ / texts_.at(path));
    if (!info) {
      findings_.say(info.error(), "E092", std::string(texts_.at(path)));
    } else if (const auto what = not_its_own(*info); !what.empty()) {
      say("E090", path, std::string(what));
    }
  }
}

std::uint64_t ContentCheck::run(Pool* helpers, std::size_t threads) {
  const std::size_t useful = std::min(threads, files_.size() / kFilesPerThread);
  for (std::size_t i = 1; helpers != nullptr && i < useful; ++i) {
    {
      const std::scoped_lock lock(mutex_);
      ++helping_;
    }
    const auto help = [this] {
      work();
      const std::scoped_lock lock(mutex_);
      --helping_;
      ended_.notify_all();
    };
    if (helpers->try_run(help)) continue;
    const std::scoped_lock lock(mutex_);  // All of them are busy with other objects.
    --helping_;
    break;
  }
  work();
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [this] { return helping_ == 0; });
  return bytes_;
}

// Others wait for its end, and what it works on is theirs: nothing escapes it.
void ContentCheck::work() {
  try {
    std::vector<std::byte> buffer;
    for (std::size_t at = next_++; at < files_.size(); at = next_++) {
      if (stop_.stop_requested()) return;
      if (buffer.empty()) buffer.resize(limits::kChunkBytes);
      check(files_[at], buffer);
    }
  } catch (const std::exception& error) {
    const std::scoped_lock lock(mutex_);
    findings_.say("unreadable", "",
                  "not all of its files could be read: " + std::string(error.what()));
  }
}

void ContentCheck::check(TextId path, std::vector<std::byte>& buffer) {
  const auto [first, last] =
      std::equal_range(wants_.begin(), wants_.end(), Want{.path = path},
                       [](const Want& a, const Want& b) { return a.path < b.path; });
  const auto read_all =
      read(path, {wants_.data() + (first - wants_.begin()), std::size_t(last - first)}, buffer);
  if (read_all || read_all.error().code() == Code::cancelled) return;
  const std::scoped_lock lock(mutex_);
  findings_.say(read_all.error(), "E092", std::string(texts_.at(path)));
}

Result<void> ContentCheck::read(TextId path,
                                std::span<const Want> wants,
                                std::vector<std::byte>& buffer) {
  const Path file = folder_ / texts_.at(path);
  TRY_SET(const Fd fd, disk_.open(file, O_RDONLY | O_NONBLOCK));
  TRY_SET(const FileInfo info, disk_.info(fd, file));
  if (const auto what = not_its_own(info); !what.empty()) say("E090", path, std::string(what));
  if (wants.empty() || info.kind != FileKind::regular) return {};
  std::vector<Algorithm> algorithms;
  for (const Want& want : wants) {
    if (std::find(algorithms.begin(), algorithms.end(), want.algorithm) == algorithms.end()) {
      algorithms.push_back(want.algorithm);
    }
  }
  Hasher hasher(algorithms);
  std::uint64_t offset = 0;
  while (true) {
    if (stop_.stop_requested()) return Error(Code::cancelled, "stopped");
    TRY_SET(const std::size_t count, disk_.read_at(fd, buffer, offset, file));
    if (count == 0) break;
    hasher.update(std::span<const std::byte>(buffer).first(count));
    offset += count;
    if (offset == info.size_bytes) break;  // Nothing writes here: one call less for each file.
  }
  bytes_ += offset;
  for (const Digest& digest : hasher.finish()) {
    const std::string found = digest.hex();
    for (const Want& want : wants) {
      if (want.algorithm == digest.algorithm()) compare(want, found);
    }
  }
  return {};
}

void ContentCheck::compare(const Want& want, std::string_view found) {
  const std::string_view wanted = texts_.at(want.digest);
  if (wanted == found) return;
  const std::string name(algorithm_name(want.algorithm));
  std::string detail = "has " + name + " " + std::string(found) + ", not " + std::string(wanted);
  if (want.version > 0)
    detail += ", as the inventory of v" + std::to_string(want.version) + " says";
  const std::string block = want.fixity ? "/fixity" + pointer_step(name) : "/manifest";
  say(want.fixity ? "E093" : "E092", want.path, std::move(detail), block + pointer_step(wanted));
}

}  // namespace versement::ocfl
