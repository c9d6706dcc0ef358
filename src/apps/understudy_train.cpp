// understudy-train: trains one small model on lines of examples, from scratch (nano) or as an
// adapter on a GGUF base (lora). The only program that links libtorch. `understudy tune` runs it
// with the lines on its standard input; people may run it alone.

#include <CLI/CLI.hpp>
#include <csignal>
#include <fstream>
#include <iostream>
#include <map>

#include "adapters/lm/gguf_copy.hpp"
#include "adapters/lm/hf/convert.hpp"
#include "adapters/machine/compute_environment.hpp"
#include "adapters/terminal/progress_bar.hpp"
#include "apps/help_format.hpp"
#include "apps/refuse_nan.hpp"
#include "base/exit_code.hpp"
#include "base/progress.hpp"
#include "steps/s5_tune/torch/lora_trainer.hpp"
#include "steps/s5_tune/torch/nano_trainer.hpp"

namespace understudy {
namespace {

constexpr const char* converted_base_name = "base.gguf";

constexpr const char* description =
    R"(trains a small model on the prompts and answers of one task, from scratch or on a base

Each line of --data is {"prompt": "...", "answer": "..."}; on a base with a chat template it may be
{"messages": [...]}, whose last one is learned. Without --base the model is a nano transformer of
its own; with it, an adapter of a GGUF file or of a Hugging Face directory, or all of its weights.
OUT gets the model (an adapter as adapter.gguf for llama-server and as peft/ for vLLM and SGLang),
metrics.jsonl, a card, and on a base checkpoints, which --resume goes on from; Ctrl-C writes one.
Standard output gets a report as JSON.)";
constexpr const char* help_examples = R"(
Examples:
  understudy-train --data lines.jsonl --out nano
  understudy-train --data lines.jsonl --out out --base qwen3-0.6b-Q8_0.gguf --method lora
  understudy-train --data lines.jsonl --out out --base big-Q4_K_M.gguf --method lora --max-minutes 480
                                  the base stays as it is quantised (QLoRA)
  understudy-train --data lines.jsonl --out out --base ~/models/SmolLM2-135M --method full
  understudy-train --data lines.jsonl --out out --base base.gguf --method dora --merged Q4_K_M
  understudy-train --data lines.jsonl --out out --base small.gguf --method lora --teacher large.gguf
  understudy-train --data lines.jsonl --out out --base base.gguf --method lora --resume
  torchrun --nproc-per-node 4 --no-python understudy-train ...
                                  several processes, each on its share of the data
)";

struct Arguments {
  std::string data;
  std::filesystem::path out;
  std::string method = "nano";
  double minutes_max = 0;
  std::uint64_t seed = 1;
  int threads = 0;
  std::int64_t batch_tokens = 0;  // 0: the method's own
  std::int64_t steps_max = 0;
  double learning_rate = 0;
  bool root_scale = false;
  std::string answer_form = "text";
  std::string optimiser = "f32";
  bool recompute = false;
  s5::NanoOptions nano;
  s5::LoraOptions lora;
  bool quiet = false;
};

std::vector<std::string> merged_types() {
  std::vector<std::string> types = {"F32"};
  for (const std::string_view type : lm::quantisations()) types.emplace_back(type);
  return types;
}

template <class Value, class To>
void set_if_given(Value value, To& to) {
  if (value > 0) to = value;
}

Result<json::value> train(const Arguments& arguments, std::istream& input, std::string_view name) {
  if (arguments.method != "nano") {
    const auto examples = TRY(s5::read_tuning_text(input, name));
    s5::LoraOptions options = arguments.lora;
    std::error_code error;
    if (std::filesystem::is_directory(options.base, error)) {
      const auto converted = arguments.out / converted_base_name;
      TRY(lm::provide_gguf(options.base, converted, lm::Stale::replaced));
      options.base = converted;
    }
    return to_json(TRY(s5::train_lora(examples, arguments.out, options)));
  }
  return to_json(
      TRY(s5::train_nano(TRY(s5::read_training_text(input, name)), arguments.out, arguments.nano)));
}

Result<json::value> run(const Arguments& arguments) {
  set_progress_shown(!arguments.quiet);
  terminal::show_progress_as_bar();
  std::ifstream file;
  const bool from_pipe = arguments.data == "-";
  if (!from_pipe) {
    file.open(arguments.data);
    if (!file) {
      return fail(ErrorCode::not_found, "cannot open " + arguments.data,
                  "Give --data a file of {\"prompt\",\"answer\"} lines, or - for standard input.");
    }
  }
  std::error_code error;
  std::filesystem::create_directories(arguments.out, error);
  if (error) {
    return fail(ErrorCode::denied,
                "cannot make the directory " + arguments.out.string() + ": " + error.message());
  }
  return train(arguments, from_pipe ? std::cin : file,
               from_pipe ? "standard input" : arguments.data);
}

