// What clustering sees of one curated call: the prompt as the gateway will see it, its lines as
// masked hashes per part, the answer and the shape of what the call did. Made once per call; holds
// plaintext, so it lives only as long as one clustering.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "records/answer.hpp"
#include "records/example.hpp"

namespace understudy::s3 {

// One line of a prompt: the hash of its mask, how much text it is, and in which message it stands
// (a line that is always in the same message, "Yes, please.", is nobody's template).
struct LineMark {
  std::uint64_t mask = 0;
  std::uint32_t bytes = 0;
  std::uint64_t message = 0;  // hash of all masked lines of its message
};

struct CallView {
  std::uint32_t session = 0;           // dense number
  std::string prompt;                  // wire::prompt_text()
  std::string user_text;               // the user's messages, without role lines
  std::vector<LineMark> system_lines;  // distinct, no blank ones
  std::vector<LineMark> user_lines;    // of the first user message, and of the last message
  bool has_images = false;             // or other parts that are no text
  bool multi_turn = false;             // the model or a tool spoke before
  std::string tools;                   // hash of the tool names offered
  std::string response_form;
  Answer answer;
  std::string action;  // "call:NAME", "json:KEYS", "label", "text:..."
};

// invalid_input names the call. `session` is filled by the caller.
Result<CallView> view_of(const Example& example);

// Shape of an answer without its content.
std::string action_of(const Answer& answer);

}  // namespace understudy::s3
