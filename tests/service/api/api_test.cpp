#include "service/api/api.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "service/api/openapi.hpp"
#include "store/base/version.hpp"
#include "tests/support/store_fixture.hpp"

namespace versement::api {
namespace {

class ApiTest : public testing::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    auto tokens = Tokens::load(*store_);
    ASSERT_OK(tokens);
    tokens_ = std::move(*tokens);
    queue_ = std::make_unique<jobs::Queue>(*store_);
    bags_ = std::make_unique<transfer::Bags>(*store_);
    seda_ = std::make_unique<transfer::SedaArchives>(*store_);
    sips_ = std::make_unique<transfer::Sips>(*store_);
    auto stamper = stamps::Stamper::make(*store_, {});
    ASSERT_OK(stamper);
    stamper_ = *std::move(stamper);
    context_.reset(new Context{.store = *store_,
                               .queue = *queue_,
                               .tokens = *tokens_,
                               .bags = *bags_,
                               .seda = *seda_,
                               .sips = *sips_,
                               .stamper = *stamper_,
                               .metrics = metrics_,
                               .witnesses = {},
                               .inboxes = {folder_.path()},
                               .started_at = clock_.now(),
                               .transfer_mutex = {}});
    api_ = std::make_unique<Api>(*context_, false);
  }

  // The field that shows a new token of a role.
  std::string token(http::Role role) {
    TokenRequest request;
    request.name = "somebody";
    request.role = role;
    if (role == http::Role::receiver) request.agreement = "agreement";
    auto created = tokens_->create(request, "test");
    EXPECT_OK(created);
    return "Bearer " + created->secret;
  }

  http::Response ask(const std::string& method,
                     const std::string& target,
                     const std::string& authorization,
                     const std::string& body = "") {
    http::Request request;
    request.method = method;
    request.request_id = "r-1";
    EXPECT_OK(http::parse_target(target, &request));
    if (!authorization.empty()) request.fields.emplace_back("Authorization", authorization);
    if (!body.empty()) request.fields.emplace_back("Content-Type", "application/json");
    request.body = body;
    const auto admission = api_->admit(request);
    if (admission.refusal) return *admission.refusal;
    return api_->handle(request, admission);
  }

  static std::string code_of(const http::Response& response) {
    auto value = json::parse(response.body);
    EXPECT_OK(value);
    return std::string(value->at("code").as_string());
  }

  std::unique_ptr<Tokens> tokens_;
  std::unique_ptr<jobs::Queue> queue_;
  std::unique_ptr<stamps::Stamper> stamper_;
  std::unique_ptr<transfer::Bags> bags_;
  std::unique_ptr<transfer::SedaArchives> seda_;
  std::unique_ptr<transfer::Sips> sips_;
  Metrics metrics_;
  std::unique_ptr<Context> context_;
  std::unique_ptr<Api> api_;
};

std::string described_path(std::string path) {
  const std::size_t dots = path.find("...}");
  if (dots != std::string::npos) path.replace(dots, 4, "}");
  return path;
}

TEST_F(ApiTest, its_description_names_every_route_and_no_other) {
  auto document = json::parse(openapi_json());
  ASSERT_OK(document);
  std::set<std::string> described;
  for (const auto& [path, item] : document->at("paths").as_object()) {
    for (const auto& [method, operation] : item.as_object()) {
      if (method == "parameters") continue;
      std::string line = std::string(method);
      std::transform(line.begin(), line.end(), line.begin(), [](char c) {
        return static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      });
      line += " " + std::string(path);
      const json::Object& object = operation.as_object();
      const auto* scope = object.if_contains("x-required-scope");
      line += " " + (scope ? std::string(scope->as_string()) : std::string());
      line += object.contains("requestBody") ? " with a body" : "";
      described.insert(line);
    }
  }
  std::set<std::string> routes;
  for (const http::Route& route : api_->router().routes()) {
    routes.insert(route.method + " " + described_path(route.path) + " " +
                  std::string(http::scope_name(route.scope)) +
                  (route.body_bytes_max > 0 ? " with a body" : ""));
  }
  for (const std::string& line : routes)
    EXPECT_TRUE(described.contains(line)) << "not described: " << line;
  for (const std::string& line : described)
    EXPECT_TRUE(routes.contains(line)) << "described, but no route: " << line;
  EXPECT_GT(routes.size(), 50u);
  EXPECT_EQ(document->at("info").at("version").as_string(), kVersion);
}

