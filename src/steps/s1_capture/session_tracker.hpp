// Which run of an agent a call belongs to, where no header says so. Agents send the whole
// conversation with each call, so a call goes on from the one whose request is the longest prefix
// of its own, and whose answer stands behind it: same session, one step further. Calls that repeat
// a request (retries) have the same parent. Runs of one prompt side by side are told apart by their
// answers; while those are equal too, each run takes one of them, the oldest first, which cannot be
// wrong: up to there they are the same conversation.
// A request that continues nothing opens a session, named by a keyed hash of its opening (system
// prompt and first message after it), so that a gateway that was restarted gives the same name; a
// request that was seen already is another run and gets a name of its own.
// Bounded: limits::tracked_conversations_max calls, the oldest is forgotten. Thread-safe: what is
// hashed is hashed outside of the lock. About 1 us for a request of 2 KB.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "adapters/wire/api.hpp"
#include "adapters/wire/request_scan.hpp"
#include "records/call.hpp"
#include "steps/s1_capture/pseudonyms.hpp"

namespace understudy::s1 {

class SessionTracker {
 public:
  // A call that was placed; what answered() needs to find it again.
  struct Ticket {
    std::uint64_t number = 0;
    std::uint64_t scope = 0;
  };

  explicit SessionTracker(const Pseudonyms& pseudonyms);
  ~SessionTracker();

  // Fills session, parent and step of `call`, whose id (a UUID), api and origin are set. `named`:
  // the session that a header names; empty: inferred. `body` is what `scan` was made of.
  Ticket place(const wire::RequestScan& scan, std::string_view body, std::string_view named,
               Call& call);
  // What the next request may name of an answer.
  struct Answered {
    std::string words;             // wire::AnswerMark::words()
    std::string_view response_id;  // a Responses client may send it instead of the conversation
  };
  // Best before the answer's last byte is sent, because the next request may come at once.
  void answered(const Ticket& ticket, const Answered& answer);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace understudy::s1
