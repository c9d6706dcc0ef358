// How fast a model reads prompts and writes answers on some machine. Plain data.
#pragma once

namespace understudy::lm {

struct ModelSpeed {
  double prompt_tokens_per_s = 0;
  double answer_tokens_per_s = 0;  // of one answer at a time
};

}  // namespace understudy::lm
