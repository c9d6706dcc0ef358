#include "adapters/lm/adapter_model.hpp"

#include "adapters/lm/completion_client.hpp"
#include "adapters/lm/llama_server.hpp"
#include "adapters/lm/symbols.hpp"
#include "base/clock.hpp"

namespace understudy::lm {

namespace {

constexpr std::size_t answer_tokens_spare = 16;
// llama-server keeps a few cells of each slot's context for itself.
constexpr std::size_t context_spare = 8;

}  // namespace

struct ServedModel::State {
  State(ServedFacts what, Vocabulary words, std::unique_ptr<LlamaServer> child)
      : facts(std::move(what)),
        vocabulary(std::move(words)),
        server(std::move(child)),
        client(server->socket()) {}

  ServedFacts facts;
  Vocabulary vocabulary;
  std::unique_ptr<LlamaServer> server;
  CompletionClient client;
};

ServedModel::ServedModel(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServedModel::~ServedModel() = default;
const Vocabulary& ServedModel::vocabulary() const { return state_->vocabulary; }

Result<std::unique_ptr<ServedModel>> ServedModel::start(const ServedFacts& facts,
                                                        const std::filesystem::path& adapter,
                                                        const Options& options) {
  Vocabulary vocabulary = TRY(Vocabulary::load(facts.model));
  const std::size_t context = facts.context + answer_tokens_spare + context_spare;
  auto server = TRY(LlamaServer::start({.model = facts.model,
                                        .adapter = adapter,
                                        .log = options.log,
                                        .parallel = options.parallel,
                                        .context = context,
                                        .threads = options.threads}));
  return std::unique_ptr<ServedModel>(
      new ServedModel(std::make_unique<State>(facts, std::move(vocabulary), std::move(server))));
}

Result<Prediction> ServedModel::answer(std::string_view text, const Manner& manner) const {
  return answer(TRY(task_prompt_tokens(state_->vocabulary, state_->facts.form, text)), manner);
}

Result<Prediction> ServedModel::answer(std::vector<Token> prompt, const Manner& manner) const {
  const Stopwatch watch;
  if (!state_->server->running()) return fail(ErrorCode::unavailable, "llama-server has ended");
  const Vocabulary& vocabulary = state_->vocabulary;
  if (prompt.size() + state_->facts.answer_tokens_max > state_->facts.context) {
    return fail(ErrorCode::unsupported, "the input is longer than the model's context");
  }
  const CompletionClient::Request request{
      .prompt = std::move(prompt),
      .tokens_max = state_->facts.answer_tokens_max + answer_tokens_spare,
      .end = vocabulary.end(),
      .grammar = manner.grammar,
      .sampling = manner.sampling};
  Completion completion = TRY(state_->client.complete(request));
  Prediction prediction;
  prediction.prompt_tokens = static_cast<std::int64_t>(request.prompt.size());
  prediction.completion_tokens = static_cast<std::int64_t>(completion.tokens.size());
  // Models have more than one token that ends a turn.
  std::erase_if(completion.tokens, [&](Token token) { return vocabulary.ends_text(token); });
  const auto answer = parse_target(vocabulary.decode(completion.tokens));
  if (answer) prediction.answer = *answer;
  if (answer && completion.finished) {
    prediction.confidence = completion.token_probability_min;
    prediction.signs = completion.signs;
  }
  prediction.latency_us = watch.elapsed_us();
  return prediction;
}

Result<double> ServedModel::surprise(std::vector<Token> prompt,
                                     std::span<const Token> answer) const {
  double nats = 0;
  for (const Token token : answer) {
    nats -= TRY(state_->client.log_probability(prompt, token, state_->vocabulary.end()));
    prompt.push_back(token);
  }
  return nats;
}

namespace {

class AdapterModel final : public SmallModel {
 public:
  explicit AdapterModel(std::unique_ptr<ServedModel> served) : served_(std::move(served)) {}

  Result<Prediction> predict(const Question& question) const override {
    if (symbols::any_forged(question.slots)) {
      return fail(ErrorCode::unsupported, "the input holds a symbol of small models");
    }
    return served_->answer(slots_text(question.slots),
                           {.grammar = question.grammar, .sampling = question.sampling});
  }

 private:
  std::unique_ptr<ServedModel> served_;
};

}  // namespace

Result<std::unique_ptr<SmallModel>> open_adapter(const AdapterModelOptions& options) {
  const ServedFacts facts = TRY(read_served_facts(options.artifact_dir));
  const auto adapter =
      facts.adapter.empty() ? std::filesystem::path() : options.artifact_dir / facts.adapter;
  return std::make_unique<AdapterModel>(
      TRY(ServedModel::start(facts, adapter,
                             {.parallel = options.parallel,
                              .threads = options.threads,
                              .log = options.artifact_dir / "llama-server.log"})));
}

}  // namespace understudy::lm
