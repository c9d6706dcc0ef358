#include "steps/s6_refine/baselines.hpp"

#include <algorithm>
#include <format>
#include <optional>
#include <utility>

#include "adapters/wire/chat.hpp"
#include "base/progress.hpp"
#include "quality/binomial.hpp"
#include "quality/non_inferiority.hpp"

namespace understudy::s6 {

namespace {

constexpr double success_reward_min = 0.5;
constexpr double micro = 1e6;

// What the endpoint answers; nothing where that is no answer.
Result<std::optional<Answer>> ask(const lm::ChatEndpoint& endpoint, const HeldOutCall& call) {
  auto request = json::parse(call.request);
  if (!request || !request->is_object()) return std::nullopt;
  const std::string body =
      TRY(lm::send_chat(endpoint, json::object(std::as_const(*request).get_object())));
  const auto tree = json::parse(body);
  if (!tree) return std::nullopt;
  auto answer = wire::parse_answer(*tree);
  return answer ? std::optional(std::move(*answer)) : std::nullopt;
}

}  // namespace

CacheBaseline cache_baseline(const HeldOut& held_out) {
  CacheBaseline cache;
  for (const auto* calls : {&held_out.calibration, &held_out.test}) {
    for (const HeldOutCall& call : *calls) {
      const auto repeats = static_cast<double>(call.repeats);
      // The chance that this answer came first, so that the cache has it.
      const double first = repeats / static_cast<double>(std::max(call.asked, call.repeats));
      cache.calls += repeats;
      cache.hits += repeats - first;
      cache.agreed += first * (repeats - 1);
    }
  }
  return cache;
}

Result<CheaperBaseline> cheaper_baseline(const Task& task, const HeldOut& held_out,
                                         const EvaluateOptions& options) {
  const quality::Guarantee guarantee{.alpha = options.alpha, .delta = options.delta};
  std::vector<quality::Judged> judged;
  std::optional<Error> first_error;
  bool answered = false;
  Progress progress("asking the cheaper model", options.cheaper_calls_max, "calls");
  for (const HeldOutCall& call : held_out.test) {
    if (judged.size() == options.cheaper_calls_max) break;
    const auto answer = ask(*options.cheaper, call);
    if (!answer && !first_error) first_error = answer.error();
    answered = answered || answer;
    judged.push_back(
        {.confidence = 1,
         .agrees = answer && *answer && !(*answer)->empty() &&
                   quality::agrees(call.teacher, **answer, task.answer_form, call.schemas)});
    progress.advance();
  }
  if (first_error && !answered) return fail(*first_error);
  CheaperBaseline result{
      .model = options.cheaper->model.empty() ? options.cheaper->url : options.cheaper->model,
      .answers = quality::measure(judged, 0)};
  const Agreement& answers = result.answers;
  result.proven =
      quality::upper_bound({.successes = answers.kept - answers.agreed, .trials = answers.kept},
                           guarantee.delta) <= guarantee.alpha;
  return result;
}

CallPrices call_prices(const HeldOut& held_out, const Evaluation& evaluation,
                       const economics::PriceTable& prices) {
  const std::string& named =
      evaluation.cheaper.model.empty() ? prices.cheaper_model() : evaluation.cheaper.model;
  const auto cheaper = prices.find(named);
  CallPrices sum;
  double priced = 0;
  for (const auto* calls : {&held_out.calibration, &held_out.test}) {
    for (const HeldOutCall& call : *calls) {
      const auto price = prices.find(call.model);
      if (!price) continue;
      const auto prompt = static_cast<double>(call.usage.prompt_tokens);
      const auto completion = static_cast<double>(call.usage.completion_tokens);
      priced += 1;
      sum.llm += price->cost(prompt, completion).value / micro;
      if (cheaper) sum.cheaper += cheaper->cost(prompt, completion).value / micro;
    }
  }
  if (priced > 0) {
    sum.llm /= priced;
    sum.cheaper /= priced;
  }
  constexpr double ms_per_hour = 3'600'000;
  sum.slm = evaluation.slm_latency_ms_median / ms_per_hour * prices.machine_usd_per_hour();
  return sum;
}

OutcomeComparison compare_outcomes(std::span<const HeldOutCall> calls,
                                   std::span<const quality::Judged> judged,
                                   const Evaluation& evaluation) {
  const quality::NonInferiorityRule rule{.delta = evaluation.delta};
  OutcomeComparison result{.margin = rule.margin};
  for (std::size_t i = 0; i < calls.size(); ++i) {
    const bool kept = judged[i].confidence > 0 && judged[i].confidence >= evaluation.threshold;
    if (!kept || !calls[i].reward) continue;
    const bool right = *calls[i].reward >= success_reward_min;
    ++result.calls;
    result.llm_right += right ? 1 : 0;
    result.only_llm_right += right && !judged[i].agrees ? 1 : 0;
  }
  const auto test = quality::non_inferiority(
      {.calls = result.calls, .only_llm_right = result.only_llm_right}, rule);
  result.difference_lower = test.difference_lower;
  result.non_inferior = test.holds;
  return result;
}

void weigh_baselines(Evaluation& evaluation) {
  if (evaluation.verdict != Verdict::convert) return;
  const double kept = evaluation.calibration.coverage();
  if (kept <= evaluation.cache.share()) {
    evaluation.verdict = Verdict::keep_llm;
    evaluation.beaten_by = "cache";
    evaluation.reason += std::format(
        "; but an exact-match cache answers {:.1f} % of the task's calls without any model, which "
        "is no less",
        100 * evaluation.cache.share());
    return;
  }
  const CallPrices& prices = evaluation.prices;
  if (!evaluation.cheaper.proven || prices.llm <= 0 || prices.cheaper <= 0) return;
  const double by_cheaper = prices.llm - prices.cheaper;  // it takes every call
  const double by_model = kept * (prices.llm - prices.slm);
  if (by_model > by_cheaper) return;
  evaluation.verdict = Verdict::keep_llm;
  evaluation.beaten_by = "cheaper_model";
  evaluation.reason += std::format(
      "; but {} agrees on {:.1f} % of the calls, takes all of them, and saves {:.6f} dollars a "
      "call, the small model {:.6f}",
      evaluation.cheaper.model, 100 * evaluation.cheaper.answers.rate(), by_cheaper, by_model);
}

}  // namespace understudy::s6
