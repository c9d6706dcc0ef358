#include "steps/s5_tune/torch/nano_trainer.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/_fused_adamw.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <exception>
#include <format>
#include <fstream>
#include <numeric>
#include <thread>

#include "steps/s5_tune/torch/model_card.hpp"
#include "steps/s5_tune/torch/nano_data.hpp"
#include "steps/s5_tune/torch/nano_export.hpp"
#include "steps/s5_tune/torch/nano_network.hpp"
#include "steps/s5_tune/torch/schedule.hpp"

#include "base/clock.hpp"
#include "base/figures.hpp"
#include "base/files.hpp"
#include "base/process_memory.hpp"
#include "base/progress.hpp"

namespace understudy::s5 {

namespace {

constexpr double gradient_norm_max = 1.0;
constexpr double weight_decay = 0.05;
constexpr double momentum = 0.9;
constexpr double variance_memory = 0.98;  // short runs: an average over about 50 steps
constexpr std::int64_t observe_every_steps = 40;

class AdamW {
 public:
  explicit AdamW(NanoNetwork& network)
      : network_(network),
        first_(at::zeros_like(network.gradient())),
        second_(at::zeros_like(network.gradient())) {}

  // Also clips: the gradient is scaled down to gradient_norm_max.
  void step(double learning_rate) {
    at::Tensor gradient = network_.gradient();
    const double norm = gradient.norm().item<double>();
    if (norm > gradient_norm_max) gradient.mul_(gradient_norm_max / norm);
    ++steps_;
    const auto parameters = network_.split(network_.parameters());
    const auto gradients = network_.split(gradient);
    const auto first = network_.split(first_);
    const auto second = network_.split(second_);
    update({parameters.matrices, gradients.matrices, first.matrices, second.matrices},
           learning_rate, weight_decay);
    update({parameters.gains, gradients.gains, first.gains, second.gains}, learning_rate, 0);
  }

 private:
  struct Lists {
    const std::vector<at::Tensor>&parameters, &gradients, &first, &second;
  };
  void update(const Lists& lists, double learning_rate, double decay) const {
    const std::vector<at::Tensor> steps(lists.parameters.size(),
                                        at::full({}, static_cast<double>(steps_), at::kFloat));
    at::_fused_adamw_(lists.parameters, lists.gradients, lists.first, lists.second, {}, steps,
                      learning_rate, momentum, variance_memory, decay, 1e-8, /*amsgrad=*/false,
                      /*maximize=*/false);
  }

  NanoNetwork& network_;
  at::Tensor first_;
  at::Tensor second_;
  std::int64_t steps_ = 0;
};

struct Validation {
  double loss = 0;
  double exact = 0;
};

// Every token right under teacher forcing is the same as a right greedy answer.
Validation validate(const NanoNetwork& network, const std::vector<Batch>& batches) {
  double loss = 0;
  std::int64_t rows = 0;
  std::int64_t right = 0;
  std::int64_t texts = 0;
  for (const Batch& batch : batches) {
    const at::Tensor logits = network.logits(batch);
    const at::Tensor picked = at::log_softmax(logits, 1).gather(1, batch.targets.unsqueeze(1));
    loss -= picked.sum().item<double>();
    rows += batch.targets.numel();
    const at::Tensor wrong = logits.argmax(1).ne(batch.targets).to(at::kLong);
    const at::Tensor text = at::floor_divide(batch.rows, batch.length);
    const at::Tensor errors = at::zeros({batch.texts}, at::kLong).index_add_(0, text, wrong);
    right += errors.eq(0).sum().item<std::int64_t>();
    texts += batch.texts;
  }
  return {
      .loss = loss / static_cast<double>(std::max<std::int64_t>(1, rows)),
      .exact = static_cast<double>(right) / static_cast<double>(std::max<std::int64_t>(1, texts))};
}

int threads_for(const NanoOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()) / 2);
}

lm::LlamaShape shape_for(const NanoData& data, const NanoOptions& options) {
  return {.context = static_cast<std::uint32_t>(data.context),
          .width = options.width,
          .layers = options.layers,
          .heads = options.heads,
          .feed_forward = options.feed_forward,
          .vocabulary = static_cast<std::uint32_t>(data.tokens.pieces.size())};
}

class Run {
 public:
  Run(const NanoData& data, const std::filesystem::path& directory, const NanoOptions& options)
      : data_(data),
        options_(options),
        random_(options.seed),
        network_(shape_for(data, options), at::kFloat, options.seed),
        optimiser_(network_),
        schedule_({.steps_max = options.steps_max, .seconds_max = options.minutes_max * 60}),
        validation_(make_batches(
            data.validation,
            {.tokens_max = 2 * options.batch_tokens, .texts_max = 128, .shuffled = false},
            random_)),
        metrics_(directory / "metrics.jsonl"),
        best_(network_.parameters().clone()) {}

  // Until the schedule says so; leaves the best parameters in the network.
  void train() {
    Progress progress("training", static_cast<std::uint64_t>(options_.steps_max), "steps");
    bool over = false;
    while (!over) {
      for (const Batch& batch :
           make_batches(data_.train, {.tokens_max = options_.batch_tokens}, random_)) {
        const double rate = options_.learning_rate * schedule_.next(steps_, watch_.elapsed_s());
        over = rate <= 0;
        if (over) break;
        step(batch, rate);
        progress.advance();
        if (steps_ % observe_every_steps == 0) observe(rate, progress);
      }
    }
    observe(0, progress);
    network_.parameters().copy_(best_);
  }

