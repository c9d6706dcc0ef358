#include "steps/s5_tune/torch/lora_checkpoint.hpp"

#include <algorithm>
#include <bit>
#include <charconv>

#include "adapters/lm/safetensors.hpp"

namespace understudy::s5 {

namespace {

// Doubles as the integers of their bits: text that loses nothing.
std::string to_text(double value) { return std::to_string(std::bit_cast<std::int64_t>(value)); }

Result<std::int64_t> integer_of(const lm::Safetensors& file, const std::string& name) {
  const auto found = file.facts.find(name);
  std::int64_t value = 0;
  if (found == file.facts.end() ||
      std::from_chars(found->second.data(), found->second.data() + found->second.size(), value)
              .ec != std::errc()) {
    return fail(ErrorCode::corrupt, "the checkpoint has no " + name);
  }
  return value;
}

Result<double> number_of(const lm::Safetensors& file, const std::string& name) {
  return std::bit_cast<double>(TRY(integer_of(file, name)));
}

Status fill(const lm::Safetensors& file, const std::string& name, const at::Tensor& tensor) {
  const auto found = file.tensors.find(name);
  if (found == file.tensors.end() ||
      static_cast<std::int64_t>(found->second.values.size()) != tensor.numel()) {
    return fail(ErrorCode::corrupt, "the checkpoint's " + name + " does not fit");
  }
  // libtorch takes no const memory; it is only read.
  tensor.copy_(at::from_blob(const_cast<float*>(found->second.values.data()), {tensor.numel()},
                             at::TensorOptions(at::kFloat)));
  return {};
}

}  // namespace

Status save_state(const std::filesystem::path& path, const LoraState& state,
                  const at::Tensor& parameters, const std::string& fingerprint) {
  const std::vector<at::Tensor> here = {parameters.cpu(), state.first.cpu(), state.second.cpu(),
                                        state.best.cpu()};
  const auto view = [](const char* name, const at::Tensor& tensor) {
    return lm::ViewedTensor{
        .name = name,
        .shape = {tensor.numel()},
        .values = {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())}};
  };
  const std::vector<lm::ViewedTensor> tensors = {view("parameters", here[0]),
                                                 view("first", here[1]), view("second", here[2]),
                                                 view("best", here[3])};
  return lm::write_safetensors(path,
                               {{"fingerprint", fingerprint},
                                {"step", std::to_string(state.step)},
                                {"steps_max", std::to_string(state.steps_max)},
                                {"tokens", std::to_string(state.tokens)},
                                {"stale", std::to_string(state.stale)},
                                {"best_loss", to_text(state.best_loss)},
                                {"best_exact", to_text(state.best_exact)},
                                {"loss_before", to_text(state.loss_before)},
                                {"seconds", to_text(state.seconds)}},
                               tensors);
}

Status load_state(const std::filesystem::path& path, LoraState& state, const at::Tensor& parameters,
                  const std::string& fingerprint) {
  const lm::Safetensors file = TRY(lm::read_safetensors(path));
  const auto found = file.facts.find("fingerprint");
  if (found == file.facts.end() || found->second != fingerprint) {
    return fail(ErrorCode::conflict,
                path.string() + " is of a run with another base, other data or other options",
                "Give the same ones, or start anew in another directory.");
  }
  TRY(fill(file, "parameters", parameters));
  TRY(fill(file, "first", state.first));
  TRY(fill(file, "second", state.second));
  TRY(fill(file, "best", state.best));
  state.step = TRY(integer_of(file, "step"));
  state.steps_max = TRY(integer_of(file, "steps_max"));
  state.tokens = TRY(integer_of(file, "tokens"));
  state.stale = TRY(integer_of(file, "stale"));
  state.best_loss = TRY(number_of(file, "best_loss"));
  state.best_exact = TRY(number_of(file, "best_exact"));
  state.loss_before = TRY(number_of(file, "loss_before"));
  state.seconds = TRY(number_of(file, "seconds"));
  return {};
}

}  // namespace understudy::s5
