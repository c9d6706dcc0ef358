// Errors as each API's SDK expects them: read from an upstream's answer, and written for a client,
// as a whole body or as the end of a stream that broke. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/wire/api.hpp"
#include "base/json.hpp"

namespace understudy::wire {

class StreamReader;

// What the gateway can do about an upstream's error.
enum class ErrorKind {
  none,
  context_length,  // a model with a larger context may take the request
  content_filter,  // never routed around
  rate_limit,      // wait, or take another upstream
  quota,           // this account is out of money
  overloaded,      // wait, or take another upstream
  authentication,  // the credentials are wrong
  other,
};

// An error as an upstream wrote it. `message` may quote the prompt: it is content.
struct ErrorFacts {
  std::string type;
  std::string code;
  std::string message;
  ErrorKind kind = ErrorKind::none;
  // In a shape that the SDKs of its API do not recognise (vLLM's {"object":"error"}).
  bool foreign = false;

  // "rate_limit_error/rate_limit_exceeded": what a record may hold, no content.
  [[nodiscard]] std::string label() const;
};

// Knows OpenAI's, Anthropic's, vLLM's and the Responses API's shapes; nothing where the text is no
// JSON or holds no error.
std::optional<ErrorFacts> read_error(std::string_view text);

// An error of ours (or a translated one), before it takes the shape of an API.
struct ApiError {
  unsigned status = 500;     // of HTTP; names the type where `type` is empty
  std::string_view message;  // for the client's eyes
  std::string_view type;     // OpenAI's or Anthropic's word; translated to the API's own
  std::string_view code;     // "context_length_exceeded"; Anthropic's shape has no place for it
};

std::string error_body(Api api, const ApiError& error);

// The bytes that end a stream whose upstream failed, after whole events only. Never a clean end:
// chat and completions get {"error":...} without [DONE], messages an error event, responses a
// response.failed that goes on from what `so_far` has read (nullptr: nothing was sent yet).
std::string stream_error(Api api, const ApiError& error, const StreamReader* so_far);

// An upstream's error body in the shape that the API's SDKs know: vLLM's is rewritten, every other
// body comes back as it is.
std::string normalise_error(Api api, unsigned status, std::string body);

// {"error":{"message","type","code"}}: the shape that the OpenAI SDKs throw on.
std::string error_body(std::string_view message, std::string_view type, std::string_view code);

// ErrorFacts::label() of a body; empty where there is no error.
std::string error_label(const json::value& body);

}  // namespace understudy::wire
