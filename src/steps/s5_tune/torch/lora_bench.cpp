// Steps of LoRA training, or of full fine-tuning, on a model of a given shape with random weights,
// without data or disk: `lora_bench MODEL.gguf` writes the file where it is absent, takes the steps
// and prints tokens a second, by the clock and by processor time, the share of the rate at which
// this machine multiplies matrices, and the peak of memory as JSON. bench/bench_train.py runs it.
#include <malloc.h>
#include <sys/resource.h>

#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <optional>
#include <random>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "steps/s5_tune/families/registry.hpp"
#include "steps/s5_tune/torch/decoder.hpp"
#include "steps/s5_tune/torch/optimiser.hpp"
#include "steps/s5_tune/torch/tiny_model.hpp"

namespace understudy::s5 {
namespace {

// SmolLM2-135M.
constexpr std::int64_t vocabulary = 49'152;

struct Options {
  std::filesystem::path model;
  std::string architecture = "llama";
  std::string stored = "BF16";
  std::string computed = "bf16";
  std::int64_t texts = 4;
  std::int64_t length = 512;
  std::int64_t rank = 16;
  int steps = 5;
  int threads = 2;
  bool tiny = false;
  bool full = false;
};

double processor_s() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Of one product of the shape that most of the work has, by processor time of all threads.
double multiplied_per_processor_s(const DecoderPlan& plan, std::int64_t tokens,
                                  at::ScalarType type) {
  const at::Tensor x = at::empty({tokens, plan.width}, type).fill_(0.5);
  const at::Tensor w = at::empty({plan.feed_forward, plan.width}, type).fill_(0.5);
  constexpr int times = 12;
  double best = 0;
  for (int i = 0; i < 3; ++i) {  // the first warms up
    const double before = processor_s();
    for (int j = 0; j < times; ++j) at::mm(x, w.t());
    const auto work = 2.0 * times * static_cast<double>(tokens * plan.width * plan.feed_forward);
    best = std::max(best, work / (processor_s() - before));
  }
  return best;
}

// Multiplications and additions of a step in matrix products: the frozen layers forward and back to
// their input (in full tuning to their weights too), the head likewise, causal attention.
double work_of_step(const DecoderPlan& plan, const Options& options) {
  const auto tokens = static_cast<double>(options.texts * options.length);
  double linear = static_cast<double>(plan.vocabulary * plan.width);
  for (std::size_t i = 0; i < plan.layers.size(); ++i) {
    for (const LinearModule& module : plan.modules_of(i)) {
      linear += static_cast<double>(module.rows * module.columns);
    }
  }
  const double seen = static_cast<double>(options.length) / 2;
  const double attention = static_cast<double>(plan.layers.size()) * 2 * 2 * seen *
                           static_cast<double>(plan.query_width()) * 3.5;
  return tokens * (2 * linear * (options.full ? 3 : 2) + attention);
}

lm::StoredAs stored_as(const std::string& name) {
  for (const auto type :
       {lm::StoredAs::f32, lm::StoredAs::bf16, lm::StoredAs::q8_0, lm::StoredAs::q4_0}) {
    if (lm::to_string(type) == name) return type;
  }
  return lm::StoredAs::bf16;
}

TinyModel shape_of(const Options& options) {
  if (options.tiny)
    return {.architecture = options.architecture, .matrices = stored_as(options.stored)};
  return {.architecture = options.architecture,
          .context = 2048,
          .width = 576,
          .layers = 30,
          .heads = 9,
          .kv_heads = 3,
          .head_width = 64,
          .feed_forward = 1536,
          .vocabulary = vocabulary,
          .matrices = stored_as(options.stored)};
}

Pack random_pack(const Options& options, std::int64_t tokens_known) {
  std::mt19937_64 random(1);
  const std::int64_t count = options.texts * options.length;
  Pack pack{.tokens = at::empty({count}, at::TensorOptions(at::kLong)),
            .positions = at::empty({count}, at::TensorOptions(at::kInt)),
            .begins = {},
            .rows = at::empty({count}, at::TensorOptions(at::kLong)),
            .targets = at::empty({count}, at::TensorOptions(at::kLong)),
            .weights = at::empty({count}, at::TensorOptions(at::kFloat))};
  const auto draw = [&] {
    return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(tokens_known));
  };
  for (std::int64_t i = 0; i < count; ++i) {
    pack.tokens.data_ptr<std::int64_t>()[i] = draw();
    pack.targets.data_ptr<std::int64_t>()[i] = draw();
    pack.rows.data_ptr<std::int64_t>()[i] = i;
    pack.positions.data_ptr<std::int32_t>()[i] = static_cast<std::int32_t>(i % options.length);
    pack.weights.data_ptr<float>()[i] = 1.0F / static_cast<float>(count);
  }
  for (std::int64_t i = 0; i <= options.texts; ++i) pack.begins.push_back(i * options.length);
  return pack;
}

Result<json::value> run(const Options& options) {
  if (!std::filesystem::exists(options.model)) {
    TRY(write_tiny_model(options.model, shape_of(options)));
  }
  if (options.steps == 0) return json::object{{"written", options.model.string()}};
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
  Trained& trained = full ? static_cast<Trained&>(*full) : *adapter;
  BaseWeights weights(file, type, full ? &*full : nullptr);
  Decoder decoder(plan, weights, adapter ? &*adapter : nullptr);
  AdamW optimiser(trained, {});
  const double rate = multiplied_per_processor_s(plan, options.texts * options.length, type);
  const Pack pack = random_pack(options, plan.vocabulary);
  std::vector<double> seconds, processor_seconds;
  for (int step = 0; step <= options.steps; ++step) {  // the first one warms up
    const Stopwatch watch;
    const double before = processor_s();
    trained.gradients().zero_();
    decoder.loss_and_gradients(pack, 1);
    optimiser.step(trained, step, 1e-4);
    if (step == 0) continue;
    seconds.push_back(watch.elapsed_s());
    processor_seconds.push_back(processor_s() - before);
  }
  std::ranges::sort(seconds);
  std::ranges::sort(processor_seconds);
  const double middle = processor_seconds[processor_seconds.size() / 2];
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto tokens = static_cast<double>(options.texts * options.length);
  return json::object{{"tokens_per_s_median", tokens / seconds[seconds.size() / 2]},
                      {"tokens_per_s_best", tokens / seconds.front()},
                      {"tokens_per_processor_s_median", tokens / middle},
                      {"gflops_of_products", rate / 1e9},
                      {"share_of_products", work_of_step(plan, options) / middle / rate},
                      {"weights_bytes", std::filesystem::file_size(options.model)},
                      {"memory_peak_bytes", usage.ru_maxrss * 1024},
                      {"parameters", trained.parameters().numel()},
                      {"threads", options.threads},
                      {"steps", options.steps}};
}

}  // namespace
}  // namespace understudy::s5

int main(int argc, char** argv) {
  using namespace understudy;
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  s5::Options options;
  CLI::App app("Measures steps of LoRA training on random weights.");
  app.add_option("model", options.model)->required();
  app.add_option("--architecture", options.architecture)->capture_default_str();
  app.add_option("--stored", options.stored)->capture_default_str();
  app.add_option("--computed", options.computed, "bf16 or f32")->capture_default_str();
  app.add_option("--texts", options.texts)->capture_default_str();
  app.add_option("--length", options.length)->capture_default_str();
  app.add_option("--steps", options.steps, "0: only write the model")->capture_default_str();
  app.add_option("--threads", options.threads)->capture_default_str();
  app.add_flag("--full", options.full, "tune all weights");
  app.add_flag("--tiny", options.tiny, "a small shape instead of SmolLM2-135M's");
  CLI11_PARSE(app, argc, argv);
  const auto result = s5::run(options);
  if (!result) {
    std::cerr << "error: " << result.error().to_text() << '\n';
    return 1;
  }
  std::cout << json::to_text(*result) << '\n';
  return 0;
}
