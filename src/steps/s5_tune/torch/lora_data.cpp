#include "steps/s5_tune/torch/lora_data.hpp"

#include <algorithm>
#include <bit>
#include <optional>
#include <random>

#include "steps/s5_tune/soft_targets.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t examples_min = 8;
constexpr double validation_share = 0.1;
constexpr std::size_t validation_max = 256;  // more would cost time, not certainty

template <class Value>
at::Tensor tensor_of(const std::vector<Value>& values, at::ScalarType type) {
  at::Tensor tensor =
      at::empty({static_cast<std::int64_t>(values.size())}, at::TensorOptions(type));
  std::ranges::copy(values, tensor.data_ptr<Value>());
  return tensor;
}

// FNV-1a over all tokens: tells a resumed run that its data are the same.
std::string fingerprint_of(const LoraData& data) {
  std::uint64_t hash = 0xCBF29CE484222325ULL;
  const auto add = [&](std::uint64_t value) { hash = (hash ^ value) * 0x100000001B3ULL; };
  for (const auto* part : {&data.train, &data.validation}) {
    add(part->size());
    for (const TokenText& text : *part) {
      add(text.prompt_tokens);
      for (const SoftToken& soft : text.soft) {
        for (std::size_t i = 0; i < soft.ids.size(); ++i) {
          add(static_cast<std::uint64_t>(soft.ids[i]));
          add(std::bit_cast<std::uint32_t>(soft.probabilities[i]));
        }
      }
      for (const lm::Token token : text.tokens) add(static_cast<std::uint64_t>(token));
    }
  }
  return std::to_string(hash);
}

}  // namespace

Result<LoraData> prepare_lora_data(std::span<const TuningExample> examples,
                                   const lm::Vocabulary& vocabulary,
                                   const LoraDataOptions& options) {
  LoraData data;
  std::optional<SoftTargetFinder> finder;
  if (std::ranges::any_of(examples, [](const auto& one) { return !one.guesses.empty(); })) {
    finder.emplace(vocabulary);
  }
  for (std::size_t i = 0; i < examples.size(); ++i) {
    TokenText text = TRY(tokenize(vocabulary, examples[i]));
    text.example = i;
    if (text.tokens.size() > options.length_max) {
      ++data.left_out;
      continue;
    }
    if (finder) data.soft_tokens += finder->find(examples[i], text);
    data.train.push_back(std::move(text));
  }
  if (data.train.size() < examples_min) {
    return fail(ErrorCode::invalid_input,
                std::to_string(data.train.size()) + " usable examples (" +
                    std::to_string(data.left_out) + " are longer than " +
                    std::to_string(options.length_max) + " tokens); " +
                    std::to_string(examples_min) + " are the least",
                "Give more data, or a larger --max-length.");
  }
  std::mt19937_64 random(options.seed);
  std::ranges::shuffle(data.train, random);
  const auto share =
      static_cast<std::size_t>(validation_share * static_cast<double>(data.train.size()));
  const auto count = static_cast<std::ptrdiff_t>(std::clamp<std::size_t>(share, 1, validation_max));
  const auto cut = data.train.end() - count;
  data.validation.assign(std::make_move_iterator(cut), std::make_move_iterator(data.train.end()));
  data.train.erase(cut, data.train.end());
  data.fingerprint = fingerprint_of(data);
  return data;
}

namespace {

SoftTargets soft_targets(std::span<const TokenText> texts, std::span<const std::size_t> chosen,
                         const at::Tensor& targets) {
  std::size_t most = 1;
  for (const std::size_t index : chosen) {
    for (const SoftToken& soft : texts[index].soft) most = std::max(most, soft.ids.size());
  }
  const auto k = static_cast<std::int64_t>(most);
  SoftTargets all{.ids = targets.unsqueeze(1).repeat({1, k}),
                  .probabilities = at::zeros({targets.numel(), k}, at::TensorOptions(at::kFloat))};
  all.probabilities.narrow(1, 0, 1).fill_(1);
  std::int64_t* id = all.ids.data_ptr<std::int64_t>();
  float* probability = all.probabilities.data_ptr<float>();
  for (const std::size_t index : chosen) {
    const TokenText& text = texts[index];
    const std::size_t first = std::max<std::size_t>(1, text.prompt_tokens);
    for (std::size_t i = first; i < text.tokens.size(); ++i, id += k, probability += k) {
      const std::size_t at = i - text.prompt_tokens;
      if (at >= text.soft.size() || text.soft[at].ids.empty()) continue;
      const SoftToken& soft = text.soft[at];
      std::ranges::copy(soft.ids, id);
      std::ranges::copy(soft.probabilities, probability);
    }
  }
  return all;
}

}  // namespace

std::size_t tokens_in_pack(const TokenText& text) {
  const std::size_t tokens = text.tokens.size() - 1;
  const std::size_t step = std::max<std::size_t>(2, std::bit_floor(tokens) / 16);
  return (tokens + step - 1) / step * step;
}

Pack make_pack(std::span<const TokenText> texts, std::span<const std::size_t> chosen) {
  std::vector<std::int64_t> tokens;
  std::vector<std::int32_t> positions;
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> targets;
  std::vector<float> weights;
  Pack pack;
  for (const std::size_t index : chosen) {
    const TokenText& text = texts[index];
    pack.begins.push_back(static_cast<std::int64_t>(tokens.size()));
    for (std::size_t i = 0; i + 1 < text.tokens.size(); ++i) {
      if (i + 1 >= text.prompt_tokens) {
        rows.push_back(static_cast<std::int64_t>(tokens.size()));
        targets.push_back(text.tokens[i + 1]);
        weights.push_back(text.weight);
      }
      tokens.push_back(text.tokens[i]);
      positions.push_back(static_cast<std::int32_t>(i));
    }
    const std::size_t filler = tokens_in_pack(text) - (text.tokens.size() - 1);
    if (filler == 0) continue;
    tokens.insert(tokens.end(), filler, tokens.back());
    positions.insert(positions.end(), filler, positions.back());
  }
  pack.begins.push_back(static_cast<std::int64_t>(tokens.size()));
  pack.tokens = tensor_of(tokens, at::kLong);
  pack.positions = tensor_of(positions, at::kInt);
  pack.rows = tensor_of(rows, at::kLong);
  pack.targets = tensor_of(targets, at::kLong);
  pack.weights = tensor_of(weights, at::kFloat);
  fill_up(pack);
  const auto is_soft = [&](std::size_t index) { return !texts[index].soft.empty(); };
  if (std::ranges::any_of(chosen, is_soft)) pack.soft = soft_targets(texts, chosen, pack.targets);
  return pack;
}

}  // namespace understudy::s5
