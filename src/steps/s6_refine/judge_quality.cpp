#include "steps/s6_refine/judge_quality.hpp"

#include "base/progress.hpp"
#include "quality/judgement.hpp"
#include "quality/text_similarity.hpp"

namespace understudy::s6 {

namespace {

constexpr int judge_tokens_max = 16;  // one word, and room for those that think aloud a little

}  // namespace

TextSimilarity similarity_of(const KeptAnswers& answers) {
  TextSimilarity sum;
  for (std::size_t i = 0; i < answers.calls.size(); ++i) {
    if (!answers.kept(i)) continue;
    const std::string said = to_target(answers.answers[i]);
    const std::string wanted = to_target(answers.calls[i].teacher);
    ++sum.calls;
    sum.chrf += quality::chrf(wanted, said);
    sum.rouge_l += quality::rouge_l(wanted, said);
  }
  if (sum.calls == 0) return sum;
  sum.chrf /= static_cast<double>(sum.calls);
  sum.rouge_l /= static_cast<double>(sum.calls);
  return sum;
}

Result<JudgedQuality> judge_quality(const Task& task, const KeptAnswers& answers,
                                    const EvaluateOptions& options) {
  JudgedQuality result;
  result.judge = options.judge->model.empty() ? options.judge->url : options.judge->model;
  Progress progress("asking the judge", options.judged_calls_max, "answers");
  for (std::size_t i = 0; i < answers.calls.size(); ++i) {
    if (result.calls == static_cast<std::int64_t>(options.judged_calls_max)) break;
    if (!answers.kept(i) || answers.judged[i].agrees) continue;
    const std::string request = task.prompt_template.render(answers.calls[i].slots);
    const std::string by_llm = to_target(answers.calls[i].teacher);
    const std::string by_slm = to_target(answers.answers[i]);
    const auto ask = [&](std::string_view first,
                         std::string_view second) -> Result<std::optional<quality::JudgeSays>> {
      return quality::parse_judge(TRY(lm::ask_chat(
          *options.judge,
          quality::judge_question({.request = request, .first = first, .second = second}),
          judge_tokens_max)));
    };
    const auto llm_first = TRY(ask(by_llm, by_slm));
    const auto slm_first = TRY(ask(by_slm, by_llm));
    ++result.calls;
    switch (quality::combine(llm_first, slm_first)) {
      case quality::Judgement::equal: ++result.equal; break;
      case quality::Judgement::slm_better: ++result.slm_better; break;
      case quality::Judgement::llm_better: ++result.llm_better; break;
      case quality::Judgement::inconsistent: ++result.inconsistent; break;
    }
    progress.advance();
  }
  return result;
}

}  // namespace understudy::s6