TEST_F(ApiTest, every_route_with_a_scope_refuses_who_has_no_token) {
  std::size_t refused = 0;
  for (const http::Route& route : api_->router().routes()) {
    if (route.scope == http::Scope::none) continue;
    const http::Response response = ask(route.method, described_path(route.path), "");
    EXPECT_EQ(response.status, 401) << route.method << " " << route.path;
    EXPECT_EQ(code_of(response), "token-missing");
    ++refused;
  }
  EXPECT_GT(refused, 40u);
}

TEST_F(ApiTest, every_role_may_do_what_its_scopes_say_and_nothing_else) {
  using http::Role;
  for (const Role role :
       {Role::admin, Role::archivist, Role::auditor, Role::receiver, Role::reader}) {
    const std::string authorization = token(role);
    for (const http::Route& route : api_->router().routes()) {
      http::Request request;
      request.method = route.method;
      ASSERT_OK(http::parse_target(described_path(route.path), &request));
      request.fields.emplace_back("Authorization", authorization);
      const auto admission = api_->admit(request);
      const bool allowed = !admission.refusal || admission.refusal->status != 403;
      EXPECT_EQ(allowed, http::role_has(role, route.scope))
          << http::role_name(role) << " " << route.method << " " << route.path;
    }
  }
}

TEST_F(ApiTest, a_wrong_address_and_a_wrong_method_are_told_apart) {
  const std::string admin = token(http::Role::admin);
  EXPECT_EQ(ask("GET", "/v1/nothing", admin).status, 404);
  const http::Response response = ask("DELETE", "/v1/items", admin);
  EXPECT_EQ(response.status, 405);
  bool allow = false;
  for (const auto& [name, value] : response.fields) {
    if (name == "Allow") allow = value == "GET, HEAD";
  }
  EXPECT_TRUE(allow);
}

TEST_F(ApiTest, an_unknown_member_of_a_body_is_refused_by_its_place) {
  const http::Response response =
      ask("POST", "/v1/collections", token(http::Role::admin),
          R"({"id":"c","title":{"fr":"t"},"colour":"blue","agency":{"id":"a","name":"n"}})");
  EXPECT_EQ(response.status, 422);
  EXPECT_NE(response.body.find("/colour"), std::string::npos) << response.body;
}

TEST_F(ApiTest, a_body_that_is_not_json_is_refused) {
  const std::string admin = token(http::Role::admin);
  EXPECT_EQ(ask("POST", "/v1/collections", admin, "{").status, 400);
  EXPECT_EQ(ask("POST", "/v1/collections", admin, "[]").status, 400);
  EXPECT_EQ(ask("POST", "/v1/collections", admin, std::string(2000, '[')).status, 400);
}

TEST_F(ApiTest, lists_come_in_pages_that_join_without_gap) {
  for (int i = 0; i < 25; ++i)
    ASSERT_OK(deposit("F-" + std::to_string(i), "x" + std::to_string(i)));
  const std::string reader = token(http::Role::reader);
  std::set<std::string> seen;
  std::string cursor;
  int pages = 0;
  do {
    const http::Response response =
        ask("GET", "/v1/items?limit=10" + (cursor.empty() ? "" : "&cursor=" + cursor), reader);
    ASSERT_EQ(response.status, 200) << response.body;
    auto page = json::parse(response.body);
    ASSERT_OK(page);
    for (const auto& item : page->at("items").as_array())
      EXPECT_TRUE(seen.emplace(item.at("id").as_string()).second);
    const auto* next = page->as_object().if_contains("next_cursor");
    cursor = next ? std::string(next->as_string()) : "";
    ++pages;
  } while (!cursor.empty());
  EXPECT_EQ(seen.size(), 25u);
  EXPECT_EQ(pages, 3);
  EXPECT_EQ(ask("GET", "/v1/items?limit=0", reader).status, 400);
  EXPECT_EQ(ask("GET", "/v1/items?limit=1001", reader).status, 400);
  EXPECT_EQ(ask("GET", "/v1/items?cursor=abc", reader).status, 400);
}

}  // namespace
}  // namespace versement::api