  [[nodiscard]] const NanoNetwork& network() const { return network_; }
  [[nodiscard]] NanoReport report() const {
    return {.examples = data_.train.size() + data_.validation.size(),
            .left_out = data_.left_out,
            .parameters = network_.gradient().numel(),
            .steps = steps_,
            .seconds = watch_.elapsed_s(),
            .tokens_per_s = tokens_per_s(),
            .validation_loss = best_seen_.loss,
            .validation_exact = best_seen_.exact,
            .logits_difference = 0};
  }

 private:
  [[nodiscard]] double tokens_per_s() const {
    return static_cast<double>(tokens_) / std::max(1e-9, step_seconds_);
  }

  void step(const Batch& batch, double rate) {
    const Stopwatch watch;
    const double loss = network_.loss_and_gradient(batch);
    optimiser_.step(rate);
    ++steps_;
    tokens_ += batch.texts * batch.length;
    loss_ = steps_ == 1 ? loss : 0.95 * loss_ + 0.05 * loss;
    step_seconds_ += watch.elapsed_s();
  }

  void observe(double rate, Progress& progress) {
    const Validation now = validate(network_, validation_);
    schedule_.observe(now.loss, now.exact);
    if (now.exact > best_seen_.exact ||
        (now.exact == best_seen_.exact && now.loss < best_seen_.loss)) {
      best_seen_ = now;
      best_.copy_(network_.parameters());
    }
    progress.note(std::format("loss {:.4f}, right on validation {}, {:.0f} tokens/s, {}", loss_,
                              percent(now.exact), tokens_per_s(), gibibytes(resident_bytes())));
    metrics_ << json::to_text(json::object{{"step", steps_},
                                           {"seconds", watch_.elapsed_s()},
                                           {"tokens", tokens_},
                                           {"tokens_per_s", tokens_per_s()},
                                           {"train_loss", loss_},
                                           {"validation_loss", now.loss},
                                           {"validation_exact", now.exact},
                                           {"memory_bytes", resident_bytes()},
                                           {"learning_rate", rate}})
             << std::endl;
  }

  const NanoData& data_;
  const NanoOptions& options_;
  std::mt19937_64 random_;
  NanoNetwork network_;
  AdamW optimiser_;
  Schedule schedule_;
  std::vector<Batch> validation_;
  std::ofstream metrics_;
  at::Tensor best_;
  Validation best_seen_{.loss = 1e30, .exact = -1};
  Stopwatch watch_;
  std::int64_t steps_ = 0;
  std::int64_t tokens_ = 0;
  double step_seconds_ = 0;
  double loss_ = 0;
};

json::object to_card(const NanoReport& report, const NanoData& data, const lm::LlamaShape& shape,
                     const NanoOptions& options) {
  json::object card{{"kind", "nano"},
                    {"data", json::object{{"training", data.train.size()},
                                          {"validation", data.validation.size()},
                                          {"left_out", data.left_out}}},
                    {"architecture", "llama"},
                    {"context", shape.context},
                    {"width", shape.width},
                    {"layers", shape.layers},
                    {"heads", shape.heads},
                    {"feed_forward", shape.feed_forward},
                    {"vocabulary", shape.vocabulary},
                    {"seed", options.seed},
                    {"threads", threads_for(options)},
                    {"batch_tokens", options.batch_tokens},
                    {"learning_rate", options.learning_rate},
                    {"minutes_max", options.minutes_max},
                    {"metrics", to_json(report)}};
  sign_card(card);
  return card;
}

Result<NanoReport> train(std::span<const TrainingExample> examples,
                         const std::filesystem::path& directory, const NanoOptions& options) {
  const c10::InferenceMode no_autograd;
  at::set_num_threads(threads_for(options));
  const NanoData data = TRY(prepare_nano_data(
      examples, directory, {.pieces_max = options.pieces_max, .seed = options.seed}));
  Run run(data, directory, options);
  run.train();
  NanoReport report = run.report();
  report.logits_difference =
      TRY(export_nano(run.network(), data, "understudy-nano", directory / "model.gguf"));
  const auto card = to_card(report, data, run.network().shape(), options);
  TRY(write_file_atomically(directory / "card.json", json::to_text(card) + "\n"));
  return report;
}

}  // namespace

json::value to_json(const NanoReport& report) {
  return json::object{{"examples", report.examples},
                      {"left_out", report.left_out},
                      {"parameters", report.parameters},
                      {"steps", report.steps},
                      {"seconds", report.seconds},
                      {"tokens_per_s", report.tokens_per_s},
                      {"validation_loss", report.validation_loss},
                      {"validation_exact", report.validation_exact},
                      {"logits_difference", report.logits_difference}};
}

Result<NanoReport> train_nano(std::span<const TrainingExample> examples,
                              const std::filesystem::path& directory, const NanoOptions& options) {
  try {
    return train(examples, directory, options);
  } catch (const std::exception& error) {
    return fail(ErrorCode::internal, std::string("libtorch: ") + error.what());
  }
}

}  // namespace understudy::s5
