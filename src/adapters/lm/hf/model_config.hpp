// config.json of a Hugging Face model directory: values by their names, with errors that name the
// key. Where the text model is a part of a larger one ("text_config"), its values go first. Pure.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace understudy::lm {

// How positions turn (RoPE). `type` as files name it: "default", "linear", "llama3", "longrope"...
struct RopeConfig {
  std::string type = "default";
  double base = 10'000;
  double local_base = 10'000;  // of layers with a window, where they have their own
  double factor = 1;
  double low_factor = 1;  // of "llama3", which stretches low frequencies only
  double high_factor = 4;
  double context_before = 0;  // of before the stretching; 0: not said
  // Of "longrope": divisors of the frequencies for contexts up to the one before, and for longer.
  std::vector<float> short_factors = {}, long_factors = {};
  double gain = 0;          // of what is turned; 0: not said
  double turned_share = 1;  // of a head
};

// Python writes Infinity, which JSON does not have, and Nemotron-H's configurations hold it.
Result<json::value> parse_python_json(std::string_view text);

class ModelConfig {
 public:
  // corrupt: no JSON object, or no model_type. `name` is for errors.
  static Result<ModelConfig> parse(std::string_view text, std::string name);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& model_type() const { return model_type_; }
  [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }
  // A whole number above 0; corrupt names the key.
  [[nodiscard]] Result<std::int64_t> count(std::string_view key) const;
  [[nodiscard]] Result<std::int64_t> count_or(std::string_view key, std::int64_t otherwise) const;
  [[nodiscard]] std::optional<double> number(std::string_view key) const;
  [[nodiscard]] bool flag_or(std::string_view key, bool otherwise) const;
  [[nodiscard]] std::string text_or(std::string_view key, std::string_view otherwise) const;
  [[nodiscard]] const json::array* array(std::string_view key) const;
  // `base` where the file names none.
  [[nodiscard]] RopeConfig rope(double base = 10'000) const;

  // unsupported unless the key is absent or has one of these values.
  [[nodiscard]] Status expect(std::string_view key,
                              std::initializer_list<std::string_view> values) const;

 private:
  [[nodiscard]] const json::value* find(std::string_view key) const;

  std::string name_;
  std::string model_type_;
  json::value tree_;
};

}  // namespace understudy::lm
