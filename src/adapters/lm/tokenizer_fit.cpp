#include "adapters/lm/tokenizer_fit.hpp"

#include <sentencepiece_processor.h>
#include <sentencepiece_trainer.h>

#include <algorithm>
#include <exception>
#include <unordered_map>
#include <unordered_set>

namespace understudy::lm {

namespace {

constexpr std::size_t reserved_pieces = 3;  // <unk>, <s>, </s>
// A line of a text is one "sentence"; longer ones would be dropped in silence.
constexpr std::size_t sentence_bytes_max = 4096;

class Lines final : public sentencepiece::SentenceIterator {
 public:
  explicit Lines(std::span<const std::string> texts) {
    for (const std::string& text : texts) add(text);
  }
  [[nodiscard]] bool done() const override { return next_ >= lines_.size(); }
  void Next() override { ++next_; }
  [[nodiscard]] const std::string& value() const override { return lines_[next_]; }
  [[nodiscard]] absl::Status status() const override { return {}; }
  [[nodiscard]] bool empty() const { return lines_.empty(); }

 private:
  void add(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = text.substr(0, std::min(text.find('\n'), sentence_bytes_max));
      if (!line.empty()) lines_.emplace_back(line);
      text.remove_prefix(std::min(text.size(), std::max<std::size_t>(1, line.size())));
    }
  }
  std::vector<std::string> lines_;
  std::size_t next_ = 0;
};

Result<TokenTable> to_table(const std::string& model, const std::vector<std::string>& symbols) {
  sentencepiece::SentencePieceProcessor processor;
  if (const auto status = processor.LoadFromSerializedProto(model); !status.ok()) {
    return fail(ErrorCode::internal, "the fitted tokenizer does not load: " + status.ToString());
  }
  const std::unordered_set<std::string> user_defined(symbols.begin(), symbols.end());
  TokenTable table;
  table.unknown_id = processor.unk_id();
  table.begin_id = processor.bos_id();
  table.end_id = processor.eos_id();
  for (int id = 0; id < processor.GetPieceSize(); ++id) {
    const std::string& piece = processor.IdToPiece(id);
    TokenType type = TokenType::normal;
    if (processor.IsUnknown(id)) type = TokenType::unknown;
    if (processor.IsControl(id)) type = TokenType::control;
    if (processor.IsByte(id)) type = TokenType::byte;
    if (user_defined.contains(piece)) type = TokenType::user_defined;
    table.pieces.push_back(piece);
    table.scores.push_back(processor.GetScore(id));
    table.types.push_back(type);
  }
  return table;
}

}  // namespace

Result<TokenTable> fit_tokenizer(std::span<const std::string> texts,
                                 const TokenizerOptions& options) {
  Lines lines(texts);
  if (lines.empty()) {
    return fail(ErrorCode::invalid_input, "there is no text to fit a tokenizer to");
  }
  std::vector<std::string> symbols{"\n"};  // else each newline would cost a byte token's detour
  symbols.insert(symbols.end(), options.symbols.begin(), options.symbols.end());
  std::string listed;
  for (const std::string& symbol : symbols) listed += (listed.empty() ? "" : ",") + symbol;
  const std::unordered_map<std::string, std::string> arguments{
      {"model_type", "bpe"},
      {"vocab_size", std::to_string(options.pieces_max + symbols.size() + reserved_pieces)},
      {"hard_vocab_limit", "false"},
      {"byte_fallback", "true"},
      {"split_digits", "true"},
      {"character_coverage", "0.9995"},
      {"normalization_rule_name", "identity"},
      {"add_dummy_prefix", "false"},
      {"remove_extra_whitespaces", "false"},
      {"max_sentence_length", std::to_string(sentence_bytes_max + 1)},
      {"num_threads", "1"},
      {"minloglevel", "3"},
      {"user_defined_symbols", listed},
  };
  try {
    std::string model;
    const auto status = sentencepiece::SentencePieceTrainer::Train(arguments, &lines, &model);
    if (!status.ok()) {
      return fail(ErrorCode::invalid_input,
                  "no tokenizer can be fitted to this text: " + status.ToString(),
                  "Give it more examples.");
    }
    return to_table(model, symbols);
  } catch (const std::exception& error) {
    return fail(ErrorCode::internal, std::string("sentencepiece: ") + error.what());
  }
}

}  // namespace understudy::lm
