#include "steps/s5_tune/torch/lora_run.hpp"

#include <algorithm>
#include <cmath>
#include <format>
#include <numbers>
#include <numeric>

#include "base/figures.hpp"
#include "base/json.hpp"
#include "base/stop_request.hpp"
#include "steps/s5_tune/torch/devices.hpp"

namespace understudy::s5 {

namespace {

constexpr std::int64_t looks_wanted = 20;  // at the validation part, over a run
constexpr std::int64_t steps_between_looks_min = 5;
constexpr std::int64_t steps_to_judge_speed = 3;
constexpr double time_for_steps = 0.9;  // the rest is for looks and the export

double weight_of(const TokenText& text) {
  return static_cast<double>(text.weight) *
         static_cast<double>(text.tokens.size() - text.prompt_tokens);
}

}  // namespace

LoraRun::LoraRun(const LoraData& data, DecoderLanes& decoder, Trained& trained,
                 const LoraOptions& options, const std::filesystem::path& directory,
                 const Ranks& ranks)
    : data_(data),
      decoder_(decoder),
      trained_(trained),
      options_(options),
      directory_(directory),
      ranks_(ranks),
      optimiser_(trained, {.state = options.optimiser, .weight_decay = options.weight_decay}),
      state_{.best = trained.parameters().clone()},
      metrics_(ranks.leads() ? directory / "metrics.jsonl" : std::filesystem::path("/dev/null"),
               options.resume ? std::ios::app : std::ios::trunc) {
  for (std::int64_t epoch = 0; epoch < options.epochs; ++epoch) {
    const auto rows = static_cast<std::int64_t>(rows_of_epoch(epoch).size());
    state_.steps_max += (rows + packs_of_step() - 1) / packs_of_step();
  }
  if (options.steps_max > 0) state_.steps_max = std::min(state_.steps_max, options.steps_max);
}

LoraRun::Rows LoraRun::rows_of_epoch(std::int64_t epoch) const {
  std::vector<std::size_t> lengths;
  for (const TokenText& text : data_.train) lengths.push_back(tokens_in_pack(text));
  return pack_texts(lengths, {.tokens_max = static_cast<std::size_t>(options_.batch_tokens),
                              .seed = options_.adapter.seed + static_cast<std::uint64_t>(epoch),
                              .lanes = decoder_.lanes()});
}

double LoraRun::rate_at(std::int64_t step) const {
  const auto total = static_cast<double>(state_.steps_max);
  const double warm_up = std::max(1.0, std::ceil(options_.warm_up_share * total));
  const auto done = static_cast<double>(step);
  if (done < warm_up) return options_.learning_rate * (done + 1) / warm_up;
  const double share = (done - warm_up) / std::max(1.0, total - warm_up);
  return options_.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * std::min(1.0, share)));
}

// The packs of an epoch from `first` on, those of a step; of them each rank takes its share.
void LoraRun::step(const Rows& rows, std::int64_t first) {
  const Stopwatch watch;
  const auto end = std::min(static_cast<std::int64_t>(rows.size()), first + packs_of_step());
  double weight = 0;
  for (std::int64_t i = first; i < end; ++i) {
    for (const std::size_t text : rows[static_cast<std::size_t>(i)]) {
      weight += weight_of(data_.train[text]);
    }
  }
  trained_.gradients().zero_();
  double loss = 0;
  std::int64_t tokens = 0;
  for (std::int64_t i = first + ranks_.rank(); i < end; i += ranks_.size()) {
    const auto& chosen = rows[static_cast<std::size_t>(i)];
    Pack pack = make_pack(data_.train, chosen);
    pack.weights.div_(weight);
    if (pack.soft) pack.soft->share = options_.teacher.share;
    if (teacher_ != nullptr) teacher_->teach(pack);
    const std::uint64_t seed = options_.adapter.seed * 1'000'003 +
                               static_cast<std::uint64_t>(state_.step * 64 + i - first) + 1;
    loss += decoder_.loss_and_gradients(pack, seed).loss;
    for (const std::size_t text : chosen) {
      tokens += static_cast<std::int64_t>(data_.train[text].tokens.size()) - 1;
    }
  }
  ranks_.sum(trained_.gradients());
  loss = ranks_.sum(loss);
  tokens = static_cast<std::int64_t>(ranks_.sum(static_cast<double>(tokens)));
  state_.tokens += tokens;
  step_tokens_ += tokens;
  norm_ = optimiser_.step(trained_, state_.step, rate_at(state_.step));
  ++state_.step;
  ++steps_here_;
  loss_ = steps_here_ == 1 ? loss : 0.9 * loss_ + 0.1 * loss;
  step_seconds_ += watch.elapsed_s();
}

LoraRun::Look LoraRun::look() const {
  std::vector<std::size_t> lengths;
  double weight = 0;
  for (const TokenText& text : data_.validation) {
    lengths.push_back(tokens_in_pack(text));
    weight += weight_of(text);
  }
  Look now;
  std::size_t right = 0;
  for (const auto& chosen :
       pack_texts(lengths, {.tokens_max = static_cast<std::size_t>(options_.batch_tokens),
                            .seed = 0,
                            .lanes = decoder_.lanes()})) {
    const PackLoss loss = decoder_.loss(make_pack(data_.validation, chosen));
    now.loss += loss.loss;
    // A text's rows lie side by side; every token right is a right greedy answer.
    std::size_t row = 0;
    for (const std::size_t text : chosen) {
      const std::size_t answer =
          data_.validation[text].tokens.size() - data_.validation[text].prompt_tokens;
      bool all = true;
      for (std::size_t i = 0; i < answer; ++i) all = all && loss.right[row++];
      right += all ? 1U : 0U;
    }
  }
  now.loss /= std::max(1e-9, weight);
  now.exact = static_cast<double>(right) / static_cast<double>(data_.validation.size());
  return now;
}

