// Asks a llama-server for completions over its Unix socket (libcurl, connections kept alive).
// Thread-safe: each call in flight has a connection of its own. Blocking.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/vocabulary.hpp"
#include "base/json.hpp"
#include "base/result.hpp"
#include "records/prediction.hpp"

namespace understudy::lm {

struct Completion {
  std::vector<Token> tokens;  // what the model wrote, without </s>
  // Of the least sure of them, </s> included. llama-server says nothing of a token that is but a
  // part of a character, save its last; 0 where it says nothing at all.
  double token_probability_min = 0;
  bool finished = false;  // by </s>; false: it ran into the limit
  std::optional<AnswerSigns> signs =
      std::nullopt;  // of all of them; nothing where none was written
};

// Of llama-server's answer to POST /completion with n_probs 2 and return_tokens. corrupt when it is
// none.
Result<Completion> parse_completion(std::string_view body, Token end);
// ln P(next) in an answer of one step; nothing where it does not say.
std::optional<double> parse_log_probability(const json::value& answer, Token next);

class CompletionClient {
 public:
  explicit CompletionClient(const std::filesystem::path& socket);
  ~CompletionClient();
  CompletionClient(const CompletionClient&) = delete;
  CompletionClient& operator=(const CompletionClient&) = delete;

  [[nodiscard]] bool healthy() const;

  struct Request {
    std::vector<Token> prompt;
    std::size_t tokens_max = 0;
    Token end = 0;
    std::vector<Token> banned = {};  // never written
    std::string grammar = {};        // GBNF that the answer is held to; empty: none
    Sampling sampling = {};
  };
  // timeout after limits::slm_timeout_s; unavailable when the server is away.
  Result<Completion> complete(const Request& request) const;
  // ln P(next | prompt), as the model has it before any sampling. `end`: any token of whole
  // characters.
  Result<double> log_probability(const std::vector<Token>& prompt, Token next, Token end) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::lm
