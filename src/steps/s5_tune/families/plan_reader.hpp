// What the families' plans have in common: the shapes under "ARCHITECTURE.", with errors that name
// the key, and the usual linear layers. Private to this folder.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/gguf_file.hpp"
#include "base/result.hpp"
#include "steps/s5_tune/families/decoder_plan.hpp"

namespace understudy::s5 {

// Whether libllama stretches the family's context by one set of divisors for short contexts and
// another for long ones.
enum class LongRope { refused, known };

class PlanReader {
 public:
  PlanReader(const lm::GgufFile& file, std::string architecture)
      : file_(file), architecture_(std::move(architecture)) {}

  // Shapes, norms, RoPE bases, tied or not; no modules yet. Refuses experts and stretched contexts,
  // which the blocks do not compute; long-RoPE's short texts they do.
  [[nodiscard]] Result<DecoderPlan> read(LongRope long_rope = LongRope::refused) const;
  [[nodiscard]] Result<std::int64_t> count(std::string_view key) const;
  [[nodiscard]] double number_or(std::string_view key, double otherwise) const;
  [[nodiscard]] std::int64_t integer_or(std::string_view key, std::int64_t otherwise) const;
  [[nodiscard]] Result<StateSpacePlan> state_space() const;
  // One for each layer: an array, or one number for all.
  [[nodiscard]] Result<std::vector<std::int64_t>> per_layer(std::string_view key,
                                                            std::size_t layers) const;

 private:
  [[nodiscard]] std::string full(std::string_view key) const;
  [[nodiscard]] Status check_rope(LongRope long_rope) const;
  [[nodiscard]] Status take_long_rope(DecoderPlan& plan) const;

  const lm::GgufFile& file_;
  std::string architecture_;
};

// Whether Q and K rows of the GGUF file lie in another order than Hugging Face's.
enum class HeadRows { as_in_hf, reordered };
void add_split_modules(DecoderPlan& plan, HeadRows head_rows);
void add_fused_modules(DecoderPlan& plan);
void fuse_qkv(DecoderPlan& plan);  // of split modules: q, k and v become one

// corrupt where a tensor that the plan needs is absent or has another shape.
Status check_tensors(const lm::GgufFile& file, const DecoderPlan& plan);

}  // namespace understudy::s5
