#include <cerrno>
#include <limits>
#include <set>

#include "service/http/conditional.hpp"
#include "service/http/problem.hpp"
#include "service/http/router.hpp"
#include "store/base/limits.hpp"
#include "tests/support/expect.hpp"

namespace versement::http {
namespace {

TEST(Target, is_split_and_decoded_once) {
  Request request;
  ASSERT_OK(parse_target("/v1/items/a%2Fb?collection=x%20y&q=a+b&flag", &request));
  EXPECT_EQ(request.segments, (std::vector<std::string>{"v1", "items", "a/b"}));
  EXPECT_EQ(request.query_text("collection"), "x y");
  EXPECT_EQ(request.query_text("q"), "a b");
  EXPECT_EQ(request.query_text("none"), "");
}

TEST(Target, may_be_absolute) {
  Request request;
  ASSERT_OK(parse_target("http://archive.example:80/v1/items?limit=2", &request));
  EXPECT_EQ(request.path, "/v1/items");
  EXPECT_EQ(request.query_text("limit"), "2");
  Request root;
  ASSERT_OK(parse_target("https://archive.example", &root));
  EXPECT_EQ(root.path, "/");
}

TEST(Target, refuses_what_could_mean_another_place) {
  for (const char* target : {"", "v1", "ftp://x/", "/a/../b", "/a/./b", "/%2e%2e/b", "/%zz", "/%00",
                             "/%FF", "/a b", "*"}) {
    Request request;
    EXPECT_FALSE(parse_target(target, &request)) << target;
  }
  Request request;
  EXPECT_OK(parse_target("/" + std::string(limits::kHttpTargetBytesMax - 1, 'a'), &request));
  Request longer;
  EXPECT_FALSE(parse_target("/" + std::string(limits::kHttpTargetBytesMax, 'a'), &longer));
}

TEST(Range, means_what_rfc_9110_says) {
  using Kind = RangeAnswer::Kind;
  const auto part = [](const char* field) {
    const RangeAnswer answer = parse_range(field, 1000);
    EXPECT_EQ(answer.kind, Kind::part) << field;
    return std::pair(answer.range.first, answer.range.length);
  };
  EXPECT_EQ(part("bytes=0-0"), std::pair(0ul, 1ul));
  EXPECT_EQ(part("bytes=10-19"), std::pair(10ul, 10ul));
  EXPECT_EQ(part("bytes=990-"), std::pair(990ul, 10ul));
  EXPECT_EQ(part("bytes=990-5000"), std::pair(990ul, 10ul));
  EXPECT_EQ(part("bytes=-5"), std::pair(995ul, 5ul));
  EXPECT_EQ(part("bytes=-5000"), std::pair(0ul, 1000ul));
  EXPECT_EQ(part("Bytes=1-2"), std::pair(1ul, 2ul));
  for (const char* field : {"bytes=1000-", "bytes=2000-3000", "bytes=-0"}) {
    EXPECT_EQ(parse_range(field, 1000).kind, Kind::unsatisfiable) << field;
  }
  for (const char* field :
       {"", "bytes", "bytes=", "bytes=-", "bytes=--5", "bytes=5-4", "items=1-2", "bytes=a-b",
        "bytes=1-2,5-6", "bytes= 1-2", "bytes=1 -2", "bytes=+1-2", "bytes=0x1-2", "bytes=1.0-2"}) {
    EXPECT_EQ(parse_range(field, 1000).kind, Kind::whole) << field;
  }
}

TEST(Range, takes_positions_that_no_number_of_ours_holds) {
  using Kind = RangeAnswer::Kind;
  // 2^64 - 1, 2^64, 2^64 + 1, which would wrap to 1, and more.
  for (const std::string position : {"18446744073709551615", "18446744073709551616",
                                     "18446744073709551617", "99999999999999999999999999999999"}) {
    EXPECT_EQ(parse_range("bytes=" + position + "-", 1000).kind, Kind::unsatisfiable) << position;
    EXPECT_EQ(parse_range("bytes=5-" + position, 1000).range.length, 995u) << position;
    EXPECT_EQ(parse_range("bytes=-" + position, 1000).range.length, 1000u) << position;
    EXPECT_EQ(parse_range("bytes=" + position + "-" + position, 1000).kind, Kind::unsatisfiable);
    EXPECT_EQ(parse_range("bytes=" + position + "-7", 1000).kind, Kind::whole) << position;
  }
  // Compared as they stand, not as far as they fit.
  EXPECT_EQ(parse_range("bytes=99999999999999999999-99999999999999999998", 1000).kind, Kind::whole);
  EXPECT_EQ(
      parse_range("bytes=0000000000000000000000007-0000000000000000000000008", 1000).range.first,
      7u);
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(parse_range("bytes=0-", kMost).range.length, kMost);
}

TEST(Range, of_no_bytes_at_all_is_all_of_them_or_none) {
  using Kind = RangeAnswer::Kind;
  EXPECT_EQ(parse_range("bytes=0-", 0).kind, Kind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=0-0", 0).kind, Kind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=-0", 0).kind, Kind::unsatisfiable);
  EXPECT_EQ(parse_range("bytes=-5", 0).kind, Kind::whole);
}

Request get(Fields fields) {
  Request request;
  request.method = "GET";
  request.fields = std::move(fields);
  return request;
}

Response respond_to(const Request& request) {
  Representation representation;
  representation.source = std::make_shared<MemorySource>("0123456789");
  representation.etag = "\"tag\"";
  representation.media_type = "text/plain";
  representation.file_name = "Vue d'été.txt";
  return respond(request, std::move(representation));
}

std::string field_of(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.fields) {
    if (key == name) return value;
  }
  return "";
}

