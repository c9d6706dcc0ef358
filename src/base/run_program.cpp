#include "base/run_program.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

namespace understudy {

namespace {

constexpr int exec_failed = 127;
constexpr int poll_ms = 50;
constexpr auto terminate_grace = std::chrono::seconds(5);

struct Pipe {
  std::array<int, 2> ends = {-1, -1};

  Pipe() = default;
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close(0);
    close(1);
  }
  Status open() {
    if (::pipe2(ends.data(), O_CLOEXEC) == 0) return {};
    return fail(ErrorCode::exhausted, std::string("cannot make a pipe: ") + std::strerror(errno));
  }
  void close(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
  // False at the end. Drops what stands before the last or behind the first `bytes_max` bytes.
  bool take(std::string& text, std::size_t bytes_max, bool keep_last) const {
    std::array<char, 4096> buffer{};
    const ssize_t count = ::read(ends[0], buffer.data(), buffer.size());
    if (count < 0) return errno == EINTR;
    text.append(buffer.data(), static_cast<std::size_t>(count));
    if (text.size() > bytes_max)
      keep_last ? void(text.erase(0, text.size() - bytes_max)) : text.resize(bytes_max);
    return count > 0;
  }
};

struct Child {
  char* const* words;
  int output;
  int errors;  // -1: as it is
  int niceness;
  pid_t parent;
};

// Only calls that are safe between fork and exec in a program with threads.
[[noreturn]] void become(const Child& child) {
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != child.parent) ::_exit(exec_failed);
  ::setpgid(0, 0);  // Ctrl-C on the terminal is for us; we end the child in order
  ::dup2(child.output, STDOUT_FILENO);
  if (child.errors >= 0) ::dup2(child.errors, STDERR_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  if (child.niceness != 0) ::setpriority(PRIO_PROCESS, 0, child.niceness);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(child.words[0], child.words);
  ::_exit(exec_failed);
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void end(pid_t child) {
  ::kill(child, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + terminate_grace;
  while (std::chrono::steady_clock::now() < deadline) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(poll_ms));
  }
  ::kill(child, SIGKILL);
  wait_for(child);
}

}  // namespace

Result<ProgramOutcome> run_program(const ProgramOptions& options) {
  std::vector<std::string> texts = options.words;
  const std::vector<char*> words = pointers_for_exec(texts);
  Pipe output;
  Pipe errors;
  TRY(output.open());
  TRY(errors.open());
  const bool told = options.errors == ProgramErrors::told;
  const Child facts{.words = words.data(),
                    .output = output.ends[1],
                    .errors = told ? errors.ends[1] : -1,
                    .niceness = options.niceness,
                    .parent = ::getpid()};
  const pid_t child = ::fork();
  if (child == 0) become(facts);
  if (child < 0)
    return fail(ErrorCode::exhausted,
                "cannot start " + texts.front() + ": " + std::strerror(errno));
  output.close(1);
  errors.close(1);

  ProgramOutcome outcome;
  bool more_output = true;
  bool more_errors = told;
  while (more_output || more_errors) {
    if (options.stop.stop_requested()) {
      end(child);
      return fail(ErrorCode::cancelled, texts.front() + " was ended");
    }
    std::array<pollfd, 2> waits{
        {{.fd = more_output ? output.ends[0] : -1, .events = POLLIN, .revents = 0},
         {.fd = more_errors ? errors.ends[0] : -1, .events = POLLIN, .revents = 0}}};
    if (::poll(waits.data(), waits.size(), poll_ms) <= 0) continue;
    if (waits[0].revents != 0)
      more_output = output.take(outcome.output, program_output_bytes_max, false);
    if (waits[1].revents != 0)
      more_errors = errors.take(outcome.told, program_told_bytes_max, true);
  }
  const int status = wait_for(child);
  if (WIFSIGNALED(status)) outcome.signal = WTERMSIG(status);
  if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  if (outcome.exit_code == exec_failed)
    return fail(ErrorCode::not_found, "cannot run " + texts.front());
  return outcome;
}

std::vector<char*> pointers_for_exec(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace understudy
