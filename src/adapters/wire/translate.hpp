// Between OpenAI's chat completions and Anthropic's messages, in both directions, so that a client
// of either API can use an upstream of the other. What has no equal on the other side is an error
// that names the field, never dropped where that would change the meaning of the request; what is
// left out by rule is listed in docs/translation.md. Pure and thread-safe, but for
// StreamTranslator.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/wire/api.hpp"
#include "base/limits.hpp"
#include "base/result.hpp"

namespace understudy::wire {

struct TranslateOptions {
  // Anthropic requires max_tokens; this goes where the client said nothing.
  std::int64_t max_tokens = limits::translated_tokens_max;
  // The name that the chat upstream knows: OpenAI's newer models refuse "max_tokens", some older
  // servers know no other.
  std::string_view chat_max_tokens_field = "max_completion_tokens";
};

// What the answer's translation must know of the request.
struct AnswerContext {
  bool include_usage = false;      // the chat client asked for a usage event in its stream
  bool json_tool = false;          // response_format went as a forced tool: its input is the text
  std::int64_t created_s = 0;      // for a chat answer; Anthropic's have no time
  std::int64_t prompt_tokens = 0;  // an estimate for message_start; the true count comes last
};

struct TranslatedRequest {
  std::string body;
  AnswerContext answer;
};

// True for chat_completions <-> messages.
bool can_translate(Api from, Api to);

// invalid_input: the field that has no equal, as "messages[3].content[0]: why".
Result<TranslatedRequest> translate_request(Api from, Api to, std::string_view body,
                                            const TranslateOptions& options = {});

// An upstream's whole answer (`from`) for a client of `to`. invalid_input: it is no such answer.
Result<std::string> translate_response(Api from, Api to, std::string_view body,
                                       const AnswerContext& context);

// An upstream's error body, of whatever shape; text that is no JSON is not handed on.
std::string translate_error(Api from, Api to, unsigned status, std::string_view body);

// An upstream's stream for a client of the other API, event by event. One stream, one thread.
class StreamTranslator {
 public:
  static std::unique_ptr<StreamTranslator> make(Api from, Api to, AnswerContext context);
  virtual ~StreamTranslator() = default;

  // Whole events for the client; empty while there are none. invalid_input: an event that is no
  // JSON, or that cannot be said in the client's API. The caller ends the client's stream with
  // stream_error() then.
  virtual Result<std::string> feed(std::string_view bytes) = 0;
  // The upstream's stream ended by itself: what is left to say. Nothing where the answer is not
  // complete, which the caller sees by its StreamReader of the client's API.
  virtual std::string finish() = 0;

 protected:
  StreamTranslator() = default;
};

}  // namespace understudy::wire
