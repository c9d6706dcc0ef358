// Values of keys in the head of a GGUF file, whichever integer type a converter chose for them: the
// one reading for model files that are opened (gguf_file) and those that are looked at
// (model_file). Private to this folder. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct gguf_context;

namespace understudy::lm {

inline constexpr std::int64_t model_parts_max = 999;  // files that one model may lie in

// Empty where the key is absent, of another kind, or outside of int64.
std::optional<std::int64_t> gguf_integer(const gguf_context* head, const std::string& key);
std::optional<std::vector<std::int64_t>> gguf_integers(const gguf_context* head,
                                                       const std::string& key);
std::optional<std::string> gguf_text(const gguf_context* head, const std::string& key);

}  // namespace understudy::lm
