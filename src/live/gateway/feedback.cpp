#include "live/gateway/feedback.hpp"

#include <cmath>
#include <string>

#include "base/clock.hpp"
#include "base/json.hpp"
#include "base/limits.hpp"

namespace understudy::live {

namespace {

constexpr std::string_view example =
    R"(send {"call_id": "...", "reward": 1} or {"session_id": "...", "reward": 0.5})";

Result<std::string> id_of(const json::value& tree, std::string_view key) {
  std::string id = json::string_or(tree, key);
  if (id.size() <= limits::id_bytes_max) return id;
  return fail(ErrorCode::invalid_input, std::string(key) + " is too long to be an id");
}

}  // namespace

Result<Feedback> parse_feedback(std::string_view body) {
  const json::value tree = TRY(json::parse(body));
  if (!tree.is_object())
    return fail(ErrorCode::invalid_input, "feedback is a JSON object", std::string(example));
  Feedback feedback{.call = {TRY(id_of(tree, "call_id"))},
                    .session = {TRY(id_of(tree, "session_id"))},
                    .tenant = {},
                    .name = TRY(id_of(tree, "name")),
                    .reward = json::find_number(tree, "reward"),
                    .comment = SecretText(json::string_or(tree, "comment")),
                    .at = now()};
  if (feedback.name.empty()) feedback.name = "reward";
  if (feedback.call.empty() == feedback.session.empty()) {
    return fail(ErrorCode::invalid_input, "feedback is about one call_id or one session_id",
                std::string(example));
  }
  if (feedback.reward && !std::isfinite(*feedback.reward))
    return fail(ErrorCode::invalid_input, "reward is no finite number");
  if (!feedback.reward && feedback.comment.empty()) {
    return fail(ErrorCode::invalid_input, "feedback has neither a reward nor a comment",
                std::string(example));
  }
  return feedback;
}

}  // namespace understudy::live
