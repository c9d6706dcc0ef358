// Vectors of texts from any endpoint that speaks OpenAI's /v1/embeddings: a provider, or a
// llama-server with an embedding model (GGUF). Blocking; one owner, one thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace understudy::lm {

struct EmbeddingEndpoint {
  std::string url;      // "http://127.0.0.1:8080/v1": what /embeddings is put behind
  std::string model;    // as the endpoint names it
  std::string api_key;  // empty: none is sent
};

// One vector of length 1 per input, in their order, all of one size. corrupt when the body is no
// such answer.
Result<std::vector<std::vector<float>>> parse_embeddings(std::string_view body, std::size_t inputs);

class EmbeddingClient {
 public:
  explicit EmbeddingClient(EmbeddingEndpoint endpoint) : endpoint_(std::move(endpoint)) {}
  // In batches. unavailable names the endpoint, timeout after a minute for one batch.
  [[nodiscard]] Result<std::vector<std::vector<float>>> embed(
      std::span<const std::string_view> texts) const;
  [[nodiscard]] const EmbeddingEndpoint& endpoint() const { return endpoint_; }

 private:
  EmbeddingEndpoint endpoint_;
};

}  // namespace understudy::lm
