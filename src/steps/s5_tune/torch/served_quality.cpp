#include "steps/s5_tune/torch/served_quality.hpp"

#include <algorithm>
#include <cmath>

#include "adapters/lm/adapter_model.hpp"
#include "base/progress.hpp"
#include "quality/agreement.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t answers_max = 64;
constexpr std::size_t tokens_max = 512;  // each is a request of its own

}  // namespace

Result<ServedQuality> measure_served(const ServedSubject& subject,
                                     std::span<const TokenText> texts) {
  const auto served = TRY(lm::ServedModel::start(subject.facts, subject.adapter, {.parallel = 1}));
  texts = texts.first(std::min(texts.size(), answers_max));
  Progress progress(subject.adapter.empty() ? "asking the base" : "asking the tuned model",
                    texts.size(), "answers");
  ServedQuality quality;
  double nats = 0;
  for (const TokenText& text : texts) {
    const auto cut = text.tokens.begin() + static_cast<std::ptrdiff_t>(text.prompt_tokens);
    const std::vector<lm::Token> prompt(text.tokens.begin(), cut);
    std::vector<lm::Token> answer(cut, text.tokens.end());
    if (quality.tokens < tokens_max) {
      answer.resize(std::min(answer.size(), tokens_max - quality.tokens));
      nats += TRY(served->surprise(prompt, answer));
      quality.tokens += answer.size();
      answer.assign(cut, text.tokens.end());
    }
    std::erase_if(answer, [&](lm::Token t) { return served->vocabulary().ends_text(t); });
    const auto wanted = parse_target(served->vocabulary().decode(answer));
    const auto given = TRY(served->answer(prompt, {}));
    ++quality.answers;
    quality.agreed += wanted && quality::agrees(*wanted, given.answer, subject.form) ? 1U : 0U;
    progress.advance();
  }
  quality.perplexity =
      std::exp(nats / static_cast<double>(std::max<std::size_t>(1, quality.tokens)));
  return quality;
}

}  // namespace understudy::s5
