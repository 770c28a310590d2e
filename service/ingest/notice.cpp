#include "service/ingest/notice.hpp"

#include <utility>

namespace versement::ingest {
namespace {

constexpr std::string_view kOriginal = "original";
constexpr std::string_view kRights = "rights";

json::Object read(const std::string& text) {
  if (text.empty()) return {};
  auto object = json::parse_object(text, text.size());
  return object ? std::move(*object) : json::Object();
}

}  // namespace

std::shared_ptr<const std::string> SharedTexts::keep(std::string text) {
  return *texts_.insert(std::make_shared<const std::string>(std::move(text))).first;
}

void Notice::set(json::Object description, const json::Object& original, SharedTexts* shared) {
  rights_.reset();
  if (const auto rights = description.find(kRights);
      shared != nullptr && rights != description.end()) {
    rights_ = shared->keep(json::write(rights->value()));
    description.erase(rights);
  }
  if (!original.empty()) description[kOriginal] = original;
  text_ = json::write(description);
  text_.shrink_to_fit();
}

json::Object Notice::description_json() const {
  json::Object object = read(text_);
  object.erase(kOriginal);
  if (rights_) object[kRights] = read(*rights_);
  return object;
}

mets::Original Notice::original() const {
  return mets::original_of(json::object_at(read(text_), kOriginal));
}

}  // namespace versement::ingest
