// Input: an answer of an embeddings endpoint. What is taken has one vector of length 1 per text.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "adapters/lm/embedding_client.hpp"
#include "base/check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const std::size_t inputs : {1U, 2U}) {
    const auto vectors = understudy::lm::parse_embeddings(body, inputs);
    if (!vectors) continue;
    CHECK(vectors->size() == inputs, "one vector per text");
    for (const auto& vector : *vectors) {
      CHECK(vector.size() == vectors->front().size(), "of one size");
      for (const float value : vector) CHECK(std::isfinite(value), "of finite numbers");
    }
  }
  return 0;
}