void LoraRun::observe() {
  const Look now = look();
  if (state_.step == 0) state_.loss_before = now.loss;
  if (now.loss < state_.best_loss) {
    state_.best_loss = now.loss;
    state_.best_exact = now.exact;
    state_.best.copy_(trained_.parameters());
    state_.stale = 0;
  } else {
    ++state_.stale;
  }
  metrics_ << json::to_text(
                  json::object{{"step", state_.step},
                               {"steps", state_.steps_max},
                               {"seconds", elapsed_s()},
                               {"tokens", state_.tokens},
                               {"tokens_per_s", tokens_per_s()},
                               {"train_loss", loss_},
                               {"validation_loss", now.loss},
                               {"validation_exact", now.exact},
                               {"gradient_norm", norm_},
                               {"memory_bytes", memory_in_use(trained_.parameters().device())},
                               {"learning_rate", rate_at(state_.step)}})
           << std::endl;
}

// Once the speed is known: no more steps than the time allows, so that the rate still falls to 0.
void LoraRun::fit_into_time() {
  if (steps_here_ != steps_to_judge_speed) return;
  const double left = options_.minutes_max * 60 * time_for_steps - elapsed_everywhere_s();
  const double a_step = ranks_.of_leader(step_seconds_ / static_cast<double>(steps_here_));
  const auto fitting = static_cast<std::int64_t>(std::max(1.0, left / std::max(1e-9, a_step)));
  state_.steps_max = std::min(state_.steps_max, state_.step + fitting);
}

double LoraRun::tokens_per_s() const {
  return static_cast<double>(step_tokens_) / std::max(1e-9, step_seconds_);
}

bool LoraRun::over() const {
  return state_.step >= state_.steps_max || state_.stale >= options_.patience ||
         elapsed_everywhere_s() >= options_.minutes_max * 60;
}

bool LoraRun::asked_to_stop() const { return ranks_.sum(StopRequest::asked() ? 1.0 : 0.0) > 0; }

std::unexpected<Error> LoraRun::stopped() const {
  return fail(ErrorCode::cancelled,
              "stopped behind step " + std::to_string(state_.step) + " of " +
                  std::to_string(state_.steps_max),
              "It is kept: --resume goes on from there, `understudy tune` by itself.");
}

Status LoraRun::save(const std::string& fingerprint) {
  if (!ranks_.leads()) return {};
  LoraState state = state_;
  state.seconds = elapsed_s();
  state.first = optimiser_.first();
  state.second = optimiser_.second();
  return save_state(directory_ / "checkpoint.safetensors", state, trained_.parameters(),
                    fingerprint);
}

Status LoraRun::resume(const std::string& fingerprint) {
  state_.first = at::empty_like(trained_.parameters());
  state_.second = at::empty_like(trained_.parameters());
  TRY(load_state(directory_ / "checkpoint.safetensors", state_, trained_.parameters(),
                 fingerprint));
  optimiser_.restore(state_.first, state_.second);
  state_.first = state_.second = at::Tensor();  // the optimiser has them
  trained_.refresh();
  return {};
}

Status LoraRun::train(const std::string& fingerprint) {
  const StopRequest stoppable;
  Progress progress("training", static_cast<std::uint64_t>(state_.steps_max), "steps");
  progress.advance(static_cast<std::uint64_t>(state_.step));
  const std::int64_t every = std::max(steps_between_looks_min, state_.steps_max / looks_wanted);
  if (state_.step == 0) {
    observe();
    TRY(save(fingerprint));  // what cannot be written shows now and not in an hour
  }
  double saved_s = watch_.elapsed_s();
  std::int64_t before = 0;  // steps of the epochs so far
  for (std::int64_t epoch = 0; epoch < options_.epochs && !over(); ++epoch) {
    const Rows rows = rows_of_epoch(epoch);
    const auto count = static_cast<std::int64_t>(rows.size());
    const std::int64_t steps = (count + packs_of_step() - 1) / packs_of_step();
    while (state_.step < before + steps && !over()) {
      step(rows, (state_.step - before) * packs_of_step());
      if (!std::isfinite(loss_) || !std::isfinite(norm_)) {
        return fail(ErrorCode::invalid_input,
                    "the loss is no number any more at step " + std::to_string(state_.step),
                    "Give a lower --learning-rate, or --compute f32.");
      }
      progress.advance();
      progress.note(std::format("loss {:.4f}, {:.0f} tokens/s, {}", loss_, tokens_per_s(),
                                gibibytes(memory_in_use(trained_.parameters().device()))));
      fit_into_time();
      if (state_.step % every == 0 || over()) observe();
      const bool stopping = asked_to_stop();
      if (stopping || watch_.elapsed_s() - saved_s >= options_.checkpoint_s) {
        TRY(save(fingerprint));
        saved_s = watch_.elapsed_s();
      }
      if (stopping) return stopped();
    }
    before += steps;
  }
  TRY(save(fingerprint));
  if (asked_to_stop()) return stopped();
  trained_.parameters().copy_(state_.best);
  trained_.refresh();
  return {};
}

LoraReport LoraRun::report() const {
  return {.examples = data_.train.size() + data_.validation.size(),
          .left_out = data_.left_out,
          .soft_tokens = data_.soft_tokens,
          .parameters = trained_.parameters().numel(),
          .steps = state_.step,
          .tokens = state_.tokens,
          .seconds = elapsed_s(),
          .tokens_per_s = tokens_per_s(),
          .validation_loss_before = state_.loss_before,
          .validation_loss = state_.best_loss,
          .validation_exact = state_.best_exact};
}

}  // namespace understudy::s5
