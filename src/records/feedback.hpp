// What somebody said about a call, or about all calls of a session, after the answer: did it work,
// how good was it. It comes late, so it is a record of its own that the log's readers bind to its
// calls: for each call the last one wins, given for itself or for its session.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"
#include "base/secret.hpp"
#include "base/units.hpp"

namespace understudy {

struct Feedback {
  CallId call;  // one of the two is given
  SessionId session;
  std::string tenant;            // pseudonym, as in Origin; the comment is sealed to it
  std::string name;              // which measure, "reward" where nobody said otherwise
  std::optional<double> reward;  // task success or score
  SecretText comment;            // content: readable with the curator's key only
  UnixMicros at;
};

}  // namespace understudy
