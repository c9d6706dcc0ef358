// Runs another program to its end and gives what it wrote. The child ends with the calling thread,
// whatever ends that, and is ended in order when `stop` asks for it. Its standard input is empty.
// Blocking, thread-safe. Ours feed a child while they read it (steps/s5_tune/trainer_process) or
// keep one running (adapters/lm/llama_server); those fork by themselves.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace understudy {

enum class ProgramErrors { told, passed_on };  // its stderr: kept as `told`, or ours

struct ProgramOptions {
  std::vector<std::string> words;  // the program (a path, or a name for $PATH), and its arguments
  ProgramErrors errors = ProgramErrors::told;
  int niceness = 0;
  std::stop_token stop = {};
};

struct ProgramOutcome {
  int exit_code = -1;  // -1: a signal ended it
  int signal = 0;
  std::string output;  // of stdout, up to program_output_bytes_max
  std::string told;    // the end of stderr
};

inline constexpr std::size_t program_output_bytes_max = std::size_t{1} << 20;
inline constexpr std::size_t program_told_bytes_max = 2000;

// not_found: there is no such program. cancelled: `stop` ended it.
Result<ProgramOutcome> run_program(const ProgramOptions& options);

// As exec() wants them: a null pointer behind the last. The texts must outlive the pointers.
std::vector<char*> pointers_for_exec(std::vector<std::string>& texts);

}  // namespace understudy
