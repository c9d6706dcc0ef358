#include <gmock/gmock.h>
#include <sys/stat.h>

#include <cstdlib>

#include "base/files.hpp"
#include "base/nearest_word.hpp"
#include "live/config/gateway_config.hpp"
#include "live/config/toml_reader.hpp"

namespace understudy::live {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr std::string_view smallest = "[[upstream]]\nurl = \"https://api.example.com/v1\"\n";

GatewayConfig accepted(const std::string& text) {
  auto config = parse_config(text, "u.toml");
  EXPECT_TRUE(config.has_value()) << config.error().to_text();
  return config ? *config : GatewayConfig{};
}

std::string refused(const std::string& text) {
  const auto config = parse_config(text, "u.toml");
  EXPECT_FALSE(config.has_value()) << text;
  return config ? std::string() : config.error().message;
}

std::string with(std::string_view more) { return std::string(smallest) + std::string(more); }

TEST(LoadConfig, NeedsNoMoreThanOneUrl) {
  const GatewayConfig config = accepted(std::string(smallest));
  ASSERT_EQ(config.upstreams.size(), 1U);
  EXPECT_EQ(config.upstreams[0].name, "default");
  EXPECT_EQ(config.upstreams[0].url, "https://api.example.com/v1");
  EXPECT_EQ(config.upstreams[0].protocol, Protocol::openai);
  EXPECT_EQ(config.listen.to_text(), "127.0.0.1:8080");
  EXPECT_FALSE(config.keys_required());
  EXPECT_FALSE(config.admin.listen.has_value());
}

TEST(LoadConfig, OneUrlOnTheCommandLineMeansTheSameAsTheSmallestFile) {
  const auto config = default_config({.upstream_url = "https://api.example.com/v1"});
  ASSERT_TRUE(config);
  EXPECT_EQ(config->upstreams[0].name, "default");
  EXPECT_EQ(config->upstreams[0].url, accepted(std::string(smallest)).upstreams[0].url);
  EXPECT_THAT(default_config({.upstream_url = "api.example.com"}).error().message,
              HasSubstr("wants a URL"));
}

// What the example states as defaults are the defaults.
TEST(LoadConfig, TheExampleLoadsAndTellsTheTruthAboutDefaults) {
  const auto config = load_config(UNDERSTUDY_SOURCE_DIR "/examples/understudy.toml");
  ASSERT_TRUE(config.has_value()) << config.error().to_text();
  const GatewayConfig defaults = accepted(std::string(smallest));
  EXPECT_EQ(config->listen, defaults.listen);
  EXPECT_EQ(config->io_threads, defaults.io_threads);
  EXPECT_EQ(config->bodies_bytes, defaults.bodies_bytes);
  const DeadlineConfig& waits = config->upstreams[0].deadlines;
  EXPECT_EQ(waits.connect, DeadlineConfig{}.connect);
  EXPECT_EQ(waits.first_byte, DeadlineConfig{}.first_byte);
  EXPECT_EQ(waits.idle, DeadlineConfig{}.idle);
  EXPECT_EQ(waits.total, DeadlineConfig{}.total);
  EXPECT_EQ(config->retries.attempts_max, defaults.retries.attempts_max);
  EXPECT_EQ(config->retries.budget_ratio, defaults.retries.budget_ratio);
  EXPECT_EQ(config->retries.backoff, defaults.retries.backoff);
  EXPECT_EQ(config->retries.backoff_max, defaults.retries.backoff_max);
  EXPECT_EQ(config->retries.retry_after_max, defaults.retries.retry_after_max);
  EXPECT_EQ(config->breaker.failures, defaults.breaker.failures);
  EXPECT_EQ(config->breaker.window, defaults.breaker.window);
  EXPECT_EQ(config->breaker.open, defaults.breaker.open);
  EXPECT_EQ(config->capture.mode, defaults.capture.mode);
  EXPECT_EQ(config->capture.when_full, defaults.capture.when_full);
  EXPECT_EQ(config->capture.ring_bytes, defaults.capture.ring_bytes);
  EXPECT_EQ(config->capture.segment_bytes, defaults.capture.segment_bytes);
  EXPECT_EQ(config->capture.retention_days, defaults.capture.retention_days);
  EXPECT_EQ(config->access.required, defaults.access.required);
  EXPECT_EQ(config->access.signed_only, defaults.access.signed_only);
  EXPECT_EQ(config->admin.allow_plain_http, defaults.admin.allow_plain_http);
  EXPECT_EQ(config->telemetry.service_name, defaults.telemetry.service_name);
  EXPECT_EQ(config->telemetry.sample_ratio, defaults.telemetry.sample_ratio);
}

// Every key of the example that is commented out is one that the reader knows.
TEST(LoadConfig, TheExampleWithEveryKeySwitchedOnNamesNoUnknownKey) {
  std::string text = *read_file(UNDERSTUDY_SOURCE_DIR "/examples/understudy.toml");
  std::string switched_on;
  std::size_t keys = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    std::string line = text.substr(at, end - at);
    const std::string_view bare =
        std::string_view(line).substr(std::min<std::size_t>(2, line.size()));
    const bool is_key =
        line.starts_with("# ") &&
        (bare.starts_with('[') || bare.contains(" = \"") || bare.contains(" = true"));
    keys += is_key ? 1 : 0;
    switched_on += (is_key ? std::string(bare) : line) + "\n";
    at = end + 1;
  }
  EXPECT_GE(keys, 15U);
  const auto config = parse_config(switched_on, "u.toml");
  // Two keys for one upstream is the only thing wrong with it.
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().message, AllOf(HasSubstr("keep one of them"), Not(HasSubstr("\n"))));
}

