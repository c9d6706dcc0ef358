#include "adapters/lm/llama_backend.hpp"

#include <ggml-backend.h>
#include <llama.h>

#include <mutex>

namespace understudy::lm {

void silence_ggml() {
  llama_log_set([](ggml_log_level, const char*, void*) {}, nullptr);
}

void prepare_llama() {
  static std::once_flag once;
  std::call_once(once, [] {
    silence_ggml();
    ggml_backend_load_all();
    llama_backend_init();
  });
}

}  // namespace understudy::lm
