#include "steps/s6_refine/replay.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "adapters/crypto/keys.hpp"
#include "adapters/lm/open_model.hpp"
#include "adapters/store/call_log.hpp"
#include "adapters/wire/api.hpp"
#include "adapters/wire/chat.hpp"
#include "adapters/wire/chat_view.hpp"
#include "base/limits.hpp"
#include "base/pool.hpp"
#include "economics/price_table.hpp"
#include "quality/acceptance.hpp"
#include "quality/agreement.hpp"
#include "quality/binomial.hpp"
#include "quality/small_answer.hpp"
#include "records/policy_matcher.hpp"

namespace understudy::s6 {

namespace {

constexpr std::size_t batch_calls = 256;  // matched calls whose plaintext is held at once

struct Matched {
  std::size_t task = 0;
  std::vector<std::string> slots;
  quality::AnswerShape shape;
  Answer teacher;
  std::string model;
  economics::Tokens tokens;
};

struct Outcome {
  std::string reason;  // as the gateway's
  bool agrees = false;
  std::int64_t busy_us = 0;
};

std::optional<wire::Api> api_of(const Call& call) {
  for (const auto api : {wire::Api::chat_completions, wire::Api::messages}) {
    if (call.api == wire::to_string(api)) return api;
  }
  return std::nullopt;
}

// The call as the gateway would read it; nothing where it would not.
struct Readable {
  wire::ChatRequest request;
  quality::AnswerShape shape;
  Answer teacher;
};
std::optional<Readable> read(const Call& call) {
  const auto api = api_of(call);
  if (!api) return std::nullopt;
  const auto request = json::parse(call.request.reveal());
  const auto response = json::parse(call.response.reveal());
  if (!request || !response) return std::nullopt;
  const bool is_chat = *api == wire::Api::chat_completions;
  const auto chat = is_chat ? Result<json::value>(*request) : wire::to_chat_request(*api, *request);
  const auto said = wire::to_chat_response(*api, *response);
  if (!chat || !said) return std::nullopt;
  auto parsed = wire::parse_chat_request(*chat);
  auto teacher = wire::parse_answer(*said);
  if (!parsed || !teacher || teacher->empty()) return std::nullopt;
  return Readable{.request = std::move(*parsed),
                  .shape = quality::answer_shape(*chat),
                  .teacher = std::move(*teacher)};
}

class Replayer {
 public:
  Replayer(const store::Home& home, const ReplayOptions& options, economics::PriceTable prices)
      : options_(options), prices_(std::move(prices)), all_(prices_) {
    report_.policy_version = options.policy.version;
    report_.policy_reason = options.policy.reason;
    for (std::size_t i = 0; i < options.policy.tasks.size(); ++i) {
      const TaskPolicy& task = options.policy.tasks[i];
      report_.tasks.push_back({.task = task.task, .name = task.name, .mode = task.mode});
      ledgers_.push_back(std::make_unique<economics::Ledger>(prices_));
      models_.push_back(nullptr);
      if (task.mode == RouteMode::off) continue;
      matcher_.add(task, i);
      auto model = lm::open_model({.kind = task.kind,
                                   .artifact_dir = home.artifacts() / task.artifact.value,
                                   .parallel = limits::slm_parallel_slots,
                                   .endpoint = task.endpoint});
      if (model) {
        models_.back() = std::move(*model);
      } else if (!failure_) {
        failure_ = model.error();
      }
    }
  }

  Status take(const Call& call) {
    if (failure_) return fail(*failure_);
    if (options_.calls_max > 0 && report_.calls >= options_.calls_max) return {};
    if (call.route.server == Server::slm || call.status != CallStatus::ok) {
      ++report_.skipped;
      return {};
    }
    auto readable = read(call);
    if (!readable) {
      ++report_.skipped;
      return {};
    }
    ++report_.calls;
    const std::string& model = call.served_model.empty() ? call.requested_model : call.served_model;
    const economics::Tokens tokens{.prompt = static_cast<double>(call.usage.prompt_tokens),
                                   .completion = static_cast<double>(call.usage.completion_tokens)};
    const wire::ChatRequest& request = readable->request;
    const auto task =
        matcher_.find(wire::tools_hash(request.tool_names), request.response_form, request.prompt);
    if (!task) {
      all_.add_llm_calls(model, 1, tokens);
      return {};
    }
    TaskReplay& replay = report_.tasks[*task];
    ++replay.matched;
    if (!request.beyond_slm.empty()) {
      ++replay.fallbacks["slm_unsupported"];
      all_.add_llm_calls(model, 1, tokens);
      ledgers_[*task]->add_llm_calls(model, 1, tokens);
      return {};
    }
    waiting_.push_back(
        {.task = *task,
         .slots = *options_.policy.tasks[*task].prompt_template.match(request.prompt),
         .shape = std::move(readable->shape),
         .teacher = std::move(readable->teacher),
         .model = model,
         .tokens = tokens});
    if (waiting_.size() >= batch_calls) ask_waiting();
    return {};
  }

