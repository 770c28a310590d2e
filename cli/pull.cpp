#include "cli/pull.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include <fcntl.h>

#include "bagit/tagfile.hpp"
#include "bagit/untar.hpp"
#include "bagit/validate.hpp"
#include "store/base/digest.hpp"
#include "store/base/ids.hpp"
#include "store/base/limits.hpp"
#include "store/base/publish.hpp"
#include "store/base/text.hpp"

namespace versement::cli {
namespace {

constexpr std::string_view kStateName = "pull-state.json";
constexpr std::string_view kTagManifest = "tagmanifest-sha512.txt";
constexpr std::string_view kManifest = "manifest-sha512.txt";
// Chunks that may wait between the network and the disk.
constexpr std::size_t kChunksWaiting = 16;
constexpr std::chrono::seconds kStateEvery{1};

// Calls at the end of the scope.
class Finally {
 public:
  explicit Finally(std::function<void()> act) : act_(std::move(act)) {}
  ~Finally() { act_(); }
  Finally(const Finally&) = delete;
  Finally& operator=(const Finally&) = delete;

 private:
  const std::function<void()> act_;
};

// Bytes from the thread that receives to the one that unpacks.
class Channel {
 public:
  // Errors: cancelled when the reader has given up.
  Result<void> push(std::span<const std::byte> bytes) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return given_up_ || chunks_.size() < kChunksWaiting; });
    if (given_up_) return Error(Code::cancelled, "the bag's reader stopped");
    chunks_.emplace_back(bytes.begin(), bytes.end());
    changed_.notify_all();
    return {};
  }

  // No more comes; with an error, because of it.
  void close(std::optional<Error> error) {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    error_ = std::move(error);
    changed_.notify_all();
  }

  Result<std::size_t> read(std::span<std::byte> into) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return closed_ || !chunks_.empty(); });
    if (chunks_.empty()) return error_ ? Result<std::size_t>(*error_) : Result<std::size_t>(0);
    std::vector<std::byte>& front = chunks_.front();
    const std::size_t count = std::min(into.size(), front.size() - taken_);
    std::copy_n(front.begin() + static_cast<std::ptrdiff_t>(taken_), count, into.begin());
    taken_ += count;
    if (taken_ == front.size()) {
      chunks_.pop_front();
      taken_ = 0;
      changed_.notify_all();
    }
    return count;
  }

  void give_up() {
    const std::scoped_lock lock(mutex_);
    given_up_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::vector<std::byte>> chunks_;
  std::size_t taken_ = 0;
  bool closed_ = false;
  bool given_up_ = false;
  std::optional<Error> error_;
};

// Writes the members of the stream below `.part` and checks each against what was sealed.
class Receiver : public bagit::MemberSink {
 public:
  Receiver(Disk& disk,
           Path folder,
           std::string name,
           std::string seal_digest,
           std::uint64_t archive_bytes)
      : disk_(disk),
        folder_(std::move(folder)),
        name_(std::move(name)),
        seal_(std::move(seal_digest)),
        archive_bytes_(archive_bytes) {}

  // Takes up the manifests that an earlier attempt has received.
  Result<void> resume() {
    for (const std::string_view tag : {kTagManifest, kManifest}) {
      const Path path = folder_ / name_ / tag;
      TRY_SET(const bool there, path_exists(disk_, path));
      if (!there) continue;
      TRY_SET(const std::string bytes, read_file(disk_, path, limits::kManifestBytesMax));
      TRY(take_manifest(std::string(tag), bytes));
    }
    return {};
  }

  void set_base(std::uint64_t base) {
    base_ = base;
    resume_offset_ = base;
  }
  // Where in the archive the next member begins that is not whole yet.
  std::uint64_t resume_offset() const { return resume_offset_; }
  std::uint64_t files() const { return files_; }

