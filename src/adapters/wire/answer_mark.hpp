// What tells one answer of a model apart from others: the id of its first tool call, else its first
// text. Found in the answer as it was given, and in the next request, which repeats it. Names
// places in a text; pure.
#pragma once

#include <string>
#include <string_view>

#include "adapters/wire/json_cursor.hpp"
#include "records/call.hpp"

namespace understudy::wire {

struct AnswerMark {
  TextRange call_id;  // both still escaped, without their quotes; no bytes: there is none
  TextRange text;

  // Each reads a value on which the cursor stands; what is known already is kept.
  void take_message(JsonCursor& cursor);  // of chat completions or the messages API
  void take_content(JsonCursor& cursor);  // of a message: a text or parts
  void take_item(JsonCursor& cursor);     // of the Responses API

  // As text, the same however the answer is escaped or wrapped: clients strip white space from
  // answers, so it is stripped and cut to 256 characters. Empty where there is nothing to compare.
  // `body` is what the cursor read.
  [[nodiscard]] std::string words(std::string_view body) const;

 private:
  void take_call(JsonCursor& cursor, std::string_view id_key);
  void take_text(JsonCursor& cursor);
};

}  // namespace understudy::wire