  Result<ReplayReport> finish() {
    if (failure_) return fail(*failure_);
    ask_waiting();
    for (std::size_t i = 0; i < report_.tasks.size(); ++i) {
      TaskReplay& task = report_.tasks[i];
      task.savings = ledgers_[i]->savings();
      task.agreement_lower =
          quality::interval({.successes = task.agreed, .trials = task.accepted}).lower;
    }
    report_.savings = all_.savings();
    return std::move(report_);
  }

 private:
  Outcome ask(const Matched& call) const {
    const TaskPolicy& task = options_.policy.tasks[call.task];
    const lm::SmallModel& model = *models_[call.task];
    const auto said = quality::small_answer(
        [&model](const Question& question) { return model.predict(question); }, call.slots,
        call.shape, quality::manner_of(task));
    if (!said) {
      return {.reason =
                  said.error().code == ErrorCode::unsupported ? "slm_unsupported" : "slm_error"};
    }
    Outcome outcome{.reason = std::string(
                        quality::acceptance(task, said->answer, said->confidence, call.shape)),
                    .busy_us = said->latency_us};
    if (outcome.reason == quality::accepted)
      outcome.agrees = quality::agrees(call.teacher, said->answer, task.answer_form, call.shape);
    return outcome;
  }

  void ask_waiting() {
    std::vector<Outcome> outcomes(waiting_.size());
    pool_.for_each(waiting_.size(), [&](std::size_t i) { outcomes[i] = ask(waiting_[i]); });
    for (std::size_t i = 0; i < waiting_.size(); ++i) settle(waiting_[i], outcomes[i]);
    waiting_.clear();
  }

  void settle(const Matched& call, const Outcome& outcome) {
    TaskReplay& task = report_.tasks[call.task];
    economics::Ledger& ledger = *ledgers_[call.task];
    if (outcome.reason != quality::accepted) {
      ++task.fallbacks[outcome.reason];
      ledger.add_llm_calls(call.model, 1, call.tokens);
      all_.add_llm_calls(call.model, 1, call.tokens);
      return;
    }
    ++task.accepted;
    task.agreed += outcome.agrees ? 1 : 0;
    const economics::Ledger::SlmCalls answered{
        .calls = 1, .tokens = call.tokens, .busy_us = outcome.busy_us};
    ledger.add_slm_calls(call.model, answered);
    all_.add_slm_calls(call.model, answered);
  }

  const ReplayOptions& options_;
  economics::PriceTable prices_;
  PolicyMatcher matcher_;
  std::vector<std::unique_ptr<lm::SmallModel>> models_;
  std::vector<std::unique_ptr<economics::Ledger>> ledgers_;
  economics::Ledger all_;
  ReplayReport report_;
  std::vector<Matched> waiting_;
  std::optional<Error> failure_;
  Pool pool_{limits::slm_parallel_slots};
};

}  // namespace

Result<ReplayReport> replay(const store::Home& home, const ReplayOptions& options) {
  const auto curator = TRY(crypto::load_secret_key(home.keys(), crypto::Role::curator));
  auto prices = TRY(economics::PriceTable::load(home.directory() / "prices.toml"));
  Replayer replayer(home, options, std::move(prices));
  TRY(store::read_call_log(home, curator,
                           [&replayer](const Call& call) { return replayer.take(call); }));
  return replayer.finish();
}

json::value to_json(const ReplayReport& report) {
  const auto savings_to_json = [](const economics::Savings& savings) {
    return json::object{{"share_of_calls", savings.share_of_calls()},
                        {"share_of_tokens", savings.share_of_tokens()},
                        {"share_of_cost", savings.share_of_cost()},
                        {"llm_cost_usd", economics::usd(savings.llm_cost)},
                        {"avoided_usd", economics::usd(savings.avoided)},
                        {"machine_usd", economics::usd(savings.machine_cost)},
                        {"unpriced_calls", savings.unpriced_calls}};
  };
  json::array tasks;
  for (const TaskReplay& task : report.tasks) {
    json::object fallbacks;
    for (const auto& [reason, calls] : task.fallbacks) fallbacks[reason] = calls;
    tasks.push_back(json::object{
        {"task", task.task.value},
        {"name", task.name},
        {"mode", to_string(task.mode)},
        {"matched", task.matched},
        {"accepted", task.accepted},
        {"agreed", task.agreed},
        {"agreement", task.accepted == 0
                          ? 0
                          : static_cast<double>(task.agreed) / static_cast<double>(task.accepted)},
        {"agreement_lower", task.agreement_lower},
        {"fallbacks", std::move(fallbacks)},
        {"savings", savings_to_json(task.savings)}});
  }
  return json::object{{"policy_version", report.policy_version},
                      {"policy_reason", report.policy_reason},
                      {"calls", report.calls},
                      {"skipped", report.skipped},
                      {"tasks", std::move(tasks)},
                      {"savings", savings_to_json(report.savings)}};
}

}  // namespace understudy::s6
