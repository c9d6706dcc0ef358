#include "adapters/lm/gguf_writer.hpp"

#include "adapters/lm/gguf_builder.hpp"

namespace understudy::lm {

namespace {

constexpr std::uint32_t file_type_f32 = 0;

void set_shape(GgufBuilder& file, const LlamaShape& shape) {
  file.set("llama.context_length", shape.context);
  file.set("llama.embedding_length", shape.width);
  file.set("llama.block_count", shape.layers);
  file.set("llama.feed_forward_length", shape.feed_forward);
  file.set("llama.attention.head_count", shape.heads);
  file.set("llama.attention.head_count_kv", shape.heads);
  file.set("llama.attention.layer_norm_rms_epsilon", shape.norm_epsilon);
  file.set("llama.rope.freq_base", shape.rope_base);
  file.set("llama.rope.dimension_count", shape.head_width());
  file.set("llama.vocab_size", shape.vocabulary);
}

}  // namespace

Status write_gguf(const std::filesystem::path& path, const GgufContent& content) {
  GgufBuilder file;
  file.set("general.architecture", "llama");
  file.set("general.name", content.name);
  file.set("general.file_type", file_type_f32);
  set_shape(file, content.shape);
  file.set_vocabulary(content.tokens);
  for (const auto& [key, value] : content.facts) file.set(key, value);
  for (const NamedTensor& tensor : content.tensors) {
    file.add({.name = tensor.name, .rows = tensor.rows, .columns = tensor.columns}, tensor.values);
  }
  return file.write(path);
}

}  // namespace understudy::lm
