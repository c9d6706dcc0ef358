#include "steps/s5_tune/torch/merged_export.hpp"

#include <algorithm>

#include "adapters/lm/gguf_copy.hpp"
#include "adapters/lm/reference_model.hpp"
#include "steps/s5_tune/torch/adapted_linear.hpp"
#include "steps/s5_tune/torch/logits_check.hpp"
#include "steps/s5_tune/torch/lora_trainer.hpp"

namespace understudy::s5 {

namespace {

// Four bits move logits by a few hundredths; a merge gone wrong moves them as far as they go. Fewer
// bits move them more, but less than half as far as the base is from there.
constexpr double quantised_difference_max = 0.3;

std::string block_of(const AdapterModule& module) {
  return "blk." + std::to_string(module.layer) + "." + module.linear.gguf;
}

void merge(const AdapterModule& module, const Adapter& adapter, BaseWeights& weights,
           const at::Tensor& weight) {
  const AdaptedLinear linear(weights, block_of(module), &adapter, &module);
  const at::Tensor lengths = module.magnitude.defined() ? linear.row_lengths() : at::Tensor();
  weight.addmm_(module.b, module.a, 1, adapter.scale());
  if (lengths.defined()) weight.mul_(module.magnitude.div(lengths).unsqueeze(1));
}

Status write_merged(const TunedModel& from, const Adapter* adapter,
                    const std::filesystem::path& path) {
  BaseWeights weights(from.base, at::kFloat);
  return lm::write_gguf_copy(from.base, path, [&](const lm::StoredTensor& tensor) {
    std::vector<float> values = lm::expand(tensor);
    const at::Tensor view =
        at::from_blob(values.data(), {tensor.rows, tensor.columns}, at::TensorOptions(at::kFloat));
    if (from.full != nullptr) {
      if (const auto* tuned = from.full->find(tensor.name)) view.copy_(tuned->value);
      return values;
    }
    for (const AdapterModule& module : adapter->modules()) {
      if (block_of(module) + ".weight" == tensor.name) merge(module, *adapter, weights, view);
    }
    return values;
  });
}

struct Comparison {
  double difference = 0;  // from what was trained
  double effect = 0;      // from the base
};

Result<Comparison> compare(const TunedModel& model, const std::filesystem::path& path,
                           std::span<const TokenText> texts) {
  const auto merged = TRY(lm::ReferenceModel::open(path));
  const TunedModel base{.base = model.base, .plan = model.plan};
  Comparison found;
  for (const TokenText& text : texts_to_compare(texts)) {
    const LogitRows theirs = TRY(merged.logits(text.tokens));
    const double largest = largest_of(theirs);
    take_larger(found.difference, apart(theirs, our_logits(model, text)) / largest);
    take_larger(found.effect, apart(theirs, our_logits(base, text)) / largest);
  }
  return found;
}

std::unexpected<Error> differs(const std::string& as, double difference, std::string hint) {
  return fail(ErrorCode::internal,
              "as " + as +
                  " the merged model computes something else: libllama's logits differ by " +
                  std::to_string(difference) + " of the largest",
              std::move(hint));
}

Result<double> make_checked(const TunedModel& model, const std::filesystem::path& path,
                            std::span<const TokenText> texts, const std::string& as) {
  TRY(write_merged(model, model.adapter, path));
  const Comparison exact = TRY(compare(model, path, texts));
  if (!(exact.difference <= difference_max_f32)) {
    return differs("F32", exact.difference, "Please report this; the merged model was not kept.");
  }
  if (!(exact.effect >= effect_min)) {
    return fail(ErrorCode::internal, "the tuned model answers as its base",
                "Train longer, or with a higher --learning-rate.");
  }
  if (as == "F32") return exact.difference;
  const std::filesystem::path quantised = path.string() + ".quantised";
  TRY(lm::quantise_gguf(path, quantised, as));
  std::error_code error;
  std::filesystem::rename(quantised, path, error);
  if (error) return fail(ErrorCode::exhausted, "cannot name the model: " + error.message());
  const Comparison rounded = TRY(compare(model, path, texts));
  if (!(rounded.difference <= std::max(quantised_difference_max, rounded.effect / 2))) {
    return differs(as, rounded.difference,
                   "Rounding took back what was learned: so few bits do not hold it, or the base "
                   "is in these already and came back. `--resume --merged Q8_0` makes another "
                   "without training again; an adapter needs none.");
  }
  return rounded.difference;
}

}  // namespace

Result<double> export_merged(const TunedModel& from, const std::filesystem::path& directory,
                             std::span<const TokenText> texts, const std::string& as) {
  std::optional<Adapter> adapter;
  if (from.adapter != nullptr) adapter = TRY(in_f32(from.plan, *from.adapter));
  const TunedModel model{.base = from.base,
                         .plan = from.plan,
                         .adapter = adapter ? &*adapter : nullptr,
                         .full = from.full};
  const std::filesystem::path unchecked = directory / ".merged.gguf";
  const auto difference = make_checked(model, unchecked, texts, as);
  std::error_code error;
  if (difference) {
    std::filesystem::rename(unchecked, directory / merged_file_name, error);
    if (error) return fail(ErrorCode::exhausted, "cannot name the model: " + error.message());
  }
  std::filesystem::remove(unchecked, error);
  std::filesystem::remove(unchecked.string() + ".quantised", error);
  return difference;
}

}  // namespace understudy::s5
