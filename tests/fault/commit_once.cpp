// One ingest on a data folder, for a test that kills it: commit_once DATA DEPOSIT AGENT
// [--new-versions] prints "acknowledged" once the ingest has returned; commit_once DATA prints the
// items that are there.
#include <cstdio>
#include <cstring>

#include "service/ingest/run.hpp"
#include "store/query.hpp"

namespace versement {
namespace {

int failed(const Error& error) {
  std::fprintf(stderr, "commit_once: %s\n", error.what().c_str());
  return 1;
}

int look(const store::Store& store) {
  const std::string prefix = store::keys::Key('i').get();
  const auto scanned =
      store.index().scan(prefix, "", [&](std::string_view key, std::string_view value) {
        const auto item = json::parse_object(value);
        std::printf(
            "%s %llu\n", std::string(store::keys::rest(key, prefix)).c_str(),
            static_cast<unsigned long long>(item ? json::number_at(*item, "head_version") : 0));
        return true;
      });
  return scanned ? 0 : failed(scanned.error());
}

int run(int argc, char** argv) {
  store::StoreOptions options;
  options.data = argv[1];
  options.min_free_bytes = 0;
  auto store = store::Store::open(real_disk(), real_clock(), options);
  if (!store) return failed(store.error());
  if (argc < 4) return look(**store);
  ingest::IngestRequest request;
  request.job = Uuid::at(real_clock().now());
  request.agent = argv[3];
  request.folder = argv[2];
  request.collection = *Slug::parse("c");
  request.workers = 2;
  request.new_versions = argc > 4 && std::strcmp(argv[4], "--new-versions") == 0;
  ingest::IngestProgress progress;
  const auto result = run_ingest(**store, request, progress, {});
  if (!result) return failed(result.error());
  if (result->errors > 0) return 1;
  std::printf("acknowledged\n");
  std::fflush(stdout);
  return 0;
}

}  // namespace
}  // namespace versement

int main(int argc, char** argv) {
  if (argc < 2) return 3;
  return versement::run(argc, argv);
}
