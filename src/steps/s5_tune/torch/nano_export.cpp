#include "steps/s5_tune/torch/nano_export.hpp"

#include <algorithm>
#include <numeric>

#include "adapters/lm/model_facts.hpp"
#include "adapters/lm/reference_model.hpp"

namespace understudy::s5 {

namespace {

// f32 against f32 in another order of summation: 1e-5 is usual, a wrong tensor gives about 1.
constexpr double difference_max = 1e-2;

Result<double> difference(const NanoNetwork& network, const NanoData& data,
                          const std::filesystem::path& gguf) {
  const std::vector<lm::Token>& text = data.validation.front().variants.front().tokens;
  const auto model = TRY(lm::ReferenceModel::open(gguf));
  const auto reference = TRY(model.logits(text));
  std::vector<std::int64_t> all(text.size());
  std::iota(all.begin(), all.end(), 0);
  const std::vector<std::int64_t> tokens(text.begin(), text.end());
  const at::Tensor ours = network.logits({.texts = 1,
                                          .length = static_cast<std::int64_t>(text.size()),
                                          .tokens = at::tensor(tokens, at::kLong),
                                          .rows = at::tensor(all, at::kLong)});
  const double deviation = std::max(1e-6, ours.std().item<double>());
  double largest = 0;
  for (std::size_t i = 0; i < reference.size(); ++i) {
    const at::Tensor row = at::tensor(reference[i], at::kFloat);
    const at::Tensor apart = (row - ours.select(0, static_cast<std::int64_t>(i))).abs();
    largest = std::max(largest, apart.max().item<double>() / deviation);
  }
  return largest;
}

}  // namespace

Result<double> export_nano(const NanoNetwork& network, const NanoData& data,
                           const std::string& name, const std::filesystem::path& gguf) {
  const lm::NanoFacts facts{.literals = data.literals, .answer_tokens_max = data.answer_tokens_max};
  TRY(lm::write_gguf(gguf, {.shape = network.shape(),
                            .name = name,
                            .tokens = data.tokens,
                            .facts = lm::to_facts(facts),
                            .tensors = network.tensors()}));
  const double apart = TRY(difference(network, data, gguf));
  if (!(apart <= difference_max)) {
    return fail(ErrorCode::internal,
                "the exported model computes something else: its logits differ by " +
                    std::to_string(apart) + " deviations",
                "Please report this; the model was not kept.");
  }
  return apart;
}

}  // namespace understudy::s5