void add_common_options(CLI::App& app, Arguments& arguments) {
  app.add_option("--data", arguments.data,
                 R"(JSONL of {"prompt","answer"}, or for lora {"messages"}; - is standard input)")
      ->required();
  app.add_option("--out", arguments.out, "directory for the model, metrics.jsonl and card.json")
      ->required();
  app.add_option("--method", arguments.method,
                 "nano: from scratch; on --base: lora, dora, or full (all of its weights)")
      ->check(CLI::IsMember({"nano", "lora", "dora", "full"}))
      ->capture_default_str();
  app.add_option("--max-minutes", arguments.minutes_max, "nano: 10, lora: 600 unless given")
      ->check(CLI::Range(0.01, 100'000.0));
  app.add_option("--seed", arguments.seed, "of the initial weights and the order of the data")
      ->capture_default_str();
  app.add_option("--threads", arguments.threads, "0: half of the machine's for nano, all for lora")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--batch-tokens", arguments.batch_tokens,
                 "per step; nano: 1024, on --base: 2048 unless given")
      ->check(CLI::Range(64, 1'000'000));
  app.add_option("--steps", arguments.steps_max, "stop after so many")
      ->check(CLI::Range(1, 10'000'000));
  app.add_option("--learning-rate", arguments.learning_rate,
                 "at its highest; nano: 0.0015, on --base: 0.0002 unless given")
      ->check(CLI::Range(1e-6, 1.0));
  app.add_flag("--quiet", arguments.quiet, "no progress on stderr");
}

void add_nano_options(CLI::App& app, s5::NanoOptions& nano) {
  app.option_defaults()->group("OPTIONS of a model from scratch (--method nano)");
  app.add_option("--width", nano.width, "of the hidden states")
      ->check(CLI::Range(16, 2048))
      ->capture_default_str();
  app.add_option("--layers", nano.layers, "transformer blocks")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--heads", nano.heads, "of attention")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--feed-forward", nano.feed_forward, "width inside each block's MLP")
      ->check(CLI::Range(16, 8192))
      ->capture_default_str();
  app.add_option("--pieces", nano.pieces_max, "tokens of its vocabulary, at most")
      ->check(CLI::Range(300, 65'536))
      ->capture_default_str();
}

void add_lora_options(CLI::App& app, Arguments& arguments) {
  s5::LoraOptions& lora = arguments.lora;
  app.option_defaults()->group("OPTIONS on a base model (--method lora, dora, full)");
  app.add_option("--base", lora.base,
                 "the model that the adapter is for: a GGUF file, or a Hugging Face directory, "
                 "which is converted to OUT/base.gguf once");
  app.add_option("--rank", lora.adapter.rank, "of the adapter: how much it can hold")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  app.add_option("--alpha", lora.adapter.alpha, "the adapter's weight is alpha / rank")
      ->check(CLI::Range(0.01, 10'000.0))
      ->capture_default_str();
  app.add_flag("--rslora", arguments.root_scale, "scale by alpha / sqrt(rank)");
  app.add_option("--dropout", lora.adapter.dropout,
                 "share of the adapter's inputs left out of a step")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str();
  app.add_option("--targets", lora.adapter.targets, "q_proj,v_proj...; every linear layer")
      ->delimiter(',');
  app.add_option("--epochs", lora.epochs, "times over the data")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--accumulate", lora.accumulation, "rows of --batch-tokens a step")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  app.add_option("--max-length", lora.length_max, "longer examples are left out")
      ->check(CLI::Range(2, 1'000'000));
  app.add_option("--weight-decay", lora.weight_decay, "AdamW's")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--patience", lora.patience, "looks at the validation part without a gain")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  app.add_option("--checkpoint-seconds", lora.checkpoint_s,
                 "between two checkpoints, which --resume goes on from")
      ->check(CLI::Range(0.0, 100'000.0))
      ->capture_default_str();
  app.add_option("--device", lora.device,
                 "auto (CUDA where there is one), cpu, cuda or cuda:N; nano stays on the CPU")
      ->capture_default_str();
  app.add_option("--compute", lora.compute,
                 "automatic: bf16 where the processor multiplies it, and on other devices")
      ->transform(CLI::CheckedTransformer(
                      std::map<std::string, s5::Compute>{{"automatic", s5::Compute::automatic},
                                                         {"f32", s5::Compute::f32},
                                                         {"bf16", s5::Compute::bf16}})
                      .description("{automatic,f32,bf16}"))
      ->type_name("TEXT");
  app.add_option("--teacher", lora.teacher.file,
                 "a GGUF model with the same vocabulary: learn its opinions of every token too");
  app.add_option("--teacher-share", lora.teacher.share,
                 "of the loss: of its opinions, or of \"logprobs\" in the lines of --data")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_option("--teacher-temperature", lora.teacher.temperature, "evens its opinions out")
      ->check(CLI::Range(0.1, 100.0))
      ->capture_default_str();
  app.add_option("--teacher-top", lora.teacher.top, "its likeliest tokens that count")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  app.add_flag("--recompute", arguments.recompute,
               "keep less for the backward pass and compute it again: a third slower, far smaller");
  app.add_option("--optimiser", arguments.optimiser,
                 "f32, or 8bit: averages in two bytes, not eight")
      ->check(CLI::IsMember({"f32", "8bit"}))
      ->capture_default_str();
  app.add_option(
         "--merged", lora.merged,
         "also write merged.gguf, base and adapter in one: F32, F16, BF16, Q8_0, or in fewer "
         "bits, as llama-quantize names them, down to Q2_K")
      ->check(CLI::IsMember(merged_types()));
  app.add_flag("--task-prompts", lora.task_prompts,
               "the lines are a task's slots: ask as the gateway will, and write served.json");
  app.add_option("--answer-form", arguments.answer_form,
                 "label, json, tool_call or text: what counts as the same answer")
      ->check(CLI::IsMember({"label", "json", "tool_call", "text"}))
      ->capture_default_str();
  app.add_flag("--resume", lora.resume, "go on from the checkpoint in --out");
}

void share_options(Arguments& arguments) {
  set_if_given(arguments.minutes_max, arguments.nano.minutes_max);
  set_if_given(arguments.minutes_max, arguments.lora.minutes_max);
  set_if_given(arguments.batch_tokens, arguments.nano.batch_tokens);
  set_if_given(arguments.batch_tokens, arguments.lora.batch_tokens);
  set_if_given(arguments.steps_max, arguments.nano.steps_max);
  set_if_given(arguments.steps_max, arguments.lora.steps_max);
  set_if_given(arguments.learning_rate, arguments.nano.learning_rate);
  set_if_given(arguments.learning_rate, arguments.lora.learning_rate);
  arguments.nano.seed = arguments.lora.adapter.seed = arguments.seed;
  arguments.nano.threads = arguments.lora.threads = arguments.threads;
  if (const auto form = parse_answer_form(arguments.answer_form)) {
    arguments.lora.answer_form = *form;
  }
  if (arguments.method == "dora") arguments.lora.method = s5::Method::dora;
  if (arguments.method == "full") arguments.lora.method = s5::Method::full;
  if (arguments.optimiser == "8bit") arguments.lora.optimiser = s5::OptimiserState::eight_bits;
  if (arguments.recompute) arguments.lora.activations = s5::Activations::recomputed;
  if (arguments.root_scale) arguments.lora.adapter.rank_scale = s5::RankScale::by_root;
}

}  // namespace
}  // namespace understudy

int main(int argc, char** argv) {
  using namespace understudy;
  std::signal(SIGXFSZ, SIG_IGN);  // a file that grows too large is an error like a full disk
  Arguments arguments;
  CLI::App app{description, "understudy-train"};
  app.formatter(std::make_shared<apps::HelpFormat>());
  app.footer(help_examples);
  app.set_version_flag("--version", "understudy-train " UNDERSTUDY_VERSION);
  add_common_options(app, arguments);
  add_nano_options(app, arguments.nano);
  add_lora_options(app, arguments);
  try {
    app.parse(argc, argv);
    apps::refuse_nan(app);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help
    std::cerr << "understudy-train: " << error.what()
              << "\n  `understudy-train --help` says what it takes\n";
    return exit_usage;
  }
  share_options(arguments);
  if (arguments.nano.width % (2 * arguments.nano.heads) != 0) {
    std::cerr << "understudy-train: --heads must divide --width into even parts\n";
    return exit_usage;
  }
  if ((arguments.method != "nano") == arguments.lora.base.empty()) {
    std::cerr << "understudy-train: --method lora, dora and full need --base MODEL, and nano takes "
                 "none\n";
    return exit_usage;
  }
  machine::restart_with_compute_environment(argv);
  const auto report = run(arguments);
  if (!report) {
    std::cerr << "understudy-train: " << report.error().to_text() << '\n';
    return exit_code_of(report.error().code);
  }
  if (const json::array* warnings = json::find_array(*report, "warnings")) {
    for (const json::value& one : *warnings) {
      std::cerr << "understudy-train: note: " << one.as_string().c_str() << '\n';
    }
  }
  std::cout << json::to_text(*report) << '\n';
  return 0;
}