TEST(Respond, conditions_come_before_ranges) {
  EXPECT_EQ(respond_to(get({})).status, 200);
  EXPECT_EQ(respond_to(get({{"If-None-Match", "\"tag\""}})).status, 304);
  EXPECT_EQ(respond_to(get({{"If-None-Match", "W/\"tag\""}})).status, 304);
  EXPECT_EQ(respond_to(get({{"If-None-Match", "*"}})).status, 304);
  EXPECT_EQ(respond_to(get({{"If-Match", "\"other\""}})).status, 412);
  EXPECT_EQ(respond_to(get({{"If-Match", "W/\"tag\""}})).status, 412);
  EXPECT_EQ(respond_to(get({{"If-Match", "\"x\", \"tag\""}})).status, 200);
  const Response part = respond_to(get({{"range", "bytes=2-4"}}));
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.offset, 2u);
  EXPECT_EQ(part.body_bytes(), 3u);
  EXPECT_EQ(field_of(part, "Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(respond_to(get({{"Range", "bytes=2-4"}, {"If-Range", "\"tag\""}})).status, 206);
  EXPECT_EQ(respond_to(get({{"Range", "bytes=2-4"}, {"If-Range", "\"old\""}})).status, 200);
  EXPECT_EQ(respond_to(get({{"Range", "bytes=2-4"}, {"If-Range", "W/\"tag\""}})).status, 200);
  const Response outside = respond_to(get({{"Range", "bytes=10-"}}));
  EXPECT_EQ(outside.status, 416);
  EXPECT_EQ(field_of(outside, "Content-Range"), "bytes */10");
  EXPECT_EQ(
      field_of(respond_to(get({})), "Content-Disposition"),
      "attachment; filename=\"Vue_d'__t__.txt\"; filename*=UTF-8''Vue%20d%27%C3%A9t%C3%A9.txt");
}

TEST(Respond, fields_that_are_none_or_come_twice_mean_the_whole) {
  for (const Fields& fields : std::initializer_list<Fields>{
           {{"Range", "bytes=2-4"}, {"If-Range", ""}},
           {{"Range", "bytes=2-4"}, {"If-Range", "tag"}},
           {{"Range", "bytes=2-4"}, {"If-Range", "\"tag\", \"other\""}},
           {{"Range", "bytes=2-4"}, {"If-Range", "Sun, 06 Nov 1994 08:49:37 GMT"}},
           {{"Range", "bytes=2-4"}, {"If-Range", "\"tag\""}, {"if-range", "\"tag\""}},
           {{"Range", "bytes=2-4"}, {"Range", "bytes=2-4"}},
           {{"Range", "bytes=2-4"}, {"range", "bytes=99-"}},
           {{"Range", ""}, {"Range", "bytes=2-4"}},
           {{"Range", ""}}}) {
    const Response whole = respond_to(get(fields));
    EXPECT_EQ(whole.status, 200);
    EXPECT_EQ(whole.body_bytes(), 10u);
    EXPECT_EQ(field_of(whole, "Content-Range"), "");
  }
  EXPECT_EQ(respond_to(get({{"Range", "bytes=18446744073709551616-"}})).status, 416);
}

TEST(Respond, lists_of_tags_may_stand_in_several_lines) {
  EXPECT_EQ(respond_to(get({{"If-None-Match", "\"a\""}, {"If-None-Match", "\"tag\""}})).status,
            304);
  EXPECT_EQ(respond_to(get({{"If-Match", "\"a\""}, {"If-Match", "\"tag\""}})).status, 200);
  EXPECT_EQ(respond_to(get({{"If-Match", ""}})).status, 412);  // None of no tags.
  EXPECT_EQ(respond_to(get({{"If-None-Match", ""}})).status, 200);
  EXPECT_FAILS(check_if_match(get({{"If-Match", ""}}), "\"tag\""), Code::conflict);
  EXPECT_OK(check_if_match(get({}), "\"tag\""));
}

