#include "adapters/lm/endpoint_model.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>
#include <vector>

#include "adapters/lm/json_post.hpp"
#include "adapters/lm/served_facts.hpp"
#include "adapters/lm/symbols.hpp"
#include "adapters/lm/task_prompt.hpp"
#include "adapters/lm/token_margin.hpp"
#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/limits.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t response_bytes_max = 16 * limits::mebi;
constexpr std::size_t answer_tokens_spare = 16;
// Marks of turns and texts in the chat templates of today. The server's vocabulary is not here to
// ask, and a prompt that holds one could write turns of its own.
constexpr std::array<std::string_view, 9> control_marks{
    "<|", "|>", "<s>", "</s>", "[INST]", "[/INST]", "<start_of_turn>", "<end_of_turn>", "<bos>"};

bool holds_control_mark(std::string_view text) {
  return std::ranges::any_of(control_marks,
                             [text](std::string_view mark) { return text.contains(mark); });
}

void constrain(json::object& body, const ModelEndpoint& endpoint, const Question& question) {
  const bool has_schema = question.schema.is_object();
  switch (endpoint.form) {
    case ConstraintForm::none: return;
    case ConstraintForm::response_format:
      if (!has_schema) return;
      body["response_format"] = json::object{
          {"type", "json_schema"},
          {"json_schema",
           json::object{{"name", "answer"}, {"strict", true}, {"schema", question.schema}}}};
      return;
    case ConstraintForm::structured_outputs:
      if (has_schema) {
        body["structured_outputs"] = json::object{{"json", question.schema}};
      } else if (!question.grammar.empty()) {
        body["structured_outputs"] = json::object{{"grammar", question.grammar}};
      }
      return;
  }
}

struct Signs {
  std::vector<double> log_probabilities;
  std::vector<double> margins;
};

Result<Signs> signs_from(const json::value& choice) {
  const json::object* logprobs = json::find_object(choice, "logprobs");
  const json::array* steps =
      logprobs == nullptr ? nullptr : json::find_array(choice.at("logprobs"), "content");
  if (steps == nullptr) {
    return fail(ErrorCode::corrupt, "the endpoint's answer has no logprobs",
                "a model whose tokens' probabilities are not told cannot say how sure it is");
  }
  Signs signs;
  for (const json::value& step : *steps) {
    const auto token = json::find_string(step, "token");
    const auto log_probability = json::find_number(step, "logprob");
    if (!token || !log_probability || std::isnan(*log_probability))
      return fail(ErrorCode::corrupt, "a token without text or logprob in the endpoint's answer");
    signs.log_probabilities.push_back(*log_probability);
    signs.margins.push_back(margin_of(step, *log_probability, [&](const json::value& other) {
      return json::find_string(other, "token") == token;
    }));
  }
  return signs;
}

class EndpointModel final : public SmallModel {
 public:
  EndpointModel(ModelEndpoint endpoint, std::string api_key, std::size_t answer_tokens_max)
      : endpoint_(std::move(endpoint)),
        api_key_(std::move(api_key)),
        answer_tokens_max_(answer_tokens_max) {}

  Result<Prediction> predict(const Question& question) const override {
    const Stopwatch watch;
    if (symbols::any_forged(question.slots) || holds_control_mark(slots_text(question.slots)))
      return fail(ErrorCode::unsupported, "the input holds what may be a symbol of the model");
    const std::string body = TRY(
        post_json({.url = endpoint_.url + "/chat/completions",
                   .api_key = api_key_,
                   .body = json::to_text(endpoint_request(endpoint_, question, answer_tokens_max_)),
                   .timeout_s = limits::slm_timeout_s,
                   .response_bytes_max = response_bytes_max,
                   .refused = ErrorCode::unsupported}));
    auto prediction = parse_endpoint_answer(body);
    if (!prediction) return fail(prediction.error().within(endpoint_.url));
    prediction->latency_us = watch.elapsed_us();
    return prediction;
  }

 private:
  ModelEndpoint endpoint_;
  std::string api_key_;
  std::size_t answer_tokens_max_;
};

}  // namespace

json::object endpoint_request(const ModelEndpoint& endpoint, const Question& question,
                              std::size_t answer_tokens_max) {
  json::object body{
      {"model", endpoint.model},
      {"messages", json::array{json::object{{"role", "user"},
                                            {"content", task_text(slots_text(question.slots))}}}},
      {"temperature", question.sampling.temperature},
      {"max_tokens", answer_tokens_max + answer_tokens_spare},
      {"logprobs", true},
      {"top_logprobs", 2},
      {"stream", false}};
  if (question.sampling.temperature > 0) body["seed"] = question.sampling.seed;
  constrain(body, endpoint, question);
  return body;
}

Result<Prediction> parse_endpoint_answer(std::string_view body) {
  const json::value tree = TRY(json::parse(body));
  const json::array* choices = json::find_array(tree, "choices");
  const json::value* message =
      choices == nullptr || choices->empty() ? nullptr : json::find(choices->front(), "message");
  const auto text = message == nullptr ? std::nullopt : json::find_string(*message, "content");
  if (!text) return fail(ErrorCode::corrupt, "the endpoint's answer is no chat completion");
  Signs signs = TRY(signs_from(choices->front()));
  Prediction prediction;
  if (const json::value* usage = json::find(tree, "usage")) {
    prediction.prompt_tokens = json::find_integer(*usage, "prompt_tokens").value_or(0);
    prediction.completion_tokens = json::find_integer(*usage, "completion_tokens").value_or(0);
  }
  const auto answer = parse_target(*text);
  if (answer) prediction.answer = *answer;
  if (!answer || json::string_or(choices->front(), "finish_reason") != "stop") return prediction;
  prediction.signs = signs_of(std::move(signs.log_probabilities), std::move(signs.margins));
  if (prediction.signs)
    prediction.confidence = std::exp(std::min(prediction.signs->log_probability_min, 0.0));
  return prediction;
}

Result<std::unique_ptr<SmallModel>> open_endpoint(const EndpointModelOptions& options) {
  // Without the base, which need not lie on this machine.
  const auto path = options.artifact_dir / served_facts_name;
  const auto facts = parse_served_facts(TRY(read_file(path)));
  if (!facts) return fail(facts.error().within(path.string()));
  return std::make_unique<EndpointModel>(options.endpoint, options.api_key,
                                         facts->answer_tokens_max);
}

}  // namespace understudy::lm
