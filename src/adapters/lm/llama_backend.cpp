#include "adapters/lm/llama_backend.hpp"

#include <ggml-backend.h>
#include <llama.h>

#include <cstdio>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>

namespace understudy::lm {

namespace {

// What the libraries found wrong with the file that this thread loads; null: it loads none.
thread_local std::string* complaints = nullptr;

void take_log(ggml_log_level level, const char* text, void*) {
  if (complaints != nullptr && level == GGML_LOG_LEVEL_ERROR) *complaints += text;
}

// ggml's assertions, which end the program when this returns. The loader of libllama makes an
// error of exceptions.
void take_abort(const char* message) {
  if (complaints == nullptr) {
    std::fprintf(stderr, "%s\n", message);
    return;
  }
  *complaints += std::string(message) + "\n";
  throw std::runtime_error(message);
}

class Complaints {
 public:
  Complaints() { complaints = &text_; }
  Complaints(const Complaints&) = delete;
  Complaints& operator=(const Complaints&) = delete;
  ~Complaints() { complaints = nullptr; }

  // The first, which tells the most: ": " and one line; empty where there is none.
  [[nodiscard]] std::string first() const {
    std::string_view line = std::string_view(text_).substr(0, text_.find('\n'));
    constexpr std::string_view function = "llama_model_load: ";
    if (line.starts_with(function)) line.remove_prefix(function.size());
    return line.empty() ? std::string() : ": " + std::string(line);
  }

 private:
  std::string text_;
};

}  // namespace

void silence_ggml() { llama_log_set(take_log, nullptr); }

void prepare_llama() {
  static std::once_flag once;
  std::call_once(once, [] {
    silence_ggml();
    ggml_set_abort_callback(take_abort);
    ggml_backend_load_all();
    llama_backend_init();
  });
}

Result<llama_model*> load_model(const std::filesystem::path& gguf,
                                const llama_model_params& parameters) {
  std::error_code error;
  if (!std::filesystem::exists(gguf, error))
    return fail(ErrorCode::not_found, "there is no model at " + gguf.string());
  prepare_llama();
  Complaints found;  // written to through `complaints`
  llama_model* model = llama_model_load_from_file(gguf.c_str(), parameters);
  if (model == nullptr) {
    return fail(ErrorCode::corrupt, "libllama cannot read " + gguf.string() + found.first(),
                "Give a GGUF file with a model that this libllama knows.");
  }
  return model;
}

}  // namespace understudy::lm
