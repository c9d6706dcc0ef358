// `route_bench HOME`: fills an empty home with keys and a policy of 200 tasks, and prints as JSON
// how long the router takes to find a call's task and its mode among them, and how soon the audit
// sees a change. `./dev bench route` runs it, and then a gateway on the same home.
#include <algorithm>
#include <format>
#include <iostream>
#include <random>

#include "adapters/crypto/keys.hpp"
#include "adapters/store/policy_store.hpp"
#include "base/check.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "live/route/router.hpp"

namespace understudy::live {

namespace {

constexpr std::size_t tasks = 200;
constexpr std::size_t steps_per_agent = 20;  // tasks that share a system prompt
constexpr std::size_t calls = 20'000;

std::string system_prompt(std::size_t agent) {
  std::string text = std::format("You are agent {} of a company.\n", agent);
  for (int rule = 0; rule < 60; ++rule)
    text += std::format("Rule {}: be careful with whatever the customer says about rule {}.\n",
                        rule, rule);
  return text;
}

std::string instruction(std::size_t task) {
  return std::format("\nStep {}: decide what to do with the customer's words below.\nWords: ",
                     task % steps_per_agent);
}

json::value request_of(std::size_t task, const std::string& words) {
  return json::object{
      {"model", "m"},
      {"messages",
       json::array{
           json::object{{"role", "system"}, {"content", system_prompt(task / steps_per_agent)}},
           json::object{{"role", "user"},
                        {"content", "Context: " + words + instruction(task) + words}}}}};
}

RoutingPolicy policy_of_tasks() {
  RoutingPolicy policy;
  policy.reason = "bench";
  for (std::size_t i = 0; i < tasks; ++i) {
    TaskPolicy task;
    task.task = {std::format("t-{:010x}", i)};
    task.name = std::format("task {}", i);
    task.mode = RouteMode::shadow;
    task.key.response_form = "text";
    const std::string system = system_prompt(i / steps_per_agent);
    task.prompt_template =
        PromptTemplate::create(
            {"<|system|>\n" + system + "\n<|user|>\nContext: ", instruction(i), "\n"})
            .value();
    task.artifact = {"none"};
    task.decided_at = now();
    policy.tasks.push_back(std::move(task));
  }
  return policy;
}

json::object decision_times(const store::Home& home) {
  const auto router =
      Router::open(home, [](const lm::OpenModelOptions&) {
        return Result<std::unique_ptr<lm::SmallModel>>(fail(ErrorCode::unavailable, "none"));
      }).value();
  std::mt19937_64 random(1);
  std::vector<double> times_us;
  std::size_t matched = 0;
  for (std::size_t i = 0; i < calls; ++i) {
    std::string words;
    for (std::size_t left = 20 + random() % 200; left > 0; --left)
      words += std::format("word{} ", random() % 999);
    const auto request = wire::parse_chat_request(request_of(random() % tasks, words)).value();
    const CallId call{std::format("call-{}", i)};
    const Stopwatch watch;
    const auto match = router->match(request, {.call = call, .session = {}, .parent = {}});
    times_us.push_back(static_cast<double>(watch.elapsed_ns()) / 1000);
    matched += match ? 1U : 0U;
  }
  CHECK(matched == calls, "every call is of one of the tasks");
  std::ranges::sort(times_us);
  const auto at = [&](double share) {
    return times_us[static_cast<std::size_t>(share * static_cast<double>(times_us.size() - 1))];
  };
  return {{"tasks", tasks},
          {"calls", calls},
          {"p50 us", at(0.5)},
          {"p99 us", at(0.99)},
          {"p99.9 us", at(0.999)}};
}

// The audited calls after which a task is demoted; nothing: it never is.
std::optional<int> demoted_after(unsigned seed, int audited, int change_at, double rate_then) {
  TaskPolicy policy;
  policy.task = {"t"};
  policy.mode = RouteMode::active;
  WatchedTask watched(policy, std::nullopt);
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> share(0, 1);
  for (int i = 0; i < audited; ++i) {
    const double rate = i < change_at ? policy.alpha / 2 : rate_then;
    if (watched.audited(share(random) >= rate)) return i;
  }
  return std::nullopt;
}

json::object drift() {
  constexpr unsigned seeds = 20;
  constexpr int stable_calls = 10'000;
  constexpr int change_at = 5000;
  int demoted_though_stable = 0;
  int slowest = 0;
  int seen = 0;
  for (unsigned seed = 0; seed < seeds; ++seed) {
    demoted_though_stable += demoted_after(seed, stable_calls, stable_calls, 0).has_value() ? 1 : 0;
    const auto at = demoted_after(seed, change_at + 1000, change_at, 0.3);
    if (!at || *at < change_at) continue;
    ++seen;
    slowest = std::max(slowest, *at - change_at + 1);
  }
  return {{"seeds", seeds},
          {"stable calls each", stable_calls},
          {"demoted though stable", demoted_though_stable},
          {"change seen", seen},
          {"slowest, audited calls", slowest}};
}

}  // namespace

}  // namespace understudy::live

int main(int count, char** words) {
  using namespace understudy;
  if (count != 2) {
    std::cerr << "usage: route_bench HOME\n";
    return 2;
  }
  const store::Home home = store::Home::open(words[1]).value();
  CHECK(crypto::init_keys(home.keys()).has_value(), "an empty home");
  CHECK(store::publish_policy(home, live::policy_of_tasks()).has_value(), "a policy");
  std::cout << json::to_text(
                   json::object{{"decision", live::decision_times(home)}, {"drift", live::drift()}})
            << "\n";
  return 0;
}
