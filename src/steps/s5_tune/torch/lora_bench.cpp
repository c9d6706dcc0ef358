// Steps of LoRA training, or of full fine-tuning, on a model of a given shape with random weights,
// without data: `lora_bench MODEL.gguf --write` writes the file; without --write every line on
// standard input asks for one step and gets one line of JSON with its times, so that a peer can
// take its steps in between; at the end come the peak of memory, the rate at which this machine
// multiplies matrices, and how the time was split. bench/bench_train.py runs it.
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <iostream>
#include <map>
#include <numbers>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "adapters/machine/compute_environment.hpp"
#include "base/json.hpp"
#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder_lanes.hpp"
#include "steps/s5_tune/torch/lora_data.hpp"
#include "steps/s5_tune/torch/optimiser.hpp"
#include "steps/s5_tune/torch/step_probes.hpp"
#include "steps/s5_tune/torch/tiny_model.hpp"

namespace understudy::s5 {
namespace {

struct Options {
  std::filesystem::path model;
  std::string architecture = "llama";
  std::string shape = "smollm2-135m";
  std::string stored = "BF16";
  std::string computed = "bf16";
  std::int64_t texts = 4;
  std::int64_t length = 512;
  std::int64_t rank = 16;
  int threads = 2;
  double learning_rate = 1e-4;
  std::int64_t steps = 0;
  double embedding_deviation = 0.5;
  bool write = false;
  bool full = false;
  bool learnable = false;
  bool varied = false;
  bool pack = true;
};

// Multiplications and additions that a step needs in matrix products: the frozen layers forward and
// back to their input (in full tuning to their weights too), the head likewise, adapters forward
// and back to their input and their weights, causal attention (its scores twice, as is usual).
double work_of_step(const DecoderPlan& plan, const Options& options) {
  const auto tokens = static_cast<double>(options.texts * options.length);
  double linear = static_cast<double>(plan.vocabulary * plan.width);
  double adapters = 0;
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    for (const LinearModule& module : plan.modules_of(i)) {
      linear += static_cast<double>(module.rows * module.columns);
      if (!options.full)
        adapters += static_cast<double>((module.rows + module.columns) * options.rank);
    }
  }
  const double seen = static_cast<double>(options.length) / 2;
  const double attention = static_cast<double>(plan.layers.size()) * 2 * 2 * seen *
                           static_cast<double>(plan.query_width()) * 3.5;
  return tokens * (2 * linear * (options.full ? 3 : 2) + 2 * adapters * 3 + attention);
}

lm::StoredAs stored_as(const std::string& name) {
  for (const auto type :
       {lm::StoredAs::f32, lm::StoredAs::bf16, lm::StoredAs::q8_0, lm::StoredAs::q6_k,
        lm::StoredAs::q5_k, lm::StoredAs::q4_k, lm::StoredAs::q4_0}) {
    if (lm::to_string(type) == name) return type;
  }
  return lm::StoredAs::bf16;
}

TinyModel shape_of(const Options& options) {
  TinyModel model{.architecture = options.architecture, .matrices = stored_as(options.stored)};
  model.context = 2048;
  if (options.shape == "tiny") return model;
  if (options.shape == "blocks") {  // of 256 values, which Q4_K needs and SmolLM2's 576 are not
    model.width = 768;
    model.layers = 12;
    model.heads = 12;
    model.kv_heads = 4;
    model.feed_forward = 2048;
    model.vocabulary = 32'000;
    model.embedding_deviation = options.embedding_deviation;
    return model;
  }
  model.width = 576;
  model.layers = 30;
  model.heads = 9;
  model.kv_heads = 3;
  model.feed_forward = 1536;
  model.vocabulary = 49'152;
  return model;
}

// Random tokens; or learnable ones, where each of a few is followed by one of two, by a rule.
std::vector<std::int64_t> some_tokens(const Options& options, std::int64_t known,
                                      std::uint64_t seed) {
  std::mt19937_64 random(seed);
  constexpr std::uint64_t few = 64;
  std::vector<std::int64_t> tokens;
  std::uint64_t last = 0;
  for (std::int64_t i = 0; i <= options.texts * options.length; ++i) {
    last = options.learnable ? (last * 5 + 17 + 9 * (random() % 2)) % few
                             : random() % static_cast<std::uint64_t>(known);
    tokens.push_back(static_cast<std::int64_t>(last));
  }
  return tokens;
}

// Texts of one length, or of an eighth of it to the whole, every token to be learned.
Pack some_pack(const Options& options, std::int64_t tokens_known, std::uint64_t seed) {
  const std::vector<std::int64_t> tokens = some_tokens(options, tokens_known, seed);
  const auto end = tokens.size() - 1;
  const auto whole = static_cast<std::size_t>(options.length);
  std::mt19937_64 random(seed);
  std::uniform_int_distribution lengths(
      options.varied ? std::max<std::size_t>(1, whole / 8) : whole, whole);
  std::vector<TokenText> texts;
  for (std::size_t begin = 0; begin < end;) {
    const std::size_t length = std::min(lengths(random), end - begin);
    TokenText& text = texts.emplace_back();
    text.prompt_tokens = 1;
    text.weight = 1.0F / static_cast<float>(end);
    for (std::size_t i = 0; i <= length; ++i) {
      text.tokens.push_back(static_cast<lm::Token>(tokens[begin + i]));
    }
    begin += length;
  }
  std::vector<std::size_t> all(texts.size());
  std::ranges::iota(all, std::size_t{0});
  return make_pack(texts, all);
}

// Takes steps as they are asked for.
class Steps {
 public:
  Steps(const Options& options, const lm::GgufFile& file, const DecoderPlan& plan,
        std::optional<Adapter>& adapter, std::optional<FullWeights>& full, at::ScalarType type)
      : options_(options),
        plan_(plan),
        trained_(full ? static_cast<Trained&>(*full) : *adapter),
        weights_(file, type, full ? &*full : nullptr),
        decoder_(plan, packed(weights_, options), adapter ? &*adapter : nullptr, Activations::kept,
                 options.threads),
        optimiser_(trained_, {}),
        products_(plan, options.texts * options.length, type),
        profile_(plan, full ? 0 : options.rank) {}

