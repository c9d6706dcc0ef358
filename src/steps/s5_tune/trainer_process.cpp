#include "steps/s5_tune/trainer_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "adapters/machine/compute_environment.hpp"
#include "base/exit_code.hpp"
#include "base/installation.hpp"
#include "base/run_program.hpp"
#include "base/secret.hpp"
#include "base/stop_request.hpp"

namespace understudy::s5 {

namespace {

constexpr int look_interval_ms = 500;  // for a signal that came just before the wait

struct Pipe {
  int read_end = -1;
  int write_end = -1;

  static Result<Pipe> open() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      return fail(ErrorCode::unavailable,
                  std::string("cannot make a pipe: ") + std::strerror(errno));
    }
    return Pipe(ends[0], ends[1]);
  }
  Pipe(int input, int output) : read_end(input), write_end(output) {}
  Pipe(Pipe&& other) noexcept
      : read_end(std::exchange(other.read_end, -1)),
        write_end(std::exchange(other.write_end, -1)) {}
  Pipe& operator=(Pipe&&) = delete;
  ~Pipe() {
    close_end(read_end);
    close_end(write_end);
  }
  static void close_end(int& end) {
    if (end >= 0) ::close(end);
    end = -1;
  }
};

// In the child, between fork and exec: only calls that are safe there.
[[noreturn]] void become(const std::filesystem::path& program, char* const* words,
                         char* const* environment, int input, int output) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  ::dup2(input, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::execve(program.c_str(), words, environment);
  ::_exit(127);
}

// Writes all lines and reads all output at the same time: neither pipe may fill up and block both
// sides. Who asks us to stop asks the child.
std::string exchange(pid_t child, Pipe& to_child, Pipe& from_child, std::string_view lines) {
  ::fcntl(to_child.write_end, F_SETFL, O_NONBLOCK);
  std::string output;
  std::array<char, 4096> buffer{};
  bool told = false;
  while (true) {
    if (StopRequest::asked() && !std::exchange(told, true)) ::kill(child, SIGTERM);
    if (lines.empty()) Pipe::close_end(to_child.write_end);
    std::array<pollfd, 2> waits{{{.fd = from_child.read_end, .events = POLLIN, .revents = 0},
                                 {.fd = to_child.write_end, .events = POLLOUT, .revents = 0}}};
    const int ready = ::poll(waits.data(), waits.size(), look_interval_ms);
    if (ready < 0 && errno != EINTR) return output;
    if (ready <= 0) continue;
    if (waits[1].revents != 0) {
      const ssize_t count = ::write(to_child.write_end, lines.data(), lines.size());
      if (count > 0) lines.remove_prefix(static_cast<std::size_t>(count));
      if (count < 0 && errno != EAGAIN && errno != EINTR)
        lines = {};  // the child has ended; its error says why
    }
    if (waits[0].revents != 0) {
      const ssize_t count = ::read(from_child.read_end, buffer.data(), buffer.size());
      if (count == 0) return output;
      if (count > 0) output.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }
}

}  // namespace

std::filesystem::path default_trainer() { return program_directory() / "understudy-train"; }

Result<std::string> run_trainer(const std::filesystem::path& program,
                                const std::vector<std::string>& arguments,
                                std::span<const TrainingExample> examples) {
  if (::access(program.c_str(), X_OK) != 0) {
    return fail(ErrorCode::unavailable,
                "cannot run the trainer " + program.string() + ": " + std::strerror(errno),
                "build it (./dev build), it lies beside understudy");
  }
  std::string lines;
  for (const TrainingExample& example : examples) lines += to_training_line(example);
  Pipe to_child = TRY(Pipe::open());
  Pipe from_child = TRY(Pipe::open());
  std::vector<std::string> texts = {program.string()};
  texts.insert(texts.end(), arguments.begin(), arguments.end());
  const std::vector<char*> words = pointers_for_exec(texts);
  std::vector<std::string> variables = machine::compute_environment();
  const std::vector<char*> environment = pointers_for_exec(variables);

  const auto ignored = std::signal(SIGPIPE, SIG_IGN);
  const pid_t child = ::fork();
  if (child == 0)
    become(program, words.data(), environment.data(), to_child.read_end, from_child.write_end);
  if (child < 0)
    return fail(ErrorCode::unavailable,
                std::string("cannot start the trainer: ") + std::strerror(errno));
  Pipe::close_end(to_child.read_end);
  Pipe::close_end(from_child.write_end);
  int outcome = 0;
  std::string output;
  {
    const StopRequest stoppable;  // we end when the trainer has kept what it did
    output = exchange(child, to_child, from_child, lines);
    wipe(lines);
    while (::waitpid(child, &outcome, 0) < 0 && errno == EINTR) {
    }
  }
  std::signal(SIGPIPE, ignored);
  if (StopRequest::asked()) std::raise(StopRequest::signal());
  if (WIFSIGNALED(outcome)) {
    return fail(ErrorCode::cancelled,
                "the trainer was stopped by signal " + std::to_string(WTERMSIG(outcome)));
  }
  if (WEXITSTATUS(outcome) != 0) {
    return fail(error_code_of(WEXITSTATUS(outcome)),
                "the trainer failed with exit code " + std::to_string(WEXITSTATUS(outcome)),
                "its message stands above");
  }
  return output;
}

}  // namespace understudy::s5
