// Small model or LLM? Finds the task of a request in the routing policy in force, says what is to
// be done with it by the task's mode, and asks the task's model. Compares answers with the LLM's
// (shadow, audit) and takes a task from its model by itself when too many differ. The policy and
// the vetoes are polled every second; a policy that cannot be verified is refused and the old one
// kept, vetoes that cannot be read put everything on the LLM. match() and audits() are quick and
// for I/O threads; answer() and audited() block and are for a pool. All are thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/lm/small_model.hpp"
#include "adapters/store/home.hpp"
#include "adapters/telemetry/metrics.hpp"
#include "adapters/wire/api.hpp"
#include "adapters/wire/chat.hpp"
#include "base/result.hpp"
#include "base/secret.hpp"
#include "live/route/live_task.hpp"
#include "live/serve/model_pool.hpp"
#include "quality/answer_shape.hpp"
#include "records/call.hpp"

namespace understudy::live {

// What is done with a call of a task.
enum class Course {
  ask,     // the small model may answer
  shadow,  // the LLM answers, the small model is compared behind it
  llm,     // the LLM answers
};

struct Match {
  std::shared_ptr<const LiveTask>
      task;  // shared: the policy may change while the call is under way
  std::vector<std::string> slots;
  Course course = Course::ask;
  std::string_view reason =
      {};               // why it is not `ask`: "shadow", "canary", "demoted", "tool_loop", "off"
  bool shaped = false;  // the request offers tools or gives the schema of its answer
};

struct SlmAnswer {
  RouteDecision decision;
  lm::Prediction prediction;  // valid where decision.server is slm
};

// An answer of the LLM, to compare with.
struct Teacher {
  wire::Api api = wire::Api::chat_completions;
  SecretText response;
  SecretText request = {};  // for the shape that it demands; empty: it demands none
};

class Router {
 public:
  static Result<std::unique_ptr<Router>> open(const store::Home& home, ModelOpener opener);
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  // Where the call stands; ids may be empty.
  struct Place {
    const CallId& call;
    const SessionId& session;  // a canary takes whole sessions
    const CallId& parent;      // the call that opened the tool loop that this one goes on with
  };
  // Nothing: the LLM's, because no task has such prompts. Counts.
  [[nodiscard]] std::optional<Match> match(const wire::ChatRequest& request,
                                           const Place& place) const;

  // Asks the task's model and accepts or not. `shape`: what the request demands of an answer.
  [[nodiscard]] SlmAnswer answer(const Match& match, const quality::AnswerShape& shape) const;
  // The small model's answer of this call opened a tool loop, which stays with it. Quick.
  void opened_tool_loop(const CallId& call);

  // In the background, behind the LLM's answer. False: too many wait already. Quick.
  bool compare_in_shadow(Match match, Teacher teacher);
  // Whether this accepted call is one of those that the LLM is asked too. Quick.
  [[nodiscard]] bool audits(const Match& match, const CallId& call) const;
  // What the LLM said to an accepted call; may demote the task.
  void audited(const Match& match, const Answer& small_model, const Teacher& teacher);

  // Without any, no request needs to be read for match(). Quick.
  [[nodiscard]] bool has_tasks() const;
  // The kill switch has taken every task from its model. Quick.
  [[nodiscard]] bool is_stopped() const;
  [[nodiscard]] std::int64_t policy_version() const;
  void scrape(telemetry::Scrape& scrape) const;

 private:
  struct State;
  explicit Router(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace understudy::live
