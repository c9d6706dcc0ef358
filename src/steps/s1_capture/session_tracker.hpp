// Which run of an agent a call belongs to, where no header says so. Agents send the whole
// conversation with each call, so a call goes on from the one whose request is the longest prefix of
// its own: same session, one step further. A request that continues nothing opens a session, named
// by a keyed hash of its opening (system prompt and first message after it), so that a gateway that
// was restarted gives the same name; a second run with the same opening gets a name of its own.
// Where two runs with the same opening and the same answers so far go on side by side, their later
// calls go to the one that called last.
// Bounded: limits::tracked_conversations_max, the longest unused is forgotten. Thread-safe.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/wire/api.hpp"
#include "adapters/wire/request_scan.hpp"
#include "records/call.hpp"
#include "steps/s1_capture/pseudonyms.hpp"

namespace understudy::s1 {

class SessionTracker {
 public:
  explicit SessionTracker(Pseudonyms pseudonyms);
  ~SessionTracker();

  // Fills session, parent and step of `call`, whose id and origin are set. `named`: the session that
  // a header names; empty: inferred. `body` is what `scan` was made of.
  void place(const wire::RequestScan& scan, std::string_view body, std::string_view named,
             Call& call);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What tools answered to the calls of the conversation's last answer: the tool results behind the
// last thing that the model said.
std::vector<ToolResult> tool_results(wire::Api api, const wire::RequestScan& scan,
                                     std::string_view body);

}  // namespace understudy::s1