  json::object step() {
    const Pack pack = some_pack(options_, plan_.vocabulary, ++taken_);
    const StepSplit before = profile_.split();
    const Stopwatch watch;
    const double processor_before = processor_s();
    trained_.gradients().zero_();
    const double loss = decoder_.loss_and_gradients(pack, 1).loss;
    const double passes_s = watch.elapsed_s();
    optimiser_.step(trained_, static_cast<std::int64_t>(taken_) - 1, rate());
    const double seconds = watch.elapsed_s();
    const double processor_seconds = processor_s() - processor_before;
    if (taken_ > 1) add_split(before, passes_s, seconds);
    json::object taken{{"seconds", seconds}, {"processor_s", processor_seconds}, {"loss", loss}};
    if (!options_.learnable) taken["products_per_s"] = products_.measure();
    return taken;
  }

  json::object summary() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    json::object parts;
    for (const auto& [name, part_s] : parts_) parts[name] = part_s / std::max(1.0, total_s_);
    return {{"loss_held_out", decoder_.loss(some_pack(options_, plan_.vocabulary, 0)).loss},
            {"operations_of_step", work_of_step(plan_, options_)},
            {"parts", parts},
            {"weights_bytes", static_cast<double>(std::filesystem::file_size(options_.model)) +
                                  static_cast<double>(weights_.buffer_bytes())},
            {"memory_peak_bytes", usage.ru_maxrss * 1024},
            {"parameters", trained_.parameters().numel()},
            {"threads", options_.threads}};
  }

