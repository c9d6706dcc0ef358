// What the gateway and the call log need of a whole answer, read in one pass without a tree. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/wire/answer_mark.hpp"
#include "adapters/wire/api.hpp"
#include "adapters/wire/errors.hpp"
#include "records/call.hpp"

namespace understudy::wire {

struct ResponseFacts {
  std::string id;
  std::string served_model;
  std::string finish_reason;   // OpenAI's words: stop, length, tool_calls, content_filter; or ""
  std::optional<Usage> usage;  // nothing where the answer has none
  std::string error;           // ErrorFacts::label(), of error bodies and failed responses
  ErrorKind error_kind = ErrorKind::none;
  AnswerMark mark;       // of the first choice
  bool is_json = false;  // a JSON object, whole as far as its brackets go
};

ResponseFacts read_response(Api api, std::string_view body);

// Anthropic's stop_reason in OpenAI's words; an unknown one is left as it is.
std::string_view finish_reason_of(std::string_view stop_reason);

}  // namespace understudy::wire
