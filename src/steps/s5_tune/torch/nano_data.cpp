#include "steps/s5_tune/torch/nano_data.hpp"

#include <algorithm>
#include <numeric>

#include "adapters/lm/symbols.hpp"

namespace understudy::s5 {

namespace {

constexpr std::size_t variants_hidden = 2;
constexpr double hidden_share = 0.4;
constexpr std::size_t train_min = 8;
constexpr std::size_t context_step = 64;
constexpr double context_slack = 1.5;  // live inputs may be longer than any seen

std::vector<TrainingExample> without_symbols(std::span<const TrainingExample> examples) {
  std::vector<TrainingExample> kept;
  for (const TrainingExample& example : examples) {
    if (lm::symbols::any_in(example.prompt) || lm::symbols::any_in(example.answer)) continue;
    kept.push_back(example);
  }
  return kept;
}

std::vector<std::string> tokenizer_texts(std::span<const TrainingExample> examples,
                                         const lm::Literals& literals) {
  std::vector<std::string> texts;
  for (const TrainingExample& example : examples) {
    lm::ReadPrompt prompt = literals.read(example.prompt);
    texts.push_back(lm::Literals::point(example.answer, prompt));
    texts.push_back(std::move(prompt.text));
  }
  return texts;
}

Result<lm::Vocabulary> load_vocabulary(const lm::TokenTable& tokens,
                                       const std::filesystem::path& scratch) {
  lm::GgufContent content{.name = "vocabulary", .tokens = tokens};
  content.shape.vocabulary = static_cast<std::uint32_t>(tokens.pieces.size());
  const std::filesystem::path path = scratch / "vocabulary.gguf";
  TRY(lm::write_gguf(path, content));
  auto loaded = lm::Vocabulary::load(path);
  std::error_code ignored;
  std::filesystem::remove(path, ignored);
  return loaded;
}

Sequence::Variant encode(const lm::Vocabulary& vocabulary, const lm::ReadPrompt& prompt,
                         const std::string& answer) {
  Sequence::Variant variant;
  variant.tokens.push_back(vocabulary.begin());
  std::ranges::copy(vocabulary.encode(prompt.text + std::string(lm::symbols::answer)),
                    std::back_inserter(variant.tokens));
  variant.prompt_tokens = variant.tokens.size();
  std::ranges::copy(vocabulary.encode(lm::Literals::point(answer, prompt)),
                    std::back_inserter(variant.tokens));
  variant.tokens.push_back(vocabulary.end());
  return variant;
}

Sequence encode_all(const lm::Vocabulary& vocabulary, const lm::Literals& literals,
                    const TrainingExample& example, std::uint64_t seed) {
  Sequence sequence{.variants = {}, .weight = example.weight};
  sequence.variants.push_back(encode(vocabulary, literals.read(example.prompt), example.answer));
  for (std::size_t i = 0; i < variants_hidden; ++i) {
    const auto prompt = literals.read(
        example.prompt, {.hidden_share = hidden_share, .seed = seed * variants_hidden + i});
    sequence.variants.push_back(encode(vocabulary, prompt, example.answer));
  }
  return sequence;
}

struct Chosen {
  const Sequence* sequence = nullptr;
  const Sequence::Variant* variant = nullptr;
};

Batch make_batch(std::span<const Chosen> chosen) {
  std::size_t length = 0;
  for (const Chosen& one : chosen) length = std::max(length, one.variant->tokens.size() - 1);
  std::vector<std::int64_t> tokens(chosen.size() * length, 0);
  std::vector<std::int64_t> rows;
  std::vector<std::int64_t> targets;
  std::vector<float> weights;
  for (std::size_t t = 0; t < chosen.size(); ++t) {
    const auto& text = chosen[t].variant->tokens;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
      tokens[t * length + i] = text[i];
      if (i + 1 < chosen[t].variant->prompt_tokens) continue;
      rows.push_back(static_cast<std::int64_t>(t * length + i));
      targets.push_back(text[i + 1]);
      weights.push_back(static_cast<float>(chosen[t].sequence->weight));
    }
  }
  return {.texts = static_cast<std::int64_t>(chosen.size()),
          .length = static_cast<std::int64_t>(length),
          .tokens = at::tensor(tokens, at::kLong),
          .rows = at::tensor(rows, at::kLong),
          .targets = at::tensor(targets, at::kLong),
          .weights = at::tensor(weights, at::kFloat)};
}

// Puts a share of the sequences aside, the same for the same seed.
void put_validation_aside(NanoData& data, const NanoDataOptions& options) {
  std::mt19937_64 random(options.seed);
  std::ranges::shuffle(data.train, random);
  const auto share =
      static_cast<std::size_t>(options.validation_share * static_cast<double>(data.train.size()));
  const std::size_t count = std::clamp<std::size_t>(share, 1, options.validation_max);
  const auto cut = data.train.end() - static_cast<std::ptrdiff_t>(count);
  data.validation.assign(std::make_move_iterator(cut), std::make_move_iterator(data.train.end()));
  data.train.erase(cut, data.train.end());
}

}  // namespace

