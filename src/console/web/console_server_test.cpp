// Who gets what from the console, over a real socket: every route by every role, requests from
// elsewhere, paths that try to leave, headers that try to break out.
#include "console/web/console_server.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <map>
#include <thread>

#include "adapters/net/test_peers.hpp"
#include "adapters/store/access_changes.hpp"
#include "adapters/store/audit_trail.hpp"
#include "console/key_jobs.hpp"
#include "console/web/api.hpp"
#include "console/web/assets.hpp"

namespace understudy::console {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

struct Request {
  std::string method = "GET";
  std::string path;
  std::string token = {};
  std::string body = {};
  std::string headers = {};  // whole lines
  std::string host = "127.0.0.1";
};

class ConsoleServerTest : public testing::Test {
 protected:
  ConsoleServerTest() {
    std::string name = (fs::temp_directory_path() / "understudy-console-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(store::Home::open(directory_).value());
    EXPECT_TRUE(init_keys(*home_));
    tokens_["auditor"] = issue("watch", AccessRole::auditor);
    tokens_["curator"] = issue("curie", AccessRole::curator);
    tokens_["admin"] = issue("boss", AccessRole::admin);
    server_ = ConsoleServer::open({.home = *home_, .port = 0, .version = "test"}).value();
    tokens_["owner"] = server_->owner_token();
    thread_ = std::jthread([this] { server_->run(); });
  }
  ~ConsoleServerTest() override {
    server_->stop();
    thread_.join();
    server_.reset();
    fs::remove_all(directory_);
  }

  std::string issue(const std::string& name, AccessRole role) {
    RoleToken token;
    token.name = name;
    token.role = role;
    return store::issue_token(*home_, store::SignatureRule::optional, token)
        .value()
        .secret.reveal();
  }

  // The whole answer, head and body.
  std::string ask(const Request& request) {
    std::string text = request.method + " " + request.path + " HTTP/1.1\r\nHost: " + request.host +
                       "\r\nConnection: close\r\n" + request.headers;
    if (!request.token.empty()) text += "Authorization: Bearer " + request.token + "\r\n";
    if (request.method == "POST" && !request.headers.contains("Content-Type"))
      text += "Content-Type: application/json\r\n";
    if (request.method != "GET")
      text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
    text += "\r\n" + request.body;
    auto peer = net::testing_peers::Peer::connect_to(server_->port());
    EXPECT_TRUE(peer.send(text));
    // A stream of events has no end.
    return request.path == "/api/events" ? peer.receive_until("event: change") : peer.receive_all();
  }
  unsigned status(const Request& request) {
    return static_cast<unsigned>(std::atoi(ask(request).substr(9, 3).c_str()));
  }
  static std::string concrete(std::string_view pattern) {
    std::string path(pattern);
    const std::size_t begin = path.find('{');
    if (begin != path.npos) path.replace(begin, path.find('}') - begin + 1, "nothing");
    return path;
  }

  fs::path directory_;
  std::optional<store::Home> home_;
  std::map<std::string, std::string> tokens_;
  std::unique_ptr<ConsoleServer> server_;
  std::jthread thread_;
};

TEST_F(ConsoleServerTest, WithoutATokenOnlyHealthAndThePageAnswer) {
  EXPECT_TRUE(ask({.path = "/health"}).ends_with("\r\n\r\n{\"status\":\"ok\"}"));
  EXPECT_EQ(status({.path = "/"}), 200U);
  for (const ConsoleApi::Route& route : ConsoleApi::routes()) {
    const std::string answer =
        ask({.method = std::string(route.method), .path = concrete(route.path)});
    EXPECT_THAT(answer, HasSubstr(" 401 ")) << route.path;
    EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Bearer")) << route.path;
  }
  EXPECT_EQ(status({.path = "/api/events"}), 401U);
  EXPECT_EQ(status({.path = "/api/no/such/path"}), 401U);
}

// What each role may ask for; a new route must be written down here.
TEST_F(ConsoleServerTest, EachRoleGetsItsShareOfEveryRoute) {
  struct Row {
    const char* method;
    const char* path;
    const char* roles;
  };
  constexpr std::array<Row, 23> table = {{
      {"GET", "/api/me", "curator auditor admin"},
      {"GET", "/api/overview", "curator auditor admin"},
      {"GET", "/api/tasks", "curator auditor admin"},
      {"GET", "/api/tasks/{id}", "curator auditor admin"},
      {"GET", "/api/tasks/{id}/candidates", "curator auditor admin"},
      {"GET", "/api/tasks/{id}/examples", "curator"},
      {"GET", "/api/tasks/{id}/disagreements", "curator"},
      {"GET", "/api/models", "curator auditor admin"},
      {"GET", "/api/routing", "curator auditor admin"},
      {"POST", "/api/routing/{id}", "admin"},
      {"GET", "/api/loop", "curator auditor admin"},
      {"POST", "/api/loop", "admin"},
      {"GET", "/api/calls", "curator auditor"},
      {"GET", "/api/calls/{id}", "curator auditor"},
      {"GET", "/api/calls/{id}/content", "curator"},
      {"GET", "/api/keys", "auditor admin"},
      {"GET", "/api/access", "auditor admin"},
      {"POST", "/api/access/keys", "admin"},
      {"POST", "/api/access/tokens", "admin"},
      {"DELETE", "/api/access/{name}", "admin"},
      {"GET", "/api/audit", "auditor admin"},
      {"GET", "/api/audit/verification", "auditor admin"},
      {"GET", "/api/settings", "curator auditor admin"},
  }};
  ASSERT_EQ(table.size(), ConsoleApi::routes().size());
  for (const Row& row : table) {
    for (const std::string role : {"curator", "auditor", "admin", "owner"}) {
      const unsigned code = status(
          {.method = row.method, .path = concrete(row.path), .token = tokens_[role], .body = "{}"});
      const bool may = role == "owner" || std::string_view(row.roles).contains(role);
      EXPECT_EQ(code != 403, may) << role << " " << row.method << " " << row.path << ": " << code;
      EXPECT_LT(code, 500U) << role << " " << row.path;
    }
  }
  EXPECT_THAT(ask({.path = "/api/events", .token = tokens_["auditor"]}),
              HasSubstr("text/event-stream"));
}

TEST_F(ConsoleServerTest, EveryAnswerForbidsFramingSniffingAndForeignContent) {
  for (const char* path : {"/", "/health", "/api/me", "/none", "/api/../x"}) {
    const std::string answer = ask({.path = path});
    EXPECT_THAT(answer, HasSubstr("X-Frame-Options: DENY")) << path;
    EXPECT_THAT(answer, HasSubstr("frame-ancestors 'none'")) << path;
    EXPECT_THAT(answer, HasSubstr("default-src 'none'; script-src 'self'")) << path;
    EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff")) << path;
    EXPECT_THAT(answer, Not(HasSubstr("unsafe"))) << path;
    EXPECT_THAT(answer, Not(HasSubstr("Access-Control-Allow"))) << path;
    EXPECT_THAT(answer, Not(HasSubstr("Set-Cookie"))) << path;
  }
}

TEST_F(ConsoleServerTest, WhatComesFromAnotherSiteChangesNothing) {
  Request request{.method = "POST",
                  .path = "/api/access/keys",
                  .token = tokens_["admin"],
                  .body = R"({"name":"agents"})"};
  for (const char* foreign : {"Origin: http://evil.example\r\n", "Origin: null\r\n",
                              "Origin: https://127.0.0.1\r\n", "Origin: http://127.0.0.1:1\r\n",
                              "Sec-Fetch-Site: cross-site\r\n", "Sec-Fetch-Site: same-site\r\n"}) {
    request.headers = foreign;
    EXPECT_EQ(status(request), 403U) << foreign;
  }
  request.headers = "Content-Type: text/plain\r\n";
  EXPECT_EQ(status(request), 415U);
  request.headers = "Origin: http://127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n";
  EXPECT_EQ(status(request), 201U);
}

TEST_F(ConsoleServerTest, AForeignNameIsNotAnswered) {
  EXPECT_EQ(status({.path = "/", .host = "evil.example"}), 421U);
  EXPECT_EQ(status({.path = "/api/me", .token = tokens_["owner"], .host = "evil.example:8090"}),
            421U);
  EXPECT_EQ(status({.path = "/", .host = "localhost:8090"}), 200U);
  EXPECT_EQ(status({.path = "/", .host = "[::1]:8090"}), 200U);
}

TEST_F(ConsoleServerTest, NoPathLeavesAndNoValueBreaksOut) {
  for (const char* path :
       {"/../../etc/passwd", "/assets/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd",
        "/..%2f..%2fetc%2fpasswd", "/assets/%00", "//etc/passwd", "/assets\\..\\x",
        "/api/tasks/..%2f..%2fkeys", "/api/calls/%0d%0aSet-Cookie:%20a=b"}) {
    const std::string answer = ask({.path = path, .token = tokens_["owner"]});
    EXPECT_THAT(answer, testing::ContainsRegex(" (400|404) ")) << path;
    EXPECT_THAT(answer, Not(HasSubstr("root:"))) << path;
    EXPECT_THAT(answer, Not(HasSubstr("\nSet-Cookie"))) << path;
  }
}

TEST_F(ConsoleServerTest, AWrongTokenIsRefusedLimitedAndNotLogged) {
  const std::string wrong = "ut-" + std::string(43, 'A');
  testing::internal::CaptureStderr();
  unsigned last = 0;
  for (int i = 0; i < 12; ++i) last = status({.path = "/api/me", .token = wrong});
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_EQ(last, 429U);
  EXPECT_THAT(logged, Not(HasSubstr("AAAA")));
  EXPECT_EQ(status({.path = "/api/me", .token = tokens_["auditor"]}), 200U);
}

TEST_F(ConsoleServerTest, ARevokedTokenEndsWithinASecond) {
  EXPECT_EQ(status({.path = "/api/me", .token = tokens_["auditor"]}), 200U);
  EXPECT_EQ(status({.method = "DELETE", .path = "/api/access/watch", .token = tokens_["admin"]}),
            200U);
  std::this_thread::sleep_for(std::chrono::milliseconds(2 * limits::access_poll_interval_ms));
  EXPECT_EQ(status({.path = "/api/me", .token = tokens_["auditor"]}), 401U);
}

TEST_F(ConsoleServerTest, ASwitchNeedsAReasonAndStandsInTheTrail) {
  Request request{.method = "POST", .path = "/api/routing/t-1", .token = tokens_["admin"]};
  request.body = R"({"mode":"active"})";
  EXPECT_THAT(ask(request), HasSubstr("say why"));
  request.body = R"({"mode":"on","reason":"x"})";
  EXPECT_EQ(status(request), 400U);
  request.body = "{\"mode\":\"off\",\"reason\":\"it was wrong\\nline\"}";
  EXPECT_EQ(status(request), 404U);  // no such task; it is in the trail that somebody tried
  request.body = R"({"mode":"canary","reason":"some","canary_percent":"half"})";
  EXPECT_THAT(ask(request), HasSubstr("canary_percent wants a number"));
  request.body = R"({"mode":"canary","reason":"some","canary_percent":12.5})";
  EXPECT_EQ(status(request), 404U);
  std::string trail;
  for (const store::AuditEntry& entry : store::verify_audit(*home_, {})->entries)
    trail += entry.act + " " + entry.detail + "\n";
  EXPECT_THAT(trail, HasSubstr("rollback task t-1 to off, token boss: it was wrong line\n"));
  EXPECT_THAT(trail, HasSubstr("promote task t-1 to canary 12.5 %, token boss: some\n"));
}

TEST_F(ConsoleServerTest, SaysWhatIsWrongWithARequest) {
  const std::string& owner = tokens_["owner"];
  EXPECT_EQ(status({.path = "/api/nothing", .token = owner}), 404U);
  EXPECT_THAT(ask({.method = "PUT", .path = "/api/me", .token = owner}), HasSubstr("Allow: GET"));
  EXPECT_EQ(status({.path = "/api/calls?limit=9999", .token = owner}), 400U);
  EXPECT_EQ(status({.method = "POST",
                    .path = "/api/access/keys",
                    .token = owner,
                    .body = std::string(100'000, 'x')}),
            400U);
  EXPECT_EQ(status({.method = "POST",
                    .path = "/api/access/keys",
                    .token = owner,
                    .body = R"({"name":"a","budget":1})"}),
            400U);
  EXPECT_EQ(status({.method = "POST", .path = "/", .token = owner}), 405U);
}

TEST(WebAssets, AreCompressedAndBoundedInSize) {
  std::size_t bytes = 0;
  for (const WebAsset& asset : web_assets()) bytes += asset.gzip.size();
  EXPECT_NE(find_asset("/"), nullptr);
  EXPECT_LT(bytes, 300'000U);
}

}  // namespace
}  // namespace understudy::console
