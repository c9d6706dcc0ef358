// Writes a trained nano model as GGUF and proves that the file computes what was trained. One
// thread.
#pragma once

#include <filesystem>
#include <string>

#include "base/result.hpp"
#include "steps/s5_tune/torch/nano_data.hpp"
#include "steps/s5_tune/torch/nano_network.hpp"

namespace understudy::s5 {

// The largest difference between libllama's logits and ours, as a share of the logits' deviation.
// internal when the file computes something else.
Result<double> export_nano(const NanoNetwork& network, const NanoData& data,
                           const std::string& name, const std::filesystem::path& gguf);

}  // namespace understudy::s5
