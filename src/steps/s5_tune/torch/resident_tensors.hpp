// Frozen tensors off the CPU: each is put on the device once, when it is first asked for, and stays
// there: plain numbers in the computed type, quantised ones as their blocks. One thread.
#pragma once

#include <map>
#include <string>

#include "adapters/lm/gguf_file.hpp"
#include "steps/s5_tune/torch/computing.hpp"

namespace understudy::s5 {

class ResidentTensors {
 public:
  explicit ResidentTensors(const Computing& computing) : computing_(computing) {}

  // rows x columns in the computed type, or rows x bytes (uint8) of what lies in blocks.
  const at::Tensor& of(const lm::StoredTensor& tensor);
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  Computing computing_;
  std::map<std::string, at::Tensor> tensors_;
  std::size_t bytes_ = 0;
};

}  // namespace understudy::s5
