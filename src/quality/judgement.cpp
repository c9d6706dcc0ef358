#include "quality/judgement.hpp"

#include <algorithm>
#include <format>

#include "base/ascii.hpp"

namespace understudy::quality {

namespace {

constexpr std::size_t request_bytes_max = 8000;
constexpr std::size_t answer_bytes_max = 4000;

std::string shortened(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return std::string(text);
  return std::string(text.substr(0, bytes_max / 2)) + "\n[...]\n" +
         std::string(text.substr(text.size() - bytes_max / 2));
}

}  // namespace

std::string judge_question(const AnswerPair& pair) {
  return std::format(
      "Two assistants answered the same request. Which answer serves the request better? "
      "Differences "
      "of wording or order that change nothing do not count.\n\n<request>\n{}\n</request>\n\n"
      "<first>\n{}\n</first>\n\n<second>\n{}\n</second>\n\n"
      "Answer with one word: first, second, or equal.",
      shortened(pair.request, request_bytes_max), shortened(pair.first, answer_bytes_max),
      shortened(pair.second, answer_bytes_max));
}

std::optional<JudgeSays> parse_judge(std::string_view text) {
  const std::string lower = lower_ascii(text);
  std::optional<JudgeSays> said;
  for (const auto& [word, meaning] : {std::pair{"first", JudgeSays::first},
                                      {"second", JudgeSays::second},
                                      {"equal", JudgeSays::equal}}) {
    if (lower.find(word) == std::string::npos) continue;
    if (said) return std::nullopt;  // it named several
    said = meaning;
  }
  return said;
}

Judgement combine(std::optional<JudgeSays> llm_first, std::optional<JudgeSays> slm_first) {
  if (!llm_first || !slm_first) return Judgement::inconsistent;
  if (*llm_first == JudgeSays::equal && *slm_first == JudgeSays::equal) return Judgement::equal;
  if (*llm_first == JudgeSays::first && *slm_first == JudgeSays::second)
    return Judgement::llm_better;
  if (*llm_first == JudgeSays::second && *slm_first == JudgeSays::first)
    return Judgement::slm_better;
  return Judgement::inconsistent;
}

}  // namespace understudy::quality