TEST(Respond, what_is_not_made_yet_answers_conditions_and_head) {
  Representation unmade;
  unmade.etag = "\"tag\"";
  unmade.media_type = "application/zip";
  unmade.file_name = "a.zip";
  EXPECT_EQ(respond_before_made(get({{"If-None-Match", "\"tag\""}}), unmade)->status, 304);
  EXPECT_EQ(respond_before_made(get({{"If-Match", "\"other\""}}), unmade)->status, 412);
  EXPECT_FALSE(respond_before_made(get({{"If-Match", "\"tag\""}}), unmade));
  EXPECT_FALSE(respond_before_made(get({{"Range", "bytes=0-1"}}), unmade));
  Request head = get({});
  head.method = "HEAD";
  const auto told = respond_before_made(head, unmade);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->status, 200);
  EXPECT_TRUE(told->length_unknown);
  EXPECT_EQ(field_of(*told, "ETag"), "\"tag\"");
  EXPECT_EQ(field_of(*told, "Content-Type"), "application/zip");
  // What is there says how long it is.
  const Response known = respond_to(head);
  EXPECT_FALSE(known.length_unknown);
  EXPECT_EQ(known.length, 10u);
}

TEST(Problems, each_has_a_code_of_its_own_and_a_title) {
  std::set<std::string_view> codes;
  for (const ProblemType& type : problem_types()) {
    EXPECT_TRUE(codes.insert(type.code).second) << type.code;
    EXPECT_FALSE(type.code.empty());
    EXPECT_FALSE(type.title.empty()) << type.code;
    EXPECT_GE(type.status, 400);
  }
}

TEST(Problems, an_internal_error_tells_the_client_nothing) {
  const Response response = problem_of(Error(Code::io, "read /secret/path: I/O error"));
  EXPECT_EQ(response.status, 500);
  EXPECT_EQ(response.body.find("secret"), std::string::npos);
  const Response scarce = problem_of(Error::from_errno(EMFILE, "open /secret/path"));
  EXPECT_EQ(scarce.status, 503);
  EXPECT_EQ(field_of(scarce, "Retry-After"), "5");
  EXPECT_NE(scarce.body.find("out-of-resources"), std::string::npos);
  EXPECT_EQ(scarce.body.find("secret"), std::string::npos);
}

TEST(Router, finds_parameters_and_knows_the_methods) {
  Router router;
  const auto nothing = [](const Call&) -> Result<Response> { return Response(); };
  router.add({"GET", "/v1/items/{item_id}", Scope::none, 0, nothing});
  router.add({"PATCH", "/v1/items/{item_id}", Scope::none, 0, nothing});
  router.add({"GET", "/v1/bag/{path...}", Scope::none, 0, nothing});
  const auto find = [&](const char* method, const char* target) {
    Request request;
    request.method = method;
    EXPECT_OK(parse_target(target, &request));
    return router.find(request);
  };
  EXPECT_EQ(find("GET", "/v1/items/x").parameters.at("item_id"), "x");
  EXPECT_EQ(find("HEAD", "/v1/items/x").route->method, "GET");
  EXPECT_EQ(find("DELETE", "/v1/items/x").route, nullptr);
  EXPECT_EQ(find("DELETE", "/v1/items/x").methods,
            (std::vector<std::string>{"GET", "HEAD", "PATCH"}));
  EXPECT_TRUE(find("GET", "/v1/items").methods.empty());
  EXPECT_TRUE(find("GET", "/v1/items/x/y").methods.empty());
  EXPECT_EQ(find("GET", "/v1/bag/data/a/b.txt").parameters.at("path"), "data/a/b.txt");
  EXPECT_TRUE(find("GET", "/v1/bag").methods.empty());
}

TEST(Roles, a_receiver_sees_transfers_and_nothing_else) {
  EXPECT_TRUE(role_has(Role::receiver, Scope::transfers_receive));
  for (const Scope scope : {Scope::items_read, Scope::content_read, Scope::events_read,
                            Scope::jobs_read, Scope::status_read, Scope::tokens_admin}) {
    EXPECT_FALSE(role_has(Role::receiver, scope));
  }
  EXPECT_FALSE(role_has(Role::admin, Scope::transfers_receive));
  EXPECT_FALSE(role_has(Role::auditor, Scope::items_write));
  EXPECT_FALSE(role_has(Role::archivist, Scope::tokens_admin));
}

}  // namespace
}  // namespace versement::http
