// Input: one record of the embedding cache. What is read is written back as the same bytes.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "steps/s3_cluster/embedding_cache.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto record = understudy::s3::decode_embedding(bytes)) {
    CHECK(understudy::s3::encode_embedding(record->first, record->second) == bytes,
          "decode and encode are inverse");
  }
  return 0;
}
