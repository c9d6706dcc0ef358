#include "adapters/lm/hf/model_config.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace understudy::lm {

namespace {

constexpr std::int64_t count_max = 1 << 24;  // keeps products of two far from overflow

// What is no number becomes one that nobody takes for sound.
std::vector<float> floats(const json::array* list) {
  std::vector<float> values;
  if (list == nullptr) return values;
  for (const json::value& one : *list) {
    values.push_back(one.is_number() ? static_cast<float>(one.to_number<double>()) : 0);
  }
  return values;
}

}  // namespace

Result<json::value> parse_python_json(std::string_view text) {
  boost::json::parse_options options;
  options.allow_infinity_and_nan = true;
  boost::system::error_code error;
  auto tree = boost::json::parse(text, error, {}, options);
  if (error) return json::parse(text);  // for its message
  return tree;
}

Result<ModelConfig> ModelConfig::parse(std::string_view text, std::string name) {
  auto tree = parse_python_json(text);
  if (!tree) return fail(tree.error().within(name));
  ModelConfig config;
  config.name_ = std::move(name);
  config.model_type_ = json::string_or(*tree, "model_type");
  if (config.model_type_.empty()) {
    return fail(ErrorCode::corrupt, config.name_ + " names no \"model_type\"");
  }
  config.tree_ = std::move(*tree);
  return config;
}

const json::value* ModelConfig::find(std::string_view key) const {
  if (const json::value* text = json::find(tree_, "text_config")) {
    if (const json::value* value = json::find(*text, key)) return value;
  }
  return json::find(tree_, key);
}

Result<std::int64_t> ModelConfig::count(std::string_view key) const {
  const json::value* value = find(key);
  if (value == nullptr || !value->is_int64() || value->as_int64() <= 0 ||
      value->as_int64() > count_max) {
    return fail(ErrorCode::corrupt, name_ + " has no sound \"" + std::string(key) + "\"");
  }
  return value->as_int64();
}

Result<std::int64_t> ModelConfig::count_or(std::string_view key, std::int64_t otherwise) const {
  if (find(key) == nullptr) return otherwise;
  return count(key);
}

std::optional<double> ModelConfig::number(std::string_view key) const {
  const json::value* value = find(key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  const auto number = value->to_number<double>();
  return std::isfinite(number) ? std::optional(number) : std::nullopt;
}

bool ModelConfig::flag_or(std::string_view key, bool otherwise) const {
  const json::value* value = find(key);
  return value != nullptr && value->is_bool() ? value->as_bool() : otherwise;
}

std::string ModelConfig::text_or(std::string_view key, std::string_view otherwise) const {
  const json::value* value = find(key);
  return std::string(value != nullptr && value->is_string() ? std::string_view(value->as_string())
                                                            : otherwise);
}

const json::array* ModelConfig::array(std::string_view key) const {
  const json::value* value = find(key);
  return value != nullptr ? value->if_array() : nullptr;
}

// Older files have "rope_theta" and "rope_scaling", newer ones "rope_parameters", which may hold a
// set for each kind of layer.
RopeConfig ModelConfig::rope(double base) const {
  RopeConfig rope{.base = number("rope_theta").value_or(base),
                  .local_base = number("rope_local_base_freq").value_or(10'000),
                  .turned_share = number("partial_rotary_factor").value_or(1)};
  const json::value* values = find("rope_parameters");
  if (values == nullptr) values = find("rope_scaling");
  if (values == nullptr || !values->is_object()) return rope;
  if (const json::value* local = json::find(*values, "sliding_attention")) {
    rope.local_base = json::find_number(*local, "rope_theta").value_or(rope.local_base);
  }
  if (const json::value* global = json::find(*values, "full_attention")) values = global;
  const auto set = [&](const char* key, double& value) {
    const double given = json::find_number(*values, key).value_or(value);
    if (std::isfinite(given)) value = given;
  };
  rope.type = json::string_or(*values, "rope_type", json::string_or(*values, "type", "default"));
  if (rope.type == "su") rope.type = "longrope";  // its first name
  set("rope_theta", rope.base);
  set("factor", rope.factor);
  set("low_freq_factor", rope.low_factor);
  set("high_freq_factor", rope.high_factor);
  set("original_max_position_embeddings", rope.context_before);
  rope.context_before = number("original_max_position_embeddings").value_or(rope.context_before);
  set("attention_factor", rope.gain);
  rope.short_factors = floats(json::find_array(*values, "short_factor"));
  rope.long_factors = floats(json::find_array(*values, "long_factor"));
  set("partial_rotary_factor", rope.turned_share);
  return rope;
}

Status ModelConfig::expect(std::string_view key,
                           std::initializer_list<std::string_view> values) const {
  if (find(key) == nullptr) return {};
  const std::string found = text_or(key, json::to_text(*find(key)));
  if (std::ranges::find(values, found) != values.end()) return {};
  return fail(ErrorCode::unsupported, name_ + ": \"" + std::string(key) + "\" is " + found +
                                          ", which is not computed here");
}

}  // namespace understudy::lm
