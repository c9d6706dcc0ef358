#include "steps/s5_tune/tuning_text.hpp"

#include <algorithm>

#include "base/json.hpp"
#include "base/limits.hpp"
#include "steps/s5_tune/training_text.hpp"

namespace understudy::s5 {

namespace {

Result<lm::Vocabulary::Turn> parse_turn(const json::value& message) {
  const auto role = json::find_string(message, "role");
  const auto content = json::find_string(message, "content");
  if (!role || !content) {
    return fail(ErrorCode::invalid_input, "a message without the texts \"role\" and \"content\"",
                "Tool calls must be written out as text, as the model shall write them.");
  }
  return lm::Vocabulary::Turn{.role = std::string(*role), .content = std::string(*content)};
}

Result<TuningExample> parse_chat(const json::array& messages) {
  TuningExample example;
  for (const json::value& message : messages) example.turns.push_back(TRY(parse_turn(message)));
  if (example.turns.size() < 2 || example.turns.back().role != "assistant") {
    return fail(ErrorCode::invalid_input,
                "the messages do not end with an answer of the role \"assistant\"");
  }
  example.answer = std::move(example.turns.back().content);
  example.turns.pop_back();
  if (example.answer.empty()) return fail(ErrorCode::invalid_input, "an empty answer");
  return example;
}

}  // namespace

Result<TuningExample> parse_tuning_line(std::string_view line) {
  const json::value tree = TRY(json::parse(line));
  if (const json::array* messages = json::find_array(tree, "messages")) {
    TuningExample chat = TRY(parse_chat(*messages));
    if (const json::value* logprobs = json::find(tree, "logprobs")) {
      chat.guesses = TRY(parse_guesses(*logprobs));
    }
    return chat;
  }
  TrainingExample plain = TRY(parse_training_line(line));
  return TuningExample{.prompt = std::move(plain.prompt),
                       .answer = std::move(plain.answer),
                       .weight = plain.weight,
                       .guesses = std::move(plain.guesses)};
}

Result<std::vector<TuningExample>> read_tuning_text(std::istream& input, std::string_view name) {
  std::vector<TuningExample> examples;
  std::string line;
  for (std::size_t number = 1; std::getline(input, line); ++number) {
    const std::string where = std::string(name) + ":" + std::to_string(number);
    if (line.size() > limits::jsonl_line_bytes_max) {
      return fail(ErrorCode::exhausted, where + ": the line is longer than the limit");
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto example = parse_tuning_line(line);
    if (!example) return fail(example.error().within(where));
    example->where = where;
    examples.push_back(std::move(*example));
  }
  if (input.bad()) {
    return fail(ErrorCode::unavailable, "reading " + std::string(name) + " failed");
  }
  return examples;
}

namespace {

struct Halves {
  std::vector<lm::Token> prompt;
  std::vector<lm::Token> answer;
};

Result<Halves> halves_of_chat(const lm::Vocabulary& vocabulary, const TuningExample& example) {
  using Opening = lm::Vocabulary::Opening;
  const std::string prompt = TRY(vocabulary.render(example.turns, Opening::answer));
  auto turns = example.turns;
  turns.push_back({.role = "assistant", .content = example.answer});
  const std::string whole = TRY(vocabulary.render(turns, Opening::none));
  if (!whole.starts_with(prompt)) {
    return fail(ErrorCode::unsupported,
                "the model's chat template rewrites what came before an answer",
                "Render the template yourself and give {\"prompt\",\"answer\"} lines.");
  }
  return Halves{.prompt = vocabulary.encode_template(prompt),
                .answer = vocabulary.encode_template(whole.substr(prompt.size()))};
}

}  // namespace

Result<TokenText> tokenize(const lm::Vocabulary& vocabulary, const TuningExample& example) {
  Halves halves;
  if (example.turns.empty()) {
    halves = {.prompt = vocabulary.encode(example.prompt),
              .answer = vocabulary.encode(example.answer)};
  } else {
    auto chat = halves_of_chat(vocabulary, example);
    if (!chat) return fail(chat.error().within(example.where));
    halves = std::move(*chat);
  }
  if (halves.answer.empty()) {
    return fail(ErrorCode::invalid_input,
                example.where + ": the model's tokenizer makes nothing of the answer");
  }
  TokenText text{.tokens = {}, .weight = static_cast<float>(example.weight)};
  if (vocabulary.begins_texts() || halves.prompt.empty()) text.tokens.push_back(vocabulary.begin());
  text.tokens.insert(text.tokens.end(), halves.prompt.begin(), halves.prompt.end());
  text.prompt_tokens = text.tokens.size();
  // What a template writes behind the end of the answer is never asked of the model.
  const auto end = std::ranges::find_if(
      halves.answer, [&](lm::Token token) { return vocabulary.ends_text(token); });
  text.tokens.insert(text.tokens.end(), halves.answer.begin(), end);
  text.tokens.push_back(end == halves.answer.end() ? vocabulary.end() : *end);
  return text;
}

}  // namespace understudy::s5