  Result<void> begin(const bagit::ArchiveMember& member) override {
    resume_offset_ = base_ + member.header_offset;
    const std::string& whole = member.path.text();
    if (!whole.starts_with(name_ + "/")) {
      return Error(Code::corrupt, "the archive holds '" + printable(whole) + "', outside the bag")
          .as("bag-invalid");
    }
    path_ = whole.substr(name_.size() + 1);
    TRY(expect(member));
    const Path target = folder_ / name_ / path_;
    TRY(make_folders(disk_, target.parent_path()));
    // What an earlier attempt left of it was not whole.
    auto removed = disk_.remove_file(target);
    if (!removed && removed.error().code() != Code::not_found) return removed;
    TRY_SET(fd_, disk_.open(target, O_WRONLY | O_CREAT | O_EXCL, 0644));
    hasher_.emplace(std::initializer_list<Algorithm>{Algorithm::sha512});
    kept_.clear();
    return {};
  }

  Result<void> data(std::span<const std::byte> bytes) override {
    hasher_->update(bytes);
    if (path_ == kTagManifest || path_ == kManifest) {
      if (kept_.size() + bytes.size() > limits::kManifestBytesMax) {
        return Error(Code::limit, path_ + " is too large");
      }
      kept_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    }
    return write_all(disk_, fd_, bytes, folder_ / name_ / path_);
  }

  Result<void> end() override {
    TRY(disk_.close(std::move(fd_), folder_ / name_ / path_));
    const Digest digest = hasher_->finish().front();
    if (path_ == kTagManifest || path_ == kManifest) TRY(take_manifest(path_, kept_));
    TRY(check(digest));
    ++files_;
    return {};
  }

 private:
  static Error altered(const std::string& path) {
    return Error(Code::corrupt,
                 "'" + printable(path) + "' arrived with other bytes than were sealed")
        .as("checksum-mismatch");
  }

  // The tag manifest is the seal; what it lists can be trusted, and so can what that lists.
  Result<void> take_manifest(const std::string& path, const std::string& bytes) {
    const Digest digest = digest_of(Algorithm::sha512, bytes);
    if (path == kTagManifest) {
      if (digest.hex() != seal_) return altered(path);
      expected_[path] = digest;
    } else {
      const auto listed = expected_.find(path);
      if (listed == expected_.end() || listed->second != digest) return altered(path);
    }
    return bagit::parse_manifest(
        bytes, [&](std::string_view checksum, std::string listed) -> Result<void> {
          TRY_SET(expected_[std::move(listed)], Digest::from_hex(Algorithm::sha512, checksum));
          return {};
        });
  }

  // Nothing is written that the seal does not list. Before the tag manifest only the declaration
  // comes; the validation at the end covers it.
  Result<void> expect(const bagit::ArchiveMember& member) const {
    const bool early = path_ == "bagit.txt" || path_ == kTagManifest;
    if (!early && !expected_.contains(path_)) {
      return Error(Code::corrupt, "'" + printable(path_) + "' is in no manifest of the bag")
          .as("bag-invalid");
    }
    if (member.size_bytes > archive_bytes_) {
      return Error(Code::corrupt, "'" + printable(path_) + "' is larger than the whole archive")
          .as("bag-invalid");
    }
    return {};
  }

  Result<void> check(const Digest& digest) const {
    const auto found = expected_.find(path_);
    if (found == expected_.end() || found->second == digest) return {};
    return altered(path_);
  }

  Disk& disk_;
  const Path folder_;  // the .part folder
  const std::string name_;
  const std::string seal_;
  const std::uint64_t archive_bytes_;
  std::map<std::string, Digest> expected_;
  std::uint64_t base_ = 0;
  std::atomic<std::uint64_t> resume_offset_{0};  // read by the thread that receives
  std::atomic<std::uint64_t> files_{0};          // likewise
  std::string path_;
  Fd fd_;
  std::optional<Hasher> hasher_;
  std::string kept_;
};

class Pull {
 public:
  Pull(Client& client, const std::string& transfer, const PullOptions& options)
      : client_(client),
        base_("/v1/transfers/" + percent_encode(transfer)),
        options_(options),
        disk_(real_disk()) {}

