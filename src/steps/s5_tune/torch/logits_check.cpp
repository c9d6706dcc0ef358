#include "steps/s5_tune/torch/logits_check.hpp"

#include <algorithm>
#include <cmath>

#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t texts_compared_max = 3;
constexpr std::size_t tokens_compared_max = 96;

}  // namespace

LogitRows our_logits(const TunedModel& model, const TokenText& text) {
  BaseWeights weights(model.base, at::kFloat, model.full);
  Decoder decoder(model.plan, weights, model.adapter);
  TokenText whole = text;
  whole.prompt_tokens = 1;  // logits of every token
  whole.tokens.push_back(whole.tokens.back());
  const std::vector<std::size_t> first = {0};
  const at::Tensor logits = decoder.logits(make_pack({&whole, 1}, first));
  LogitRows rows;
  for (std::int64_t i = 0; i < logits.size(0); ++i) {
    const float* row = logits.const_data_ptr<float>() + i * logits.size(1);
    rows.emplace_back(row, row + logits.size(1));
  }
  return rows;
}

Result<Adapter> in_f32(const DecoderPlan& plan, const Adapter& adapter) {
  Adapter copy = TRY(Adapter::create(plan, adapter.options(), at::kFloat));
  copy.parameters().copy_(adapter.parameters());
  copy.refresh();
  return copy;
}

std::vector<TokenText> texts_to_compare(std::span<const TokenText> texts) {
  texts = texts.first(std::min(texts.size(), texts_compared_max));
  std::vector<TokenText> some(texts.begin(), texts.end());
  for (TokenText& text : some) {
    text.tokens.resize(std::min(text.tokens.size(), tokens_compared_max));
  }
  return some;
}

double largest_of(const LogitRows& rows) {
  double largest = 0;
  for (const auto& row : rows) {
    for (const float value : row) largest = std::max(largest, std::abs(static_cast<double>(value)));
  }
  return std::max(largest, 1e-9);
}

void take_larger(double& most, double now) {
  if (std::isnan(most)) return;
  if (!(now <= most)) most = now;
}

double apart(const LogitRows& a, const LogitRows& b) {
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    for (std::size_t j = 0; j < a[i].size(); ++j) {
      take_larger(largest, std::abs(static_cast<double>(a[i][j]) - static_cast<double>(b[i][j])));
    }
  }
  return largest;
}

}  // namespace understudy::s5
