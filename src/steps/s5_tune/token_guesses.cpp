#include "steps/s5_tune/token_guesses.hpp"

#include <algorithm>
#include <cmath>

namespace understudy::s5 {

namespace {

constexpr std::size_t guesses_max = 64;  // of one token; servers give 20
constexpr std::int64_t byte_max = 255;

Result<std::string> text_of(const json::value& token) {
  if (const json::array* bytes = json::find_array(token, "bytes")) {
    std::string text;
    for (const json::value& byte : *bytes) {
      if (!byte.is_int64() || byte.get_int64() < 0 || byte.get_int64() > byte_max) {
        return fail(ErrorCode::invalid_input, "\"bytes\" of a logprob that are no bytes");
      }
      text.push_back(static_cast<char>(byte.get_int64()));
    }
    return text;
  }
  const auto text = json::find_string(token, "token");
  if (!text) return fail(ErrorCode::invalid_input, "a logprob without the text \"token\"");
  return std::string(*text);
}

Result<TokenGuess> guess_of(const json::value& token) {
  const auto log_probability = json::find_number(token, "logprob");
  if (!log_probability || !(*log_probability <= 1e-3)) {
    return fail(ErrorCode::invalid_input,
                "a token whose \"logprob\" is no logarithm of a probability");
  }
  return TokenGuess{.text = TRY(text_of(token)),
                    .log_probability = std::min(0.0, *log_probability)};
}

json::object to_json(const TokenGuess& guess) {
  json::array bytes;
  for (const char c : guess.text) bytes.emplace_back(static_cast<std::uint8_t>(c));
  return {{"bytes", std::move(bytes)}, {"logprob", guess.log_probability}};
}

}  // namespace

Result<TokenGuesses> parse_guesses(const json::value& content) {
  if (!content.is_array()) return fail(ErrorCode::invalid_input, "\"logprobs\" that are no array");
  TokenGuesses guesses;
  for (const json::value& token : content.get_array()) {
    const TokenGuess answered = TRY(guess_of(token));
    GuessedToken& one = guesses.emplace_back(GuessedToken{.text = answered.text, .likeliest = {}});
    if (const json::array* top = json::find_array(token, "top_logprobs")) {
      for (std::size_t i = 0; i < std::min(top->size(), guesses_max); ++i) {
        one.likeliest.push_back(TRY(guess_of((*top)[i])));
      }
    }
    if (!std::ranges::contains(one.likeliest, answered.text, &TokenGuess::text)) {
      one.likeliest.push_back(answered);
    }
  }
  return guesses;
}

json::array to_json(const TokenGuesses& guesses) {
  json::array content;
  for (const GuessedToken& token : guesses) {
    json::array top;
    json::object one;
    for (const TokenGuess& guess : token.likeliest) {
      if (guess.text == token.text) one = to_json(guess);
      top.emplace_back(to_json(guess));
    }
    one["top_logprobs"] = std::move(top);
    content.emplace_back(std::move(one));
  }
  return content;
}

TokenGuesses guesses_of_response(const json::value& response, std::string_view answer) {
  const json::array* choices = json::find_array(response, "choices");
  if (choices == nullptr || choices->empty()) return {};
  const json::value* logprobs = json::find(choices->front(), "logprobs");
  const json::value* content = logprobs == nullptr ? nullptr : json::find(*logprobs, "content");
  if (content == nullptr) return {};
  auto guesses = parse_guesses(*content);
  if (!guesses) return {};
  std::string text;
  for (const GuessedToken& token : *guesses) text += token.text;
  // Where curation has put another word in place, what the server said of the first is gone with
  // it.
  return text == answer ? std::move(*guesses) : TokenGuesses();
}

}  // namespace understudy::s5
