#include "cli/sealed.hpp"

#include "store/base/limits.hpp"
#include "store/base/text.hpp"
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
    const Path folder = Path("store") / ocfl::object_path(*id) / "v1/content/versement";
    const Path file = folder / "checkpoint.txt";
    auto note = read_file(real_disk(), data / file, limits::kCheckpointBytesMax);
    const auto text = read_file(real_disk(), data / folder / "vkey.txt", limits::kConfigBytesMax);
    if (!note && note.error().code() == Code::io) return std::move(note).error();
    if (!text && text.error().code() == Code::io) return text.error();
    const auto key = text ? journal::VerifierKey::parse(trim(*text, " \r\n"))
                          : Result<journal::VerifierKey>(text.error());
    // What the seal's own key has not signed is damage of the store, for its check to say.
    if (note && key && key->verifies(*note) && journal::parse_checkpoint(*note))
      kept.push_back({*std::move(note), file.native()});
  }
  return kept;
}

}  // namespace versement::cli
