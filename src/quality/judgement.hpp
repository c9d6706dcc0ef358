// A judge model's word on two answers to one request. A judge prefers what stands first (or last),
// so each pair is shown twice, in both orders, and only what it says both times counts. Judged
// quality is a figure beside the agreement: it never decides a verdict. Pure: asking is the
// caller's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace understudy::quality {

enum class JudgeSays { first, second, equal };

struct AnswerPair {
  std::string_view request;
  std::string_view first;
  std::string_view second;
};

// What the judge is asked; it ends with the words that parse_judge() understands. Long requests are
// shortened in their middle.
std::string judge_question(const AnswerPair& pair);

// Nothing: it said neither "first", "second" nor "equal".
std::optional<JudgeSays> parse_judge(std::string_view text);

enum class Judgement {
  equal,
  slm_better,
  llm_better,
  inconsistent,  // it changed its mind with the order, or said nothing that can be read
};

// `llm_first`: what it said with the LLM's answer in front; `slm_first`: the other way round.
Judgement combine(std::optional<JudgeSays> llm_first, std::optional<JudgeSays> slm_first);

}  // namespace understudy::quality
