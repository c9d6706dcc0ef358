// All weights of a model as parameters, for full fine-tuning: matrices, norms, biases, embeddings.
// What RoPE and the state-space blocks are made of stays frozen. One thread.
#pragma once

#include <map>
#include <string>

#include "adapters/lm/gguf_file.hpp"
#include "base/result.hpp"
#include "steps/s5_tune/torch/trained.hpp"

namespace understudy::s5 {

class FullWeights : public Trained {
 public:
  // As the file has them.
  FullWeights(const lm::GgufFile& file, const Computing& computing);

  struct Views {
    at::Tensor value, computed, gradient;  // rows x columns; a vector has one row

    // In the type that is computed in, or in that of the parameters.
    [[nodiscard]] const at::Tensor& in(at::ScalarType type) const {
      return value.scalar_type() == type ? value : computed;
    }
  };
  // nullptr: frozen, or no such tensor.
  [[nodiscard]] const Views* find(const std::string& tensor) const;

 private:
  std::map<std::string, Views> views_;
};

}  // namespace understudy::s5
