#include "live/admin/admin_api.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cstdlib>
#include <thread>
#include <vector>

#include "adapters/net/test_peers.hpp"
#include "adapters/store/access_changes.hpp"
#include "adapters/store/audit_trail.hpp"
#include "live/api/routes.hpp"

namespace understudy::live {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr auto rule = store::SignatureRule::optional;

class AdminApiTest : public testing::Test {
 protected:
  AdminApiTest() {
    std::string name = (fs::temp_directory_path() / "understudy-admin-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
    home_.emplace(store::Home::open(directory_).value());
    admin_ = issue("boss", AccessRole::admin);
    auditor_ = issue("watch", AccessRole::auditor);
    curator_ = issue("curie", AccessRole::curator);
    access_ = Access::open(*home_, {.required = true}).value();
    api_ = std::make_unique<AdminApi>(
        AdminServices{.home = *home_,
                      .access = *access_,
                      .metrics = metrics_,
                      .pool = pool_,
                      .upstreams = [] { return json::object{{"default", "closed"}}; },
                      .log_counters = [] { return json::object{{"committed", 7}}; },
                      .reload = [this]() -> Status {
                        if (broken_config_)
                          return fail(ErrorCode::invalid_input, "u.toml:1: broken");
                        return {};
                      }});
    server_ = net::HttpServer::create({.host = "127.0.0.1"}, [this](net::Exchange& exchange) {
                return api_->handle(exchange);
              }).value();
    thread_ = std::jthread([this] { server_->run(); });
  }
  ~AdminApiTest() override {
    server_->stop();
    thread_.join();
    server_.reset();
    access_.reset();
    fs::remove_all(directory_);
  }

  std::string issue(const std::string& name, AccessRole role) {
    RoleToken token;
    token.name = name;
    token.role = role;
    return store::issue_token(*home_, rule, token).value().secret.reveal();
  }

  // The whole answer, head and body.
  std::string ask(const std::string& method, const std::string& path, const std::string& token,
                  const std::string& body = {}) {
    std::string text = method + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    if (!token.empty()) text += "Authorization: Bearer " + token + "\r\n";
    if (!body.empty() || method == "POST")
      text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
    text += "\r\n" + body;
    auto peer = net::testing_peers::Peer::connect_to(server_->port());
    EXPECT_TRUE(peer.send(text));
    return peer.receive_all();
  }
  static unsigned status_of(const std::string& answer) {
    return static_cast<unsigned>(std::atoi(answer.substr(9, 3).c_str()));
  }
  static std::string concrete(std::string_view pattern) {
    std::string path(pattern);
    const std::size_t begin = path.find('{');
    if (begin != path.npos) path.replace(begin, path.find('}') - begin + 1, "nothing");
    return path;
  }
  unsigned status(const std::string& method, const std::string& path, const std::string& token,
                  const std::string& body = {}) {
    return status_of(ask(method, path, token, body));
  }

  fs::path directory_;
  std::optional<store::Home> home_;
  std::string admin_, auditor_, curator_;
  telemetry::Metrics metrics_{"test"};
  Pool pool_{2};
  bool broken_config_ = false;
  std::unique_ptr<Access> access_;
  std::unique_ptr<AdminApi> api_;
  std::unique_ptr<net::HttpServer> server_;
  std::jthread thread_;
};

TEST_F(AdminApiTest, HealthTellsNothingButThatItLives) {
  const std::string answer = ask("GET", "/health", "");
  EXPECT_EQ(status_of(answer), 200U);
  EXPECT_TRUE(answer.ends_with("\r\n\r\n{\"status\":\"ok\"}")) << answer;
}

TEST_F(AdminApiTest, IsClosedWithoutAToken) {
  for (const AdminRoute& route : admin_routes()) {
    if (route.job == AdminJob::health) continue;
    const std::string answer = ask(std::string(route.method), concrete(route.path), "");
    EXPECT_EQ(status_of(answer), 401U) << route.path;
    EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Bearer")) << route.path;
  }
  EXPECT_EQ(status("GET", "/no/such/path", ""), 401U);
}

// What each role may ask for; a new route must be written down here.
TEST_F(AdminApiTest, EachRoleGetsItsShareOfEveryRoute) {
  struct Row {
    const char* method;
    const char* path;
    const char* roles;
  };
  constexpr std::array<Row, 8> table = {{
      {"GET", "/health", "nobody curator auditor admin"},
      {"GET", "/metrics", "auditor admin"},
      {"GET", "/admin/upstreams", "auditor admin"},
      {"GET", "/admin/log", "auditor admin"},
      {"GET", "/admin/keys", "auditor admin"},
      {"POST", "/admin/keys", "admin"},
      {"DELETE", "/admin/keys/{name}", "admin"},
      {"POST", "/admin/reload", "admin"},
  }};
  ASSERT_EQ(table.size(), admin_routes().size());
  const std::array<std::pair<const char*, std::string>, 4> visitors = {
      {{"nobody", ""}, {"curator", curator_}, {"auditor", auditor_}, {"admin", admin_}}};
  for (const Row& row : table) {
    const auto is_row = [&row](const AdminRoute& route) {
      return route.method == row.method && route.path == row.path;
    };
    EXPECT_EQ(std::ranges::count_if(admin_routes(), is_row), 1) << row.method << " " << row.path;
    for (const auto& [role, token] : visitors) {
      const std::string body = row.method == std::string_view("GET") ? "" : "{}";
      const unsigned code = status(row.method, concrete(row.path), token, body);
      const bool may = std::string_view(row.roles).contains(role);
      EXPECT_EQ(code != 401 && code != 403, may)
          << role << " " << row.method << " " << row.path << ": " << code;
      EXPECT_LT(code, 500U) << role << " " << row.path;
    }
  }
}

// No page may frame it, guess its type, or read it from another site: it answers programs only.
TEST_F(AdminApiTest, NoSiteCanUseItAndNoValueBreaksOut) {
  for (const char* path : {"/../../etc/passwd", "/admin/../../etc/passwd", "/%2e%2e/etc/passwd",
                           "/admin/keys/%0d%0aSet-Cookie:%20a=b", "/admin/keys/..%2f..%2fhome"}) {
    for (const char* method : {"GET", "DELETE"}) {
      const std::string answer = ask(method, path, admin_);
      EXPECT_THAT(answer, testing::ContainsRegex(" (400|404|405) ")) << method << " " << path;
      EXPECT_THAT(answer, Not(HasSubstr("root:"))) << path;
      EXPECT_THAT(answer, Not(HasSubstr("\nSet-Cookie"))) << path;
      EXPECT_THAT(answer, Not(HasSubstr("Access-Control-Allow"))) << path;
      EXPECT_THAT(answer, HasSubstr("X-Frame-Options: DENY")) << path;
      EXPECT_THAT(answer, HasSubstr("X-Content-Type-Options: nosniff")) << path;
    }
  }
  EXPECT_EQ(status("POST", "/admin/keys", admin_, "{\"name\":\"a\\r\\nSet-Cookie: b\"}"), 400U);
}

TEST_F(AdminApiTest, MetricsAreInPrometheusForm) {
  const std::string answer = ask("GET", "/metrics", auditor_);
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer, HasSubstr("understudy_build_info{version=\"test\"} 1"));
}

TEST_F(AdminApiTest, AnIssuedKeyWorksAtOnceAndARevokedOneNoMore) {
  const std::string answer =
      ask("POST", "/admin/keys", admin_, R"({"name":"agents","requests_per_minute":60})");
  ASSERT_EQ(status_of(answer), 201U) << answer;
  const std::size_t at = answer.find("us-");
  ASSERT_NE(at, std::string::npos);
  const std::string secret = answer.substr(at, crypto::access_secret_bytes);
  EXPECT_FALSE(access_->admit({.secret = secret, .model = "m"}).refusal);
  const std::string list = ask("GET", "/admin/keys", auditor_);
  EXPECT_THAT(list, HasSubstr("\"name\":\"agents\""));
  EXPECT_THAT(list, Not(HasSubstr(secret)));
  EXPECT_THAT(list, Not(HasSubstr("hash")));
  EXPECT_EQ(status("POST", "/admin/keys", admin_, R"({"name":"agents"})"), 409U);
  EXPECT_EQ(status("DELETE", "/admin/keys/agents", admin_), 200U);
  EXPECT_TRUE(access_->admit({.secret = secret, .model = "m"}).refusal);
  std::vector<std::string> acts;
  for (const store::AuditEntry& entry : store::verify_audit(*home_, {})->entries)
    acts.push_back(entry.role + " " + entry.act + " " + entry.detail);
  EXPECT_THAT(acts, ElementsAre("admin make key agents, token boss",
                                "admin make key agents, token boss",  // refused: it was there
                                "admin revoke agents, token boss"));
}

TEST_F(AdminApiTest, NothingIsChangedWithoutATrace) {
  fs::create_directories(home_->directory() / "audit");
  fs::create_directories(home_->directory() / "audit" / "trail.jsonl");  // cannot be written
  EXPECT_EQ(status("POST", "/admin/keys", admin_, R"({"name":"agents"})"), 503U);
  EXPECT_THAT(ask("GET", "/admin/keys", auditor_), Not(HasSubstr("agents")));
}

TEST_F(AdminApiTest, SaysWhatIsWrongWithARequest) {
  EXPECT_EQ(status("GET", "/admin/nothing", admin_), 404U);
  EXPECT_EQ(status("DELETE", "/admin/keys/nobody", admin_), 404U);
  EXPECT_EQ(status("DELETE", "/admin/keys/..%2fx", admin_), 400U);
  const std::string wrong_method = ask("PUT", "/admin/keys", admin_);
  EXPECT_EQ(status_of(wrong_method), 405U);
  EXPECT_THAT(wrong_method, HasSubstr("Allow: GET, POST"));
  EXPECT_EQ(status("POST", "/admin/keys", admin_, R"({"name":"a","budget":1})"), 400U);
  EXPECT_EQ(status("POST", "/admin/keys", admin_, std::string(100'000, 'x')), 400U);
}

TEST_F(AdminApiTest, AReloadThatFailsSaysWhy) {
  EXPECT_EQ(status("POST", "/admin/reload", admin_), 200U);
  broken_config_ = true;
  const std::string answer = ask("POST", "/admin/reload", admin_);
  EXPECT_EQ(status_of(answer), 400U);
  EXPECT_THAT(answer, HasSubstr("u.toml:1: broken"));
}

TEST_F(AdminApiTest, WrongTokensAreLimitedAndLoggedWithoutThem) {
  const std::string wrong = "ut-" + std::string(43, 'A');
  testing::internal::CaptureStderr();
  for (std::int64_t i = 0; i < limits::admin_failures_per_minute; ++i)
    EXPECT_EQ(status("GET", "/metrics", wrong), 401U);
  const std::string refused = ask("GET", "/metrics", wrong);
  const std::string logged = testing::internal::GetCapturedStderr();
  EXPECT_EQ(status_of(refused), 429U);
  EXPECT_THAT(refused, HasSubstr("Retry-After: 60"));
  EXPECT_THAT(logged, HasSubstr("a wrong token from 127.0.0.1"));
  EXPECT_THAT(logged, Not(HasSubstr("AAAA")));
  // Nobody is locked out by it.
  EXPECT_EQ(status("GET", "/metrics", auditor_), 200U);
}

TEST_F(AdminApiTest, ARevokedTokenIsNone) {
  ASSERT_TRUE(store::revoke_access(*home_, rule, "watch"));
  ASSERT_TRUE(access_->reload());
  EXPECT_EQ(status("GET", "/metrics", auditor_), 401U);
}

TEST(FailedAttempts, AreBoundedAndForgiven) {
  net::FailedAttempts attempts;
  const UnixMicros start{1'790'000'000'000'000};
  for (std::int64_t i = 0; i < limits::admin_failures_per_minute; ++i)
    EXPECT_TRUE(attempts.count("a", start));
  EXPECT_FALSE(attempts.count("a", start));
  EXPECT_TRUE(attempts.count("b", start));
  // A flood of addresses fills the table; new ones share one count.
  for (std::size_t i = 0; i < 2 * limits::admin_addresses_max; ++i)
    (void)attempts.count("x" + std::to_string(i), start);
  EXPECT_FALSE(attempts.count("new", start));
  // Six seconds later one more is forgiven; a minute later all are.
  EXPECT_TRUE(attempts.count("a", {start.value + 6'000'000}));
  EXPECT_TRUE(attempts.count("new", {start.value + 61'000'000}));
}

}  // namespace
}  // namespace understudy::live
