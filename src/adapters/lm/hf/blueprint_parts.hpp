// What the families' blueprints have in common: shapes with their keys, and the usual tensors of a
// decoder. Private to this folder. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/hf/blueprint.hpp"

namespace understudy::lm {

struct DecoderShape {
  std::int64_t context = 0;  // tokens
  std::int64_t width = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_width = 0;
  std::int64_t feed_forward = 0;
  std::int64_t vocabulary = 0;
  double norm_epsilon = 1e-6;

  [[nodiscard]] std::int64_t query_width() const { return heads * head_width; }
  [[nodiscard]] std::int64_t kv_width() const { return kv_heads * head_width; }
};

// For what a configuration leaves out because it is its class's default.
struct ShapeDefaults {
  std::int64_t context = 0;
  std::int64_t layers = 0;
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;
  std::int64_t head_width = 0;
  std::int64_t feed_forward = 0;
  std::int64_t vocabulary = 0;
};
Result<DecoderShape> read_shape(const ModelConfig& config, const ShapeDefaults& defaults = {});

// Keys below "ARCHITECTURE.".
class ArchitectureKeys {
 public:
  ArchitectureKeys(GgufBuilder& file, std::string architecture);
  void set(std::string_view key, std::int64_t value) const;
  void set_number(std::string_view key, double value) const;
  void set_shape(const DecoderShape& shape) const;
  // unsupported where positions are stretched as libllama does not do it for the architecture.
  // `base` is the class's default.
  [[nodiscard]] Status set_rope(const ModelConfig& config, const DecoderShape& shape,
                                double base = 10'000) const;
  [[nodiscard]] const std::string& architecture() const { return architecture_; }

 private:
  GgufBuilder& file_;
  std::string architecture_;
};

// Embeddings, last norm and output head.
struct EndRules {
  const char* hf_norm = "model.norm";
  const char* gguf_norm = "output_norm";
  Change of_norm = Change::none;
  std::optional<bool> tied = std::nullopt;  // the head is the embedding table; none: as configured
  double embedding_factor = 1;
  double head_factor = 1;  // a tied head with another factor than the table is stored, too
};

// The rules of a decoder, layer by layer.
class DecoderRules {
 public:
  enum class HeadRows { kept, reordered };

  DecoderRules(Blueprint& blueprint, const DecoderShape& shape)
      : blueprint_(blueprint), shape_(shape) {}

  void add_ends(const ModelConfig& config, const EndRules& ends = {});
  void add_norm(std::int64_t layer, const char* hf, const char* gguf, Change change = Change::none);
  // `branch` holds q_proj, k_proj, v_proj and `output`.
  void add_attention(std::int64_t layer, HeadRows head_rows,
                     const std::string& branch = "self_attn", const std::string& output = "o_proj");
  void add_query_key_norms(std::int64_t layer, Change change = Change::none);
  void add_gated(std::int64_t layer);
  // A matrix of a layer, with its bias where there is one.
  void add_linear(std::int64_t layer, const std::string& hf, const char* gguf, std::int64_t rows,
                  std::int64_t columns, std::int64_t reordered_heads = 0);
  // A matrix of a layer that has no bias.
  void add_matrix(std::int64_t layer, const std::string& hf, const char* gguf, std::int64_t rows,
                  std::int64_t columns, std::vector<RowFactor> factors = {});
  void add(TensorRule rule) { blueprint_.tensors.push_back(std::move(rule)); }

 private:
  Blueprint& blueprint_;
  const DecoderShape& shape_;
};

// What most decoders are: gated SiLU layers behind attention, each behind a norm of its own.
struct PlainLayers {
  DecoderRules::HeadRows head_rows = DecoderRules::HeadRows::kept;
  bool query_key_norms = false;
};
Result<Blueprint> plain_blueprint(const ModelConfig& config, const ArchitectureKeys& keys,
                                  const DecoderShape& shape, PlainLayers layers);

std::vector<RowFactor> all_rows(std::int64_t rows, double factor);  // by 1: none

std::string hf_layer(std::int64_t layer);    // "model.layers.3."
std::string gguf_layer(std::int64_t layer);  // "blk.3."

Result<Blueprint> blueprint_llama(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_smollm3(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_granite(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_qwen2(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_qwen3(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_phi2(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_phi3(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_gemma(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_gemma2(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_gemma3(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_nemotron_h(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_falcon_h1(const ModelConfig& config, GgufBuilder& file);
Result<Blueprint> blueprint_lfm2(const ModelConfig& config, GgufBuilder& file);

}  // namespace understudy::lm
