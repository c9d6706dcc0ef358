#include "records/example.hpp"

namespace understudy {

std::string_view to_string(Split split) {
  switch (split) {
    case Split::train: return "train";
    case Split::calibration: return "calibration";
    case Split::test: return "test";
  }
  return "train";
}

Result<Split> parse_split(std::string_view text) {
  for (const Split split : {Split::train, Split::calibration, Split::test}) {
    if (text == to_string(split)) return split;
  }
  return fail(ErrorCode::corrupt, "no such split: " + std::string(text));
}

json::value to_json(const Example& example) {
  json::object tree{
      {"call", example.call.value},
      {"session", example.session.value},
      {"started_at", example.started_at.value},
      {"split", to_string(example.split)},
      {"rank", example.rank},
      {"model", example.model},
      {"request", example.request.reveal()},
      {"response", example.response.reveal()},
      {"usage", json::object{{"prompt_tokens", example.usage.prompt_tokens},
                             {"completion_tokens", example.usage.completion_tokens},
                             {"estimated", example.usage.estimated}}},
      {"latency_us", example.latency_us},
      {"repeats", example.repeats},
      {"asked", example.asked},
  };
  if (example.reward) tree["reward"] = *example.reward;
  return tree;
}

Result<Example> example_from_json(const json::value& tree) {
  Example example;
  example.call = {json::string_or(tree, "call")};
  if (example.call.empty()) return fail(ErrorCode::corrupt, "a stored example without a call id");
  example.session = {json::string_or(tree, "session")};
  example.started_at = {json::find_integer(tree, "started_at").value_or(0)};
  example.split = TRY(parse_split(json::string_or(tree, "split")));
  example.rank = static_cast<std::uint32_t>(json::find_integer(tree, "rank").value_or(0));
  example.model = json::string_or(tree, "model");
  example.request = SecretText(json::string_or(tree, "request"));
  example.response = SecretText(json::string_or(tree, "response"));
  if (const json::value* usage = json::find(tree, "usage")) {
    example.usage = {
        .prompt_tokens = json::find_integer(*usage, "prompt_tokens").value_or(0),
        .completion_tokens = json::find_integer(*usage, "completion_tokens").value_or(0),
        .estimated = json::find_bool(*usage, "estimated").value_or(false)};
  }
  example.latency_us = json::find_integer(tree, "latency_us").value_or(0);
  example.repeats = json::find_integer(tree, "repeats").value_or(1);
  example.asked = json::find_integer(tree, "asked").value_or(example.repeats);
  example.reward = json::find_number(tree, "reward");
  return example;
}

}  // namespace understudy
