#include "adapters/lm/benchmark_model.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/installation.hpp"
#include "base/json.hpp"
#include "base/run_program.hpp"

namespace understudy::lm {

Result<ModelSpeed> parse_benchmark(std::string_view lines) {
  ModelSpeed speed;
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    lines.remove_prefix(std::min(lines.size(), line.size() + 1));
    if (!line.starts_with('{')) continue;
    const json::value row = TRY(json::parse(line));
    const double rate = json::find_number(row, "avg_ts").value_or(0);
    if (json::find_integer(row, "n_gen").value_or(0) > 0) {
      speed.answer_tokens_per_s = rate;
    } else {
      speed.prompt_tokens_per_s = rate;
    }
  }
  if (!(speed.prompt_tokens_per_s > 0 && speed.answer_tokens_per_s > 0))
    return fail(ErrorCode::unavailable, "llama-bench told no speed",
                "run it by hand: llama-bench -m FILE");
  return speed;
}

Result<ModelSpeed> benchmark_model(const BenchmarkOptions& options) {
  auto outcome = run_program(
      {.words = {find_program("llama-bench").string(), "-m", options.model.string(), "-t",
                 std::to_string(options.threads), "-p", std::to_string(options.prompt_tokens), "-n",
                 std::to_string(options.answer_tokens), "-r", "2", "-o", "jsonl"}});
  if (!outcome) {
    Error error = std::move(outcome).error();
    if (error.code == ErrorCode::not_found) error.hint = "install llama.cpp's tools";
    return fail(std::move(error));
  }
  if (outcome->exit_code != 0)
    return fail(ErrorCode::unavailable,
                "llama-bench could not run " + options.model.string() + ": " + outcome->told);
  return parse_benchmark(outcome->output);
}

}  // namespace understudy::lm
