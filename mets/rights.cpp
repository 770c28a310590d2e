#include "mets/rights.hpp"

#include <algorithm>

namespace versement::mets {
namespace {

template <class Fields, class Owner>
void put_fields(const Fields& fields, const Owner& owner, json::Object* object) {
  for (const auto& field : fields) {
    std::string_view name = field.column;
    if (name.starts_with("grant_")) name.remove_prefix(6);
    if (const std::string& value = owner.*field.member; !value.empty()) (*object)[name] = value;
  }
}

template <class Fields, class Owner>
void take_fields(const Fields& fields, const json::Object& object, Owner* owner) {
  for (const auto& field : fields) {
    std::string_view name = field.column;
    if (name.starts_with("grant_")) name.remove_prefix(6);
    owner->*field.member = json::text_at(object, name);
  }
}

}  // namespace

void add_statement(RightsStatement statement, std::vector<RightsStatement>* into) {
  const auto same = std::find_if(into->begin(), into->end(), [&](const RightsStatement& there) {
    RightsStatement bare = there;
    bare.grants = statement.grants;
    return bare == statement;
  });
  if (same == into->end()) {
    into->push_back(std::move(statement));
    return;
  }
  for (Grant& grant : statement.grants) {
    if (std::find(same->grants.begin(), same->grants.end(), grant) == same->grants.end()) {
      same->grants.push_back(std::move(grant));
    }
  }
}

json::Object to_json(const RightsStatement& statement) {
  json::Object object;
  put_fields(kStatementFields, statement, &object);
  put_fields(kDocumentFields, statement, &object);
  json::Array grants;
  for (const Grant& grant : statement.grants) {
    json::Object each;
    put_fields(kGrantFields, grant, &each);
    grants.emplace_back(std::move(each));
  }
  if (!grants.empty()) object["grants"] = std::move(grants);
  json::Array files;
  for (const std::string& file : statement.files)
    files.emplace_back(file);
  if (!files.empty()) object["files"] = std::move(files);
  return object;
}

RightsStatement statement_of(const json::Object& object) {
  RightsStatement statement;
  take_fields(kStatementFields, object, &statement);
  take_fields(kDocumentFields, object, &statement);
  for (const json::Value& value : json::array_at(object, "grants")) {
    if (!value.is_object()) continue;
    Grant grant;
    take_fields(kGrantFields, value.get_object(), &grant);
    statement.grants.push_back(std::move(grant));
  }
  for (const json::Value& value : json::array_at(object, "files")) {
    if (value.is_string()) statement.files.emplace_back(std::string_view(value.get_string()));
  }
  return statement;
}

}  // namespace versement::mets
