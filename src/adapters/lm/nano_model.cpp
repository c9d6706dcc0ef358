#include "adapters/lm/nano_model.hpp"

#include <algorithm>
#include <charconv>

#include "adapters/lm/completion_client.hpp"
#include "adapters/lm/llama_server.hpp"
#include "adapters/lm/model_facts.hpp"
#include "adapters/lm/symbols.hpp"
#include "base/clock.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t answer_tokens_spare = 16;
// llama-server keeps a few cells of each slot's context for itself.
constexpr std::size_t context_spare = 8;

Result<std::size_t> context_of(const Vocabulary& model) {
  const auto text = model.metadata("llama.context_length");
  std::size_t context = 0;
  if (!text ||
      std::from_chars(text->data(), text->data() + text->size(), context).ec != std::errc{}) {
    return fail(ErrorCode::corrupt, "the model's GGUF has no context length");
  }
  return context;
}

class NanoModel final : public SmallModel {
 public:
  NanoModel(Vocabulary vocabulary, NanoFacts facts, std::size_t context,
            std::unique_ptr<LlamaServer> server)
      : vocabulary_(std::move(vocabulary)),
        facts_(std::move(facts)),
        context_(context),
        server_(std::move(server)),
        client_(server_->socket()) {
    for (const std::string& pointer : facts_.literals.pointers()) {
      pointers_.emplace_back(pointer, vocabulary_.encode(pointer).front());
    }
  }

  Result<Prediction> predict(const Question& question) const override {
    const Stopwatch watch;
    if (symbols::any_forged(question.slots)) {
      return fail(ErrorCode::unsupported, "the input holds a symbol of the model");
    }
    if (!server_->running()) return fail(ErrorCode::unavailable, "llama-server has ended");
    const ReadPrompt prompt = facts_.literals.read(slots_text(question.slots));
    CompletionClient::Request request{.prompt = {vocabulary_.begin()},
                                      .tokens_max = facts_.answer_tokens_max + answer_tokens_spare,
                                      .end = vocabulary_.end(),
                                      .grammar = question.grammar,
                                      .sampling = question.sampling};
    std::ranges::copy(vocabulary_.encode(prompt.text + std::string(symbols::answer)),
                      std::back_inserter(request.prompt));
    if (request.prompt.size() + facts_.answer_tokens_max > context_) {
      return fail(ErrorCode::unsupported, "the input is longer than the model's context");
    }
    request.banned = pointers_without_value(prompt);
    request.tokens_max = std::min(request.tokens_max, context_ - request.prompt.size());
    const Completion completion = TRY(client_.complete(request));

    Prediction prediction;
    prediction.prompt_tokens = static_cast<std::int64_t>(request.prompt.size());
    prediction.completion_tokens = static_cast<std::int64_t>(completion.tokens.size());
    const auto written = Literals::restore(vocabulary_.decode(completion.tokens), prompt);
    const auto answer = written ? parse_target(*written) : fail(written.error());
    // An answer that is cut off or makes no sense is an answer that nobody should take.
    if (answer) prediction.answer = *answer;
    if (answer && completion.finished) {
      prediction.confidence = completion.token_probability_min;
      prediction.signs = completion.signs;
    }
    prediction.latency_us = watch.elapsed_us();
    return prediction;
  }

 private:
  // What stands for nothing in this prompt cannot be right.
  [[nodiscard]] std::vector<Token> pointers_without_value(const ReadPrompt& prompt) const {
    std::vector<Token> without;
    for (const auto& [pointer, token] : pointers_) {
      if (!prompt.values.contains(pointer)) without.push_back(token);
    }
    return without;
  }

  Vocabulary vocabulary_;
  NanoFacts facts_;
  std::size_t context_;
  std::unique_ptr<LlamaServer> server_;
  CompletionClient client_;
  std::vector<std::pair<std::string, Token>> pointers_;
};

}  // namespace

Result<std::unique_ptr<SmallModel>> open_nano(const NanoModelOptions& options) {
  const std::filesystem::path path = options.artifact_dir / nano_file_name;
  Vocabulary vocabulary = TRY(Vocabulary::load(path));
  NanoFacts facts = TRY(facts_of(vocabulary));
  const std::size_t context = TRY(context_of(vocabulary));
  auto server = TRY(LlamaServer::start({.model = path,
                                        .log = options.artifact_dir / "llama-server.log",
                                        .parallel = options.parallel,
                                        .context = context + context_spare,
                                        .threads = options.threads}));
  return std::make_unique<NanoModel>(std::move(vocabulary), std::move(facts), context,
                                     std::move(server));
}

}  // namespace understudy::lm