 private:
  static BaseWeights& packed(BaseWeights& weights, const Options& options) {
    if (options.pack) weights.pack_matrices();
    return weights;
  }

  // Falls along a cosine, as in training, where the number of steps was given.
  [[nodiscard]] double rate() const {
    if (options_.steps == 0) return options_.learning_rate;
    const double share = static_cast<double>(taken_ - 1) / static_cast<double>(options_.steps);
    return options_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, share)));
  }

  void add_split(const StepSplit& before, double passes_s, double seconds) {
    const StepSplit& now = profile_.split();
    const std::vector<std::pair<const char*, double>> parts = {
        {"products of layers", now.layers_s - before.layers_s},
        {"products of adapters", now.adapter_s - before.adapter_s},
        {"products of the head", now.head_s - before.head_s},
        {"products of attention", now.attention_s - before.attention_s}};
    double rest = passes_s;
    for (const auto& [name, part_s] : parts) {
      parts_[name] += part_s;
      rest -= part_s;
    }
    parts_["norms, gates, RoPE, softmax, loss, copies"] += rest;
    parts_["optimiser"] += seconds - passes_s;
    total_s_ += seconds;
  }

  const Options& options_;
  const DecoderPlan& plan_;
  Trained& trained_;
  BaseWeights weights_;
  DecoderLanes decoder_;
  AdamW optimiser_;
  ProductsProbe products_;
  StepProfile profile_;
  std::uint64_t taken_ = 0;
  std::map<std::string, double> parts_;
  double total_s_ = 0;
};

Status run(const Options& options) {
  if (options.write) return write_tiny_model(options.model, shape_of(options));
  const c10::InferenceMode no_autograd;
  at::set_num_threads(options.threads);
  const auto type = options.computed == "bf16" ? at::kBFloat16 : at::kFloat;
  const auto file = TRY(lm::GgufFile::open(options.model));
  const DecoderPlan plan = TRY(plan_of(file));
  std::optional<FullWeights> full;
  std::optional<Adapter> adapter;
  if (options.full) {
    full.emplace(file, type);
  } else {
    adapter = TRY(Adapter::create(plan, {.rank = options.rank}, type));
  }
  Steps steps(options, file, plan, adapter, full, type);
  for (std::string line; std::getline(std::cin, line);) {
    std::cout << json::to_text(steps.step()) << std::endl;
  }
  std::cout << json::to_text(steps.summary()) << std::endl;
  return {};
}

}  // namespace
}  // namespace understudy::s5

int main(int argc, char** argv) {
  using namespace understudy;
  s5::Options options;
  CLI::App app("Measures steps of LoRA training on random weights.");
  app.add_option("model", options.model)->required();
  app.add_option("--architecture", options.architecture)->capture_default_str();
  app.add_option("--stored", options.stored)->capture_default_str();
  app.add_option("--computed", options.computed, "bf16 or f32")->capture_default_str();
  app.add_option("--shape", options.shape, "smollm2-135m, blocks or tiny")->capture_default_str();
  app.add_option("--texts", options.texts)->capture_default_str();
  app.add_option("--length", options.length)->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_option("--learning-rate", options.learning_rate)->capture_default_str();
  app.add_option("--steps", options.steps, "over which the learning rate falls to 0");
  app.add_option("--embedding-deviation", options.embedding_deviation)->capture_default_str();
  app.add_flag("--write", options.write, "only write the model");
  app.add_flag("--full", options.full, "tune all weights");
  app.add_flag("!--no-pack", options.pack, "take frozen matrices as they lie");
  app.add_flag("--varied", options.varied, "texts of an eighth of the length to the whole");
  app.add_flag("--learnable", options.learnable, "tokens that follow a rule");
  CLI11_PARSE(app, argc, argv);
  machine::restart_with_compute_environment(argv);
  if (const auto done = s5::run(options); !done) {
    std::cerr << "error: " << done.error().to_text() << '\n';
    return 1;
  }
  return 0;
}
