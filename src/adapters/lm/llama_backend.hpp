// Makes libllama ready, once a process: loads ggml's back ends, silences its log. Private to
// adapters/lm. Thread-safe.
#pragma once

namespace understudy::lm {

void prepare_llama();

// The libraries write what they find wrong to stderr; our errors say it.
void silence_ggml();

}  // namespace understudy::lm