Result<NanoData> prepare_nano_data(std::span<const TrainingExample> examples,
                                   const std::filesystem::path& scratch,
                                   const NanoDataOptions& options) {
  const std::vector<TrainingExample> usable = without_symbols(examples);
  if (usable.size() < train_min) {
    return fail(ErrorCode::invalid_input,
                std::to_string(usable.size()) + " usable training examples, " +
                    std::to_string(train_min) + " are the least",
                "Record or import more calls of this task.");
  }
  std::vector<lm::TextPair> pairs;
  for (const auto& example : usable) pairs.push_back({example.prompt, example.answer});
  NanoData data;
  data.literals = lm::Literals::fit(pairs);
  data.tokens = TRY(
      lm::fit_tokenizer(tokenizer_texts(usable, data.literals),
                        {.pieces_max = options.pieces_max, .symbols = data.literals.symbols()}));
  const lm::Vocabulary vocabulary = TRY(load_vocabulary(data.tokens, scratch));
  std::size_t longest = 0;
  for (std::size_t i = 0; i < usable.size(); ++i) {
    Sequence sequence = encode_all(vocabulary, data.literals, usable[i], options.seed + i);
    std::size_t tokens = 0;
    for (const auto& variant : sequence.variants) tokens = std::max(tokens, variant.tokens.size());
    if (tokens > options.context_max) {
      ++data.left_out;
      continue;
    }
    const auto& first = sequence.variants.front();
    data.answer_tokens_max =
        std::max(data.answer_tokens_max, first.tokens.size() - first.prompt_tokens);
    longest = std::max(longest, tokens);
    data.train.push_back(std::move(sequence));
  }
  if (data.train.size() < train_min) {
    return fail(ErrorCode::invalid_input,
                std::to_string(data.left_out) + " of " + std::to_string(usable.size()) +
                    " examples are longer than " + std::to_string(options.context_max) + " tokens",
                "The task's inputs are too long for a nano model.");
  }
  data.left_out += examples.size() - usable.size();
  const auto roomy = static_cast<std::size_t>(context_slack * static_cast<double>(longest));
  data.context = std::min(options.context_max, (roomy / context_step + 1) * context_step);
  put_validation_aside(data, options);
  return data;
}

std::vector<Batch> make_batches(std::span<const Sequence> sequences, const BatchOptions& options,
                                std::mt19937_64& random) {
  std::vector<Chosen> chosen;
  for (const Sequence& sequence : sequences) {
    // Half of the time as in serving.
    const std::size_t drawn = random() % (2 * (sequence.variants.size() - 1));
    const std::size_t variant =
        options.shuffled && drawn + 1 < sequence.variants.size() ? drawn + 1 : 0;
    chosen.push_back({.sequence = &sequence, .variant = &sequence.variants[variant]});
  }
  if (options.shuffled) std::ranges::shuffle(chosen, random);
  std::ranges::stable_sort(chosen, {},
                           [](const Chosen& one) { return one.variant->tokens.size(); });
  std::vector<Batch> batches;
  for (std::size_t begin = 0; begin < chosen.size();) {
    std::size_t end = begin + 1;
    while (end < chosen.size() && static_cast<std::int64_t>(end - begin) < options.texts_max &&
           static_cast<std::int64_t>((end + 1 - begin) * chosen[end].variant->tokens.size()) <=
               options.tokens_max) {
      ++end;
    }
    batches.push_back(make_batch(std::span(chosen).subspan(begin, end - begin)));
    begin = end;
  }
  if (options.shuffled) std::ranges::shuffle(batches, random);
  return batches;
}

}  // namespace understudy::s5
