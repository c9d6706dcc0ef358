// What can go wrong, as a value: a code chosen by what the caller can do about it, a message that
// names the thing (file and line, segment and index, task), and the next step for the person.
// Owner: whoever receives it either handles it or passes it on; never both logs and returns it.
#pragma once

#include <string>
#include <string_view>

namespace understudy {

enum class ErrorCode {
  invalid_input,  // the caller's data is wrong: fix it and call again
  not_found,      // the named thing does not exist
  denied,         // a key, a token or a licence forbids it
  conflict,       // it exists already, or someone else holds it
  unavailable,    // a peer or a resource is away: try again later
  timeout,        // a deadline passed
  corrupt,        // stored bytes fail their checks
  exhausted,      // a named limit, the disk or the memory is used up
  unsupported,    // valid, but this build or model cannot do it
  cancelled,      // the caller went away or pressed Ctrl-C
  internal,       // a defect of ours
};

std::string_view to_string(ErrorCode code);

struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // what happened, to what
  std::string hint;     // what to do next; may be empty

  // The same error, seen from further out: "reading x.jsonl: " + message.
  [[nodiscard]] Error within(std::string_view context) const;
  [[nodiscard]] std::string to_text() const;  // message, then the hint in a second line
  [[nodiscard]] std::string to_line() const;  // message; hint
};

}  // namespace understudy
