#include "service/gate.hpp"

#include "service/http/problem.hpp"
#include "tests/support/store_fixture.hpp"

namespace versement::service {
namespace {

// An API that notes what reached it and refuses who has no token.
class Asked : public http::Service {
 public:
  Admission admit(const http::Request& head) override {
    Admission admission;
    if (head.field("Authorization").empty()) admission.refusal = http::problem_of(denied);
    admission.ticket = ticket;
    return admission;
  }
  http::Response handle(const http::Request& request, const Admission& /*admission*/) override {
    handled.push_back(request.method + " " + request.path);
    return http::json_response(200, {});
  }
  void done(const http::Request& /*request*/,
            const Admission& /*admission*/,
            const Done& /*done*/) override {
    ++finished;
  }

  Error denied = Error(Code::denied, "no token").as("token-missing");
  std::shared_ptr<const int> ticket = std::make_shared<const int>(1);
  std::vector<std::string> handled;
  int finished = 0;
};

class GateTest : public testing::StoreFixture {
 protected:
  void SetUp() override {
    StoreFixture::SetUp();
    ASSERT_OK(deposit("F-1", "bytes"));
    store_.reset();
    store::StoreOptions how = options();
    how.rebuild_index = true;
    auto store = store::Store::prepare(real_disk(), clock_, how);
    ASSERT_OK(store);
    store_ = std::move(*store);
    gate_ = std::make_unique<Gate>(api_, *store_);
  }

  http::Response ask(const std::string& method, const std::string& path, bool token = true) {
    http::Request request;
    request.method = method;
    EXPECT_OK(http::parse_target(path, &request));
    request.path = path;
    if (token) request.fields.emplace_back("Authorization", "Bearer x");
    auto admission = gate_->admit(request);
    http::Response response =
        admission.refusal ? *admission.refusal : gate_->handle(request, admission);
    gate_->done(request, admission, {});
    return response;
  }

  static std::string field(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.fields) {
      if (key == name) return value;
    }
    return "";
  }

  static void expect_starting(const http::Response& response) {
    EXPECT_EQ(response.status, 503);
    EXPECT_EQ(json::text_at(*json::parse_object(response.body), "code"), "starting");
    EXPECT_NE(field(response, "Retry-After"), "");
  }

  Asked api_;
  std::unique_ptr<Gate> gate_;
};

TEST_F(GateTest, until_an_index_serves_only_health_is_answered) {
  EXPECT_EQ(ask("GET", "/healthz", false).status, 200);
  const http::Response ready = ask("GET", "/readyz", false);
  EXPECT_EQ(ready.status, 503);
  EXPECT_NE(field(ready, "Retry-After"), "");
  const json::Object said = *json::parse_object(ready.body);
  const json::Object& index = json::array_at(said, "checks").at(0).get_object();
  EXPECT_EQ(json::text_at(index, "name"), "index");
  EXPECT_EQ(json::text_at(index, "status"), "failed");
  EXPECT_NE(json::text_at(index, "detail").find(" 0 of 2 journal entries"), std::string::npos);
  expect_starting(ask("GET", "/v1/items"));
  expect_starting(ask("POST", "/v1/ingests"));
  expect_starting(ask("GET", "/metrics"));
  EXPECT_TRUE(api_.handled.empty());
  EXPECT_EQ(api_.finished, 5);
}

TEST_F(GateTest, while_an_old_index_serves_only_what_reads_goes_through) {
  gate_->let_read();
  EXPECT_EQ(ask("GET", "/v1/items").status, 200);
  EXPECT_EQ(ask("HEAD", "/v1/items").status, 200);
  for (const char* const method : {"POST", "PUT", "PATCH", "DELETE"})
    expect_starting(ask(method, "/v1/items"));
  EXPECT_EQ(ask("POST", "/v1/ingests", false).status, 401);  // Strangers learn nothing.
  EXPECT_EQ(ask("GET", "/readyz", false).status, 503);
  EXPECT_EQ(ask("GET", "/healthz", false).status, 200);
  EXPECT_EQ(api_.handled.size(), 2u);
}

TEST_F(GateTest, an_open_gate_is_none) {
  gate_->let_read();
  ASSERT_OK(store_->bring_up());
  gate_->open();
  EXPECT_EQ(ask("POST", "/v1/ingests").status, 200);
  EXPECT_EQ(ask("GET", "/readyz").status, 200);
  EXPECT_EQ(api_.handled.size(), 2u);
}

}  // namespace
}  // namespace versement::service