TEST(LoadConfig, NamesFileLineAndKeyOfAllProblemsAtOnce) {
  const std::string problems = refused(
      "listen = \"8080\"\n"
      "[[upstream]]\n"
      "url = \"ftp://example.com\"\n"
      "protocol = \"openia\"\n"
      "[retries]\n"
      "attempts_max = 0\n"
      "[capture]\n"
      "mdoe = \"async\"\n");
  EXPECT_THAT(problems, HasSubstr("u.toml:1: listen: wants HOST:PORT"));
  EXPECT_THAT(problems, HasSubstr("u.toml:3: upstream.url: wants a URL"));
  EXPECT_THAT(problems,
              HasSubstr("u.toml:4: upstream.protocol: wants one of \"openai\", \"anthropic\""));
  EXPECT_THAT(problems,
              HasSubstr("u.toml:6: retries.attempts_max: wants a whole number from 1 to 10"));
  EXPECT_THAT(problems, HasSubstr("u.toml:8: capture.mdoe: no such key; did you mean mode?"));
  EXPECT_EQ(std::ranges::count(problems, '\n'), 4);
}

TEST(LoadConfig, SaysWhereTomlEnds) {
  EXPECT_THAT(refused("[[upstream]]\nurl = \n"), HasSubstr("u.toml:2:"));
}

TEST(LoadConfig, AsksForAnUpstream) {
  EXPECT_THAT(refused(""), HasSubstr("add two lines: [[upstream]]"));
  EXPECT_THAT(refused("[upstream]\nurl = \"https://a.example\"\n"),
              HasSubstr("comes as [[upstream]]"));
}

TEST(LoadConfig, SendsKeysInTheFileElsewhere) {
  EXPECT_THAT(refused(with("api_key = \"sk-1\"\n")),
              AllOf(HasSubstr("secrets do not belong here"), Not(HasSubstr("sk-1"))));
  EXPECT_THAT(refused("[[upstream]]\nurl = \"https://me:sk-1@api.example.com\"\n"),
              AllOf(HasSubstr("holds credentials"), Not(HasSubstr("sk-1"))));
}

