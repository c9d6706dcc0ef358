#include "steps/s4_select/footprint.hpp"

#include <algorithm>

namespace understudy::s4 {

namespace {

constexpr std::int64_t mebi = 1024 * 1024;
// Rank 16 on all linear layers of Llama-3.2-1B is 11.3 M of 1,236 M parameters, of an 8B model 42 M
// of 8,030 M: at most a hundredth.
constexpr std::int64_t adapter_share = 100;
constexpr std::int64_t f16_bytes = 2;
constexpr std::int64_t server_bytes = 96 * mebi;
constexpr std::int64_t batch_tokens = 512;  // llama-server's micro-batch
constexpr std::int64_t logit_bytes = 4;
constexpr double milliseconds_per_second = 1e3;

}  // namespace

Footprint footprint_of(const lm::ModelFile& model, std::int64_t tokens, std::int64_t parallel) {
  return {.weight_bytes = model.weight_bytes,
          .cache_bytes = model.kv_bytes_per_token * tokens * parallel,
          .adapter_bytes = model.parameters / adapter_share * f16_bytes,
          .work_bytes = server_bytes + model.vocabulary * batch_tokens * logit_bytes / 4};
}

lm::ModelSpeed roofline(const lm::ModelFile& model, std::int64_t tokens,
                        const lm::ComputeSpeed& machine) {
  const auto read_per_token =
      static_cast<double>(model.weight_bytes + model.kv_bytes_per_token * tokens);
  const double flops_per_token = 2.0 * static_cast<double>(model.parameters);
  if (read_per_token <= 0 || flops_per_token <= 0) return {};
  return {.prompt_tokens_per_s = machine.multiply_flops / flops_per_token,
          .answer_tokens_per_s = std::min(machine.memory_bytes_per_s / read_per_token,
                                          machine.multiply_flops / flops_per_token)};
}

double milliseconds(const lm::ModelSpeed& speed, const CallSize& call) {
  if (speed.prompt_tokens_per_s <= 0 || speed.answer_tokens_per_s <= 0) return 0;
  return milliseconds_per_second *
         (static_cast<double>(call.prompt_tokens) / speed.prompt_tokens_per_s +
          static_cast<double>(call.answer_tokens) / speed.answer_tokens_per_s);
}

}  // namespace understudy::s4
