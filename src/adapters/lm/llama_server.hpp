// One llama-server child process that serves one GGUF file on a Unix socket in a private directory:
// no port to race for, and nobody else on the machine can connect. It dies with us, also when we
// are killed. Thread-safe. Does not restart a child that died: who owns it closes it and opens
// anew.
#pragma once

#include <filesystem>
#include <memory>

#include "base/installation.hpp"
#include "base/result.hpp"

namespace understudy::lm {

struct LlamaServerOptions {
  std::filesystem::path model;
  std::filesystem::path adapter = {};  // a GGUF LoRA for it; empty: none
  std::filesystem::path log;           // the child's output; empty: thrown away
  std::filesystem::path program = find_program("llama-server");
  std::size_t parallel = 4;   // calls at once
  std::size_t context = 512;  // tokens of each
  std::size_t threads = 1;
};

class LlamaServer {
 public:
  // Returns when the child answers /health; unavailable after limits::slm_start_timeout_s, or when
  // it ended before; not_found when there is no llama-server to run.
  static Result<std::unique_ptr<LlamaServer>> start(const LlamaServerOptions& options);
  ~LlamaServer();  // ends the child
  LlamaServer(const LlamaServer&) = delete;
  LlamaServer& operator=(const LlamaServer&) = delete;

  [[nodiscard]] const std::filesystem::path& socket() const;
  [[nodiscard]] bool running() const;

 private:
  struct State;
  explicit LlamaServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::lm
