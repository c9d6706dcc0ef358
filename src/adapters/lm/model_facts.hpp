// What a nano model's GGUF keeps beside its weights, under "understudy." keys: how its values are
// replaced by pointers, and how long its answers get. Pure.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "adapters/lm/literals.hpp"
#include "adapters/lm/vocabulary.hpp"
#include "base/result.hpp"

namespace understudy::lm {

struct NanoFacts {
  Literals literals;
  std::size_t answer_tokens_max = 0;  // of the training data
};

std::map<std::string, std::string> to_facts(const NanoFacts& facts);
// corrupt when the file is none of ours.
Result<NanoFacts> facts_of(const Vocabulary& model);

}  // namespace understudy::lm
