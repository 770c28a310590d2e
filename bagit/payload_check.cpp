#include "bagit/payload_check.hpp"

#include <algorithm>
#include <exception>
#include <system_error>
#include <thread>

#include "bagit/tag_reader.hpp"
#include "store/base/limits.hpp"
#include "store/base/pool.hpp"

namespace versement::bagit {
namespace {

constexpr std::chrono::seconds kBetweenCheckpoints{3};

}  // namespace

Result<void> PayloadCheck::run() {
  plan();
  resume();
  if (tree_.sequential()) {
    TRY(read_in_order());
  } else {
    read_in_parallel();
  }
  if (!options_.stop.stop_requested()) return {};
  const std::scoped_lock lock(mutex_);
  keep_checkpoint();
  return Error(Code::cancelled, "stopped");
}

std::uint32_t PayloadCheck::content_of(std::uint32_t file) const {
  const auto led = links_.find(file);
  return led == links_.end() ? file : led->second;
}

// Every listed file; of an archive that proves its content also those that nothing lists.
void PayloadCheck::plan() {
  const auto listings = manifests_.listings();
  std::size_t first = 0;
  for (std::uint32_t i = 0; i < contents_.files().size(); ++i) {
    std::size_t last = first;
    while (last < listings.size() && listings[last].file == i)
      ++last;
    const std::uint32_t content = content_of(i);
    const bool is_file = contents_.at(content).kind == EntryKind::file;
    if (is_file && (last > first || (tree_.checks_content() && content == i))) {
      works_.push_back({i, static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(last)});
      if (last > first) ++files_total_;
      bytes_total_ += contents_.at(content).size_bytes;
    }
    first = last;
  }
  works_.shrink_to_fit();
  finished_.resize(works_.size());
}

void PayloadCheck::resume() {
  if (!options_.resume && !options_.keep) return;
  fingerprint_ += contents_.fingerprint();
  const auto& from = options_.resume;
  if (!from || from->fingerprint != fingerprint_ || from->done > works_.size()) return;
  resumed_ = true;
  whole_ = from->done;
  next_ = from->done;
  done_files_ = static_cast<std::uint64_t>(
      std::count_if(works_.begin(), works_.begin() + static_cast<std::ptrdiff_t>(from->done),
                    [](const Work& work) { return work.last > work.first; }));
  done_bytes_ = from->bytes;
  std::fill_n(finished_.begin(), from->done, true);
  for (const Finding& finding : from->findings) {
    notes_.add(finding);
    found_.emplace(0, finding);
  }
}

// ---------------------------------------------------------------------------- side by side

void PayloadCheck::read_in_parallel() {
  // Eight are hashed while eight are read.
  constexpr std::size_t kEnough = 16;
  const std::size_t wanted =
      options_.threads > 0 ? options_.threads : std::max(kEnough, processor_count());
  const std::size_t threads = std::min(wanted, std::max<std::size_t>(works_.size(), 1));
  std::vector<std::jthread> helpers;
  helpers.reserve(threads - 1);
  try {
    for (std::size_t i = 1; i < threads; ++i)
      helpers.emplace_back([this] { work(); });
  } catch (const std::system_error&) {
    // The system has no more threads to give: those that began, and this one, do the work.
  }
  work();
}

void PayloadCheck::work() {
  std::size_t index = 0;
  try {
    std::vector<std::byte> buffer(limits::kChunkBytes);
    for (index = next_++; index < works_.size(); index = next_++) {
      if (options_.stop.stop_requested()) return;
      const Work& work = works_[index];
      const auto done = read(work, index, buffer);
      if (!done && done.error().code() == Code::cancelled) return;
      if (!done) unread(index, std::string(contents_.at(work.file).path()), done.error());
      finished(index);
    }
  } catch (const std::exception& failure) {
    // Nothing escapes a thread; a file that was not judged must not count as verified.
    unread(index, "",
           Error(Code::internal, "not all files were read: " + std::string(failure.what())));
  }
}

std::vector<Algorithm> PayloadCheck::wanted(const Work& work) const {
  std::vector<Algorithm> algorithms;
  for (std::uint32_t i = work.first; i < work.last; ++i) {
    const Listing& listing = manifests_.listings()[i];
    if (listing.digest == nullptr) continue;
    const Algorithm algorithm = manifests_.algorithm_of(listing);
    if (std::find(algorithms.begin(), algorithms.end(), algorithm) == algorithms.end()) {
      algorithms.push_back(algorithm);
    }
  }
  return algorithms;
}

bool PayloadCheck::is_known(const Work& work) const {
  Digest digest;
  const std::uint32_t content = content_of(work.file);
  const auto algorithms = wanted(work);
  if (contents_.at(content).digests == nullptr) return false;
  return std::all_of(algorithms.begin(), algorithms.end(), [&](Algorithm algorithm) {
    return contents_.known(content, algorithm, &digest);
  });
}

Result<void> PayloadCheck::read(const Work& work,
                                std::size_t index,
                                std::vector<std::byte>& buffer) {
  const std::uint32_t content = content_of(work.file);
  const File& file = contents_.at(content);
  const std::vector<Algorithm> algorithms = wanted(work);
  if (is_known(work)) {  // A tag file, which was hashed as it was read.
    std::vector<Digest> digests(algorithms.size());
    for (std::size_t i = 0; i < algorithms.size(); ++i)
      (void)contents_.known(content, algorithms[i], &digests[i]);  // is_known has said so.
    count(file.size_bytes);
    compare(work, index, digests);
    return {};
  }
  TRY_SET(const auto stream, tree_.open(file.number, contents_.path_in_tree(content)));
  Hasher hasher{std::span<const Algorithm>(algorithms)};
  std::uint64_t size = 0;
  while (true) {
    if (options_.stop.stop_requested()) return Error(Code::cancelled, "stopped");
    TRY_SET(const std::size_t read, stream->read(buffer));
    if (read == 0) break;
    hasher.update(std::span<const std::byte>(buffer).first(read));
    size += read;
    count(read);
  }
  if (size != file.size_bytes) {
    return Error(Code::corrupt, "had " + std::to_string(file.size_bytes) +
                                    " bytes when the bag was "
                                    "listed and " +
                                    std::to_string(size) + " when it was read")
        .as("file.changed");
  }
  compare(work, index, hasher.finish());
  return {};
}

// ---------------------------------------------------------------------------- one after the other

class PayloadCheck::Pass : public Visitor {
 public:
  Pass(PayloadCheck& check, std::map<std::uint32_t, std::size_t> works)
      : check_(check), works_(std::move(works)) {}

