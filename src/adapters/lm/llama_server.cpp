#include "adapters/lm/llama_server.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/lm/completion_client.hpp"
#include "base/clock.hpp"
#include "base/limits.hpp"
#include "base/run_program.hpp"

namespace understudy::lm {

namespace {

using namespace std::chrono_literals;

constexpr auto poll_interval = 20ms;
constexpr auto terminate_grace = 3s;
constexpr int exec_failed = 127;

std::vector<std::string> arguments_for(const LlamaServerOptions& options,
                                       const std::filesystem::path& socket) {
  std::vector<std::string> words = {options.program.string(),
                                    "--model",
                                    options.model.string(),
                                    "--host",
                                    socket.string(),
                                    "--parallel",
                                    std::to_string(options.parallel),
                                    "--ctx-size",
                                    std::to_string(options.parallel * options.context),
                                    "--threads",
                                    std::to_string(options.threads),
                                    "--threads-batch",
                                    std::to_string(options.threads),
                                    "--threads-http",
                                    std::to_string(options.parallel + 1),
                                    "--poll",
                                    "0",  // waiting threads sleep: the cores are others' too
                                    "--cache-ram",
                                    "0",  // prompts are short, and should not outlive their call
                                    "--chat-template",
                                    "chatml",  // never used; it ends over some models' own
                                    "--no-webui",
                                    "--no-slots",
                                    "--offline"};
  if (!options.adapter.empty()) {
    words.emplace_back("--lora");
    words.push_back(options.adapter.string());
  }
  return words;
}

// Only calls that are safe between fork and exec in a program with threads.
[[noreturn]] void become_server(const std::vector<char*>& arguments, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(exec_failed);  // it died before prctl
  ::setpgid(0, 0);  // Ctrl-C on the terminal is for us; we end the child in order
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing >= 0) ::dup2(nothing, STDIN_FILENO);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::execvp(arguments.front(), arguments.data());
  ::_exit(exec_failed);
}

}  // namespace

struct LlamaServer::State {
  std::filesystem::path directory;  // private, holds the socket
  std::filesystem::path socket;
  std::atomic<bool> running = false;
  std::atomic<int> exit_status = 0;

  std::mutex mutex;
  std::condition_variable changed;
  bool forked = false;
  bool stopping = false;
  // Forks and waits. PR_SET_PDEATHSIG fires when the *thread* that forked ends, so that this thread
  // has to live as long as the child.
  std::thread keeper;

  void keep(const LlamaServerOptions& options);
  void end(pid_t child);
};

void LlamaServer::State::keep(const LlamaServerOptions& options) {
  std::vector<std::string> words = arguments_for(options, socket);
  const std::vector<char*> arguments = pointers_for_exec(words);
  const std::string log = options.log.empty() ? "/dev/null" : options.log.string();
  int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (output < 0) output = ::open("/dev/null", O_WRONLY | O_CLOEXEC);

  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become_server(arguments, output, parent);
  if (output >= 0) ::close(output);
  running = child > 0;
  std::unique_lock lock(mutex);
  forked = true;
  changed.notify_all();
  while (child > 0 && !stopping) {
    int status = 0;
    if (::waitpid(child, &status, WNOHANG) == child) {
      exit_status = status;
      running = false;
      return;
    }
    changed.wait_for(lock, poll_interval);
  }
  if (child > 0) end(child);
  running = false;
}

void LlamaServer::State::end(pid_t child) {
  ::kill(child, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + terminate_grace;
  while (std::chrono::steady_clock::now() < deadline) {
    if (::waitpid(child, nullptr, WNOHANG) != 0) return;
    std::this_thread::sleep_for(poll_interval);
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

LlamaServer::LlamaServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

LlamaServer::~LlamaServer() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->changed.notify_all();
  if (state_->keeper.joinable()) state_->keeper.join();
  std::error_code ignored;
  std::filesystem::remove_all(state_->directory, ignored);
}

const std::filesystem::path& LlamaServer::socket() const { return state_->socket; }
bool LlamaServer::running() const { return state_->running; }

Result<std::unique_ptr<LlamaServer>> LlamaServer::start(const LlamaServerOptions& options) {
  // In /tmp, whatever TMPDIR says: a socket's path has at most 107 bytes.
  std::string directory = "/tmp/understudy-slm-XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) {
    return fail(ErrorCode::unavailable,
                std::string("cannot make a directory in /tmp: ") + std::strerror(errno));
  }
  auto state = std::make_unique<State>();
  state->directory = directory;
  state->socket = state->directory / "llama.sock";
  State& shared = *state;
  std::unique_ptr<LlamaServer> server(new LlamaServer(std::move(state)));
  shared.keeper = std::thread([&shared, options] { shared.keep(options); });
  {
    std::unique_lock lock(shared.mutex);
    shared.changed.wait(lock, [&] { return shared.forked; });
  }
  const std::string where = options.log.empty() ? "" : "Its log is " + options.log.string() + ".";
  const Stopwatch watch;
  const CompletionClient client(shared.socket);
  while (!client.healthy()) {
    if (!shared.running) {
      if (WIFEXITED(shared.exit_status) && WEXITSTATUS(shared.exit_status) == exec_failed) {
        return fail(ErrorCode::not_found, "cannot run " + options.program.string(),
                    "Install llama.cpp's llama-server (Debian: llama.cpp-tools).");
      }
      return fail(ErrorCode::unavailable,
                  "llama-server ended while loading " + options.model.string(), where);
    }
    if (watch.elapsed_s() > limits::slm_start_timeout_s) {
      return fail(
          ErrorCode::unavailable,
          "llama-server is not ready after " + std::to_string(limits::slm_start_timeout_s) + " s",
          where);
    }
    std::this_thread::sleep_for(poll_interval);
  }
  return server;
}

}  // namespace understudy::lm
