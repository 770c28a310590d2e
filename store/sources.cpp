#include "store/sources.hpp"

#include <map>

#include "store/base/log.hpp"
#include "store/journal/evidence.hpp"
#include "store/ocfl/inventory.hpp"
#include "store/ocfl/layout.hpp"

namespace versement::store {
namespace {

struct Content {
  Digest sha512;
  std::string path;
};

// Logical path to digest and content path of one version.
Result<std::map<std::string, Content>> contents_of(const ocfl::Inventory& inventory,
                                                   std::uint32_t version) {
  std::map<std::string, Content> contents;
  const auto found = inventory.versions.find(version);
  if (found == inventory.versions.end()) {
    return Error(Code::corrupt, "the inventory has no version " + std::to_string(version));
  }
  for (const auto& [digest, paths] : found->second.state) {
    TRY_SET(const Digest sha512, Digest::from_hex(Algorithm::sha512, digest));
    const std::string& content = inventory.manifest.find(digest)->second.front();
    for (const std::string& path : paths)
      contents[path] = {sha512, content};
  }
  return contents;
}

std::map<std::string, std::string> sha256_of_content(const ocfl::Inventory& inventory) {
  std::map<std::string, std::string> out;
  const auto block = inventory.fixity.find("sha256");
  if (block == inventory.fixity.end()) return out;
  for (const auto& [digest, paths] : block->second) {
    for (const std::string& path : paths)
      out[path] = digest;
  }
  return out;
}

// Fills in what the inventory knows. Errors: corrupt; not_found; io.
Result<void> complete(const ocfl::Inventory& inventory,
                      std::uint32_t version,
                      std::vector<index::FileRow>* rows) {
  TRY_SET(const auto contents, contents_of(inventory, version));
  const auto sha256 = sha256_of_content(inventory);
  for (index::FileRow& row : *rows) {
    const auto content = contents.find(row.path);
    if (content == contents.end()) {
      return Error(Code::corrupt, "the inventory has no '" + row.path + "'");
    }
    row.sha512 = content->second.sha512;
    row.content_path = content->second.path;
    const auto second = sha256.find(row.content_path);
    if (second == sha256.end()) {
      return Error(Code::corrupt, "the inventory has no sha256 of '" + row.path + "'");
    }
    TRY_SET(row.sha256, Digest::from_hex(Algorithm::sha256, second->second));
  }
  return {};
}

}  // namespace

Result<std::vector<index::FileRow>> ObjectSources::rows_of(const journal::Event& event) {
  std::vector<index::FileRow> rows;
  for (const json::Value& facts : json::array_at(event.detail, "files")) {
    if (facts.is_object()) rows.push_back(index::row_of_facts(facts.get_object()));
  }
  if (const std::string digest = json::text_at(event.detail, "files_evidence"); !digest.empty()) {
    TRY(evidence(digest, [&](const json::Object& facts) -> Result<void> {
      rows.push_back(index::row_of_facts(facts));
      return {};
    }));
  }
  TRY_SET(const ObjectId object, ObjectId::parse(json::text_at(event.objects, "object")));
  const auto version = static_cast<std::uint32_t>(json::number_at(event.objects, "version"));
  const Path folder = root_ / ocfl::object_path(object) / Version(version).folder();
  auto loaded = ocfl::load_inventory(disk_, folder);
  Result<void> completed;
  if (!loaded) {
    completed = loaded.error();
  } else if (loaded->digest.hex() != json::text_at(event.detail, "inventory")) {
    completed = Error(Code::corrupt, "the inventory is another than the journal says");
  } else {
    completed = complete(loaded->inventory, version, &rows);
  }
  if (!completed) {
    if (is_unanswered(completed.error())) return std::move(completed).error();
    log::error("an object is not as the journal says; it is listed, but cannot be read",
               {{"object", object.text()},
                {"folder", folder.native()},
                {"why", completed.error().what()}});
  }
  return rows;
}

Result<void> ObjectSources::evidence(std::string_view digest,
                                     const std::function<Result<void>(const json::Object&)>& each) {
  auto read = journal::read_evidence(disk_, evidence_, digest, each);
  const bool damaged =
      !read && (read.error().code() == Code::not_found || read.error().code() == Code::corrupt);
  if (!damaged) return read;
  // The journal still says what happened; what only the record knew is lost until it is restored.
  log::error("an evidence file is missing or damaged",
             {{"digest", std::string(digest)}, {"why", read.error().what()}});
  return {};
}

}  // namespace versement::store
