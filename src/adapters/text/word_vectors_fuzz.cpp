// A file of word vectors of any bytes, with the checksum as it is and with a right one.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "adapters/text/bytes_reader.hpp"
#include "adapters/text/word_vectors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::text;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)parse_word_vectors(bytes);
  if (const auto vectors = parse_word_vectors(with_checksum(bytes))) {
    const std::vector<float> weights(vectors->keys.size(), 1);
    (void)pooled(*vectors, weights, "the quick brown fox");
  }
  return 0;
}
