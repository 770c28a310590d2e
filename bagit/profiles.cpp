#include "bagit/profiles.hpp"

#include "store/base/limits.hpp"
#include "store/base/text.hpp"

namespace versement::bagit {

Result<void> ProfileSet::add(Disk& disk, const Path& path) {
  auto listed = list_sorted(disk, path);
  if (!listed) return add_file(disk, path);
  for (const DirEntry& entry : *listed) {
    if (!entry.name.ends_with(".json") || entry.kind != FileKind::regular) continue;
    TRY(add_file(disk, path / entry.name));
  }
  return {};
}

Result<void> ProfileSet::add_file(Disk& disk, const Path& file) {
  TRY_SET(std::string text, read_file(disk, file, limits::kConfigBytesMax));
  auto parsed = Profile::parse(text);
  if (!parsed) return std::move(parsed).error().during(printable(file.native()));
  const std::string identifier = parsed->identifier();
  const auto found = known_.find(identifier);
  if (found != known_.end()) {
    if (found->second.text == text) return {};
    return Error(Code::conflict, "two profiles are called " + printable(identifier) + ": " +
                                     printable(found->second.file.native()) + " and " +
                                     printable(file.native()) + "; name only one of them")
        .as("profile-twice");
  }
  if (known_.size() >= limits::kProfilesMax) {
    return Error(Code::limit, "more than " + std::to_string(limits::kProfilesMax) + " profiles");
  }
  known_[identifier] = {std::make_shared<const Profile>(std::move(*parsed)), std::move(text), file};
  return {};
}

std::shared_ptr<const Profile> ProfileSet::find(const std::string& identifier) const {
  const auto found = known_.find(identifier);
  return found == known_.end() ? nullptr : found->second.profile;
}

std::vector<std::shared_ptr<const Profile>> ProfileSet::all() const {
  std::vector<std::shared_ptr<const Profile>> out;
  for (const auto& [identifier, known] : known_)
    out.push_back(known.profile);
  return out;
}

std::vector<std::string> named_profiles(const BagInfo& info) {
  std::vector<std::string> out;
  for (const auto& [label, value] : info) {
    if (!equal_ignoring_ascii_case(trim(label), "BagIt-Profile-Identifier")) continue;
    const std::string identifier(trim(value));
    if (!identifier.empty()) out.push_back(identifier);
  }
  return out;
}

}  // namespace versement::bagit
