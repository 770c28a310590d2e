#include "cli/sealed.hpp"

#include "store/base/limits.hpp"
#include "store/ocfl/layout.hpp"

namespace versement::cli {

void take_seal(const journal::Event& event, std::set<std::string>* objects) {
  if (event.type == journal::type::kTransferSealed)
    objects->insert(json::text_at(event.objects, "object"));
}

Result<std::vector<journal::KeptCheckpoint>> sealed_checkpoints(
    const Path& data, const std::set<std::string>& objects) {
  std::vector<journal::KeptCheckpoint> kept;
  for (const std::string& object : objects) {
    const auto id = ObjectId::parse(object);
    if (!id) continue;
    const Path file =
        Path("store") / ocfl::object_path(*id) / "v1/content/versement/checkpoint.txt";
    auto note = read_file(real_disk(), data / file, limits::kCheckpointBytesMax);
    if (!note && note.error().code() == Code::io) return std::move(note).error();
    // Other bytes than a checkpoint's are damage of the store.
    if (note && journal::parse_checkpoint(*note)) kept.push_back({*std::move(note), file.native()});
  }
  return kept;
}

}  // namespace versement::cli