  Result<bool> entry(Entry /*entry*/) override {
    if (check_.options_.stop.stop_requested()) return Error(Code::cancelled, "stopped");
    const auto found = works_.find(next_++);
    if (found == works_.end()) return false;
    index_ = found->second;
    const auto algorithms = check_.wanted(check_.works_[index_]);
    hasher_.emplace(std::span<const Algorithm>(algorithms));
    return true;
  }
  Result<void> data(std::span<const std::byte> bytes) override {
    hasher_->update(bytes);
    check_.count(bytes.size());
    return {};
  }
  Result<void> end() override {
    check_.compare(check_.works_[index_], index_, hasher_->finish());
    check_.finished(index_);
    return {};
  }
  // Was noted when the archive was listed.
  void finding(std::string /*code*/, std::string /*path*/, std::string /*detail*/) override {}

 private:
  PayloadCheck& check_;
  const std::map<std::uint32_t, std::size_t> works_;  // by the number of the entry
  std::uint32_t next_ = 0;
  std::size_t index_ = 0;
  std::optional<Hasher> hasher_;
};

// What was hashed while the archive was listed is compared; a second pass reads what was not.
Result<void> PayloadCheck::read_in_order() {
  std::map<std::uint32_t, std::size_t> left;
  std::vector<std::byte> none;
  for (std::size_t i = next_; i < works_.size(); ++i) {
    const Work& work = works_[i];
    if (is_known(work)) {
      TRY(read(work, i, none));
      finished(i);
    } else {
      left.emplace(contents_.at(content_of(work.file)).number, i);
    }
  }
  if (left.empty()) return {};
  if (tree_.repeatable()) {
    Pass pass(*this, left);
    TRY(tree_.visit(pass, options_.stop));
  }
  for (const auto& [number, index] : left) {
    if (finished_[index]) continue;
    const std::string path(contents_.at(works_[index].file).path());
    if (tree_.repeatable() || contents_.is_faulty()) {
      unread(index, path,
             Error(Code::corrupt, "ends early in the archive").as("serialization.truncated"));
      continue;
    }
    unread(index, path,
           Error(Code::unsupported,
                 "went by in the pipe before the manifest that names its algorithm; give the "
                 "archive as a file, or name the algorithm with --algorithm"));
  }
  return {};
}

// ---------------------------------------------------------------------------- what comes of it

void PayloadCheck::compare(const Work& work, std::size_t index, std::span<const Digest> digests) {
  const std::string path(contents_.at(work.file).path());
  for (std::uint32_t i = work.first; i < work.last; ++i) {
    const Listing& listing = manifests_.listings()[i];
    if (listing.digest == nullptr) continue;
    const Algorithm algorithm = manifests_.algorithm_of(listing);
    const Digest wanted(algorithm,
                        std::as_bytes(std::span(listing.digest, digest_bytes(algorithm))));
    const auto found = std::find_if(digests.begin(), digests.end(), [&](const Digest& each) {
      return each.algorithm() == algorithm;
    });
    if (*found == wanted) continue;
    note(index, "checksum.mismatch", path,
         "is not what line " + std::to_string(listing.line) + " of " + manifests_.name_of(listing) +
             " lists",
         {.algorithm = std::string(algorithm_name(algorithm)),
          .expected = wanted.hex(),
          .found = found->hex()});
  }
}

void PayloadCheck::note(std::size_t index,
                        std::string_view code,
                        const std::string& path,
                        std::string detail,
                        About about) {
  Notes one(options_.mode);
  one.say(code, path, std::move(detail), std::move(about));
  for (Finding& finding : one.take()) {
    const std::scoped_lock lock(mutex_);
    if (options_.keep && found_.size() < limits::kBagFindingsMax) found_.emplace(index, finding);
    notes_.add(std::move(finding));
  }
}

void PayloadCheck::unread(std::size_t index, const std::string& path, const Error& why) {
  note(index, code_of(why), path, why.what(), {});
}

void PayloadCheck::count(std::uint64_t bytes) {
  const std::scoped_lock lock(mutex_);
  done_bytes_ += bytes;
  if (options_.progress) {
    options_.progress({.files = done_files_,
                       .bytes = done_bytes_,
                       .files_total = files_total_,
                       .bytes_total = bytes_total_});
  }
}

void PayloadCheck::finished(std::size_t index) {
  const std::scoped_lock lock(mutex_);
  if (works_[index].last > works_[index].first) ++done_files_;
  finished_[index] = true;
  while (whole_ < finished_.size() && finished_[whole_])
    ++whole_;
  if (!options_.keep || std::chrono::steady_clock::now() - kept_at_ < kBetweenCheckpoints) return;
  keep_checkpoint();
}

// Requires: mutex_.
void PayloadCheck::keep_checkpoint() {
  if (!options_.keep) return;
  kept_at_ = std::chrono::steady_clock::now();
  Checkpoint checkpoint;
  checkpoint.fingerprint = fingerprint_;
  checkpoint.done = whole_;
  for (std::size_t i = 0; i < whole_; ++i)
    checkpoint.bytes += contents_.at(content_of(works_[i].file)).size_bytes;
  for (const auto& [index, finding] : found_) {
    if (index < whole_) checkpoint.findings.push_back(finding);
  }
  options_.keep(checkpoint);
}

}  // namespace versement::bagit
