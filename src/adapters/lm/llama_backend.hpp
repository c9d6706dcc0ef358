// Makes libllama ready, once a process: loads ggml's back ends, silences its log. Private to
// adapters/lm. Thread-safe.
#pragma once

namespace understudy::lm {

void prepare_llama();

}  // namespace understudy::lm
