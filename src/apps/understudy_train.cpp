// understudy-train: trains one small model on {"prompt","answer"} lines. The only program that
// links libtorch. `understudy tune` runs it with the lines on its standard input; people may run it
// alone.

#include <malloc.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <iostream>

#include "apps/exit_code.hpp"
#include "base/progress.hpp"
#include "steps/s5_tune/torch/nano_trainer.hpp"

namespace understudy {
namespace {

struct Arguments {
  std::string data;
  std::filesystem::path out;
  s5::NanoOptions nano;
  bool quiet = false;
};

Result<json::value> run(const Arguments& arguments) {
  set_progress_shown(!arguments.quiet);
  std::ifstream file;
  const bool from_pipe = arguments.data == "-";
  if (!from_pipe) {
    file.open(arguments.data);
    if (!file) {
      return fail(ErrorCode::not_found, "cannot open " + arguments.data,
                  "Give --data a file of {\"prompt\",\"answer\"} lines, or - for standard input.");
    }
  }
  const auto examples = TRY(s5::read_training_text(from_pipe ? std::cin : file,
                                                   from_pipe ? "standard input" : arguments.data));
  std::error_code error;
  std::filesystem::create_directories(arguments.out, error);
  if (error) {
    return fail(ErrorCode::denied,
                "cannot make the directory " + arguments.out.string() + ": " + error.message());
  }
  return to_json(TRY(s5::train_nano(examples, arguments.out, arguments.nano)));
}

}  // namespace
}  // namespace understudy

int main(int argc, char** argv) {
  using namespace understudy;
  // Each step allocates the same few large tensors: keep their pages instead of giving them back to
  // the kernel, which cost a third of the time.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  Arguments arguments;
  CLI::App app("Trains a nano model on one task's prompts and answers.");
  app.add_option("--data", arguments.data, R"(JSONL of {"prompt","answer"}; - is standard input)")
      ->required();
  app.add_option("--out", arguments.out, "directory for model.gguf, metrics.jsonl and card.json")
      ->required();
  app.add_option("--max-minutes", arguments.nano.minutes_max)
      ->check(CLI::Range(0.01, 10'000.0))
      ->capture_default_str();
  app.add_option("--seed", arguments.nano.seed)->capture_default_str();
  app.add_option("--threads", arguments.nano.threads, "0: half of the machine's")
      ->check(CLI::Range(0, 1024))
      ->capture_default_str();
  app.add_option("--width", arguments.nano.width)->check(CLI::Range(16, 2048));
  app.add_option("--layers", arguments.nano.layers)->check(CLI::Range(1, 64));
  app.add_option("--heads", arguments.nano.heads)->check(CLI::Range(1, 64));
  app.add_option("--feed-forward", arguments.nano.feed_forward)->check(CLI::Range(16, 8192));
  app.add_option("--pieces", arguments.nano.pieces_max)->check(CLI::Range(300, 65'536));
  app.add_option("--batch-tokens", arguments.nano.batch_tokens)->check(CLI::Range(64, 1'000'000));
  app.add_option("--steps", arguments.nano.steps_max)->check(CLI::Range(1, 10'000'000));
  app.add_option("--learning-rate", arguments.nano.learning_rate)->check(CLI::Range(1e-6, 1.0));
  app.add_flag("--quiet", arguments.quiet, "no progress on stderr");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  if (arguments.nano.width % (2 * arguments.nano.heads) != 0) {
    std::cerr << "error: --heads must divide --width into even parts\n";
    return 2;
  }
  const auto report = run(arguments);
  if (!report) {
    std::cerr << "error: " << report.error().to_text() << '\n';
    return apps::exit_code_of(report.error().code);
  }
  std::cout << json::to_text(*report) << '\n';
  return 0;
}
