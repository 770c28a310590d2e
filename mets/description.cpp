#include "mets/description.hpp"

#include <algorithm>
#include <array>

#include "store/base/text.hpp"

namespace versement::mets {
namespace {

json::Array array_of(const std::vector<Localized>& texts) {
  json::Array array;
  for (const Localized& text : texts)
    array.emplace_back(to_json(text));
  return array;
}

json::Array array_of(const std::vector<std::string>& texts) {
  json::Array array;
  for (const std::string& text : texts)
    array.emplace_back(text);
  return array;
}

std::vector<std::string> texts_of(const json::Array& array) {
  std::vector<std::string> texts;
  for (const json::Value& value : array) {
    if (value.is_string()) texts.emplace_back(std::string_view(value.get_string()));
  }
  return texts;
}

std::vector<Localized> localized_list(const json::Array& array) {
  std::vector<Localized> texts;
  for (const json::Value& value : array) {
    if (value.is_object()) texts.push_back(localized_of(value.get_object()));
  }
  return texts;
}

void put(json::Object* object, const char* name, const std::string& value) {
  if (!value.empty()) (*object)[name] = value;
}
void put(json::Object* object, const char* name, const Localized& value) {
  if (!value.empty()) (*object)[name] = to_json(value);
}
template <class Entry>
void put(json::Object* object, const char* name, const std::vector<Entry>& value) {
  if (!value.empty()) (*object)[name] = array_of(value);
}

bool mentions(const std::string& text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return text.find(word) != std::string::npos; });
}

}  // namespace

json::Object to_json(const Localized& text) {
  json::Object object;
  for (const auto& [language, value] : text)
    object[language] = value;
  return object;
}

Localized localized_of(const json::Object& object) {
  Localized text;
  for (const auto& member : object) {
    if (member.value().is_string()) {
      text[std::string(member.key())] = std::string_view(member.value().get_string());
    }
  }
  return text;
}

json::Object to_json(const Rights& rights) {
  json::Object object;
  put(&object, "credit_line", rights.credit_line);
  put(&object, "owner", rights.owner);
  put(&object, "conditions", rights.conditions);
  object["reproduction"] = rights.reproduction;
  json::Array statements;
  for (const RightsStatement& statement : rights.statements)
    statements.emplace_back(to_json(statement));
  if (!statements.empty()) object["statements"] = std::move(statements);
  return object;
}

Rights rights_of(const json::Object& object) {
  Rights rights;
  rights.credit_line = localized_of(json::object_at(object, "credit_line"));
  rights.owner = localized_of(json::object_at(object, "owner"));
  rights.conditions = localized_of(json::object_at(object, "conditions"));
  if (object.contains("reproduction")) rights.reproduction = json::text_at(object, "reproduction");
  for (const json::Value& value : json::array_at(object, "statements")) {
    if (value.is_object()) rights.statements.push_back(statement_of(value.get_object()));
  }
  return rights;
}

json::Object to_json(const Original& original) {
  json::Object object;
  put(&object, "shelfmark", original.shelfmark);
  put(&object, "box", original.box);
  put(&object, "extent", original.extent);
  return object;
}

Original original_of(const json::Object& object) {
  return {.shelfmark = json::text_at(object, "shelfmark"),
          .box = json::text_at(object, "box"),
          .extent = json::text_at(object, "extent")};
}

json::Object to_json(const Description& description) {
  json::Object object;
  put(&object, "title", description.title);
  put(&object, "description", description.description);
  put(&object, "creators", description.creators);
  put(&object, "subjects", description.subjects);
  put(&object, "places", description.places);
  put(&object, "date", description.date);
  put(&object, "type", description.type);
  put(&object, "genre", description.genre);
  put(&object, "format", description.format);
  put(&object, "source", description.source);
  put(&object, "languages", description.languages);
  put(&object, "relations", description.relations);
  json::Array identifiers;
  for (const Identifier& identifier : description.identifiers) {
    identifiers.emplace_back(json::Object{{"type", identifier.type}, {"value", identifier.value}});
  }
  if (!identifiers.empty()) object["identifiers"] = std::move(identifiers);
  object["rights"] = to_json(description.rights);
  json::Array unmapped;
  for (const auto& [name, value] : description.unmapped) {
    unmapped.emplace_back(json::Object{{"name", name}, {"value", value}});
  }
  if (!unmapped.empty()) object["unmapped"] = std::move(unmapped);
  return object;
}

Description description_of(const json::Object& object) {
  Description out;
  out.title = localized_of(json::object_at(object, "title"));
  out.description = localized_of(json::object_at(object, "description"));
  out.creators = texts_of(json::array_at(object, "creators"));
  out.subjects = localized_list(json::array_at(object, "subjects"));
  out.places = localized_list(json::array_at(object, "places"));
  out.date = json::text_at(object, "date");
  out.type = json::text_at(object, "type");
  out.genre = json::text_at(object, "genre");
  out.format = json::text_at(object, "format");
  out.source = localized_of(json::object_at(object, "source"));
  out.languages = texts_of(json::array_at(object, "languages"));
  out.relations = texts_of(json::array_at(object, "relations"));
  out.rights = rights_of(json::object_at(object, "rights"));
  for (const json::Value& value : json::array_at(object, "identifiers")) {
    if (!value.is_object()) continue;
    out.identifiers.push_back(
        {json::text_at(value.get_object(), "type"), json::text_at(value.get_object(), "value")});
  }
  for (const json::Value& value : json::array_at(object, "unmapped")) {
    if (!value.is_object()) continue;
    out.unmapped.emplace_back(json::text_at(value.get_object(), "name"),
                              json::text_at(value.get_object(), "value"));
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> in_order(const Localized& text) {
  std::vector<std::pair<std::string, std::string>> out(text.begin(), text.end());
  std::stable_partition(out.begin(), out.end(),
                        [](const auto& each) { return each.first == "fr"; });
  return out;
}

std::string any_of(const Localized& text) {
  const auto ordered = in_order(text);
  return ordered.empty() ? std::string() : ordered.front().second;
}

Category category_of(const Description& description, bool has_files) {
  if (!has_files) return {"Mixed", "notice-original-analogique"};
  const std::string words = search_key(description.type + " " + description.genre);
  if (mentions(words, {"fiche", "inventory sheet"})) {
    return {"Textual works – Digital", "fiche-inventaire"};
  }
  if (mentions(words, {"carte", "map", "plan", "cartograph"})) {
    return {"Other Graphic Images – Digital", "carte-numerisee"};
  }
  if (mentions(words, {"photo", "image", "estampe", "gravure"})) {
    return {"Photographs – Digital", "image-numerisee"};
  }
  if (mentions(words, {"text", "document", "livre", "ouvrage"})) {
    return {"Textual works – Digital", "document-numerise"};
  }
  return {"Mixed", "fichiers-numeriques"};
}

}  // namespace versement::mets