TEST(LoadConfig, ReadsTargetsOfModels) {
  const GatewayConfig config = accepted(
      "[[upstream]]\nname = \"a\"\nurl = \"http://a.example\"\n"
      "[[upstream]]\nname = \"b\"\nurl = \"http://b.example\"\nprotocol = \"anthropic\"\n"
      "[[model]]\nname = \"small\"\ntargets = [\"b/meta/llama\", \"a\"]\nlarger = \"big\"\n"
      "[[model]]\nname = \"big\"\ntargets = [\"a\"]\n"
      "[[model]]\nname = \"*\"\ntargets = [\"a/any\"]\n");
  const ModelConfig* small = config.find_model("small");
  ASSERT_NE(small, nullptr);
  ASSERT_EQ(small->targets.size(), 2U);
  EXPECT_EQ(small->targets[0].upstream, 1U);
  EXPECT_EQ(small->targets[0].model, "meta/llama");
  EXPECT_EQ(small->targets[1].upstream, 0U);
  EXPECT_EQ(small->targets[1].model, "");
  EXPECT_EQ(config.find_model("unheard-of")->name, "*");
  EXPECT_EQ(config.default_target(Protocol::anthropic), 1U);
  EXPECT_EQ(config.default_target(Protocol::openai), 0U);
}

TEST(LoadConfig, RefusesUnknownNamesAndSuggestsTheNearest) {
  EXPECT_THAT(
      refused(with("name = \"openai\"\n[[model]]\nname = \"m\"\ntargets = [\"opnai/x\"]\n")),
      HasSubstr("there is no upstream \"opnai\"; did you mean \"openai\"?"));
  EXPECT_THAT(refused(with("[[model]]\nname = \"m\"\ntargets = [\"default\"]\nlarger = \"n\"\n")),
              HasSubstr("there is no model \"n\""));
  EXPECT_THAT(refused(with("[[model]]\nname = \"m\"\ntargets = []\n")),
              HasSubstr("targets: is missing"));
}

TEST(LoadConfig, RefusesLargerModelsThatLeadInACircle) {
  const std::string circle = with(
      "[[model]]\nname = \"a\"\ntargets = [\"default\"]\nlarger = \"b\"\n"
      "[[model]]\nname = \"b\"\ntargets = [\"default\"]\nlarger = \"a\"\n"
      "[[model]]\nname = \"c\"\ntargets = [\"default\"]\nlarger = \"a\"\n");
  const std::string problems = refused(circle);
  EXPECT_THAT(problems, AllOf(HasSubstr("leads from \"a\" back to itself"),
                              HasSubstr("leads from \"b\" back to itself"),
                              Not(HasSubstr("leads from \"c\""))));
}

TEST(LoadConfig, RefusesTwoEntriesOfOneName) {
  EXPECT_THAT(refused("[[upstream]]\nname = \"a\"\nurl = \"http://a.example\"\n"
                      "[[upstream]]\nname = \"a\"\nurl = \"http://b.example\"\n"),
              HasSubstr("u.toml:4: upstream.name: \"a\" is the name of an earlier one"));
  EXPECT_THAT(refused(with("[[model]]\nname = \"m\"\ntargets = [\"default\"]\n"
                           "[[model]]\nname = \"m\"\ntargets = [\"default\"]\n")),
              HasSubstr("has an entry already"));
}

TEST(LoadConfig, TheCommandLineGoesBeforeTheFile) {
  const ConfigOverrides overrides{.upstream_url = "http://127.0.0.1:9/v1",
                                  .listen = Endpoint{.host = "::1", .port = 7},
                                  .io_threads = 3};
  const auto config =
      parse_config("listen = \"127.0.0.1:1\"\n[[model]]\nname = \"m\"\ntargets = [\"default/n\"]\n",
                   "u.toml", overrides);
  ASSERT_TRUE(config.has_value()) << config.error().to_text();
  EXPECT_EQ(config->upstreams.at(0).url, "http://127.0.0.1:9/v1");
  EXPECT_EQ(config->find_model("m")->targets.at(0).model, "n");
  EXPECT_EQ(config->listen.to_text(), "[::1]:7");
  EXPECT_EQ(config->io_threads, 3U);
  const auto both = parse_config(smallest, "u.toml", overrides);
  ASSERT_FALSE(both);
  EXPECT_THAT(both.error().message, HasSubstr("u.toml:1: upstream: stands beside --upstream"));
}

