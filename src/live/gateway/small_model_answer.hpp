// Asks the small model of the task that claims a call, and puts its answer into the client's API.
// Chat completions and Anthropic messages; the other APIs are the LLM's. One call, one I/O thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "adapters/net/async.hpp"
#include "adapters/wire/api.hpp"
#include "adapters/wire/chat.hpp"
#include "base/pool.hpp"
#include "live/route/router.hpp"
#include "records/call.hpp"

namespace understudy::live {

class SmallModelAnswer {
 public:
  SmallModelAnswer(wire::Api api, std::string_view body, const Router& router, Pool& pool)
      : api_(api), body_(body), router_(router), pool_(pool) {}

  // True: the small model's answer counts; `call` has its route, usage and response. False: the
  // call is the LLM's, and its route says why.
  net::Async<bool> ask(Call& call);

  [[nodiscard]] bool is_stream() const { return stream_; }
  std::string take_body() { return std::move(rendered_); }  // for the client

 private:
  [[nodiscard]] Result<wire::ChatRequest> read() const;
  bool render(const SlmAnswer& answer, const TaskPolicy& task, const wire::ChatRequest& request,
              Call& call);

  wire::Api api_;
  std::string_view body_;
  const Router& router_;
  Pool& pool_;
  bool stream_ = false;
  std::string rendered_;
};

}  // namespace understudy::live