  Result<Pulled> run() {
    TRY_SET(const Reply summary, client_.get(base_ + "/bag"));
    TRY(take_summary(summary.body));
    TRY_SET(const bool there, path_exists(disk_, final_));
    if (there) {
      return Error(Code::exists, final_.native() +
                                     " is there already; move it away, or check it "
                                     "with: versement bag validate " +
                                     final_.native());
    }
    // What is there of another archive is of no use.
    if (saved_offset() == 0) TRY(remove_tree(disk_, part_));
    TRY(make_folders(disk_, part_));
    if (auto received = receive(); !received) {
      const Code code = received.error().code();
      // What lies there does not fit what arrives: the next attempt begins anew.
      if (code == Code::corrupt || code == Code::exists || code == Code::invalid ||
          code == Code::limit) {
        TRY(remove_tree(disk_, part_));
      }
      return received.error();
    }
    return finish();
  }

 private:
  Result<void> take_summary(const json::Object& summary) {
    // The name becomes a folder: only what cannot leave its parent.
    auto name = Slug::parse(json::text_at(summary, "name"));
    if (!name) return std::move(name).error().during("the name of the bag");
    name_ = name->text();
    seal_ = json::text_at(summary, "seal_digest");
    const json::Object& tar = json::object_at(summary, "tar");
    total_ = json::number_at(tar, "size_bytes");
    etag_ = json::text_at(tar, "etag");
    final_ = options_.to / name_;
    part_ = options_.to / ("." + name_ + ".part");
    return {};
  }

  // Where an earlier attempt of the same archive broke off.
  std::uint64_t saved_offset() {
    const auto text = read_file(disk_, part_ / kStateName, limits::kConfigBytesMax);
    if (!text) return 0;
    const auto state = json::parse_object(*text);
    if (!state || json::text_at(*state, "etag") != etag_) return 0;
    return json::number_at(*state, "offset");
  }

  Result<void> save(std::uint64_t offset) {
    const auto now = std::chrono::steady_clock::now();
    if (now - saved_ < kStateEvery) return {};
    saved_ = now;
    const std::string text = json::write(json::Object{{"etag", etag_}, {"offset", offset}});
    return replace_file(disk_, part_ / kStateName, as_bytes(text));
  }

  Result<void> receive() {
    std::uint64_t offset = saved_offset();
    if (offset > 0 && options_.note) {
      options_.note("an earlier attempt was cut; going on at byte " + std::to_string(offset));
    }
    unsigned failures = 0;
    while (true) {
      const std::uint64_t before = offset;
      auto done = attempt(&offset);
      if (done) return {};
      const Code code = done.error().code();
      // Neither gets right by asking once more.
      const std::string& reason = done.error().reason();
      const bool lasting = reason == "read-only" || reason == "content-corrupt";
      const bool again =
          code == Code::network || code == Code::timeout || (code == Code::unavailable && !lasting);
      failures = offset > before ? 1 : failures + 1;
      if (!again || failures > options_.retries) return done;
      const auto pause = std::chrono::milliseconds(250) * (1u << std::min(failures, 6u));
      if (options_.note) {
        options_.note(done.error().what() + "; going on at byte " + std::to_string(offset));
      }
      std::this_thread::sleep_for(pause);
    }
  }