TEST(LoadConfig, LeavesOtherVerbsTheirTables) {
  accepted(with("[tune]\nseed = 3\n"));
  EXPECT_THAT(refused(with("[acess]\nrequired = true\n")), HasSubstr("did you mean access?"));
}

TEST(LoadConfig, RequiresKeysWhereOthersCouldSpendTheUpstreamsKey) {
  const std::string key = "api_key_env = \"K\"\n";
  EXPECT_FALSE(accepted(with(key)).keys_required());
  EXPECT_TRUE(accepted("listen = \"0.0.0.0:1\"\n" + with(key)).keys_required());
  EXPECT_FALSE(accepted("listen = \"0.0.0.0:1\"\n" + with("")).keys_required());
  EXPECT_FALSE(accepted("listen = \"0.0.0.0:1\"\n" + with(key + "[access]\nrequired = false\n"))
                   .keys_required());
  EXPECT_TRUE(accepted(with("[access]\nrequired = true\n")).keys_required());
}

TEST(LoadConfig, KeepsAdminTokensOffPlainNetworks) {
  EXPECT_THAT(refused(with("[admin]\nlisten = \"0.0.0.0:9\"\n")), HasSubstr("tokens in clear"));
  accepted(with("[admin]\nlisten = \"0.0.0.0:9\"\nallow_plain_http = true\n"));
  accepted(with("[admin]\nlisten = \"[::1]:9\"\n"));
}

TEST(LoadConfig, ChecksThatWhatItNamesIsThere) {
  const std::string directory = testing::TempDir() + "load_config";
  std::filesystem::create_directories(directory);
  const std::string file = directory + "/understudy.toml";
  const std::string key_file = directory + "/key";
  ::unsetenv("UNDERSTUDY_TEST_NO_SUCH_KEY");
  ASSERT_TRUE(write_file_atomically(
      file, with("api_key_env = \"UNDERSTUDY_TEST_NO_SUCH_KEY\"\nca_file = \"/no/such\"\n")));
  EXPECT_THAT(load_config(file).error().message,
              AllOf(HasSubstr("the environment has no UNDERSTUDY_TEST_NO_SUCH_KEY; run: export"),
                    HasSubstr("cannot read /no/such")));

  ASSERT_TRUE(write_file_atomically(file, with("api_key_file = \"" + key_file + "\"\n")));
  ASSERT_TRUE(write_file_atomically(key_file, "sk-1\n"));
  EXPECT_THAT(load_config(file).error().message, HasSubstr("chmod 600"));
  ASSERT_TRUE(write_file_atomically(key_file, "sk-1\n", FileMode::owner_only));
  const auto config = load_config(file);
  ASSERT_TRUE(config.has_value()) << config.error().to_text();
  EXPECT_EQ(upstream_key(config->upstreams[0])->reveal(), "sk-1");
  ASSERT_TRUE(write_file_atomically(key_file, "sk\x01", FileMode::owner_only));
  EXPECT_THAT(load_config(file).error().message, HasSubstr("control character"));
}

TEST(LoadConfig, ReadsEndpoints) {
  EXPECT_EQ(parse_endpoint("[::1]:80")->host, "::1");
  EXPECT_EQ(parse_endpoint("[::1]:80")->to_text(), "[::1]:80");
  EXPECT_TRUE(parse_endpoint("localhost:0")->loopback());
  for (const char* wrong : {"", ":80", "a:", "a:b", "a:65536", "::1:80", "a:-1", "a:1x"})
    EXPECT_FALSE(parse_endpoint(wrong)) << wrong;
}

TEST(TomlReader, FindsTheNearestWord) {
  EXPECT_EQ(nearest("retry", {"retries", "breaker"}), "retries");
  EXPECT_EQ(nearest("timeout", {"idle_timeout_ms", "x"}), "idle_timeout_ms");
  EXPECT_EQ(nearest("zzzzzz", {"retries", "breaker"}), "");
}

}  // namespace
}  // namespace understudy::live
