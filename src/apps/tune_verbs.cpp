#include <CLI/CLI.hpp>

#include "apps/render.hpp"
#include "apps/verb_builder.hpp"

namespace understudy::apps {

namespace {

Status run_tune(const Home& home, const VerbOptions& o) {
  console::TuneRequest request = o.tune;
  request.task = o.task;
  const bool on_base = !request.base.base.empty();
  if (o.candidate.empty() && !on_base) {
    return fail(ErrorCode::invalid_input, "say what to train",
                "--candidate classifier, --candidate nano, or --base FILE.gguf; `understudy select "
                "TASK` says which fit");
  }
  request.candidate =
      o.candidate.empty() ? CandidateKind::adapter : TRY(parse_candidate_kind(o.candidate));
  if (on_base != (request.candidate == CandidateKind::adapter)) {
    return fail(ErrorCode::invalid_input, on_base ? "--base goes with the candidate adapter only"
                                                  : "the candidate adapter needs --base FILE.gguf");
  }
  return show(console::tune(home, request), o.as_json, render_artifact);
}

void add_base_options(CLI::App& verb, s5::BaseOptions& base) {
  CLI::Option_group& group = *verb.add_option_group("base", "with --base");
  CLI::Option* file =
      group.add_option("--base", base.base,
                       "what to train an adapter on: a GGUF file, which stays where it "
                       "is, a Hugging Face directory, which becomes one of `understudy "
                       "models`, or a name of those");
  group.add_option("--method", base.method, "lora, dora, or full: all of its weights")
      ->check(CLI::IsMember({"lora", "dora", "full"}))
      ->capture_default_str()
      ->needs(file);
  group.add_option("--rank", base.rank, "of the adapter: how much it can hold (default: 16)")
      ->check(CLI::Range(1, 1024))
      ->needs(file);
  group.add_option("--alpha", base.alpha, "the adapter's weight is alpha / rank (default: 32)")
      ->check(CLI::Range(0.01, 10'000.0))
      ->needs(file);
  group.add_option("--epochs", base.epochs, "times over the training calls (default: 3)")
      ->check(CLI::Range(1, 1000))
      ->needs(file);
  group.add_option("--batch-tokens", base.batch_tokens, "tokens per step (default: 2048)")
      ->check(CLI::Range(64, 1'000'000))
      ->needs(file);
  group.add_option("--threads", base.threads, "all of the machine's unless given")
      ->check(CLI::Range(1, 1024))
      ->needs(file);
  group
      .add_option("--device", base.device,
                  "auto, cpu, cuda or cuda:N (default: auto, which takes CUDA where the trainer "
                  "was built with it)")
      ->needs(file);
  group.add_option("--learning-rate", base.learning_rate, "at its highest (default: 0.0002)")
      ->check(CLI::Range(1e-6, 1.0))
      ->needs(file);
  group
      .add_option("--teacher-share", base.teacher_share,
                  "of the loss: of what the LLM thought of every token, where calls were recorded "
                  "with logprobs (top_logprobs); the trainer's own unless given")
      ->check(CLI::Range(0.0, 1.0))
      ->needs(file);
}

}  // namespace

void add_tune_verb(CLI::App& app, Action& action) {
  VerbBuilder builder(app, action);
  CLI::App* verb = builder.add("tune", "S5: train a small model for a task", &run_tune);
  builder.with_task(verb);
  verb->add_option("--candidate", builder.options->candidate,
                   "classifier (closed answers), nano (a small transformer) or adapter (with "
                   "--base, which implies it)");
  verb->add_option("--max-minutes", builder.options->tune.minutes_max,
                   "stop training after this long")
      ->capture_default_str()
      ->check(CLI::PositiveNumber);
  verb->add_option("--seed", builder.options->tune.seed,
                   "of the initial weights and the order of the data")
      ->capture_default_str();
  add_base_options(*verb, builder.options->tune.base);
}

}  // namespace understudy::apps
