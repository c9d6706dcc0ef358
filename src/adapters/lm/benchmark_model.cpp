#include "adapters/lm/benchmark_model.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/installation.hpp"
#include "base/json.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t output_bytes_max = std::size_t{1} << 20;
constexpr std::size_t told_bytes_max = 400;

struct Output {
  std::string text;
  int status = -1;
};

// Both of the child's outputs in one pipe would mix; errors come through a second file.
Result<Output> run(std::vector<std::string> words, int errors) {
  std::array<int, 2> pipe{};
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
    return fail(ErrorCode::exhausted, std::string("cannot make a pipe: ") + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, errors, STDERR_FILENO);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, arguments.front(), &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(pipe[1]);
  Output output;
  std::array<char, 4096> buffer{};
  ssize_t count = 0;
  while (error == 0 && output.text.size() < output_bytes_max) {
    count = ::read(pipe[0], buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    output.text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(pipe[0]);
  if (error != 0) {
    return fail(ErrorCode::not_found, "cannot run " + words.front() + ": " + std::strerror(error),
                "install llama.cpp's tools");
  }
  while (::waitpid(child, &output.status, 0) < 0 && errno == EINTR) {
  }
  return output;
}

std::string read_from_start(int file) {
  std::string text(told_bytes_max, '\0');
  const off_t size = ::lseek(file, 0, SEEK_END);
  // What went wrong stands at the end.
  const ssize_t count = ::pread(file, text.data(), text.size(),
                                std::max<off_t>(0, size - static_cast<off_t>(told_bytes_max)));
  text.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
  return text;
}

}  // namespace

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
  const int errors = ::memfd_create("llama-bench", MFD_CLOEXEC);
  if (errors < 0)
    return fail(ErrorCode::exhausted,
                std::string("cannot make a file in memory: ") + std::strerror(errno));
  auto output = run({find_program("llama-bench").string(), "-m", options.model.string(), "-t",
                     std::to_string(options.threads), "-p", std::to_string(options.prompt_tokens),
                     "-n", std::to_string(options.answer_tokens), "-r", "2", "-o", "jsonl"},
                    errors);
  const std::string told = read_from_start(errors);
  ::close(errors);
  if (!output) return fail(std::move(output).error());
  if (!WIFEXITED(output->status) || WEXITSTATUS(output->status) != 0)
    return fail(ErrorCode::unavailable,
                "llama-bench could not run " + options.model.string() + ": " + told);
  return parse_benchmark(output->text);
}

}  // namespace understudy::lm
