#include <cstddef>
#include <cstdint>

#include "adapters/lm/gguf_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace understudy::lm;
  const auto file = GgufFile::parse(std::as_bytes(std::span(data, size)), "fuzz");
  if (!file) return 0;
  (void)file->find_string("general.architecture");
  (void)file->find_integer("llama.block_count");
  (void)file->find_number("llama.rope.freq_base");
  for (const StoredTensor& tensor : file->tensors()) (void)expand(tensor);
  return 0;
}
