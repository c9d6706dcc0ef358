#include "adapters/lm/model_facts.hpp"

#include <charconv>

namespace understudy::lm {

namespace {

constexpr const char* literals_key = "understudy.literals";
constexpr const char* answer_tokens_key = "understudy.answer_tokens_max";

}  // namespace

std::map<std::string, std::string> to_facts(const NanoFacts& facts) {
  return {{literals_key, facts.literals.to_json_text()},
          {answer_tokens_key, std::to_string(facts.answer_tokens_max)}};
}

Result<NanoFacts> facts_of(const Vocabulary& model) {
  const auto literals = model.metadata(literals_key);
  const auto answer_tokens = model.metadata(answer_tokens_key);
  if (!literals || !answer_tokens) {
    return fail(ErrorCode::corrupt, "the GGUF file was not made by understudy-train",
                "Train the model again: `understudy tune`.");
  }
  NanoFacts facts;
  facts.literals = TRY(Literals::parse(*literals));
  const char* end = answer_tokens->data() + answer_tokens->size();
  if (std::from_chars(answer_tokens->data(), end, facts.answer_tokens_max).ptr != end) {
    return fail(ErrorCode::corrupt, "the GGUF file's answer length is no number");
  }
  return facts;
}

}  // namespace understudy::lm
