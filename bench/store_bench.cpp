// Stores every file below FOLDER through Store, durably acknowledged: bench_store DATA FOLDER
// FILES_AN_ITEM
// [--threads N] [--no-read-back]. Prints one JSON line with seconds, items and bytes.
// bench/store.py runs it beside cp and rocfl.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <thread>

#include "store/store.hpp"

namespace versement {
namespace {

struct Job {
  store::Store& store;
  const std::vector<Path>& files;
  const Path folder;
  const std::size_t files_an_item;
  std::atomic<std::size_t> next{0};
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<std::uint64_t> items{0};
};

Result<void> store_one(Job& job, std::size_t first) {
  const std::size_t end = std::min(first + job.files_an_item, job.files.size());
  TRY_SET(auto deposit, job.store.begin(ObjectId::of_uuid(Uuid::at(job.store.clock().now()))));
  for (std::size_t i = first; i < end; ++i) {
    const Path& path = job.files[i];
    TRY_SET(const FileInfo info, job.store.disk().info(path));
    FileSource source(job.store.disk(), path, info.size_bytes);
    TRY(deposit->add(LogicalPath::literal(path.lexically_relative(job.folder).native()), source, {},
                     {}, {}));
    job.bytes += info.size_bytes;
  }
  journal::Event event = job.store.event(journal::type::kIngestion, "bench");
  event.objects["item"] = "item-" + std::to_string(first);
  event.objects["collection"] = "bench";
  const ocfl::VersionNote note{event.time, "bench", "bench", "urn:versement:bench"};
  TRY(job.store.commit(std::move(deposit), note, std::move(event)));
  ++job.items;
  return {};
}

int run(int argc, char** argv) {
  std::size_t threads = 32;  // as an ingest has
  store::StoreOptions options;
  options.data = argv[1];
  options.min_free_bytes = 0;
  for (int i = 4; i < argc; ++i) {
    if (std::strcmp(argv[i], "--no-read-back") == 0) options.verify_after_write = false;
    if (std::strcmp(argv[i], "--threads") == 0 && i + 1 < argc)
      threads = std::strtoul(argv[++i], nullptr, 10);
  }
  if (auto made = store::Store::create(real_disk(), real_clock(), options.data, "bench.example/b");
      !made) {
    std::fprintf(stderr, "bench_store: %s\n", made.error().what().c_str());
    return 1;
  }
  auto store = store::Store::open(real_disk(), real_clock(), options);
  if (!store) return 1;
  std::vector<Path> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(argv[2])) {
    if (entry.is_regular_file()) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  Job job{**store, files, argv[2], std::max<std::size_t>(std::strtoul(argv[3], nullptr, 10), 1)};
  std::atomic<bool> wrong{false};
  const auto began = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> workers;
    for (std::size_t i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        while (!wrong) {
          const std::size_t first = job.next.fetch_add(job.files_an_item);
          if (first >= files.size()) return;
          if (auto done = store_one(job, first); !done) {
            wrong = true;
            std::fprintf(stderr, "bench_store: %s\n", done.error().what().c_str());
          }
        }
      });
    }
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
  std::printf("{\"seconds\": %.3f, \"items\": %llu, \"files\": %zu, \"bytes\": %llu}\n",
              took.count(), static_cast<unsigned long long>(job.items.load()), files.size(),
              static_cast<unsigned long long>(job.bytes.load()));
  return wrong ? 1 : 0;
}

}  // namespace
}  // namespace versement

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fprintf(stderr,
                 "usage: bench_store DATA FOLDER FILES_AN_ITEM [--threads N] "
                 "[--no-read-back]\n");
    return 3;
  }
  return versement::run(argc, argv);
}
