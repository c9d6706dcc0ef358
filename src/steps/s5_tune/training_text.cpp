#include "steps/s5_tune/training_text.hpp"

#include "base/json.hpp"
#include "base/limits.hpp"

namespace understudy::s5 {

namespace {

constexpr double weight_max = 1000;

}  // namespace

Result<TrainingExample> parse_training_line(std::string_view line) {
  const json::value tree = TRY(json::parse(line));
  const auto prompt = json::find_string(tree, "prompt");
  const auto answer = json::find_string(tree, "answer");
  if (!prompt || !answer) {
    return fail(ErrorCode::invalid_input, "no texts \"prompt\" and \"answer\"",
                R"(Each line is {"prompt": "...", "answer": "..."}.)");
  }
  if (answer->empty()) return fail(ErrorCode::invalid_input, "an empty answer");
  const double weight = json::find_number(tree, "weight").value_or(1);
  if (!(weight > 0) || weight > weight_max) {
    return fail(ErrorCode::invalid_input, "a weight that is not in (0, 1000]");
  }
  TrainingExample example{
      .prompt = std::string(*prompt), .answer = std::string(*answer), .weight = weight};
  if (const json::value* logprobs = json::find(tree, "logprobs")) {
    example.guesses = TRY(parse_guesses(*logprobs));
  }
  return example;
}

Result<std::vector<TrainingExample>> read_training_text(std::istream& input,
                                                        std::string_view name) {
  std::vector<TrainingExample> examples;
  std::string line;
  for (std::size_t number = 1; std::getline(input, line); ++number) {
    const std::string where = std::string(name) + ":" + std::to_string(number);
    if (line.size() > limits::jsonl_line_bytes_max) {
      return fail(ErrorCode::exhausted, where + ": the line is longer than the limit");
    }
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    auto example = parse_training_line(line);
    if (!example) return fail(example.error().within(where));
    examples.push_back(std::move(*example));
  }
  if (input.bad()) {
    return fail(ErrorCode::unavailable, "reading " + std::string(name) + " failed");
  }
  return examples;
}

std::string to_training_line(const TrainingExample& example) {
  json::object line{
      {"prompt", example.prompt}, {"answer", example.answer}, {"weight", example.weight}};
  if (!example.guesses.empty()) line["logprobs"] = to_json(example.guesses);
  return json::to_text(line) + "\n";
}

}  // namespace understudy::s5
