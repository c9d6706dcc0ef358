// Runs understudy-train as a child: training lines go to its standard input, its report comes from
// its standard output, progress goes to our standard error. The child dies with us.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "steps/s5_tune/training_text.hpp"

namespace understudy::s5 {

// The report's JSON text. unavailable names the program when it does not start; the child's own
// error otherwise, as it printed it; cancelled when a signal ended it.
Result<std::string> run_trainer(const std::filesystem::path& program,
                                const std::vector<std::string>& arguments,
                                std::span<const TrainingExample> examples);

// understudy-train in the directory of the running program.
std::filesystem::path default_trainer();

}  // namespace understudy::s5
