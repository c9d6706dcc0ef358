#include "steps/s6_refine/baselines.hpp"

#include <algorithm>
#include <format>

#include "adapters/wire/chat.hpp"
#include "base/pool.hpp"
#include "base/progress.hpp"
#include "quality/agreement.hpp"
#include "quality/binomial.hpp"
#include "quality/non_inferiority.hpp"

namespace understudy::s6 {

namespace {

constexpr std::size_t asked_at_once = 4;  // what any provider's rate limit bears

double usd_of(const economics::PriceTable& prices, const std::string& model, const Usage& usage) {
  const auto price = prices.find(model);
  if (!price) return 0;
  return economics::usd(price->cost(static_cast<double>(usage.prompt_tokens),
                                    static_cast<double>(usage.completion_tokens)));
}

// The recorded request, for another model, in one piece.
Result<std::string> for_model(const std::string& request, const std::string& model) {
  json::value tree = TRY(json::parse(request));
  json::object* fields = tree.if_object();
  if (fields == nullptr) return fail(ErrorCode::corrupt, "a recorded request is no object");
  (*fields)["model"] = model;
  for (const char* streaming : {"stream", "stream_options"}) fields->erase(streaming);
  return json::to_text(tree);
}

}  // namespace

std::string beaten_by_cache(const CacheBaseline& cache, double alpha) {
  if (cache.hits == 0 || cache.rate() < 1 - alpha || cache.share() < cache.share_of_model)
    return {};
  return std::format(
      "an exact-match cache answers {:.1f} % of the task's recorded calls, {:.1f} % of them as the "
      "LLM did, and the small model {:.1f} %: a cache does without it",
      100 * cache.share(), 100 * cache.rate(), 100 * cache.share_of_model);
}

OutcomeTest outcome_test(const KeptAnswers& answers, const EvaluateOptions& options) {
  OutcomeTest test;
  test.margin = options.margin;
  for (std::size_t i = 0; i < answers.calls.size(); ++i) {
    const auto& reward = answers.calls[i].reward;
    if (!reward) continue;
    ++test.calls;
    if (*reward <= 0) continue;
    ++test.llm_right;
    test.only_llm_right += answers.kept(i) && !answers.judged[i].agrees ? 1 : 0;
  }
  if (test.calls == 0) return test;
  const auto paired = quality::non_inferiority(
      {.calls = test.calls, .only_llm_right = test.only_llm_right, .only_slm_right = 0},
      {.margin = options.margin, .delta = options.delta});
  test.difference = paired.difference;
  test.difference_lower = paired.difference_lower;
  test.holds = paired.holds;
  return test;
}

Result<CheaperBaseline> ask_cheaper(const Task& task, const KeptAnswers& answers,
                                    const economics::PriceTable& prices,
                                    const EvaluateOptions& options) {
  CheaperBaseline baseline;
  baseline.model = options.cheaper->model;
  const std::size_t calls = std::min(answers.calls.size(), options.cheaper_calls_max);
  std::vector<Result<bool>> agreed(calls, false);
  Progress progress("asking " + baseline.model, calls, "calls");
  Pool(asked_at_once).for_each(calls, [&](std::size_t i) {
    agreed[i] = [&]() -> Result<bool> {
      const HeldOutCall& call = answers.calls[i];
      const auto body =
          TRY(lm::ask_chat_request(*options.cheaper, TRY(for_model(call.request, baseline.model))));
      const auto tree = json::parse(body);
      const auto answer = tree ? wire::parse_answer(*tree) : fail(tree.error());
      return answer && quality::agrees(call.teacher, *answer, task.answer_form, call.shape);
    }();
    progress.advance();
  });
  for (std::size_t i = 0; i < calls; ++i) {
    const HeldOutCall& call = answers.calls[i];
    ++baseline.calls;
    baseline.agreed += TRY(std::move(agreed[i])) ? 1 : 0;
    baseline.usd_per_call += usd_of(prices, baseline.model, call.usage);
    baseline.llm_usd_per_call += usd_of(prices, call.llm, call.usage);
  }
  if (calls == 0) return baseline;
  baseline.usd_per_call /= static_cast<double>(calls);
  baseline.llm_usd_per_call /= static_cast<double>(calls);
  const quality::Interval bounds =
      quality::interval({.successes = baseline.agreed, .trials = baseline.calls});
  baseline.lower = bounds.lower;
  baseline.upper = bounds.upper;
  return baseline;
}

}  // namespace understudy::s6
