// Asks the small model of the task that claims a call, and puts its answer into the client's API.
// Chat completions and Anthropic messages; the other APIs are the LLM's. One call, one I/O thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/net/async.hpp"
#include "adapters/wire/api.hpp"
#include "adapters/wire/chat.hpp"
#include "base/pool.hpp"
#include "live/route/router.hpp"
#include "records/call.hpp"

namespace understudy::live {

class SmallModelAnswer {
 public:
  SmallModelAnswer(wire::Api api, std::string_view body, Router& router, Pool& pool)
      : api_(api), body_(body), router_(router), pool_(pool) {}

  // True: the small model's answer counts; `call` has its route, usage and response. False: the
  // call is the LLM's, and its route says why.
  net::Async<bool> ask(Call& call);

  // The task that claims the call; null: none does, or it was not looked for.
  [[nodiscard]] const Match* match() const { return match_ ? &*match_ : nullptr; }
  [[nodiscard]] bool wants_shadow() const { return match_ && match_->course == Course::shadow; }
  [[nodiscard]] const Answer& answer() const { return answer_; }  // of the small model, accepted
  // What finding the task and its mode took; negative: nothing was looked for.
  [[nodiscard]] std::int64_t decision_ns() const { return decision_ns_; }

  [[nodiscard]] bool is_stream() const { return stream_; }
  std::string take_body() { return std::move(rendered_); }  // for the client

 private:
  [[nodiscard]] Result<wire::ChatRequest> read() const;
  [[nodiscard]] quality::AnswerShape shape() const;
  bool render(const SlmAnswer& answer, const wire::ChatRequest& request, Call& call);

  wire::Api api_;
  std::string_view body_;
  Router& router_;
  Pool& pool_;
  std::optional<Match> match_;
  Answer answer_;
  std::int64_t decision_ns_ = -1;
  bool stream_ = false;
  std::string rendered_;
};

}  // namespace understudy::live