  // One connection. `offset` moves on to the first member that is not whole.
  Result<void> attempt(std::uint64_t* offset) {
    Receiver receiver(disk_, part_, name_, seal_, total_);
    if (*offset > 0) TRY(receiver.resume());
    Channel channel;
    Result<void> unpacked;
    std::thread reader;
    // Whatever happens on the way, the reader ends before its world does.
    const auto end_reader = [&] {
      if (!reader.joinable()) return;
      channel.close(Error(Code::network, "the download ended early"));
      reader.join();
    };
    const Finally joined(end_reader);
    const auto begin = [&](const Download& download) -> Result<void> {
      if (download.total_bytes != total_ || (download.first != 0 && download.first != *offset)) {
        return Error(Code::corrupt, "the server sends another archive than it announced")
            .as("bag-invalid");
      }
      // Another representation, or a server that knows no ranges: from the beginning.
      *offset = download.first;
      receiver.set_base(download.first);
      reader = std::thread([&] {
        unpacked = bagit::read_tar([&](std::span<std::byte> into) { return channel.read(into); },
                                   {}, receiver);
        channel.give_up();
      });
      return {};
    };
    std::uint64_t received = 0;
    const auto data = [&](std::span<const std::byte> bytes) -> Result<void> {
      received += bytes.size();
      show(*offset + received, receiver.files());
      TRY(save(receiver.resume_offset()));
      return channel.push(bytes);
    };
    auto downloaded = client_.download(base_ + "/bag.tar", *offset, etag_, begin, data);
    if (!reader.joinable()) return downloaded ? Result<void>() : std::move(downloaded).error();
    channel.close(downloaded ? std::optional<Error>() : downloaded.error());
    reader.join();
    // The end of the archive may have been read before the end of the stream.
    const bool whole = static_cast<bool>(unpacked);
    const bool cut = !downloaded && downloaded.error().code() != Code::cancelled;
    if (!whole || cut) {
      *offset = std::max(*offset, receiver.resume_offset());
      saved_ = {};
      TRY(save(*offset));
    }
    if (cut) return std::move(downloaded).error();
    return unpacked;
  }

  void show(std::uint64_t bytes, std::uint64_t files) {
    if (!options_.progress) return;
    options_.progress(
        json::Object{{"done_bytes", bytes}, {"total_bytes", total_}, {"done_files", files}});
  }

  // Reads everything again from the disk, by the ordinary validator; only then the bag appears.
  Result<Pulled> finish() {
    const Path bag = part_ / name_;
    bagit::ValidateOptions options;
    TRY_SET(const bagit::Report report, bagit::validate(disk_, bag, options));
    if (report.verdict == bagit::Verdict::unexaminable) {
      return Error(Code::io, "what was received could not be read again: " +
                                 (report.findings.empty() ? std::string("no reason given")
                                                          : report.findings.front().path));
    }
    if (report.verdict != bagit::Verdict::valid) {
      // What an earlier attempt left is not what it wrote: the next one begins anew.
      TRY(remove_tree(disk_, part_));
      std::string first = report.findings.empty() ? ""
                                                  : ": " + report.findings.front().code + " " +
                                                        report.findings.front().path;
      return Error(Code::corrupt, "what was received is " +
                                      std::string(bagit::verdict_name(report.verdict)) + first +
                                      "; it was thrown away, run the pull again")
          .as("bag-invalid");
    }
    if (report.tag_manifest_digest != seal_) {
      return Error(Code::corrupt, "the bag is not the one that was sealed").as("bag-invalid");
    }
    TRY_SET(const Fd fd, disk_.open(part_, O_RDONLY | O_DIRECTORY));
    TRY(disk_.sync_file_system(fd, part_));
    TRY(disk_.rename_new(bag, final_));
    TRY(sync_folder(disk_, options_.to));
    TRY(remove_tree(disk_, part_));
    return Pulled{.bag = final_,
                  .seal_digest = report.tag_manifest_digest,
                  .files = report.files + 1,  // the tag manifest, which no manifest lists
                  .bytes = report.bytes};
  }

  Client& client_;
  const std::string base_;
  const PullOptions& options_;
  Disk& disk_;
  std::string name_, seal_, etag_;
  std::uint64_t total_ = 0;
  Path final_, part_;
  std::chrono::steady_clock::time_point saved_{};
};

}  // namespace

Result<Pulled> pull(Client& client, const std::string& transfer, const PullOptions& options) {
  return Pull(client, transfer, options).run();
}

}  // namespace versement::cli
