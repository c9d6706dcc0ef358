#include "steps/s5_tune/torch/memory_estimate.hpp"

#include <algorithm>

#include "adapters/machine/machine.hpp"
#include "base/figures.hpp"
#include "steps/s5_tune/torch/block_expansion.hpp"
#include "steps/s5_tune/torch/decoder_lanes.hpp"
#include "steps/s5_tune/torch/devices.hpp"

namespace understudy::s5 {

namespace {

constexpr double head_rows = 512;
// Of composed operations: f32 values that exist at one time, of the rows that one makes.
constexpr double temporaries = 4;

// What oneDNN prepares for the shapes of products that come (products.hpp): measured, of texts of
// many lengths.
constexpr double prepared_bytes = 200e6;

double value_bytes(const MemoryQuestion& of) { return of.computing.type == at::kBFloat16 ? 2 : 4; }

// The file's pages; off the CPU, what of it is put there.
double memory_of_weights(const MemoryQuestion& of) {
  const bool composed = of.computing.composed();
  if (composed && of.options.method == Method::full) return 0;  // they are the parameters
  double bytes = 0;
  for (const lm::StoredTensor& tensor : of.file.tensors()) {
    bytes += composed && !is_in_blocks(tensor.type)
                 ? static_cast<double>(tensor.rows * tensor.columns) * value_bytes(of)
                 : static_cast<double>(tensor.bytes.size());
  }
  return bytes;
}

bool in_lanes(const MemoryQuestion& of) {
  return of.options.method == Method::lora && !of.computing.composed();
}

// That pass through the layers at a time.
double tokens_of_pass(const MemoryQuestion& of) {
  const std::int64_t tokens = of.options.batch_tokens;
  return static_cast<double>(
      in_lanes(of) ? std::min(tokens, tokens_at_once(of.text_tokens_max, of.threads)) : tokens);
}

// What the layers keep of a row of tokens for the backward pass.
double memory_of_activations(const MemoryQuestion& of) {
  const DecoderPlan& plan = of.plan;
  const double heads = static_cast<double>(2 * plan.query_width() + 2 * plan.kv_width());
  const double kept = static_cast<double>(4 * plan.width + 2 * plan.feed_forward) +
                      (of.computing.composed() ? 2 : 1) * heads;  // the graph has heads of its own
  const auto layers = static_cast<double>(plan.layers.size());
  const double of_layers = of.options.activations == Activations::kept
                               ? kept * layers
                               : kept + 2 * static_cast<double>(plan.width) * layers;
  double of_token = of_layers * value_bytes(of);
  if (of.computing.composed()) {
    const std::int64_t widest = std::max(plan.width, 2 * plan.feed_forward);
    of_token += temporaries * static_cast<double>(widest) * sizeof(float);
  }
  return of_token * tokens_of_pass(of);
}

// Logits and their gradient.
double memory_of_head(const MemoryQuestion& of) {
  const double values = head_rows * static_cast<double>(of.plan.vocabulary);
  const double composed = of.computing.composed() ? temporaries * sizeof(float) : 0;
  return values * (2 * value_bytes(of) + composed);
}

}  // namespace

double memory_needed(const MemoryQuestion& of) {
  double largest = 0;  // is expanded
  for (const lm::StoredTensor& tensor : of.file.tensors()) {
    largest = std::max(largest, static_cast<double>(tensor.rows * tensor.columns));
  }
  // Itself, its gradient, the best so far, the copy in the computed type, and the averages.
  const double bytes_of_parameter = 3 * sizeof(float) + value_bytes(of) +
                                    (of.options.optimiser == OptimiserState::f32 ? 8.0 : 2.1);
  // Each lane expands matrices and takes rows to the head by itself, and has its own gradients.
  const double lanes = in_lanes(of) ? of.threads : 1;
  const double prepared = of.computing.composed() ? 0 : prepared_bytes;
  return prepared + memory_of_weights(of) +
         lanes * (largest * value_bytes(of) + memory_of_head(of)) + memory_of_activations(of) +
         of.parameters * (bytes_of_parameter + (lanes - 1) * sizeof(float));
}

double memory_of_packed(const MemoryQuestion& of) {
  if (of.options.method == Method::full || of.computing.type != at::kBFloat16 ||
      of.computing.composed()) {
    return 0;
  }
  double bytes = 0;
  for (const lm::StoredTensor& tensor : of.file.tensors()) {
    const bool matrix = tensor.type == lm::StoredAs::bf16 && tensor.rows > 1;
    if (matrix) bytes += 2 * static_cast<double>(tensor.bytes.size());
  }
  return bytes;
}

double memory_available(at::Device device) {
  if (!device.is_cpu()) return free_memory_of(device);
  const auto machine = machine::read_machine();
  return machine ? static_cast<double>(machine->memory_available_bytes) : 0;
}

Status check_memory(double needed, at::Device device) {
  const double available = memory_available(device);
  if (available == 0 || needed < available) return {};
  const std::string where = device.is_cpu() ? "" : " on " + device.str();
  return fail(
      ErrorCode::exhausted,
      "training needs about " + gibibytes(needed) + ", " + gibibytes(available) + " are free" +
          where,
      "Give a smaller --batch-tokens (with --accumulate), --recompute, --optimiser 8bit, or "
      "a base in fewer bits.");
}

}  // namespace understudy::s5
