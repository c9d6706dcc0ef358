// TLS on both sides with a certificate of our own, and proxies from the environment.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <thread>

#include "adapters/net/http_server.hpp"
#include "adapters/net/test_peers.hpp"
#include "adapters/net/upstream.hpp"
#include "adapters/net/url.hpp"

namespace understudy::net {
namespace {

using namespace testing_peers;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

Async<void> echo(Exchange& exchange) {
  co_await exchange.read_body();
  co_await exchange.send(200, {}, exchange.request().body);
}

HttpServerOptions with_tls(const CertificateFiles& files) {
  HttpServerOptions options;
  options.tls = {.certificate = files.certificate, .key = files.key};
  return options;
}

Result<std::string> ask(const std::string& url, const UpstreamOptions& options,
                        const std::string& body, int times = 1) {
  auto upstream = TRY(Upstream::create(url, options));
  return run_async([](Upstream& to, std::string text, int count) -> Async<Result<std::string>> {
    Result<std::string> last;
    for (int i = 0; i < count; ++i) {
      UpstreamCall call(to, {});
      const std::array<std::string_view, 1> parts = {text};
      if (auto sent = co_await call.send("POST", "/x", {}, parts); !sent)
        co_return fail(sent.error());
      std::string answer;
      do {
        last = co_await call.read();
        if (!last) co_return last;
        answer += *last;
      } while (!call.finished());
      last = answer;
    }
    co_return last;
  }(*upstream, body, times));
}

// Sets a variable for one test.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) {
    ::setenv(name, value.c_str(), 1);
  }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

TEST(Tls, CarriesBodiesBothWaysAndKeepsConnections) {
  const CertificateFiles files;
  const RunningServer server(echo, with_tls(files));
  const std::string port = std::to_string(server.port());
  const std::string body(3 << 20, 'x');
  for (const std::string host : {"localhost", "127.0.0.1"}) {
    const auto answer =
        ask("https://" + host + ":" + port, {.ca_file = files.certificate}, body, 3);
    ASSERT_TRUE(answer.has_value()) << answer.error().message;
    EXPECT_TRUE(*answer == body);
  }
}

TEST(Tls, RefusesAServerThatCannotProveItself) {
  const CertificateFiles files;
  const CertificateFiles others;
  HttpServerOptions options = with_tls(files);
  options.host = "0.0.0.0";  // all of 127.0.0.0/8
  const RunningServer server(echo, options);
  const std::string port = std::to_string(server.port());
  const struct {
    std::string host;
    std::string ca_file;
    std::string why;
  } cases[] = {
      {"localhost", "", "self-signed"},
      {"localhost", others.certificate, "certificate verify failed"},
      {"127.0.0.2", files.certificate, "IP address mismatch"},
  };
  for (const auto& tested : cases) {
    const auto answer =
        ask("https://" + tested.host + ":" + port, {.ca_file = tested.ca_file}, "x");
    ASSERT_FALSE(answer.has_value()) << tested.host;
    EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
    EXPECT_THAT(answer.error().message, HasSubstr(tested.why));
  }
}

TEST(Tls, NoticesACutThatLooksLikeAnEnd) {
  const CertificateFiles files;
  const RunningServer server(
      [](Exchange& exchange) -> Async<void> {
        co_await exchange.begin(200, {});
        co_await exchange.write("half");
        exchange.abort();
      },
      with_tls(files));
  const auto answer = ask("https://localhost:" + std::to_string(server.port()),
                          {.ca_file = files.certificate}, "x");
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
}

TEST(Tls, SaysWhichFileIsWrong) {
  const CertificateFiles files;
  const CertificateFiles others;
  HttpServerOptions options = with_tls(files);
  options.tls.key = others.key;
  const auto mismatch = HttpServer::create(options, echo);
  ASSERT_FALSE(mismatch.has_value());
  EXPECT_THAT(mismatch.error().message, HasSubstr(others.key));
  const auto missing = Upstream::create("https://localhost", {.ca_file = "/no/such/file"});
  ASSERT_FALSE(missing.has_value());
  EXPECT_THAT(missing.error().message, HasSubstr("/no/such/file"));
}

TEST(Tls, UsesRenewedFilesAfterAReload) {
  const CertificateFiles files;
  const CertificateFiles renewed;
  RunningServer server(echo, with_tls(files));
  const std::string url = "https://localhost:" + std::to_string(server.port());
  EXPECT_FALSE(ask(url, {.ca_file = renewed.certificate}, "x").has_value());
  std::filesystem::copy_file(renewed.certificate, files.certificate,
                             std::filesystem::copy_options::overwrite_existing);
  std::filesystem::copy_file(renewed.key, files.key,
                             std::filesystem::copy_options::overwrite_existing);
  ASSERT_TRUE(server.server().reload_certificates().has_value());
  EXPECT_TRUE(ask(url, {.ca_file = renewed.certificate}, "x").has_value());
}

// --- Proxies
// ---------------------------------------------------------------------------------------

void copy(Peer& from, Peer& to) {
  while (true) {
    const std::string bytes = from.receive();
    if (bytes.empty() || !to.send(bytes)) break;
  }
  to.half_close();
}

TEST(Proxy, IsAskedToConnectForHttps) {
  const CertificateFiles files;
  const RunningServer server(echo, with_tls(files));
  std::string asked;
  const ScriptedServer proxy([&](Peer& peer) {
    asked = peer.receive_head();
    Peer origin = server.connect();
    peer.send("HTTP/1.1 200 Connection established\r\n\r\n");
    std::jthread back([&] { copy(origin, peer); });
    copy(peer, origin);
  });
  const Variable variable("https_proxy",
                          "http://user:p%40ss@127.0.0.1:" + std::to_string(proxy.port()));
  const auto answer =
      ask("https://upstream.test/v1", {.ca_file = files.certificate}, "through the tunnel", 2);
  ASSERT_TRUE(answer.has_value()) << answer.error().message;
  EXPECT_EQ(*answer, "through the tunnel");
  EXPECT_EQ(asked,
            "CONNECT upstream.test:443 HTTP/1.1\r\nHost: upstream.test:443\r\n"
            "Proxy-Authorization: Basic dXNlcjpwQHNz\r\n\r\n");
  EXPECT_EQ(proxy.connections(), 1);
}

TEST(Proxy, ThatRefusesOrFailsIsNamed) {
  const struct {
    std::string says;
    std::string why;
  } cases[] = {
      {"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "status 407"},
      {"HTTP/1.1 200 OK\r\n\r\nsurplus", "refused"},
      {"", "closed the connection"},
      {"SOCKS", "closed the connection"},
      {"SOCKS\r\n\r\n", "does not speak HTTP"},
  };
  for (const auto& tested : cases) {
    const ScriptedServer proxy([&](Peer& peer) {
      peer.receive_head();
      peer.send(tested.says);
    });
    const Variable variable("HTTPS_PROXY", "127.0.0.1:" + std::to_string(proxy.port()));
    const auto answer = ask("https://upstream.test", {}, "x");
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
    EXPECT_THAT(answer.error().message, HasSubstr("proxy")) << tested.says;
    EXPECT_THAT(answer.error().message, HasSubstr(tested.why));
  }
}

TEST(Proxy, GetsTheWholeUrlOfPlainHttp) {
  std::string asked;
  const ScriptedServer proxy([&](Peer& peer) {
    asked = peer.receive_message();
    peer.send(answer("by proxy"));
    peer.receive();
  });
  const Variable variable("http_proxy", "http://a:b@127.0.0.1:" + std::to_string(proxy.port()));
  EXPECT_EQ(*ask("http://upstream.test:8080/v1", {}, "x"), "by proxy");
  EXPECT_THAT(asked, StartsWith("POST http://upstream.test:8080/x HTTP/1.1\r\n"
                                "Host: upstream.test:8080\r\n"
                                "Proxy-Authorization: Basic YTpi\r\n"));
}

TEST(Proxy, IsNotUsedWhereItIsNotWanted) {
  const ScriptedServer direct([](Peer& peer) {
    peer.receive_message();
    peer.send(answer("direct"));
  });
  const Variable variable("http_proxy", "http://127.0.0.1:1");
  EXPECT_EQ(*ask(direct.url(), {}, "x"), "direct") << "loopback needs no proxy";
  const auto made = Upstream::create("http://upstream.test", {.use_environment_proxy = false});
  EXPECT_TRUE(made.has_value());
}

TEST(Proxy, IsChosenByTheEnvironment) {
  const std::map<std::string, std::string> set = {{"http_proxy", "plain:1"},
                                                  {"HTTPS_PROXY", "secure:2"},
                                                  {"no_proxy", "example.com, .internal"}};
  const auto chosen = [&](const std::string& url) -> std::string {
    const auto proxy = proxy_for(*parse_upstream_url(url), [&](const char* name) {
      const auto at = set.find(name);
      return at == set.end() ? nullptr : at->second.c_str();
    });
    return *proxy ? (*proxy)->authority_with_port() : "none";
  };
  EXPECT_EQ(chosen("http://api.test"), "plain:1");
  EXPECT_EQ(chosen("https://api.test"), "secure:2");
  EXPECT_EQ(chosen("https://example.com"), "none");
  EXPECT_EQ(chosen("https://api.example.com"), "none");
  EXPECT_EQ(chosen("https://notexample.com"), "secure:2");
  EXPECT_EQ(chosen("https://a.internal"), "none");
  EXPECT_EQ(chosen("https://localhost:8080"), "none");
  EXPECT_EQ(chosen("http://[::1]:8080"), "none");
}

TEST(NoProxy, UnderstandsItsForms) {
  const auto exempt = [](std::string_view list, const std::string& url) {
    return no_proxy_names(list, *parse_upstream_url(url));
  };
  EXPECT_TRUE(exempt("*", "https://a.test"));
  EXPECT_TRUE(exempt("x,A.Test", "https://a.test"));
  EXPECT_TRUE(exempt("*.test", "https://a.test"));
  EXPECT_TRUE(exempt("a.test:443", "https://a.test"));
  EXPECT_FALSE(exempt("a.test:8443", "https://a.test"));
  EXPECT_TRUE(exempt("10.0.0.0/8", "https://10.1.2.3"));
  EXPECT_FALSE(exempt("10.0.0.0/8", "https://11.1.2.3"));
  EXPECT_TRUE(exempt("fd00::/8", "https://[fd00::1]"));
  EXPECT_TRUE(exempt("fd00::1", "https://[fd00::1]:8080"));
  EXPECT_FALSE(exempt("", "https://a.test"));
}

TEST(UpstreamUrl, IsUnderstoodOrRefused) {
  const auto url = parse_upstream_url("https://[::1]:8443/base/v1/");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->authority(), "[::1]:8443");
  EXPECT_EQ(url->prefix, "/base");
  EXPECT_EQ(parse_upstream_url("http://a.test")->authority(), "a.test");
  EXPECT_EQ(parse_upstream_url("http://a.test:80/v1")->authority(), "a.test");
  EXPECT_EQ(parse_upstream_url("https://a.test:80/v1")->authority(), "a.test:80");
  for (const std::string bad : {"", "a.test", "ftp://a.test", "http://", "http://:80",
                                "http://a:b@c", "http://a.test:", "http://a.test:99999",
                                "http://a.test:0", "http://[::1", "http://a b", "http://a/ b"})
    EXPECT_FALSE(parse_upstream_url(bad).has_value()) << bad;
}

}  // namespace
}  // namespace understudy::net
